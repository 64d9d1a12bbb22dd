/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `memory [PARTITION] [watch MS]`: a memory manager. It always has one question outstanding at
 * the switchboard whose owner's link it was given as "board": for the next machine that
 * enters. It holds a link to each one's kernel, tells kernels who their fellows are, and is
 * the one who declares machines dead: when a new boot of one enters, when its owner says so,
 * and, if it watches, when one has not answered three questions MS milliseconds apart.
 *
 * Several managers divide the machines between them by partition, and do not meet.
 */
#include "guest/kernel/control.h"
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"
#include "guest/servers/memory/table.h"

enum { CHANNEL_SERVICE, CHANNEL_FOUND, CHANNEL_HELLO, CHANNEL_NODE, CHANNEL_TOLD };
enum { CODE_PLAIN = 1, CODE_OWNER = 2 };
enum { ANSWER_ROOM = 128 };
#define MS 1000000ull

static struct table table;
static char wanted[DEMOS_NAME_MAX] = "machine"; /* what machines post themselves as */
static bool partition;
static u64 watch_ns, watched_ns;
static s64 greeted; /* the member that has been asked for its kernel */

/* One question, its answer to come on a channel; nothing happens if it cannot be asked. */
static bool ask(s64 link, struct words *w, u32 channel, u64 code)
{
    return demos_request(link, w->bytes, 8 * w->count, ANSWER_ROOM, channel, code) >= 0;
}

static void look_for_next(void)
{
    struct words w;

    words_start(&w, SWITCHBOARD_FIND);
    words_put_name(&w, wanted);
    words_put(&w, SWITCHBOARD_WAIT);
    if (!ask(demos_link("board"), &w, CHANNEL_FOUND, 0))
        demos_die("memory: no link to a switchboard as its owner (+board?)");
}

static void ask_load(struct machine *m)
{
    struct words w;

    words_start(&w, KERNEL_OP_NODE);
    if (m->row.alive && !m->asked && table_ask(m))
        ask(m->kernel, &w, CHANNEL_NODE, m->row.machine);
}

/* Tells a kernel of machines from `first` on; how many fitted. */
static u32 tell(const struct machine *to, u32 first)
{
    struct words w;
    u32 at = first;

    words_start(&w, KERNEL_OP_MEMBERS);
    words_put(&w, partition || table.count > (WORDS_MAX - 2) / 2 ? 0 : MEMBERS_ALL);
    for (; at < table.count && w.count + 2 <= WORDS_MAX; at++) {
        const struct member_row *r = &table.machines[at].row;

        words_put(&w, r->machine << 32 | r->epoch);
        words_put(&w, r->alive);
    }
    ask(to->kernel, &w, CHANNEL_TOLD, 0);
    return at - first;
}

static void tell_one(const struct machine *m)
{
    for (u32 first = 0; first < table.count;)
        first += tell(m, first);
}

/* One line, to everybody: `epoch` of a machine is dead, or this one has entered. */
static void tell_all_of(u64 number, u64 epoch, bool alive)
{
    struct words w;

    words_start(&w, KERNEL_OP_MEMBERS);
    words_put(&w, 0);
    words_put(&w, number << 32 | epoch);
    words_put(&w, alive);
    for (u32 i = 0; i < table.count; i++) {
        struct machine *m = &table.machines[i];

        if (m->row.alive && m->row.machine != number)
            ask(m->kernel, &w, CHANNEL_TOLD, 0);
    }
}

static void drop_links(struct machine *m)
{
    if (m->kernel > 0)
        demos_link_drop(m->kernel);
    if (m->member > 0)
        demos_link_drop(m->member);
    m->kernel = m->member = 0;
}

static void declare_dead(struct machine *m)
{
    m->row.alive = 0;
    tell_all_of(m->row.machine, m->row.epoch, false);
    drop_links(m);
    demos_print("memory: machine %llu, boot %llu, is dead\n",
                (unsigned long long)m->row.machine, (unsigned long long)m->row.epoch);
    demos_flush();
}

/* A machine's kernel link has come, and who it is. */
static void enter(u64 number, u64 epoch, s64 kernel, s64 member)
{
    struct machine *m;
    u64 before;
    enum table_entry how = table_enter(&table, number, epoch, &m, &before);

    if (how == TABLE_STALE || how == TABLE_FULL) {
        demos_link_drop(kernel);
        demos_link_drop(member);
        return;
    }
    drop_links(m);
    m->kernel = kernel;
    m->member = member;
    if (how == TABLE_REENTERED) {
        tell_all_of(number, before, false);
        demos_print("memory: machine %llu enters again, boot %llu after %llu\n",
                    (unsigned long long)number, (unsigned long long)epoch,
                    (unsigned long long)before);
        demos_flush();
    }
    if (how != TABLE_AGAIN)
        tell_all_of(number, epoch, true);
    tell_one(m);
    ask_load(m);
}

/* HELLO answered: whoever it is enters. A machine that died meanwhile does not. */
static void hello(const struct demos_info *info, struct words *w)
{
    s64 result = (s64)words_get(w);
    u64 number = words_get(w), epoch = words_get(w);
    s64 member = greeted;

    greeted = 0;
    if (info->kind == DEMOS_MSG_REPLY && !result && info->count == 1 && number && epoch)
        enter(number, epoch, info->links[0], member);
    else
        demos_link_drop(member);
    look_for_next();
}

static void found(const struct demos_info *info)
{
    struct words w;

    if (info->kind != DEMOS_MSG_REPLY || !info->count) {
        look_for_next(); /* another switchboard, or ours had no room for the question */
        return;
    }
    greeted = info->links[0];
    words_start(&w, MEMBER_HELLO);
    if (ask(greeted, &w, CHANNEL_HELLO, 0))
        return;
    demos_link_drop(greeted);
    greeted = 0;
    look_for_next();
}

static void load_known(const struct demos_info *info, struct words *w)
{
    struct machine *m = table_find(&table, info->code);
    u64 in_use, ready, processes, total;

    if (!m || info->kind != DEMOS_MSG_REPLY || words_get(w) || words_get(w) != info->code ||
        words_get(w) != m->row.epoch)
        return; /* no answer: watching finds out */
    processes = words_get(w);
    in_use = words_get(w);
    words_get(w);
    total = words_get(w);
    words_get(w);
    words_get(w);
    ready = words_get(w);
    table_answered(m, ready, processes, total - MIN(in_use, total));
}

static void list(struct words *request, struct words *answer)
{
    u64 first = words_get(request);

    words_start(answer, 0);
    words_put(answer, table.count);
    for (u64 i = first; i < table.count && i < first + MEMBERS_ROWS; i++) {
        const struct member_row *r = &table.machines[i].row;

        words_put(answer, r->machine);
        words_put(answer, r->epoch);
        words_put(answer, r->alive);
        words_put(answer, r->ready);
        words_put(answer, r->processes);
        words_put(answer, r->free);
    }
    for (u32 i = 0; i < table.count; i++)
        ask_load(&table.machines[i]);
}

static s64 choose(struct words *request, struct words *answer)
{
    u64 number = words_get(request);
    struct machine *m = number ? table_find(&table, number) : table_idlest(&table);
    bool good = m && m->row.alive;

    words_start(answer, good ? 0 : (u64)(s64)DEMOS_E_DEAD);
    if (!good)
        return 0;
    words_put(answer, m->row.machine);
    if (!number)
        m->row.ready++; /* whoever asked will use it, before it says so itself */
    return m->kernel;
}

static void bury(struct words *request, struct words *answer)
{
    struct machine *m = table_find(&table, words_get(request));
    bool good = m && m->row.alive;

    words_start(answer, good ? 0 : (u64)(s64)DEMOS_E_DEAD);
    if (good)
        declare_dead(m);
}

static void serve(const struct demos_info *info, struct words *w)
{
    bool owner = info->code == CODE_OWNER;
    u64 op = words_get(w);
    struct words answer;
    s64 link = 0;

    words_start(&answer, (u64)(s64)DEMOS_E_CALL);
    if (op == MEMBERS_LIST)
        list(w, &answer);
    else if (op == MEMBERS_KERNEL && owner)
        link = choose(w, &answer);
    else if (op == MEMBERS_DEAD && owner)
        bury(w, &answer);
    else if (op == MEMBERS_KERNEL || op == MEMBERS_DEAD)
        words_start(&answer, (u64)(s64)DEMOS_E_ALLOWED);
    demos_reply_links(info->reply, answer.bytes, 8 * answer.count, &link, link > 0);
}

/* The next round of questions, when it is time. */
static void watch(void)
{
    u64 now = watch_ns ? demos_time_ns() : 0;

    if (!watch_ns || now - watched_ns < watch_ns)
        return;
    watched_ns = now;
    for (u32 i = 0; i < table.count; i++) {
        struct machine *m = &table.machines[i];
        struct words w;

        if (!m->row.alive)
            continue;
        words_start(&w, KERNEL_OP_NODE);
        if (!table_ask(m))
            declare_dead(m);
        else if (!m->silent)
            ask(m->kernel, &w, CHANNEL_NODE, m->row.machine);
    }
}

static void next(void)
{
    struct demos_info info = {0};
    struct words w;
    s64 len = demos_receive_within(watch_ns ? watch_ns : DEMOS_FOREVER, DEMOS_ANY_CHANNEL,
                                   w.bytes, sizeof w.bytes, &info);
    bool taken = false;

    if (len >= 0)
        words_read(&w, w.bytes, (size_t)len);
    if (len >= 0 && info.channel == CHANNEL_FOUND) {
        taken = info.kind == DEMOS_MSG_REPLY && info.count == 1;
        found(&info);
    } else if (len >= 0 && info.channel == CHANNEL_HELLO) {
        taken = info.kind == DEMOS_MSG_REPLY && info.count == 1;
        hello(&info, &w);
    } else if (len >= 0 && info.channel == CHANNEL_NODE) {
        load_known(&info, &w);
    } else if (len >= 0 && info.reply > 0) {
        serve(&info, &w);
    }
    for (u32 i = 0; !taken && i < info.count; i++)
        demos_link_drop(info.links[i]);
    watch();
}

static u64 number_of(const char *digits)
{
    u64 value = 0;

    for (; *digits >= '0' && *digits <= '9'; digits++)
        value = value * 10 + (u64)(*digits - '0');
    return value;
}

int main(int argc, char **argv)
{
    u32 attr = DEMOS_DUP | DEMOS_GIVE;
    s64 plain, owner;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "watch") == 0 && i + 1 < argc) {
            watch_ns = number_of(argv[++i]) * MS;
        } else {
            format(wanted, sizeof wanted, "machine.%s", argv[i]);
            partition = true;
        }
    }
    plain = demos_link_make(DEMOS_REQUEST_LINK, attr, CHANNEL_SERVICE, CODE_PLAIN);
    owner = demos_link_make(DEMOS_REQUEST_LINK, attr, CHANNEL_SERVICE, CODE_OWNER);
    if (demos_link("boss") > 0)
        demos_offer_owner(plain, owner);
    look_for_next();
    for (;;)
        next();
}

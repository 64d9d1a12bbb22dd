/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switchboard: gives links by name to whoever has a link to it. Never waits for
 * anybody: a question that cannot be answered yet is kept with its reply link; what only
 * the switchboard above knows is asked there by a request whose code is the question's.
 *
 * Links to it carry what their holder may: CODE_OWNER finds private names and lists. It
 * offers two, the ordinary one and the owner's. Arguments: `global` or `local` make it this
 * cluster's or this node's switchboard, also in another's place if `replace` follows (needs
 * the link "kernel"); without them it is a table of names for those it is given to, below
 * "above" if it has such a link.
 */
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"
#include "guest/servers/switchboard/board.h"

enum { CHANNEL_SERVICE = 1, CHANNEL_ENTRY = 2, CHANNEL_ABOVE = 3 };
#define ASK_AGAIN_NS 50000000ull
enum { CODE_ANYBODY = 0, CODE_OWNER = 1, QUESTION_BYTES = 40, ANSWER_ROOM = 64 };

struct question {
    struct demos_info info;
    struct words words; /* as it came, read up to the name */
    char name[DEMOS_NAME_MAX + 1];
    u64 flags;
    s64 link; /* that came with it, ours until taken; 0: none */
};

static struct board board;
static s64 above;
static bool late; /* there are questions that could not be asked above yet */

/* Answers with words and perhaps a link, which stays ours if it has DUP. */
static void answer_words(s64 reply, const struct words *w, s64 link)
{
    if (demos_reply_links(reply, w->bytes, 8 * w->count, &link, link > 0) < 0)
        demos_link_drop(reply);
}

static void answer(s64 reply, s64 result, s64 link)
{
    struct words w;

    words_start(&w, (u64)result);
    answer_words(reply, &w, link);
}

/* Gives what an entry has to a question: a copy of an announced link, the posted one itself. */
static void give(struct board_row *entry, s64 reply)
{
    bool posted = entry->kind == BOARD_POSTED;
    struct words w;

    words_start(&w, posted);
    words_put_name(&w, entry->name);
    answer_words(reply, &w, entry->link);
    if (posted) {
        demos_link_drop(entry->link);
        board_remove(entry);
    }
}

/* Answers what has waited for this entry: everybody, or one when it is posted. */
static void satisfy(struct board_row *entry)
{
    struct board_row *waiter;

    while (entry->kind != BOARD_FREE && (waiter = board_waiter(&board, entry)) != NULL) {
        s64 reply = waiter->link;

        board_remove(waiter);
        give(entry, reply);
    }
}

static struct board_row *keep(struct question *q)
{
    s64 evicted;
    struct board_row *waiter = board_wait(&board, q->name, q->info.code == CODE_OWNER,
                                          q->info.reply, &evicted);

    if (evicted)
        answer(evicted, DEMOS_E_FULL, 0);
    return waiter;
}

/* The question goes up as it is; from_above passes the answer on. `only`: nobody announced
 * here answers it meanwhile. */
static s64 ask_above(struct question *q, bool only)
{
    struct board_row *waiter = keep(q);
    struct demos_info info = {.code = waiter->code};
    s64 result;

    waiter->up = only;
    if (q->link > 0) {
        info.count = 1;
        info.links[0] = q->link;
    }
    result = call_request(above, q->words.bytes, QUESTION_BYTES, &info, DEMOS_NOW, ANSWER_ROOM,
                          CHANNEL_ABOVE);
    if (result < 0)
        board_remove(waiter);
    else
        q->info.reply = 0;
    return result;
}

/* The link may be copied: asked by copying it. */
static bool may_copy(s64 link)
{
    s64 copy = demos_link_dup(link);

    if (copy > 0)
        demos_link_drop(copy);
    return copy > 0;
}

static s64 enter(struct question *q, enum board_kind kind)
{
    struct board_row *entry;
    s64 mine, result;

    if (q->link <= 0)
        return DEMOS_E_ARGUMENT;
    if (q->flags & SWITCHBOARD_GLOBAL && above > 0)
        return ask_above(q, true);
    if (kind == BOARD_ANNOUNCED && !may_copy(q->link))
        return DEMOS_E_ALLOWED;
    result = board_add(&board, kind, q->name, q->flags & SWITCHBOARD_PRIVATE, q->link, &entry);
    if (result < 0)
        return result;
    mine = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE | DEMOS_TELLDEST, CHANNEL_ENTRY,
                           entry->code);
    if (mine < 0) {
        board_remove(entry);
        return mine;
    }
    answer(q->info.reply, 0, mine);
    demos_link_drop(mine); /* nobody took it: its notice ends the entry */
    q->info.reply = q->link = 0;
    satisfy(entry);
    return 0;
}

static s64 announce(struct question *q)
{
    return enter(q, BOARD_ANNOUNCED);
}

static s64 post(struct question *q)
{
    return enter(q, BOARD_POSTED);
}

/* `missing`: there is nobody above now to ask as well. */
static void wait_here(struct question *q, bool only, bool missing)
{
    struct board_row *waiter = keep(q);

    waiter->up = only;
    waiter->late = missing;
    late |= missing;
}

static s64 find(struct question *q)
{
    bool only = q->flags & SWITCHBOARD_GLOBAL && above > 0, missing = false;
    struct board_row *entry = only ? NULL
                                   : board_find(&board, q->name, q->info.code == CODE_OWNER);

    if (!entry && above > 0) {
        if (ask_above(q, only) == 0)
            return 0;
        missing = true;
    }
    if (!entry && !(q->flags & SWITCHBOARD_WAIT))
        return DEMOS_E_REFUSED;
    if (entry)
        give(entry, q->info.reply);
    else
        wait_here(q, only, missing);
    q->info.reply = 0;
    return 0;
}

/* Asks above what could not be asked there when it came. */
static void ask_late(void)
{
    struct words w;

    late = false;
    for (u32 i = 0; i < BOARD_WAITERS; i++) {
        struct board_row *r = &board.waiters[i];
        struct demos_info info = {.code = r->code};

        if (r->kind == BOARD_FREE || !r->late)
            continue;
        words_start(&w, SWITCHBOARD_FIND);
        words_put_name(&w, r->name);
        words_put(&w, SWITCHBOARD_WAIT);
        r->late = call_request(above, w.bytes, 8 * w.count, &info, DEMOS_NOW, ANSWER_ROOM,
                               CHANNEL_ABOVE) < 0;
        late |= r->late;
    }
}

static void list_rows(struct words *w, const struct board_row *rows, u32 count, u64 first,
                      u64 *total)
{
    static const u8 kinds[] = {[BOARD_ANNOUNCED] = SWITCHBOARD_ANNOUNCED,
                               [BOARD_POSTED] = SWITCHBOARD_POSTED,
                               [BOARD_WAITING] = SWITCHBOARD_WANTED};

    for (u32 i = 0; i < count; i++) {
        if (rows[i].kind == BOARD_FREE)
            continue;
        if (*total >= first && *total < first + SWITCHBOARD_ROWS) {
            words_put_name(w, rows[i].name);
            words_put(w, kinds[rows[i].kind]);
        }
        ++*total;
    }
}

static void list(struct question *q)
{
    struct words w;
    u64 total = 0;
    u64 first = be64_get(q->words.bytes + 8);

    words_start(&w, q->info.code == CODE_OWNER ? 0 : (u64)DEMOS_E_ALLOWED);
    words_put(&w, 0);
    if (q->info.code == CODE_OWNER) {
        list_rows(&w, board.entries, BOARD_ENTRIES, first, &total);
        list_rows(&w, board.waiters, BOARD_WAITERS, first, &total);
    }
    be64_put(w.bytes + 8, total);
    if (demos_reply(q->info.reply, w.bytes, 8 * w.count) >= 0)
        q->info.reply = 0;
}

static s64 (*const ops[])(struct question *) = {
    [SWITCHBOARD_ANNOUNCE] = announce,
    [SWITCHBOARD_POST] = post,
    [SWITCHBOARD_FIND] = find,
};

static s64 perform(struct question *q, u64 op)
{
    words_get_name(&q->words, q->name);
    q->flags = words_get(&q->words);
    if (op >= ARRAY_SIZE(ops) || !ops[op])
        return DEMOS_E_CALL;
    if (!board_name(q->name) || q->words.count < QUESTION_BYTES / 8)
        return DEMOS_E_ARGUMENT;
    return ops[op](q);
}

static void service(struct question *q)
{
    u64 op = words_get(&q->words);
    s64 result;

    if (q->info.reply <= 0)
        return;
    if (op == SWITCHBOARD_LIST) {
        list(q);
        return;
    }
    result = perform(q, op);
    if (q->info.reply)
        answer(q->info.reply, result, 0);
}

/* Over an entry link: it is gone, or says REMOVE. */
static void entry_message(struct question *q)
{
    struct board_row *entry = board_entry_of(&board, q->info.code);
    bool ends = q->info.kind == DEMOS_MSG_NOTICE || words_get(&q->words) == SWITCHBOARD_REMOVE;

    if (entry && ends) {
        demos_link_drop(entry->link);
        board_remove(entry);
    }
    if (q->info.reply > 0)
        answer(q->info.reply, ends ? 0 : DEMOS_E_CALL, 0);
}

/* A posted link was taken above for somebody who found another one meanwhile: it stays
 * here, for the next who asks. */
static void keep_posted(struct question *q)
{
    struct board_row *entry;

    words_get_name(&q->words, q->name);
    if (!board_name(q->name) ||
        board_add(&board, BOARD_POSTED, q->name, false, q->link, &entry) < 0)
        return;
    q->link = 0;
    satisfy(entry);
}

/* What was asked above is answered, or nobody is there to answer. */
static void from_above(struct question *q)
{
    struct board_row *waiter = board_waiter_of(&board, q->info.code);

    if (q->info.kind == DEMOS_MSG_NOTICE)
        words_start(&q->words, (u64)DEMOS_E_DEAD);
    if (waiter) {
        answer_words(waiter->link, &q->words, q->link);
        board_remove(waiter);
    } else if (words_get(&q->words) == 1 && q->link > 0) {
        keep_posted(q);
    }
}

static void message(struct question *q)
{
    for (u32 i = 1; i < q->info.count; i++)
        demos_link_drop(q->info.links[i]);
    q->link = q->info.count ? q->info.links[0] : 0;
    if (q->info.channel == CHANNEL_SERVICE)
        service(q);
    else if (q->info.channel == CHANNEL_ENTRY)
        entry_message(q);
    else
        from_above(q);
    if (q->link > 0)
        demos_link_drop(q->link); /* nobody kept it */
}

static s64 link_for(u64 code)
{
    return demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL_SERVICE, code);
}

/* From the kernel: the link that leads to the nearest switchboard, or the cluster's. */
static s64 kernel_board(u64 scope)
{
    struct words w;
    s64 link;

    words_start(&w, KERNEL_OP_SWITCHBOARD);
    words_put(&w, scope);
    words_call(demos_link("kernel"), &w, NULL, 0, &link);
    return link;
}

/* Makes this the switchboard of the node or the cluster; answers the link for everybody. */
static s64 enroll(const char *as, bool replace)
{
    u64 scope = strcmp(as, "global") == 0 ? SWITCHBOARD_CLUSTER : SWITCHBOARD_NEAREST;
    s64 link = link_for(CODE_ANYBODY), result;
    struct words w;

    if (scope == SWITCHBOARD_NEAREST && strcmp(as, "local") != 0)
        demos_die("switchboard: %s: neither global nor local", as);
    words_start(&w, KERNEL_OP_REGISTER);
    words_put(&w, scope);
    words_put(&w, replace ? SWITCHBOARD_REPLACE : 0);
    result = words_call(demos_link("kernel"), &w, &link, 1, NULL);
    if (result < 0)
        demos_die("switchboard: cannot be %s: %s", as, demos_error(result));
    demos_link_drop(link);
    if (scope == SWITCHBOARD_NEAREST)
        above = kernel_board(SWITCHBOARD_CLUSTER);
    return kernel_board(SWITCHBOARD_NEAREST);
}

int main(int argc, char **argv)
{
    bool replace = argc > 2 && strcmp(argv[2], "replace") == 0;
    s64 link;

    above = demos_link("above");
    link = argc > 1 ? enroll(argv[1], replace) : link_for(CODE_ANYBODY);
    if (demos_link("boss") > 0)
        demos_offer_owner(link, link_for(CODE_OWNER));
    for (;;) {
        static struct question q;
        s64 len;

        q = (struct question){0};
        len = demos_receive_within(late ? ASK_AGAIN_NS : DEMOS_FOREVER,
                                   DEMOS_CHANNEL(CHANNEL_SERVICE) |
                                       DEMOS_CHANNEL(CHANNEL_ENTRY) |
                                       DEMOS_CHANNEL(CHANNEL_ABOVE),
                                   q.words.bytes, sizeof q.words.bytes, &q.info);
        if (len == DEMOS_E_TIMEOUT) {
            ask_late();
            continue;
        }
        if (len < 0)
            return 1;
        words_read(&q.words, q.words.bytes, (size_t)len);
        message(&q);
    }
}

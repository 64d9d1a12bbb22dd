/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first process of a node. The machine gives it the bundle (address and length are
 * its arguments) and links to everything; it starts what the boot list says, hands out
 * program files to whoever holds a "programs" link, and ends the node when all it started
 * has ended. Its status is then the worst of theirs.
 *
 * A line of the boot list is a program and its arguments. Words before it that begin with
 * `+` give the process a link it would not have: +kernel (may make processes), +machine
 * (counters and the end of the node), +disks (the machine's disks, guest/machine/protocol.h),
 * +self (its own control link: it may move itself).
 * All get console, clock, programs and switchboard (guest/lib/switchboard.h; a question waits
 * until there is one), by which what other machines offer is found. The line `wait` holds the
 * next ones back until everything before it has ended.
 *
 * A word `=NAME` makes the process a server: the next line waits until it has offered a
 * link, and everything started after it gets that link under NAME. A second link, if it
 * offers one (demos_offer_owner), goes in its place to those with `+NAME`. Nobody waits for
 * the end of servers; they end with the node.
 */
#include "base/elf.h"
#include "guest/lib/process.h"
#include "guest/machine/bundle.h"
#include "guest/machine/protocol.h"

enum { CHANNEL_PROGRAMS = 1, CHANNEL_ENDS = 2 };
enum { FILES_MAX = 64, SERVICES_MAX = 8, PAGE = 4096 };
enum { CODE_PROGRAM = 0, CODE_SERVER = 1 }; /* of exit notices */

/* A program file, in pages of its own: then its segments are whole pages, and loading them shares
 * instead of copying. It has those in the bundle, or is copied when it is first wanted. */
struct file {
    char name[DEMOS_NAME_MAX + 1];
    const u8 *data;
    size_t len;
};

/* What a server offered, under the name its boot line gave it. */
struct service {
    char name[DEMOS_NAME_MAX + 1];
    s64 link, owner;
};

static struct bundle bundle;
static struct service services[SERVICES_MAX]; /* the one after the last is being offered */
static u32 service_count;
static bool offering;
static u64 offer; /* the code of the latest server's boss link */
static struct file files[FILES_MAX];
static u32 file_count;
static u64 next_base;
static u32 running;
static s64 worst;
static s64 programs_link;
static s64 switchboard; /* the nearest, whichever that is when it is used */

static bool grow(u64 len)
{
    struct words w;

    words_start(&w, CONTROL_MAP);
    words_put(&w, next_base);
    words_put(&w, len);
    words_put(&w, 3);
    words_put(&w, 3);
    return words_call(demos_link("self"), &w, NULL, 0, NULL) >= 0;
}

static const struct file *find_file(const char *name)
{
    struct bundle_file in;
    struct file *f = &files[file_count];
    u64 len;

    for (u32 i = 0; i < file_count; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    if (file_count == FILES_MAX || !bundle_find(&bundle, name, &in))
        return NULL;
    len = ALIGN_UP((u64)in.len, (u64)PAGE);
    f->data = in.data;
    if (len == 0)
        return NULL;
    if ((u64)in.data % PAGE || in.len % PAGE) {
        if (!grow(len))
            return NULL;
        memcpy((void *)next_base, in.data, in.len);
        f->data = (const u8 *)next_base;
        next_base += len;
    }
    memcpy(f->name, name, strnlen(name, DEMOS_NAME_MAX));
    f->len = in.len;
    file_count++;
    return f;
}

/* How many bytes of the file a segment has: what nobody writes takes its last page whole, so
 * that all who run it have that page together. */
static u64 file_bytes(const struct file *f, const struct elf_segment *s)
{
    u64 whole = ALIGN_UP((u64)s->file_size, (u64)PAGE), room = ALIGN_UP((u64)f->len, (u64)PAGE);

    if (s->flags & ELF_WRITE || s->file_size != s->memory_size || whole > room - s->offset)
        return s->file_size;
    return (s->virtual | s->offset) % PAGE ? s->file_size : whole;
}

/* Segments of a file, with a link to the bytes of each. */
static s64 open_file(const char *name, struct demos_program *p)
{
    const struct file *f = find_file(name);
    struct elf_segment s;
    const char *why;
    struct elf e;
    u32 index = 0;

    p->count = 0;
    if (!f)
        return DEMOS_E_REFUSED;
    if (!elf_open(&e, f->data, f->len, &why) || !e.wide || e.machine != ELF_MACHINE_X86_64)
        return DEMOS_E_ARGUMENT;
    p->entry = e.entry;
    while (p->count < DEMOS_LINKS_MAX && elf_next_load(&e, &index, &s)) {
        struct demos_segment *to = &p->segments[p->count];

        if (s.memory_size == 0)
            continue;
        *to = (struct demos_segment){.address = s.virtual,
                                     .memory_len = s.memory_size,
                                     .file_len = file_bytes(f, &s),
                                     .protection = (s.flags & ELF_READ ? 1u : 0u) |
                                                   (s.flags & ELF_WRITE ? 2u : 0u) |
                                                   (s.flags & ELF_EXECUTE ? 4u : 0u)};
        if (s.file_size)
            to->link = demos_link_area(DEMOS_GIVE | DEMOS_AREA_READ, f->data + s.offset,
                                       to->file_len);
        if (to->link < 0)
            return to->link;
        p->count++;
    }
    return 0;
}

static void answer_open(s64 reply, struct words *request)
{
    char name[DEMOS_NAME_MAX + 1];
    struct demos_program p;
    struct words w;
    s64 links[DEMOS_LINKS_MAX], result;
    u32 count = 0;

    words_get_name(request, name);
    result = open_file(name, &p);
    words_start(&w, (u64)result);
    words_put(&w, p.entry);
    words_put(&w, p.count);
    for (u32 i = 0; i < p.count && result >= 0; i++) {
        words_put(&w, p.segments[i].address);
        words_put(&w, p.segments[i].memory_len);
        words_put(&w, p.segments[i].file_len);
        words_put(&w, p.segments[i].protection);
        if (p.segments[i].link)
            links[count++] = p.segments[i].link;
    }
    if (demos_reply_links(reply, w.bytes, 8 * w.count, links, count) < 0)
        while (count)
            demos_link_drop(links[--count]);
}

static void ended(const struct demos_info *info, const void *body, size_t len)
{
    struct process_end end;

    if (info->channel != CHANNEL_ENDS || !process_end_read(info, body, len, &end))
        return;
    if (info->code == CODE_PROGRAM)
        running--;
    if (end.how == DEMOS_END_EXCEPTION)
        demos_print("init: a process ended by exception %lld at 0x%llx\n",
                    (long long)end.status, (unsigned long long)end.address);
    if (end.how != DEMOS_END_EXIT)
        worst = 1;
    else if (end.status != 0 && worst == 0)
        worst = end.status;
}

/* A server offers links, or the notice says that it never will: how many are kept. */
static u32 take_offer(const struct demos_info *info)
{
    struct service *s = &services[service_count];

    offering = false;
    s->link = info->count > 0 ? info->links[0] : 0;
    s->owner = info->count > 1 ? info->links[1] : s->link;
    return MIN(info->count, 2u);
}

/* One request, notice or offer. */
static void serve(void)
{
    struct words w;
    struct demos_info info = {0};
    s64 len = demos_receive(DEMOS_CHANNEL(CHANNEL_PROGRAMS) | DEMOS_CHANNEL(CHANNEL_ENDS) |
                                DEMOS_CHANNEL(DEMOS_OFFER_CHANNEL),
                            w.bytes, sizeof w.bytes, &info);
    u32 kept = 0;

    if (len < 0)
        return;
    if (info.channel == DEMOS_OFFER_CHANNEL && offering && info.code == offer)
        kept = take_offer(&info);
    while (kept < info.count)
        demos_link_drop(info.links[kept++]);
    ended(&info, w.bytes, (size_t)len);
    if (info.channel != CHANNEL_PROGRAMS || info.reply <= 0)
        return;
    words_read(&w, w.bytes, (size_t)len);
    if (words_get(&w) == PROGRAMS_OPEN) {
        answer_open(info.reply, &w);
    } else {
        words_start(&w, (u64)DEMOS_E_CALL);
        demos_reply(info.reply, w.bytes, 8);
    }
}

static u64 number(const char *digits)
{
    u64 value = 0;

    for (; *digits >= '0' && *digits <= '9'; digits++)
        value = value * 10 + (u64)(*digits - '0');
    return value;
}

/* A link for those only whose line asks for it. */
static s64 special(const char *name)
{
    for (u32 i = 0; i < service_count; i++)
        if (strcmp(services[i].name, name) == 0)
            return services[i].owner;
    return demos_link(name);
}

/* Adds a gift; one of the same name gives way. */
static void add(struct demos_spawn *s, struct demos_gift *gifts, struct demos_gift gift)
{
    u32 at = 0;

    while (at < s->gift_count && strcmp(gifts[at].name, gift.name) != 0)
        at++;
    if (at == DEMOS_GIFTS_MAX || gift.link <= 0)
        return;
    gifts[at] = gift;
    s->gift_count = MAX(s->gift_count, at + 1);
}

/* The links of a process: what all get, then what the words before its name say. Answers
 * the index of the name; *serves is where a server's own is. */
static u32 choose_gifts(struct demos_spawn *s, struct demos_gift *gifts,
                        struct bundle_command *c, const char **serves)
{
    u32 at = 0;

    add(s, gifts, (struct demos_gift){"console", demos_link("console")});
    add(s, gifts, (struct demos_gift){"clock", demos_link("clock")});
    add(s, gifts, (struct demos_gift){"programs", programs_link});
    add(s, gifts, (struct demos_gift){"switchboard", switchboard});
    for (u32 i = 0; i < service_count; i++)
        add(s, gifts, (struct demos_gift){services[i].name, services[i].link});
    for (; at < c->count && strchr("+=", c->args[at][0]); at++) {
        if (strcmp(c->args[at], "+self") == 0)
            s->own = true; /* its own, not ours */
        else if (c->args[at][0] == '+')
            add(s, gifts, (struct demos_gift){c->args[at] + 1, special(c->args[at] + 1)});
        else
            *serves = c->args[at] + 1;
    }
    return at;
}

/* Until the server offers something, or ends; others are served meanwhile. */
static void await_offer(const char *name)
{
    struct service *s = &services[service_count];

    while (offering)
        serve();
    if (s->link > 0) {
        memset(s->name, 0, sizeof s->name);
        memcpy(s->name, name, strnlen(name, DEMOS_NAME_MAX));
        service_count++;
        return;
    }
    demos_print("init: %s: nothing was offered\n", name);
    worst = 1;
}

static void boss(struct demos_spawn *s, struct demos_gift *gifts)
{
    offering = true;
    add(s, gifts,
        (struct demos_gift){"boss", demos_link_make(DEMOS_GENERAL,
                                                    DEMOS_GIVE | DEMOS_ONCE | DEMOS_TELLDEST,
                                                    DEMOS_OFFER_CHANNEL, ++offer)});
}

static void start(struct bundle_command *c)
{
    struct demos_gift gifts[DEMOS_GIFTS_MAX];
    struct demos_program p;
    struct demos_spawn s = {.gifts = gifts};
    const char *serves = NULL;
    u32 first = choose_gifts(&s, gifts, c, &serves);
    s64 result;

    if (first == c->count)
        return;
    s.program = c->args[first];
    s.args = (const char *const *)&c->args[first + 1];
    s.arg_count = c->count - first - 1;
    s.watch = process_watch(CHANNEL_ENDS, serves ? CODE_SERVER : CODE_PROGRAM);
    if (serves && service_count < SERVICES_MAX)
        boss(&s, gifts);
    result = open_file(s.program, &p);
    if (result >= 0)
        result = demos_spawn_program(&s, &p);
    if (result >= 0) {
        running += !serves;
        if (serves && offering)
            await_offer(serves);
        return;
    }
    offering = false;
    demos_print("init: %s: cannot start: %s\n", s.program, demos_error(result));
    worst = 1;
}

static void run_list(const struct bundle_file *list)
{
    static struct bundle_command c;
    const char *why;
    size_t at = 0;

    while (bundle_command(list, &at, &c, &why)) {
        if (strcmp(c.args[0], "wait") != 0) {
            start(&c);
            continue;
        }
        while (running)
            serve();
    }
    if (why)
        demos_print("init: %s\n", why);
    while (running)
        serve();
}

int main(int argc, char **argv)
{
    struct bundle_file list;
    struct words w;

    if (argc < 3)
        demos_die("init: no bundle");
    bundle = (struct bundle){(const u8 *)number(argv[1]), number(argv[2])};
    next_base = ALIGN_UP((u64)bundle.bytes + bundle.len, (u64)PAGE);
    programs_link = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE,
                                    CHANNEL_PROGRAMS, 0);
    words_start(&w, KERNEL_OP_SWITCHBOARD);
    words_put(&w, SWITCHBOARD_NEAREST);
    words_call(demos_link("kernel"), &w, NULL, 0, &switchboard);
    if (bundle_find(&bundle, "boot", &list))
        run_list(&list);
    else
        demos_print("init: the bundle has no boot list\n");
    demos_flush();
    words_start(&w, MACHINE_HALT);
    words_put(&w, (u64)worst);
    words_call(demos_link("machine"), &w, NULL, 0, NULL);
    return (int)worst;
}

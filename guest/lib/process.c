/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a program: fetch its segments' links, create an empty process, map and load
 * what the segments say, give it its links, start it. An error on the way kills the
 * half-made child.
 */
#include "guest/lib/calls.h"
#include "guest/lib/process.h"

enum { PAGE = 4096, ARGS_BYTES = 384, END_BYTES = 24 };

s64 process_control(s64 control, enum control_op op, u64 a, u64 b, u64 c)
{
    struct words w;

    words_start(&w, op);
    words_put(&w, a);
    words_put(&w, b);
    words_put(&w, c);
    return words_call(control, &w, NULL, 0, NULL);
}

static s64 with_link(s64 control, struct words *w, s64 link)
{
    return words_call(control, w, &link, 1, NULL);
}

int process_kill(s64 control)
{
    return (int)process_control(control, CONTROL_KILL, 0, 0, 0);
}

s64 process_move(u64 machine)
{
    return process_control(demos_link("self"), CONTROL_MIGRATE, machine, 0, 0);
}

/* The reply link of a request to ourselves: kernels know who holds those, wherever they go. It
 * sets room aside for the notice; where there is none, an ordinary link has to do. */
s64 process_watch(u32 channel, u64 code)
{
    s64 self = demos_link_make(DEMOS_REQUEST_LINK, 0, DEMOS_WATCH_CHANNEL, 0);
    struct demos_info info = {.code = code};
    s64 asked = self < 0 ? self
                         : call_request(self, NULL, 0, &info, DEMOS_NOW, END_BYTES, channel);

    demos_link_drop(self);
    if (asked < 0)
        return demos_link_make(DEMOS_GENERAL, DEMOS_GIVE, channel, code);
    demos_receive(DEMOS_CHANNEL(DEMOS_WATCH_CHANNEL), NULL, 0, &info);
    return info.reply;
}

bool process_end_read(const struct demos_info *info, const void *body, size_t len,
                      struct process_end *end)
{
    *end = (struct process_end){.how = DEMOS_END_NODE};
    if (info->kind != DEMOS_MSG_NOTICE)
        return false;
    if (info->notice == DEMOS_NOTICE_DEAD)
        return true; /* with its machine */
    if (info->notice != DEMOS_NOTICE_EXIT || len < END_BYTES)
        return false;
    end->how = be64_get(body);
    end->status = (s64)be64_get((const u8 *)body + 8);
    end->address = be64_get((const u8 *)body + 16);
    return true;
}

static s64 open_program(s64 programs, const char *name, struct demos_program *p)
{
    struct words w;
    struct demos_info info = {0};
    s64 result;
    u32 link = 0;
    u64 count;

    p->count = 0;
    words_start(&w, PROGRAMS_OPEN);
    words_put_name(&w, name);
    result = words_call_info(programs, &w, &info);
    if (result < 0)
        return result;
    p->entry = words_get(&w);
    count = words_get(&w);
    p->count = (u32)MIN(count, (u64)DEMOS_LINKS_MAX);
    for (u32 i = 0; i < p->count; i++) {
        struct demos_segment *s = &p->segments[i];

        s->address = words_get(&w);
        s->memory_len = words_get(&w);
        s->file_len = words_get(&w);
        s->protection = words_get(&w);
        s->link = s->file_len && link < info.count ? info.links[link++] : 0;
    }
    return 0;
}

static void close_program(const struct demos_program *p)
{
    for (u32 i = 0; i < p->count; i++)
        if (p->segments[i].link)
            demos_link_drop(p->segments[i].link);
}

/* It may grow by `more` bytes. */
static s64 map(s64 control, u64 base, u64 len, u64 protection, enum region_growth growth,
               u64 more)
{
    struct words w;
    u64 low = ALIGN_DOWN(base, (u64)PAGE), high = ALIGN_UP(base + len, (u64)PAGE);

    words_start(&w, CONTROL_MAP);
    words_put(&w, low);
    words_put(&w, high - low);
    words_put(&w, protection);
    words_put(&w, protection);
    if (growth != REGION_STAYS) {
        words_put(&w, growth);
        words_put(&w, high - low + more);
    }
    return words_call(control, &w, NULL, 0, NULL);
}

static s64 map_stack(s64 control, u64 most)
{
    u64 len = MIN(most, (u64)DEMOS_STACK_BYTES);

    return map(control, DEMOS_STACK_TOP - len, len, REGION_READ | REGION_WRITE, REGION_DOWN,
               most - len);
}

static s64 load(s64 control, const struct demos_segment *s)
{
    struct words w;
    bool heap = s->protection & REGION_WRITE; /* behind it */
    s64 result = map(control, s->address, s->memory_len, s->protection,
                     heap ? REGION_UP : REGION_STAYS, DEMOS_HEAP_MOST);

    if (result < 0 || !s->link)
        return result;
    words_start(&w, CONTROL_LOAD);
    words_put(&w, s->address);
    words_put(&w, s->file_len);
    result = with_link(control, &w, s->link);
    return result;
}

static s64 give(s64 control, const struct demos_gift *gift)
{
    struct words w;

    words_start(&w, CONTROL_GIVE);
    words_put_name(&w, gift->name);
    return with_link(control, &w, gift->link);
}

/* CONTROL_START: words, then the arguments' bytes. */
static s64 start(s64 control, const struct demos_spawn *s, u64 entry)
{
    u8 body[32 + ARGS_BYTES];
    size_t at = 32;
    u8 answer[16];
    s64 got;

    be64_put(body, CONTROL_START);
    be64_put(body + 8, entry);
    be64_put(body + 16, DEMOS_STACK_TOP);
    be64_put(body + 24, s->arg_count + 1);
    for (u32 i = 0; i <= s->arg_count; i++) {
        const char *arg = i ? s->args[i - 1] : s->program;
        size_t len = strlen(arg) + 1;

        if (len > sizeof body - at)
            return DEMOS_E_LONG;
        memcpy(body + at, arg, len);
        at += len;
    }
    got = demos_call(control, body, at, answer, sizeof answer);
    return got < 8 ? (got < 0 ? got : DEMOS_E_REFUSED) : (s64)be64_get(answer);
}

static s64 create(const struct demos_spawn *s, s64 *control)
{
    struct words w;

    words_start(&w, KERNEL_OP_CREATE);
    words_put(&w, s->flags);
    words_put(&w, s->limits.links);
    words_put(&w, s->limits.queue_bytes);
    words_put(&w, s->limits.memory_bytes);
    words_put_name(&w, s->program);
    if (s->place)
        words_put(&w, s->place);
    return words_call(s->kernel ? s->kernel : demos_link("kernel"), &w, &s->watch,
                      s->watch != 0, control);
}

static s64 fill(s64 control, const struct demos_spawn *s, const struct demos_program *p)
{
    s64 result = map_stack(control, s->stack_bytes ? s->stack_bytes : DEMOS_STACK_MOST);

    for (u32 i = 0; i < p->count && result >= 0; i++)
        result = load(control, &p->segments[i]);
    for (u32 i = 0; i < s->gift_count && result >= 0; i++)
        result = give(control, &s->gifts[i]);
    if (result >= 0 && s->own)
        result = give(control, &(struct demos_gift){"self", control});
    if (result >= 0)
        result = start(control, s, p->entry);
    return result;
}

s64 demos_spawn_program(const struct demos_spawn *s, const struct demos_program *p)
{
    s64 control = 0;
    s64 result = create(s, &control);

    if (result >= 0)
        result = fill(control, s, p);
    close_program(p);
    if (result >= 0)
        return control;
    if (control > 0) {
        process_kill(control);
        demos_link_drop(control);
    }
    return result;
}

s64 demos_spawn(const struct demos_spawn *s)
{
    struct demos_program p;
    s64 result = open_program(s->programs ? s->programs : demos_link("programs"), s->program,
                              &p);

    return result < 0 ? result : demos_spawn_program(s, &p);
}

int process_info(s64 control, struct demos_listing *listing, struct demos_counters *counters)
{
    struct words w;
    s64 result;
    u64 *count = (u64 *)counters;

    words_start(&w, CONTROL_INFO);
    result = words_call(control, &w, NULL, 0, NULL);
    if (result < 0)
        return (int)result;
    process_listing_read(&w, listing);
    for (u32 i = 0; counters && i < sizeof *counters / 8; i++)
        count[i] = words_get(&w);
    return 0;
}

void process_listing_read(struct words *w, struct demos_listing *l)
{
    char name[DEMOS_NAME_MAX + 1];

    l->row = words_get(w);
    l->parent_row = words_get(w);
    l->state = words_get(w);
    l->cpu_ns = words_get(w);
    l->memory_bytes = words_get(w);
    l->links_used = words_get(w);
    l->queued = words_get(w);
    l->priority = words_get(w);
    l->limits.links = words_get(w);
    l->limits.queue_bytes = words_get(w);
    l->limits.memory_bytes = words_get(w);
    words_get_name(w, name);
    memcpy(l->name, name, sizeof l->name);
}

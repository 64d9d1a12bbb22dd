/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may be asked about one process, over its control link: memory, loading, starting,
 * stopping, ending, looking into it. A handler answers with words, or says an error.
 */
#include "base/bytes.h"
#include "guest/kernel/core.h"

enum { PIECE = 4096 };

typedef s64 control_handler(struct node *n, struct task *t, struct message *m);

static s64 op_map(struct node *n, struct task *t, struct message *m)
{
    u64 range[] = {request_word(m, 1), request_word(m, 2)};
    u64 prot = request_word(m, 3), max = request_word(m, 4);

    if (prot > 7 || max > 7)
        return DEMOS_E_ARGUMENT;
    return region_map_growing(n, t, range, (u32)prot, (u32)max, request_word(m, 5),
                              request_word(m, 6));
}

/* Which object the range shows is the link's word; what its keeper says counts from here on. */
static s64 keepers_link(const struct message *m)
{
    if (!m->link_count)
        return DEMOS_E_LINK;
    return m->links[0].kind != DEMOS_GENERAL || m->links[0].attr & (DEMOS_ONCE | DEMOS_TIMELY)
               ? (s64)DEMOS_E_KIND
               : 0;
}

static s64 op_keep(struct node *n, struct task *t, struct message *m)
{
    u64 prot = request_word(m, 3), max = request_word(m, 4), offset = request_word(m, 5);
    u64 silence = request_word(m, 6);
    struct region like = {.protection = (u8)prot,
                          .max_protection = (u8)max,
                          .inheritance = REGION_COPY,
                          .offset = offset,
                          .silence = (u8)silence,
                          .patience_ns = request_word(m, 7)};
    s64 error = keepers_link(m);
    struct link l;

    if (prot > 7 || max > 7 || silence > KEEPER_ZERO || offset >= DEMOS_PRIVATE_END ||
        offset & (machine_page_size(n) - 1))
        return DEMOS_E_ARGUMENT;
    if (error)
        return error;
    l = request_take_link(m, 0);
    return region_keep(n, t, request_word(m, 1), request_word(m, 2), &l, &like);
}

static s64 op_leave(struct node *n, struct task *t, struct message *m)
{
    struct region *r = (struct region *)task_region(t, request_word(m, 1));
    s64 error = keepers_link(m);
    struct link l;

    if (request_word(m, 2) > KEEPER_ZERO)
        return DEMOS_E_ARGUMENT;
    if (!r || r->base != request_word(m, 1))
        return DEMOS_E_ADDRESS;
    if (error)
        return error;
    l = request_take_link(m, 0);
    error = region_leave(n, r, &l);
    if (!error) {
        r->silence = (u8)request_word(m, 2);
        r->patience_ns = request_word(m, 3);
    }
    return error;
}

static s64 op_inherit(struct node *n, struct task *t, struct message *m)
{
    return region_inherit(n, t, request_word(m, 1), request_word(m, 2), request_word(m, 3));
}

static s64 op_copy(struct node *n, struct task *t, struct message *m)
{
    const struct link *l = m->link_count ? &m->links[0] : NULL;
    struct task *from = l && l->attr & DEMOS_TOKERNEL && l->kind == DEMOS_REQUEST_LINK
                            ? node_find(n, &l->to)
                            : NULL;

    if (!from || from->state == DEMOS_MIGRATING)
        return l ? DEMOS_E_REFUSED : DEMOS_E_LINK;
    return inherit(n, t, from);
}

static s64 op_region(struct node *n, struct task *t, struct message *m)
{
    u64 address = request_word(m, 1);
    const struct region *r = t->regions;

    while (r && r->base + r->length <= address)
        r = r->next;
    if (!r)
        return DEMOS_E_ADDRESS;
    answer_words(n, m,
                 (u64[]){0, r->base, r->length, r->protection, r->max_protection,
                         r->inheritance, r->offset, r->object ? r->object->number : 0,
                         r->object && r->object->keeper.kind != DEMOS_KINDS},
                 9, NULL);
    return 0;
}

static s64 op_unmap(struct node *n, struct task *t, struct message *m)
{
    return region_unmap(n, t, request_word(m, 1), request_word(m, 2));
}

static s64 op_protect(struct node *n, struct task *t, struct message *m)
{
    u64 prot = request_word(m, 3);

    if (prot > 7)
        return DEMOS_E_ARGUMENT;
    return region_protect(n, t, request_word(m, 1), request_word(m, 2), (u32)prot);
}

/* Loading whole pages by mapping them: bytes done, from the front. What a program and all who
 * run it have in common is in memory once. */
static u64 show(struct node *n, struct task *t, u64 address, const struct link *l, u64 len)
{
    u64 mask = machine_page_size(n) - 1;
    struct task *owner = node_find(n, &l->to);

    if (n->config.flags & NODE_NO_SHARE || !owner || owner == t || (address | l->base) & mask)
        return 0;
    if (len <= mask || !region_usable(owner, l->base, len, REGION_READ))
        return 0;
    return page_share(n, t, address, owner, l->base, len & ~mask);
}

/* Between a process's memory and an area, piece by piece, the kernel in the middle. */
static s64 transfer(struct node *n, struct task *t, struct message *m, u32 direction)
{
    u64 address = request_word(m, 1), len = request_word(m, 2);
    const struct link *l = m->link_count ? &m->links[0] : NULL;
    u8 *piece;
    s64 error = l ? area_check(l, direction, 0, len) : (s64)DEMOS_E_AREA;

    if (error)
        return error;
    if (len > t->memory_bytes)
        return DEMOS_E_ADDRESS;
    if (len && !node_find(n, &l->to))
        return bulk_load(n, t, m, address, len, direction == DEMOS_MOVE_READ);
    piece = node_alloc(n, PIECE, true);
    if (!piece)
        return DEMOS_E_MEMORY;
    for (u64 at = direction == DEMOS_MOVE_READ ? show(n, t, address, l, len) : 0;
         at < len && !error; at += PIECE) {
        size_t size = (size_t)MIN(len - at, (u64)PIECE);
        enum machine_result done = MACHINE_OK;

        if (direction == DEMOS_MOVE_READ) {
            error = area_read(n, l, at, piece, size);
            if (!error)
                done = machine_load(n, t, address + at, piece, size);
        } else {
            done = machine_copy_in(n, t, piece, address + at, size);
            if (done == MACHINE_OK)
                error = area_write(n, l, at, piece, size);
        }
        if (done != MACHINE_OK)
            error = access_error(done);
    }
    node_free(n, piece, PIECE);
    return error;
}

static s64 op_load(struct node *n, struct task *t, struct message *m)
{
    return transfer(n, t, m, DEMOS_MOVE_READ);
}

static s64 op_read(struct node *n, struct task *t, struct message *m)
{
    return transfer(n, t, m, DEMOS_MOVE_WRITE);
}

static s64 op_give(struct node *n, struct task *t, struct message *m)
{
    char name[DEMOS_NAME_MAX];
    s64 number;

    if (!m->link_count)
        return DEMOS_E_LINK;
    request_name(m, 1, name);
    number = start_give(n, t, name, &m->links[0]);
    if (number < 0)
        return number;
    request_take_link(m, 0);
    return 0;
}

static s64 op_start(struct node *n, struct task *t, struct message *m)
{
    u32 at = MIN(m->length, 32u);

    return node_start(n, t, request_word(m, 1), request_word(m, 2), (u32)request_word(m, 3),
                      (const char *)m->body + at, m->length - at);
}

static s64 op_stop(struct node *n, struct task *t, struct message *m)
{
    struct thread *th = task_thread(t);

    (void)m;
    if (t->state != DEMOS_READY)
        return DEMOS_E_STATE;
    t->state = DEMOS_STOPPED;
    task_slow(n, t, SLOW_STOP, true);
    if (th->state == THREAD_READY)
        thread_unready(n, th);
    trace_by(n, KERNEL_T_state, &t->id, t->state, 0);
    return 0;
}

static s64 op_resume(struct node *n, struct task *t, struct message *m)
{
    struct thread *th = task_thread(t);

    (void)m;
    if (t->state != DEMOS_STOPPED)
        return DEMOS_E_STATE;
    t->state = DEMOS_READY;
    task_slow(n, t, SLOW_STOP, false);
    if (th->state == THREAD_READY)
        thread_ready(n, th);
    trace_by(n, KERNEL_T_state, &t->id, t->state, 0);
    return 0;
}

static s64 op_priority(struct node *n, struct task *t, struct message *m)
{
    struct thread *th = task_thread(t);
    u64 priority = request_word(m, 1);
    bool queued = th->state == THREAD_READY && !(th->slow & SLOW_STOP);

    if (priority >= NODE_PRIORITIES)
        return DEMOS_E_ARGUMENT;
    if (queued)
        thread_unready(n, th);
    th->priority = (u8)priority;
    if (queued)
        thread_ready(n, th);
    return 0;
}

static s64 op_watch(struct node *n, struct task *t, struct message *m)
{
    if (m->link_count && m->links[0].kind != DEMOS_GENERAL &&
        m->links[0].kind != DEMOS_REPLY_LINK)
        return DEMOS_E_KIND;
    link_drop(n, &t->watch);
    t->watch = request_take_link(m, 0);
    return 0;
}

static s64 op_exception(struct node *n, struct task *t, struct message *m)
{
    if (m->link_count && m->links[0].kind != DEMOS_REQUEST_LINK)
        return DEMOS_E_KIND;
    link_drop(n, &t->exception);
    t->exception = request_take_link(m, 0);
    return 0;
}

/* Limits may be lowered below what is in use: then nothing more is to be had. */
static s64 op_limits(struct node *n, struct task *t, struct message *m)
{
    u64 links = request_word(m, 1), queue = request_word(m, 2), memory = request_word(m, 3);
    u64 words[4] = {0};

    if (links)
        t->links.limit = (u32)MIN(MAX(links, (u64)t->links.fresh), (u64)LINK_INDEX_MAX);
    if (queue)
        t->queue_limit = queue;
    if (memory)
        t->memory_limit = memory;
    queue_shrunk(n, t);
    words[1] = t->links.limit;
    words[2] = t->queue_limit;
    words[3] = t->memory_limit;
    answer_words(n, m, words, ARRAY_SIZE(words), NULL);
    return 0;
}

static s64 op_info(struct node *n, struct task *t, struct message *m)
{
    u64 words[1 + DEMOS_LISTING_WORDS + sizeof(struct demos_counters) / 8] = {0};

    t->count.links_high = t->links.high;
    listing_words(n, t, words + 1);
    memcpy(words + 1 + DEMOS_LISTING_WORDS, &t->count, sizeof(t->count));
    answer_words(n, m, words, ARRAY_SIZE(words), NULL);
    return 0;
}

static s64 op_state(struct node *n, struct task *t, struct message *m)
{
    size_t size = 8 + state_export(n, t, NULL, 0);
    u8 *image;

    if (t->state != DEMOS_STOPPED && t->state != DEMOS_NEW)
        return DEMOS_E_STATE;
    if (size > DEMOS_BODY_MAX)
        return DEMOS_E_LONG;
    image = node_alloc(n, size, false);
    if (!image)
        return DEMOS_E_MEMORY;
    state_export(n, t, image + 8, size - 8);
    answer_bytes(n, m, image, (u32)size);
    node_free(n, image, size);
    return 0;
}

/* Registers only: a whole state holds links, and links are not to be had by saying so. */
static s64 op_set(struct node *n, struct task *t, struct message *m)
{
    struct thread *th = task_thread(t);

    if ((t->state != DEMOS_STOPPED && t->state != DEMOS_NEW) || th->pending ||
        th->state == THREAD_STOPPED)
        return DEMOS_E_STATE;
    return m->length >= 8 && machine_thread_import(n, th, m->body + 8, m->length - 8)
               ? 0
               : (s64)DEMOS_E_ARGUMENT;
}

static s64 op_migrate(struct node *n, struct task *t, struct message *m)
{
    return migrate_begin(n, t, m);
}

enum { FIRST_OP = CONTROL_MAP };

static control_handler *const ops[CONTROL_OPS_END - FIRST_OP] = {
    [0] = op_map,
    [CONTROL_UNMAP - FIRST_OP] = op_unmap,
    [CONTROL_LOAD - FIRST_OP] = op_load,
    [CONTROL_GIVE - FIRST_OP] = op_give,
    [CONTROL_START - FIRST_OP] = op_start,
    [CONTROL_STOP - FIRST_OP] = op_stop,
    [CONTROL_RESUME - FIRST_OP] = op_resume,
    [CONTROL_READ - FIRST_OP] = op_read,
    [CONTROL_STATE - FIRST_OP] = op_state,
    [CONTROL_SET - FIRST_OP] = op_set,
    [CONTROL_LIMITS - FIRST_OP] = op_limits,
    [CONTROL_INFO - FIRST_OP] = op_info,
    [CONTROL_WATCH - FIRST_OP] = op_watch,
    [CONTROL_EXCEPTION - FIRST_OP] = op_exception,
    [CONTROL_PROTECT - FIRST_OP] = op_protect,
    [CONTROL_PRIORITY - FIRST_OP] = op_priority,
    [CONTROL_MIGRATE - FIRST_OP] = op_migrate,
    [CONTROL_KEEP - FIRST_OP] = op_keep,
    [CONTROL_INHERIT - FIRST_OP] = op_inherit,
    [CONTROL_COPY - FIRST_OP] = op_copy,
    [CONTROL_REGION - FIRST_OP] = op_region,
    [CONTROL_LEAVE - FIRST_OP] = op_leave,
};

bool control_message(struct node *n, struct task *t, struct message *m)
{
    u64 op = request_word(m, 0), index = op - FIRST_OP;
    u64 result;

    if (m->kind != DEMOS_MSG_REQUEST) {
        exception_answered(n, t, m);
        return true;
    }
    if (op == CONTROL_KILL) {
        task_end(n, t, DEMOS_END_KILLED, 0, 0);
        result = 0;
    } else if (index < ARRAY_SIZE(ops) && ops[index]) {
        result = (u64)ops[index](n, t, m);
    } else {
        result = (u64)(s64)DEMOS_E_CALL;
    }
    if (result == (u64)CALL_AGAIN && fault_in_request(n, m))
        return false;
    if (result == (u64)CALL_AGAIN)
        result = (u64)(s64)DEMOS_E_ADDRESS;
    answer_words(n, m, &result, 1, NULL); /* unless the handler has */
    return true;
}

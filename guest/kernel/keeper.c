/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's side of keeper.h: what is said to keepers, what they say, and MOVEDATA with a
 * frame. The link to a frame has the frame's address as its area, in the kernel's own space;
 * its code says which request it was for, so that it is worth nothing afterwards. Its
 * destruction, by hand or with its holder, ends the request.
 */
#include "base/bytes.h"
#include "guest/kernel/core.h"

enum { DATA_HEAD = 32 };

/* A message about an object to its keeper; words and links are the caller's to fill. */
static struct message *about(struct node *n, const struct object *o, enum keeper_op op,
                             u32 words, u32 links)
{
    const struct link *to = o->keeper.kind != DEMOS_KINDS ? &o->keeper : &n->paging.keeper;
    struct message *m = message_alloc(n, 8 * words, links, true);

    if (!m)
        machine_stop(n, "no memory for a word to a keeper");
    message_to_link(m, to);
    message_from(n, NULL, m);
    m->kind = DEMOS_MSG_GENERAL;
    be64_put(m->body, op);
    be64_put(m->body + 8, o->number);
    return m;
}

static void tell(struct node *n, const struct object *o, struct message *m)
{
    route(n, m, (o->keeper.kind != DEMOS_KINDS ? &o->keeper : &n->paging.keeper)->hint);
}

static void own_link(const struct node *n, const struct object *o, enum kernel_channel channel,
                     enum demos_kind kind, struct link *l)
{
    node_kernel_link(n, channel, l);
    l->kind = (u8)kind;
    l->code = o->number;
}

void keeper_begin(struct node *n, struct object *o)
{
    struct message *m;

    if (o->begun)
        return;
    o->begun = true;
    m = about(n, o, KEEPER_INIT, 3, 2);
    be64_put(m->body + 16, machine_page_size(n));
    own_link(n, o, KERNEL_KEEPING, DEMOS_GENERAL, &m->links[0]);
    own_link(n, o, KERNEL_OBJECT, DEMOS_REQUEST_LINK, &m->links[1]);
    tell(n, o, m);
}

/* Over the page's frame: a link for one request, which is told when it is destroyed. */
static void send_frame(struct node *n, struct page *p, enum keeper_op op, u32 attr, u32 access)
{
    struct object *o = p->object;
    struct message *m;
    u32 size = machine_page_size(n);

    keeper_begin(n, o);
    p->ticket = ++n->paging.tickets;
    p->since = machine_now(n);
    m = about(n, o, op, op == KEEPER_REQUEST ? 5 : 4, 1);
    be64_put(m->body + 16, p->index * size);
    be64_put(m->body + 24, size);
    if (op == KEEPER_REQUEST)
        be64_put(m->body + 32, access);
    node_kernel_link(n, KERNEL_FRAME, &m->links[0]);
    m->links[0].code = p->ticket;
    m->links[0].base = machine_frame_address(n, p->frame);
    m->links[0].len = size;
    m->links[0].attr = (u16)(attr | DEMOS_GIVE | DEMOS_TELLDEST);
    trace(n, KERNEL_T_page, o->number, op, p->index * size);
    tell(n, o, m);
}

void keeper_request(struct node *n, struct page *p, u32 access)
{
    list_push_back(&n->paging.transit, &p->order);
    p->state = PAGE_ASKED;
    n->paging.count.requests++;
    send_frame(n, p, KEEPER_REQUEST, DEMOS_AREA_WRITE, access);
}

void keeper_write(struct node *n, struct page *p)
{
    n->paging.count.writes++;
    send_frame(n, p, KEEPER_WRITE, DEMOS_AREA_READ, 0);
}

void keeper_unlock(struct node *n, struct page *p, u32 access)
{
    struct message *m;

    if ((p->unlocked & access) == access)
        return;
    p->unlocked |= (u8)access;
    p->since = machine_now(n);
    m = about(n, p->object, KEEPER_UNLOCK, 5, 0);
    be64_put(m->body + 16, p->index * machine_page_size(n));
    be64_put(m->body + 24, machine_page_size(n));
    be64_put(m->body + 32, access);
    trace(n, KERNEL_T_page, p->object->number, KEEPER_UNLOCK, p->index);
    tell(n, p->object, m);
}

void keeper_end(struct node *n, struct object *o)
{
    if (o->begun && (!o->failed || o->keeper.kind == DEMOS_KINDS))
        tell(n, o, about(n, o, KEEPER_END, 2, 0));
    if (o->keeper.kind != DEMOS_KINDS)
        link_drop(n, &o->keeper);
}

/* --- what keepers say --------------------------------------------------------------- */

struct saying {
    struct node *n;
    struct object *o;
    const struct message *m;
    u64 first, count; /* pages */
    u8 lock;
};

static void error(struct node *n, struct page *p)
{
    p->error = true;
    p->ticket = 0; /* the frame is ours again */
    page_wake(n, p);
}

static void arrived(struct node *n, struct page *p)
{
    n->paging.count.filled++;
    page_arrived(n, p);
}

static void set_lock(struct node *n, struct page *p, u8 lock)
{
    if (lock & ~p->lock)
        page_unmap(n, p);
    p->lock = lock;
    p->unlocked = 0;
    page_wake(n, p);
}

/* Bytes that nobody asked for are taken while there is room for them. */
static struct page *unasked(struct node *n, struct object *o, u64 index)
{
    struct page *p;
    u32 left, frame;

    machine_frames(n, &left);
    if (o->keeper.kind == DEMOS_KINDS || !o->references || index >= o->length ||
        left <= n->paging.target)
        return NULL;
    frame = machine_frame_take(n, false);
    p = frame ? page_enter(n, o, index, frame) : NULL;
    if (frame && !p)
        machine_frame_drop(n, frame);
    return p;
}

static void provide(struct saying *s, u64 index, const u8 *bytes)
{
    struct node *n = s->n;
    struct page *p = page_find(n, s->o, index);
    u32 size = machine_page_size(n);

    if (!p && bytes)
        p = unasked(n, s->o, index);
    if (!p)
        return;
    if (p->state != PAGE_ASKED) {
        set_lock(n, p, s->lock);
    } else if (bytes || p->filled >= size) {
        if (bytes)
            memcpy(machine_frame_bytes(n, p->frame), bytes, size);
        p->lock = s->lock;
        arrived(n, p);
    } else {
        error(n, p); /* part of a page is no page */
    }
}

static void say_data(struct saying *s)
{
    u32 size = machine_page_size(s->n), bytes;

    s->lock = (u8)(request_word(s->m, 3) & 7);
    bytes = s->m->length > DATA_HEAD ? s->m->length - DATA_HEAD : 0;
    for (u64 i = 0; i < s->count; i++) {
        bool here = (i + 1) * size <= bytes;

        if (here || !bytes)
            provide(s, s->first + i, here ? s->m->body + DATA_HEAD + i * size : NULL);
    }
}

static void each(struct saying *s, void (*what)(struct saying *s, struct page *p))
{
    list_for_each_safe(node, &s->o->pages)
    {
        struct page *p = list_entry(node, struct page, peers);

        if (p->index - s->first < s->count)
            what(s, p);
    }
}

static void lock_one(struct saying *s, struct page *p)
{
    set_lock(s->n, p, s->lock);
}

static void say_lock(struct saying *s)
{
    s->lock = (u8)(request_word(s->m, 3) & 7);
    each(s, lock_one);
}

static void flush_one(struct saying *s, struct page *p)
{
    if (p->state == PAGE_WRITING)
        p->drop = true;
    else if (p->state == PAGE_HERE && !(p->dirty && pageout_write(s->n, p, true)))
        page_remove(s->n, p);
}

static void clean_one(struct saying *s, struct page *p)
{
    if (p->dirty)
        pageout_write(s->n, p, false);
}

static void zero_one(struct saying *s, struct page *p)
{
    if (p->state != PAGE_ASKED)
        return;
    memset(machine_frame_bytes(s->n, p->frame), 0, machine_page_size(s->n));
    s->n->paging.count.zeros++;
    page_arrived(s->n, p);
}

static void error_one(struct saying *s, struct page *p)
{
    if (p->state == PAGE_ASKED)
        error(s->n, p);
}

static void say_flush(struct saying *s)
{
    each(s, flush_one);
}

static void say_clean(struct saying *s)
{
    each(s, clean_one);
}

static void say_cache(struct saying *s)
{
    s->o->cached = request_word(s->m, 1) != 0;
}

static void say_unavailable(struct saying *s)
{
    each(s, zero_one);
}

static void say_error(struct saying *s)
{
    each(s, error_one);
}

enum { FIRST_SAYING = KEEPER_DATA, SAYINGS = KEEPER_ERROR - KEEPER_DATA + 1 };

static void (*const sayings[SAYINGS])(struct saying *s) = {
    [KEEPER_DATA - FIRST_SAYING] = say_data,
    [KEEPER_LOCK - FIRST_SAYING] = say_lock,
    [KEEPER_FLUSH - FIRST_SAYING] = say_flush,
    [KEEPER_CLEAN - FIRST_SAYING] = say_clean,
    [KEEPER_CACHE - FIRST_SAYING] = say_cache,
    [KEEPER_UNAVAILABLE - FIRST_SAYING] = say_unavailable,
    [KEEPER_ERROR - FIRST_SAYING] = say_error,
};

void keeper_message(struct node *n, struct message *m)
{
    u64 op = request_word(m, 0) - FIRST_SAYING, offset = request_word(m, 1);
    u64 length = request_word(m, 2);
    u32 size = machine_page_size(n);
    struct saying s = {.n = n, .m = m, .o = object_numbered(n, m->code)};

    if (!s.o || m->kind != DEMOS_MSG_GENERAL || op >= SAYINGS)
        return;
    if (op + FIRST_SAYING != KEEPER_CACHE &&
        (offset % size || length % size || length > s.o->length * size))
        return;
    s.first = offset / size;
    s.count = length / size;
    s.o->references++; /* until all is said */
    sayings[op](&s);
    s.o->references--;
    object_check(n, s.o);
}

void keeper_name_message(struct node *n, struct message *m)
{
    const struct object *o = object_numbered(n, m->code);
    u64 words[2] = {0, o ? o->number : 0};

    if (request_word(m, 0) != KEEPER_NAME)
        words[0] = (u64)(s64)DEMOS_E_ALLOWED;
    else if (!o)
        words[0] = (u64)(s64)DEMOS_E_DEAD;
    answer_words(n, m, words, words[0] ? 1 : 2, NULL);
}

/* A frame's link is destroyed: the keeper is done with it, or never will be. */
void keeper_frame_message(struct node *n, struct message *m)
{
    struct page *p = m->kind == DEMOS_MSG_NOTICE ? page_ticket(n, m->code) : NULL;
    u64 words[1] = {(u64)(s64)DEMOS_E_CALL};

    if (!p)
        answer_words(n, m, words, 1, NULL);
    else if (p->state == PAGE_WRITING)
        pageout_written(n, p, true);
    else if (p->filled >= machine_page_size(n))
        arrived(n, p);
    else
        error(n, p);
}

s64 keeper_register(struct node *n, struct message *m)
{
    u64 policy = request_word(m, 1);
    struct link l;

    if (!node_find(n, &m->sender))
        return DEMOS_E_ALLOWED;
    if (policy >= PAGING_POLICIES || !m->link_count || m->links[0].kind != DEMOS_GENERAL)
        return DEMOS_E_ARGUMENT;
    if (n->paging.keeper.kind != DEMOS_KINDS)
        return DEMOS_E_STATE;
    l = request_take_link(m, 0);
    n->paging.keeper = l;
    n->paging.policy = (u32)policy;
    return 0;
}

/* --- bytes of frames ---------------------------------------------------------------- */

s64 keeper_area(struct node *n, const struct link *l, bool read, u64 offset, u64 len)
{
    const struct page *p = page_ticket(n, l->code);
    s64 said = area_check(l, read ? DEMOS_MOVE_READ : DEMOS_MOVE_WRITE, offset, len);

    if (said)
        return said;
    if (l->channel != KERNEL_FRAME || !p || p->state != (read ? PAGE_WRITING : PAGE_ASKED))
        return DEMOS_E_DEAD;
    return offset + len > machine_page_size(n) ? (s64)DEMOS_E_AREA : 0;
}

s64 keeper_move(struct node *n, struct thread *th, const u64 *args, const struct link *l)
{
    bool read = args[1] == DEMOS_MOVE_READ;
    struct task *self = th->task;
    u64 offset = args[2], len = args[4];
    s64 said = keeper_area(n, l, read, offset, len);
    enum machine_result done;
    struct page *p;
    u8 *bytes;

    if (said || !len)
        return said;
    p = page_ticket(n, l->code);
    bytes = (u8 *)machine_frame_bytes(n, p->frame) + offset;
    done = read ? machine_copy_out(n, self, args[3], bytes, len)
                : machine_copy_in(n, self, bytes, args[3], len);
    if (done != MACHINE_OK)
        return access_error(done);
    if (!read)
        p->filled += (u32)len;
    self->count.moved_bytes += len;
    trace_by(n, KERNEL_T_move, &self->id, len, args[1]);
    input(n, self, (s64)len);
    return (s64)len;
}

bool keeper_bytes(struct node *n, u64 ticket, u64 offset, void *out, const void *in, size_t len)
{
    struct page *p = page_ticket(n, ticket);
    u8 *bytes;

    if (!p || p->state != (out ? PAGE_WRITING : PAGE_ASKED) ||
        offset + len > machine_page_size(n))
        return false;
    bytes = (u8 *)machine_frame_bytes(n, p->frame) + offset;
    if (out) {
        memcpy(out, bytes, len);
    } else {
        memcpy(bytes, in, len);
        p->filled += (u32)len;
    }
    return true;
}

/* --- where keepers are -------------------------------------------------------------- */

static void correct(struct link *l, const struct process_id *id, u32 machine)
{
    if (l->kind != DEMOS_KINDS && process_id_equal(&l->to, id))
        l->hint = machine;
}

void keeper_update(struct node *n, const struct process_id *id, u32 machine)
{
    correct(&n->paging.keeper, id, machine);
    list_for_each(node, &n->paging.objects)
        correct(&list_entry(node, struct object, all)->keeper, id, machine);
}

/* The default keeper is no more. What it had is lost, to whoever wants it back; what it was being
 * given stays here. Another may be registered. */
static void default_lost(struct node *n)
{
    link_drop(n, &n->paging.keeper);
    n->paging.keeper.kind = DEMOS_KINDS;
    list_for_each(node, &n->paging.objects)
    {
        struct object *o = list_entry(node, struct object, all);

        o->begun = o->begun && o->keeper.kind != DEMOS_KINDS;
    }
    list_for_each_safe(node, &n->paging.transit)
    {
        struct page *p = list_entry(node, struct page, order);

        if (p->object->keeper.kind != DEMOS_KINDS)
            continue;
        if (p->state == PAGE_ASKED)
            error(n, p);
        else
            pageout_written(n, p, false);
    }
}

void keeper_machine_dead(struct node *n, u32 machine)
{
    if (n->paging.keeper.kind != DEMOS_KINDS && n->paging.keeper.hint == machine)
        default_lost(n);
    list_for_each_safe(node, &n->paging.objects)
    {
        struct object *o = list_entry(node, struct object, all);

        if (o->keeper.kind != DEMOS_KINDS && o->keeper.hint == machine)
            object_fail(n, o);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fault handler, the same for every machine: validity and protection, look-up through the
 * objects a region shadows, copy before a write, and last the machine's validation. It never
 * waits: who has to, a thread or a request to a kernel, is put where it will be found, and
 * does the same again.
 */
#include "guest/kernel/core.h"

#define FRAME_PATIENCE_NS 1000000000ull

struct fault_case {
    struct task *task;
    struct region *region;
    u64 index; /* page of the object */
    u32 access;
    struct fault_wait *wait;
};

static bool allowed(const struct region *r, u32 access)
{
    u32 right = access & (REGION_WRITE | REGION_EXECUTE);

    if (access & MACHINE_FORCE)
        return true;
    return (r->protection & right) == right && r->protection;
}

/* No frame to be had: one will be, unless nothing can go away. */
static enum fault no_frame(struct node *n, struct fault_case *c)
{
    if (pageout_overdue(n))
        return FAULT_AGAIN; /* its pages can go now */
    if (list_empty(&n->paging.transit))
        return FAULT_MEMORY;
    *c->wait = (struct fault_wait){.patience_ns = FRAME_PATIENCE_NS};
    return FAULT_WAITS;
}

static enum fault wait_for(struct fault_case *c, struct page *p)
{
    const struct region *r = c->region;

    *c->wait = (struct fault_wait){p,
                                   r->silence == KEEPER_WAIT ? DEMOS_FOREVER : r->patience_ns};
    return FAULT_WAITS;
}

static enum fault fresh(struct node *n, struct fault_case *c, struct object *o,
                        struct page **page)
{
    u32 frame = page_frame(n, true);

    if (!frame)
        return no_frame(n, c);
    *page = page_enter(n, o, c->index, frame);
    if (*page)
        return FAULT_DONE;
    machine_frame_drop(n, frame);
    return FAULT_MEMORY;
}

static enum fault zero_page(struct node *n, struct fault_case *c, struct object *o,
                            struct page **page)
{
    enum fault f = fresh(n, c, o, page);

    if (f != FAULT_DONE)
        return f;
    (*page)->state = PAGE_HERE;
    page_queue(n, *page);
    n->paging.count.zeros++;
    return f;
}

/* The keeper does not give the page: zeros if the client wants those, else it is told. */
static enum fault refused(struct node *n, struct fault_case *c, struct object *o,
                          struct page **page)
{
    return c->region->silence == KEEPER_ZERO ? zero_page(n, c, o, page) : FAULT_FAILED;
}

/* A page that its keeper has been asked for. */
static enum fault asked(struct node *n, struct fault_case *c, struct page **page)
{
    struct page *p = *page;
    struct object *o = p->object;
    enum fault f;

    if (!p->error && (c->region->silence == KEEPER_WAIT || o->keeper.kind == DEMOS_KINDS ||
                      machine_now(n) - p->since < c->region->patience_ns))
        return wait_for(c, p);
    n->paging.count.overdue += !p->error;
    o->references++; /* it outlives its page */
    page_remove(n, p);
    f = refused(n, c, o, page);
    o->references--;
    return f;
}

static enum fault ask(struct node *n, struct fault_case *c, struct object *o)
{
    struct page *p;
    enum fault f = fresh(n, c, o, &p); /* no keeper gets to show another's bytes */

    if (f != FAULT_DONE)
        return f;
    keeper_request(n, p, c->access & 7);
    return wait_for(c, p);
}

/* The page that the region shows: its own, or one of an object it shadows. */
static enum fault look_up(struct node *n, struct fault_case *c, struct page **page)
{
    struct object *top = c->region->object;

    for (struct object *o = top; o; o = o->shadow) {
        *page = page_find(n, o, c->index);
        if (*page && (*page)->state == PAGE_ASKED)
            return asked(n, c, page);
        if (*page) {
            n->paging.count.lookups++;
            return FAULT_DONE;
        }
        if (object_away(o, c->index)) /* unless the default keeper is gone, with the page */
            return n->paging.keeper.kind != DEMOS_KINDS ? ask(n, c, o) : FAULT_FAILED;
        if (o->failed)
            return refused(n, c, o, page);
        if (o->keeper.kind != DEMOS_KINDS)
            return ask(n, c, o);
    }
    return zero_page(n, c, top, page);
}

/* The top object gets a page of its own, with the frame of the one below. */
static enum fault bring_up(struct node *n, struct fault_case *c, struct page **page)
{
    struct page *below = *page, *p;

    p = page_enter(n, c->region->object, c->index, below->frame);
    if (!p)
        return FAULT_MEMORY;
    machine_frame_hold(n, p->frame);
    page_unmap(n, below); /* who writes there copies first, now */
    p->state = PAGE_HERE;
    page_queue(n, p);
    *page = p;
    return FAULT_DONE;
}

/* A frame of its own for a page that is to be written. */
static enum fault own(struct node *n, struct fault_case *c, struct page *p)
{
    u32 frame;

    if (!machine_frame_shared(n, p->frame))
        return FAULT_DONE;
    p->busy = true;
    frame = page_frame(n, false);
    p->busy = false;
    if (!frame)
        return no_frame(n, c);
    page_unmap(n, p);
    memcpy(machine_frame_bytes(n, frame), machine_frame_bytes(n, p->frame),
           machine_page_size(n));
    machine_frame_drop(n, p->frame);
    p->frame = frame;
    n->paging.count.copies++;
    return FAULT_DONE;
}

static enum fault prepare_write(struct node *n, struct fault_case *c, struct page *p)
{
    enum fault f;

    if (p->state == PAGE_WRITING)
        return wait_for(c, p);
    f = own(n, c, p);
    if (f == FAULT_DONE)
        p->dirty = true;
    return f;
}

static inline __attribute__((always_inline)) bool
show(struct node *n, const struct fault_case *c, const struct page *p)
{
    const struct region *r = c->region;
    u64 va = r->base + (c->index * machine_page_size(n) - r->offset);
    bool write = p->dirty && p->state == PAGE_HERE && !(p->lock & REGION_WRITE) &&
                 !machine_frame_shared(n, p->frame);

    return machine_page_map(n, c->task, r, va, p->frame, write) == MACHINE_OK;
}

/* The tables that show it need frames, too: then others go, clean ones at once. */
static __attribute__((noinline)) enum fault show_in_room(struct node *n, struct fault_case *c,
                                                         struct page *p)
{
    p->busy = true;
    pageout(n);
    p->busy = false;
    return show(n, c, p) ? FAULT_DONE : no_frame(n, c);
}

static enum fault validate(struct node *n, struct fault_case *c, struct page *p)
{
    n->paging.count.mapped++;
    return show(n, c, p) ? FAULT_DONE : show_in_room(n, c, p);
}

/* Its keeper has not given that right: it is asked to, once for as long as one waits. */
static enum fault locked(struct node *n, struct fault_case *c, struct page *p)
{
    bool again = p->unlocked & c->access;

    if (again && c->region->silence != KEEPER_WAIT &&
        machine_now(n) - p->since >= c->region->patience_ns) {
        n->paging.count.overdue++;
        p->unlocked = 0;
        return FAULT_FAILED;
    }
    keeper_unlock(n, p, (c->access | REGION_READ) & p->lock);
    return wait_for(c, p);
}

static enum fault serve(struct node *n, struct fault_case *c)
{
    struct page *p;
    enum fault f = look_up(n, c, &p);

    if (f != FAULT_DONE)
        return f;
    if (p->lock & (c->access | REGION_READ))
        return locked(n, c, p);
    if (p->object != c->region->object)
        f = bring_up(n, c, &p);
    if (f == FAULT_DONE && c->access & REGION_WRITE)
        f = prepare_write(n, c, p);
    if (f != FAULT_DONE)
        return f;
    pageout_used(n, p);
    return validate(n, c, p);
}

/* Memory without an object: it has just grown, or the machine was short of a frame. */
static enum fault of_machine(struct node *n, struct fault_case *c)
{
    u32 left;

    if (n->paging.buckets)
        pageout(n);
    machine_frames(n, &left);
    return left ? FAULT_DONE : no_frame(n, c);
}

enum fault fault_serve(struct node *n, struct task *t, u64 address, u32 access,
                       struct fault_wait *wait)
{
    struct region *r = (struct region *)task_region(t, address);
    struct fault_case c = {t, r, 0, access, wait};
    enum fault f;

    if (!r && t->grows)
        c.region = r = (struct region *)region_grow(n, t, address);
    if (!r || !allowed(r, access))
        return FAULT_BAD;
    n->paging.count.faults += r->object != NULL;
    c.index = (r->offset + (address - r->base)) / machine_page_size(n);
    f = r->object ? serve(n, &c) : of_machine(n, &c);
    return f == FAULT_AGAIN ? FAULT_DONE : f;
}

/* The time limit of the call it is in rests while the thread waits for memory. */
static bool thread_waits(struct node *n, struct thread *th, const struct fault_wait *w)
{
    u64 limit = th->deadline;

    if (w->patience_ns != DEMOS_FOREVER && timer_room(n))
        return false;
    th->deadline = ~(u64)0;
    thread_wait(n, th, WAIT_PAGE, w->patience_ns);
    th->call_deadline = limit;
    list_push_back(w->page ? &w->page->waiters : &n->paging.hungry, &th->run);
    return true;
}

void fault_waited(struct thread *th)
{
    th->deadline = th->call_deadline;
    th->wait_error = 0;
    if (!th->pending)
        th->wait = WAIT_NOTHING;
}

s64 fault_in_call(struct node *n, struct thread *th)
{
    struct machine_miss miss;
    struct fault_wait w = {0};

    if (!machine_missed(n, &miss)) { /* the machine fetches it, and will say so */
        th->call_deadline = th->deadline;
        thread_wait(n, th, WAIT_PAGE, DEMOS_FOREVER);
        return CALL_WAIT;
    }
    switch (fault_serve(n, miss.task, miss.address, miss.access, &w)) {
    case FAULT_DONE: return CALL_STEP;
    case FAULT_WAITS: return thread_waits(n, th, &w) ? (s64)CALL_WAIT : (s64)DEMOS_E_MEMORY;
    case FAULT_MEMORY: return DEMOS_E_MEMORY;
    case FAULT_FAILED: return DEMOS_E_LOST;
    default: return DEMOS_E_ADDRESS;
    }
}

bool fault_in_request(struct node *n, struct message *m)
{
    struct machine_miss miss;
    struct fault_wait w = {0};
    enum fault f = FAULT_BAD;

    if (machine_missed(n, &miss))
        f = fault_serve(n, miss.task, miss.address, miss.access, &w);
    if (f == FAULT_DONE)
        list_push_back(&n->work, &m->queue);
    else if (f == FAULT_WAITS)
        list_push_back(w.page ? &w.page->messages : &n->paging.starved, &m->queue);
    return f == FAULT_DONE || f == FAULT_WAITS;
}

enum fault fault_in_transfer(struct node *n)
{
    struct machine_miss miss;
    struct fault_wait w = {0};
    enum fault f = FAULT_BAD;

    if (machine_missed(n, &miss))
        f = fault_serve(n, miss.task, miss.address, miss.access, &w);
    n->paging.stalled |= f == FAULT_WAITS;
    return f;
}

enum outcome node_fault_held(struct node *n, struct task *t, u64 address, u32 access,
                             bool again, u32 *reason)
{
    u64 counted = n->paging.count.faults;
    struct fault_wait w = {0};
    enum fault f = fault_serve(n, t, address, access, &w);

    if (again)
        n->paging.count.faults = counted; /* it is the same one */
    kernel_work(n);
    *reason = f == FAULT_FAILED   ? EXCEPTION_PAGER
              : f == FAULT_MEMORY ? EXCEPTION_MEMORY
                                  : EXCEPTION_ADDRESS;
    return f == FAULT_DONE ? NODE_RUN : f == FAULT_WAITS ? NODE_BLOCKED : NODE_DONE;
}

enum outcome node_fault(struct node *n, struct thread *t, u32 access, const struct exception *e)
{
    struct exception failure = *e;
    struct fault_wait w = {0};
    enum fault f = fault_serve(n, t->task, e->address, access, &w);

    n->current = t;
    if (f == FAULT_WAITS) {
        t->deadline = ~(u64)0;
        f = thread_waits(n, t, &w) ? FAULT_WAITS : FAULT_MEMORY;
        t->pending = false; /* does the instruction again */
    }
    kernel_work(n);
    if (!n->current)
        return node_leave(n);
    if (f == FAULT_DONE && !(t->slow & SLOW_STOP))
        return NODE_RUN;
    if (f == FAULT_DONE)
        thread_ready(n, t);
    if (f == FAULT_DONE || f == FAULT_WAITS) {
        if (t->slow & SLOW_MIGRATING)
            migrate_offer(n, t->task);
        return node_leave(n);
    }
    if (f != FAULT_BAD)
        failure.reason = f == FAULT_FAILED ? EXCEPTION_PAGER : EXCEPTION_MEMORY;
    return node_exception(n, t, &failure);
}

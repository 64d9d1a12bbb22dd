/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FIFO event channels (xen/event_channel.h, "FIFO-based"): per-vCPU queues by priority,
 * linked through event words in pages that the guest supplied. The guest consumes the head
 * of a queue without locks; we link at the tail.
 *
 * A word is shared with a hostile guest: whatever it holds only ever decides whether and
 * where in the guest's own pages we link.
 */
#include "hyp/dom/evtchn.h"
#include "hyp/dom/hypercall.h"
#include "hyp/mm/p2m.h"

enum { WORDS = PAGE_SIZE / sizeof(event_word_t), PAGES = EVTCHN_FIFO_NR_CHANNELS / WORDS };
#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED  (1u << EVTCHN_FIFO_MASKED)
#define LINKED  (1u << EVTCHN_FIFO_LINKED)
#define BUSY    (1u << EVTCHN_FIFO_BUSY)

/* One vCPU's queues. */
struct evtchn_fifo_vcpu {
    struct spinlock lock; /* innermost but one: run queues' come below */
    struct evtchn_fifo_control_block *block;
    mfn_t frame;
    u32 tail[EVTCHN_FIFO_MAX_QUEUES]; /* last port linked; 0: none yet */
};

struct evtchn_fifo {
    u32 pages;
    mfn_t page[PAGES];
};
_Static_assert(sizeof(struct evtchn_fifo) <= DOMAIN_ALLOC_MAX, "one object of the heap");

static event_word_t *word_of(const struct domain *d, u32 port)
{
    const struct evtchn_fifo *f = d->evtchn->fifo;

    if (port / WORDS >= __atomic_load_n(&f->pages, __ATOMIC_ACQUIRE))
        return NULL;
    return (event_word_t *)frame_map(f->page[port / WORDS]) + port % WORDS;
}

bool fifo_is_pending(const struct domain *d, u32 port)
{
    const event_word_t *word = word_of(d, port);

    return word && __atomic_load_n(word, __ATOMIC_SEQ_CST) & PENDING;
}

bool fifo_is_masked(const struct domain *d, u32 port)
{
    const event_word_t *word = word_of(d, port);

    return !word || __atomic_load_n(word, __ATOMIC_SEQ_CST) & MASKED;
}

void fifo_clear_pending(struct domain *d, u32 port)
{
    event_word_t *word = word_of(d, port);

    if (word)
        __atomic_and_fetch(word, ~PENDING, __ATOMIC_SEQ_CST);
}

/* --- linking --------------------------------------------------------------------------- */

/* Puts `port` into the link field of the tail's word, if that word is still linked: only
 * then will the guest find it from there. */
static bool link_behind(event_word_t *tail, u32 port)
{
    event_word_t old = __atomic_load_n(tail, __ATOMIC_SEQ_CST);

    /* Each failed exchange means that the guest (or a sender that sets PENDING) changed the
     * word; one that never stops ends in the other way in, the queue's head. */
    for (u32 tries = 0; tries < 8; tries++) {
        event_word_t linked = (old & ~(event_word_t)(BUSY | EVTCHN_FIFO_LINK_MASK)) | port;

        if (!(old & LINKED))
            return false;
        if (__atomic_compare_exchange_n(tail, &old, linked, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return true;
    }
    __atomic_and_fetch(tail, ~LINKED, __ATOMIC_SEQ_CST);
    return false;
}

/* Links a pending, unmasked event at the end of its queue. True when the guest must be told. */
static bool link_event(struct domain *d, u32 port, struct evtchn *c, event_word_t *word,
                       struct vcpu *v)
{
    struct evtchn_fifo_vcpu *q = v->fifo;
    u32 priority = c->priority, tail;
    event_word_t *tail_word;
    bool linked = false, first;

    spin_lock(&q->lock);
    if (__atomic_fetch_or(word, LINKED, __ATOMIC_SEQ_CST) & LINKED) {
        spin_unlock(&q->lock);
        return false;
    }
    __atomic_and_fetch(word, ~(event_word_t)EVTCHN_FIFO_LINK_MASK, __ATOMIC_SEQ_CST);
    tail = q->tail[priority];
    tail_word = tail ? word_of(d, tail) : NULL;
    /* A queue's tail may have moved to another queue meanwhile: then it is no way in. */
    if (tail_word && tail != port) {
        const struct evtchn *t = evtchn_of(d, tail);

        if (t && t->last_vcpu == v->id && t->last_priority == priority)
            linked = link_behind(tail_word, port);
    }
    if (!linked)
        __atomic_store_n(&q->block->head[priority], port, __ATOMIC_SEQ_CST);
    q->tail[priority] = port;
    c->last_vcpu = (u16)v->id;
    c->last_priority = (u8)priority;
    first = !linked &&
            !(__atomic_fetch_or(&q->block->ready, 1u << priority, __ATOMIC_SEQ_CST) >>
                  priority &
              1);
    spin_unlock(&q->lock);
    return first;
}

static void deliver(struct domain *d, u32 port, struct evtchn *c, event_word_t *word)
{
    struct vcpu *v = d->vcpu[__atomic_load_n(&c->vcpu, __ATOMIC_ACQUIRE)];

    if (!v->fifo) /* its queues are not there yet: it will look when they are */
        return;
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) & (MASKED | LINKED))
        return;
    if (link_event(d, port, c, word, v))
        evtchn_mark(v);
}

void fifo_set_pending(struct domain *d, u32 port, struct evtchn *c)
{
    event_word_t *word = word_of(d, port);

    if (!word) /* beyond the guest's array: kept nowhere, as on Xen */
        return;
    __atomic_or_fetch(word, PENDING, __ATOMIC_SEQ_CST);
    deliver(d, port, c, word);
}

void fifo_unmask(struct domain *d, u32 port, struct evtchn *c)
{
    event_word_t *word = word_of(d, port);

    if (!word)
        return;
    __atomic_and_fetch(word, ~MASKED, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) & PENDING)
        deliver(d, port, c, word);
}

/* --- set-up ---------------------------------------------------------------------------------- */

static s64 make_queues(struct domain *d, struct vcpu *v, u64 gfn, u32 offset)
{
    struct evtchn_fifo_vcpu *q = domain_alloc(d, sizeof(*q));
    mfn_t frame;

    if (!q)
        return fail(-XEN_ENOMEM);
    if (p2m_get(d, GFN(gfn), P2M_RW, &frame)) {
        domain_free(d, q, sizeof(*q));
        return fail(-XEN_EINVAL);
    }
    q->frame = frame;
    q->block = (struct evtchn_fifo_control_block *)((u8 *)frame_map(frame) + offset);
    q->block->ready = 0;
    __atomic_store_n(&v->fifo, q, __ATOMIC_RELEASE);
    return 0;
}

/* The first control block switches the whole domain over; what is pending by bits is carried
 * over when the guest supplies words for it. */
static s64 switch_over(struct domain *d)
{
    struct evtchn_fifo *f = domain_alloc(d, sizeof(*f));

    if (!f)
        return fail(-XEN_ENOMEM);
    __atomic_store_n(&d->evtchn->fifo, f, __ATOMIC_RELEASE);
    return 0;
}

s64 fifo_init_control(struct domain *d, struct evtchn_init_control *i)
{
    struct vcpu *v;
    s64 error = 0;

    i->link_bits = EVTCHN_FIFO_LINK_BITS;
    if (i->vcpu >= d->vcpu_count)
        return fail(-XEN_ENOENT);
    if (i->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) || i->offset & 7)
        return fail(-XEN_EINVAL);
    v = d->vcpu[i->vcpu];
    spin_lock(&d->evtchn_lock);
    if (v->fifo)
        error = fail(-XEN_EINVAL);
    if (!error)
        error = make_queues(d, v, i->control_gfn, i->offset);
    if (!error && !d->evtchn->fifo)
        error = switch_over(d);
    spin_unlock(&d->evtchn_lock);
    return error;
}

/* An event that became pending before its word existed is pending in the bit map still. */
static void carry_over(struct domain *d, u32 first)
{
    const u32 *bits = (const u32 *)((const u8 *)d->shared +
                                    offsetof(struct shared_info, evtchn_pending));
    u32 allowed = d->compat ? 1024 : 4096;

    for (u32 port = first; port < MIN(first + WORDS, allowed); port++) {
        struct evtchn *c = evtchn_of(d, port);
        event_word_t *word = word_of(d, port);

        if (!c)
            break;
        if (c->state != EVTCHNSTAT_closed && bits[port / 32] >> port % 32 & 1) {
            __atomic_or_fetch(word, PENDING, __ATOMIC_SEQ_CST);
            deliver(d, port, c, word);
        }
    }
}

s64 fifo_expand_array(struct domain *d, u64 gfn)
{
    struct evtchn_fifo *f;
    s64 error = 0;
    mfn_t frame;

    spin_lock(&d->evtchn_lock);
    f = d->evtchn->fifo;
    if (!f) {
        error = fail(-XEN_EOPNOTSUPP);
    } else if (f->pages >= PAGES || f->pages * (u32)WORDS >= evtchn_ports_allowed(d)) {
        error = fail(-XEN_ENOSPC);
    } else if (p2m_get(d, GFN(gfn), P2M_RW, &frame)) {
        error = fail(-XEN_EINVAL);
    } else {
        f->page[f->pages] = frame;
        __atomic_store_n(&f->pages, f->pages + 1, __ATOMIC_RELEASE);
        carry_over(d, (f->pages - 1) * WORDS);
    }
    spin_unlock(&d->evtchn_lock);
    return error;
}

s64 fifo_set_priority(struct domain *d, u32 port, u32 priority)
{
    struct evtchn *c;
    s64 error = 0;

    spin_lock(&d->evtchn_lock);
    c = evtchn_of(d, port);
    if (!c && port >= evtchn_ports_allowed(d))
        error = fail(-XEN_EINVAL);
    else if (!d->evtchn->fifo)
        error = fail(-XEN_ENOSYS);
    else if (priority > EVTCHN_FIFO_PRIORITY_MIN || !c || c->state == EVTCHNSTAT_closed)
        error = fail(-XEN_EINVAL);
    else
        c->priority = (u8)priority;
    spin_unlock(&d->evtchn_lock);
    return error;
}

static void free_queues(struct domain *d, struct vcpu *v)
{
    struct evtchn_fifo_vcpu *q = v->fifo;

    v->fifo = NULL;
    if (!q)
        return;
    frame_put(q->frame);
    domain_free(d, q, sizeof(*q));
}

bool fifo_destroy(struct domain *d)
{
    struct evtchn_fifo *f;
    bool idle;

    spin_lock(&d->evtchn_lock);
    idle = !d->evtchn->in_use;
    f = idle ? d->evtchn->fifo : NULL;
    if (idle) {
        d->evtchn->fifo = NULL;
        for (u32 i = 0; i < d->vcpu_count; i++)
            free_queues(d, d->vcpu[i]);
    }
    for (u32 i = 0; f && i < f->pages; i++)
        frame_put(f->page[i]);
    if (f)
        domain_free(d, f, sizeof(*f));
    spin_unlock(&d->evtchn_lock);
    return idle;
}

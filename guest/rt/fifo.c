/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FIFO event channels: a word per port in an array of frames, queues linked through the
 * words, one per priority, whose heads are in the control block.
 */
#include "guest/rt/fifo.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"

enum { PER_FRAME = 4096 / sizeof(event_word_t), FRAMES = EVTCHN_FIFO_NR_CHANNELS / PER_FRAME };

static struct evtchn_fifo_control_block *control;
static event_word_t *array[FRAMES];
static u32 frames;
static u32 head[EVTCHN_FIFO_MAX_QUEUES];

static event_word_t *word_of(u32 port)
{
    return port / PER_FRAME < frames ? &array[port / PER_FRAME][port % PER_FRAME] : NULL;
}

bool fifo_reach(u32 port)
{
    while (port / PER_FRAME >= frames) {
        struct evtchn_expand_array op;
        event_word_t *more = rt_frames(1);

        if (!more)
            return false;
        for (u32 i = 0; i < PER_FRAME; i++)
            more[i] = 1u << EVTCHN_FIFO_MASKED;
        op.array_gfn = rt_physical(more) >> 12;
        if (hypercall_event_channel_op(EVTCHNOP_expand_array, &op)) {
            rt_frames_free(more, 1);
            return false;
        }
        array[frames++] = more;
    }
    return true;
}

void fifo_mask(u32 port)
{
    event_word_t *w = word_of(port);

    if (w)
        __atomic_fetch_or(w, 1u << EVTCHN_FIFO_MASKED, __ATOMIC_SEQ_CST);
}

/* Clearing MASKED must not race with the hypervisor linking the word (BUSY), hence the
 * loop of the ABI's text. */
bool fifo_unmask(u32 port)
{
    event_word_t *w = word_of(port), old, new;

    if (!w)
        return false;
    old = __atomic_load_n(w, __ATOMIC_SEQ_CST);
    do {
        if (old & 1u << EVTCHN_FIFO_PENDING)
            return true;
        old &= ~(1u << EVTCHN_FIFO_BUSY);
        new = old & ~(1u << EVTCHN_FIFO_MASKED);
    } while (
        !__atomic_compare_exchange_n(w, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return false;
}

bool fifo_is_pending(u32 port)
{
    event_word_t *w = word_of(port);

    return w && (__atomic_load_n(w, __ATOMIC_SEQ_CST) & 1u << EVTCHN_FIFO_PENDING);
}

void fifo_clear(u32 port)
{
    event_word_t *w = word_of(port);

    if (w)
        __atomic_fetch_and(w, ~(1u << EVTCHN_FIFO_PENDING), __ATOMIC_SEQ_CST);
}

/* Unlinks the word and returns what it linked to: 0 at the queue's tail. */
static u32 unlink_word(event_word_t *w)
{
    event_word_t mask = ~((1u << EVTCHN_FIFO_LINKED) | EVTCHN_FIFO_LINK_MASK);

    return __atomic_fetch_and(w, mask, __ATOMIC_SEQ_CST) & EVTCHN_FIFO_LINK_MASK;
}

/* Takes the first event of queue q; false when the queue is empty. */
static bool consume(u32 q, u32 *ready)
{
    u32 port = head[q];
    event_word_t *w;

    if (!port)
        port = __atomic_load_n(&control->head[q], __ATOMIC_ACQUIRE);
    w = word_of(port);
    if (!port || !w) {
        head[q] = 0;
        return false;
    }
    head[q] = unlink_word(w);
    if (!head[q])
        *ready &= ~(1u << q);
    if ((__atomic_load_n(w, __ATOMIC_SEQ_CST) &
         (1u << EVTCHN_FIFO_PENDING | 1u << EVTCHN_FIFO_MASKED)) == 1u << EVTCHN_FIFO_PENDING) {
        fifo_clear(port);
        rt_event_call(port);
    }
    return true;
}

void fifo_dispatch(void)
{
    u32 ready = __atomic_exchange_n(&control->ready, 0, __ATOMIC_SEQ_CST);

    while (ready) {
        u32 q = (u32)__builtin_ctz(ready);

        if (!consume(q, &ready))
            ready &= ~(1u << q);
        ready |= __atomic_exchange_n(&control->ready, 0, __ATOMIC_SEQ_CST);
    }
}

bool fifo_init(void)
{
    struct evtchn_init_control op = {0};

    control = rt_frames(1);
    if (!control)
        return false;
    op.control_gfn = rt_physical(control) >> 12;
    if (hypercall_event_channel_op(EVTCHNOP_init_control, &op)) {
        rt_frames_free(control, 1);
        return false;
    }
    return true;
}

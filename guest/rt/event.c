/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports and their handlers, and the two-level bits of shared_info. The FIFO form of the
 * same bits is fifo.c's; which is in use is decided once.
 */
#include "base/memory.h"
#include "guest/rt/event.h"
#include "guest/rt/fifo.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/trap.h"

enum { INTERRUPTS_ON = 0x200 }; /* RFLAGS.IF */
enum { CHUNK = 256, CHUNKS = EVTCHN_FIFO_NR_CHANNELS / CHUNK, WORDS = 64 };

struct handler {
    rt_event_fn *fn;
    void *arg;
};

static struct shared_info *shared;
static struct vcpu_info *info;
static struct handler *chunk[CHUNKS];
static bool fifo;

struct shared_info *rt_shared_info(void)
{
    return shared;
}

static struct handler *handler_of(u32 port)
{
    struct handler *c = port < EVTCHN_FIFO_NR_CHANNELS ? chunk[port / CHUNK] : NULL;

    return c ? &c[port % CHUNK] : NULL;
}

/* The upcall of one port: from both kinds of bits. */
void rt_event_call(u32 port)
{
    struct handler *h = handler_of(port);

    if (h && h->fn)
        h->fn(h->arg, port);
}

static void bit_set(xen_ulong_t *bits, u32 n)
{
    __atomic_fetch_or(&bits[n / WORDS], 1ul << (n % WORDS), __ATOMIC_SEQ_CST);
}

static void bit_clear(xen_ulong_t *bits, u32 n)
{
    __atomic_fetch_and(&bits[n / WORDS], ~(1ul << (n % WORDS)), __ATOMIC_SEQ_CST);
}

static bool bit_test(const xen_ulong_t *bits, u32 n)
{
    return __atomic_load_n(&bits[n / WORDS], __ATOMIC_SEQ_CST) >> (n % WORDS) & 1;
}

static bool in_reach(u32 port)
{
    return port < EVTCHN_2L_NR_CHANNELS;
}

void rt_event_mask(u32 port)
{
    if (fifo)
        fifo_mask(port);
    else if (in_reach(port))
        bit_set(shared->evtchn_mask, port);
}

/* The hypervisor repeats the upcall that the mask held back. */
void rt_event_unmask(u32 port)
{
    struct evtchn_unmask unmask = {.port = port};
    bool pending = false;

    if (fifo) {
        pending = fifo_unmask(port);
    } else if (in_reach(port)) {
        pending = bit_test(shared->evtchn_pending, port);
        if (!pending)
            bit_clear(shared->evtchn_mask, port);
        pending |= bit_test(shared->evtchn_pending, port);
    }
    if (pending)
        hypercall_event_channel_op(EVTCHNOP_unmask, &unmask);
}

bool rt_event_is_pending(u32 port)
{
    return fifo ? fifo_is_pending(port)
                : in_reach(port) && bit_test(shared->evtchn_pending, port);
}

void rt_event_clear(u32 port)
{
    if (fifo)
        fifo_clear(port);
    else if (in_reach(port))
        bit_clear(shared->evtchn_pending, port);
}

bool rt_event_handle(u32 port, rt_event_fn *fn, void *arg)
{
    if (port >= EVTCHN_FIFO_NR_CHANNELS || (!fifo && !in_reach(port)))
        return false;
    if (fifo && !fifo_reach(port))
        return false;
    if (!chunk[port / CHUNK])
        chunk[port / CHUNK] = rt_frames(1);
    if (!chunk[port / CHUNK])
        return false;
    *handler_of(port) = (struct handler){fn, arg};
    rt_event_unmask(port);
    return true;
}

/* A port just made: give it its handler, or undo it. */
static long adopt(u32 port, rt_event_fn *fn, void *arg)
{
    if (rt_event_handle(port, fn, arg))
        return (long)port;
    rt_event_close(port);
    return -XEN_ENOMEM;
}

long rt_event_alloc_unbound(domid_t remote, rt_event_fn *fn, void *arg)
{
    struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = remote};
    long error = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op);

    return error ? error : adopt(op.port, fn, arg);
}

long rt_event_bind_interdomain(domid_t remote, u32 remote_port, rt_event_fn *fn, void *arg)
{
    struct evtchn_bind_interdomain op = {.remote_dom = remote, .remote_port = remote_port};
    long error = hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &op);

    return error ? error : adopt(op.local_port, fn, arg);
}

long rt_event_bind_virq(u32 virq, u32 vcpu, rt_event_fn *fn, void *arg)
{
    struct evtchn_bind_virq op = {.virq = virq, .vcpu = vcpu};
    long error = hypercall_event_channel_op(EVTCHNOP_bind_virq, &op);

    return error ? error : adopt(op.port, fn, arg);
}

long rt_event_bind_ipi(u32 vcpu, rt_event_fn *fn, void *arg)
{
    struct evtchn_bind_ipi op = {.vcpu = vcpu};
    long error = hypercall_event_channel_op(EVTCHNOP_bind_ipi, &op);

    return error ? error : adopt(op.port, fn, arg);
}

long rt_event_close(u32 port)
{
    struct evtchn_close op = {.port = port};
    struct handler *h = handler_of(port);

    rt_event_mask(port);
    if (h)
        *h = (struct handler){0};
    return hypercall_event_channel_op(EVTCHNOP_close, &op);
}

bool rt_event_any(void)
{
    return __atomic_load_n(&info->evtchn_upcall_pending, __ATOMIC_SEQ_CST) != 0;
}

static void two_level_dispatch(void)
{
    xen_ulong_t words = __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);

    for (; words; words &= words - 1) {
        u32 w = (u32)__builtin_ctzl(words);
        xen_ulong_t bits = __atomic_load_n(&shared->evtchn_pending[w], __ATOMIC_SEQ_CST) &
                           ~__atomic_load_n(&shared->evtchn_mask[w], __ATOMIC_SEQ_CST);

        for (; bits; bits &= bits - 1) {
            u32 port = w * WORDS + (u32)__builtin_ctzl(bits);

            bit_clear(shared->evtchn_pending, port);
            rt_event_call(port);
        }
    }
}

bool rt_event_dispatch(void)
{
    bool any = false;

    while (__atomic_exchange_n(&info->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST)) {
        any = true;
        if (fifo)
            fifo_dispatch();
        else
            two_level_dispatch();
    }
    return any;
}

/* Where interrupts were off this is QEMU's TCG, which may deliver one twice under hypervisors that
 * inject it (hyp/virt/svm/run.c). Nothing is lost: rt_wait looks before it sleeps. */
static void on_upcall(struct rt_frame *f)
{
    if (f->rflags & INTERRUPTS_ON)
        rt_event_dispatch();
}

/* Ports from before start masked in the new words; what is pending came along with them
 * (event_channel.h: the first page of words). */
static void take_along(void)
{
    for (u32 port = 0; port < EVTCHN_2L_NR_CHANNELS; port++) {
        const struct handler *h = handler_of(port);

        if (!h || !h->fn)
            continue;
        if (!fifo_reach(port))
            rt_panic("no memory for FIFO event channels");
        rt_event_unmask(port);
    }
}

bool rt_event_use_fifo(void)
{
    if (fifo || rt_host() == RT_NATIVE)
        return fifo;
    fifo = fifo_init();
    if (fifo)
        take_along();
    return fifo;
}

/* A callback by vector (hvm/params.h) comes without the local APIC, so it needs no EOI. */
static void show_shared(u64 gfn)
{
    long error = rt_add_to_physmap(XENMAPSPACE_shared_info, 0, gfn);

    if (error)
        rt_panic("the hypervisor does not map shared_info: %ld", error);
    shared = rt_at(gfn << 12);
    info = &shared->vcpu_info[0];
    memset(shared->evtchn_mask, 0xff, sizeof(shared->evtchn_mask));
    error = rt_hvm_param_set(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ,
                             (u64)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | RT_VECTOR_UPCALL);
    if (error)
        rt_panic("the hypervisor takes no callback vector: %ld", error);
}

void rt_event_init(void)
{
    if (rt_host() == RT_NATIVE)
        return;
    rt_trap_set(RT_VECTOR_UPCALL, on_upcall);
    show_shared(rt_window_alloc(1));
}

void rt_event_begin_again(void)
{
    rt_assert(!fifo);
    for (u32 i = 0; i < CHUNKS; i++)
        if (chunk[i])
            memset(chunk[i], 0, CHUNK * sizeof(struct handler));
    show_shared(rt_physical(shared) >> 12);
}

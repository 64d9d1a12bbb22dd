/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC of a PVH guest (AMD APM vol. 2, ch. 16; Intel SDM vol. 3, ch. 11 for
 * x2APIC). Interrupts are edge triggered: there is no I/O APIC. The timer counts system
 * time in nanoseconds, so that its bus frequency is 1 GHz.
 */
#include "base/memory.h"
#include "hyp/dev/lapic.h"
#include "hyp/dom/domain.h"
#include "hyp/dom/interrupt.h"
#include "hyp/dom/platform.h"

enum {
    REG_ID = 0x20,
    REG_VERSION = 0x30,
    REG_TPR = 0x80,
    REG_APR = 0x90,
    REG_PPR = 0xa0,
    REG_EOI = 0xb0,
    REG_LDR = 0xd0,
    REG_DFR = 0xe0,
    REG_SVR = 0xf0,
    REG_ISR = 0x100,
    REG_TMR = 0x180,
    REG_IRR = 0x200,
    REG_ESR = 0x280,
    REG_CMCI = 0x2f0,
    REG_ICR = 0x300,
    REG_ICR_HIGH = 0x310,
    REG_TIMER = 0x320,
    REG_THERMAL = 0x330,
    REG_PERF = 0x340,
    REG_LINT0 = 0x350,
    REG_LINT1 = 0x360,
    REG_ERROR = 0x370,
    REG_INITIAL = 0x380,
    REG_CURRENT = 0x390,
    REG_DIVIDE = 0x3e0,
    REG_SELF_IPI = 0x3f0,
};
enum { LVT_CMCI, LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR };
#define LVT_MASKED      (1u << 16)
#define LVT_PERIODIC    (1u << 17)
#define SVR_ENABLED     (1u << 8)
#define BASE_BSP        (1ull << 8)
#define BASE_X2         (1ull << 10)
#define BASE_ENABLED    (1ull << 11)
#define VERSION         0x00050014u /* integrated, six entries, as Xen's */
#define ESR_SEND_VECTOR (1u << 5)
#define ESR_RECV_VECTOR (1u << 6)
#define ICR_MODE(icr)   ((icr) >> 8 & 7)
enum { MODE_FIXED = 0, MODE_LOWEST = 1, MODE_NMI = 4, MODE_INIT = 5, MODE_STARTUP = 6 };

void lapic_init(struct lapic *l, u32 id, bool bootstrap)
{
    memset(l, 0, sizeof(*l));
    l->id = id;
    l->base_msr = LAPIC_BASE | BASE_ENABLED | (bootstrap ? BASE_BSP : 0);
    l->svr = 0xff;
    l->dfr = ~0u;
    for (u32 i = 0; i < ARRAY_SIZE(l->lvt); i++)
        l->lvt[i] = LVT_MASKED;
    l->wait_for_sipi = !bootstrap;
}

static bool is_x2(const struct lapic *l)
{
    return l->base_msr & BASE_X2;
}

static bool is_on(const struct lapic *l)
{
    return l->base_msr & BASE_ENABLED && l->svr & SVR_ENABLED;
}

/* --- vectors ---------------------------------------------------------------------------- */

static int highest(const u32 *map)
{
    for (int word = 7; word >= 0; word--) {
        u32 bits = __atomic_load_n(&map[word], __ATOMIC_SEQ_CST);

        if (bits)
            return word * 32 + 31 - __builtin_clz(bits);
    }
    return -1;
}

static u32 priority(const struct lapic *l)
{
    int serving = highest(l->isr);
    u32 class = serving < 0 ? 0 : (u32)serving & 0xf0;

    return (l->tpr & 0xf0) >= class ? l->tpr : class;
}

int lapic_pending(const struct lapic *l)
{
    int vector;

    if (!is_on(l)) /* first: most guests get their events by callback and leave it off */
        return -1;
    vector = highest(l->irr);
    if (vector < 0 || ((u32)vector & 0xf0) <= (priority(l) & 0xf0))
        return -1;
    return vector;
}

void lapic_take(struct lapic *l, int vector)
{
    u32 bit = 1u << vector % 32;

    __atomic_and_fetch(&l->irr[vector / 32], ~bit, __ATOMIC_SEQ_CST);
    l->isr[vector / 32] |= bit;
}

static void raise_error(struct vcpu *v, u32 bit)
{
    struct lapic *l = v->lapic;
    u32 lvt = l->lvt[LVT_ERROR];

    l->esr_pending |= bit;
    if (!(lvt & LVT_MASKED) && (lvt & 0xff) >= 16)
        lapic_raise(v, (u8)lvt);
}

void lapic_raise(struct vcpu *v, u8 vector)
{
    struct lapic *l = v->lapic;

    if (vector < 16) {
        l->esr_pending |= ESR_RECV_VECTOR;
        return;
    }
    /* Also while the APIC is off: an event's upcall waits until the guest switches it on. */
    __atomic_or_fetch(&l->irr[vector / 32], 1u << vector % 32, __ATOMIC_SEQ_CST);
    interrupt_kick(v);
}

static void end_of_interrupt(struct vcpu *v)
{
    struct lapic *l = v->lapic;
    int vector = highest(l->isr);

    if (vector < 0)
        return;
    l->isr[vector / 32] &= ~(1u << vector % 32);
    if (lapic_pending(l) >= 0)
        interrupt_kick(v);
}

void lapic_set_tpr(struct vcpu *v, u32 tpr)
{
    v->lapic->tpr = tpr & 0xff;
    if (lapic_pending(v->lapic) >= 0)
        interrupt_kick(v);
}

/* --- interrupts between processors -------------------------------------------------------- */

static u32 x2_logical(u32 id)
{
    return (id >> 4) << 16 | 1u << (id & 15);
}

/* Whether a destination field names l. */
static bool named(const struct lapic *l, u32 dest, bool logical, bool x2)
{
    if (dest == (x2 ? ~0u : 0xffu))
        return true;
    if (!logical)
        return dest == l->id;
    if (x2) {
        u32 own = x2_logical(l->id);

        return dest >> 16 == own >> 16 && (dest & own & 0xffff);
    }
    if (l->dfr >> 28 == 0xf)
        return l->ldr >> 24 & dest;
    return (l->ldr >> 28) == dest >> 4 && (l->ldr >> 24 & dest & 0xf);
}

static void deliver(struct vcpu *to, u32 icr)
{
    switch (ICR_MODE(icr)) {
    case MODE_FIXED:
    case MODE_LOWEST: lapic_raise(to, (u8)icr); break;
    case MODE_NMI: vcpu_nmi_signal(to); break;
    case MODE_INIT:
        if (icr & 1u << 14) /* an INIT level de-assert does nothing */
            vcpu_init_signal(to);
        break;
    case MODE_STARTUP: vcpu_startup_signal(to, (u8)icr); break;
    default: break;
    }
}

static void send_ipi(struct vcpu *v, u32 icr, u32 dest)
{
    struct domain *d = v->domain;
    u32 shorthand = icr >> 18 & 3;
    bool lowest = ICR_MODE(icr) == MODE_LOWEST;

    if (ICR_MODE(icr) <= MODE_LOWEST && (icr & 0xff) < 16) {
        raise_error(v, ESR_SEND_VECTOR);
        return;
    }
    for (u32 i = 0; i < d->vcpu_count; i++) {
        struct vcpu *to = d->vcpu[i];
        bool hit = shorthand == 0   ? named(to->lapic, dest, icr >> 11 & 1, is_x2(v->lapic))
                   : shorthand == 1 ? to == v
                                    : shorthand == 2 || to != v;

        if (!hit)
            continue;
        deliver(to, icr);
        if (lowest)
            break;
    }
}

/* --- timer ---------------------------------------------------------------------------------- */

static u64 tick_ns(const struct lapic *l)
{
    static const u8 shift[8] = {1, 2, 3, 4, 5, 6, 7, 0};

    return 1ull << shift[(l->divide & 3) | (l->divide >> 1 & 4)];
}

static u64 period_ns(const struct lapic *l)
{
    return l->initial_count * tick_ns(l);
}

static u32 current_count(const struct lapic *l)
{
    u64 passed = (clock_now_ns() - l->timer_start_ns) / tick_ns(l);

    if (!l->initial_count)
        return 0;
    if (passed < l->initial_count)
        return (u32)(l->initial_count - passed);
    if (!(l->lvt[LVT_TIMER] & LVT_PERIODIC))
        return 0;
    return (u32)(l->initial_count - passed % l->initial_count);
}

static void arm(struct vcpu *v)
{
    struct lapic *l = v->lapic;

    l->timer_start_ns = clock_now_ns();
    if (l->initial_count)
        timer_set(&v->apic_timer, v->cpu, l->timer_start_ns + period_ns(l));
    else
        timer_stop(&v->apic_timer);
}

void lapic_timer_fires(struct vcpu *v, u64 now_ns)
{
    struct lapic *l = v->lapic;
    u64 period = period_ns(l);

    if (!(l->lvt[LVT_TIMER] & LVT_MASKED))
        lapic_raise(v, (u8)l->lvt[LVT_TIMER]);
    if (!(l->lvt[LVT_TIMER] & LVT_PERIODIC) || !period)
        return;
    l->timer_start_ns += period; /* no drift, but no flood of missed ones either */
    if (l->timer_start_ns + period <= now_ns)
        l->timer_start_ns += (now_ns - l->timer_start_ns) / period * period;
    timer_set(&v->apic_timer, v->cpu, l->timer_start_ns + MAX(period, 20000ull));
}

/* --- registers -------------------------------------------------------------------------------- */

/* The entry of the local vector table at an offset, or NULL. */
static u32 *lvt_at(struct lapic *l, u32 offset)
{
    if (offset == REG_CMCI)
        return &l->lvt[LVT_CMCI];
    if (offset >= REG_TIMER && offset <= REG_ERROR)
        return &l->lvt[LVT_TIMER + (offset - REG_TIMER) / 0x10];
    return NULL;
}

static u32 logical_id(const struct lapic *l)
{
    return is_x2(l) ? x2_logical(l->id) : l->ldr;
}

bool lapic_read(struct vcpu *v, u32 offset, u32 *value)
{
    struct lapic *l = v->lapic;
    const u32 *lvt = lvt_at(l, offset);

    *value = 0;
    if (offset & 15 || offset >= 0x400)
        return false;
    if (offset >= REG_ISR && offset < REG_ESR) {
        const u32 *map = offset < REG_TMR ? l->isr : offset < REG_IRR ? l->tmr : l->irr;

        *value = map[offset >> 4 & 7];
        return true;
    }
    if (lvt) {
        *value = *lvt;
        return true;
    }
    switch (offset) {
    case REG_ID: *value = is_x2(l) ? l->id : l->id << 24; return true;
    case REG_VERSION: *value = VERSION; return true;
    case REG_TPR: *value = l->tpr; return true;
    case REG_APR: return !is_x2(l);
    case REG_PPR: *value = priority(l); return true;
    case REG_LDR: *value = logical_id(l); return true;
    case REG_DFR: *value = l->dfr; return !is_x2(l);
    case REG_SVR: *value = l->svr; return true;
    case REG_ESR: *value = l->esr; return true;
    case REG_ICR: *value = l->icr_low; return true;
    case REG_ICR_HIGH: *value = l->icr_high; return true;
    case REG_INITIAL: *value = l->initial_count; return true;
    case REG_CURRENT: *value = current_count(l); return true;
    case REG_DIVIDE: *value = l->divide; return true;
    default: return false;
    }
}

static void write_lvt(struct vcpu *v, u32 *lvt, u32 value)
{
    struct lapic *l = v->lapic;
    u32 kept = lvt == &l->lvt[LVT_TIMER] ? 0x300ff : 0x1f7ff;

    *lvt = (value & kept) | (l->svr & SVR_ENABLED ? 0 : LVT_MASKED);
}

static void write_svr(struct vcpu *v, u32 value)
{
    struct lapic *l = v->lapic;

    l->svr = value & 0x3ff;
    if (!(value & SVR_ENABLED))
        for (u32 i = 0; i < ARRAY_SIZE(l->lvt); i++)
            l->lvt[i] |= LVT_MASKED;
    else if (lapic_pending(l) >= 0)
        interrupt_kick(v);
}

bool lapic_write(struct vcpu *v, u32 offset, u32 value)
{
    struct lapic *l = v->lapic;
    u32 *lvt = lvt_at(l, offset);

    if (offset & 15 || offset >= 0x400)
        return false;
    if (lvt) {
        write_lvt(v, lvt, value);
        return true;
    }
    switch (offset) {
    case REG_ID: return !is_x2(l); /* fixed here, as on many processors */
    case REG_TPR: lapic_set_tpr(v, value); return true;
    case REG_EOI: end_of_interrupt(v); return true;
    case REG_LDR: l->ldr = value & 0xff000000; return !is_x2(l);
    case REG_DFR: l->dfr = value | 0x0fffffff; return !is_x2(l);
    case REG_SVR: write_svr(v, value); return true;
    case REG_ESR:
        l->esr = l->esr_pending;
        l->esr_pending = 0;
        return true;
    case REG_ICR:
        l->icr_low = value & ~(1u << 12); /* delivered at once */
        send_ipi(v, l->icr_low, is_x2(l) ? l->icr_high : l->icr_high >> 24);
        return true;
    case REG_ICR_HIGH: l->icr_high = value & 0xff000000; return !is_x2(l);
    case REG_INITIAL:
        l->initial_count = value;
        arm(v);
        return true;
    case REG_DIVIDE: l->divide = value & 0xb; return true;
    case REG_SELF_IPI:
        if (!is_x2(l))
            return false;
        lapic_raise(v, (u8)value);
        return true;
    default: return false;
    }
}

/* --- MSRs --------------------------------------------------------------------------------- */

static bool write_base(struct lapic *l, u64 value)
{
    u64 mode = value & (BASE_ENABLED | BASE_X2);

    if (mode == BASE_X2 || value & ~(0xfffffffffffff000ull | 0xd00) ||
        (value & ~0xfffull) != LAPIC_BASE)
        return false;
    /* x2APIC is left only by switching the APIC off, and entered only from xAPIC: Intel SDM
     * vol. 3, 11.12.5; AMD APM vol. 2, 16.9. */
    if (is_x2(l) && mode == BASE_ENABLED)
        return false;
    if (!(l->base_msr & BASE_ENABLED) && mode == (BASE_ENABLED | BASE_X2))
        return false;
    l->base_msr = (l->base_msr & BASE_BSP) | LAPIC_BASE | mode;
    return true;
}

bool lapic_rdmsr(struct vcpu *v, u32 msr, u64 *value)
{
    struct lapic *l = v->lapic;
    u32 offset = (msr - LAPIC_MSR_X2) << 4, low = 0;
    bool ok;

    if (msr == LAPIC_MSR_BASE) {
        *value = l->base_msr;
        return true;
    }
    if (!is_x2(l) || msr < LAPIC_MSR_X2 || offset >= 0x400 || offset == REG_ICR_HIGH)
        return false;
    ok = lapic_read(v, offset, &low);
    *value = offset == REG_ICR ? (u64)l->icr_high << 32 | low : low;
    return ok;
}

bool lapic_wrmsr(struct vcpu *v, u32 msr, u64 value)
{
    struct lapic *l = v->lapic;
    u32 offset = (msr - LAPIC_MSR_X2) << 4;

    if (msr == LAPIC_MSR_BASE)
        return write_base(l, value);
    if (!is_x2(l) || msr < LAPIC_MSR_X2 || offset >= 0x400)
        return false;
    if (offset == REG_ICR)
        l->icr_high = (u32)(value >> 32);
    else if (value >> 32 || ((offset == REG_EOI || offset == REG_ESR) && value))
        return false;
    return lapic_write(v, offset, (u32)value);
}

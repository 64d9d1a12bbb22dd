/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is injected into a guest, and when. The callback vector is edge-like: it is injected
 * once per rise of evtchn_upcall_pending, so an upcall costs at most one exit; a guest that
 * halts without having looked gets it again.
 */
#include "hyp/dev/lapic.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/interrupt.h"
#include "hyp/dom/vcpu.h"

static bool upcall_pending(const struct vcpu *v)
{
    const struct vcpu_info *info = __atomic_load_n(&v->info, __ATOMIC_ACQUIRE);

    return info && __atomic_load_n(&info->evtchn_upcall_pending, __ATOMIC_SEQ_CST);
}

/* The vector of the domain's callback, if it is how events reach v; 0 otherwise. */
static u8 callback_of(const struct vcpu *v)
{
    return v->upcall_vector ? 0 : v->domain->callback_vector;
}

/* Something is to be injected, by either way. */
static bool waits(const struct vcpu *v)
{
    return (callback_of(v) && upcall_pending(v)) || lapic_pending(v->lapic) >= 0;
}

void interrupt_upcall(struct vcpu *v)
{
    v->counters.upcalls++;
    trace(OSM_T_upcall, v->domain->id, v->id, 0, 0);
    if (v->upcall_vector) {
        lapic_raise(v, v->upcall_vector);
        return;
    }
    if (v->domain->callback_vector)
        __atomic_or_fetch(&v->attention, VCPU_ATTN_INTERRUPT, __ATOMIC_SEQ_CST);
    vcpu_wake(v);
}

void interrupt_kick(struct vcpu *v)
{
    vcpu_attend(v, VCPU_ATTN_INTERRUPT);
}

int interrupt_pending(struct vcpu *v)
{
    int vector = -1;

    if (callback_of(v) && upcall_pending(v))
        vector = callback_of(v);
    else
        vector = lapic_pending(v->lapic);
    if (vector < 0)
        __atomic_and_fetch(&v->attention, ~(u32)VCPU_ATTN_INTERRUPT, __ATOMIC_SEQ_CST);
    /* What arrived between the look and the line above set the bit too early. */
    if (vector < 0 && waits(v))
        __atomic_or_fetch(&v->attention, VCPU_ATTN_INTERRUPT, __ATOMIC_SEQ_CST);
    return vector;
}

void interrupt_taken(struct vcpu *v, int vector)
{
    __atomic_and_fetch(&v->attention, ~(u32)VCPU_ATTN_INTERRUPT, __ATOMIC_SEQ_CST);
    if (vector != callback_of(v) || !upcall_pending(v))
        lapic_take(v->lapic, vector);
    if (vector == callback_of(v) ? lapic_pending(v->lapic) >= 0 : waits(v))
        __atomic_or_fetch(&v->attention, VCPU_ATTN_INTERRUPT, __ATOMIC_SEQ_CST);
}

bool interrupt_wakes(struct vcpu *v)
{
    u32 urgent = VCPU_ATTN_NMI | VCPU_ATTN_RESET;

    if (__atomic_load_n(&v->attention, __ATOMIC_SEQ_CST) & urgent)
        return true;
    if (callback_of(v) && upcall_pending(v)) {
        __atomic_or_fetch(&v->attention, VCPU_ATTN_INTERRUPT, __ATOMIC_SEQ_CST);
        return true;
    }
    return lapic_pending(v->lapic) >= 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts into guests: event upcalls by callback vector or through the local APIC, the
 * APIC's own, NMIs. The run loop asks before an entry when VCPU_ATTN_INTERRUPT is set.
 */
#ifndef HYP_DOM_INTERRUPT_H
#define HYP_DOM_INTERRUPT_H

#include "hyp/dom/domain.h"

/* The vector that should be injected now, or -1. When the guest's interrupts are off, open a
 * window and ask again then; leave VCPU_ATTN_INTERRUPT as it is. */
int interrupt_pending(struct vcpu *v);
/* That vector was put into the guest: in service from now. Clears VCPU_ATTN_INTERRUPT when
 * nothing further is pending. */
void interrupt_taken(struct vcpu *v, int vector);
/* An event became pending for v: called by event channels with no lock but evtchn_lock. */
void interrupt_upcall(struct vcpu *v);
/* The local APIC of v has something new. */
void interrupt_kick(struct vcpu *v);
/* True when a blocked v should run. */
bool interrupt_wakes(struct vcpu *v);

#endif

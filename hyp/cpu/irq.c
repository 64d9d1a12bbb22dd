/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical interrupt lines that driver domains were given. A line is masked when it
 * strikes, and open again when its domain says that it has been served.
 */
#include "hyp/abi/xen.h"
#include "hyp/cpu/pic.h"
#include "hyp/dom/domain.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/vcpu.h"

enum { LINES = 16, NOBODY = 0xffff };

static domid_t owner[LINES] = {[0 ... LINES - 1] = NOBODY};

static void strike(u32 irq)
{
    struct domain *d = domain_find(__atomic_load_n(&owner[irq], __ATOMIC_ACQUIRE));

    if (!d)
        return;
    vcpu_for_nobody(true);
    evtchn_pirq(d, irq);
    vcpu_for_nobody(false);
    domain_put(d);
}

void irq_route(u32 irq, struct domain *d)
{
    if (irq >= LINES)
        return;
    pic_unmask(irq, false);
    __atomic_store_n(&owner[irq], d ? d->id : NOBODY, __ATOMIC_RELEASE);
    pic_set_handler(irq, d ? strike : NULL);
    pic_unmask(irq, d != NULL);
}

void irq_end(u32 irq)
{
    if (irq < LINES && __atomic_load_n(&owner[irq], __ATOMIC_ACQUIRE) != NOBODY)
        pic_unmask(irq, true);
}

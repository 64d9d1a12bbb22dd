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

enum { LINES = 16 };

static struct domain *owner[LINES];

static void strike(u32 irq)
{
    if (owner[irq])
        evtchn_pirq(owner[irq], irq);
}

void irq_route(u32 irq, struct domain *d)
{
    if (irq >= LINES)
        return;
    pic_unmask(irq, false);
    owner[irq] = d;
    pic_set_handler(irq, d ? strike : NULL);
    pic_unmask(irq, d != NULL);
}

void irq_end(u32 irq)
{
    if (irq < LINES && owner[irq])
        pic_unmask(irq, true);
}

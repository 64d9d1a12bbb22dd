/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physdev_op (xen/physdev.h): what a driver domain needs for the interrupt lines it was
 * given. For a guest without any the call is not there, as on Xen for one without pirqs.
 */
#include "hyp/dom/hypercall.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/privilege.h"

static bool has_irq(const struct call *c, u32 irq)
{
    return irq < DOMAIN_IRQS && c->v->domain->irqs & 1ull << irq;
}

static s64 eoi(struct call *c, void *arg)
{
    const struct physdev_eoi *e = arg;

    if (!has_irq(c, e->irq))
        return fail(-XEN_EINVAL);
    irq_end(e->irq);
    return 0;
}

static s64 irq_status_query(struct call *c, void *arg)
{
    struct physdev_irq_status_query *q = arg;

    if (!has_irq(c, q->irq))
        return fail(-XEN_EINVAL);
    q->flags = XENIRQSTAT_needs_eoi;
    return 0;
}

/* A line is its own pirq: mapping it only checks that it was given. */
static s64 map_pirq(struct call *c, void *arg)
{
    struct physdev_map_pirq *m = arg;

    if (m->domid != DOMID_SELF && m->domid != c->v->domain->id)
        return fail(-XEN_EPERM);
    if (m->type != MAP_PIRQ_TYPE_GSI)
        return fail(-XEN_EINVAL);
    if (m->index < 0 || !has_irq(c, (u32)m->index))
        return fail(-XEN_EPERM);
    m->pirq = m->index;
    return 0;
}

static s64 unmap_pirq(struct call *c, void *arg)
{
    const struct physdev_unmap_pirq *u = arg;

    if (u->domid != DOMID_SELF && u->domid != c->v->domain->id)
        return fail(-XEN_EPERM);
    return u->pirq >= 0 && has_irq(c, (u32)u->pirq) ? 0 : fail(-XEN_EINVAL);
}

static const struct subop ops[] = {
    [PHYSDEVOP_irq_status_query] = {"irq_status_query", irq_status_query,
                                    sizeof(struct physdev_irq_status_query), 0, SUBOP_OUT},
    [PHYSDEVOP_eoi] = {"eoi", eoi, sizeof(struct physdev_eoi), 0, 0},
    [PHYSDEVOP_map_pirq] = {"map_pirq", map_pirq, sizeof(struct physdev_map_pirq), 28,
                            SUBOP_OUT},
    [PHYSDEVOP_unmap_pirq] = {"unmap_pirq", unmap_pirq, sizeof(struct physdev_unmap_pirq), 0,
                              0},
};

s64 call_physdev_op(struct call *c)
{
    if (!c->v->domain->irqs && !may(c->v->domain, MAY_DRIVE_LINES))
        return fail(-XEN_ENOSYS);
    return call_subop(c, ops, ARRAY_SIZE(ops));
}

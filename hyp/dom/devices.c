/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/dom/devices.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/platform.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/virt.h"

enum { PORTS = 65536, FRAMES_PER_CALL = 65536 };

/* Adds or removes exactly the range; an overlap that is not the same is left to the caller
 * to take apart. */
static s64 permit(struct domain_range *ranges, u32 *used, u64 first, u64 last, bool allow)
{
    for (u32 i = 0; i < *used; i++) {
        if (ranges[i].first != first || ranges[i].last != last)
            continue;
        if (!allow)
            ranges[i] = ranges[--*used];
        return 0;
    }
    if (!allow)
        return fail(-XEN_EINVAL);
    if (*used == DOMAIN_IO_RANGES)
        return fail(-XEN_ENOSPC);
    ranges[(*used)++] = (struct domain_range){first, last};
    return 0;
}

static bool permitted(const struct domain_range *ranges, u32 used, u64 first, u64 last)
{
    for (u32 i = 0; i < used; i++)
        if (first >= ranges[i].first && last <= ranges[i].last)
            return true;
    return false;
}

s64 devices_permit_ports(struct domain *d, u64 first, u64 count, bool allow)
{
    s64 error;

    if (!count || count > PORTS || first + count > PORTS)
        return fail(-XEN_EINVAL);
    spin_lock(&d->lock);
    error = permit(d->ports, &d->ports_used, first, first + count - 1, allow);
    spin_unlock(&d->lock);
    if (!error && !allow)
        error = virt_allow_ports(d, (u32)first, (u32)count, false);
    return error;
}

s64 devices_map_ports(struct domain *d, u64 first, u64 count, bool add)
{
    if (!count || count > PORTS || first + count > PORTS)
        return fail(-XEN_EINVAL);
    if (add && !permitted(d->ports, d->ports_used, first, first + count - 1))
        return fail(-XEN_EPERM);
    return virt_allow_ports(d, (u32)first, (u32)count, add);
}

/* Not RAM: neither ours nor a guest's. */
static bool is_device_memory(u64 first, u64 count)
{
    for (u64 n = first; n < first + count; n++) {
        const struct frame *f = frame_of(MFN(n));

        if (f && f->use != FRAME_DEVICE)
            return false;
    }
    return true;
}

s64 devices_permit_memory(struct domain *d, u64 first, u64 count, bool allow)
{
    s64 error;

    if (!count || count > FRAMES_PER_CALL || first + count < first ||
        !is_device_memory(first, count))
        return fail(-XEN_EINVAL);
    spin_lock(&d->lock);
    error = permit(d->iomem, &d->iomem_used, first, first + count - 1, allow);
    spin_unlock(&d->lock);
    return error;
}

s64 devices_map_memory(struct domain *d, u64 gfn, u64 mfn, u64 count, bool add)
{
    s64 error = 0;

    if (!count || mfn + count < mfn || gfn + count < gfn)
        return fail(-XEN_EINVAL);
    if (count > FRAMES_PER_CALL)
        return fail(-XEN_E2BIG);
    if (add && !permitted(d->iomem, d->iomem_used, mfn, mfn + count - 1))
        return fail(-XEN_EPERM);
    for (u64 i = 0; i < count && !error; i++) {
        enum p2m_access access;
        mfn_t there;
        enum p2m_kind kind = p2m_look(d, GFN(gfn + i), &there, &access);

        if (add)
            error = kind == P2M_HOLE || kind == P2M_DEVICE
                        ? p2m_map(d, GFN(gfn + i), MFN(mfn + i), 0, P2M_DEVICE, P2M_RW)
                        : fail(-XEN_EBUSY);
        else if (kind == P2M_DEVICE && there.n == mfn + i)
            error = p2m_unmap(d, GFN(gfn + i));
    }
    return error;
}

s64 devices_permit_irq(struct domain *d, u32 irq, bool allow)
{
    if (irq >= DOMAIN_IRQS)
        return fail(-XEN_EINVAL);
    if (allow) {
        __atomic_or_fetch(&d->irqs, 1ull << irq, __ATOMIC_SEQ_CST);
        return 0;
    }
    if (__atomic_fetch_and(&d->irqs, ~(1ull << irq), __ATOMIC_SEQ_CST) & 1ull << irq)
        irq_route(irq, NULL);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine addresses and interrupt lines of a driver domain. On Osmosis the hypervisor says
 * where our pages lie; on the bare machine, and behind an IOMMU, they lie where we see them.
 */
#include "base/memory.h"
#include "guest/rt/event.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/virtio/device.h"
#include <xen/physdev.h>

/* Where pages of ours lie in the machine; false: not all of them lie anywhere. */
static bool look(const u8 *at, u32 count, u64 *address)
{
    struct osm_frames f = {.domid = DOMID_SELF,
                           .count = count,
                           .gfn = rt_physical(at) >> 12,
                           .buffer = (u64)address};
    bool all = true;

    if (rt_host() != RT_OSMOSIS) {
        for (u32 i = 0; i < count; i++)
            address[i] = f.gfn + i;
        return true;
    }
    memset(address, 0, count * sizeof(*address));
    if (hypercall_osmosis(OSM_OP_frames, &f))
        return false;
    for (u32 i = 0; i < count; i++)
        all &= address[i] != OSM_NO_FRAME;
    return all;
}

/* A page that nobody has written yet is not there, and one that was shared is not ours alone: both are
 * once they are written, if with what they hold. A device would not do that. */
static void make_ours(u8 *at, u32 count, const u64 *address)
{
    for (u32 i = 0; i < count; i++) {
        volatile u8 *first = at + (size_t)i * 4096;
        u8 held = *first;

        if (address[i] == OSM_NO_FRAME)
            *first = held;
    }
}

bool virtio_dma(void *at, u32 count, u64 *address)
{
    if (!look(at, count, address)) {
        make_ours(at, count, address);
        if (!look(at, count, address))
            return false;
    }
    for (u32 i = 0; i < count; i++)
        address[i] <<= 12;
    return true;
}

bool virtio_irq_bind(u64 irq, void (*fn)(void *arg, u32 port), void *arg)
{
    struct evtchn_bind_pirq op = {.pirq = (u32)irq};

    return hypercall_event_channel_op(EVTCHNOP_bind_pirq, &op) == 0 &&
           rt_event_handle(op.port, fn, arg);
}

void virtio_irq_done(u64 irq)
{
    struct physdev_eoi eoi = {.irq = (u32)irq};

    hypercall_physdev_op(PHYSDEVOP_eoi, &eoi);
}

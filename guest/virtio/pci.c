/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities of a virtio function (virtio 1.1, 4.1.4; linux/pci_regs.h, virtio_pci.h). The
 * firmware has placed its registers.
 */
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include "guest/rt/x86.h"
#include "guest/virtio/pci.h"

enum { ADDRESS = 0xcf8, DATA = 0xcfc, VENDOR = 0x1af4, MODERN = 0x1040, CAPABILITIES = 48 };
#define CONFIG_ENABLE 0x80000000u

u32 pci_get(u32 devfn, u32 reg)
{
    out32(ADDRESS, CONFIG_ENABLE | devfn << 8 | (reg & 0xfc));
    return in32(DATA) >> 8 * (reg & 3);
}

void pci_set16(u32 devfn, u32 reg, u16 value)
{
    u32 shift = 8 * (reg & 2), now = pci_get(devfn, reg & ~3u);

    out32(ADDRESS, CONFIG_ENABLE | devfn << 8 | (reg & 0xfc));
    out32(DATA, (now & ~(0xffffu << shift)) | (u32)value << shift);
}

/* What a base address register holds; 0: ports, or nothing. */
u64 pci_base(u32 devfn, u32 bar)
{
    u32 reg = PCI_BASE_ADDRESS_0 + 4 * bar, low = bar < 6 ? pci_get(devfn, reg) : 1;

    if (low & PCI_BASE_ADDRESS_SPACE_IO)
        return 0;
    if ((low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
        return (u64)pci_get(devfn, reg + 4) << 32 | (low & ~15u);
    return low & ~15u;
}

/* One vendor capability of the function: which registers it places, and where. */
static void note(u32 devfn, u32 cap, struct virtio_place *p)
{
    u64 *where[] = {[VIRTIO_PCI_CAP_COMMON_CFG] = &p->common,
                    [VIRTIO_PCI_CAP_NOTIFY_CFG] = &p->notify,
                    [VIRTIO_PCI_CAP_ISR_CFG] = &p->isr,
                    [VIRTIO_PCI_CAP_DEVICE_CFG] = &p->config};
    u32 type = pci_get(devfn, cap + VIRTIO_PCI_CAP_CFG_TYPE) & 0xff;
    u64 at = pci_base(devfn, pci_get(devfn, cap + VIRTIO_PCI_CAP_BAR) & 0xff);

    if (type >= ARRAY_SIZE(where) || !where[type] || *where[type] || !at)
        return;
    *where[type] = at + pci_get(devfn, cap + VIRTIO_PCI_CAP_OFFSET);
    if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
        p->multiplier = pci_get(devfn, cap + VIRTIO_PCI_NOTIFY_CAP_MULT);
}

u32 pci_capability(u32 devfn, u32 id, u32 after)
{
    u32 cap = pci_get(devfn, after ? after + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST) & 0xfc;

    for (u32 i = 0; cap && i < CAPABILITIES; i++) {
        if ((pci_get(devfn, cap) & 0xff) == id)
            return cap;
        cap = pci_get(devfn, cap + PCI_CAP_LIST_NEXT) & 0xfc;
    }
    return 0;
}

bool pci_virtio(u32 devfn, struct virtio_place *p)
{
    u32 id = pci_get(devfn, PCI_VENDOR_ID), cap = 0;

    *p = (struct virtio_place){.common = 0};
    if ((id & 0xffff) != VENDOR)
        return false;
    /* A device that also speaks the old protocol has its type as subsystem. */
    p->type = id >> 16 >= MODERN ? (id >> 16) - MODERN
                                 : pci_get(devfn, PCI_SUBSYSTEM_ID) & 0xffff;
    p->irq = pci_get(devfn, PCI_INTERRUPT_LINE) & 0xff;
    for (u32 i = 0; i < CAPABILITIES; i++) {
        cap = pci_capability(devfn, PCI_CAP_ID_VNDR, cap);
        if (!cap)
            break;
        note(devfn, cap, p);
    }
    return p->common && p->notify && p->isr && p->config;
}

void pci_enable(u32 devfn, bool on)
{
    u32 off = PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE;
    u32 command = (pci_get(devfn, PCI_COMMAND) & ~off) | PCI_COMMAND_MEMORY;

    pci_set16(devfn, PCI_COMMAND, (u16)(command | (on ? (u32)PCI_COMMAND_MASTER : 0)));
}

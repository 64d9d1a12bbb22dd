/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI-X (PCI 3.0, 6.8.2; linux/pci_regs.h): a function that strikes writes `data` to `address`. An
 * address of this range reaches a local APIC, the data being the vector (AMD APM volume 2, 16.12).
 */
#include <linux/pci_regs.h>
#include "guest/rt/map.h"
#include "guest/rt/native.h"
#include "guest/rt/trap.h"
#include "guest/rt/x86.h"
#include "guest/virtio/message.h"
#include "guest/virtio/pci.h"

enum { VECTOR_FIRST = 0x40, MOST = 8, PAGE = 4096 };
#define LOCAL_APIC 0xfee00000u

struct entry {
    u32 address, address_high, data, control;
};

static struct {
    void (*fn)(void *arg);
    void *arg;
} bound[MOST];
static u32 count;

static void on_message(struct rt_frame *f)
{
    u64 number = f->vector - VECTOR_FIRST;

    native_interrupt_done();
    bound[number].fn(bound[number].arg);
}

static volatile struct entry *table(u32 devfn, u32 cap)
{
    u32 where = pci_get(devfn, cap + PCI_MSIX_TABLE);
    u64 base = pci_base(devfn, where & PCI_MSIX_TABLE_BIR), at;

    at = base + (where & PCI_MSIX_TABLE_OFFSET);
    return base && rt_map_range(at & ~(PAGE - 1ull), PAGE, true) ? rt_at(at) : NULL;
}

static bool bind(u32 devfn, void (*fn)(void *arg), void *arg)
{
    u32 cap = pci_capability(devfn, PCI_CAP_ID_MSIX, 0);
    volatile struct entry *e = cap ? table(devfn, cap) : NULL;
    u16 flags;

    if (!e || count == MOST)
        return false;
    bound[count].fn = fn;
    bound[count].arg = arg;
    rt_trap_set(VECTOR_FIRST + count, on_message);
    flags = (u16)(pci_get(devfn, cap + PCI_MSIX_FLAGS) | PCI_MSIX_FLAGS_ENABLE);
    pci_set16(devfn, cap + PCI_MSIX_FLAGS, flags | PCI_MSIX_FLAGS_MASKALL);
    e->address = LOCAL_APIC | (cpuid(1, 0).ebx >> 24) << 12;
    e->address_high = 0;
    e->data = VECTOR_FIRST + count++;
    e->control = 0;
    pci_set16(devfn, cap + PCI_MSIX_FLAGS, flags & (u16)~PCI_MSIX_FLAGS_MASKALL);
    return true;
}

bool pci_virtio_take(u32 devfn, u64 type, struct virtio_place *p, void (*fn)(void *arg),
                     void *arg)
{
    if (!pci_virtio(devfn, p) || p->type != type)
        return false;
    pci_enable(devfn, true);
    p->message = bind(devfn, fn, arg);
    return true;
}

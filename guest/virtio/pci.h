/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio functions on PCI's first bus, by configuration mechanism 1: for the control domain,
 * which gives them away, and the bare machine.
 */
#ifndef GUEST_VIRTIO_PCI_H
#define GUEST_VIRTIO_PCI_H

#include "guest/virtio/device.h"

enum { PCI_PORTS = 0xcf8, PCI_PORT_COUNT = 8, PCI_FUNCTIONS = 256 };

/* Where the registers of function `devfn` (device * 8 + function) are; false: there is no
 * virtio 1.x device whose registers are memory. */
bool pci_virtio(u32 devfn, struct virtio_place *p);
/* The registers of function `devfn`: 32 bits, and 16 of them. */
u32 pci_get(u32 devfn, u32 reg);
void pci_set16(u32 devfn, u32 reg, u16 value);
/* Where base address register `bar` puts memory; 0: nowhere. */
u64 pci_base(u32 devfn, u32 bar);
/* The next capability of that kind behind `after`, or of all behind 0; 0: none. */
u32 pci_capability(u32 devfn, u32 id, u32 after);
/* Lets the function answer to its addresses and reach memory, or not reach it any more. */
void pci_enable(u32 devfn, bool on);

#endif

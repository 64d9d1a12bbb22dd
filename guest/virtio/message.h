/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of PCI functions on the bare machine: each a message of its own, so that no routing of
 * lines has to be known.
 */
#ifndef GUEST_VIRTIO_MESSAGE_H
#define GUEST_VIRTIO_MESSAGE_H

#include "guest/virtio/device.h"

/* Takes the virtio function `devfn` if it is of that type: it reaches memory from now on, and the
 * first of its messages calls `fn`, inside rt_wait or out of ring 3. p->message is false where it
 * sends none, or as many functions as can be are bound already. */
bool pci_virtio_take(u32 devfn, u64 type, struct virtio_place *p, void (*fn)(void *arg),
                     void *arg);

#endif

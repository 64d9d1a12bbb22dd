/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of PCI functions on the bare machine: each a message of its own, so that no routing of
 * lines has to be known.
 */
#ifndef GUEST_VIRTIO_MESSAGE_H
#define GUEST_VIRTIO_MESSAGE_H

#include "base/types.h"

/* The first of the function's messages calls `fn`, inside rt_wait or out of ring 3. False: it sends
 * none, or as many functions as can be are bound already. */
bool pci_message(u32 devfn, void (*fn)(void *arg), void *arg);

#endif

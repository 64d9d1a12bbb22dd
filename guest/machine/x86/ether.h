/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network devices of the bare machine: virtio-net functions of PCI's first bus, each as a vif
 * that needs no store.
 */
#ifndef GUEST_MACHINE_X86_ETHER_H
#define GUEST_MACHINE_X86_ETHER_H

#include "splitdrv/vif.h"

enum { ETHERS = 4 };

/* Finds them and takes the frames they need; how many there are. */
u32 ether_open(void);
struct vif *ether_vif(u32 number);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The node's disks: vbds in a domain, virtio-blk on the bare machine.
 */
#ifndef GUEST_MACHINE_X86_DISK_H
#define GUEST_MACHINE_X86_DISK_H

#include "base/types.h"

/* Finds them, and sets x86.disks if there are any: else the others are not to be called. In a
 * domain after the store is there; natively on PCI. */
void x86_disks_open(void);
/* True when there is reason to call x86_disks_poll now: cheap, for the way back to a program. */
bool x86_disks_want(void);
/* Takes answers; processes may have become ready. */
void x86_disks_poll(void);
/* Before sleeping. False: something came in. *deadline becomes earlier where a device has to be
 * looked at again. */
bool x86_disks_rest(u64 *deadline);

/* splitdrv/device.h, for all of them; virtio devices cannot be suspended. */
void x86_disks_leave(void);
bool x86_disks_alone(void);
void x86_disks_suspend(void);
void x86_disks_resume(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks that are devices of the machine: virtio-blk functions the domain was given.
 */
#ifndef SPLITDRV_DISKS_DEVICE_H
#define SPLITDRV_DISKS_DEVICE_H

#include "splitdrv/disks/disk.h"

/* Makes the function named in the store ("5-0") the disk's device. False, and said: it cannot
 * be used. */
bool device_open(struct disk *d, const char *function);
/* Takes the answers that have come. */
void devices_run(void);
/* Tells the devices what was begun. False: an interrupt came meanwhile, call devices_run. */
bool devices_flush(void);

#endif

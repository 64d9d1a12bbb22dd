/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of the host that demos-fs uses as a disk.
 */
#ifndef GUEST_SERVERS_FS_TOOL_DISK_H
#define GUEST_SERVERS_FS_TOOL_DISK_H

#include "guest/servers/fs/disk.h"

struct disk {
    int fd;
};

#endif

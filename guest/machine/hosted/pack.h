/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bundles (guest/machine/bundle.h) on the host: read from a file, or made from a directory
 * of program files and a few commands.
 */
#ifndef GUEST_MACHINE_HOSTED_PACK_H
#define GUEST_MACHINE_HOSTED_PACK_H

#include "base/types.h"

enum { PACK_RUNS = 32 };

struct pack {
    u8 *bytes;
    size_t len, room;
    char error[300]; /* the file that could not be read */
};

/* False: errno says why. */
bool pack_read(struct pack *p, const char *file);
/* All regular files of `directory` (init among them) and the commands as boot list. */
bool pack_programs(struct pack *p, const char *directory, const char *const *runs, u32 count);
void pack_free(struct pack *p);

#endif

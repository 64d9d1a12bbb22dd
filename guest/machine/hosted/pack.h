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

/* False, in all of these: errno says why. */

/* A whole file. */
bool pack_read(struct pack *p, const char *file);
bool pack_write(const struct pack *p, const char *file);
/* One line of a boot list behind those that `p` has. */
bool pack_line(struct pack *p, const char *line);
/* A bundle of all regular files of `directory` (init among them) and the boot list. */
bool pack_programs(struct pack *p, const char *directory, const struct pack *list);
void pack_free(struct pack *p);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bundle: the program files of one node and the list of what to start, in one module.
 *
 * It is a cpio archive in the "newc" form, as `cpio -o -H newc` writes it. The member
 * named `boot` is text: each line is one process to start, a program's name followed by
 * its arguments, separated by blanks; `#` opens a comment. Whoever supplies the module is
 * not trusted: every access stays inside its bytes.
 */
#ifndef GUEST_MACHINE_BUNDLE_H
#define GUEST_MACHINE_BUNDLE_H

#include "base/types.h"

enum { BUNDLE_NAME_MAX = 64, BUNDLE_ARGS_MAX = 16, BUNDLE_LINE_MAX = 512 };

struct bundle {
    const u8 *bytes;
    size_t len;
};

struct bundle_file {
    const char *name; /* NUL-terminated, inside the archive */
    const u8 *data;
    size_t len;
    size_t next; /* where the walk goes on; private */
};

/* One line of the boot list, split in place in `text`. */
struct bundle_command {
    char text[BUNDLE_LINE_MAX];
    char *args[BUNDLE_ARGS_MAX]; /* args[0] is the program's name */
    u32 count;
};

/* Walks the regular members; start with *file all zero. False at the end or where the
 * archive stops making sense. */
bool bundle_next(const struct bundle *b, struct bundle_file *file);
/* The member of that name; false when there is none. */
bool bundle_find(const struct bundle *b, const char *name, struct bundle_file *file);
/* The next command at or after *at, which moves behind it. False at the end of the list;
 * lines that are too long or have too many words set *why and are passed over as ends. */
bool bundle_command(const struct bundle_file *list, size_t *at, struct bundle_command *c,
                    const char **why);

#endif

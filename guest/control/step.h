/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of a plan or of the command port: its tag, its condition, and where its command
 * begins.
 */
#ifndef GUEST_CONTROL_STEP_H
#define GUEST_CONTROL_STEP_H

#include "guest/control/words.h"

enum step_kind { STEP_NOW, STEP_AT, STEP_EXIT, STEP_OUTPUT, STEP_STORE, STEP_TRACE };

/* Which record of a domain's trace: the `left`-th from now of that type, and of that a. */
struct record_wanted {
    u64 left, a;
    u16 type;
    bool any_a;
};

struct step {
    u8 kind; /* enum step_kind, of the first condition */
    u64 at_ns;
    const char *tag;            /* NULL: none; this and the next two lie in the words */
    const char *object, *value; /* name and text, or path and value */
    struct record_wanted record;
    u32 first; /* index of the word behind that condition */
};

/* Reads the words before the command, of which the first condition is told. False: *why says what is
 * wrong with them. */
bool step_read(struct step *s, const struct words *w, const char **why);
/* Whether another condition begins at this word, and no command. */
bool step_waits(const struct words *w, u32 first);

#endif

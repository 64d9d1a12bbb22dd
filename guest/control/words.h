/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command language's words: splitting a line (README.md, "The command language"),
 * options of the form key=value, and numbers with units.
 */
#ifndef GUEST_CONTROL_WORDS_H
#define GUEST_CONTROL_WORDS_H

#include "base/types.h"

enum { WORDS_LINE = 4000, WORDS_MOST = 96, NAME_MOST = 63 };

struct words {
    u32 count;
    const char *word[WORDS_MOST];  /* unquoted; for key=value the whole of it */
    const char *value[WORDS_MOST]; /* behind the first unquoted '=', or NULL */
    u32 key_len[WORDS_MOST];       /* of what is before it */
    u32 at[WORDS_MOST];            /* where it begins in the line */
    bool taken[WORDS_MOST];
    char text[WORDS_LINE + WORDS_MOST + 1];
};

/* False when the line cannot be split; *why says so. An empty line has no words. */
bool words_split(struct words *w, const char *line, size_t len, const char **why);
/* The next option key= at or after *at, which moves behind it; NULL when there is none. */
const char *words_next(struct words *w, const char *key, u32 *at);
/* The only option key=; NULL when there is none. */
const char *words_option(struct words *w, const char *key);
/* The first word from `from` on that nobody asked for, or NULL. */
const char *words_left(const struct words *w, u32 from);

/* All accept decimal and 0x; false when the text is something else or too large. */
bool words_number(const char *text, u64 *value);
bool words_size(const char *text, u64 *bytes); /* K, M, G */
bool words_time(const char *text, u64 *ns);    /* ns, us, ms, s, m */
bool words_name(const char *text);             /* fit to name a domain */

#endif

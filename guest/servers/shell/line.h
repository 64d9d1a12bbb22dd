/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line as it is typed, key by key, with earlier lines to go back to; and what the terminal is
 * to show for it. Pure: bytes in, bytes out.
 *
 * A terminal that shows nothing of its own says so (LINE_EDITS) and takes it back (LINE_PLAIN);
 * without, whole lines come that somebody else has shown, and nothing is echoed.
 */
#ifndef GUEST_SERVERS_SHELL_LINE_H
#define GUEST_SERVERS_SHELL_LINE_H

#include "base/types.h"

enum { LINE_MAX = 512, LINE_HISTORY = 32, LINE_PROMPT = 16 };
enum { LINE_EDITS = 30, LINE_PLAIN = 31 }; /* control characters that are no keys here */
/* The most that one key makes a terminal show. */
enum { LINE_ECHO = LINE_MAX + LINE_PROMPT + 32 };

struct line {
    const char *prompt;
    bool edits;
    char text[LINE_MAX]; /* ends with a NUL */
    u32 len, at;         /* at: where the cursor is */
    u8 escaped, number;  /* of a sequence that has begun: its step, its number */
    char history[LINE_HISTORY][LINE_MAX]; /* a ring */
    u32 kept, back;                       /* lines ever kept; how far back is shown */
    char echo[LINE_ECHO];
    u32 echoed;
};

/* `prompt`: fewer than LINE_PROMPT bytes; has been shown whenever a line begins. */
void line_init(struct line *l, const char *prompt);
/* One key; `echo` has what to show. True: `text` is a line; line_next before the next key. */
bool line_key(struct line *l, u8 key);
void line_next(struct line *l);

#endif

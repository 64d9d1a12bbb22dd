/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for links: what a switchboard is asked, and the common questions as functions.
 *
 * Bodies are words. Over the link "switchboard", each line says: words after the
 * operation, then links that travel -> words after the result, then links of the answer.
 * An entry lasts as long as its entry link: when that is destroyed, by hand or with its
 * holder, the name is gone.
 */
#ifndef GUEST_LIB_SWITCHBOARD_H
#define GUEST_LIB_SWITCHBOARD_H

#include "guest/lib/words.h"

enum switchboard_op {
    /* name as 3 words, flags; [link, which must have DUP] -> ; entry link. Each FIND gets a
     * copy. DEMOS_E_STATE: the name is taken; DEMOS_E_ALLOWED: no DUP. */
    SWITCHBOARD_ANNOUNCE = 1,
    /* name, flags; [link] -> ; entry link. Any number of one name; each FIND takes one. */
    SWITCHBOARD_POST = 2,
    /* name, flags -> 1 if it was posted and is now taken, else 0, then the name; link. DEMOS_E_REFUSED:
     * nobody has announced it (that you may find). */
    SWITCHBOARD_FIND = 3,
    /* Over an entry link: the entry goes. */
    SWITCHBOARD_REMOVE = 4,
    /* Index of the first wanted -> how many there are, then for each of at most SWITCHBOARD_ROWS:
     * name, enum switchboard_row. Only over the owner's link, else DEMOS_E_ALLOWED. */
    SWITCHBOARD_LIST = 5,
};

enum switchboard_row {
    SWITCHBOARD_ANNOUNCED = 1,
    SWITCHBOARD_POSTED = 2,
    SWITCHBOARD_WANTED = 3
};
enum { SWITCHBOARD_ROWS = 15 };

enum switchboard_flags {
    SWITCHBOARD_WAIT = 1,    /* FIND: the answer may come when somebody announces the name */
    SWITCHBOARD_PRIVATE = 2, /* ANNOUNCE, POST: found over the owner's link only */
    SWITCHBOARD_GLOBAL = 4,  /* all: not here, but at the switchboard above, if there is one */
};

/* Entry link, or an error. The announced link stays ours; a posted one is gone unless DUP. */
s64 demos_announce(const char *name, s64 link, u32 flags);
s64 demos_post(const char *name, s64 link, u32 flags);
/* The link of that name, or an error. */
s64 demos_find(const char *name, u32 flags);
/* The same with a switchboard of one's choice. */
s64 switchboard_ask(s64 board, enum switchboard_op op, const char *name, u32 flags, s64 link);

#endif

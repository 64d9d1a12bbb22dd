/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the file system's processes say to each other, in words. Who uses files sees nothing
 * of it: guest/lib/file.h.
 *
 * Requests of users travel with the link that answers them: from the request interpreter to
 * the directory manager, and for an open file on to the buffer manager, which answers the
 * user. So nobody but the directory manager ever waits for another, and that only for names
 * it does not have in memory.
 */
#ifndef GUEST_SERVERS_FILES_BUFFERS_H
#define GUEST_SERVERS_FILES_BUFFERS_H

#include "guest/lib/words.h"
#include "guest/servers/fs/store.h"

/* Over the buffer manager's link. */
enum store_op {
    STORE_STATE = 1,  /* -> rows of the file table */
    STORE_LOOK = 2,   /* file -> kind, generation, size */
    STORE_READ = 3,   /* file, offset, len up to STORE_PIECE -> bytes, and they follow */
    STORE_CHANGE = 4, /* steps -> kind, generation, size, number of the file that was made */
    /* General messages with the user's reply link; the user is answered as file.h says. */
    STORE_OPEN = 16,  /* file, flags, whose request it is */
    STORE_SYNC = 17,  /* */
    STORE_QUOTA = 18, /* owner, blocks */
    STORE_USED = 19,  /* owner */
};
enum { STORE_PIECE = 4096 };

/* Over the directory manager's link go general messages with the user's reply link: a word
 * that says whose request it is, then the request as the user sent it. */

/* A step as fourteen words. */
static inline void step_put(struct words *w, const struct store_step *s)
{
    words_put(w, s->op);
    words_put(w, s->kind);
    words_put(w, s->names);
    words_put(w, s->file);
    words_put(w, s->owner);
    words_put(w, s->offset);
    for (u32 i = 0; i < FS_ENTRY / 8; i++)
        words_put(w, be64_get(s->bytes + 8 * i));
}

static inline void step_get(struct words *w, struct store_step *s)
{
    u64 op = words_get(w), kind = words_get(w);

    s->op = (enum store_step_op)MIN(op, (u64)STEP_OPS);
    s->kind = (enum fs_kind)MIN(kind, (u64)FS_DYING);
    s->names = words_get(w) != 0;
    s->file = (u32)words_get(w);
    s->owner = (u32)words_get(w);
    s->offset = words_get(w);
    for (u32 i = 0; i < FS_ENTRY / 8; i++)
        be64_put(s->bytes + 8 * i, words_get(w));
}

#endif

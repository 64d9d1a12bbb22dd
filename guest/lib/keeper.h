/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping pages: the keeper's side of guest/kernel/keeper.h, and mapping what another keeps.
 *
 * A keeper makes a general link with DEMOS_DUP and DEMOS_GIVE for each object, gives it to those
 * who may map it, and feeds what comes over it to keeper_read. The simplest one only knows
 * how to get and to put a page: keeper_serve does the rest.
 */
#ifndef GUEST_LIB_KEEPER_H
#define GUEST_LIB_KEEPER_H

#include "guest/kernel/keeper.h"
#include "guest/lib/words.h"

enum { KEEPER_PAGE_MAX = 16384 };

/* What a kernel says. */
struct keeper_word {
    u64 op;                     /* enum keeper_op */
    u64 code;                   /* of the object's link: which of ours */
    u64 object;                 /* the kernel's number for it */
    u64 offset, length, access; /* INIT: length is the size of a page */
    s64 frame;                  /* REQUEST, WRITE; destroyed when we are done with it */
    s64 request, name;          /* INIT: links to the kernel, ours from now on */
};
void keeper_read(struct keeper_word *k, const void *body, size_t len,
                 const struct demos_info *info);
/* The page that a REQUEST is for, and the end of that request; 0 or an error. */
int keeper_provide(const struct keeper_word *k, const void *bytes);
/* The bytes of a WRITE, and the frame is the kernel's again; 0 or an error. */
int keeper_take(const struct keeper_word *k, void *bytes);
/* Something to the kernel over the link that INIT brought. `more`: lock, or 1 of CACHE. */
int keeper_say(s64 request, enum keeper_op op, u64 offset, u64 length, u64 more);
/* DATA with its bytes in the message: asked or not; at most 60 KiB. */
int keeper_data(s64 request, u64 offset, const void *bytes, size_t len, u64 lock);

/* A keeper that gets and puts pages of `length` bytes; `get` answers false where it has none. */
struct keeper {
    bool (*get)(struct keeper *k, u64 code, u64 offset, u8 *page, u64 length);
    void (*put)(struct keeper *k, u64 code, u64 offset, const u8 *page, u64 length);
};
/* Serves one word of a kernel's. */
void keeper_serve(struct keeper *k, const void *body, size_t len,
                  const struct demos_info *info);

/* A server that keeps pages: offers its creator a link to `service`, hands what is asked there
 * to `user`, and what comes over links of objects, on `pages`, to `kernel`. Until receiving
 * fails: a status for main. */
int keeper_run(u32 service, u32 pages, void (*user)(struct words *w, const struct demos_info *),
               void (*kernel)(const void *body, size_t len, const struct demos_info *));

/* Shows an object in the memory of the process that `control` leads to. */
struct keeper_view {
    u64 base, len, offset; /* whole pages */
    u64 protection;        /* enum region_protection: 1 read, 2 write, 4 execute */
    enum keeper_silence silence;
    u64 patience_ns;
};
s64 keeper_map(s64 control, s64 object, const struct keeper_view *view);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bodies made of big-endian 64-bit words, as kernels and servers speak
 * (guest/kernel/control.h): building a request, calling, and reading the answer.
 */
#ifndef GUEST_LIB_WORDS_H
#define GUEST_LIB_WORDS_H

#include "base/bytes.h"
#include "guest/lib/demos.h"

enum { WORDS_MAX = 64 };

struct words {
    u32 count; /* of words; reading: how many there are */
    u32 at;    /* reading: the next one */
    u8 bytes[WORDS_MAX * 8];
};

static inline void words_start(struct words *w, u64 first)
{
    w->count = 1;
    w->at = 0;
    be64_put(w->bytes, first);
}

/* Ignored when there is no room: the answer will say that something was missing. */
static inline void words_put(struct words *w, u64 word)
{
    if (w->count < WORDS_MAX)
        be64_put(w->bytes + 8 * w->count++, word);
}

/* The next word, 0 behind the end. */
static inline u64 words_get(struct words *w)
{
    return w->at < w->count ? be64_get(w->bytes + 8 * w->at++) : 0;
}

/* A name of DEMOS_NAME_MAX bytes as three words. */
void words_put_name(struct words *w, const char *name);
void words_get_name(struct words *w, char name[DEMOS_NAME_MAX + 1]);

/* Reads a received body of `len` bytes. */
void words_read(struct words *w, const void *body, size_t len);
/*
 * Sends the words as a request and waits; then `w` holds the answer, read past its first
 * word, which is the result. `links` of `count` are passed; *got (may be NULL) is the
 * answer's first link, 0 if it had none; further ones are dropped.
 */
s64 words_call(s64 link, struct words *w, const s64 *links, u32 count, s64 *got);
/* The same with everything the answer's info says. */
s64 words_call_info(s64 link, struct words *w, struct demos_info *info);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and answers in words.
 */
#include "guest/lib/words.h"

void words_put_name(struct words *w, const char *name)
{
    u8 padded[DEMOS_NAME_MAX] = {0};

    memcpy(padded, name, strnlen(name, sizeof padded));
    for (u32 i = 0; i < sizeof padded; i += 8)
        words_put(w, be64_get(padded + i));
}

void words_get_name(struct words *w, char name[DEMOS_NAME_MAX + 1])
{
    for (u32 i = 0; i < DEMOS_NAME_MAX; i += 8)
        be64_put(name + i, words_get(w));
    name[DEMOS_NAME_MAX] = '\0';
}

void words_read(struct words *w, const void *body, size_t len)
{
    w->count = (u32)(MIN(len, sizeof w->bytes) / 8);
    w->at = 0;
    if (body != w->bytes)
        memcpy(w->bytes, body, 8 * w->count);
}

s64 words_call_info(s64 link, struct words *w, struct demos_info *info)
{
    s64 got = demos_call_info(link, w->bytes, 8 * w->count, w->bytes, sizeof w->bytes, info);

    if (got < 0) {
        w->count = 0;
        info->count = 0; /* what was to be passed is still ours */
        return got;
    }
    words_read(w, w->bytes, (size_t)got);
    if (w->count == 0)
        return DEMOS_E_REFUSED;
    return (s64)words_get(w);
}

s64 words_call(s64 link, struct words *w, const s64 *links, u32 count, s64 *got)
{
    struct demos_info info = {.count = (u8)count};
    s64 result;

    for (u32 i = 0; i < MIN(count, (u32)DEMOS_LINKS_MAX); i++)
        info.links[i] = links[i];
    result = words_call_info(link, w, &info);
    if (got)
        *got = 0;
    for (u32 i = 0; i < info.count; i++) {
        if (i == 0 && got)
            *got = info.links[0];
        else
            demos_link_drop(info.links[i]);
    }
    return result;
}

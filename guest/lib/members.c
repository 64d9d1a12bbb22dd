/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking a memory manager.
 */
#include "guest/lib/members.h"

s64 members_list(s64 memory, u64 first, struct member_row rows[MEMBERS_ROWS], u32 *count)
{
    struct words w;
    s64 result;
    u64 total;

    *count = 0;
    words_start(&w, MEMBERS_LIST);
    words_put(&w, first);
    result = words_call(memory, &w, NULL, 0, NULL);
    if (result < 0)
        return result;
    total = words_get(&w);
    while (*count < MEMBERS_ROWS && w.at + MEMBERS_WORDS <= w.count) {
        struct member_row *r = &rows[(*count)++];

        r->machine = words_get(&w);
        r->epoch = words_get(&w);
        r->alive = words_get(&w);
        r->ready = words_get(&w);
        r->processes = words_get(&w);
        r->free = words_get(&w);
    }
    return (s64)total;
}

s64 members_kernel(s64 memory, u64 *machine)
{
    struct words w;
    s64 result, link = 0;

    words_start(&w, MEMBERS_KERNEL);
    words_put(&w, *machine);
    result = words_call(memory, &w, NULL, 0, &link);
    if (result < 0)
        return result;
    *machine = words_get(&w);
    return link > 0 ? link : DEMOS_E_REFUSED;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Posting and finding, question by question: nobody keeps a request waiting.
 */
#include "guest/lib/names.h"
#include "guest/kernel/control.h"

enum { ASK_AGAIN_NS = 5000000 };

int names_post(const char *name, s64 link)
{
    struct words w;

    words_start(&w, NAMES_POST);
    words_put_name(&w, name);
    return (int)words_call(demos_link("names"), &w, &link, 1, NULL);
}

s64 names_find(u64 machine, const char *name)
{
    struct words w;
    s64 there, link, result;

    words_start(&w, NAMES_OTHER);
    words_put(&w, machine);
    result = words_call(demos_link("names"), &w, NULL, 0, &there);
    if (result < 0)
        return result;
    for (;;) {
        words_start(&w, NAMES_FIND);
        words_put_name(&w, name);
        result = words_call(there, &w, NULL, 0, &link);
        if (result != DEMOS_E_REFUSED)
            break;
        demos_sleep_ns(ASK_AGAIN_NS);
    }
    demos_link_drop(there);
    return result < 0 ? result : link;
}

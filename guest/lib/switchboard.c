/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Announcing and finding links by name.
 */
#include "guest/lib/switchboard.h"

s64 switchboard_ask(s64 board, enum switchboard_op op, const char *name, u32 flags, s64 link)
{
    struct words w;
    s64 result, got;

    words_start(&w, op);
    words_put_name(&w, name);
    words_put(&w, flags);
    result = words_call(board, &w, &link, link > 0, &got);
    if (result < 0) {
        if (got > 0)
            demos_link_drop(got);
        return result;
    }
    return got > 0 ? got : DEMOS_E_REFUSED;
}

/* A node's own switchboard may not know the cluster's yet, to which this goes. */
s64 demos_announce(const char *name, s64 link, u32 flags)
{
    enum { PAUSE_NS = 10000000, TRIES = 1000 };
    s64 board = demos_link("switchboard"), entry = DEMOS_E_FULL;

    for (u32 tries = 0; entry == DEMOS_E_FULL && tries < TRIES; tries++) {
        if (tries)
            demos_sleep_ns(PAUSE_NS);
        entry = switchboard_ask(board, SWITCHBOARD_ANNOUNCE, name, flags, link);
    }
    return entry;
}

s64 demos_post(const char *name, s64 link, u32 flags)
{
    return switchboard_ask(demos_link("switchboard"), SWITCHBOARD_POST, name, flags, link);
}

s64 demos_find(const char *name, u32 flags)
{
    s64 board = demos_link("switchboard"), link;

    do
        link = switchboard_ask(board, SWITCHBOARD_FIND, name, flags, 0);
    while (link == DEMOS_E_FULL && flags & SWITCHBOARD_WAIT);
    return link;
}

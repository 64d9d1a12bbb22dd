/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that this manager has made on its machine, as long as they are there: copies
 * of their control links. A process counts as load from its creation on: whoever loads it
 * takes its time.
 */
#include "guest/servers/process/manager.h"

enum { MADE_MAX = 64, NODE_READY = 9 /* which word of KERNEL_OP_NODE's answer */ };

static struct made {
    s64 control; /* 0: free */
    bool loading;
} made[MADE_MAX];

static void keep(s64 control)
{
    for (u32 i = 0; i < MADE_MAX; i++) {
        if (made[i].control)
            continue;
        made[i] = (struct made){demos_link_dup(control), true};
        return;
    }
}

s64 made_here(struct words *w, s64 watch, s64 *control)
{
    struct words request = *w;
    s64 result;

    be64_put(request.bytes, KERNEL_OP_CREATE);
    result = words_call(demos_link("kernel"), &request, &watch, watch > 0, control);
    if (result >= 0 && *control > 0)
        keep(*control);
    return result;
}

/* Its state, DEMOS_E_DEAD when it has ended; then it is forgotten. */
static s64 state_of(struct made *m)
{
    struct demos_listing l;
    s64 result = process_info(m->control, &l, NULL);

    if (result >= 0) {
        m->loading = l.state == DEMOS_NEW;
        return (s64)l.state;
    }
    demos_link_drop(m->control);
    *m = (struct made){0};
    return result;
}

u64 made_load(void)
{
    struct words w;
    u64 loading = 0, ready = 0;

    /* In this order: one that is started in between counts twice rather than not at all. */
    for (u32 i = 0; i < MADE_MAX; i++)
        loading += made[i].control && made[i].loading && state_of(&made[i]) == DEMOS_NEW;
    words_start(&w, KERNEL_OP_NODE);
    if (words_call(demos_link("kernel"), &w, NULL, 0, NULL) >= 0)
        for (u32 i = 0; i < NODE_READY; i++)
            ready = words_get(&w);
    return loading + ready;
}

bool made_give(u64 machine)
{
    for (u32 i = 0; i < MADE_MAX; i++) {
        struct words w;

        if (!made[i].control || state_of(&made[i]) != DEMOS_READY)
            continue;
        words_start(&w, CONTROL_MIGRATE);
        words_put(&w, machine);
        if (demos_request(made[i].control, w.bytes, 8 * w.count, 8, CHANNEL_MOVED, 0) < 0)
            continue;
        demos_link_drop(made[i].control); /* it is another's now */
        made[i] = (struct made){0};
        return true;
    }
    return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest/machine/place.h and the trace on the host, whose records are lines of text.
 */
#include <stdio.h>
#include "guest/machine/hosted/hosted.h"
#include "guest/machine/place.h"

struct frames *place_frames(struct node *n)
{
    return &((struct hosted *)node_owner(n))->frames;
}

struct machine_miss *place_miss(struct node *n)
{
    return &((struct hosted *)node_owner(n))->miss;
}

struct announcement *place_announcement(struct node *n)
{
    return &((struct hosted *)node_owner(n))->announcement;
}

u64 place_cycles(struct node *n, u64 *per_ms)
{
    (void)n;
    *per_ms = 1000000; /* the host's clock, which every host has */
    return hosted_clock_ns();
}

bool place_counts(struct node *n, u64 counts[3])
{
    (void)n, (void)counts;
    return false;
}

u64 place_features(struct node *n)
{
    (void)n;
    return 0;
}

void place_halt(struct node *n, s64 status)
{
    struct hosted *h = node_owner(n);

    h->halted = true;
    h->status = status;
}

void machine_trace(struct node *n, u16 type, u32 who, u64 a, u64 b)
{
    struct hosted *h = node_owner(n);

    if (h->trace)
        fprintf(h->trace, "%llu %04x %u %llx %llx\n", (unsigned long long)machine_now(n), type,
                who, (unsigned long long)a, (unsigned long long)b);
}

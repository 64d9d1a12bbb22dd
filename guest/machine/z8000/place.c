/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guest/machine/place.h asks of a node whose user processor sits on the board, in a domain
 * and on the host alike.
 */
#include "guest/machine/place.h"
#include "guest/machine/z8000/z8000.h"

struct frames *place_frames(struct node *n)
{
    return &z_machine(n)->frames;
}

struct announcement *place_announcement(struct node *n)
{
    return &z_machine(n)->announcement;
}

u64 place_cycles(struct node *n, u64 *per_ms)
{
    *per_ms = BOARD_HZ / 1000;
    return board_times(z_machine(n)->board).clocks;
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
    z_machine(n)->halted = true;
    z_machine(n)->status = status;
}

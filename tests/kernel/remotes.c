/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks into a network, in a file of its own: the kernel has its own idea of a peer.
 */
#include "tests/kernel/remotes.h"
#include "net/core.h"

u32 remote_processors(const struct net *n, size_t *bytes)
{
    u32 count = 0;

    *bytes = 0;
    for (u32 i = 0; i < n->route_buckets; i++) {
        for (const struct route *r = n->routes[i]; r; r = r->next) {
            if (!r->peer)
                continue;
            count++;
            *bytes += sizeof(*r->peer) + r->peer->queued + r->peer->held_bytes;
        }
    }
    return count;
}

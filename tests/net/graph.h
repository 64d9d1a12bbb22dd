/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random connected graphs of simulated nodes: a tree and some edges more, each edge a medium.
 */
#ifndef TESTS_NET_GRAPH_H
#define TESTS_NET_GRAPH_H

#include "tests/net/sim.h"

/*
 * Started nodes; edges[i], of nodes - 1 + extra, are the two ends of medium i, its ports 0 and
 * 1. Mixed: every kind of medium there is, else parallel lines of 200 kB/s. On an acknowledging
 * ether port 2 is nobody's: a recorder can be there.
 */
struct sim *graph_create(u32 nodes, u32 extra, u64 seed, bool mixed, u32 (*edges)[2]);
/* Whether all of at most 1,024 nodes still reach each other by edges that are not cut. */
bool graph_connected(u32 nodes, u32 count, u32 (*edges)[2], const bool *cut);
/* Short messages between nodes drawn by `salt`; how many were taken. */
u32 graph_traffic(struct sim *s, u32 messages, u64 salt);

#endif

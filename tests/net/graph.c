/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the graphs are drawn. An edge's choice is keyed by its number alone.
 */
#include "base/memory.h"
#include "tests/net/graph.h"

static void lay(struct sim *s, u32 i, bool mixed)
{
    static const struct {
        enum medium_kind kind;
        u32 ports;
        u64 rate;
    } media[] = {
        {MEDIUM_PARALLEL, 2, 200000},
        {MEDIUM_SERIAL, 2, 50000},
        {MEDIUM_ACK_ETHER, 3, 0},
        {MEDIUM_ETHER, 2, 0},
    };
    u32 which = mixed ? (u32)keyed_below(s->seed, 2000 + i, 0, ARRAY_SIZE(media)) : 0;

    sim_medium(s, i, media[which].kind, media[which].ports, media[which].rate);
}

struct sim *graph_create(u32 nodes, u32 extra, u64 seed, bool mixed, u32 (*edges)[2])
{
    struct sim *s = sim_create(nodes, nodes - 1 + extra, seed);

    for (u32 i = 0; i < nodes - 1 + extra; i++) {
        u32 a = i < nodes - 1 ? i + 1 : 0, b = 0, tries = 0;

        do {
            if (i >= nodes - 1)
                a = (u32)keyed_below(seed, 1000 + i, tries, nodes);
            b = (u32)keyed_below(seed, i, tries++, i < nodes - 1 ? i + 1 : nodes);
        } while (a == b || s->node[a].devices == SIM_DEVICES ||
                 s->node[b].devices == SIM_DEVICES);
        lay(s, i, mixed);
        sim_plug(s, a, i, 0);
        sim_plug(s, b, i, 1);
        edges[i][0] = a;
        edges[i][1] = b;
    }
    sim_start(s);
    return s;
}

bool graph_connected(u32 nodes, u32 count, u32 (*edges)[2], const bool *cut)
{
    u32 group[1024] = {1}, seen = 1;
    bool more = true;

    while (more) {
        more = false;
        for (u32 i = 0; i < count; i++) {
            u32 a = edges[i][0], b = edges[i][1];

            if (!cut[i] && group[a] != group[b]) {
                group[a] = group[b] = 1;
                seen++;
                more = true;
            }
        }
    }
    return seen == nodes;
}

u32 graph_traffic(struct sim *s, u32 messages, u64 salt)
{
    u32 taken = 0;

    for (u32 i = 0; i < messages; i++) {
        u32 from = (u32)keyed_below(s->seed, salt, 3 * i, s->nodes);
        u32 to = (u32)keyed_below(s->seed, salt, 3 * i + 1, s->nodes);

        if (from != to)
            taken += sim_send(s, from, to,
                              24 + (u32)keyed_below(s->seed, salt, 3 * i + 2, 600)) == NET_OK;
    }
    return taken;
}

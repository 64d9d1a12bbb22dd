/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the network says that is no business of the kernel's core: its trace, which joins
 * the kernel's own, and other machines' announcements, of which the latest is kept for
 * whoever asks the machine (the switchboard's location rides on them).
 */
#include "base/memory.h"
#include "guest/kernel/machine.h"
#include "guest/machine/place.h"
#include "net/net.h"

void net_up_trace(struct net *net, u16 type, u32 who, u64 a, u64 b)
{
    struct node *n = net_owner(net);

    if (n) /* asked for by NODE_TRACE: node.c */
        machine_trace(n, type, who, a, b);
}

void net_up_announce(struct net *net, machine_t from, const void *bytes, size_t len)
{
    struct announcement *a = place_announcement(net_owner(net));

    if (net_owner(net))
        node_announced(net_owner(net), bytes, len);
    if (len > sizeof a->bytes)
        return;
    a->from = from;
    a->len = (u32)len;
    memcpy(a->bytes, bytes, len);
}

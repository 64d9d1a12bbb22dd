/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has to hear of whom. That a machine came up, and where it is, concerns the machine itself, those who
 * talk with it or look for it, those who announce something and those who pass frames on; among a
 * thousand nodes that come up at once, nobody else need be woken a thousand times. What
 * announces something is for everybody.
 */
#include "net/core.h"

static u32 group(machine_t machine)
{
    return machine % NET_GROUPS;
}

void groups_want(struct net *n, machine_t machine)
{
    n->groups.changes += !net_group_in(n->groups.bit, group(machine));
    net_group_put(n->groups.bit, group(machine));
}

void groups_want_all(struct net *n)
{
    n->groups.changes += !n->groups.all;
    n->groups.all = true;
}

void groups_address(const struct nfsm *m, const u8 *f, u8 to[6])
{
    machine_t target = be32_get(f + FRAME_DST);

    if (!m->device->groups || (target == NET_EVERYBODY && be16_get(f + FRAME_BODY))) {
        address_copy(to, frame_everybody);
        return;
    }
    net_group_address(to, group(target == NET_EVERYBODY ? be32_get(f + FRAME_SRC) : target));
}

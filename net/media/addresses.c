/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which port has an Ethernet address: a table of chains through the ports, so that a frame finds the one
 * it is for among a thousand. Port i keeps the head of chain i; numbers are one more, 0 is none.
 */
#include "base/wide.h"
#include "net/frame.h"
#include "net/media/model.h"

static const u8 unknown[6];

static u32 *chain_of(const struct medium *m, const u8 address[6])
{
    u32 end = be32_get(address + 2);

    return &m->port[(end ^ end >> 16) % m->port_room].chain;
}

static void put_in(struct medium *m, u32 port)
{
    u32 *chain = chain_of(m, m->port[port].address);

    if (address_equal(m->port[port].address, unknown))
        return;
    m->port[port].next = *chain;
    *chain = port + 1;
}

static void take_out(struct medium *m, u32 port)
{
    u32 *at = chain_of(m, m->port[port].address);

    while (*at && *at != port + 1)
        at = &m->port[*at - 1].next;
    if (*at)
        *at = m->port[port].next;
}

void addresses_set(struct medium *m, u32 port, const u8 address[6])
{
    take_out(m, port);
    address_copy(m->port[port].address, address);
    put_in(m, port);
}

void addresses_again(struct medium *m)
{
    for (u32 i = 0; i < m->port_room; i++)
        m->port[i].chain = 0;
    for (u32 i = 0; i < m->config.ports; i++)
        put_in(m, i);
}

u32 addresses_find(const struct medium *m, const u8 address[6])
{
    u32 found = MEDIUM_ANY;

    for (u32 at = *chain_of(m, address); at; at = m->port[at - 1].next)
        if (address_equal(m->port[at - 1].address, address))
            found = MIN(found, at - 1);
    return found;
}

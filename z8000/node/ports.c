/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parallel ports, the serial line, and the disk behind its port. A byte takes the time
 * of its line; the next one leaves only when the other end has taken the last.
 */
#include "base/memory.h"
#include "z8000/node/node.h"

enum {
    PARALLEL_BYTES_PER_SECOND = 5000,
    SERIAL_BAUD = 19200,
    SERIAL_BITS = 10,
    DISK_LATENCY = NODE_HZ / 120, /* half a turn at 3,600 per minute */
    BYTE_IN = 0x80,
    CAN_SEND = 0x40,
};

void node_ports_init(struct node *n)
{
    for (unsigned i = 0; i < PORT_COUNT; i++)
        n->port[i] = (struct node_port){.clocks_per_byte = NODE_HZ / PARALLEL_BYTES_PER_SECOND};
    n->port[PORT_SERIAL].clocks_per_byte = NODE_HZ * SERIAL_BITS / SERIAL_BAUD;
    n->disk.latency = DISK_LATENCY;
}

static bool deliver(struct node *n, unsigned which, u8 byte)
{
    struct node_port *p = &n->port[which];

    if (p->full)
        return false;
    p->in = byte;
    p->full = true;
    p->bytes_in++;
    return true;
}

/* The disk's side: a request of three bytes, data after it for a write. */
static void disk_execute(struct node_disk *d, u64 clock)
{
    u32 block = (u32)d->request[1] << 8 | d->request[2];
    bool known = block < d->block_count;

    d->sent = 0;
    d->ready = clock + d->latency;
    if (d->request[0] == 'R') {
        d->reads++;
        if (known)
            memcpy(d->buffer, d->blocks + (size_t)block * NODE_BLOCK, NODE_BLOCK);
        d->buffer[NODE_BLOCK] = known ? 0 : 1;
        d->length = NODE_BLOCK + 1;
        d->got = 0;
    } else if (d->got == 3 + NODE_BLOCK) {
        d->writes++;
        if (known)
            memcpy(d->blocks + (size_t)block * NODE_BLOCK, d->buffer, NODE_BLOCK);
        d->buffer[0] = known ? 0 : 1;
        d->length = 1;
        d->got = 0;
    }
}

static void disk_take(struct node_disk *d, u8 byte, u64 clock)
{
    if (d->got < 3)
        d->request[d->got] = byte;
    else
        d->buffer[d->got - 3] = byte;
    d->got++;
    if (d->got == 3 && d->request[0] != 'R' && d->request[0] != 'W')
        d->got = 0;
    else if ((d->got == 3 && d->request[0] == 'R') || d->got == 3 + NODE_BLOCK)
        disk_execute(d, clock);
}

/* Bytes towards the kernel at the line's pace. */
static void disk_give(struct node *n, u64 clock)
{
    struct node_disk *d = &n->disk;

    if (d->sent < d->length && clock >= d->ready + n->port[PORT_DISK].clocks_per_byte &&
        deliver(n, PORT_DISK, d->buffer[d->sent])) {
        d->sent++;
        d->ready = clock;
    }
}

/* The byte that leaves as the other end sees it. */
static u8 on_line(const struct node_port *p)
{
    bool wrong = p->wrong_every && p->bytes_out % p->wrong_every == p->wrong_every - 1;

    return (u8)(p->out ^ (wrong ? 0x10 : 0));
}

static bool leave(struct node *n, unsigned which, u64 clock)
{
    switch (which) {
    case PORT_NETWORK:
        return !n->peer || deliver(n->peer, PORT_NETWORK, on_line(&n->port[which]));
    case PORT_DISK: disk_take(&n->disk, n->port[which].out, clock); return true;
    default:
        if (n->serial)
            n->serial(n->owner, n->port[which].out);
        return true;
    }
}

void node_ports_run(struct node *n, u64 clock)
{
    for (unsigned i = 0; i < PORT_COUNT; i++) {
        struct node_port *p = &n->port[i];

        if (p->leaving && clock >= p->out_ready && leave(n, i, clock)) {
            p->leaving = false;
            p->bytes_out++;
        }
    }
    disk_give(n, clock);
    n->causes &= (u8) ~(NODE_CAUSE_NETWORK | NODE_CAUSE_DISK | NODE_CAUSE_SERIAL);
    n->causes |= (u8)((n->port[PORT_NETWORK].full ? NODE_CAUSE_NETWORK : 0) |
                      (n->port[PORT_DISK].full ? NODE_CAUSE_DISK : 0) |
                      (n->port[PORT_SERIAL].full ? NODE_CAUSE_SERIAL : 0));
}

static struct node_port *port_of(struct node *n, u16 reg)
{
    return &n->port[(reg - NODE_R_NETWORK) / 4];
}

u16 node_port_read(struct node *n, u16 reg)
{
    struct node_port *p = port_of(n, reg);

    if (reg & 2)
        return (u16)((p->full ? BYTE_IN : 0) | (p->leaving ? 0 : CAN_SEND));
    p->full = false;
    return p->in;
}

/* A byte written while one is leaving is lost, as on the line. */
void node_port_write(struct node *n, u16 reg, u16 value, u64 clock)
{
    struct node_port *p = port_of(n, reg);

    if ((reg & 2) || p->leaving)
        return;
    p->out = (u8)value;
    p->leaving = true;
    p->out_ready = clock + p->clocks_per_byte;
}

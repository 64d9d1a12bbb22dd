/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three nodes on two media, joined by the fabric's core with faults on, captured: the file
 * goes to the standard output for test_capture.py to read with tshark. Also sends an IPv4
 * frame with a blank checksum and a forged DEMOS frame. Behind it all stands one frame of each
 * kind in which no two fields are alike.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/bytes.h"
#include "base/memory.h"
#include "base/crc32c.h"
#include "net/fabric/fabric.h"
#include "net/frame.h"

enum { NODES = 3, DEVICES = 4 };

static struct {
    struct net *net;
    struct heap heap;
    void *memory;
} node[NODES];

static struct device {
    struct net_device device;
    struct fabric_port *port;
    u32 node, pending;
} device[DEVICES];

static struct fabric fabric;
static u64 now;
static u32 delivered, delivered_plain, bulk_done;

static bool write_block(struct net_device *d, const void *block, size_t len)
{
    static u8 copy[NET_BLOCK_MAX];
    struct device *x = d->owner;

    memcpy(copy, block, len);
    fabric_take(x->port, copy, len, 0, now);
    return true;
}

static size_t read_block(struct net_device *d, void *block, size_t room)
{
    struct device *x = d->owner;
    const struct fabric_frame *f = fabric_next(x->port);
    size_t len;

    if (!f)
        return 0;
    len = MIN(f->len, room);
    memcpy(block, f->bytes, len);
    fabric_given(x->port);
    return len;
}

static u32 status(struct net_device *d)
{
    (void)d;
    return NET_STATUS_UP | NET_STATUS_CAN_WRITE;
}

static u32 pending(struct net_device *d)
{
    struct device *x = d->owner;
    u32 p = x->pending;

    x->pending = 0;
    return p;
}

static const struct net_device_ops ops = {write_block, read_block, status, pending};

bool fabric_up_arrived(struct fabric_port *p, const u8 *frame, size_t len, u32 checksum)
{
    (void)p, (void)frame, (void)len, (void)checksum;
    return false;
}

void fabric_up_ready(struct fabric_port *p)
{
    ((struct device *)p->owner)->pending |= NET_INT_RECEIVED;
}

void fabric_up_trace(struct fabric *f, u16 type, u32 who, u64 a, u64 b)
{
    (void)f, (void)type, (void)who, (void)a, (void)b;
}

void capture_up_bytes(struct capture *c, const void *bytes, size_t len)
{
    (void)c;
    fwrite(bytes, 1, len, stdout);
}

void net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                    const void *message, size_t len)
{
    (void)n, (void)from, (void)epoch, (void)message, (void)len;
    delivered += class == NET_GUARANTEED;
    delivered_plain += class == NET_UNGUARANTEED;
}

bool net_up_bulk_read(struct net *n, u64 transfer, u64 offset, void *buffer, size_t len)
{
    (void)n, (void)transfer, (void)offset;
    memset(buffer, 0x42, len);
    return true;
}

bool net_up_bulk_write(struct net *n, u64 transfer, u64 offset, const void *data, size_t len)
{
    (void)n, (void)transfer, (void)offset, (void)data, (void)len;
    return true;
}

void net_up_bulk_done(struct net *n, u64 transfer, int result)
{
    (void)n, (void)transfer;
    bulk_done += !result;
}

static void plug(u32 at, u32 on, const char *medium)
{
    struct device *d = &device[at];
    char name[8];

    *d = (struct device){.node = on, .device = {.ops = &ops, .owner = d, .address = {2, 5}}};
    d->device.address[2] = (u8)at;
    d->device.address[5] = (u8)(on + 1);
    d->device.block_max = 1600;
    snprintf(name, sizeof(name), "n%u", on + 1);
    d->port = fabric_attach(&fabric, medium, name, on + 10, 0, d->device.address);
    if (!d->port)
        exit(2);
    d->port->owner = d;
}

static void run(u64 until)
{
    while (now < until) {
        u64 next = fabric_deadline(&fabric);

        for (u32 i = 0; i < NODES; i++) {
            net_poll(node[i].net, now);
            next = MIN(next, net_deadline(node[i].net));
        }
        next = MIN(next, fabric_deadline(&fabric));
        if (next == ~0ull)
            break;
        now = MAX(now, next);
        fabric_run(&fabric, now);
    }
}

static const char *say(const char *wrong)
{
    if (wrong) {
        fprintf(stderr, "%s\n", wrong);
        exit(2);
    }
    return wrong;
}

/* An IPv4 UDP frame whose checksum is left to whoever carries it. */
static void blank(void)
{
    static u8 f[64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,    5,   0,   0,
                       0,    1,    8,    0,    0x45, 0,    0,    36,  0,   1,
                       0,    0,    64,   17,   0x66, 0xc6, 10,   0,   0,   1,
                       10,   0,    0,    2,    0x10, 0,    0x20, 0,   0,   16,
                       0,    0,    'o',  's',  'm',  'o',  's',  'i', 's', '!'};

    fabric_take(device[0].port, f, 60, CHECKSUM_BLANK, now);
}

static void forged(void)
{
    u8 f[NET_HEADER] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    memcpy(f + FRAME_FROM, device[0].device.address, 6);
    be16_put(f + FRAME_TYPE, FRAME_ETHERTYPE);
    f[FRAME_VER] = FRAME_VERSION;
    f[FRAME_KIND] = FRAME_ROUTE;
    be32_put(f + FRAME_SRC, 99);
    fabric_take(device[0].port, f, sizeof(f), 0, now);
    f[FRAME_HOPS] = 3; /* "passed on", by a node that has one vif */
    fabric_take(device[0].port, f, sizeof(f), 0, now);
    f[FRAME_FLAGS] = FRAME_WIDE; /* or even back: a path by it would lead nowhere */
    fabric_take(device[0].port, f, sizeof(f), 0, now);
    be32_put(f + FRAME_SRC, 1);
    f[FRAME_FROM + 5] = 77;
    fabric_take(device[0].port, f, sizeof(f), 0, now);
}

/* Frames that nobody sent, for the dissector: test_capture.py knows how the bytes are made. */
static void specimens(struct capture *c)
{
    static const u8 body[FRAME_KINDS] = {0, 40, 2 * ACK_ITEM, 8, 5, 6, 0, 0, 10, 32, 0, 0, 6};
    u8 f[NET_HEADER + 64];

    for (u32 kind = FRAME_DATA; kind < FRAME_KINDS; kind++) {
        size_t len = (size_t)NET_HEADER + body[kind];

        for (u32 i = 0; i < len; i++)
            f[i] = (u8)(kind * 29 + i * 7 + 1);
        be16_put(f + FRAME_TYPE, FRAME_ETHERTYPE);
        f[FRAME_VER] = FRAME_VERSION;
        f[FRAME_KIND] = (u8)kind;
        be16_put(f + FRAME_BODY, body[kind]);
        be32_put(f + FRAME_CRC, 0);
        be32_put(f + FRAME_CRC, crc32c(false, 0, f, len));
        capture_frame(c, 1, now, f, len);
    }
}

int main(void)
{
    static struct capture capture;
    static u8 message[3000];
    struct heap heap;
    void *memory = malloc(8 << 20);
    u64 refused;

    heap_init(&heap, memory, 8 << 20);
    capture_init(&capture, NULL);
    fabric_init(&fabric, &heap, 5, &capture);
    say(fabric_add(&fabric, "name=wire kind=ack-ether"));
    say(fabric_add(&fabric, "name=line kind=parallel rate=20000"));
    if (!fabric_add(&fabric, "name=wire kind=ether") || !fabric_add(&fabric, "kind=ether") ||
        !fabric_add(&fabric, "name=x kind=rope") || !fabric_add(&fabric, "name=y") ||
        fabric_attach(&fabric, "no", "n1", 1, 0, message))
        return 3;
    plug(0, 0, "wire");
    plug(1, 1, "wire");
    plug(2, 1, "line");
    plug(3, 2, "line");
    for (u32 i = 0; i < NODES; i++) {
        struct net_config c = {.self = i + 1, .epoch = 1, .seed = 5, .has_crc32c = true};

        node[i].memory = malloc(1 << 20);
        heap_init(&node[i].heap, node[i].memory, 1 << 20);
        node[i].net = net_create(&node[i].heap, &c);
        net_poll(node[i].net, now);
        for (u32 k = 0; k < DEVICES; k++) {
            if (device[k].node == i)
                net_attach(node[i].net, &device[k].device);
        }
    }
    net_announce(node[0].net, "switchboard", 11);
    run(15000000000ull);
    say(fabric_fault(&fabric, "wire loss 0.15", now));
    say(fabric_fault(&fabric, "wire corrupt 0.1 2 n1>n2", now));
    say(fabric_fault(&fabric, "line duplicate 0.3 10ms", now));
    say(fabric_fault(&fabric, "line jitter 2ms", now));
    if (!fabric_fault(&fabric, "rope loss 1", now) ||
        !fabric_fault(&fabric, "wire loss 2", now))
        return 3;
    net_bulk_expect(node[2].net, 1, 7, 20000);
    net_bulk_send(node[0].net, 3, 7, 20000);
    for (u32 i = 0; i < 30; i++)
        net_send(node[0].net, 3, NET_GUARANTEED, message, i * 90, NULL, 0);
    net_send(node[0].net, 2, NET_UNGUARANTEED, message, 100, NULL, 0);
    net_send(node[2].net, 1, NET_GUARANTEED, "answer", 6, NULL, 0);
    blank();
    forged();
    run(60000000000ull);
    specimens(&capture);
    capture_flush(&capture);
    refused = device[0].port->forged;
    fprintf(stderr, "delivered %u plain %u bulk %u forged %llu frames %llu\n", delivered,
            delivered_plain, bulk_done, (unsigned long long)refused,
            (unsigned long long)capture.frames);
    for (u32 i = 0; i < NODES; i++)
        net_destroy(node[i].net);
    for (u32 i = 0; i < NODES; i++)
        free(node[i].memory);
    fabric_destroy(&fabric);
    if (heap.in_use)
        return 4;
    free(memory);
    return delivered == 31 && bulk_done == 2 && refused == 4 ? 0 : 1;
}

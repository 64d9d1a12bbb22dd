/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions a message costs in the network itself, without rings and media: two
 * nodes in one process, joined by a queue of one block each way. Run under
 * valgrind --tool=callgrind --toggle-collect=round_trip, or alone to see that it works;
 * net/tools/count.py does the first and prints JSON.
 * Usage: net-count ROUNDS BYTES [table]   (table: without the CRC instruction)
 */
#include <stdio.h>
#include <stdlib.h>
#include "net/net.h"
#include "base/memory.h"

enum { DEPTH = 64, BLOCK = 2048 };

static struct node {
    struct net *net;
    struct net_device device;
    struct heap heap;
    struct node *other;
    struct {
        size_t len;
        u8 bytes[BLOCK];
    } queue[DEPTH];
    u32 first, last, pending;
    u64 got;
} node[2];

static u64 now = 1;

static bool write_block(struct net_device *d, const void *block, size_t len)
{
    struct node *o = ((struct node *)d->owner)->other;

    if (o->last - o->first == DEPTH)
        return false;
    memcpy(o->queue[o->last % DEPTH].bytes, block, len);
    o->queue[o->last++ % DEPTH].len = len;
    o->pending |= NET_INT_RECEIVED;
    return true;
}

static size_t read_block(struct net_device *d, void *block, size_t room)
{
    struct node *n = d->owner;
    size_t len;

    if (n->first == n->last)
        return 0;
    len = MIN(n->queue[n->first % DEPTH].len, room);
    memcpy(block, n->queue[n->first++ % DEPTH].bytes, len);
    return len;
}

static u32 status(struct net_device *d)
{
    (void)d;
    return NET_STATUS_UP | NET_STATUS_CAN_WRITE;
}

static u32 pending(struct net_device *d)
{
    struct node *n = d->owner;
    u32 bits = n->pending;

    n->pending = 0;
    return bits;
}

static const struct net_device_ops ops = {write_block, read_block, status, pending};

void net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                    const void *message, size_t len)
{
    struct node *me = net_owner(n);

    (void)epoch, (void)class;
    me->got++;
    if (me == &node[1])
        net_send(n, from, NET_GUARANTEED, message, len, NULL, 0);
}

/* One message there and one back; what callgrind counts. */
__attribute__((noinline)) void round_trip(const void *message, size_t len);
void round_trip(const void *message, size_t len)
{
    now += 1000;
    net_send(node[0].net, 2, NET_GUARANTEED, message, len, NULL, 0);
    net_poll(node[1].net, now);
    net_poll(node[0].net, now);
}

static void settle(void)
{
    for (u32 i = 0; i < 4000; i++) {
        now += 10000000;
        net_poll(node[0].net, now);
        net_poll(node[1].net, now);
    }
}

int main(int argc, char **argv)
{
    u64 rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
    size_t len = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    u8 *message = calloc(1, len + 1);

    for (u32 i = 0; i < 2; i++) {
        struct net_config c = {.self = i + 1, .epoch = 1, .has_crc32c = argc < 4};

        heap_init(&node[i].heap, malloc(4 << 20), 4 << 20);
        node[i].other = &node[1 - i];
        node[i].device = (struct net_device){
            .ops = &ops, .owner = &node[i], .block_max = BLOCK};
        node[i].device.address[0] = 2;
        node[i].device.address[5] = (u8)(i + 1);
        node[i].net = net_create(&node[i].heap, &c);
        net_set_owner(node[i].net, &node[i]);
        net_attach(node[i].net, &node[i].device);
    }
    net_send(node[0].net, 2, NET_GUARANTEED, message, len, NULL, 0);
    settle();
    for (u64 i = 0; i < rounds; i++)
        round_trip(message, len);
    settle();
    printf("%llu rounds of %zu bytes, %llu answers\n", (unsigned long long)rounds, len,
           (unsigned long long)node[0].got);
    return node[0].got != rounds + 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile frames: a node is fed whatever the fuzzer invents, with a good CRC so that it
 * gets past the door, while it holds conversations and transfers of its own; between
 * frames time passes. Nothing may crash, overrun, leak or grow without bound (I4, I5).
 *
 * Input: records of {u8 kind and flags of the record, u8 length / 4, bytes of a frame from
 * the version field on}.
 */
#include <stdlib.h>
#include "base/bytes.h"
#include "base/memory.h"
#include "base/crc32c.h"
#include "net/frame.h"

enum { HEAP = 1 << 20, QUEUE = 64 };

static struct {
    u8 bytes[2048];
    size_t len;
} queue[QUEUE];
static u32 first, last, pending_bits;
static u64 area_len;

static bool write_block(struct net_device *d, const void *block, size_t len)
{
    (void)d;
    return len >= NET_HEADER && ((const u8 *)block)[FRAME_VER] == FRAME_VERSION;
}

static size_t read_block(struct net_device *d, void *block, size_t room)
{
    size_t len;

    (void)d;
    if (first == last)
        return 0;
    len = MIN(queue[first % QUEUE].len, room);
    memcpy(block, queue[first++ % QUEUE].bytes, len);
    return len;
}

static u32 status(struct net_device *d)
{
    (void)d;
    return NET_STATUS_UP | NET_STATUS_CAN_WRITE;
}

static u32 pending(struct net_device *d)
{
    u32 bits = pending_bits;

    (void)d;
    pending_bits = 0;
    return bits;
}

static const struct net_device_ops ops = {write_block, read_block, status, pending};

void net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                    const void *message, size_t len)
{
    u8 sum = 0;

    (void)epoch;
    for (size_t i = 0; i < len; i++)
        sum = (u8)(sum + ((const u8 *)message)[i]);
    if (len > NET_MESSAGE_MAX)
        abort();
    if (class == NET_GUARANTEED && sum & 1)
        net_send(n, from, NET_GUARANTEED, message, len, NULL, 0);
    if (sum == 0x42)
        net_declare_dead(n, from, epoch);
}

void net_up_room(struct net *n, machine_t to)
{
    net_send(n, to, NET_GUARANTEED, "room", 4, NULL, 0);
}

void net_up_reachable(struct net *n, machine_t machine, u32 epoch, bool reachable)
{
    (void)epoch;
    if (reachable)
        net_send(n, machine, NET_GUARANTEED, "hello", 5, NULL, 0);
}

void net_up_announce(struct net *n, machine_t from, const void *bytes, size_t len)
{
    if (len > NET_ANNOUNCE_MAX)
        abort();
    net_send(n, from, NET_UNGUARANTEED, bytes, len, NULL, 0);
}

bool net_up_bulk_read(struct net *n, u64 transfer, u64 offset, void *buffer, size_t len)
{
    (void)n;
    (void)transfer;
    if (offset > area_len || len > area_len - offset)
        abort();
    memset(buffer, 1, len);
    return true;
}

bool net_up_bulk_write(struct net *n, u64 transfer, u64 offset, const void *data, size_t len)
{
    (void)n;
    (void)transfer;
    (void)data;
    if (offset > area_len || len > area_len - offset)
        abort();
    return offset % 3072 != 0;
}

void net_up_bulk_done(struct net *n, u64 transfer, int result)
{
    (void)result;
    net_bulk_expect(n, 2, transfer, area_len);
}

static void put_frame(const u8 *bytes, size_t len)
{
    u8 *f = queue[last % QUEUE].bytes;

    if (last - first == QUEUE)
        return;
    memset(f, 0xff, 6);
    memset(f + 6, 2, 6);
    be16_put(f + FRAME_TYPE, FRAME_ETHERTYPE);
    memset(f + 14, 0, NET_HEADER - 14);
    memcpy(f + 14, bytes, len);
    f[FRAME_VER] = FRAME_VERSION;
    if (f[FRAME_KIND] & 0x80) { /* a shortcut to unicast and to fitting lengths */
        f[FRAME_KIND] &= 0x7f;
        memcpy(f, "\2\0\0\0\0\1", 6);
    }
    len = MAX(len + 14, (size_t)NET_HEADER);
    be16_put(f + FRAME_BODY, (u16)(len - NET_HEADER));
    be32_put(f + FRAME_CRC, 0);
    be32_put(f + FRAME_CRC, crc32c(true, 0, f, len));
    queue[last++ % QUEUE].len = len;
    pending_bits |= NET_INT_RECEIVED | NET_INT_WRITTEN;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static u8 memory[HEAP];
    struct heap heap;
    struct net_device d[2] = {
        {.ops = &ops, .address = {2, 0, 0, 0, 0, 1}, .block_max = 2048},
        {.ops = &ops,
         .address = {2, 0, 0, 0, 0, 3},
         .block_max = 1100,
         .bytes_per_second = 5000},
    };
    struct net_config c = {.self = 1, .epoch = 7, .seed = 1, .queue_bytes = 20000};
    struct net *n;
    u64 now = 1;

    heap_init(&heap, memory, sizeof(memory));
    first = last = 0;
    area_len = 10000;
    n = net_create(&heap, &c);
    net_attach(n, &d[0]);
    net_attach(n, &d[1]);
    net_bulk_expect(n, 2, 5, area_len);
    net_bulk_send(n, 2, 6, area_len);
    net_send(n, 2, NET_GUARANTEED, "one", 3, "two", 3);
    while (size >= 2) {
        size_t len = MIN((size_t)data[1] * 4, size - 2);

        if (data[0] & 1)
            net_announce(n, data, 2);
        if (len)
            put_frame(data + 2, len);
        now += 1ull << (data[0] >> 2 & 31);
        net_poll(n, now);
        if (net_deadline(n) < now + 1000000000)
            net_poll(n, MAX(net_deadline(n), now));
        data += 2 + len;
        size -= 2 + len;
    }
    net_destroy(n);
    if (heap.in_use)
        abort();
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two of these and a fabric show the whole path without a kernel above it: the network
 * over a vif in a domain. The one with peer=N sends `count` messages of `size` bytes one
 * after the other, or `stream` of them at once, to the other, which answers each; then it
 * prints what a round trip took and ends, and so does the other when told. Every answer's
 * bytes are checked.
 * Command line: id=N [peer=N] [count=N] [size=N] [stream=N] [window=N] [linger=MS]; window is how
 * many messages the network has on the way at once, linger how long netping stays after the last
 * message, for acknowledgements that a lossy line wants repeated.
 */
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"
#include "guest/rt/x86.h"
#include "splitdrv/wire.h"

enum { HEAP_FRAMES = 512, LONGEST = 60000 };

static struct {
    struct net *net;
    struct wire wire;
    machine_t peer;
    u64 size, sent, answered, wrong;
    u8 message[LONGEST];
    bool over;
} ping;

static void fill(u64 number)
{
    for (u64 i = 0; i < ping.size; i++)
        ping.message[i] = (u8)(number + i);
}

void net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                    const void *message, size_t len)
{
    (void)epoch;
    (void)class;
    if (!ping.peer) {
        ping.over = len == 3;
        if (net_send(n, from, NET_GUARANTEED, message, len, NULL, 0) != NET_OK)
            ping.wrong++;
        return;
    }
    fill(ping.answered);
    if (len != 3)
        ping.wrong += len != ping.size || memcmp(message, ping.message, len) != 0;
    ping.answered++;
}

void net_up_reachable(struct net *n, machine_t machine, u32 epoch, bool reachable)
{
    (void)n;
    rt_printf("netping: machine %u (boot %u) is %sreachable\n", machine, epoch,
              reachable ? "" : "not ");
}

static void alarm(void *arg)
{
    (void)arg;
}

static bool finished(u64 until)
{
    return ping.peer ? ping.answered >= until : ping.over;
}

/* Runs until `answered` reaches `until`, or for the answering side, until it is over. */
static void run(u64 until)
{
    while (!finished(until)) {
        wire_poll(&ping.wire);
        if (!finished(until) && wire_rest(&ping.wire))
            rt_wait_until(net_deadline(ping.net));
    }
}

static void measure(u64 count, u64 stream)
{
    struct osm_counters before = {.domid = DOMID_SELF, .vcpu = 0xffff}, after = before;
    u64 start, tsc, kicks = vif_stats(ping.wire.vif[0])->kicks;

    if (rt_host() == RT_OSMOSIS)
        hypercall_osmosis(OSM_OP_counters, &before);
    start = rt_now_ns();
    tsc = tsc_read();
    while (ping.answered < count) {
        while (ping.sent < count && ping.sent < ping.answered + stream) {
            fill(ping.sent);
            if (net_send(ping.net, ping.peer, NET_GUARANTEED, ping.message, ping.size, NULL, 0))
                break;
            ping.sent++;
        }
        run(ping.answered + 1);
    }
    tsc = tsc_read() - tsc;
    if (rt_host() == RT_OSMOSIS)
        hypercall_osmosis(OSM_OP_counters, &after);
    rt_printf("netping: %lu round trips of %lu bytes, %lu in flight: %lu ns, %lu ticks each, "
              "%lu kicks, %lu exits, %lu wrong\n",
              count, ping.size, stream, (rt_now_ns() - start) / count, tsc / count,
              vif_stats(ping.wire.vif[0])->kicks - kicks, after.exits - before.exits,
              ping.wrong);
}

int rt_main(const struct rt_start *start)
{
    struct net_config config = {.self = (u32)rt_option_number("id", 1),
                                .epoch = (u32)rt_option_number("epoch", 1),
                                .window = (u32)rt_option_number("window", 0),
                                .has_crc32c = cpuid(1, 0).ecx >> 20 & 1};
    static struct heap heap;

    (void)start;
    ping.peer = (u32)rt_option_number("peer", 0);
    ping.size = MIN(rt_option_number("size", 4), (u64)LONGEST);
    heap_init(&heap, rt_frames(HEAP_FRAMES), HEAP_FRAMES * 4096ul);
    rt_alarm_handler(alarm, NULL);
    ping.net = net_create(&heap, &config);
    if (ping.net)
        wire_init(&ping.wire, ping.net);
    if (!ping.net || !wire_open(&ping.wire, 20000000000ull) || !ping.wire.vif[0]->up) {
        rt_printf("netping: no vif has connected\n");
        return 1;
    }
    rt_printf("netping: %u vifs, %lu bytes/s, blocks of %u\n", ping.wire.count,
              ping.wire.vif[0]->device.bytes_per_second, ping.wire.vif[0]->device.block_max);
    if (ping.peer) {
        measure(rt_option_number("count", 100), MAX(rt_option_number("stream", 1), 1ul));
        net_send(ping.net, ping.peer, NET_GUARANTEED, "end", 3, NULL, 0);
        run(ping.answered + 1);
    } else {
        run(0);
    }
    for (u64 end = rt_now_ns() + rt_option_number("linger", 50) * 1000000; rt_now_ns() < end;) {
        wire_poll(&ping.wire);
        if (wire_rest(&ping.wire))
            rt_wait_until(MIN(end, net_deadline(ping.net)));
    }
    rt_printf("netping: %s\n", ping.wrong ? "failed" : "done");
    return ping.wrong != 0;
}

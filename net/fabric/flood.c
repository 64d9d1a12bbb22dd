/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets and nothing above them (P36): of two of these on one medium, the one with to=N sends
 * frames of 64 bytes as fast as its ring takes them, to the machine N, for ever; the other
 * reads them, looks whether each is the one that is due, and prints what one of `count` took
 * the whole machine, from the sender's ring to its own. With count=0 it reads for ever.
 * Command line: id=N [to=N] [count=N]; machine N has the address that cluster files give it.
 */
#include "base/bytes.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"
#include "guest/rt/x86.h"
#include "splitdrv/vif.h"

enum {
    FRAME = 64,
    ETHERTYPE = 0x88b6, /* local experimental 2: not the DEMOS network's */
    AT_TYPE = 12,
    AT_NUMBER = 14,
    AT_END = FRAME - 8,
    WARM = 4096,
};
#define WAIT_NS 20000000000ull

static struct {
    struct vif *vif;
    u8 frame[NET_BLOCK_MAX];
    u64 number; /* of the next frame */
} flood;

static void wait_event(u64 until)
{
    if (!rt_store_poll() && !flood.vif->bus.changed && vif_rest(flood.vif))
        rt_wait_until(until);
    vif_poll(flood.vif);
}

static bool connected(void)
{
    u64 end = rt_now_ns() + WAIT_NS;

    flood.vif = vif_front_open(0);
    while (flood.vif && !flood.vif->up && rt_now_ns() < end)
        wait_event(end);
    return flood.vif && flood.vif->up;
}

static void address_of(u8 address[6], u64 machine)
{
    static const u8 ours[4] = {2, 5, 0, 0};

    memcpy(address, ours, sizeof(ours));
    be16_put(address + 4, (u16)machine);
}

static NORETURN void send_all(u64 to)
{
    struct net_device *d = &flood.vif->device;

    address_of(flood.frame, to);
    memcpy(flood.frame + 6, d->address, 6);
    be16_put(flood.frame + AT_TYPE, ETHERTYPE);
    for (;;) {
        be64_put(flood.frame + AT_NUMBER, flood.number);
        be64_put(flood.frame + AT_END, ~flood.number);
        if (d->ops->write_block(d, flood.frame, FRAME)) {
            flood.number++;
            continue;
        }
        wait_event(~0ull);
        d->ops->pending(d);
    }
}

/* Whether the frame is the one that is due. */
static bool due(size_t len)
{
    u64 number = flood.number++;

    return len == FRAME && be64_get(flood.frame + AT_NUMBER) == number &&
           be64_get(flood.frame + AT_END) == ~number;
}

/* Reads until the frame number `until` was read; the wrong ones. */
static u64 receive(u64 until)
{
    struct net_device *d = &flood.vif->device;
    u64 wrong = 0;

    while (flood.number < until) {
        size_t len = d->ops->read_block(d, flood.frame, sizeof(flood.frame));

        if (len) {
            wrong += !due(len);
            continue;
        }
        wait_event(~0ull);
        d->ops->pending(d);
    }
    return wrong;
}

int rt_main(const struct rt_start *start)
{
    u64 to = rt_option_number("to", 0), count = rt_option_number("count", 20000), wrong, ticks;

    (void)start;
    if (!connected()) {
        rt_printf("netflood: no vif has connected\n");
        return 1;
    }
    if (to)
        send_all(to);
    wrong = receive(WARM);
    if (!count) {
        rt_printf("netflood: repeating\n");
        receive(~0ull);
    }
    ticks = tsc_read();
    wrong += receive(WARM + count);
    ticks = tsc_read() - ticks;
    rt_printf("netflood: %lu packets of %u bytes, %lu ticks, %lu wrong\n", count, FRAME, ticks,
              wrong);
    return wrong != 0;
}

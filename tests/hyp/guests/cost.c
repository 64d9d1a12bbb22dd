/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a null hypercall costs, in instructions (P1): xen_version, in clock=count at
 * shift=0, where the TSC counts instructions; world switches from OSM_OP_counters.
 */
#include "tests/hyp/guests/guest.h"

enum { TURNS = 2000 };

/* As through the hypercall page: call, mov, vmmcall, ret. */
__asm__("stub: mov $17, %eax\n\tvmmcall\n\tret");

static void null_call(void)
{
    u64 command = XENVER_version, argument = 0, result;

    __asm__ volatile("call stub" : "=a"(result), "+D"(command), "+S"(argument)::"memory");
}

static u64 loop(bool call)
{
    u64 start = read_tsc();

    for (u32 i = 0; i < TURNS; i++) {
        if (call)
            null_call();
        else
            __asm__ volatile("");
    }
    return read_tsc() - start;
}

static struct shared_info shared __attribute__((aligned(4096)));

/* A send to a peer that is running and has the event masked: two ports of this domain. */
static void send_cost(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = (u64)&shared >> 12};
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};
    struct evtchn_send send;
    u64 start, took;

    EXPECT(CALL2(memory_op, XENMEM_add_to_physmap, &map) == 0);
    EXPECT(CALL2(event_channel_op, EVTCHNOP_alloc_unbound, &a) == 0);
    b.remote_port = a.port;
    EXPECT(CALL2(event_channel_op, EVTCHNOP_bind_interdomain, &b) == 0);
    send.port = b.local_port;
    shared.evtchn_mask[a.port / 64] |= 1ul << a.port % 64;
    for (u32 pass = 0; pass < 2; pass++) {
        start = read_tsc();
        for (u32 i = 0; i < TURNS; i++) {
            shared.evtchn_pending[a.port / 64] = 0;
            CALL2(event_channel_op, EVTCHNOP_send, &send);
        }
        took = read_tsc() - start;
    }
    EXPECT(shared.evtchn_pending[a.port / 64] == 1ul << a.port % 64);
    print("P3 instructions %lu\n", took / TURNS);
}

void test_main(const struct hvm_start_info *info)
{
    struct osm_counters before = {.domid = DOMID_SELF, .vcpu = 0xffff}, after = before;
    u64 calls, empty;

    (void)info;
    loop(true);
    loop(false);
    empty = loop(false);
    EXPECT(CALL2(arch_7, OSM_OP_counters, &before) == 0);
    calls = loop(true);
    EXPECT(CALL2(arch_7, OSM_OP_counters, &after) == 0);
    print("P1 instructions %lu.%02lu switches %lu.%03lu\n", (calls - empty) / TURNS,
          (calls - empty) % TURNS * 100 / TURNS, (after.exits - before.exits) / TURNS,
          (after.exits - before.exits) % TURNS * 1000 / TURNS);
    send_cost();
}

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
}

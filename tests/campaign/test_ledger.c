/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger of campaigns in the simulator: each invariant is broken on purpose by a few records,
 * found, and by no other check; and what excuses a loss does. H20.
 */
#include "guest/kernel/trace.h"
#include "guest/machine/campaign/ledger.h"
#include "tests/check.h"

enum { A = 1, B = 2, C = 3, NODES = 3, SENDER = 7, TARGET = 9 };
#define ID(machine, serial) ((u64)(machine) << 32 | (serial))
#define MS                  1000000ull

static struct ledger l;

static void begin(void)
{
    ledger_begin(&l, NODES);
    for (u32 i = 1; i <= NODES; i++)
        ledger_start(&l, i);
    ledger_record(&l, A, 0, KERNEL_T_create, SENDER, SENDER, ID(A, 1));
    ledger_record(&l, B, 0, KERNEL_T_create, TARGET, TARGET, ID(B, 1));
}

static void sends(u64 ns, u64 sequence)
{
    ledger_record(&l, A, ns, KERNEL_T_send, SENDER, ID(B, TARGET), sequence);
}

static void delivers(u32 node, u64 ns, u64 sequence)
{
    ledger_record(&l, node, ns, KERNEL_T_deliver, TARGET, ID(A, SENDER), sequence);
}

static void receives(u32 node, u64 ns, u64 sequence)
{
    ledger_record(&l, node, ns, KERNEL_T_receive, TARGET, ID(A, SENDER), sequence);
}

/* Whether these invariants are broken, as bits, and no others. */
static bool only(u32 bits)
{
    ledger_conclude(&l, 1000 * MS, 0, 100 * MS);
    for (u32 i = 0; i < INVARIANTS; i++)
        if ((l.verdicts[i].broken != 0) != (bits >> i & 1))
            return false;
    return true;
}

static void passes(void)
{
    begin();
    for (u64 i = 1; i <= 5000; i++) { /* more than the tables first have room for */
        sends(i, i);
        delivers(B, i + 1, i);
        receives(B, i + 2, i);
    }
    CHECK(only(0));
    CHECK(l.verdicts[LOSS].checked == 5000 && l.verdicts[DUPLICATE].checked == 5000);
    CHECK(l.verdicts[ORDER].checked == 5000 && l.verdicts[ONE_COPY].checked == 10000);
}

static void breaks(void)
{
    begin();
    sends(1, 1);
    CHECK(only(1 << LOSS | 1 << LIVENESS));
    begin();
    sends(1, 1);
    delivers(B, 101 * MS, 1);
    CHECK(only(1 << LIVENESS));
    begin();
    sends(1, 1);
    delivers(B, 2, 1);
    receives(B, 3, 1);
    receives(B, 4, 1);
    CHECK(only(1 << DUPLICATE));
    begin();
    sends(1, 1);
    sends(2, 2);
    delivers(B, 3, 2);
    delivers(B, 4, 1);
    CHECK(only(1 << ORDER));
    begin();
    delivers(B, 3, 4);
    CHECK(only(1 << ISOLATION));
    begin();
    ledger_held(&l, "frames", 3, 4);
    CHECK(only(1 << LEAK));
    begin();
    sends(1, 1);
    delivers(B, 2, 1);
    ledger_record(&l, C, 3, KERNEL_T_create, TARGET, TARGET, ID(B, 1));
    receives(B, 4, 1); /* it has moved to C, and acts at B */
    CHECK(only(1 << ONE_COPY));
}

static void excuses(void)
{
    begin();
    sends(1, 1);
    ledger_record(&l, B, 2, KERNEL_T_end, TARGET, 0, 0);
    CHECK(only(0));
    begin();
    sends(1, 1);
    ledger_record(&l, B, 2, KERNEL_T_drop, TARGET, ID(A, SENDER), 1);
    CHECK(only(0));
    begin();
    sends(1, 1);
    ledger_stop(&l, B, 50 * MS);
    CHECK(only(0));
    begin();
    sends(1, 1);
    ledger_stop(&l, B, 150 * MS); /* it had had its time */
    CHECK(only(1 << LOSS | 1 << LIVENESS));
    begin();
    sends(950 * MS, 1); /* the run ends before its time is up */
    CHECK(only(0));
}

/* A machine that starts anew numbers from 1 again, and a process that moves is delivered afresh what
 * came before it. */
static void lives(void)
{
    begin();
    sends(1, 1);
    sends(1, 2);
    delivers(B, 2, 1);
    delivers(B, 2, 2);
    ledger_stop(&l, A, 3);
    ledger_start(&l, A);
    ledger_record(&l, A, 4, KERNEL_T_create, SENDER, SENDER, ID(A, 2));
    sends(5, 1);
    delivers(B, 6, 1);
    CHECK(only(0));
    begin();
    sends(1, 1);
    sends(1, 2);
    delivers(B, 2, 1);
    delivers(B, 2, 2);
    ledger_record(&l, C, 3, KERNEL_T_create, TARGET, TARGET, ID(B, 1));
    ledger_record(&l, B, 3, KERNEL_T_end, TARGET, 0, 0);
    delivers(C, 4, 1);
    delivers(C, 4, 2);
    CHECK(only(0));
}

/* Serials are each machine's own: one that moved to C is not the one that was made there. */
static void strangers(void)
{
    u32 stranger = KERNEL_T_STRANGER(A, SENDER);

    begin();
    ledger_record(&l, C, 1, KERNEL_T_create, SENDER, SENDER, ID(C, 1));
    ledger_record(&l, C, 2, KERNEL_T_create, stranger, SENDER, ID(A, 1));
    ledger_record(&l, C, 3, KERNEL_T_send, SENDER, ID(B, TARGET), 1);
    ledger_record(&l, C, 3, KERNEL_T_send, stranger, ID(B, TARGET), 1);
    delivers(B, 4, 1);
    ledger_record(&l, B, 5, KERNEL_T_deliver, TARGET, ID(C, SENDER), 1);
    CHECK(only(0));
    delivers(B, 6, 2);
    CHECK(only(1 << ISOLATION));
}

TESTS(CASE(passes), CASE(breaks), CASE(excuses), CASE(lives), CASE(strangers))

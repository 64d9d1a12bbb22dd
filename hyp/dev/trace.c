/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ring per CPU, written only by that CPU. The control domain drains them all in the
 * order of their times; what is overwritten before that is counted, never waited for.
 */
#include "hyp/dev/trace.h"
#include "base/memory.h"
#include "hyp/abi/xen.h"
#include "hyp/cpu/clock.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/mm/frame.h"

enum { CLASSES = 8 };
enum { RING_ORDER = 4, RING_RECORDS = (4096 << RING_ORDER) / 32, DUMP_RECORDS = 32 };

struct ring {
    struct osm_record *record;
    u64 produced, consumed; /* records ever; consumed only moves in trace_drain */
};

u32 trace_classes;
static struct ring rings[CPUS_MAX];
static u64 rings_said; /* by domains, of their own */
static struct spinlock drain_lock, class_lock;
/* By number, so that a record's domain need not be looked up, nor be there any more. */
static u8 of_domain[DOMID_FIRST_RESERVED];
static u32 of_all, wanting[CLASSES]; /* how many domains want each class */

void trace_write(u16 type, u16 domid, u32 who, u64 a, u64 b)
{
    struct ring *r = &rings[this_cpu()->id];

    if (!r->record)
        return;
    r->record[r->produced % RING_RECORDS] = (struct osm_record){
        .ns = clock_now_ns(), .type = type, .domid = domid, .who = who, .a = a, .b = b};
    __atomic_store_n(&r->produced, r->produced + 1, __ATOMIC_RELEASE);
}

void trace_ring_said(void)
{
    __atomic_fetch_add(&rings_said, 1, __ATOMIC_RELEASE);
}

u64 trace_rings_said(void)
{
    return __atomic_load_n(&rings_said, __ATOMIC_ACQUIRE);
}

void trace_time_begins(void)
{
    for (u32 c = 0; c < CPUS_MAX; c++) {
        struct ring *r = &rings[c];
        for (u64 i = r->consumed; r->record && i < r->produced; i++)
            r->record[i % RING_RECORDS].ns = 0;
    }
}

void trace_wanted(u16 type, u16 domid, u32 who, u64 a, u64 b)
{
    u32 class = 1u << (type >> 8);

    if (of_all & class || (domid < DOMID_FIRST_RESERVED && of_domain[domid] & class))
        trace_write(type, domid, who, a, b);
}

/* The lock is held. */
static void join_classes(void)
{
    u32 joined = of_all;

    for (u32 i = 0; i < CLASSES; i++)
        joined |= wanting[i] ? 1u << i : 0;
    __atomic_store_n(&trace_classes, joined, __ATOMIC_RELEASE);
}

void trace_set_classes(u32 classes)
{
    spin_lock(&class_lock);
    of_all = classes;
    join_classes();
    spin_unlock(&class_lock);
}

void trace_set_domain(u16 domid, u32 classes)
{
    if (domid >= DOMID_FIRST_RESERVED)
        return;
    spin_lock(&class_lock);
    for (u32 i = 0; i < CLASSES; i++)
        wanting[i] += (classes >> i & 1) - (of_domain[domid] >> i & 1u);
    of_domain[domid] = (u8)classes;
    join_classes();
    spin_unlock(&class_lock);
}

/* Skips what was overwritten; NULL when nothing is left. */
static const struct osm_record *oldest(struct ring *r, u64 *lost)
{
    u64 produced = __atomic_load_n(&r->produced, __ATOMIC_ACQUIRE);

    if (!r->record || r->consumed == produced)
        return NULL;
    if (produced - r->consumed > RING_RECORDS) {
        *lost += produced - r->consumed - RING_RECORDS;
        r->consumed = produced - RING_RECORDS;
    }
    return &r->record[r->consumed % RING_RECORDS];
}

u32 trace_drain(struct osm_record *to, u32 capacity, u64 *lost)
{
    u32 n = 0;

    *lost = 0;
    spin_lock(&drain_lock);
    while (n < capacity) {
        struct ring *best = NULL;
        const struct osm_record *first = NULL;

        for (u32 i = 0; i < cpu_count(); i++) {
            const struct osm_record *r = oldest(&rings[i], lost);

            if (r && (!first || r->ns < first->ns)) {
                best = &rings[i];
                first = r;
            }
        }
        if (!best)
            break;
        to[n++] = *first;
        best->consumed++;
    }
    spin_unlock(&drain_lock);
    return n;
}

void trace_dump(void)
{
    struct ring *r = &rings[this_cpu()->id];
    u64 from = r->produced > DUMP_RECORDS ? r->produced - DUMP_RECORDS : 0;

    if (r->record && r->produced)
        log_line("  last trace records of this CPU (ns, type, domain, who, a, b):");
    for (u64 i = from; r->record && i < r->produced; i++) {
        const struct osm_record *x = &r->record[i % RING_RECORDS];

        log_line("    %12lu %04x d%u %u %lx %lx", x->ns, x->type, x->domid, x->who, x->a, x->b);
    }
}

void trace_init(void)
{
    for (u32 i = 0; i < cpu_count(); i++) {
        mfn_t m = frame_alloc(NULL, RING_ORDER, FRAME_HYP);

        if (!mfn_valid(m))
            panic("no memory for the trace rings");
        rings[i].record = frame_map(m);
    }
}

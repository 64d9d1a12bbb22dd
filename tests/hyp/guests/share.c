/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler between domains (H03), by the hypervisor's own account of run time and by how
 * far each child has counted: two that spin share evenly, a capped one keeps its cap, weights
 * are kept, and one that waits costs nothing. "clock=count".
 */
#include "tests/hyp/guests/child.h"

enum { PART_SPIN = 1, PART_WAIT = 2, WINDOW_NS = 2000000000 };

static volatile u64 turns;

static s64 schedule(u16 domid, u16 weight, u16 cap)
{
    xen_domctl_t op = {.cmd = XEN_DOMCTL_scheduler_op,
                       .domain = domid,
                       .interface_version = XEN_DOMCTL_INTERFACE_VERSION};

    op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT;
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.scheduler_op.u.credit.weight = weight;
    op.u.scheduler_op.u.credit.cap = cap;
    return hypercall(__HYPERVISOR_domctl, (u64)&op, 0, 0, 0, 0);
}

static u16 start(u32 part)
{
    struct child_task task = {.part = part};
    s64 id = child_start(&task);

    EXPECT(id > 0);
    return (u16)id;
}

static struct osm_counters counters(u16 domid)
{
    struct osm_counters c = {.domid = domid, .vcpu = 0xffff};

    EXPECT(CALL2(arch_7, OSM_OP_counters, &c) == 0);
    return c;
}

/* Runs both for a while; each one's part of the window in hundredths of a percent, by time
 * and by what it did. */
struct part {
    u64 time, work;
};

static void watch(const u16 id[2], struct part part[2])
{
    struct osm_counters before[2];
    u64 work[2], done;

    for (u32 i = 0; i < 2; i++) {
        before[i] = counters(id[i]);
        work[i] = child_peek(id[i], &turns);
    }
    sleep_ns(WINDOW_NS);
    for (u32 i = 0; i < 2; i++) {
        part[i].time = (counters(id[i]).run_ns - before[i].run_ns) * 10000 / WINDOW_NS;
        work[i] = child_peek(id[i], &turns) - work[i];
    }
    done = work[0] + work[1];
    for (u32 i = 0; i < 2; i++)
        part[i].work = work[i] * 10000 / done;
    print("time %lu %lu work %lu %lu (of 10000)\n", part[0].time, part[1].time, part[0].work,
          part[1].work);
}

static bool within(u64 value, u64 wanted)
{
    return value * 100 <= wanted * 102 && value * 100 >= wanted * 98;
}

void test_main(const struct hvm_start_info *info)
{
    struct osm_counters before, after;
    struct part part[2];
    u16 id[2], waiting;

    (void)info;
    if (child_task.part == PART_SPIN)
        for (;;)
            turns++;
    if (child_task.part == PART_WAIT)
        CALL2(sched_op, SCHEDOP_block, NULL);
    waiting = start(PART_WAIT);
    id[0] = start(PART_SPIN);
    id[1] = start(PART_SPIN);
    sleep_ns(100000000);
    before = counters(waiting);
    watch(id, part); /* as they are */
    EXPECT(within(part[0].time, 5000) && within(part[1].time, 5000));
    EXPECT(within(part[0].work, 5000) && within(part[1].work, 5000));
    EXPECT(schedule(id[0], 0, 20) == 0); /* a fifth at most */
    watch(id, part);
    EXPECT(within(part[0].time, 2000) && within(part[1].time, 8000));
    EXPECT(schedule(id[0], 768, 0) == 0); /* three times the weight */
    watch(id, part);
    EXPECT(within(part[0].time, 7500) && within(part[1].time, 2500));
    EXPECT(child_command(id[1], XEN_DOMCTL_pausedomain) == 0);
    EXPECT(schedule(id[0], 256, 30) == 0); /* a cap holds when nobody else wants the CPU */
    sleep_ns(100000000);
    watch(id, part);
    EXPECT(within(part[0].time, 3000) && part[1].time == 0);
    after = counters(waiting);
    EXPECT(after.exits == before.exits && after.run_ns == before.run_ns);
}

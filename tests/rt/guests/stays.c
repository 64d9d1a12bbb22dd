/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The longest calls that are right, as large as they may be: memory given back and taken
 * again in pages and in 2 MiB, first touches, copies of whole pages, pages moved about,
 * console output. watch=NS: see watch.h. Wants 32 MiB.
 */
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "tests/rt/guests/watch.h"

enum { PAGES = 2048, BIG = 512, COPIES = 512, PAGE = 4096, TEXT = 65536 };
enum { TOUCH = 1000 }; /* instead of a call's number */

static u64 list[PAGES], gpfns[PAGES];
static int errs[PAGES];
static struct gnttab_copy copies[COPIES];
static char text[TEXT];

static long call(u32 nr, u64 op, u64 arg, u64 count)
{
    long result;

    watch_begin(nr, op);
    result = rt_hypercall(nr, op, arg, count, 0, 0);
    watch_end();
    return result;
}

static void touch(u8 *memory)
{
    for (u64 i = 0; i < PAGES; i++) {
        watch_begin(TOUCH, i);
        memory[i * PAGE] = 1;
        watch_end();
    }
}

static long change(u32 op, u64 gfn, u32 count, u32 order)
{
    struct xen_memory_reservation r = {
        .nr_extents = count, .extent_order = order, .domid = DOMID_SELF};

    for (u32 i = 0; i < count; i++)
        list[i] = gfn + ((u64)i << order);
    r.extent_start.p = list;
    return call(__HYPERVISOR_memory_op, op, (u64)&r, 0);
}

static void give_and_take(u64 gfn)
{
    rt_assert(change(XENMEM_decrease_reservation, gfn, PAGES, 0) == PAGES);
    rt_assert(change(XENMEM_populate_physmap, gfn, PAGES / BIG, 9) == PAGES / BIG);
    touch(rt_at(gfn * PAGE));
    rt_assert(change(XENMEM_decrease_reservation, gfn, PAGES / BIG, 9) == PAGES / BIG);
    rt_assert(change(XENMEM_populate_physmap, gfn, PAGES, 0) == PAGES);
    touch(rt_at(gfn * PAGE));
}

static void copy(u64 gfn)
{
    for (u32 i = 0; i < COPIES; i++) {
        copies[i] = (struct gnttab_copy){.len = PAGE};
        copies[i].source.domid = copies[i].dest.domid = DOMID_SELF;
        copies[i].source.u.gmfn = gfn + i;
        copies[i].dest.u.gmfn = gfn + COPIES + i;
    }
    rt_assert(!call(__HYPERVISOR_grant_table_op, GNTTABOP_copy, (u64)copies, COPIES));
    for (u32 i = 0; i < COPIES; i++)
        rt_assert(copies[i].status == GNTST_okay);
}

static void move(u64 gfn)
{
    struct xen_add_to_physmap_batch b = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn, .size = PAGES};

    for (u32 i = 0; i < PAGES; i++) {
        list[i] = gfn + i;
        gpfns[i] = gfn + PAGES - 1 - i;
    }
    b.idxs.p = list;
    b.gpfns.p = gpfns;
    b.errs.p = errs;
    rt_assert(!call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, (u64)&b, 0));
}

int rt_main(const struct rt_start *start)
{
    u64 memory = (u64)rt_frames_untouched(PAGES + BIG), gfn;

    (void)start;
    rt_assert(memory);
    gfn = rt_physical((void *)ALIGN_UP(memory, (u64)BIG * PAGE)) / PAGE;
    watch_start(rt_option_number("watch", 20000));
    touch(rt_at(gfn * PAGE));
    give_and_take(gfn);
    copy(gfn);
    memset(text, 'x', sizeof(text));
    call(__HYPERVISOR_console_io, CONSOLEIO_write, TEXT, (u64)text);
    move(gfn);
    watch_stop();
    watch_report();
    rt_printf("Test result: SUCCESS\n");
    return 0;
}

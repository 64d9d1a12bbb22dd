/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a balloon driver does (xen/include/public/memory.h, docs/misc/xenstore-paths: memory/target):
 * frames of the node that are away have no memory behind them, and are counted as taken. What
 * cannot go yet, because processes have it, goes as it becomes free.
 */
#include "guest/machine/balloon.h"
#include "base/memory.h"
#include "guest/kernel/machine.h"
#include "guest/kernel/trace.h"
#include "guest/machine/place.h"
#include "guest/rt/console.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"

enum { BATCH = 64, KIB_PER_FRAME = FRAME_SIZE / 1024 };

static const char path[] = "memory/target";

/* Frames that are away run through frames->refs, as free ones do; `kept` begins the list. */
static struct {
    u32 away, wanted; /* frames away now, and how many should be */
    u32 kept;
    u64 whole; /* KiB the domain has when none is away; 0: not asked yet */
} balloon;

/* The target when the node began, if its toolstack says one: what it counts may differ from what
 * we have by some pages. */
static u64 whole_kib(u64 target, bool told)
{
    domid_t self = DOMID_SELF;
    long pages = hypercall_memory_op(XENMEM_current_reservation, &self);

    return told ? target : (u64)MAX(pages, 0l) * KIB_PER_FRAME;
}

static void on_change(void *arg, const char *changed)
{
    u64 target = 0;
    bool told = rt_store_number(0, path, &target) >= 0;

    (void)arg;
    (void)changed;
    if (!balloon.whole)
        balloon.whole = whole_kib(target, told);
    if (told)
        balloon.wanted = (u32)(target < balloon.whole ? (balloon.whole - target) / KIB_PER_FRAME
                                                      : 0);
}

void balloon_heed(void)
{
    static struct rt_store_watch watch;

    if (rt_store_present())
        rt_store_watch(&watch, path, on_change, NULL);
}

/* How many of the frames the hypervisor took back, or gave. */
static u32 exchange(struct node *n, u32 op, const u32 *frame, u32 count)
{
    const struct frames *f = place_frames(n);
    struct xen_memory_reservation r = {.nr_extents = count, .domid = DOMID_SELF};
    xen_pfn_t gfn[BATCH];
    long done;

    for (u32 i = 0; i < count; i++)
        gfn[i] = (f->address >> FRAME_SHIFT) + frame[i];
    set_xen_guest_handle(r.extent_start, gfn);
    done = hypercall_memory_op(op, &r);
    return done < 0 ? 0 : (u32)done;
}

static bool shrink(struct node *n)
{
    struct frames *f = place_frames(n);
    u32 frame[BATCH], count = node_spare(n, MIN(balloon.wanted - balloon.away, (u32)BATCH)),
                      gone;

    for (u32 i = 0; i < count; i++)
        frame[i] = frame_alloc(f);
    gone = count ? exchange(n, XENMEM_decrease_reservation, frame, count) : 0;
    for (u32 i = 0; i < gone; i++) {
        f->refs[frame[i]] = balloon.kept;
        balloon.kept = frame[i];
    }
    for (u32 i = gone; i < count; i++)
        frame_drop(f, frame[i]);
    balloon.away += gone;
    return gone > 0;
}

static bool grow(struct node *n)
{
    struct frames *f = place_frames(n);
    u32 frame[BATCH], count = MIN(balloon.away - balloon.wanted, (u32)BATCH),
                      next = balloon.kept;
    u32 come;

    for (u32 i = 0; i < count; i++, next = f->refs[next])
        frame[i] = next;
    come = exchange(n, XENMEM_populate_physmap, frame, count);
    for (u32 i = 0; i < come; i++) {
        balloon.kept = f->refs[frame[i]];
        f->refs[frame[i]] = 1;
        frame_drop(f, frame[i]);
    }
    balloon.away -= come;
    return come > 0;
}

void balloon_follow(struct node *n)
{
    bool more = balloon.away < balloon.wanted, moved = false;

    if (balloon.away == balloon.wanted)
        return;
    while (more ? balloon.away < balloon.wanted && shrink(n)
                : balloon.away > balloon.wanted && grow(n))
        moved = true;
    if (!moved)
        return;
    if (!more)
        node_more(n);
    if (node_config(n)->flags & NODE_TRACE)
        machine_trace(n, KERNEL_T_memory, 0, (u64)balloon.away * FRAME_SIZE,
                      (u64)balloon.wanted * FRAME_SIZE);
    if (balloon.away == balloon.wanted)
        rt_printf("node: has %lu KiB now\n",
                  (unsigned long)(balloon.whole - (u64)balloon.away * KIB_PER_FRAME));
}

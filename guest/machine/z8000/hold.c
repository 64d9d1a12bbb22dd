/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * References that the board holds: their page is brought, maybe from another machine, and the
 * same reference goes on. The user processor stands in the middle of an instruction, so no
 * other process can run meanwhile; the kernel's side serves the network.
 */
#include "guest/kernel/core.h"
#include "guest/machine/z8000/z8000.h"

#define LOOK_AGAIN_NS 100000000ull /* those who wait for memory have time limits */

enum {
    RELEASE_AGAIN = 1,
    RELEASE_GIVE_UP = 2,
};

u32 z_await(struct z_machine *m, struct task *t, u64 va, u32 access, bool *gone)
{
    const struct process_id id = t->id;
    bool again = false;
    enum outcome o;
    u32 reason;

    for (;;) {
        o = node_fault_held(m->node, t, va, access, again, &reason);
        *gone = m->halted || !node_find(m->node, &id);
        if (*gone || o != NODE_BLOCKED)
            return o == NODE_RUN ? 0 : reason;
        z_attend(m, machine_now(m->node) + LOOK_AGAIN_NS);
        *gone = m->halted || !node_find(m->node, &id);
        if (*gone)
            return EXCEPTION_PAGER;
        again = true;
    }
}

/* A reference that cannot be served now. */
struct hold {
    struct task *task;
    struct process_id id;
    u64 va, now_ns;
    u32 access;
    bool gone; /* the process, or the node is halting */
};

/* Until the page is there: 0, or why it never will be. */
static u32 fetch(struct z_machine *m, struct hold *h)
{
    u32 at, reason = 0;
    bool asked = false;

    while (!reason && !h->gone) {
        enum machine_result r = z_touch(m, h->task, h->va, h->access, &at);

        if (r == MACHINE_OK)
            return 0;
        if (r == MACHINE_FAULT)
            return task_region(h->task, h->va) ? EXCEPTION_PROTECTION : EXCEPTION_ADDRESS;
        if (r == MACHINE_MEMORY && asked)
            return EXCEPTION_MEMORY;
        reason = z_await(m, h->task, h->va, h->access, &h->gone);
        asked = true;
    }
    return h->gone ? EXCEPTION_PAGER : reason;
}

/* The page of the reference, waited for if it must be. The node's time first catches up with
 * the processor's, and the wait is the processor's time as well. */
static u32 bring(struct z_machine *m, struct hold *h)
{
    u32 at, reason;
    u64 began;

    if (z_touch(m, h->task, h->va, h->access, &at) == MACHINE_OK)
        return 0;
    z_pass(m, h->now_ns);
    h->gone = m->halted || !node_find(m->node, &h->id);
    began = machine_now(m->node);
    reason = fetch(m, h);
    board_wait(m->board, (machine_now(m->node) - began) / BOARD_CLOCK_NS);
    return reason;
}

void z_serve_hold(struct z_machine *m, struct thread *th, u64 now_ns)
{
    u16 where = board_in(m->board, BOARD_FAULT), offset = board_in(m->board, BOARD_OFFSET);
    bool segment_missing = board_in(m->board, BOARD_REASON) == BOARD_FAULT_SEGMENT;
    u8 segment = (u8)(where & 0x7f);
    u64 va = z_address((u32)segment << 24 | offset);
    u32 reason = EXCEPTION_PAGER; /* of a process that has ended meanwhile */

    if (m->running == th)
        reason = bring(m,
                       &(struct hold){.task = th->task,
                                      .id = th->task->id,
                                      .va = va,
                                      .now_ns = now_ns,
                                      .access = where & 0x8000 ? REGION_WRITE : REGION_READ});
    if (!reason && segment_missing)
        z_maps_segment(m, th->task, segment);
    else if (!reason)
        z_maps_page(m, th->task, segment, (u32)offset >> m->page_bits);
    if (reason && !m->fault_reason) { /* the first of an instruction is why it failed */
        m->fault_reason = reason;
        m->fault_address = va;
    }
    board_out(m->board, BOARD_RELEASE, reason ? RELEASE_GIVE_UP : RELEASE_AGAIN);
}

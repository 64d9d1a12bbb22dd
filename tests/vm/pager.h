/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pager for simulated processes: keeps whatever pages kernels send it, by object and offset,
 * in the test's own memory, and gives them back by MOVEDATA into the frame.
 */
#ifndef TESTS_VM_PAGER_H
#define TESTS_VM_PAGER_H

#include "guest/kernel/keeper.h"
#include "tests/kernel/puppet.h"

enum { PAGER = 5, PAGER_SLOTS = 1024 };

struct pager_slot {
    u64 object, offset;
    bool used;
    u8 bytes[SIM_PAGE];
};
static struct pager_slot pager_slots[PAGER_SLOTS];
static bool pager_broken; /* gives nothing back */
static bool pager_blank;  /* has zeros of what it was never given */
static u64 pager_requests, pager_writes, pager_ends;
static u64 pager_order[PAGER_SLOTS], pager_ordered; /* offsets in pages, as they were written */

static struct pager_slot *pager_slot(u64 object, u64 offset, bool make)
{
    struct pager_slot *free_slot = NULL;

    for (u32 i = 0; i < PAGER_SLOTS; i++) {
        struct pager_slot *s = &pager_slots[i];

        if (s->used && s->object == object && s->offset == offset)
            return s;
        if (!s->used && !free_slot)
            free_slot = s;
    }
    if (make && free_slot)
        *free_slot = (struct pager_slot){.object = object, .offset = offset, .used = true};
    return make ? free_slot : NULL;
}

static void pager_reset(void)
{
    memset(pager_slots, 0, sizeof(pager_slots));
    pager_requests = pager_writes = pager_ends = pager_ordered = 0;
    pager_broken = pager_blank = false;
}

enum { P_STEP, P_LINK, P_OTHER, P_OBJECT, P_OFFSET };

static struct sim_call pager_drop(struct sim_process *p)
{
    u64 link = p->self[P_LINK] ? p->self[P_LINK] : p->self[P_OTHER];

    if (p->self[P_LINK])
        p->self[P_LINK] = 0;
    else
        p->self[P_OTHER] = 0;
    return sim_call(DEMOS_DESTROYLINK, link, 0, 0, 0, 0, 0);
}

static void pager_end(u64 object)
{
    pager_ends++;
    for (u32 i = 0; i < PAGER_SLOTS; i++)
        if (pager_slots[i].object == object)
            pager_slots[i].used = false;
}

/* A message has come: the first call of its answer. */
static struct sim_call pager_serve(struct sim_process *p)
{
    struct demos_info info;
    struct pager_slot *s;
    u8 body[40];
    u64 op;

    sim_peek(p, BUFFER, body, sizeof(body));
    sim_peek(p, INFO, &info, sizeof(info));
    op = be64_get(body);
    p->self[P_OBJECT] = be64_get(body + 8);
    p->self[P_OFFSET] = be64_get(body + 16);
    p->self[P_LINK] = info.count ? (u64)info.links[0] : 0;
    p->self[P_OTHER] = info.count > 1 ? (u64)info.links[1] : 0;
    if (op == KEEPER_END)
        pager_end(p->self[P_OBJECT]);
    if (op == KEEPER_REQUEST && !pager_broken) {
        s = pager_slot(p->self[P_OBJECT], p->self[P_OFFSET], pager_blank);
        CHECK(s != NULL);
        if (s)
            sim_poke(p, TEXT, s->bytes, SIM_PAGE);
        pager_requests++;
        return sim_call(DEMOS_MOVEDATA, p->self[P_LINK], DEMOS_MOVE_WRITE, 0, TEXT, SIM_PAGE,
                        0);
    }
    if (op == KEEPER_WRITE) {
        p->self[P_STEP] = 2;
        return sim_call(DEMOS_MOVEDATA, p->self[P_LINK], DEMOS_MOVE_READ, 0, TEXT, SIM_PAGE, 0);
    }
    return sim_call(DEMOS_NULL, 0, 0, 0, 0, 0, 0);
}

static struct sim_call pager(struct sim_process *p, s64 result)
{
    struct pager_slot *s;

    if (p->fresh)
        p->self[P_STEP] = 0;
    if (!p->fresh && p->self[P_STEP] == 0 && result >= 8) {
        p->self[P_STEP] = 1;
        return pager_serve(p);
    }
    if (p->self[P_STEP] == 2) { /* the frame has been read, or is gone */
        if (result == SIM_PAGE) {
            s = pager_slot(p->self[P_OBJECT], p->self[P_OFFSET], true);
            sim_peek(p, TEXT, s->bytes, SIM_PAGE);
            pager_order[pager_ordered++ % PAGER_SLOTS] = p->self[P_OFFSET] / SIM_PAGE;
            pager_writes++;
        }
        p->self[P_STEP] = 1;
    }
    if (p->self[P_STEP] == 1 && (p->self[P_LINK] || p->self[P_OTHER]))
        return pager_drop(p);
    p->self[P_STEP] = 0;
    return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, BUFFER, SIM_PAGE, INFO, DEMOS_FOREVER, 0);
}

/* A pager on node `at`, registered with the kernel of node `of`, which has `frames`. */
static inline struct sim_process *pager_for(struct sim *s, u32 at, u32 of, u32 frames,
                                            u32 policy)
{
    struct sim_process *boss, *keeper;
    u64 attr = DEMOS_DUP | DEMOS_GIVE;

    s->programs[PAGER] = pager;
    s->nodes[of].frame_count = frames;
    keeper = sim_spawn(&s->nodes[at], PAGER, 16);
    boss = puppet_on(s, of);
    CHECK_EQ(order(boss, LINK_KERNEL, KERNEL_OP_PAGER, policy, 0, 0, 0,
                   sim_link(boss, keeper, DEMOS_GENERAL, (u32)attr, 1, 0)),
             0);
    return keeper;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pager for simulated processes: keeps whatever pages kernels send it, where the real one does
 * (guest/servers/vm/slots.h), on the test's own disk, and gives them back by MOVEDATA into the frame.
 */
#ifndef TESTS_VM_PAGER_H
#define TESTS_VM_PAGER_H

#include "guest/kernel/keeper.h"
#include "guest/servers/vm/slots.h"
#include "tests/kernel/puppet.h"
#include "tests/vm/medium.h"

enum { PAGER = 5, PAGER_SLOTS = MEDIUM_PAGES };

static struct slot pager_slot[PAGER_SLOTS];
static u32 pager_bucket[PAGER_SLOTS];
static struct slots pager_slots;
static bool pager_broken; /* gives nothing back */
static bool pager_blank;  /* has zeros of what it was never given */
static bool pager_pried;  /* is asked for what it was never given */
static u64 pager_requests, pager_writes, pager_ends, pager_refused;
static u64 pager_delay_ns;                          /* before it does anything */
static u64 pager_order[PAGER_SLOTS], pager_ordered; /* offsets in pages, as they were written */

static void pager_reset(void)
{
    medium_reset();
    slots_init(&pager_slots, pager_slot, pager_bucket, PAGER_SLOTS);
    pager_requests = pager_writes = pager_ends = pager_ordered = pager_refused = 0;
    pager_delay_ns = 0;
    pager_broken = pager_blank = pager_pried = false;
}

enum { P_STEP, P_LINK, P_OTHER, P_OBJECT, P_OFFSET, P_CODE };
enum { WAITS, SERVED, FRAME_READ, DELAYED }; /* its steps */

static struct sim_call pager_drop(struct sim_process *p)
{
    u64 link = p->self[P_LINK] ? p->self[P_LINK] : p->self[P_OTHER];

    if (p->self[P_LINK])
        p->self[P_LINK] = 0;
    else
        p->self[P_OTHER] = 0;
    return sim_call(DEMOS_DESTROYLINK, link, 0, 0, 0, 0, 0);
}

/* The page that is wanted; NULL: refused. */
static const u8 *pager_get(const struct sim_process *p)
{
    static const u8 zeros[SIM_PAGE];
    s64 slot = slots_find(&pager_slots, p->self[P_CODE], p->self[P_OBJECT], p->self[P_OFFSET]);
    u32 check = slots_check(&pager_slots, slot);
    const u8 *bytes;

    if (slot < 0 && pager_blank)
        return zeros;
    CHECK(slot >= 0 || pager_pried);
    if (check && verify_read((u64)slot * MEDIUM_BLOCKS, MEDIUM_BLOCKS, check, &bytes) >= 0)
        return bytes;
    pager_refused++;
    return NULL;
}

static void pager_put(const struct sim_process *p, u8 *bytes)
{
    s64 slot = slots_take(&pager_slots, p->self[P_CODE], p->self[P_OBJECT], p->self[P_OFFSET]);

    CHECK(slot >= 0);
    pager_order[pager_ordered++ % PAGER_SLOTS] = p->self[P_OFFSET] / SIM_PAGE;
    pager_writes++;
    if (medium_request(BLKIF_OP_WRITE, (u64)slot * MEDIUM_BLOCKS, MEDIUM_BLOCKS, bytes) >= 0)
        slots_hold(&pager_slots, slot, verify_check(bytes, SIM_PAGE));
}

/* A message has come: the first call of its answer. */
static struct sim_call pager_serve(struct sim_process *p)
{
    struct demos_info info;
    const u8 *bytes;
    u8 body[40];
    u64 op;

    sim_peek(p, BUFFER, body, sizeof(body));
    sim_peek(p, INFO, &info, sizeof(info));
    op = be64_get(body);
    p->self[P_OBJECT] = be64_get(body + 8);
    p->self[P_OFFSET] = be64_get(body + 16);
    p->self[P_LINK] = info.count ? (u64)info.links[0] : 0;
    p->self[P_OTHER] = info.count > 1 ? (u64)info.links[1] : 0;
    p->self[P_CODE] = info.code;
    if (op == KEEPER_END) {
        pager_ends++;
        slots_drop(&pager_slots, info.code, p->self[P_OBJECT]);
    }
    if (op == KEEPER_REQUEST && !pager_broken && (bytes = pager_get(p)) != NULL) {
        sim_poke(p, TEXT, bytes, SIM_PAGE);
        pager_requests++;
        return sim_call(DEMOS_MOVEDATA, p->self[P_LINK], DEMOS_MOVE_WRITE, 0, TEXT, SIM_PAGE,
                        0);
    }
    if (op == KEEPER_WRITE) {
        p->self[P_STEP] = FRAME_READ;
        return sim_call(DEMOS_MOVEDATA, p->self[P_LINK], DEMOS_MOVE_READ, 0, TEXT, SIM_PAGE, 0);
    }
    return sim_call(DEMOS_NULL, 0, 0, 0, 0, 0, 0);
}

static struct sim_call pager(struct sim_process *p, s64 result)
{
    u8 bytes[SIM_PAGE];
    u64 step = p->fresh ? WAITS : p->self[P_STEP];

    p->self[P_STEP] = SERVED;
    if (!p->fresh && step == WAITS && result >= 8 && pager_delay_ns) {
        p->self[P_STEP] = DELAYED;
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, pager_delay_ns, 0);
    }
    if (step == DELAYED || (!p->fresh && step == WAITS && result >= 8))
        return pager_serve(p);
    if (step == FRAME_READ && result == SIM_PAGE) { /* else it is gone */
        sim_peek(p, TEXT, bytes, SIM_PAGE);
        pager_put(p, bytes);
    }
    if (step != WAITS && (p->self[P_LINK] || p->self[P_OTHER]))
        return pager_drop(p);
    p->self[P_STEP] = WAITS;
    return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, BUFFER, SIM_PAGE, INFO, DEMOS_FOREVER, 0);
}

/* Registers an area of the pager's, by its code, with the kernel of node `of`, which has `frames`. */
static inline void pager_area(struct sim *s, struct sim_process *keeper, u32 code, u32 of,
                              u32 frames, u32 policy)
{
    struct sim_process *boss;
    u64 attr = DEMOS_DUP | DEMOS_GIVE;

    s->nodes[of].frame_count = frames;
    boss = puppet_on(s, of);
    CHECK_EQ(order(boss, LINK_KERNEL, KERNEL_OP_PAGER, policy, 0, 0, 0,
                   sim_link(boss, keeper, DEMOS_GENERAL, (u32)attr, 1, code)),
             0);
}

static inline struct sim_process *pager_on(struct sim *s, u32 at)
{
    s->programs[PAGER] = pager;
    return sim_spawn(&s->nodes[at], PAGER, 16);
}

/* A pager on node `at`, for node `of` alone. */
static inline struct sim_process *pager_for(struct sim *s, u32 at, u32 of, u32 frames,
                                            u32 policy)
{
    struct sim_process *keeper;

    s->nodes[of].frame_count = frames;
    keeper = pager_on(s, at);
    pager_area(s, keeper, of + 1, of, frames, policy);
    return keeper;
}

#endif

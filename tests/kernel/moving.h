/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that move in a cluster whose machines die: where one is, moving it, killing a machine.
 */
#ifndef TESTS_KERNEL_MOVING_H
#define TESTS_KERNEL_MOVING_H

#include "guest/kernel/core.h"
#include "tests/kernel/programs.h"

static inline struct sim_process *where(struct sim *s, const struct process_id *id)
{
    struct sim_process *found = NULL;

    for (u32 i = 0; i < s->count; i++) {
        struct task *t = s->nodes[i].down ? NULL : node_find(s->nodes[i].node, id);

        CHECK(!t || !found);
        found = t ? sim_process_of(t) : found;
    }
    return found;
}

/* Moves a process, by a controller on the machine it is on; all comes to rest. */
static inline struct sim_process *moved(struct sim *s, const struct process_id *id, u32 to)
{
    struct sim_process *p = where(s, id), *c = sim_spawn(p->node, CONTROLLER, 1);
    u32 attr = DEMOS_TOKERNEL | DEMOS_DUP | DEMOS_GIVE;

    c->self[1] = (u64)sim_link(c, p, DEMOS_REQUEST_LINK, attr, 0, 0);
    c->self[8] = CONTROL_MIGRATE;
    c->self[9] = to + 1;
    sim_run(s, 200000);
    CHECK_EQ(c->self[5], 0);
    node_kill(c->node->node, c->task);
    p = where(s, id);
    CHECK(p && p->node->index == to);
    return p;
}

/* Where a process is now: its only live copy, or NULL with *copies telling. */
static inline struct sim_process *found(struct sim *s, const struct process_id *id, u32 *copies)
{
    struct sim_process *found = NULL;

    *copies = 0;
    for (u32 i = 0; i < s->count; i++) {
        struct task *t = node_find(s->nodes[i].node, id);

        if (!t)
            continue;
        found = sim_process_of(t);
        ++*copies;
    }
    return found;
}

/* A process on `from` asks that `p` be moved; it runs with everything else. */
static inline struct sim_process *ask_move(struct sim *s, u32 from, const struct sim_process *p,
                                           u32 to)
{
    struct sim_process *c = sim_spawn(&s->nodes[from], CONTROLLER, 1);
    u32 attr = DEMOS_TOKERNEL | DEMOS_DUP | DEMOS_GIVE;

    c->self[1] = (u64)sim_link(c, p, DEMOS_REQUEST_LINK, attr, 0, 0);
    c->self[8] = CONTROL_MIGRATE;
    c->self[9] = to + 1;
    c->self[5] = 1;
    return c;
}

static inline void crash(struct sim *s, u32 victim)
{
    u32 epoch = s->nodes[victim].epoch;

    s->nodes[victim].down = true;
    for (u32 i = 0; i < s->count; i++) {
        if (!s->nodes[i].down)
            node_declare_dead(s->nodes[i].node, victim + 1, epoch);
    }
}

static inline void finish(struct sim *s)
{
    for (u32 i = 0; i < s->count; i++)
        s->nodes[i].down = false;
    sim_destroy(s);
}

#endif

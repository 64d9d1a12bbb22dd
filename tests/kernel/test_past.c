/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * H21: a node that comes from the past, in the simulator: what it was in the middle of with another one has no
 * answer at either end, what waited unread is not delivered twice, links lead to it as before, and a
 * process that another machine has, too, is that machine's.
 */
#include "guest/kernel/core.h"
#include "guest/machine/sim/wire.h"
#include "net/net.h"
#include "tests/kernel/programs.h"

enum { PAST_BOOT = 5 };

/* As a machine does it (guest/machine/x86/suspend.c); what it has in memory is of now. */
static void come_from_past(struct sim_node *sn)
{
    struct net_config config = {
        .self = sn->index + 1, .epoch = PAST_BOOT, .seed = sn->sim->seed, .has_crc32c = false};
    struct net *old = sn->net;

    wire_leave(sn);
    sn->net = net_create(&sn->heap, &config);
    CHECK(sn->net != NULL);
    net_poll(sn->net, sn->sim->now);
    wire_join(sn->sim, sn->index, 1);
    node_from_past(sn->node, PAST_BOOT, sn->net);
    net_set_trace(old, false);
    net_destroy(old);
}

static struct sim_process *one_caller(struct sim *s, u32 node, const struct sim_process *server)
{
    struct sim_process *p = sim_spawn(&s->nodes[node], CALLER, 2);

    p->self[1] = (u64)sim_link(p, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    p->self[2] = 1;
    return p;
}

/* Both directions: a request that waits unread at the node, and one of its own that waits elsewhere. */
static void test_what_was_under_way(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *here = sim_spawn(&s->nodes[1], IDLER, 1);
    struct sim_process *there = sim_spawn(&s->nodes[0], IDLER, 1);
    struct sim_process *asks = one_caller(s, 0, here), *asked = one_caller(s, 1, there), *later;

    sim_run(s, 5000);
    CHECK_EQ(here->task->queued, 1);
    CHECK_EQ(there->task->queued, 1);
    CHECK_EQ(asks->self[4] | asked->self[4], 0);
    come_from_past(&s->nodes[1]);
    CHECK_EQ(here->task->queued, 0);
    sim_run(s, 5000);
    CHECK_EQ((s64)asks->self[4], DEMOS_E_DEAD);
    CHECK_EQ((s64)asked->self[4], DEMOS_E_DEAD);
    later = one_caller(s, 0, here);
    sim_run(s, 5000);
    CHECK_EQ(here->task->queued, 1); /* in the new boot, by the old link */
    CHECK_EQ(later->self[4], 0);
    sim_destroy(s);
}

/* What the node itself had made, and what it makes now, are told apart. */
static void test_names(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *old = sim_spawn(&s->nodes[1], ECHO, 2), *fresh, *client;
    u32 boot = old->task->id.epoch;

    come_from_past(&s->nodes[1]);
    fresh = sim_spawn(&s->nodes[1], ECHO, 2);
    CHECK_EQ(old->task->id.epoch, boot);
    CHECK_EQ(fresh->task->id.epoch, PAST_BOOT);
    client = one_caller(s, 1, old); /* on its own node */
    client->self[2] = 20;
    sim_run(s, 20000);
    CHECK_EQ(client->self[3], 20);
    CHECK(boot_is_ours(s->nodes[1].node, boot) &&
          !boot_is_ours(s->nodes[1].node, PAST_BOOT + 1));
    sim_destroy(s);
}

/* It moved to the other machine in the life that is over. */
static void test_one_copy(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *stale = sim_spawn(&s->nodes[1], IDLER, 1);
    struct sim_process *talks = one_caller(s, 1, sim_spawn(&s->nodes[0], ECHO, 2));
    struct process_id id = stale->task->id;
    struct task *moved;

    sim_run(s, 5000);
    CHECK_EQ(talks->self[3], 1); /* so that the two machines know each other */
    moved = node_recreate(s->nodes[0].node, &id, "moved", NULL);
    CHECK(moved != NULL);
    moved->moves = 1;
    come_from_past(&s->nodes[1]);
    CHECK(node_find(s->nodes[1].node, &id) != NULL);
    sim_run(s, 5000);
    CHECK(node_find(s->nodes[1].node, &id) == NULL);
    CHECK(node_find(s->nodes[0].node, &id) == moved);
    sim_destroy(s);
}

TESTS(CASE(test_what_was_under_way), CASE(test_names), CASE(test_one_copy))

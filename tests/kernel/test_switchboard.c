/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links to "the switchboard": the same link, and who gets what is sent over it depends on
 * where and when. DS05 (one for the cluster, by what rule), DS06, DS07 (registered and
 * withdrawn while running), DN21 (a node that comes late is told), U58.
 */
#include "guest/kernel/control.h"
#include "guest/machine/sim/wire.h"
#include "tests/kernel/puppet.h"

/* The switchboard link of that scope, from its node's kernel. */
static s64 board_link(struct sim_process *p, u64 scope)
{
    u64 words[] = {KERNEL_OP_SWITCHBOARD, scope}, answer[1] = {1};
    s64 got = 0;

    CHECK_EQ(request(p, LINK_KERNEL, words, 2, 0, answer, 1, &got), 8);
    CHECK_EQ(answer[0], 0);
    return got;
}

static s64 enroll(struct sim_process *p, u64 scope, u64 flags, u64 code)
{
    s64 link = kcall(p, DEMOS_CREATELINK,
                     demos_spec(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, 3), code, 0, 0, 0,
                     0);

    return order(p, LINK_KERNEL, KERNEL_OP_REGISTER, scope, flags, 0, 0, link);
}

/* Begins a CALL of nothing; it waits for the answer, or for a switchboard. */
static void ask(struct sim_process *p, s64 link)
{
    begin_call(p, DEMOS_CALL, (u64)link, TEXT, demos_lens(8, 64), BUFFER, 0, DEMOS_FOREVER);
}

/* The code of the question that has come to `p`, answered; 0: none has. */
static u64 asked(struct sim_process *p)
{
    struct demos_info info;

    if (kcall(p, DEMOS_RECEIVE, DEMOS_CHANNEL(3), BUFFER, 64, INFO, DEMOS_NOW, 0) < 0)
        return 0;
    sim_peek(p, INFO, &info, sizeof(info));
    CHECK_EQ(kcall(p, DEMOS_REPLY, (u64)info.reply, TEXT, 8, 0, DEMOS_FOREVER, 0), 0);
    return info.code;
}

static bool is_answered(const struct sim_process *p)
{
    return p->self[0] == 0 && (s64)p->self[1] == 8;
}

static void settle(struct sim *s)
{
    CHECK(sim_run(s, 200000));
}

static void test_local_before_global(void)
{
    struct sim *s = puppets(3, 0, NULL);
    struct sim_process *global = puppet_on(s, 0), *local = puppet_on(s, 1);
    struct sim_process *near = puppet_on(s, 1), *far = puppet_on(s, 2);
    s64 of_near = board_link(near, SWITCHBOARD_NEAREST),
        of_far = board_link(far, SWITCHBOARD_NEAREST);
    s64 up = board_link(near, SWITCHBOARD_CLUSTER);

    CHECK_EQ(enroll(global, SWITCHBOARD_CLUSTER, 0, 100), 0);
    settle(s);
    ask(near, of_near);
    CHECK_EQ(asked(global), 100);
    CHECK(is_answered(near));
    CHECK_EQ(enroll(local, SWITCHBOARD_NEAREST, 0, 200), 0);
    CHECK_EQ(enroll(local, SWITCHBOARD_NEAREST, 0, 201), DEMOS_E_STATE);
    ask(near, of_near); /* the same link as before */
    CHECK_EQ(asked(local), 200);
    CHECK(is_answered(near));
    ask(near, up);
    CHECK_EQ(asked(global), 100);
    ask(far, of_far);
    CHECK_EQ(asked(local), 0);
    CHECK_EQ(asked(global), 100);
    node_kill(s->nodes[1].node, local->task);
    ask(near, of_near);
    CHECK_EQ(asked(global), 100);
    sim_destroy(s);
}

static void test_withdrawn_and_replaced(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *global = puppet_on(s, 0), *local = puppet_on(s, 1);
    struct sim_process *near = puppet_on(s, 1);
    s64 link = board_link(near, SWITCHBOARD_NEAREST);

    CHECK_EQ(enroll(global, SWITCHBOARD_CLUSTER, 0, 100), 0);
    settle(s);
    CHECK_EQ(enroll(local, SWITCHBOARD_CLUSTER, 0, 300), DEMOS_E_STATE); /* there is one */
    CHECK_EQ(enroll(local, SWITCHBOARD_NEAREST, 0, 200), 0);
    CHECK_EQ(order(local, LINK_KERNEL, KERNEL_OP_REGISTER, SWITCHBOARD_NEAREST, 0, 0, 0, 0), 0);
    ask(near, link);
    CHECK_EQ(asked(global), 100);
    CHECK_EQ(enroll(local, SWITCHBOARD_CLUSTER, SWITCHBOARD_REPLACE, 300), 0);
    settle(s);
    ask(near, link);
    CHECK_EQ(asked(local), 300);
    ask(global, board_link(global, SWITCHBOARD_NEAREST)); /* its node has heard of it */
    CHECK_EQ(asked(local), 300);
    sim_destroy(s);
}

static void test_refused(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p = puppet_on(s, 0);
    s64 board = board_link(p, SWITCHBOARD_NEAREST);
    s64 general = kcall(p, DEMOS_CREATELINK,
                        demos_spec(DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, 3), 1, 0, 0, 0, 0);
    s64 single = kcall(p, DEMOS_CREATELINK, demos_spec(DEMOS_REQUEST_LINK, DEMOS_GIVE, 3), 1, 0,
                       0, 0, 0);

    CHECK_EQ(order(p, LINK_KERNEL, KERNEL_OP_REGISTER, 0, 0, 0, 0, board), DEMOS_E_KIND);
    CHECK_EQ(order(p, LINK_KERNEL, KERNEL_OP_REGISTER, 0, 0, 0, 0, general), DEMOS_E_KIND);
    CHECK_EQ(order(p, LINK_KERNEL, KERNEL_OP_REGISTER, 0, 0, 0, 0, single), DEMOS_E_KIND);
    CHECK_EQ(order(p, LINK_KERNEL, KERNEL_OP_REGISTER, 1, 0, 0, 0, 0), DEMOS_E_ARGUMENT);
    CHECK_EQ(order(p, LINK_KERNEL, KERNEL_OP_REGISTER, 7, 0, 0, 0, 0), DEMOS_E_ARGUMENT);
    CHECK_EQ(order(p, LINK_KERNEL, KERNEL_OP_SWITCHBOARD, 7, 0, 0, 0, 0), DEMOS_E_ARGUMENT);
    CHECK_EQ(kcall(p, DEMOS_CREATELINK, demos_spec(DEMOS_REQUEST_LINK, DEMOS_SWITCHBOARD, 3), 0,
                   0, 0, 0, 0),
             DEMOS_E_ARGUMENT);
    /* Nobody yet: now, in time, or when one comes. */
    CHECK_EQ(kcall(p, DEMOS_CALL, (u64)board, TEXT, demos_lens(8, 64), BUFFER, 0, DEMOS_NOW),
             DEMOS_E_FULL);
    CHECK_EQ(kcall(p, DEMOS_CALL, (u64)board, TEXT, demos_lens(8, 64), BUFFER, 0, 1000000),
             DEMOS_E_TIMEOUT);
    sim_destroy(s);
}

static void test_alone(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *q = puppet_on(s, 0);
    s64 board = board_link(p, SWITCHBOARD_NEAREST);

    CHECK_EQ(
        kcall(p, DEMOS_CALL, (u64)board, TEXT, demos_lens(8, 64), BUFFER, 0, DEMOS_FOREVER),
        DEMOS_E_DEAD);
    CHECK_EQ(enroll(q, SWITCHBOARD_CLUSTER, 0, 5), 0);
    ask(p, board);
    CHECK_EQ(asked(q), 5);
    CHECK(is_answered(p));
    sim_destroy(s);
}

/* Who asks before there is one waits; the answer comes when it is announced anywhere. */
static void test_waits_for_the_first(void)
{
    struct sim *s = puppets(3, 0, NULL);
    struct sim_process *early = puppet_on(s, 2), *doomed = puppet_on(s, 2);
    struct sim_process *global = puppet_on(s, 1);

    ask(early, board_link(early, SWITCHBOARD_NEAREST));
    ask(doomed, board_link(doomed, SWITCHBOARD_NEAREST));
    node_kill(s->nodes[2].node, doomed->task); /* it waits no more */
    CHECK_EQ(enroll(global, SWITCHBOARD_CLUSTER, 0, 9), 0);
    settle(s);
    CHECK_EQ(asked(global), 9);
    CHECK_EQ(asked(global), 0);
    CHECK(is_answered(early));
    sim_destroy(s);
}

/* Two at the same time, on nodes that do not see each other: the lower machine's counts. */
static void test_two_candidates(void)
{
    struct sim *s = puppets(4, 0, NULL);
    struct sim_process *p[4];

    for (u32 i = 0; i < 4; i++) {
        p[i] = puppet_on(s, i);
        wire_leave(&s->nodes[i]);
    }
    CHECK_EQ(enroll(p[2], SWITCHBOARD_CLUSTER, 0, 3), 0);
    CHECK_EQ(enroll(p[1], SWITCHBOARD_CLUSTER, 0, 2), 0);
    wire_join(s, 0, 4);
    settle(s);
    for (u32 i = 0; i < 4; i++) {
        if (i == 1)
            continue;
        ask(p[i], board_link(p[i], SWITCHBOARD_NEAREST));
        CHECK_EQ(asked(p[1]), 2);
        CHECK(is_answered(p[i]));
    }
    sim_destroy(s);
}

/* DN21: a node that comes late is told without asking for anything by name. */
static void test_late_node(void)
{
    struct sim *s = puppets(3, 0, NULL);
    struct sim_process *global = puppet_on(s, 0), *late = puppet_on(s, 2);

    for (u32 i = 0; i < 3; i++)
        wire_leave(&s->nodes[i]);
    wire_join(s, 0, 2);
    CHECK_EQ(enroll(global, SWITCHBOARD_CLUSTER, 0, 1), 0);
    settle(s);
    ask(late, board_link(late, SWITCHBOARD_NEAREST));
    CHECK_EQ(asked(global), 0);
    wire_join(s, 2, 1);
    settle(s);
    CHECK_EQ(asked(global), 1);
    CHECK(is_answered(late));
    sim_destroy(s);
}

/* The switchboard moves; who finds it by announcement or by the old place finds it. */
static void test_moves(void)
{
    struct sim *s = puppets(3, 0, NULL);
    struct sim_process *boss = puppet_on(s, 0), *global = puppet_on(s, 0);
    struct sim_process *client = puppet_on(s, 1);
    s64 board = board_link(client, SWITCHBOARD_NEAREST), control;
    u64 forwarded = 0;
    struct link l;

    CHECK_EQ(enroll(global, SWITCHBOARD_CLUSTER, 0, 4), 0);
    settle(s);
    control_link(global->task, 1, &l);
    control = link_insert(s->nodes[0].node, &boss->task->links, &l);
    CHECK_EQ(order(boss, control, CONTROL_MIGRATE, 3, 0, 0, 0, 0), 0);
    settle(s);
    global = sim_process_of(node_task(s->nodes[2].node, 0));
    for (u32 i = 0; i < 3; i++) {
        ask(client, board);
        CHECK_EQ(asked(global), 4);
        CHECK(is_answered(client));
        if (i == 0)
            forwarded = node_counters(s->nodes[0].node)->forwarded;
    }
    CHECK(forwarded > 0);
    CHECK_EQ(node_counters(s->nodes[0].node)->forwarded,
             forwarded); /* the hint was corrected */
    sim_destroy(s);
}

/* A cluster-wide switchboard that died: DEAD for who asks, until there is another. */
static void test_dies(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *global = puppet_on(s, 0), *client = puppet_on(s, 1);
    struct sim_process *next = puppet_on(s, 0);
    s64 board = board_link(client, SWITCHBOARD_NEAREST);

    CHECK_EQ(enroll(global, SWITCHBOARD_CLUSTER, 0, 4), 0);
    settle(s);
    node_kill(s->nodes[0].node, global->task);
    CHECK_EQ(kcall(client, DEMOS_CALL, (u64)board, TEXT, demos_lens(8, 64), BUFFER, 0,
                   DEMOS_FOREVER),
             DEMOS_E_DEAD);
    CHECK_EQ(enroll(next, SWITCHBOARD_CLUSTER, 0, 5), 0);
    settle(s);
    ask(client, board);
    CHECK_EQ(asked(next), 5);
    node_declare_dead(s->nodes[1].node, 1, 1);
    ask(client, board);
    CHECK(!is_answered(client)); /* none known: it waits */
    CHECK_EQ(enroll(puppet_on(s, 1), SWITCHBOARD_CLUSTER, 0, 6), 0);
    sim_destroy(s);
}

/* Nonsense from other nodes changes nothing. */
static void test_nonsense(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p = puppet_on(s, 0);
    u8 bytes[52] = {1, DEMOS_REQUEST_LINK, 0, DEMOS_DUP};
    struct node *n = s->nodes[0].node;

    for (size_t len = 0; len < sizeof(bytes); len++)
        node_announced(n, bytes, len);
    node_announced(n, bytes, sizeof(bytes)); /* machine 0 */
    be32_put(bytes + 4, 9);
    be32_put(bytes + 8, 2);
    be32_put(bytes + 48, DEMOS_CHANNELS);
    node_announced(n, bytes, sizeof(bytes));
    be32_put(bytes + 48, 3);
    be16_put(bytes + 2, DEMOS_DUP | DEMOS_SWITCHBOARD);
    node_announced(n, bytes, sizeof(bytes));
    CHECK_EQ(kcall(p, DEMOS_CALL, (u64)board_link(p, 0), TEXT, demos_lens(8, 64), BUFFER, 0,
                   DEMOS_NOW),
             DEMOS_E_FULL);
    be16_put(bytes + 2, DEMOS_DUP);
    be32_put(bytes + 8, 1); /* of a life of ours before this one */
    node_announced(n, bytes, sizeof(bytes));
    CHECK_EQ(enroll(p, SWITCHBOARD_CLUSTER, 0, 6), 0);
    CHECK_EQ(n->switchboards.number, 10);
    sim_destroy(s);
}

TESTS(CASE(test_local_before_global), CASE(test_withdrawn_and_replaced), CASE(test_refused),
      CASE(test_alone), CASE(test_waits_for_the_first), CASE(test_two_candidates),
      CASE(test_late_node), CASE(test_moves), CASE(test_dies), CASE(test_nonsense))

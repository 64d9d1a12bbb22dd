/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel processes: each has a channel of its own, sleeps until a message comes on it, and
 * is back at its begin when it has answered (DK01, DK03, DK04); large transfers, the machine's
 * devices and moves of processes are their work and seen in the trace (DK02); of a process's
 * requests to its kernel all but a dozen calls are messages that a trace has (DK09). Between
 * machines there are kernels only (DL18).
 * tests/kernel/test_handlers.py looks at their code.
 */
#include "tests/kernel/puppet.h"

enum { SEEN = 64 };
static u64 seen[SEEN], kernel_sends, sends;

static void count_trace(struct sim_node *sn, u16 type, u32 who, u64 a, u64 b)
{
    (void)sn;
    (void)b;
    if (type >= KERNEL_T_send && type - KERNEL_T_send < SEEN)
        seen[type - KERNEL_T_send]++;
    if (type == KERNEL_T_send && who) {
        sends++;
        kernel_sends += (u32)a == 0;
    }
}

static void watch(struct sim *s)
{
    s->on_trace = count_trace;
    memset(seen, 0, sizeof(seen));
    sends = kernel_sends = 0;
    for (u32 i = 0; i < s->count; i++)
        node_set_trace(s->nodes[i].node, true);
}

static u64 told(enum kernel_trace type)
{
    return seen[type - KERNEL_T_send];
}

static s64 link_to(struct sim_process *p, u32 channel)
{
    struct node *n = p->node->node;
    struct link l;

    node_kernel_link(n, channel, &l);
    return link_insert(n, &p->task->links, &l);
}

static void test_a_message_wakes_its_channel_only(void)
{
    static const u32 channels[] = {KERNEL_PROCESS, KERNEL_CLOCK, KERNEL_CONSOLE, KERNEL_MACHINE,
                                   KERNEL_DISK};
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0);
    struct node *n = s->nodes[0].node;
    u64 before[KERNEL_CHANNELS], words[2] = {KERNEL_OP_NODE, 0}, answer[1];

    for (u32 i = 0; i < ARRAY_SIZE(channels); i++) {
        s64 link = link_to(p, channels[i]);

        memcpy(before, n->handled, sizeof(before));
        CHECK(sim_run(s, 1000)); /* nobody stirs */
        CHECK_EQ(memcmp(before, n->handled, sizeof(before)), 0);
        CHECK(request(p, link, words, 2, 0, answer, 1, NULL) != STILL_WAITS);
        for (u32 c = 0; c < KERNEL_CHANNELS; c++)
            CHECK_EQ(n->handled[c], before[c] + (c == channels[i]));
        /* Nothing of it is left on the way: no message, no loop begun. */
        CHECK(list_empty(&n->work) && !n->draining);
    }
    memcpy(before, n->handled, sizeof(before));
    CHECK_EQ(order(p, link_to(p, KERNEL_CHANNELS), 1, 0, 0, 0, 0, 0), DEMOS_E_CALL);
    CHECK_EQ(memcmp(before, n->handled, sizeof(before)), 0);
    /* What goes over a control link is the process-and-memory kernel process's. */
    CHECK_EQ(order(p, LINK_SELF, CONTROL_INFO, 0, 0, 0, 0, 0), 0);
    CHECK_EQ(n->handled[KERNEL_PROCESS], before[KERNEL_PROCESS] + 1);
    sim_destroy(s);
}

static void test_the_listing(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0);
    u64 words[1] = {KERNEL_OP_KERNELS}, answer[1 + KERNEL_CHANNELS * KERNEL_LISTING_WORDS];
    u64 total = 0;

    order(p, link_to(p, KERNEL_CLOCK), 0, 0, 0, 0, 0, 0);
    CHECK_EQ(request(p, LINK_KERNEL, words, 1, 0, answer, ARRAY_SIZE(answer), NULL),
             (s64)sizeof(answer));
    CHECK_EQ(answer[0], 0);
    for (u32 c = 0; c < KERNEL_CHANNELS; c++) {
        const u64 *row = answer + 1 + c * KERNEL_LISTING_WORDS;

        CHECK(row[0] != 0); /* a name */
        CHECK_EQ(row[3], c);
        CHECK_EQ(row[4], c == KERNEL_PROCESS || c == KERNEL_CLOCK);
        total += row[5];
    }
    CHECK(total > 0 && total < 8192);
    sim_destroy(s);
}

static void test_their_work_is_in_the_trace(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *q = puppet_on(s, 1);
    u32 attr = DEMOS_AREA_READ | DEMOS_GIVE;
    s64 area = sim_link(p, q, DEMOS_GENERAL, attr, 0, 0);
    s64 control = sim_link(p, q, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);
    u64 kernels[2];

    link_find(&p->task->links, area)->link.base = SIM_DATA;
    link_find(&p->task->links, area)->link.len = 8 * SIM_PAGE;
    watch(s);
    for (u32 i = 0; i < 2; i++)
        kernels[i] = s->nodes[i].node->handled[0];
    begin_call(p, DEMOS_MOVEDATA, (u64)area, DEMOS_MOVE_READ, 0, SIM_DATA + SIM_PAGE,
               4 * SIM_PAGE, 0);
    CHECK(sim_run(s, 100000));
    CHECK_EQ((s64)p->self[1], 4 * SIM_PAGE);
    CHECK_EQ(told(KERNEL_T_move), 1);
    CHECK(s->nodes[1].node->handled[0] > kernels[1]); /* asked by a message between kernels */
    /* A device. */
    kernel_sends = 0;
    request(p, link_to(p, KERNEL_DISK), (u64[1]){0}, 1, 0, NULL, 0, NULL);
    CHECK_EQ(kernel_sends, 1);
    /* A move. */
    begin_call(p, DEMOS_NULL, 0, 0, 0, 0, 0, 0);
    CHECK_EQ(told(KERNEL_T_migrate), 0);
    CHECK_EQ(order(p, control, CONTROL_MIGRATE, 1, 0, 0, 0, 0), 0);
    CHECK(sim_run(s, 100000));
    CHECK(told(KERNEL_T_migrate) >= 7);
    CHECK_EQ(node_counters(s->nodes[0].node)->moved_in, 1);
    sim_destroy(s);
}

/* Which calls there are; everything else that a process asks of its kernel is one CALL with
 * one message, which the trace has. */
static void test_requests_are_messages(void)
{
    static const u64 asked[][2] = {
        {LINK_KERNEL, KERNEL_OP_LIST},    {LINK_KERNEL, KERNEL_OP_NODE},
        {LINK_KERNEL, KERNEL_OP_PAGING},  {LINK_KERNEL, KERNEL_OP_CREATE},
        {LINK_KERNEL, KERNEL_OP_TRAFFIC}, {LINK_SELF, CONTROL_INFO},
        {LINK_SELF, CONTROL_LIMITS},      {LINK_SELF, CONTROL_MAP},
        {LINK_SELF, CONTROL_UNMAP},       {LINK_SELF, CONTROL_EXCEPTION}};
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0);

    CHECK_EQ(DEMOS_CALLS, 13);
    for (u32 number = DEMOS_CALLS; number < 300; number++)
        CHECK_EQ(kcall(p, number, 0, 0, 0, 0, 0, 0), DEMOS_E_CALL);
    watch(s);
    for (u32 i = 0; i < ARRAY_SIZE(asked); i++) {
        u64 before = sends, answered = told(KERNEL_T_receive);

        CHECK(order(p, (s64)asked[i][0], asked[i][1], 0, 0, 0, 0, 0) != STILL_WAITS);
        CHECK_EQ(sends, before + 1);
        CHECK(told(KERNEL_T_receive) > answered); /* the answer */
    }
    sim_destroy(s);
}

/* DL18: messages come from another machine while no process of this one runs. */
static void test_no_process_on_the_way(void)
{
    enum { MESSAGES = 10 };
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *q = puppet_on(s, 1);
    const struct node_counters *there = node_counters(s->nodes[1].node);
    s64 link = sim_link(p, q, DEMOS_GENERAL, 0, 1, 0);
    u64 entries = there->entries;

    watch(s);
    for (u32 i = 0; i < MESSAGES; i++)
        CHECK_EQ(kcall(p, DEMOS_SEND, (u64)link, TEXT, 100, 0, DEMOS_NOW, 0), 0);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(q->task->queued, MESSAGES);
    CHECK_EQ(there->entries, entries);
    CHECK_EQ(told(KERNEL_T_send), MESSAGES);
    CHECK_EQ(told(KERNEL_T_deliver), MESSAGES);
    CHECK_EQ(told(KERNEL_T_forward), 0); /* one hop: from kernel to kernel */
    sim_destroy(s);
}

TESTS(CASE(test_a_message_wakes_its_channel_only), CASE(test_the_listing),
      CASE(test_their_work_is_in_the_trace), CASE(test_requests_are_messages),
      CASE(test_no_process_on_the_way))

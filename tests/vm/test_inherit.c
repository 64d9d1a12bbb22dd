/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory between processes: inherited shared, copied or not at all, with pages counted; moved
 * by MOVEDATA without copies; regions that grow; and kept regions of a process that moves. U17,
 * U35 (from the shadowed original), L11, L13, L10.
 */
#include "tests/vm/kept.h"

#define A (KEPT)
#define B (KEPT + 0x100000)
#define C (KEPT + 0x200000)

static s64 control_of(struct sim_process *of, const struct sim_process *to)
{
    return sim_link(of, to, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL | DEMOS_DUP | DEMOS_GIVE, 0, 0);
}

static void set(struct sim_process *p, u64 at, u8 byte)
{
    CHECK_EQ(kcall(p, SIM_TOUCH, at, REGION_WRITE, 0, 0, 0, 0), 0);
    sim_poke(p, at, &byte, 1);
}

static int get(struct sim_process *p, u64 at)
{
    u8 byte = 0xee;

    CHECK_EQ(kcall(p, SIM_TOUCH, at, REGION_READ, 0, 0, 0, 0), 0);
    sim_peek(p, at, &byte, 1);
    return byte;
}

/* A process with the memory of `parent`, running as a puppet. */
static struct sim_process *child_of(struct sim *s, struct sim_process *parent)
{
    struct task *t = node_process(s->nodes[0].node, "child", NULL);
    u64 start[] = {CONTROL_START, PUPPET, DEMOS_STACK_TOP, 0}, answer[1];
    s64 child, self;

    node_map(s->nodes[0].node, t, SIM_DATA, 16 * SIM_PAGE, 3, 3); /* a puppet's strings */
    node_grant(s->nodes[0].node, t, "kernel", KERNEL_PROCESS);
    node_grant(s->nodes[0].node, t, "self", 0);
    CHECK_EQ(
        order(parent, LINK_SELF, CONTROL_INHERIT, SIM_DATA, 16 * SIM_PAGE, REGION_NONE, 0, 0),
        0);
    child = control_of(parent, sim_process_of(t));
    self = control_of(parent, parent);
    CHECK_EQ(order(parent, child, CONTROL_COPY, 0, 0, 0, 0, self), 0);
    CHECK_EQ(order(parent, child, CONTROL_COPY, 0, 0, 0, 0, self), DEMOS_E_ADDRESS);
    CHECK_EQ(request(parent, child, start, 4, 0, answer, 1, NULL), 8);
    CHECK_EQ(answer[0], 0);
    sim_run(s, 10000);
    return sim_process_of(t);
}

static struct sim_process *parent_on(struct sim *s)
{
    static const u64 bases[] = {A, B, C};
    struct sim_process *p = puppet_on(s, 0);

    for (u32 i = 0; i < 3; i++) {
        CHECK_EQ(order(p, LINK_SELF, CONTROL_MAP, bases[i], 4 * SIM_PAGE, 3, 3, 0), 0);
        CHECK_EQ(order(p, LINK_SELF, CONTROL_INHERIT, bases[i], 4 * SIM_PAGE,
                       i == 0   ? REGION_SHARE
                       : i == 1 ? REGION_COPY
                                : REGION_NONE,
                       0, 0),
                 0);
        for (u64 page = 0; page < 3; page++)
            set(p, bases[i] + page * SIM_PAGE, (u8)(10 * i + page + 1));
    }
    return p;
}

static void test_share_copy_none(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *parent = parent_on(s), *child = child_of(s, parent);
    u64 before = s->nodes[0].frames_taken;
    struct process_id id = child->task->id;

    for (u64 page = 0; page < 3; page++) {
        CHECK_EQ(get(child, A + page * SIM_PAGE), page + 1);
        CHECK_EQ(get(child, B + page * SIM_PAGE), page + 11);
    }
    CHECK_EQ(get(child, B + 3 * SIM_PAGE), 0);
    CHECK_EQ(s->nodes[0].frames_taken, before + 1); /* reading takes none, but for the zeros */
    set(parent, A, 100);
    CHECK_EQ(get(child, A), 100); /* shared: later writes are seen, both ways */
    set(child, A + SIM_PAGE, 101);
    CHECK_EQ(get(parent, A + SIM_PAGE), 101);
    set(child, A + 3 * SIM_PAGE, 102); /* where nobody had been */
    CHECK_EQ(get(parent, A + 3 * SIM_PAGE), 102);
    before = s->nodes[0].frames_taken;
    set(parent, B, 103);
    CHECK_EQ(s->nodes[0].frames_taken, before + 1); /* one for each page written */
    CHECK_EQ(get(child, B), 11);
    set(child, B + SIM_PAGE, 104);
    CHECK_EQ(s->nodes[0].frames_taken, before + 2);
    CHECK_EQ(get(parent, B + SIM_PAGE), 12);
    CHECK_EQ(order(child, LINK_SELF, CONTROL_REGION, C, 0, 0, 0, 0), 0);
    CHECK(kcall(child, SIM_TOUCH, C, REGION_READ, 0, 0, 0, 0) == STILL_WAITS);
    CHECK(!node_find(s->nodes[0].node, &id)); /* not inherited: no such memory */
    CHECK_EQ(get(parent, B + SIM_PAGE), 12);
    sim_destroy(s);
}

/* Children of children: each sees what its parent had when it was made. */
static void test_generations(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p[6] = {parent_on(s)};

    for (u32 i = 1; i < 6; i++) {
        set(p[i - 1], B, (u8)(50 + i));
        p[i] = child_of(s, p[i - 1]);
        set(p[i - 1], B, 1);
        set(p[0], A, (u8)(80 + i));
        for (u32 j = 0; j <= i; j++)
            CHECK_EQ(get(p[j], A), 80 + i);
    }
    for (u32 i = 1; i < 5; i++)
        CHECK_EQ(get(p[i], B), 1);
    CHECK_EQ(get(p[5], B), 55);
    CHECK_EQ(get(p[5], B + SIM_PAGE), 12);
    for (u32 i = 0; i < 6; i++)
        node_kill(s->nodes[0].node, p[i]->task);
    CHECK_EQ(s->nodes[0].frames_taken, 0);
    sim_destroy(s);
}

/* A copy of what a keeper keeps: pages come through it, changes stay with the copy. */
static void test_copy_of_kept_memory(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *parent = puppet_on(s, 0), *keeper = puppet_on(s, 0), *child;
    struct heard h;

    CHECK_EQ(keep(parent, keeper, 0, 4, 77, KEEPER_WAIT, 0), 0);
    CHECK_EQ(hear(keeper).op, KEEPER_INIT);
    child = child_of(s, parent);
    CHECK(!touch(child, 1, REGION_WRITE));
    h = hear(keeper);
    CHECK_EQ(h.op, KEEPER_REQUEST);
    provide(keeper, &h, 20);
    CHECK(!waits(child));
    set(child, KEPT + SIM_PAGE, 21);
    CHECK_EQ(shown(parent, 1), 20);
    CHECK_EQ(hear(keeper).op, 0);
    set(parent, KEPT + SIM_PAGE, 22);
    CHECK_EQ(get(child, KEPT + SIM_PAGE), 21);
    sim_destroy(s);
}

/* A region is left to a keeper as it stands: the same place, rights and growth, other pages. */
static void test_leave(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = parent_on(s), *keeper = puppet_on(s, 0), *copy;
    u64 words[] = {CONTROL_LEAVE, B, KEEPER_WAIT, 0}, answer[1] = {1};
    struct heard h;
    s64 link = sim_link(p, keeper, DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, 3, 5);

    copy = child_of(s, p);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_LEAVE, B + SIM_PAGE, 0, 0, 0, link), DEMOS_E_ADDRESS);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_LEAVE, B, 9, 0, 0, link), DEMOS_E_ARGUMENT);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_LEAVE, B, 0, 0, 0, 0), DEMOS_E_LINK);
    CHECK_EQ(request(p, LINK_SELF, words, 4, link, answer, 1, NULL), 8);
    CHECK_EQ(answer[0], 0);
    CHECK_EQ(hear(keeper).op, KEEPER_INIT);
    CHECK_EQ(get(p, A), 1); /* the others are as they were */
    CHECK_EQ(kcall(p, SIM_TOUCH, B + SIM_PAGE, REGION_WRITE, 0, 0, 0, 0), STILL_WAITS);
    h = hear(keeper);
    CHECK_EQ(h.op, KEEPER_REQUEST);
    CHECK_EQ(h.word[1], SIM_PAGE);
    provide(keeper, &h, 99);
    CHECK_EQ(get(p, B + SIM_PAGE), 99);
    CHECK_EQ(get(copy, B + SIM_PAGE), 12); /* who inherited it before has it still */
    node_kill(s->nodes[0].node, p->task);
    sim_run(s, 10000);
    h = hear(keeper);
    CHECK_EQ(h.op, KEEPER_WRITE);
    drop(keeper, h.links[0]);
    CHECK_EQ(hear(keeper).op, KEEPER_END);
    CHECK_EQ(get(copy, B), 11);
    sim_destroy(s);
}

/* A kept region goes with its process: what changed reaches the keeper first, and the new
 * place asks it for the pages. */
static void test_kept_regions_move(void)
{
    struct sim *s = puppets(3, 0, NULL);
    struct sim_process *client = puppet_on(s, 0), *keeper = puppet_on(s, 1), *boss;
    struct process_id id = client->task->id;
    struct task *t;
    struct heard h;
    s64 control;

    CHECK_EQ(keep(client, keeper, 0, 4, 77, KEEPER_WAIT, 0), 0);
    CHECK_EQ(hear(keeper).op, KEEPER_INIT);
    touch(client, 0, REGION_WRITE);
    h = hear(keeper);
    provide(keeper, &h, 1);
    set(client, KEPT, 2);
    boss = puppet_on(s, 0);
    control = control_of(boss, client);
    sim_poke(boss, TEXT,
             (u8[16]){[6] = CONTROL_MIGRATE >> 8, [7] = CONTROL_MIGRATE & 255, [15] = 3}, 16);
    begin_call(boss, DEMOS_CALL, (u64)control, TEXT, demos_lens(16, 64), BUFFER, 0,
               DEMOS_FOREVER);
    CHECK(waits(boss)); /* for the keeper to have the change */
    h = hear(keeper);
    CHECK_EQ(h.op, KEEPER_WRITE);
    drop(keeper, h.links[0]);
    sim_run(s, 20000);
    CHECK(!waits(boss));
    t = node_find(s->nodes[2].node, &id);
    CHECK(t && !node_find(s->nodes[0].node, &id));
    CHECK_EQ(s->nodes[0].frames_taken, 0); /* nothing of it is left behind */
    client = t ? sim_process_of(t) : client;
    h = hear(keeper);
    CHECK(h.op == KEEPER_END || h.op == KEEPER_INIT);
    h = hear(keeper);
    CHECK(h.op == KEEPER_END || h.op == KEEPER_INIT);
    CHECK(!touch(client, 0, REGION_READ));
    h = hear(keeper);
    CHECK_EQ(h.op, KEEPER_REQUEST);
    provide(keeper, &h, 2);
    CHECK_EQ(shown(client, 0), 2);
    sim_destroy(s);
}

static void test_growth(void)
{
    struct demos_limits limits = {.memory_bytes = 64 * SIM_PAGE};
    struct sim *s = puppets(1, 0, &limits);
    struct sim_process *p = puppet_on(s, 0);
    u64 down[] = {CONTROL_MAP, A + 63 * SIM_PAGE, SIM_PAGE, 3, 3, REGION_DOWN, 8 * SIM_PAGE};
    u64 up[] = {CONTROL_MAP, B, SIM_PAGE, 3, 3, REGION_UP, 100 * SIM_PAGE};
    struct process_id id = p->task->id;
    u64 answer[1];

    CHECK_EQ(request(p, LINK_SELF, down, 7, 0, answer, 1, NULL), 8);
    CHECK_EQ(answer[0], 0);
    CHECK_EQ(request(p, LINK_SELF, up, 7, 0, answer, 1, NULL), 8);
    CHECK_EQ(answer[0], 0);
    set(p, A + 63 * SIM_PAGE, 1);
    set(p, A + 60 * SIM_PAGE, 2);
    CHECK_EQ(get(p, A + 61 * SIM_PAGE), 0);
    CHECK_EQ(get(p, A + 63 * SIM_PAGE), 1);
    for (u64 page = 0; page < 20; page++)
        set(p, B + page * SIM_PAGE, (u8)page);
    for (u64 page = 0; page < 20; page++)
        CHECK_EQ(get(p, B + page * SIM_PAGE), page);
    CHECK_EQ(kcall(p, SIM_TOUCH, A + 55 * SIM_PAGE, REGION_WRITE, 0, 0, 0, 0), STILL_WAITS);
    CHECK(!node_find(s->nodes[0].node, &id)); /* farther than it may */
    sim_destroy(s);
}

TESTS(CASE(test_share_copy_none), CASE(test_generations), CASE(test_copy_of_kept_memory),
      CASE(test_kept_regions_move), CASE(test_leave), CASE(test_growth))

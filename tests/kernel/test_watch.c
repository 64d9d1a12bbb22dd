/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DL24, DN05, F12: exit notices of processes that move, and of those whose machine dies, at the instant
 * of the authority's word; links that tell when they are destroyed, and die with a machine.
 */
#include "tests/kernel/moving.h"

enum { WATCHER = 20 };
#define INFO_AT (SIM_DATA + 2048)

/* The watch link of a process, as libdemos makes it: the reply link of its maker's request to
 * itself. */
static void watch(struct sim *s, struct sim_process *maker, struct sim_process *child, u64 code)
{
    struct link_slot *slot;
    s64 number;

    maker->self[1] = (u64)sim_link(maker, maker, DEMOS_REQUEST_LINK, 0, 0, 0);
    maker->self[2]++;
    maker->self[5] = code;
    thread_wake_error(maker->node->node, maker->thread, DEMOS_E_TIMEOUT);
    CHECK(sim_run(s, 100000));
    number = (s64)maker->self[6];
    slot = link_find(&maker->task->links, number);
    CHECK(slot && slot->link.kind == DEMOS_REPLY_LINK);
    if (!slot)
        return;
    maker->self[7] = (u64)sim_link(maker, child, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);
    thread_wake_error(maker->node->node, maker->thread, DEMOS_E_TIMEOUT);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(maker->self[7], 0);
}

static struct sim_call watcher(struct sim_process *p, s64 result)
{
    struct demos_info info = {0};
    u8 body[8];

    if (!p->fresh && p->self[0] == 0 && result >= 0) { /* something was received */
        sim_peek(p, INFO_AT, &info, sizeof(info));
        if (info.kind == DEMOS_MSG_REQUEST)
            p->self[6] = (u64)info.reply;
        if (info.kind == DEMOS_MSG_NOTICE && info.code < 4)
            p->self[8 + info.code] = p->self[8 + info.code] * 100 + info.notice;
    }
    p->self[0] = 0;
    if (p->self[3] < p->self[2]) {
        p->self[3]++;
        p->self[0] = 1;
        info = (struct demos_info){.code = p->self[5]};
        sim_poke(p, INFO_AT, &info, sizeof(info));
        return sim_call(DEMOS_REQUEST, p->self[1], SIM_DATA, 0, INFO_AT, DEMOS_FOREVER,
                        demos_lens(24, 9));
    }
    if (p->self[7] && p->self[6]) {
        u64 control = p->self[7];

        info = (struct demos_info){.count = 1, .links = {(s64)p->self[6]}};
        p->self[0] = 2;
        p->self[6] = p->self[7] = 0;
        be64_put(body, CONTROL_WATCH);
        sim_poke(p, SIM_DATA, body, 8);
        sim_poke(p, INFO_AT, &info, sizeof(info));
        return sim_call(DEMOS_CALL, control, SIM_DATA, demos_lens(8, 64), SIM_DATA + 512,
                        INFO_AT, DEMOS_FOREVER);
    }
    return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA, 64, INFO_AT, DEMOS_FOREVER, 0);
}

/* Who watches children hears of each end once: of those that end, and of those whose machine is
 * declared dead, wherever they had moved to by then; and of no other. */
static void test_watched(void)
{
    struct sim *s = cluster(4, NULL);
    struct sim_process *w, *child[4];
    struct process_id ids[4];

    s->programs[WATCHER] = watcher;
    w = sim_spawn(&s->nodes[0], WATCHER, 2);
    for (u32 i = 0; i < 4; i++) {
        child[i] = sim_spawn(&s->nodes[1], IDLER, 2);
        ids[i] = child[i]->task->id;
        watch(s, w, child[i], i);
    }
    node_kill(child[0]->node->node, child[0]->task);
    moved(s, &ids[1], 2);
    moved(s, &ids[2], 2);
    moved(s, &ids[2], 3);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(w->self[8], DEMOS_NOTICE_EXIT);
    CHECK_EQ(w->self[9] + w->self[10] + w->self[11], 0);
    crash(s, 1); /* with the last child, that never moved */
    CHECK(sim_run(s, 400000));
    CHECK_EQ(w->self[11], DEMOS_NOTICE_DEAD);
    CHECK_EQ(w->self[9] + w->self[10], 0);
    crash(s, 2);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(w->self[9], DEMOS_NOTICE_DEAD);
    CHECK_EQ(w->self[10], 0);
    child[2] = where(s, &ids[2]);
    node_kill(child[2]->node->node, child[2]->task);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(w->self[10], DEMOS_NOTICE_EXIT);
    CHECK(list_empty(&w->task->asked));
    CHECK_EQ(w->task->reserved_bytes, 0);
    finish(s);
}

/* Counts what tells, by the link's code, in self[8 + code]; sends the link 4 over
 * the link 1; destroys the link 3; and keeps the last link it got in self[15]. */
static struct sim_call holder(struct sim_process *p, s64 result)
{
    struct demos_info info = {0};

    if (!p->fresh && p->self[0] == 0 && result >= 0) {
        sim_peek(p, INFO_AT, &info, sizeof(info));
        if (info.kind == DEMOS_MSG_NOTICE && info.code < 8)
            p->self[8 + info.code] += info.notice == DEMOS_NOTICE_DESTROYED ? 1 : 100;
        if (info.count)
            p->self[15] = (u64)info.links[0];
    }
    p->self[0] = 1;
    if (p->self[4]) {
        info = (struct demos_info){.count = 1, .links = {(s64)p->self[4]}};
        p->self[4] = 0;
        sim_poke(p, INFO_AT, &info, sizeof(info));
        return sim_call(DEMOS_SEND, p->self[1], SIM_DATA, 0, INFO_AT, DEMOS_FOREVER, 0);
    }
    if (p->self[3]) {
        u64 number = p->self[3];

        p->self[3] = 0;
        return sim_call(DEMOS_DESTROYLINK, number, 0, 0, 0, 0, 0);
    }
    p->self[0] = 0;
    return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA, 64, INFO_AT, DEMOS_FOREVER, 0);
}

static void act(struct sim *s, struct sim_process *p)
{
    thread_wake_error(p->node->node, p->thread, DEMOS_E_TIMEOUT);
    CHECK(sim_run(s, 100000));
}

/* p gives the link on to q; its number there. */
static s64 give(struct sim *s, struct sim_process *p, struct sim_process *q, s64 number)
{
    p->self[1] = (u64)sim_link(p, q, DEMOS_GENERAL, 0, 0, 7);
    p->self[4] = (u64)number;
    act(s, p);
    return (s64)q->self[15];
}

static s64 give_own(struct sim *s, struct sim_process *p, struct sim_process *q, u64 code)
{
    return give(s, p, q, sim_link(p, p, DEMOS_GENERAL, DEMOS_GIVE | DEMOS_TELLDEST, 3, code));
}

static void drop(struct sim *s, struct sim_process *p, s64 number)
{
    p->self[3] = (u64)number;
    act(s, p);
}

/* A link that tells its maker when it is destroyed also does when it dies with a machine, where
 * that has gone by then, and where its maker has: once, and not one that had told before. */
static void test_told_of_what_dies_with_a_machine(void)
{
    struct sim *s = cluster(4, NULL);
    struct sim_process *maker, *near, *far, *third;
    struct process_id maker_id, third_id;
    s64 passed, gone;
    u64 died;

    s->programs[WATCHER] = holder;
    maker = sim_spawn(&s->nodes[0], WATCHER, 2);
    near = sim_spawn(&s->nodes[0], WATCHER, 2);
    far = sim_spawn(&s->nodes[1], WATCHER, 2);
    third = sim_spawn(&s->nodes[2], WATCHER, 2);
    maker_id = maker->task->id;
    third_id = third->task->id;
    give_own(s, maker, far, 0);                      /* dies with machine 2 */
    gone = give_own(s, maker, far, 1);               /* destroyed before */
    passed = give_own(s, maker, far, 2);             /* passed on to machine 3 and moved to 4 */
    give(s, near, far, give_own(s, maker, near, 3)); /* by somebody else here */
    give_own(s, maker, third, 4);                    /* moves along to 4 */
    passed = give(s, far, third, passed);
    drop(s, far, gone);
    CHECK_EQ(maker->self[9], 1);
    third = moved(s, &third_id, 3);
    CHECK_EQ(maker->self[8] + maker->self[10] + maker->self[11] + maker->self[12], 0);
    s->lose = 100; /* the kernel that tells is the maker's own */
    died = s->now;
    crash(s, 1);
    for (u32 i = 0; i < 1000 && !(maker->self[8] && maker->self[11]); i++)
        sim_run(s, 1);
    CHECK(maker->self[8] && maker->self[11] && s->now - died < 1000);
    CHECK(sim_run(s, 400000));
    s->lose = 0;
    CHECK_EQ(maker->self[8], 1);
    CHECK_EQ(maker->self[9], 1);
    CHECK_EQ(maker->self[10], 0);
    CHECK_EQ(maker->self[11], 1);
    give_own(s, maker, near, 5); /* is left behind */
    maker = moved(s, &maker_id, 2);
    drop(s, third, passed);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(maker->self[10], 1);
    crash(s, 0);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(maker->self[13], 1);
    crash(s, 3);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(maker->self[12], 1);
    CHECK_EQ(maker->self[8] + maker->self[9] + maker->self[10] + maker->self[11], 4);
    CHECK(list_empty(&maker->task->asked));
    finish(s);
}

TESTS(CASE(test_watched), CASE(test_told_of_what_dies_with_a_machine))

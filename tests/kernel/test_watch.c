/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DL24, DN05, F12: exit notices of processes that move, and of those whose machine dies.
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

TESTS(CASE(test_watched))

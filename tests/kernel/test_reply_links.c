/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reply links when machines die: DL24, F12. Who waits for an answer is told when the machine that has
 * its reply link is declared dead, wherever the link had got to, and goes on waiting when another one is.
 */
#include "tests/kernel/moving.h"

enum { DELEGATE = 20, HELPER, ASKER };
#define INFO_AT (SIM_DATA + 2048)

/* Passes the reply link of all it is asked on, over link self[6]. */
static struct sim_call delegate(struct sim_process *p, s64 result)
{
    struct demos_info info;

    if (!p->fresh && p->self[0] == 0 && result >= 0) {
        sim_peek(p, INFO_AT, &info, sizeof(info));
        p->self[0] = 1;
        info = (struct demos_info){.count = 1, .links = {info.reply}};
        sim_poke(p, SIM_DATA + 3072, &info, sizeof(info));
        return sim_call(DEMOS_SEND, p->self[6], SIM_DATA, 8, SIM_DATA + 3072, DEMOS_FOREVER, 0);
    }
    p->self[0] = 0;
    return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA, 1024, INFO_AT, DEMOS_FOREVER,
                    0);
}

/* Gets reply links and keeps the last one; once self[7] is set, it answers with it. */
static struct sim_call helper(struct sim_process *p, s64 result)
{
    struct demos_info info;

    if (!p->fresh && p->self[0] == 0 && result >= 0) {
        sim_peek(p, INFO_AT, &info, sizeof(info));
        p->self[5] = info.reply ? (u64)info.reply : (u64)info.links[0];
    }
    p->self[0] = 0;
    if (p->self[7] && p->self[5]) {
        u64 link = p->self[5];

        p->self[5] = 0;
        p->self[0] = 1;
        return sim_call(DEMOS_REPLY, link, SIM_DATA, 8, 0, DEMOS_FOREVER, 0);
    }
    return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA, 1024, INFO_AT, DEMOS_FOREVER,
                    0);
}

/* REQUESTs self[2] times with one code, then receives; counts replies in self[3] and DEAD
 * notices in self[4]. */
static struct sim_call asker(struct sim_process *p, s64 result)
{
    struct demos_info info = {.code = 0x77};

    if (p->self[0] < p->self[2]) {
        p->self[0]++;
        sim_poke(p, INFO_AT, &info, sizeof(info));
        return sim_call(DEMOS_REQUEST, p->self[1], SIM_DATA, 8, INFO_AT, DEMOS_FOREVER,
                        demos_lens(64, 6));
    }
    if (p->self[0]++ > p->self[2] && result >= 0) {
        sim_peek(p, INFO_AT, &info, sizeof(info));
        p->self[3] += info.kind == DEMOS_MSG_REPLY;
        p->self[4] += info.kind == DEMOS_MSG_NOTICE && info.notice == DEMOS_NOTICE_DEAD;
    }
    return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA, 64, INFO_AT, DEMOS_FOREVER, 0);
}

static struct sim *world(u32 nodes)
{
    struct sim *s = cluster(nodes, NULL);

    s->programs[DELEGATE] = delegate;
    s->programs[HELPER] = helper;
    s->programs[ASKER] = asker;
    return s;
}

/* The reply link has been passed on: the machine that has it is the one that matters. */
static void delegated(u32 program, u32 victim, bool answered)
{
    struct sim *s = world(4);
    struct sim_process *server = sim_spawn(&s->nodes[1], DELEGATE, 2);
    struct sim_process *last = sim_spawn(&s->nodes[2], HELPER, 2);
    struct sim_process *client = sim_spawn(&s->nodes[0], program, 2);

    server->self[6] = (u64)sim_link(server, last, DEMOS_GENERAL, DEMOS_DUP, 3, 0);
    client->self[1] = (u64)sim_link(client, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 1;
    sim_run(s, 50000);
    CHECK_EQ(client->self[3] + client->self[4], 0);
    crash(s, victim);
    sim_run(s, 50000);
    if (!answered) {
        CHECK(client->self[4] != 0);
    } else {
        CHECK_EQ(client->self[3] + client->self[4], 0); /* it goes on waiting */
        last->self[7] = 1;
        thread_wake_error(s->nodes[2].node, last->thread, DEMOS_E_TIMEOUT);
        sim_run(s, 50000);
        CHECK(client->self[3] == 1 || program == CALLER);
        CHECK(program == ASKER || (s64)client->self[4] >= 0);
    }
    CHECK_EQ(client->task->reserved_bytes, 0);
    CHECK(list_empty(&client->task->asked));
    finish(s);
}

static void test_reply_link_passed_on(void)
{
    delegated(CALLER, 1, true);
    delegated(CALLER, 2, false);
    delegated(ASKER, 1, true);
    delegated(ASKER, 2, false);
}

/* A server holds three requests of one code, moves, and one of its machines dies. */
static void held_and_moved(u32 program, u32 victim, bool answered)
{
    struct sim *s = world(4);
    struct sim_process *server = sim_spawn(&s->nodes[1], HELPER, 2);
    struct sim_process *client = sim_spawn(&s->nodes[0], program, 2);
    struct process_id id = server->task->id;

    client->self[1] = (u64)sim_link(client, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = program == ASKER ? 3 : 1;
    sim_run(s, 50000);
    server = moved(s, &id, 2);
    sim_run(s, 20000);
    crash(s, victim);
    sim_run(s, 50000);
    if (answered) {
        CHECK_EQ(client->self[3] + client->self[4], 0);
        server->self[7] = 1;
        thread_wake_error(s->nodes[2].node, server->thread, DEMOS_E_TIMEOUT);
        sim_run(s, 50000);
        CHECK_EQ(client->self[3], 1);
    } else {
        CHECK_EQ((s64)client->self[4], program == ASKER ? 3 : DEMOS_E_DEAD);
    }
    finish(s);
}

static void test_held_and_moved(void)
{
    held_and_moved(CALLER, 1, true);
    held_and_moved(CALLER, 2, false);
    held_and_moved(ASKER, 1, true);
    held_and_moved(ASKER, 2, false);
}

TESTS(CASE(test_reply_link_passed_on), CASE(test_held_and_moved))

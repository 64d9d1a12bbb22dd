/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines that die while a process moves between them: the source, the destination, or both, at each of the
 * steps and in each round between. DL24, DN04, F11: one live copy at most, and one if either end lives that
 * had it; every call ends, none is carried out twice.
 */
#include "base/bytes.h"
#include "tests/kernel/moving.h"

static u32 stop_after; /* administrative messages */
static u64 seen;
static bool settled;

static void count_steps(struct sim_node *sn, u16 type, u32 who, u64 a, u64 b)
{
    (void)sn;
    (void)who;
    (void)b;
    seen += type == KERNEL_T_migrate;
    settled = settled || (type == KERNEL_T_migrate && a == 5); /* ESTABLISHED is out */
}

/* One of the two machines dies after k of the messages; never are there two copies. */
static void crash_after(u32 after, u32 victim)
{
    struct sim *s = cluster(3, NULL);
    struct sim_process *p = sim_spawn(&s->nodes[0], ECHO, 8), *c, *client;
    struct process_id id = p->task->id;
    u32 copies, last_copies;
    bool established, cleaned;

    client = sim_spawn(&s->nodes[2], CALLER, 2);
    client->self[1] = (u64)sim_link(client, p, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 3;
    CHECK(sim_run(s, 100000));
    CHECK_EQ(client->self[3], 3);
    s->on_trace = count_steps;
    seen = 0;
    settled = false;
    stop_after = after;
    for (u32 i = 0; i < 3; i++)
        node_set_trace(s->nodes[i].node, true);
    c = ask_move(s, 2, p, 1);
    for (u32 i = 0; i < 20000 && seen < stop_after; i++)
        sim_run(s, 1);
    CHECK(seen >= after && seen <= after + 2); /* a round may see more than one */
    established = settled;
    cleaned = !list_empty(&s->nodes[0].node->forwards);
    s->nodes[victim].down = true;
    for (u32 i = 0; i < 3; i++) {
        if (i != victim)
            node_declare_dead(s->nodes[i].node, victim + 1, 1);
    }
    sim_run(s, 20000); /* the network itself may go on asking for the dead machine */
    copies = 0;
    for (u32 i = 0; i < 3; i++)
        copies += i != victim && node_find(s->nodes[i].node, &id) != NULL;
    last_copies = victim == 0 ? established : !cleaned;
    CHECK_EQ(copies, last_copies);
    if (victim == 1 && copies) { /* the source has it back, as it was */
        p = found(s, &id, &copies);
        CHECK_EQ(p->task->state, DEMOS_READY);
        client->self[2] = 6;
        thread_wake_error(s->nodes[2].node, client->thread, DEMOS_E_TIMEOUT);
        CHECK(sim_run(s, 100000));
        CHECK_EQ(client->self[3], 6);
    }
    CHECK(c->self[5] != 1); /* whoever asked was told something */
    s->nodes[victim].down = false;
    sim_destroy(s);
}

static void test_crashes(void)
{
    for (u32 after = 1; after <= 7; after++) {
        crash_after(after, 0);
        crash_after(after, 1);
    }
}

/* Answers numbered requests; self[3] counts those that came twice or out of turn. */
static struct sim_call ledger(struct sim_process *p, s64 result)
{
    struct demos_info info;
    u64 number;

    if (p->fresh || p->self[0] == 1 || result < 8) {
        p->self[0] = 0;
        return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA, 1024, SIM_DATA + 2048,
                        DEMOS_FOREVER, 0);
    }
    sim_peek(p, SIM_DATA, &number, sizeof(number));
    sim_peek(p, SIM_DATA + 2048, &info, sizeof(info));
    p->self[3] += number <= p->self[8 + info.code % 8];
    p->self[8 + info.code % 8] = number;
    p->self[2]++;
    p->self[0] = 1;
    return sim_call(DEMOS_REPLY, (u64)info.reply, SIM_DATA, 8, 0, DEMOS_FOREVER, 0);
}

static u32 doomed; /* machines, a bit each */
static u32 doomed_at;

static void go_down(struct sim *s, u32 victims)
{
    for (u32 i = 0; i < s->count; i++)
        s->nodes[i].down |= victims >> i & 1;
}

/* The machines die in the middle of what they are doing: what they were to send is not sent. */
static void kill_at_step(struct sim_node *sn, u16 type, u32 who, u64 a, u64 b)
{
    count_steps(sn, type, who, a, b);
    if (doomed && type == KERNEL_T_migrate && seen == doomed_at)
        go_down(sn->sim, doomed);
}

enum { BOTH = 3 };

static bool dead(const struct sim *s, u32 victims)
{
    for (u32 i = 0; i < s->count; i++)
        if (victims >> i & 1 && !s->nodes[i].down)
            return false;
    return true;
}

/* One machine dies, or both ends do (a bit each in `victims`), so many rounds after a move was asked for, whatever step that is in, or
 * (rounds = 0) at once when a step's message is made; clients on the others and on a third one call all the time. Each call is answered once or
 * fails, none is carried out twice, and while the process lives only calls that were in the
 * hands of the machine that died have failed. */
static bool crash_while_called(u32 rounds, u32 step, u32 victims)
{
    struct sim *s = cluster(3, NULL);
    struct sim_process *p, *client[3], *c;
    struct process_id id;
    u64 good = 0;
    u32 copies;
    bool over;

    s->programs[31] = ledger;
    p = sim_spawn(&s->nodes[0], 31, 8);
    id = p->task->id;
    for (u32 i = 0; i < 3; i++) {
        client[i] = sim_spawn(&s->nodes[i], CALLER, 2);
        client[i]->self[1] = (u64)sim_link(client[i], p, DEMOS_REQUEST_LINK, 0, 0, i);
        client[i]->self[2] = ~(u64)0;
    }
    sim_run(s, 500);
    seen = 0;
    doomed = step ? victims : 0;
    doomed_at = step;
    s->on_trace = kill_at_step;
    for (u32 i = 0; i < 3; i++)
        node_set_trace(s->nodes[i].node, true);
    c = ask_move(s, 2, p, 1);
    for (u32 i = 0; step && i < 2000 && !dead(s, victims); i++)
        sim_run(s, 1);
    CHECK(!step || dead(s, victims));
    sim_run(s, rounds);
    over = c->self[5] != 1;
    go_down(s, victims);
    for (u32 i = 0; i < 9; i++) {
        if (!s->nodes[i / 3].down && s->nodes[i % 3].down)
            node_declare_dead(s->nodes[i / 3].node, i % 3 + 1, 1);
    }
    sim_run(s, 500);
    for (u32 i = 0; i < 3; i++)
        client[i]->self[2] = client[i]->self[0] + 20;
    CHECK(sim_run(s, 400000));
    CHECK(c->self[5] != 1);
    p = NULL;
    copies = 0;
    for (u32 i = 0; i < 3; i++) {
        struct task *t = s->nodes[i].down ? NULL : node_find(s->nodes[i].node, &id);

        copies += t != NULL;
        p = t ? sim_process_of(t) : p;
    }
    CHECK(copies <= (victims != BOTH));
    for (u32 i = 0; i < 3; i++) {
        if (s->nodes[i].down)
            continue;
        CHECK_EQ(client[i]->self[0], client[i]->self[2]);
        CHECK(client[i]->thread->wait == WAIT_MESSAGE);
        CHECK((s64)client[i]->self[4] == 0 || (s64)client[i]->self[4] == DEMOS_E_DEAD);
        /* one call at a time: no more than one can have been with the machine that died */
        CHECK(!p || client[i]->self[0] - client[i]->self[3] <= 1);
        good += client[i]->self[3];
    }
    if (p) {
        CHECK_EQ(p->self[3], 0);
        CHECK(p->self[2] >= good);
        CHECK_EQ(p->task->state, DEMOS_READY);
    }
    doomed = 0;
    for (u32 i = 0; i < 3; i++)
        s->nodes[i].down = false;
    sim_destroy(s);
    return over;
}

static void test_crash_at_every_moment(void)
{
    u32 moments = 0;

    for (u32 victims = 1; victims <= BOTH; victims++) {
        for (u32 rounds = 0; !crash_while_called(rounds, 0, victims); rounds++)
            moments++;
        for (u32 step = 1; step <= 7; step++, moments++)
            crash_while_called(0, step, victims);
    }
    printf("%u moments of a move, each with a dead machine or two\n", moments);
    CHECK(moments >= 42);
}

TESTS(CASE(test_crashes), CASE(test_crash_at_every_moment))

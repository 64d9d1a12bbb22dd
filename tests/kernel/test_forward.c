/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forwarding addresses when machines die: DL13, DL15, DL24, DN05, F12, F13. Who waits for a
 * machine that is declared dead is told, wherever its reply link had got to, and nobody
 * else; processes are found when the addresses that led to them are gone; ways get shorter;
 * addresses are collected. A campaign moves and kills at random.
 */
#include "base/keyed.h"
#include "guest/kernel/park.h"
#include "tests/kernel/moving.h"

enum { DELEGATE = 20, HELPER, ASKER };
#define INFO_AT (SIM_DATA + 2048)

static u64 searches, forwards;

static void count_trace(struct sim_node *sn, u16 type, u32 who, u64 a, u64 b)
{
    (void)sn;
    (void)who;
    (void)a;
    (void)b;
    searches += type == KERNEL_T_locate;
    forwards += type == KERNEL_T_forward;
}

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
    s->on_trace = count_trace;
    for (u32 i = 0; i < nodes; i++)
        node_set_trace(s->nodes[i].node, true);
    searches = forwards = 0;
    return s;
}

static struct sim_process *client_of(struct sim *s, u32 node, const struct sim_process *server,
                                     u64 calls)
{
    struct sim_process *c = sim_spawn(&s->nodes[node], CALLER, 2);

    c->self[1] = (u64)sim_link(c, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    c->self[2] = calls;
    return c;
}

/* Its next calls: it sits in RECEIVE, and its time is up. */
static void more_calls(struct sim_process *c, u64 calls)
{
    c->self[2] += calls;
    thread_wake_error(c->node->node, c->thread, DEMOS_E_TIMEOUT);
}

/* The machine that made it and the only forwarding address die: everybody finds it. */
static void test_maker_and_forwarder_dead(void)
{
    struct sim *s = world(5);
    struct sim_process *server = sim_spawn(&s->nodes[1], ECHO, 2), *client[3];
    struct process_id id = server->task->id;

    for (u32 i = 0; i < 3; i++)
        client[i] = client_of(s, i == 0 ? 0 : i + 2, server, 0);
    CHECK(sim_run(s, 100000));
    moved(s, &id, 2); /* none of the clients has heard of that */
    crash(s, 1);
    for (u32 i = 0; i < 3; i++)
        more_calls(client[i], 4);
    CHECK(sim_run(s, 400000));
    for (u32 i = 0; i < 3; i++)
        CHECK_EQ(client[i]->self[3], 4);
    CHECK(searches >= 1 && searches <= 3);
    finish(s);
}

/* In the middle of a chain one dies: the creating machine knows where it is by now. */
static void test_chain_broken(void)
{
    struct sim *s = world(6);
    struct sim_process *server = sim_spawn(&s->nodes[0], ECHO, 2), *old[3];
    struct process_id id = server->task->id;

    for (u32 at = 0; at < 3; at++) { /* one that knows it as it was on 0, on 1, on 2 */
        old[at] = client_of(s, 5, where(s, &id), 0);
        CHECK(sim_run(s, 100000));
        moved(s, &id, at + 1);
        node_kill(s->nodes[5].node, old[at]->task);
    }
    for (u32 at = 0; at < 3; at++) {
        old[at] = client_of(s, 4, where(s, &id), 0);
        link_find(&old[at]->task->links, (s64)old[at]->self[1])->link.hint = at + 1;
        link_find(&old[at]->task->links, (s64)old[at]->self[1])->link.moves = (u16)at;
    }
    crash(s, 1);
    for (u32 at = 0; at < 3; at++) {
        more_calls(old[at], 3);
        CHECK(sim_run(s, 400000));
        CHECK_EQ(old[at]->self[3], 3);
    }
    CHECK_EQ(searches, 0);
    finish(s);
}

/* It died with a machine: whoever calls hears so, and it is searched for once. */
static void test_dead_with_its_machine(void)
{
    struct sim *s = world(4);
    struct sim_process *server = sim_spawn(&s->nodes[1], ECHO, 2), *client;
    struct process_id id = server->task->id;

    client = client_of(s, 0, server, 0);
    CHECK(sim_run(s, 100000));
    moved(s, &id, 2);
    crash(s, 1);
    crash(s, 2);
    more_calls(client, 5);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(client->self[0], 5);
    CHECK_EQ(client->self[3], 0);
    CHECK_EQ((s64)client->self[4], DEMOS_E_DEAD);
    CHECK_EQ(searches, 1);
    finish(s);
}

/* A machine dies undeclared and comes up again: what it forwarded is found all the same. */
static void test_rebooted_forwarder(void)
{
    struct sim *s = world(4);
    struct sim_process *server = sim_spawn(&s->nodes[1], ECHO, 2), *client;
    struct process_id id = server->task->id;

    client = client_of(s, 0, server, 1);
    CHECK(sim_run(s, 100000));
    moved(s, &id, 2);
    sim_reboot(&s->nodes[1]);
    sim_run(s, 20000);
    more_calls(client, 3);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(client->self[3], 4);
    CHECK_EQ((s64)client->self[4], 0);
    for (u32 i = 0; i < 4; i++) /* said late: nobody who uses the new boot is disturbed */
        node_declare_dead(s->nodes[i].node, 2, 1);
    more_calls(client, 3);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(client->self[3], 7);
    finish(s);
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

static u64 addresses(const struct sim *s)
{
    u64 count = 0;

    for (u32 i = 0; i < s->count; i++) {
        list_for_each(node, &s->nodes[i].node->forwards) count++;
    }
    return count;
}

/* One address a machine, however often it moves; none when the process has ended. */
static void test_collected(void)
{
    struct sim *s = world(5);
    struct sim_process *p = sim_spawn(&s->nodes[2], ECHO, 2);
    struct process_id id = p->task->id;

    CHECK(sim_run(s, 100000));
    for (u32 i = 0; i < 23; i++) {
        p = moved(s, &id, (i * 3) % 5);
        CHECK(addresses(s) <= 4);
    }
    CHECK_EQ(addresses(s), 4);
    CHECK_EQ(p->task->trail_count, 4);
    node_kill(p->node->node, p->task);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(addresses(s), 0);
    finish(s);
}

/* A sender whose link says that `r` is where it had moved once. */
static void send_by_old_link(struct sim *s, u32 node, const struct sim_process *r, u32 code)
{
    struct sim_process *p = sim_spawn(&s->nodes[node], SENDER, 1);
    struct link *l;

    p->self[1] = (u64)sim_link(p, r, DEMOS_GENERAL, 0, code, code);
    p->self[2] = 200;
    l = &link_find(&p->task->links, (s64)p->self[1])->link;
    l->hint = 2;
    l->moves = 1;
}

/* Old links lead through four machines once; what comes next finds the way made shorter,
 * and nothing is overtaken. */
static void test_shortened(void)
{
    struct sim *s = world(7);
    struct sim_process *r = sim_spawn(&s->nodes[0], RECEIVER, 2);
    struct process_id id = r->task->id;
    const struct forward *f;

    CHECK(sim_run(s, 100000));
    for (u32 i = 1; i < 5; i++)
        r = moved(s, &id, i);
    send_by_old_link(s, 5, r, 0);
    CHECK(sim_run(s, 400000));
    f = forward_find(s->nodes[1].node, &id);
    CHECK(f && f->at.machine == 3 && f->latest.moves > f->at.moves);
    send_by_old_link(s, 5, r, 1);
    send_by_old_link(s, 6, r, 2);
    CHECK(sim_run(s, 400000));
    CHECK(f && f->at.machine == 5);
    CHECK_EQ(r->self[2], 600);
    CHECK_EQ(r->self[3], 0);
    for (u32 i = 0; i < 7; i++)
        CHECK(list_empty(&s->nodes[i].node->parks));
    finish(s);
}

/* A server under load moves ten thousand times: no client notices, nothing grows. */
static void test_ten_thousand_moves(void)
{
    u64 moves = 10000, calls = 0, slowest[2] = {0};
    size_t heap[2] = {0};
    struct sim *s = cluster(5, NULL);
    struct sim_process *server = sim_spawn(&s->nodes[0], ECHO, 2), *client[5], *at;
    struct process_id id = server->task->id;

    for (u32 i = 0; i < 5; i++)
        client[i] = client_of(s, i, server, ~(u64)0);
    for (u64 m = 0; m < moves; m++) {
        struct sim_process *c;
        u64 before = 0, after = 0, rounds;

        sim_run(s, 40);
        at = where(s, &id);
        if (!at)
            continue; /* between two machines: not asked now */
        /* not beside the server: its local client and it would leave no turn to others */
        c = sim_spawn(&s->nodes[(at->node->index + 4) % 5], CONTROLLER, 1);
        c->self[1] = (u64)sim_link(c, at, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);
        c->self[8] = CONTROL_MIGRATE;
        c->self[9] = 1 + (at->node->index + 1 + m % 3) % 5;
        c->self[5] = 1;
        for (u32 i = 0; i < 5; i++)
            before += client[i]->self[3];
        for (rounds = 0; rounds < 2000 && c->self[5] == 1; rounds++)
            sim_run(s, 1);
        for (u32 i = 0; i < 5; i++)
            after += client[i]->self[3];
        CHECK_EQ(c->self[5], 0);
        node_kill(c->node->node, c->task);
        calls += after - before;
        slowest[m >= moves / 2] = MAX(slowest[m >= moves / 2], rounds);
        if (m == moves / 2 || m == moves - 1) {
            for (u32 i = 0; i < 5; i++)
                heap[m == moves - 1] += s->nodes[i].heap.in_use;
        }
    }
    for (u32 i = 0; i < 5; i++) {
        CHECK_EQ((s64)client[i]->self[4], 0);
        CHECK(client[i]->self[3] > moves);
        client[i]->self[2] = client[i]->self[0];
    }
    CHECK(addresses(s) <= 4);
    CHECK(heap[1] < heap[0] + heap[0] / 8);
    CHECK(slowest[1] <= 2 * slowest[0]);
    printf("%llu moves, %llu calls meanwhile; slowest move %llu and %llu rounds, heaps %zu and "
           "%zu bytes (first and second half)\n",
           (unsigned long long)moves, (unsigned long long)calls, (unsigned long long)slowest[0],
           (unsigned long long)slowest[1], heap[0], heap[1]);
    finish(s);
}

/* Servers move, machines die: every call ends, and it ends well if the server lives. */
static void campaign(u64 seed)
{
    u64 drawn = 0;
    struct sim *s = world(6);
    struct sim_process *client[10], *at;
    struct process_id ids[4];

    for (u32 i = 0; i < 4; i++)
        ids[i] = sim_spawn(&s->nodes[i], ECHO, 2)->task->id;
    for (u32 i = 0; i < 10; i++)
        client[i] = client_of(s, i % 6, where(s, &ids[i % 4]), ~(u64)0);
    for (u32 step = 0; step < 40; step++) {
        struct sim_process *c;

        sim_run(s, keyed_random(seed, 1, drawn++) % 400);
        at = where(s, &ids[keyed_random(seed, 1, drawn++) % 4]);
        if (!at)
            continue;
        c = sim_spawn(at->node, CONTROLLER, 1);
        c->self[1] = (u64)sim_link(c, at, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);
        c->self[8] = CONTROL_MIGRATE;
        c->self[9] = 1 + keyed_random(seed, 1, drawn++) % 6;
        if (step % 16 == 13)
            crash(s, (u32)(keyed_random(seed, 1, drawn++) % 5)); /* the sixth lives */
    }
    sim_run(s, 3000);
    for (u32 i = 0; i < 10; i++)
        client[i]->self[2] = client[i]->self[0];
    CHECK(sim_run(s, 2000000));
    for (u32 i = 0; i < 10; i++) {
        if (client[i]->node->down)
            continue;
        if (client[i]->thread->wait == WAIT_REPLY)
            printf("seed %llu: client %u still waits\n", (unsigned long long)seed, i);
        CHECK(client[i]->thread->wait != WAIT_REPLY);
        at = where(s, &ids[i % 4]);
        client[i]->self[4] = client[i]->self[3] = 0;
        more_calls(client[i], 2);
        CHECK(sim_run(s, 2000000));
        CHECK_EQ(client[i]->self[3], at ? 2 : 0);
        CHECK_EQ((s64)client[i]->self[4], at ? 0 : DEMOS_E_DEAD);
    }
    finish(s);
}

static void test_campaign(void)
{
    u64 seeds = test_length(40, 1000);

    for (u64 seed = 1; seed <= seeds && !checks_failed; seed++)
        campaign(seed);
}

TESTS(CASE(test_maker_and_forwarder_dead), CASE(test_chain_broken),
      CASE(test_dead_with_its_machine), CASE(test_rebooted_forwarder),
      CASE(test_reply_link_passed_on), CASE(test_held_and_moved), CASE(test_collected),
      CASE(test_shortened), CASE(test_ten_thousand_moves), CASE(test_campaign))

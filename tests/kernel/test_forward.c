/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forwarding addresses, and when machines die: DL13-DL15, DL17, DL24, DN05, F12, F13. Who waits for a
 * machine that is declared dead is told, and nobody else (reply links: test_reply_links.c); processes are
 * found when the addresses that led to them are gone; ways get shorter; addresses are collected. A
 * campaign moves and kills at random.
 */
#include "base/keyed.h"
#include "guest/kernel/park.h"
#include "tests/kernel/moving.h"

static u64 searches, forwards;
static u64 corrections[8],
    corrected[8]; /* by machine: words that were news to some link; such links */

static void count_trace(struct sim_node *sn, u16 type, u32 who, u64 a, u64 b)
{
    (void)who;
    (void)a;
    searches += type == KERNEL_T_locate;
    forwards += type == KERNEL_T_forward;
    if (type != KERNEL_T_update || !b)
        return;
    corrections[sn->index]++;
    corrected[sn->index] += b;
}

static void count_anew(void)
{
    searches = forwards = 0;
    memset(corrections, 0, sizeof(corrections));
    memset(corrected, 0, sizeof(corrected));
}

static struct sim *world(u32 nodes)
{
    struct sim *s = cluster(nodes, NULL);

    s->on_trace = count_trace;
    for (u32 i = 0; i < nodes; i++)
        node_set_trace(s->nodes[i].node, true);
    count_anew();
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

static const struct link *link_of(const struct sim_process *c)
{
    return &link_find(&c->task->links, (s64)c->self[1])->link;
}

/* DN05, DL13: three hold links to a server that moves, two of them on one machine. One of these calls: its
 * call and the fence behind it are forwarded, one word comes back, and corrects both links there. The other's
 * calls then go straight; the third's link, on another machine, is as it was until it is used. */
static void test_one_word_for_a_machine(void)
{
    struct sim *s = world(4);
    struct sim_process *server = sim_spawn(&s->nodes[1], ECHO, 2);
    struct sim_process *first = client_of(s, 0, server, 1),
                       *second = client_of(s, 0, server, 1);
    struct sim_process *apart = client_of(s, 3, server, 1);
    struct process_id id = server->task->id;

    CHECK(sim_run(s, 100000));
    moved(s, &id, 2);
    CHECK(link_of(first)->hint == 2 && link_of(second)->hint == 2);
    count_anew();
    more_calls(first, 1);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(forwards, 2);
    CHECK_EQ(corrections[0], 1);
    CHECK_EQ(corrected[0], 2);
    CHECK_EQ(link_of(first)->hint, 3);
    CHECK_EQ(link_of(second)->hint, 3);
    CHECK_EQ(link_of(apart)->hint, 2);
    CHECK_EQ(corrections[3], 0);
    count_anew();
    more_calls(first, 5);
    more_calls(second, 5);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(forwards + corrections[0], 0);
    more_calls(apart, 5);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(forwards, 2);
    CHECK_EQ(corrections[3], 1);
    CHECK_EQ(corrected[3], 1);
    CHECK_EQ(first->self[3] + second->self[3] + apart->self[3], 7 + 6 + 6);
    finish(s);
}

/* DL14, DL15: of what a link says where its process is, ten moves change the hint, each with the first
 * message after it, and nothing else. */
static void test_only_the_hint_changes(void)
{
    struct sim *s = world(5);
    struct sim_process *server = sim_spawn(&s->nodes[1], ECHO, 2);
    struct sim_process *client = client_of(s, 0, server, 1);
    struct process_id id = server->task->id;
    struct link was;

    CHECK(sim_run(s, 100000));
    was = *link_of(client);
    CHECK_EQ(was.hint, 2);
    printf("hints of {2, 1, %llu}:", (unsigned long long)id.serial);
    for (u32 i = 0; i < 10; i++) {
        u32 to = 1 + (i + 1) % 4;

        moved(s, &id, to);
        CHECK_EQ(link_of(client)->hint, was.hint);
        more_calls(client, 1);
        CHECK(sim_run(s, 100000));
        CHECK_EQ(link_of(client)->hint, to + 1);
        CHECK_EQ(link_of(client)->moves, i + 1);
        printf(" %u", link_of(client)->hint);
        was.hint = to + 1;
        was.moves = (u16)(i + 1);
        CHECK(memcmp(link_of(client), &was, sizeof(was)) == 0);
    }
    printf("\n");
    CHECK(process_id_equal(&link_of(client)->to, &id));
    CHECK_EQ(client->self[3], 11);
    finish(s);
}

/* The controller, wherever it got its link, makes another request over it. */
static void control_again(struct sim_process *c, enum control_op op, u64 word)
{
    c->self[8] = op;
    c->self[9] = word;
    c->self[0] = 0;
    c->self[5] = 1;
    c->fresh = true;
    thread_wake_error(c->node->node, c->thread, DEMOS_E_TIMEOUT);
    CHECK(sim_run(c->node->sim, 200000));
    CHECK_EQ((s64)c->self[5], 0);
}

/* DL17: a control link that was made when the process was on A stops it on B, goes with it, stopped, to C,
 * resumes and ends it there; each time by the kernel of where it is. */
static void test_control_follows(void)
{
    struct sim *s = world(4);
    struct sim_process *server = sim_spawn(&s->nodes[0], ECHO, 2), *client, *c;
    struct process_id id = server->task->id;
    u32 attr = DEMOS_TOKERNEL | DEMOS_DUP | DEMOS_GIVE;

    client = client_of(s, 3, server, 1);
    c = sim_spawn(&s->nodes[3], CONTROLLER, 1);
    c->self[1] = (u64)sim_link(c, server, DEMOS_REQUEST_LINK, attr, 0, 0);
    c->self[8] = CONTROL_INFO;
    CHECK(sim_run(s, 100000));
    moved(s, &id, 1);
    control_again(c, CONTROL_STOP, 0);
    CHECK_EQ(where(s, &id)->task->state, DEMOS_STOPPED);
    more_calls(client, 1);
    sim_run(s, 100000);
    CHECK_EQ(client->self[3], 1); /* nobody serves it */
    control_again(c, CONTROL_MIGRATE, 3);
    server = where(s, &id);
    CHECK(server && server->node->index == 2 && server->task->state == DEMOS_STOPPED);
    CHECK_EQ(client->self[3], 1);
    control_again(c, CONTROL_RESUME, 0);
    CHECK_EQ(where(s, &id)->task->state, DEMOS_READY);
    CHECK_EQ(client->self[3], 2); /* the call went after it, and was not lost */
    moved(s, &id, 1);
    control_again(c, CONTROL_STOP, 0);
    control_again(c, CONTROL_RESUME, 0);
    control_again(c, CONTROL_KILL, 0);
    CHECK(!where(s, &id));
    finish(s);
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

/* What clients of a server that moves have seen, in rounds of the simulation. */
struct latencies {
    struct sim_process *client[5];
    u64 round, since[5], answered[5];
    u64 calls, rounds, slowest; /* answered calls, their time, the slowest of them */
};

static void watched_round(struct sim *s, struct latencies *l)
{
    sim_run(s, 1);
    l->round++;
    for (u32 i = 0; i < 5; i++) {
        u64 now = l->client[i]->self[3];

        if (now == l->answered[i])
            continue;
        l->slowest = MAX(l->slowest, l->round - l->since[i]);
        l->rounds += l->round - l->since[i];
        l->calls += now - l->answered[i];
        l->since[i] = l->round;
        l->answered[i] = now;
    }
}

/* One move, asked for beside it; the rounds until the answer. */
static u64 one_of_many(struct sim *s, const struct process_id *id, u64 m, struct latencies *l)
{
    struct sim_process *at = where(s, id), *c;
    u32 to = (at->node->index + 1 + (u32)(m % 3)) % 5;
    u64 rounds;

    /* not beside the server: its local client and it would leave no turn to others */
    c = sim_spawn(&s->nodes[(at->node->index + 4) % 5], CONTROLLER, 1);
    c->self[1] = (u64)sim_link(c, at, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);
    c->self[8] = CONTROL_MIGRATE;
    c->self[9] = 1 + to;
    c->self[5] = 1;
    for (rounds = 0; rounds < 2000 && c->self[5] == 1; rounds++)
        watched_round(s, l);
    CHECK_EQ(c->self[5], 0);
    node_kill(c->node->node, c->task);
    return rounds;
}

/* A server under load moves ten thousand times: no client notices, nothing grows, and its calls take no
 * longer in the second half than in the first. */
static void test_ten_thousand_moves(void)
{
    enum { MOVES = 10000 };
    struct latencies half[2] = {0}, *l = &half[0];
    u64 slowest[2] = {0}, arrivals = 0, took;
    size_t heap[2] = {0};
    struct sim *s = cluster(5, NULL);
    struct sim_process *server = sim_spawn(&s->nodes[0], ECHO, 2);
    struct process_id id = server->task->id;

    for (u32 i = 0; i < 5; i++)
        l->client[i] = client_of(s, i, server, ~(u64)0);
    for (u64 m = 0; m < MOVES && !checks_failed; m++) {
        if (m == MOVES / 2) {
            half[1] = half[0];
            l = &half[1];
            l->calls = l->rounds = l->slowest = 0;
        }
        for (u32 i = 0; i < 40 || !where(s, &id); i++)
            watched_round(s, l);
        took = one_of_many(s, &id, m, l);
        slowest[m >= MOVES / 2] = MAX(slowest[m >= MOVES / 2], took);
        for (u32 i = 0; i < 5 && (m == MOVES / 2 - 1 || m == MOVES - 1); i++)
            heap[m == MOVES - 1] += s->nodes[i].heap.in_use;
    }
    for (u32 i = 0; i < 5; i++) {
        CHECK_EQ((s64)l->client[i]->self[4], 0);
        CHECK(l->client[i]->self[3] > MOVES);
        arrivals += node_counters(s->nodes[i].node)->moved_in;
        l->client[i]->self[2] = l->client[i]->self[0];
    }
    CHECK_EQ(arrivals, MOVES);
    CHECK_EQ(where(s, &id)->task->moves, MOVES);
    CHECK(addresses(s) <= 4);
    CHECK(heap[1] < heap[0] + heap[0] / 8);
    CHECK(slowest[1] <= 2 * slowest[0]);
    CHECK(half[1].slowest <= 2 * half[0].slowest);
    CHECK(half[1].rounds * half[0].calls * 10 <= half[0].rounds * half[1].calls * 11);
    printf("%llu moves\n", (unsigned long long)arrivals);
    for (u32 h = 0; h < 2; h++)
        printf(
            "half %u: %llu calls, %.2f rounds each, %llu the slowest; slowest move %llu; heaps "
            "%zu bytes\n",
            h + 1, (unsigned long long)half[h].calls,
            (double)half[h].rounds / (double)half[h].calls, (unsigned long long)half[h].slowest,
            (unsigned long long)slowest[h], heap[h]);
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

TESTS(CASE(test_one_word_for_a_machine), CASE(test_only_the_hint_changes),
      CASE(test_control_follows), CASE(test_maker_and_forwarder_dead), CASE(test_chain_broken),
      CASE(test_dead_with_its_machine), CASE(test_rebooted_forwarder), CASE(test_collected),
      CASE(test_shortened), CASE(test_ten_thousand_moves), CASE(test_campaign))

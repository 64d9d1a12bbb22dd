/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several nodes in the simulator, over the real network code on a perfect wire: what is
 * true of two processes on one node is true of two on different ones. DL01, DL06, DL10,
 * DL14, DL16-DL18, DL22-DL24, DN01, DN03, DN14, DK02, L11; no room (BUSY, parking, FENCE); death.
 */
#include "guest/kernel/core.h"
#include "tests/kernel/programs.h"
#include "tests/kernel/remotes.h"

static u64 processes(const struct sim *s)
{
    u64 sum = 0;

    for (u32 i = 0; i < s->count; i++)
        sum += node_counters(s->nodes[i].node)->processes;
    return sum;
}

static void test_calls_far_away(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *server = sim_spawn(&s->nodes[1], ECHO, 2);
    struct sim_process *client = sim_spawn(&s->nodes[0], CALLER, 2);

    client->self[1] = (u64)sim_link(client, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 300;
    CHECK(sim_run(s, 200000));
    CHECK_EQ(client->self[3], 300);
    CHECK_EQ(server->self[2], 300);
    CHECK_EQ(server->task->links.used, 2); /* the two it was born with: DL05 */
    CHECK(server->task->links.high <= 3);
    sim_destroy(s);
}

/* Many senders on many nodes, one receiver whose queue holds a few messages. */
static void flood(u32 nodes, u32 per_node, u64 messages, u64 queue)
{
    struct demos_limits limits = {.queue_bytes = queue};
    struct sim *s = cluster(nodes, &limits);
    struct sim_process *r = sim_spawn(&s->nodes[0], RECEIVER, 2);
    u64 bounced = 0, code = 0;

    for (u32 i = 0; i < nodes; i++) {
        for (u32 k = 0; k < per_node; k++) {
            struct sim_process *p = sim_spawn(&s->nodes[i], SENDER, 1);

            p->self[1] = (u64)sim_link(p, r, DEMOS_GENERAL, 0, k, code++);
            p->self[2] = messages;
        }
    }
    CHECK(code <= 8);
    CHECK(sim_run(s, 4000000));
    for (u32 i = 0; i < nodes; i++)
        bounced += node_counters(s->nodes[i].node)->bounced;
    CHECK_EQ(r->self[2], code * messages);
    CHECK_EQ(r->self[3], 0);
    CHECK_EQ(processes(s), 1);
    CHECK_EQ(r->task->queued, 0);
    CHECK(r->task->count.queue_high <= queue + 65536);
    if (queue < 4096)
        CHECK(bounced > 0);
    sim_destroy(s);
}

/* Twenty messages over the links self[1] and self[2], in turn. */
static struct sim_call both_in_turn(struct sim_process *p, s64 result)
{
    u64 number = p->self[0]++;

    (void)result;
    if (number >= 20)
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
    return sim_call(DEMOS_SEND, p->self[1 + number % 2], SIM_DATA, 8, 0, DEMOS_FOREVER, 0);
}

static void test_flood_with_room(void)
{
    flood(4, 2, 400, 1 << 20);
}

static void test_flood_without_room(void)
{
    flood(4, 2, 400, 1500);
    flood(8, 1, 300, 400);
}

/* Point 5: who has no room parks what is for it, and nothing else: its neighbour is served. */
static void test_no_room_is_of_one(void)
{
    struct demos_limits limits = {.queue_bytes = 1500};
    struct sim *s = cluster(3, &limits);
    struct sim_process *deaf = sim_spawn(&s->nodes[0], IDLER, 1), *hears, *echoes, *p;

    hears = sim_spawn(&s->nodes[0], RECEIVER, 2);
    echoes = sim_spawn(&s->nodes[0], ECHO, 2);
    for (u32 i = 1; i < 3; i++) { /* idlers wait for nothing: its queue stays full */
        p = sim_spawn(&s->nodes[i], SENDER, 1);
        p->self[1] = (u64)sim_link(p, deaf, DEMOS_GENERAL, 0, 0, i);
        p->self[2] = 100;
    }
    sim_run(s, 5000);
    CHECK(!list_empty(&s->nodes[1].node->parks) && !list_empty(&s->nodes[2].node->parks));
    for (u32 i = 1; i < 3; i++) {
        p = sim_spawn(&s->nodes[i], SENDER, 1);
        p->self[1] = (u64)sim_link(p, hears, DEMOS_GENERAL, 0, 0, i);
        p->self[2] = 100;
    }
    p = sim_spawn(&s->nodes[1], CALLER, 1);
    p->self[1] = (u64)sim_link(p, echoes, DEMOS_REQUEST_LINK, 0, 0, 1);
    p->self[2] = 100;
    sim_run(s, 50000);
    CHECK_EQ(hears->self[2], 200);
    CHECK_EQ(hears->self[3], 0);
    CHECK_EQ(p->self[3], 100);
    CHECK(!list_empty(&s->nodes[1].node->parks) && !list_empty(&s->nodes[2].node->parks));
    CHECK(deaf->task->queued_bytes <= 1500);
    sim_destroy(s);
}

/* Point 3: a message says which one its sender sent to the same process before it. */
static void test_previous(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *to[2] = {sim_spawn(&s->nodes[1], IDLER, 1)}, *p;

    s->programs[20] = both_in_turn;
    p = sim_spawn(&s->nodes[0], 20, 1);
    to[1] = sim_spawn(&s->nodes[0], IDLER, 1); /* another serial: few are remembered */
    for (u32 i = 0; i < 2; i++)
        p->self[1 + i] = (u64)sim_link(p, to[i], DEMOS_GENERAL, 0, 0, 1);
    sim_run(s, 20000);
    for (u32 i = 0; i < 2; i++) {
        u64 last = 0;

        CHECK_EQ(to[i]->task->queued, 10);
        list_for_each(node, &to[i]->task->queue)
        {
            const struct message *m = list_entry(node, struct message, queue);

            CHECK_EQ(m->previous, last);
            CHECK(m->sequence > last);
            last = m->sequence;
        }
    }
    sim_destroy(s);
}

/* DN03, point 6: a process that is gone answers where it was. */
static void test_dead_far_away(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *victim = sim_spawn(&s->nodes[1], IDLER, 1);
    struct sim_process *client = sim_spawn(&s->nodes[0], CALLER, 2);
    struct sim_process *waiting = sim_spawn(&s->nodes[0], CALLER, 2);

    client->self[1] = (u64)sim_link(client, victim, DEMOS_REQUEST_LINK, 0, 0, 1);
    waiting->self[1] = (u64)sim_link(waiting, victim, DEMOS_REQUEST_LINK, 0, 0, 1);
    waiting->self[2] = 1;
    sim_run(s, 3000); /* its request waits in the victim's queue */
    CHECK_EQ(victim->task->queued, 1);
    node_kill(s->nodes[1].node, victim->task);
    client->self[2] = 1;
    client->self[0] = 0;
    CHECK(sim_run(s, 100000));
    CHECK_EQ((s64)waiting->self[4], DEMOS_E_DEAD);
    sim_destroy(s);
}

static void test_call_to_the_dead(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *victim = sim_spawn(&s->nodes[1], IDLER, 1);
    struct sim_process *client = sim_spawn(&s->nodes[0], CALLER, 2);

    client->self[1] = (u64)sim_link(client, victim, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 3;
    node_kill(s->nodes[1].node, victim->task);
    CHECK(sim_run(s, 100000));
    CHECK_EQ((s64)client->self[4], DEMOS_E_DEAD);
    CHECK_EQ(client->self[0], 3);
    sim_destroy(s);
}

/* The membership authority's word ends the wait for a machine that never answers: at the same
 * instant, since it is this node's own kernel that gives the notice, and whatever the wire loses. */
static void test_machine_declared_dead(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *server = sim_spawn(&s->nodes[1], IDLER, 1);
    struct sim_process *client = sim_spawn(&s->nodes[0], CALLER, 2);
    u64 declared;

    client->self[1] = (u64)sim_link(client, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 1;
    sim_run(s, 5000);
    CHECK_EQ(client->self[4], 0);
    s->lose = 100;
    declared = s->now;
    node_declare_dead(s->nodes[0].node, 2, 1);
    for (u32 i = 0; i < 100 && !client->self[4]; i++)
        sim_run(s, 1);
    CHECK_EQ((s64)client->self[4], DEMOS_E_DEAD);
    CHECK(s->now - declared < 100);
    sim_destroy(s);
}

static s64 area_link(struct sim_process *of, struct sim_process *to, u32 attr, u64 base,
                     u64 len)
{
    s64 number = sim_link(of, to, DEMOS_GENERAL, attr, 0, 0);
    struct link_slot *slot = link_find(&of->task->links, number);

    slot->link.base = base;
    slot->link.len = len;
    return number;
}

/* REQUESTs too, whose room comes back. */
static struct sim_call requester(struct sim_process *p, s64 result)
{
    struct demos_info info = {.code = 0x77};

    if (p->self[0]++ == 0) {
        sim_poke(p, SIM_DATA + 2048, &info, sizeof(info));
        return sim_call(DEMOS_REQUEST, p->self[1], SIM_DATA, 4, SIM_DATA + 2048, DEMOS_FOREVER,
                        demos_lens(64, 6));
    }
    if (p->self[0] == 3) {
        sim_peek(p, SIM_DATA + 2048, &info, sizeof(info));
        p->self[5] = info.notice;
        p->self[6] = info.code;
        p->self[7] = (u64)result;
    }
    return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA, 64, SIM_DATA + 2048,
                    DEMOS_FOREVER, 0);
}

static void test_request_to_a_dead_machine(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *server = sim_spawn(&s->nodes[1], IDLER, 1), *p;

    s->programs[20] = requester;
    p = sim_spawn(&s->nodes[0], 20, 2);
    p->self[1] = (u64)sim_link(p, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    CHECK(sim_run(s, 50000));
    CHECK(p->task->reserved_bytes > 0);
    CHECK_EQ(p->self[5], 0);
    node_declare_dead(s->nodes[0].node, 2, 1);
    CHECK(sim_run(s, 50000));
    CHECK_EQ(p->self[5], DEMOS_NOTICE_DEAD);
    CHECK_EQ(p->self[6], 0x77);
    CHECK_EQ(p->self[7], 0);
    CHECK_EQ(p->task->reserved_bytes, 0);
    sim_destroy(s);
}

static void move(u32 from, u32 direction, u32 attr, u64 offset, u64 len, u64 area, s64 expected)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *owner = sim_spawn(&s->nodes[1], IDLER, 64);
    struct sim_process *m = sim_spawn(&s->nodes[from], MOVER, 64);
    u8 *bytes = malloc(64 * SIM_PAGE), *got = malloc(64 * SIM_PAGE);
    struct sim_process *source = direction == DEMOS_MOVE_READ ? owner : m;
    struct sim_process *target = direction == DEMOS_MOVE_READ ? m : owner;
    u64 source_at = direction == DEMOS_MOVE_READ ? offset : 0;
    u64 target_at = direction == DEMOS_MOVE_READ ? 0 : offset;

    for (u32 i = 0; i < 64 * SIM_PAGE; i++)
        bytes[i] = (u8)(i * 7 + i / 251);
    sim_poke(source, SIM_DATA, bytes, 64 * SIM_PAGE);
    m->self[1] = (u64)area_link(m, owner, attr, SIM_DATA, area);
    m->self[2] = direction;
    m->self[3] = offset;
    m->self[4] = len;
    CHECK(sim_run(s, 200000));
    CHECK_EQ((s64)m->self[5], expected);
    if (expected > 0) {
        sim_peek(target, SIM_DATA + target_at, got, len);
        CHECK(memcmp(got, bytes + source_at, len) == 0);
    }
    free(bytes);
    free(got);
    sim_destroy(s);
}

static void test_moves(void)
{
    u32 both = DEMOS_AREA_READ | DEMOS_AREA_WRITE;

    for (u32 from = 0; from < 2; from++) { /* DL10: the same there and here */
        move(from, DEMOS_MOVE_READ, both, 100, 200000, 64 * SIM_PAGE, 200000);
        move(from, DEMOS_MOVE_WRITE, both, 4096, 131072, 64 * SIM_PAGE, 131072);
        move(from, DEMOS_MOVE_WRITE, DEMOS_AREA_READ, 0, 10, 4096, DEMOS_E_ALLOWED);
        move(from, DEMOS_MOVE_READ, DEMOS_AREA_WRITE, 0, 10, 4096, DEMOS_E_ALLOWED);
        move(from, DEMOS_MOVE_READ, 0, 0, 10, 4096, DEMOS_E_AREA);
        move(from, DEMOS_MOVE_READ, both, 0, 4096, 4096, 4096);
        move(from, DEMOS_MOVE_READ, both, 1, 4096, 4096, DEMOS_E_AREA);
        move(from, DEMOS_MOVE_READ, both, 4096, 0, 4096, 0);
        move(from, DEMOS_MOVE_READ, both, 63 * SIM_PAGE, 2 * SIM_PAGE, 99 * SIM_PAGE,
             DEMOS_E_ADDRESS);
    }
}

/* DL16, DL17: control goes over links, wherever the process is. */
static void test_control_far_away(void)
{
    struct sim *s = cluster(3, NULL);
    struct sim_process *r = sim_spawn(&s->nodes[1], ECHO, 2);
    struct sim_process *c = sim_spawn(&s->nodes[0], CONTROLLER, 1);
    struct sim_process *client = sim_spawn(&s->nodes[2], CALLER, 1), *c2, *c3;
    u32 attr = DEMOS_TOKERNEL | DEMOS_DUP | DEMOS_GIVE;

    c->self[1] = (u64)sim_link(c, r, DEMOS_REQUEST_LINK, attr, 0, 0);
    c->self[8] = CONTROL_STOP;
    CHECK(sim_run(s, 100000));
    CHECK_EQ(c->self[5], 0);
    CHECK_EQ(r->task->state, DEMOS_STOPPED);
    client->self[1] = (u64)sim_link(client, r, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 5;
    node_kill(s->nodes[2].node, client->task); /* it had nothing to do yet: a fresh one */
    client = sim_spawn(&s->nodes[2], CALLER, 1);
    client->self[1] = (u64)sim_link(client, r, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 5;
    sim_run(s, 20000);
    CHECK_EQ(client->self[3], 0); /* a stopped server does not serve */
    CHECK_EQ(r->task->queued, 1);
    c2 = sim_spawn(&s->nodes[2], CONTROLLER, 1);
    c2->self[1] = (u64)sim_link(c2, r, DEMOS_REQUEST_LINK, attr, 0, 0);
    c2->self[8] = CONTROL_RESUME;
    CHECK(sim_run(s, 100000));
    CHECK_EQ(c2->self[5], 0);
    CHECK_EQ(client->self[3], 5);
    c3 = sim_spawn(&s->nodes[0], CONTROLLER, 1);
    c3->self[1] = (u64)sim_link(c3, r, DEMOS_REQUEST_LINK, attr, 0, 0);
    c3->self[8] = CONTROL_KILL;
    CHECK(sim_run(s, 100000));
    CHECK_EQ(c3->self[5], 0);
    CHECK_EQ(node_counters(s->nodes[1].node)->processes, 0);
    sim_destroy(s);
}

/* One control request with a link: control link self[1], operation self[8], address self[9],
 * length self[10], link self[6]; the answer's first word in self[5]. */
static struct sim_call with_area(struct sim_process *p, s64 result)
{
    struct demos_info info = {.count = 1, .links = {(s64)p->self[6]}};
    u8 words[24];

    if (!p->fresh && p->self[0]++ == 0) {
        sim_peek(p, SIM_DATA + 512, words, 8);
        p->self[5] = result < 8 ? (u64)result : be64_get(words);
    }
    if (!p->fresh)
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
    for (u32 i = 0; i < 3; i++)
        be64_put(words + 8 * i, p->self[8 + i]);
    sim_poke(p, SIM_DATA, words, sizeof(words));
    sim_poke(p, SIM_DATA + 1024, &info, sizeof(info));
    return sim_call(DEMOS_CALL, p->self[1], SIM_DATA, demos_lens(24, 64), SIM_DATA + 512,
                    SIM_DATA + 1024, DEMOS_FOREVER);
}

/* A process on node 0 fills or reads out one on node 1, by an area of one on `third`. */
static s64 area_request(u32 third, u32 op, u32 attr, u64 address, u64 len, bool die)
{
    struct sim *s = cluster(3, NULL);
    struct sim_process *target = sim_spawn(&s->nodes[1], IDLER, 40), *c, *owner;
    u8 *there = malloc(40 * SIM_PAGE), *here = malloc(40 * SIM_PAGE);
    s64 said;

    s->programs[20] = with_area;
    c = sim_spawn(&s->nodes[0], 20, 40);
    owner = third ? sim_spawn(&s->nodes[third], IDLER, 40) : c;
    for (u32 i = 0; i < 40 * SIM_PAGE; i++)
        there[i] = (u8)(i * 11 + i / 241);
    sim_poke(op == CONTROL_LOAD ? owner : target, SIM_DATA + 4096, there, 36 * SIM_PAGE);
    c->self[1] = (u64)sim_link(c, target, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);
    c->self[6] = (u64)area_link(c, owner, attr | DEMOS_GIVE, SIM_DATA + 4096, 30 * SIM_PAGE);
    c->self[8] = op;
    c->self[9] = address;
    c->self[10] = len;
    c->self[5] = 77;
    if (die) { /* the area's owner is on a machine that dies in the middle */
        sim_run(s, 3);
        s->nodes[third].down = true;
        node_declare_dead(s->nodes[0].node, third + 1, 1);
        node_declare_dead(s->nodes[1].node, third + 1, 1);
    }
    sim_run(s, 200000);
    said = (s64)c->self[5];
    if (!said) {
        sim_peek(op == CONTROL_LOAD ? target : owner,
                 op == CONTROL_LOAD ? address : SIM_DATA + 4096, here, len);
        CHECK(memcmp(here, there + (op == CONTROL_LOAD ? 0 : address - SIM_DATA - 4096), len) ==
              0);
    }
    CHECK(list_empty(&s->nodes[0].node->moves) && list_empty(&s->nodes[1].node->moves));
    s->nodes[2].down = false;
    free(there);
    free(here);
    sim_destroy(s);
    return said;
}

/* DL16: the area may be anywhere, on the process's machine, the asker's, or a third one. */
static void test_areas_of_control_requests(void)
{
    u32 both = DEMOS_AREA_READ | DEMOS_AREA_WRITE;

    for (u32 third = 0; third < 3; third++) {
        CHECK_EQ(area_request(third, CONTROL_LOAD, both, SIM_DATA + 4096 + 100, 100000, false),
                 0);
        CHECK_EQ(area_request(third, CONTROL_READ, both, SIM_DATA + 5000, 100000, false), 0);
        CHECK_EQ(area_request(third, CONTROL_LOAD, DEMOS_AREA_WRITE, SIM_DATA, 10, false),
                 DEMOS_E_ALLOWED);
        CHECK_EQ(area_request(third, CONTROL_READ, DEMOS_AREA_READ, SIM_DATA, 10, false),
                 DEMOS_E_ALLOWED);
        CHECK_EQ(area_request(third, CONTROL_LOAD, both, SIM_DATA, 31 * SIM_PAGE, false),
                 DEMOS_E_AREA);
        CHECK_EQ(area_request(third, CONTROL_LOAD, both, SIM_DATA - SIM_PAGE, 100, false),
                 DEMOS_E_ADDRESS);
    }
    CHECK_EQ(area_request(2, CONTROL_LOAD, both, SIM_DATA, 100000, true), DEMOS_E_DEAD);
}

/* L11: loading from an area of this node maps whole pages; whoever writes first gets a copy. */
static void test_loading_shares(void)
{
    struct sim *s = cluster(1, NULL);
    struct sim_process *target = sim_spawn(&s->nodes[0], IDLER, 40), *c;
    u32 both = DEMOS_AREA_READ | DEMOS_AREA_WRITE | DEMOS_GIVE;
    u8 *there = malloc(31 * SIM_PAGE), *here = calloc(31, SIM_PAGE);
    u64 pages;

    s->programs[20] = with_area;
    c = sim_spawn(&s->nodes[0], 20, 40);
    for (u32 i = 0; i < 31 * SIM_PAGE; i++)
        there[i] = (u8)(i * 7 + i / 253);
    sim_poke(c, SIM_DATA + 4096, there, 31 * SIM_PAGE);
    c->self[1] = (u64)sim_link(c, target, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);
    c->self[6] = (u64)area_link(c, c, both, SIM_DATA + 4096, 31 * SIM_PAGE);
    c->self[8] = CONTROL_LOAD;
    c->self[9] = SIM_DATA + 8192;
    c->self[10] = 30 * SIM_PAGE + 100;
    pages = s->pages;
    CHECK(sim_run(s, 100000));
    CHECK_EQ((s64)c->self[5], 0);
    CHECK(s->pages <= pages + 2); /* the last piece, and what the asker itself wrote */
    sim_poke(c, SIM_DATA + 4096, here, SIM_PAGE); /* the file changes: a program does not */
    sim_peek(target, SIM_DATA + 8192, here, 30 * SIM_PAGE + 100);
    CHECK(memcmp(here, there, 30 * SIM_PAGE + 100) == 0);
    memset(here, 0, 8);
    sim_poke(target, SIM_DATA + 5 * SIM_PAGE, here, 8); /* nor the other way */
    sim_peek(c, SIM_DATA + 4 * SIM_PAGE, here, 8);
    CHECK(memcmp(here, there + 3 * SIM_PAGE, 8) == 0);
    free(there);
    free(here);
    sim_destroy(s);
}

/* A forged check is refused where the process is (links are checked, keys are its own). */
static void test_checked_links(void)
{
    struct sim *s = sim_create(2, 4 << 20, NODE_CHECK_LINKS, true);
    struct sim_process *server, *client;
    struct link_slot *slot;

    s->programs[ECHO] = echo;
    s->programs[CALLER] = caller;
    server = sim_spawn(&s->nodes[1], ECHO, 2);
    client = sim_spawn(&s->nodes[0], CALLER, 2);
    client->self[1] = (u64)sim_link(client, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 2;
    CHECK(sim_run(s, 100000));
    CHECK_EQ(client->self[3], 2);
    slot = link_find(&client->task->links, (s64)client->self[1]);
    slot->link.code++; /* a kernel that lies about what it was given */
    node_kill(s->nodes[0].node, client->task);
    client = sim_spawn(&s->nodes[0], CALLER, 2);
    client->self[1] = (u64)sim_link(client, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    slot = link_find(&client->task->links, (s64)client->self[1]);
    slot->link.code++;
    client->self[2] = 1;
    CHECK(sim_run(s, 100000));
    CHECK_EQ((s64)client->self[4], DEMOS_E_DEAD);
    CHECK_EQ(server->self[2], 2);
    sim_destroy(s);
}

static struct sim_process *pair(struct sim *s, u32 from, u32 to, u64 calls)
{
    struct sim_process *server = sim_spawn(&s->nodes[to], ECHO, 1);
    struct sim_process *client = sim_spawn(&s->nodes[from], CALLER, 1);

    client->self[1] = (u64)sim_link(client, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = calls;
    return client;
}

/* DN14: each of N nodes has one for each of the N - 1 others, when all have talked. */
static void test_one_for_each_other_processor(void)
{
    enum { NODES = 6 };
    struct sim *s = cluster(NODES, NULL);
    struct sim_process *client[NODES][NODES];
    size_t bytes;

    for (u32 i = 0; i < NODES; i++)
        for (u32 k = 0; k < NODES; k++)
            client[i][k] = i == k ? NULL : pair(s, i, k, 10);
    CHECK(sim_run(s, 400000));
    for (u32 i = 0; i < NODES; i++) {
        CHECK_EQ(remote_processors(s->nodes[i].net, &bytes), NODES - 1);
        for (u32 k = 0; k < NODES; k++)
            CHECK(i == k || client[i][k]->self[3] == 10);
    }
    sim_destroy(s);
}

/* DL06: what two machines keep of each other does not know how many processes talk. */
static void test_state_is_of_machines(void)
{
    struct sim *s = cluster(2, NULL);
    size_t one[2], many[2];
    struct sim_process *last = pair(s, 0, 1, 20);

    CHECK(sim_run(s, 200000));
    CHECK_EQ(last->self[3], 20);
    for (u32 i = 0; i < 2; i++)
        CHECK_EQ(remote_processors(s->nodes[i].net, &one[i]), 1);
    for (u32 i = 0; i < 60; i++)
        last = pair(s, i % 2, 1 - i % 2, 20);
    CHECK(sim_run(s, 2000000));
    CHECK_EQ(last->self[3], 20);
    for (u32 i = 0; i < 2; i++) {
        CHECK_EQ(remote_processors(s->nodes[i].net, &many[i]), 1);
        CHECK_EQ(many[i], one[i]);
    }
    sim_destroy(s);
}

/* A thousand nodes, ten on a wire: each calls the next on its wire. */
static void test_thousand_nodes(void)
{
    enum { NODES = 1000, WIRE = 10 };
    struct sim *s = sim_create(NODES, 512 << 10, 0, true);
    struct sim_process *client[NODES], *server[NODES];

    s->programs[ECHO] = echo;
    s->programs[CALLER] = caller;
    for (u32 i = 0; i < s->count; i++) {
        s->nodes[i].wire = i / WIRE;
        server[i] = sim_spawn(&s->nodes[i], ECHO, 1);
    }
    for (u32 i = 0; i < s->count; i++) {
        struct sim_process *next = server[i / WIRE * WIRE + (i + 1) % WIRE];

        client[i] = sim_spawn(&s->nodes[i], CALLER, 1);
        CHECK(server[i] && client[i]);
        client[i]->self[1] = (u64)sim_link(client[i], next, DEMOS_REQUEST_LINK, 0, 0, i);
        client[i]->self[2] = 20;
    }
    CHECK(sim_run(s, 100000));
    for (u32 i = 0; i < s->count; i++) {
        CHECK_EQ(client[i]->self[3], 20);
        CHECK_EQ(server[i]->self[2], 20);
        CHECK_EQ(remote_processors(s->nodes[i].net, &(size_t){0}), 2);
    }
    sim_destroy(s);
}

TESTS(CASE(test_calls_far_away), CASE(test_flood_with_room), CASE(test_flood_without_room),
      CASE(test_no_room_is_of_one), CASE(test_previous), CASE(test_dead_far_away),
      CASE(test_call_to_the_dead), CASE(test_machine_declared_dead),
      CASE(test_request_to_a_dead_machine), CASE(test_moves), CASE(test_control_far_away),
      CASE(test_areas_of_control_requests), CASE(test_loading_shares), CASE(test_checked_links),
      CASE(test_one_for_each_other_processor), CASE(test_state_is_of_machines),
      CASE(test_thousand_nodes))

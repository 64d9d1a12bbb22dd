/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that move while others talk to them. DL12-DL15, DL17, DL24, DP04, DN02, DN04,
 * DN05, P20: nine administrative messages, order kept on every path, links that correct
 * themselves, one live copy whatever dies.
 */
#include "base/bytes.h"
#include "guest/kernel/core.h"
#include "tests/kernel/programs.h"

static u64 steps[8], step_bytes, updates, forwards;

static void count_trace(struct sim_node *sn, u16 type, u32 who, u64 a, u64 b)
{
    (void)sn;
    (void)who;
    if (type == KERNEL_T_migrate && a < 8) {
        steps[a]++;
        step_bytes += b >> 32;
        CHECK(b >> 32 >= 6 && b >> 32 <= 12);
    }
    updates += type == KERNEL_T_update;
    forwards += type == KERNEL_T_forward;
}

/* Where a process is now: its only live copy, or NULL with *copies telling. */
static struct sim_process *where(struct sim *s, const struct process_id *id, u32 *copies)
{
    struct sim_process *found = NULL;

    *copies = 0;
    for (u32 i = 0; i < s->count; i++) {
        struct task *t = node_find(s->nodes[i].node, id);

        if (!t)
            continue;
        found = sim_process_of(t);
        ++*copies;
    }
    return found;
}

/* A process on `from` asks that `p` be moved; it runs with everything else. */
static struct sim_process *ask_move(struct sim *s, u32 from, const struct sim_process *p,
                                    u32 to)
{
    struct sim_process *c = sim_spawn(&s->nodes[from], CONTROLLER, 1);
    u32 attr = DEMOS_TOKERNEL | DEMOS_DUP | DEMOS_GIVE;

    c->self[1] = (u64)sim_link(c, p, DEMOS_REQUEST_LINK, attr, 0, 0);
    c->self[8] = CONTROL_MIGRATE;
    c->self[9] = to + 1;
    c->self[5] = 1;
    return c;
}

/* One MOVEDATA with 100 bytes into our memory: link self[1], direction self[2], self[4] bytes. */
static struct sim_call mover_at_100(struct sim_process *p, s64 result)
{
    if (p->self[0]++ == 0)
        return sim_call(DEMOS_MOVEDATA, p->self[1], p->self[2], 0, SIM_DATA + 100, p->self[4],
                        0);
    if (p->self[0] == 2)
        p->self[5] = (u64)result;
    return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
}

/* The shortest MIGRATE: twelve bytes, answered by eight. */
static struct sim_call mover_by_twelve(struct sim_process *p, s64 result)
{
    u8 body[12];

    if (!p->fresh && p->self[0]++ == 0) {
        sim_peek(p, SIM_DATA + 512, body, 8);
        p->self[4] = (u64)result;
        p->self[5] = be64_get(body);
    }
    if (!p->fresh)
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
    be64_put(body, CONTROL_MIGRATE);
    be32_put(body + 8, (u32)p->self[9]);
    sim_poke(p, SIM_DATA, body, sizeof(body));
    return sim_call(DEMOS_CALL, p->self[1], SIM_DATA, demos_lens(12, 256), SIM_DATA + 512, 0,
                    DEMOS_FOREVER);
}

static void test_one_move(void)
{
    struct sim *s = cluster(3, NULL);
    struct sim_process *server = sim_spawn(&s->nodes[1], ECHO, 4);
    struct sim_process *client = sim_spawn(&s->nodes[0], CALLER, 2), *c;
    struct process_id id = server->task->id;
    s64 kept = sim_link(server, client, DEMOS_GENERAL, DEMOS_DUP, 9, 77);
    u32 copies;
    char text[6];

    client->self[1] = (u64)sim_link(client, server, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 5;
    sim_poke(server, SIM_DATA + 3 * SIM_PAGE, "mine", 5);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(client->self[3], 5);
    s->on_trace = count_trace;
    memset(steps, 0, sizeof(steps));
    step_bytes = 0;
    for (u32 i = 0; i < 3; i++)
        node_set_trace(s->nodes[i].node, true);
    s->programs[30] = mover_by_twelve;
    c = ask_move(s, 0, server, 2);
    c->program = 30;
    CHECK(sim_run(s, 100000));
    CHECK_EQ(c->self[5], 0);
    CHECK_EQ(c->self[4], 8);
    server = where(s, &id, &copies);
    CHECK_EQ(copies, 1);
    CHECK(server && server->node == &s->nodes[2]);
    if (!server)
        return;
    CHECK(sim_peek(server, SIM_DATA + 3 * SIM_PAGE, text, 5) && strcmp(text, "mine") == 0);
    CHECK(link_find(&server->task->links, kept) != NULL); /* DL12 */
    CHECK_EQ(link_find(&server->task->links, kept)->link.code, 77);
    /* OFFER, ACCEPT, three PULLs, ESTABLISHED, CLEANED; with the request and its answer: 9. */
    printf("administrative messages: request 1, offer %llu, accept %llu, pull %llu, "
           "established %llu, cleaned %llu, answer 1\n",
           (unsigned long long)steps[1], (unsigned long long)steps[2],
           (unsigned long long)steps[4], (unsigned long long)steps[5],
           (unsigned long long)steps[6]);
    CHECK_EQ(2 + steps[1] + steps[2] + steps[3] + steps[4] + steps[5] + steps[6], 9);
    printf("bytes in their bodies: %llu\n", (unsigned long long)(12 + step_bytes + 8));
    CHECK(12 + step_bytes + 8 <= 108);
    /* DL13, DN05: the first call is forwarded and corrects the link, the next goes straight. */
    forwards = updates = 0;
    client->self[2] = 6;
    thread_wake_error(s->nodes[0].node, client->thread, DEMOS_E_TIMEOUT);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(link_find(&client->task->links, (s64)client->self[1])->link.hint, 3);
    CHECK(forwards <= 2); /* the call, and the fence behind it */
    forwards = 0;
    client->self[2] = 20;
    thread_wake_error(s->nodes[0].node, client->thread, DEMOS_E_TIMEOUT);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(forwards, 0);
    CHECK_EQ(server->self[2], 5 + 1 + 14);
    sim_destroy(s);
}

/* Senders everywhere, also where it comes to; a receiver that moves and moves. */
static void moving_target(u32 nodes, u64 messages, u64 queue, u32 moves, bool back_and_forth)
{
    struct demos_limits limits = {.queue_bytes = queue};
    struct sim *s = cluster(nodes, &limits);
    struct sim_process *r = sim_spawn(&s->nodes[0], RECEIVER, 2);
    struct process_id id = r->task->id;
    u32 copies, senders = MIN(nodes, 8u);
    u64 moved = 0;

    for (u32 i = 0; i < senders; i++) {
        struct sim_process *p = sim_spawn(&s->nodes[i], SENDER, 1);

        p->self[1] = (u64)sim_link(p, r, DEMOS_GENERAL, 0, i, i);
        p->self[2] = messages;
    }
    for (u32 move = 0; move < moves; move++) {
        do { /* none only between two messages */
            sim_run(s, 1);
            r = where(s, &id, &copies);
            CHECK(copies <= 1);
        } while (!copies);
        ask_move(s, move % nodes, r, back_and_forth ? 1 + move % 2 : (move + 1) % nodes);
        sim_run(s, 150 + move * 37 % 400);
    }
    CHECK(sim_run(s, 8000000));
    r = where(s, &id, &copies);
    CHECK_EQ(copies, 1);
    CHECK(r != NULL);
    if (!r)
        return;
    CHECK_EQ(r->self[2], senders * messages);
    CHECK_EQ(r->self[3], 0);
    CHECK_EQ(r->task->queued, 0);
    for (u32 i = 0; i < nodes; i++)
        moved += node_counters(s->nodes[i].node)->moved_in;
    CHECK(moved >= moves / 2);
    for (u32 i = 0; i < nodes; i++) {
        CHECK(list_empty(&s->nodes[i].node->parks));
        CHECK(list_empty(&s->nodes[i].node->migrations));
    }
    sim_destroy(s);
}

static void test_moving_target(void)
{
    moving_target(3, 400, 1 << 20, 9, false);
    moving_target(3, 400, 1 << 20, 12, true);
    moving_target(6, 300, 1 << 20, 20, false);
}

static void test_moving_target_without_room(void)
{
    moving_target(3, 300, 900, 9, false);
    moving_target(4, 200, 700, 14, true);
}

/* A server goes round while clients call it: none of them notices. */
static void test_moving_server(void)
{
    struct sim *s = cluster(4, NULL);
    struct sim_process *server = sim_spawn(&s->nodes[0], ECHO, 2), *client[4], *now;
    struct process_id id = server->task->id;
    u32 copies;

    for (u32 i = 0; i < 4; i++) {
        client[i] = sim_spawn(&s->nodes[i], CALLER, 2);
        client[i]->self[1] = (u64)sim_link(client[i], server, DEMOS_REQUEST_LINK, 0, 0, 1);
        client[i]->self[2] = 500;
    }
    for (u32 move = 0; move < 40; move++) {
        now = where(s, &id, &copies);
        CHECK_EQ(copies, 1);
        if (!now)
            return;
        ask_move(s, move % 4, now, (move * 7 + 1) % 4);
        sim_run(s, 300);
    }
    CHECK(sim_run(s, 4000000));
    for (u32 i = 0; i < 4; i++) {
        CHECK_EQ(client[i]->self[3], 500);
        CHECK_EQ((s64)client[i]->self[4], 0);
    }
    sim_destroy(s);
}

/* Refused: to nowhere sensible, to where it is, for want of room. */
static void test_refusals(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *p = sim_spawn(&s->nodes[0], IDLER, 2), *c;
    u32 copies;

    c = ask_move(s, 0, p, 0);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(c->self[5], 0);
    c = ask_move(s, 0, p, (u32)-1);
    CHECK(sim_run(s, 100000));
    CHECK_EQ((s64)c->self[5], DEMOS_E_ARGUMENT);
    s->nodes[1].node->config.limits.memory_bytes = 4096;
    c = ask_move(s, 0, p, 1);
    CHECK(sim_run(s, 100000));
    CHECK_EQ((s64)c->self[5], DEMOS_E_REFUSED);
    CHECK(where(s, &p->task->id, &copies) == p && copies == 1);
    CHECK_EQ(p->task->state, DEMOS_READY);
    sim_destroy(s);
}

/* To a machine that is off, and that nobody has declared dead: after a while it goes on where it
 * is. When the other hears of it late, it gives back what it had made; the next try is another. */
static void test_a_machine_that_is_off(void)
{
    struct sim *s = cluster(3, NULL);
    struct sim_process *p = sim_spawn(&s->nodes[0], ECHO, 8), *client, *c;
    struct process_id id = p->task->id;
    u64 since;
    u32 copies;

    client = sim_spawn(&s->nodes[2], CALLER, 2);
    client->self[1] = (u64)sim_link(client, p, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 3;
    for (u32 tries = 0; tries < 2; tries++) {
        s->nodes[1].cut = true;
        c = ask_move(s, 0, p, 1);
        since = s->now;
        while (c->self[5] == 1 && s->now - since < 20000000000ull)
            sim_run(s, 1);
        CHECK_EQ((s64)c->self[5], DEMOS_E_TIMEOUT);
        CHECK(where(s, &id, &copies) == p && copies == 1);
    }
    s->nodes[1].cut = false; /* both offers come, and both are taken back */
    CHECK(sim_run(s, 400000));
    CHECK(where(s, &id, &copies) == p && copies == 1);
    CHECK_EQ(client->self[3], 3); /* its calls waited, and were answered */
    CHECK(list_empty(&s->nodes[0].node->migrations) &&
          list_empty(&s->nodes[1].node->migrations));
    CHECK(list_empty(&s->nodes[1].node->parks));
    c = ask_move(s, 0, p, 1);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(c->self[5], 0);
    p = where(s, &id, &copies);
    CHECK(p && copies == 1 && p->node == &s->nodes[1]);
    client->self[2] = 6;
    thread_wake_error(s->nodes[2].node, client->thread, DEMOS_E_TIMEOUT);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(client->self[3], 6);
    sim_destroy(s);
}

/* Offers given up and made anew while the first ones are still on their way: what comes late of
 * an old one is not taken for the new one's. */
static void test_offers_overlap(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *p = sim_spawn(&s->nodes[0], IDLER, 8), *c;
    struct process_id id = p->task->id;
    u64 since;
    u32 copies, tries = 0;

    do {
        s->nodes[1].cut = tries++ < 3; /* found again while some later offer waits */
        c = ask_move(s, 0, p, 1);
        since = s->now;
        while (c->self[5] == 1 && s->now - since < 20000000000ull)
            sim_run(s, 1);
    } while ((s64)c->self[5] == DEMOS_E_TIMEOUT && tries < 20);
    CHECK(tries > 3);
    CHECK_EQ(c->self[5], 0);
    CHECK(sim_run(s, 400000));
    p = where(s, &id, &copies);
    CHECK(p && copies == 1 && p->node == &s->nodes[1]);
    CHECK(list_empty(&s->nodes[0].node->migrations) &&
          list_empty(&s->nodes[1].node->migrations));
    sim_destroy(s);
}

/* A process moves into and out of the area of one that moves to its own machine, begun so many
 * rounds after that: wherever the request for it then has to go, the bytes come. */
static void bulk_while_it_comes(u32 rounds, u32 direction)
{
    struct sim *s = cluster(3, NULL);
    struct sim_process *p = sim_spawn(&s->nodes[1], IDLER, 8), *mover;
    struct process_id id = p->task->id;
    u32 attr = DEMOS_AREA_READ | DEMOS_AREA_WRITE, copies;
    static u8 bytes[3000], seen_there[3000];
    struct link *l;

    for (u32 i = 0; i < sizeof(bytes); i++)
        bytes[i] = (u8)(i * 11 + rounds);
    mover = sim_spawn(&s->nodes[0], IDLER, 8);
    mover->self[1] = (u64)sim_link(mover, p, DEMOS_GENERAL, attr, 0, 0);
    l = &link_find(&mover->task->links, (s64)mover->self[1])->link;
    l->base = SIM_DATA + 100;
    l->len = sizeof(bytes);
    sim_poke(direction == DEMOS_MOVE_WRITE ? mover : p, SIM_DATA + 100, bytes, sizeof(bytes));
    mover->self[2] = direction;
    mover->self[4] = sizeof(bytes);
    s->programs[32] = mover_at_100;
    CHECK(sim_run(s, 100000));
    ask_move(s, 2, p, 0);
    sim_run(s, rounds);
    mover->program = 32;
    thread_wake_error(s->nodes[0].node, mover->thread, DEMOS_E_TIMEOUT);
    CHECK(sim_run(s, 100000));
    p = where(s, &id, &copies);
    CHECK(p && copies == 1 && p->node == &s->nodes[0]);
    CHECK_EQ(mover->self[5], sizeof(bytes));
    sim_peek(direction == DEMOS_MOVE_WRITE ? p : mover, SIM_DATA + 100, seen_there,
             sizeof(seen_there));
    CHECK(memcmp(bytes, seen_there, sizeof(bytes)) == 0);
    CHECK(list_empty(&s->nodes[0].node->moves) && list_empty(&s->nodes[1].node->moves));
    sim_destroy(s);
}

static void test_bulk_while_it_comes(void)
{
    for (u32 rounds = 0; rounds < 60; rounds++) {
        bulk_while_it_comes(rounds, DEMOS_MOVE_WRITE);
        bulk_while_it_comes(rounds, DEMOS_MOVE_READ);
    }
}

/* Of 200 pages three were written to (and its start page): no more travel, or are there then. */
static void test_untouched_pages_stay_away(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *p = sim_spawn(&s->nodes[0], IDLER, 200), *c;
    struct process_id id = p->task->id;
    static const u64 written[] = {3, 4, 199};
    u64 pages = s->pages, blocks;
    u32 copies;
    u8 byte;

    for (u32 i = 0; i < ARRAY_SIZE(written); i++)
        sim_poke(p, SIM_DATA + written[i] * SIM_PAGE + i, "x", 1);
    CHECK_EQ(s->pages, pages + ARRAY_SIZE(written));
    pages = s->pages;
    c = ask_move(s, 1, p, 1);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(c->self[5], 0);
    p = where(s, &id, &copies);
    CHECK(p && copies == 1 && p->node == &s->nodes[1]);
    if (!p)
        return;
    for (u64 page = 0, i = 0; page < 200; page++) {
        bool full = i < ARRAY_SIZE(written) && page == written[i];

        CHECK(sim_peek(p, SIM_DATA + page * SIM_PAGE + (full ? i++ : 0), &byte, 1));
        CHECK_EQ(byte, full ? 'x' : 0);
    }
    node_kill(c->node->node, c->task);
    CHECK(s->pages <= pages);
    blocks = net_stats(s->nodes[0].net)->bulk_out;
    CHECK(blocks <= 2 + 4 * (ARRAY_SIZE(written) + 1));
    printf("blocks of 1 KiB for a process of 200 pages: %llu\n", (unsigned long long)blocks);
    sim_destroy(s);
}

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
static void crash(u32 after, u32 victim)
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
        p = where(s, &id, &copies);
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
        crash(after, 0);
        crash(after, 1);
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

static struct sim_node *doomed;
static u32 doomed_at;

/* The machine dies in the middle of what it is doing: what it was to send is not sent. */
static void kill_at_step(struct sim_node *sn, u16 type, u32 who, u64 a, u64 b)
{
    count_steps(sn, type, who, a, b);
    if (doomed && type == KERNEL_T_migrate && seen == doomed_at)
        doomed->down = true;
}

/* One machine dies so many rounds after a move was asked for, whatever step that is in, or
 * (rounds = 0) at once when a step's message is made; clients on the others and on a third one call all the time. Each call is answered once or
 * fails, none is carried out twice, and while the process lives only calls that were in the
 * hands of the machine that died have failed. */
static bool crash_while_called(u32 rounds, u32 step, u32 victim)
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
    doomed = step ? &s->nodes[victim] : NULL;
    doomed_at = step;
    s->on_trace = kill_at_step;
    for (u32 i = 0; i < 3; i++)
        node_set_trace(s->nodes[i].node, true);
    c = ask_move(s, 2, p, 1);
    for (u32 i = 0; step && i < 2000 && !doomed->down; i++)
        sim_run(s, 1);
    CHECK(!step || doomed->down);
    sim_run(s, rounds);
    over = c->self[5] != 1;
    s->nodes[victim].down = true;
    for (u32 i = 0; i < 3; i++) {
        if (i != victim)
            node_declare_dead(s->nodes[i].node, victim + 1, 1);
    }
    sim_run(s, 500);
    for (u32 i = 0; i < 3; i++)
        client[i]->self[2] = client[i]->self[0] + 20;
    CHECK(sim_run(s, 400000));
    CHECK(c->self[5] != 1);
    p = NULL;
    copies = 0;
    for (u32 i = 0; i < 3; i++) {
        struct task *t = i == victim ? NULL : node_find(s->nodes[i].node, &id);

        copies += t != NULL;
        p = t ? sim_process_of(t) : p;
    }
    CHECK(copies <= 1);
    for (u32 i = 0; i < 3; i++) {
        if (i == victim)
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
    s->nodes[victim].down = false;
    sim_destroy(s);
    return over;
}

static void test_crash_at_every_moment(void)
{
    u32 moments = 0;

    for (u32 victim = 0; victim < 2; victim++) {
        for (u32 rounds = 0; !crash_while_called(rounds, 0, victim); rounds++)
            moments++;
        for (u32 step = 1; step <= 7; step++, moments++)
            crash_while_called(0, step, victim);
    }
    printf("%u moments of a move, each with a dead machine\n", moments);
    CHECK(moments >= 28);
}

TESTS(CASE(test_crashes), CASE(test_crash_at_every_moment), CASE(test_one_move),
      CASE(test_moving_target), CASE(test_moving_target_without_room), CASE(test_moving_server),
      CASE(test_refusals), CASE(test_a_machine_that_is_off), CASE(test_offers_overlap),
      CASE(test_bulk_while_it_comes), CASE(test_untouched_pages_stay_away))

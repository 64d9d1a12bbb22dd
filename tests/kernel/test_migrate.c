/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that move while others talk to them. DL12-DL15, DL17, DL24, DP04, DN02, DN04,
 * DN05, P20: nine administrative messages, order kept on every path, links that correct
 * themselves, one live copy whatever dies.
 */
#include "base/bytes.h"
#include "tests/kernel/moving.h"

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

/* DL12: the table of links as it is and as it was: the same, for each is true wherever its holder is. Only of a
 * link to the process itself does its machine say something else now. */
static void check_links(const struct sim_process *p, const struct link_slot *was, u32 fresh)
{
    const struct link_table *now = &p->task->links;

    CHECK_EQ(now->fresh, fresh);
    for (u32 i = 0; i < MIN(now->fresh, fresh); i++) {
        struct link_slot slot = now->slots[i];

        if (slot.number && process_id_equal(&slot.link.to, &p->task->id)) {
            CHECK_EQ(slot.link.hint, p->node->index + 1);
            slot.link.hint = was[i].link.hint;
            slot.link.moves = was[i].link.moves;
        }
        CHECK_EQ(slot.number, was[i].number);
        CHECK_EQ(slot.link.code, was[i].link.code); /* of a free one: the number it will have */
        CHECK(!slot.number || memcmp(&slot.link, &was[i].link, sizeof(slot.link)) == 0);
    }
}

/* Links of all kinds in its table, and holes where some have been. */
static void many_links(struct sim_process *p, const struct sim_process *to)
{
    for (u32 i = 0; i < 40; i++) {
        u32 kind = i % 3 == 0   ? DEMOS_GENERAL
                   : i % 3 == 1 ? DEMOS_REQUEST_LINK
                                : DEMOS_RESOURCE;
        s64 link = sim_link(p, i % 5 ? to : p, kind, i % 2 ? DEMOS_DUP : DEMOS_GIVE, i,
                            1000 + i);

        link_find(&p->task->links, link)->link.base = 0x1000 * i;
        link_find(&p->task->links, link)->link.len = 17 * i;
        if (i % 7 == 6)
            link_remove(&p->task->links, link_find(&p->task->links, link));
    }
}

static void test_one_move(void)
{
    struct link_slot table[64];
    u32 fresh;
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
    many_links(server, client);
    CHECK(sim_run(s, 100000));
    CHECK_EQ(client->self[3], 5);
    fresh = server->task->links.fresh;
    CHECK(fresh > 30 && fresh <= ARRAY_SIZE(table));
    memcpy(table, server->task->links.slots, sizeof(table[0]) * MIN(fresh, 64u));
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
    server = found(s, &id, &copies);
    CHECK_EQ(copies, 1);
    CHECK(server && server->node == &s->nodes[2]);
    if (!server)
        return;
    CHECK(sim_peek(server, SIM_DATA + 3 * SIM_PAGE, text, 5) && strcmp(text, "mine") == 0);
    check_links(server, table, fresh);
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
    CHECK_EQ(forwards, 2); /* the call, and the fence behind it */
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
            r = found(s, &id, &copies);
            CHECK(copies <= 1);
        } while (!copies);
        ask_move(s, move % nodes, r, back_and_forth ? 1 + move % 2 : (move + 1) % nodes);
        sim_run(s, 150 + move * 37 % 400);
    }
    CHECK(sim_run(s, 8000000));
    r = found(s, &id, &copies);
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
        now = found(s, &id, &copies);
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

/* Asks for its own move, over the link it has to itself: self[2] times, each to the machine after the last
 * of self[3], then once to where there is no room. self[4] counts those after which it was there, and
 * self[5] has what the last was answered. */
static struct sim_call nomad(struct sim_process *p, s64 result)
{
    u64 next = p->node->index + 1;
    u8 words[16];

    if (p->fresh) {
        p->self[0] = 0;
    } else {
        sim_peek(p, SIM_DATA + 512, words, 8);
        p->self[4] += result == 8 && be64_get(words) == 0 && p->self[6] == next;
        p->self[5] = result == 8 ? be64_get(words) : (u64)result;
    }
    if (p->self[0]++ >= p->self[2])
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
    p->self[6] = next % p->self[3] + 1;
    be64_put(words, CONTROL_MIGRATE);
    be64_put(words + 8, p->self[6]);
    sim_poke(p, SIM_DATA, words, sizeof(words));
    return sim_call(DEMOS_CALL, p->self[1], SIM_DATA, demos_lens(16, 64), SIM_DATA + 512, 0,
                    DEMOS_FOREVER);
}

/* A program that moves itself twelve times round three machines; then to a fourth that has no room, which it
 * hears where it is. */
static void test_its_own_wish(void)
{
    struct sim *s = cluster(4, NULL);
    struct sim_process *p = sim_spawn(&s->nodes[0], 33, 4);
    struct process_id id = p->task->id;
    u32 copies;

    s->programs[33] = nomad;
    p->self[1] = (u64)sim_link(p, p, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);
    p->self[2] = 12;
    p->self[3] = 3;
    CHECK(sim_run(s, 200000));
    p = found(s, &id, &copies);
    CHECK(p && copies == 1 && p->node->index == 0);
    CHECK_EQ(p->self[4], 12);
    CHECK_EQ(p->task->moves, 12);
    s->nodes[3].node->config.limits.memory_bytes = 4096;
    p->self[2] = 16; /* 1 to 2, 2 to 3, and from 3 not to 4 */
    p->self[3] = 4;
    thread_wake_error(s->nodes[0].node, p->thread, DEMOS_E_TIMEOUT);
    CHECK(sim_run(s, 200000));
    p = found(s, &id, &copies);
    CHECK(p && copies == 1 && p->node->index == 2);
    CHECK_EQ(p->self[4], 14);
    CHECK_EQ((s64)p->self[5], DEMOS_E_MEMORY);
    CHECK_EQ(p->task->state, DEMOS_READY);
    for (u32 i = 0; i < 4; i++)
        CHECK(list_empty(&s->nodes[i].node->migrations));
    sim_destroy(s);
}

/* All that the node's heap gives to processes, as a list. */
static void **fill_heap(struct node *n)
{
    void **blocks = NULL, **block;

    for (size_t size = 4096; size >= 64; size /= 2) {
        while ((block = node_alloc(n, size, false)) != NULL) {
            block[0] = blocks;
            block[1] = (void *)size;
            blocks = block;
        }
    }
    return blocks;
}

static void empty_heap(struct node *n, void **blocks)
{
    while (blocks) {
        void **next = blocks[0];

        node_free(n, blocks, (size_t)blocks[1]);
        blocks = next;
    }
}

/* The machine has nothing more, once the move has begun. */
static void cramp_at_offer(struct sim_node *sn, u16 type, u32 who, u64 a, u64 b)
{
    (void)who, (void)b;
    sn->sim->cramped |= type == KERNEL_T_migrate && a == 1;
}

/* Want of room at the other end: of its heap, before anything is sent, or of its memory, when the process is
 * half there. It is refused, nothing is left there, and the process goes on where it is, as it was. */
static void test_no_room_there(void)
{
    struct sim *s = cluster(2, NULL);
    struct sim_process *p = sim_spawn(&s->nodes[0], ECHO, 8), *client, *c;
    struct node *there = s->nodes[1].node;
    struct process_id id = p->task->id;
    u32 copies;
    void **blocks;
    char text[6];

    sim_poke(p, SIM_DATA + 5 * SIM_PAGE, "mine", 5);
    client = sim_spawn(&s->nodes[1], CALLER, 2);
    client->self[1] = (u64)sim_link(client, p, DEMOS_REQUEST_LINK, 0, 0, 1);
    client->self[2] = 2;
    CHECK(sim_run(s, 100000));
    for (u32 round = 0; round < 3; round++) {
        size_t before = s->nodes[1].heap.in_use;

        blocks = round == 0 ? fill_heap(there) : NULL;
        s->on_trace = round == 1 ? cramp_at_offer : NULL;
        node_set_trace(s->nodes[0].node, round == 1);
        c = ask_move(s, 0, p, 1);
        CHECK(sim_run(s, 100000));
        if (round < 2)
            CHECK_EQ((s64)c->self[5], DEMOS_E_MEMORY);
        else
            CHECK_EQ(c->self[5], 0);
        s->cramped = false;
        empty_heap(there, blocks);
        p = found(s, &id, &copies);
        CHECK(p && copies == 1 && p->node->index == (round == 2));
        CHECK(sim_peek(p, SIM_DATA + 5 * SIM_PAGE, text, 5) && strcmp(text, "mine") == 0);
        CHECK(list_empty(&s->nodes[0].node->migrations) && list_empty(&there->migrations));
        CHECK(round == 2 ||
              s->nodes[1].heap.in_use <= before + 384); /* a message's, kept for the next */
        client->self[2] += 2;
        thread_wake_error(there, client->thread, DEMOS_E_TIMEOUT);
        CHECK(sim_run(s, 100000));
        CHECK_EQ(client->self[3], client->self[2]);
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
    CHECK_EQ((s64)c->self[5], DEMOS_E_MEMORY);
    CHECK(found(s, &p->task->id, &copies) == p && copies == 1);
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
        CHECK(found(s, &id, &copies) == p && copies == 1);
    }
    s->nodes[1].cut = false; /* both offers come, and both are taken back */
    CHECK(sim_run(s, 400000));
    CHECK(found(s, &id, &copies) == p && copies == 1);
    CHECK_EQ(client->self[3], 3); /* its calls waited, and were answered */
    CHECK(list_empty(&s->nodes[0].node->migrations) &&
          list_empty(&s->nodes[1].node->migrations));
    CHECK(list_empty(&s->nodes[1].node->parks));
    c = ask_move(s, 0, p, 1);
    CHECK(sim_run(s, 400000));
    CHECK_EQ(c->self[5], 0);
    p = found(s, &id, &copies);
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
    p = found(s, &id, &copies);
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
    p = found(s, &id, &copies);
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

/* A process moves into or out of another's area on another machine, and is itself moved so many rounds after
 * that was begun: to a third machine, or to where the area is. The bytes come, and it hears of them once. */
static void bulk_while_it_goes(u32 rounds, u32 direction, u32 to)
{
    struct sim *s = cluster(3, NULL);
    struct sim_process *owner = sim_spawn(&s->nodes[1], IDLER, 8), *mover;
    u32 attr = DEMOS_AREA_READ | DEMOS_AREA_WRITE, copies;
    static u8 bytes[3000], seen_there[3000];
    struct process_id id;
    struct link *l;

    for (u32 i = 0; i < sizeof(bytes); i++)
        bytes[i] = (u8)(i * 13 + rounds);
    mover = sim_spawn(&s->nodes[0], IDLER, 8);
    id = mover->task->id;
    mover->self[1] = (u64)sim_link(mover, owner, DEMOS_GENERAL, attr, 0, 0);
    l = &link_find(&mover->task->links, (s64)mover->self[1])->link;
    l->base = SIM_DATA + 100;
    l->len = sizeof(bytes);
    sim_poke(direction == DEMOS_MOVE_WRITE ? mover : owner, SIM_DATA + 100, bytes,
             sizeof(bytes));
    mover->self[2] = direction;
    mover->self[4] = sizeof(bytes);
    s->programs[32] = mover_at_100;
    CHECK(sim_run(s, 100000));
    mover->program = 32;
    thread_wake_error(s->nodes[0].node, mover->thread, DEMOS_E_TIMEOUT);
    sim_run(s, rounds);
    ask_move(s, 0, mover, to);
    CHECK(sim_run(s, 100000));
    mover = found(s, &id, &copies);
    CHECK(mover && copies == 1 && mover->node == &s->nodes[to]);
    CHECK_EQ((s64)mover->self[5], (s64)sizeof(bytes));
    CHECK_EQ(mover->self[0], 2);
    sim_peek(direction == DEMOS_MOVE_WRITE ? owner : mover, SIM_DATA + 100, seen_there,
             sizeof(seen_there));
    CHECK(memcmp(bytes, seen_there, sizeof(bytes)) == 0);
    for (u32 i = 0; i < 3; i++)
        CHECK(list_empty(&s->nodes[i].node->moves));
    sim_destroy(s);
}

static void test_bulk_while_it_goes(void)
{
    for (u32 rounds = 0; rounds < 30; rounds++) {
        for (u32 to = 1; to < 3; to++) {
            bulk_while_it_goes(rounds, DEMOS_MOVE_WRITE, to);
            bulk_while_it_goes(rounds, DEMOS_MOVE_READ, to);
        }
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
    p = found(s, &id, &copies);
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

TESTS(CASE(test_one_move), CASE(test_moving_target), CASE(test_moving_target_without_room),
      CASE(test_moving_server), CASE(test_refusals), CASE(test_no_room_there),
      CASE(test_its_own_wish), CASE(test_a_machine_that_is_off), CASE(test_offers_overlap),
      CASE(test_bulk_while_it_comes), CASE(test_bulk_while_it_goes),
      CASE(test_untouched_pages_stay_away))

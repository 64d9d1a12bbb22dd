/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links and the table that holds them. DL01 no way back, DL02 numbers that are no links,
 * DL03 a number is worth nothing elsewhere, DL04 and DL28 state at the sender only, DL05 a
 * server's table, DL07 one use, DL08 one kernel entry against three, DL19 areas, DL20
 * mapping on copy, DL25 no ids, DL26 slots come back, DL27 passing.
 */
#include "tests/kernel/puppet.h"

static s64 make(struct sim_process *p, u32 kind, u32 attr, u32 channel, u64 code)
{
    return kcall(p, DEMOS_CREATELINK, demos_spec(kind, attr, channel), code, 0, 0, 0, 0);
}

static void put_info(struct sim_process *p, u64 code, s64 first, s64 second)
{
    struct demos_info info = {
        .code = code, .count = (u8)((first != 0) + (second != 0)), .links = {first, second}};

    sim_poke(p, INFO, &info, sizeof(info));
}

static struct demos_info get_info(struct sim_process *p)
{
    struct demos_info info;

    sim_peek(p, INFO, &info, sizeof(info));
    return info;
}

static s64 receive(struct sim_process *p, u64 set)
{
    return kcall(p, DEMOS_RECEIVE, set, BUFFER, 4096, INFO, DEMOS_NOW, 0);
}

static void test_numbers(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *q = puppet_on(s, 0);
    s64 link = make(p, DEMOS_GENERAL, DEMOS_DUP, 0, 0), old = link;
    static const u64 wrong[] = {0,
                                1,
                                2,
                                3,
                                0xffffff,
                                ~(u64)0,
                                1 << 24,
                                0x7fffffff,
                                1ull << 63,
                                (1 << 24) | 4,
                                (2 << 24) | 3,
                                0xdeadbeefcafe};

    CHECK_EQ(kcall(p, DEMOS_SEND, (u64)link, TEXT, 1, 0, DEMOS_NOW, 0), 0);
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        CHECK_EQ(kcall(p, DEMOS_SEND, wrong[i], TEXT, 1, 0, DEMOS_NOW, 0), DEMOS_E_LINK);
        CHECK_EQ(kcall(p, DEMOS_DESTROYLINK, wrong[i], 0, 0, 0, 0, 0), DEMOS_E_LINK);
        CHECK_EQ(kcall(p, DEMOS_MOVEDATA, wrong[i], 0, 0, TEXT, 1, 0), DEMOS_E_LINK);
    }
    CHECK_EQ(kcall(q, DEMOS_SEND, (u64)link, TEXT, 1, 0, DEMOS_NOW, 0), DEMOS_E_LINK);
    CHECK_EQ(kcall(p, DEMOS_DESTROYLINK, (u64)link, 0, 0, 0, 0, 0), 0);
    for (u32 life = 0; life < 5000; life++) { /* no later life of the slot has the number */
        link = make(p, DEMOS_GENERAL, 0, 0, 0);
        CHECK(link > 0 && link != old);
        CHECK((link & 0xffffff) == (old & 0xffffff));
        kcall(p, DEMOS_DESTROYLINK, (u64)link, 0, 0, 0, 0, 0);
    }
    CHECK_EQ(kcall(p, DEMOS_SEND, (u64)old, TEXT, 1, 0, DEMOS_NOW, 0), DEMOS_E_LINK);
    CHECK_EQ(p->task->links.size, 4);
    sim_destroy(s);
}

/* The one who is written to gets what was passed, and no more. */
static void test_passing(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *q = puppet_on(s, 0);
    s64 there = sim_link(p, q, DEMOS_GENERAL, 0, 1, 10);
    s64 kept = make(p, DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, 2, 20);
    s64 given = make(p, DEMOS_GENERAL, DEMOS_GIVE | DEMOS_TELLGIVE | DEMOS_TELLDEST, 3, 30);
    s64 stuck = make(p, DEMOS_GENERAL, DEMOS_DUP, 4, 40);
    struct demos_info info;

    put_info(p, 0, stuck, 0);
    CHECK_EQ(kcall(p, DEMOS_SEND, (u64)there, TEXT, 0, INFO, DEMOS_NOW, 0), DEMOS_E_ALLOWED);
    put_info(p, 0, given, given);
    CHECK_EQ(kcall(p, DEMOS_SEND, (u64)there, TEXT, 0, INFO, DEMOS_NOW, 0), DEMOS_E_LINK);
    put_info(p, 0, kept, given);
    CHECK_EQ(kcall(p, DEMOS_SEND, (u64)there, TEXT, 0, INFO, DEMOS_NOW, 0), 0);
    CHECK_EQ(kcall(p, DEMOS_DESTROYLINK, (u64)given, 0, 0, 0, 0, 0), DEMOS_E_LINK);
    CHECK_EQ(receive(p, DEMOS_CHANNEL(3)), 0);
    CHECK_EQ(get_info(p).notice, DEMOS_NOTICE_GIVEN);
    CHECK_EQ(receive(q, DEMOS_CHANNEL(1)), 0);
    info = get_info(q);
    CHECK_EQ(info.count, 2);
    CHECK_EQ(info.reply, 0); /* DL01: nothing to answer by */
    CHECK_EQ(kcall(q, DEMOS_SEND, (u64)info.links[0], TEXT, 0, 0, DEMOS_NOW, 0), 0);
    CHECK_EQ(receive(p, DEMOS_CHANNEL(2)), 0);
    CHECK_EQ(get_info(p).code, 20);
    CHECK_EQ(kcall(q, DEMOS_DESTROYLINK, (u64)info.links[1], 0, 0, 0, 0, 0), 0);
    CHECK_EQ(receive(p, DEMOS_CHANNEL(3)), 0);
    CHECK_EQ(get_info(p).notice, DEMOS_NOTICE_DESTROYED);
    CHECK_EQ(get_info(p).code, 30);
    CHECK_EQ(receive(p, DEMOS_ANY_CHANNEL), DEMOS_E_TIMEOUT);
    sim_destroy(s);
}

static void test_kinds_and_replies(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *q = puppet_on(s, 0);
    s64 ask = sim_link(p, q, DEMOS_REQUEST_LINK, 0, 0, 1);
    s64 tell = sim_link(p, q, DEMOS_GENERAL, 0, 0, 2);
    struct demos_info info;

    CHECK_EQ(kcall(p, DEMOS_SEND, (u64)ask, TEXT, 0, 0, DEMOS_NOW, 0), DEMOS_E_KIND);
    CHECK_EQ(kcall(p, DEMOS_CALL, (u64)tell, TEXT, 0, 0, 0, DEMOS_NOW), DEMOS_E_KIND);
    CHECK_EQ(kcall(p, DEMOS_REPLY, (u64)tell, TEXT, 0, 0, DEMOS_NOW, 0), DEMOS_E_KIND);
    CHECK_EQ(make(p, DEMOS_REPLY_LINK, 0, 0, 0), DEMOS_E_KIND);
    CHECK_EQ(make(p, DEMOS_GENERAL, DEMOS_TOKERNEL, 0, 0), DEMOS_E_ARGUMENT);
    CHECK_EQ(make(p, DEMOS_GENERAL, 0, 64, 0), DEMOS_E_ARGUMENT);
    sim_poke(p, TEXT, "question", 8);
    put_info(p, 0xabc, 0, 0);
    CHECK_EQ(kcall(p, DEMOS_REQUEST, (u64)ask, TEXT, 8, INFO, DEMOS_NOW, demos_lens(6, 9)), 0);
    CHECK(p->task->reserved_bytes > 0);
    CHECK_EQ(receive(q, DEMOS_ANY_CHANNEL), 8);
    info = get_info(q);
    CHECK_EQ(info.kind, DEMOS_MSG_REQUEST);
    CHECK(info.reply > 0);
    CHECK_EQ(kcall(q, DEMOS_DUPLINK, (u64)info.reply, 0, 0, 0, 0, 0), DEMOS_E_ALLOWED);
    CHECK_EQ(kcall(q, DEMOS_REPLY, (u64)info.reply, BUFFER, 8, 0, DEMOS_NOW, 0), 0);
    CHECK_EQ(kcall(q, DEMOS_REPLY, (u64)info.reply, BUFFER, 8, 0, DEMOS_NOW, 0), DEMOS_E_LINK);
    CHECK_EQ(p->task->reserved_bytes, 0);
    CHECK_EQ(receive(p, DEMOS_CHANNEL(9)), 6); /* as much as was asked for */
    info = get_info(p);
    CHECK_EQ(info.kind, DEMOS_MSG_REPLY);
    CHECK_EQ(info.code, 0xabc);
    CHECK_EQ(info.length, 8);
    CHECK(info.flags & DEMOS_TRUNCATED);
    /* A reply link thrown away, and one whose holder dies, still answer. */
    for (u32 i = 0; i < 2; i++) {
        put_info(p, i, 0, 0);
        kcall(p, DEMOS_REQUEST, (u64)ask, TEXT, 0, INFO, DEMOS_NOW, demos_lens(6, 9));
    }
    receive(q, DEMOS_ANY_CHANNEL);
    kcall(q, DEMOS_DESTROYLINK, (u64)get_info(q).reply, 0, 0, 0, 0, 0);
    CHECK_EQ(receive(p, DEMOS_CHANNEL(9)), 0);
    CHECK_EQ(get_info(p).notice, DEMOS_NOTICE_DROPPED);
    node_kill(s->nodes[0].node, q->task);
    CHECK_EQ(receive(p, DEMOS_CHANNEL(9)), 0);
    CHECK_EQ(get_info(p).notice, DEMOS_NOTICE_DEAD);
    CHECK_EQ(get_info(p).code, 1);
    CHECK_EQ(kcall(p, DEMOS_CALL, (u64)ask, TEXT, 0, 0, 0, DEMOS_FOREVER), DEMOS_E_DEAD);
    CHECK_EQ(p->task->reserved_bytes, 0);
    sim_destroy(s);
}

/* 1,000 clients on three other nodes, one server: links at the clients, none left at the server,
 * nor anything else on its machine. */
static void test_server_table(void)
{
    enum { CLIENTS = 1000, NODES = 4 };
    static struct sim_process *client[CLIENTS];
    struct sim *s = puppets(NODES, 0, NULL);
    struct sim_process *server = puppet_on(s, 0);
    u32 at_clients = 0;
    size_t before;

    for (u32 i = 1; i < NODES; i++) /* the machines know each other */
        kcall(puppet_on(s, i), DEMOS_NULL, 0, 0, 0, 0, 0, 0);
    before = s->nodes[0].heap.in_use;
    for (u32 i = 0; i < CLIENTS; i++) {
        client[i] = sim_spawn(&s->nodes[1 + i % (NODES - 1)], PUPPET, 4);
        sim_link(client[i], server, DEMOS_REQUEST_LINK, 0, 0, i);
    }
    sim_run(s, 100000);
    CHECK_EQ(server->task->links.used, 2); /* DL04: links to it change nothing of it */
    CHECK_EQ(s->nodes[0].heap.in_use, before);
    for (u32 i = 0; i < CLIENTS; i++) {
        if (i % 50) {
            at_clients += client[i]->task->links.used - 2;
            continue;
        }
        begin_call(client[i], DEMOS_CALL, 1 << 24 | 3, TEXT, demos_lens(4, 16), BUFFER, 0,
                   DEMOS_FOREVER);
        CHECK_EQ(receive(server, DEMOS_ANY_CHANNEL), 4);
        CHECK_EQ(get_info(server).code, i);
        CHECK_EQ(
            kcall(server, DEMOS_REPLY, (u64)get_info(server).reply, BUFFER, 4, 0, DEMOS_NOW, 0),
            0);
        CHECK_EQ(client[i]->self[1], 4);
        at_clients += client[i]->task->links.used - 2;
    }
    CHECK_EQ(server->task->links.high, 3);
    CHECK_EQ(server->task->links.size, 4);
    printf("%u clients: link slots one-way %u at clients + %u at the server; two-way would be "
           "%u + %u\n",
           CLIENTS, at_clients, server->task->links.high - 2, at_clients, at_clients);
    sim_destroy(s);
}

static void test_kernel_entries(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *q = puppet_on(s, 0);
    s64 ask = sim_link(p, q, DEMOS_RESOURCE, 0, 0, 1), back;
    u64 entries = p->task->count.entries - 1; /* a puppet's rest is a RECEIVE */

    begin_call(p, DEMOS_CALL, (u64)ask, TEXT, demos_lens(0, 16), BUFFER, 0, DEMOS_FOREVER);
    receive(q, DEMOS_ANY_CHANNEL);
    kcall(q, DEMOS_REPLY, (u64)get_info(q).reply, BUFFER, 0, 0, DEMOS_NOW, 0);
    CHECK_EQ(p->task->count.entries - 1 - entries, 1 + 1);
    CHECK_EQ(p->task->count.sent_in_call, 1);
    /* The same by hand: make a link for the answer, send it along, receive. */
    entries = p->task->count.entries;
    back = make(p, DEMOS_GENERAL, DEMOS_GIVE | DEMOS_ONCE, 5, 1);
    put_info(p, 0, back, 0);
    kcall(p, DEMOS_SEND, (u64)ask, TEXT, 0, INFO, DEMOS_NOW, 0);
    receive(q, DEMOS_ANY_CHANNEL);
    kcall(q, DEMOS_SEND, (u64)get_info(q).links[0], BUFFER, 0, 0, DEMOS_NOW, 0);
    CHECK_EQ(kcall(q, DEMOS_SEND, (u64)get_info(q).links[0], BUFFER, 0, 0, DEMOS_NOW, 0),
             DEMOS_E_LINK); /* ONCE */
    CHECK_EQ(receive(p, DEMOS_CHANNEL(5)), 0);
    CHECK_EQ(p->task->count.entries - entries, 3 + 3);
    sim_destroy(s);
}

/* DL20: a megabyte read by mapping takes frames only as pages are written. */
static void test_mapping(void)
{
    enum { PAGES = 256 };
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = sim_spawn(&s->nodes[0], PUPPET, PAGES + 4), *q;
    static u8 data[PAGES * SIM_PAGE], got[PAGES * SIM_PAGE];
    struct link_slot *slot;
    u64 pages;
    s64 link;

    q = sim_spawn(&s->nodes[0], PUPPET, PAGES + 4);
    sim_run(s, 1000);
    for (u32 i = 0; i < sizeof(data); i++)
        data[i] = (u8)(i ^ i >> 9);
    sim_poke(q, SIM_DATA, data, sizeof(data));
    link = sim_link(p, q, DEMOS_GENERAL, DEMOS_AREA_READ, 0, 0);
    slot = link_find(&p->task->links, link);
    slot->link.base = SIM_DATA;
    slot->link.len = sizeof(data);
    pages = s->pages;
    CHECK_EQ(kcall(p, DEMOS_MOVEDATA, (u64)link, DEMOS_MOVE_READ, 0, SIM_DATA, sizeof(data), 0),
             sizeof(data));
    CHECK_EQ(s->pages, pages);
    CHECK_EQ(p->task->count.mapped_bytes, sizeof(data));
    sim_poke(p, SIM_DATA + 5 * SIM_PAGE + 7, "x", 1); /* one side writes, then the other */
    CHECK_EQ(s->pages, pages + 1);
    sim_poke(q, SIM_DATA + 6 * SIM_PAGE, "y", 1);
    CHECK_EQ(s->pages, pages + 2);
    sim_peek(p, SIM_DATA, got, sizeof(got));
    data[5 * SIM_PAGE + 7] = 'x';
    CHECK(memcmp(got, data, sizeof(data)) == 0);
    /* Not on page boundaries: the same, by copying. */
    CHECK_EQ(kcall(p, DEMOS_MOVEDATA, (u64)link, DEMOS_MOVE_READ, 1, SIM_DATA, 9 * SIM_PAGE, 0),
             9 * SIM_PAGE);
    CHECK_EQ(p->task->count.mapped_bytes, sizeof(data));
    CHECK_EQ(p->task->count.moved_bytes, sizeof(data) + 9 * SIM_PAGE);
    sim_destroy(s);
}

static void test_sizes(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct heap *heap = node_heap(s->nodes[0].node);
    size_t before = heap->in_use, task, links, messages;
    struct task *t = node_process(s->nodes[0].node, "size", NULL);
    struct sim_process *p;
    s64 link;

    task = heap->in_use - before;
    node_start(s->nodes[0].node, t, PUPPET, 0, 0, NULL, 0);
    p = sim_process_of(t);
    node_map(s->nodes[0].node, t, SIM_DATA, 4 * SIM_PAGE, 3, 3);
    sim_run(s, 100);
    before = heap->in_use;
    for (u32 i = 0; i < 256; i++)
        link = make(p, DEMOS_GENERAL, 0, 0, i);
    links = heap->in_use - before;
    before = heap->in_use;
    for (u32 i = 0; i < 64; i++)
        kcall(p, DEMOS_SEND, (u64)link, TEXT, 0, 0, DEMOS_NOW, 0);
    messages = heap->in_use - before;
    printf("bytes per process %zu, link %zu, queued message %zu (+ body over 128)\n", task,
           links / 256, messages / 64);
    CHECK(task <= 2048);
    CHECK(links / 256 <= 96);
    CHECK(messages / 64 <= 448);
    sim_destroy(s);
}

TESTS(CASE(test_numbers), CASE(test_passing), CASE(test_kinds_and_replies),
      CASE(test_server_table), CASE(test_kernel_entries), CASE(test_mapping), CASE(test_sizes))

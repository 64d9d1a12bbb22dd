/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes made, fed, started, stopped, watched and ended by messages alone, as any
 * process with the right links can. DK01, DK03, DK07, DK09, DL16, DP01, DP02,
 * process tree, limits (L04), listings, exceptions.
 */
#include "guest/kernel/migrate.h"
#include "tests/kernel/puppet.h"

static const u64 rw = REGION_READ | REGION_WRITE;

/* The newest process of a node. */
static struct sim_process *newest(struct sim *s, u32 node)
{
    struct task *t, *last = NULL;

    for (u32 row = 0; (t = node_task(s->nodes[node].node, row)) != NULL; row = t->row)
        last = t;
    return sim_process_of(last);
}

static s64 start_as(struct sim_process *p, s64 control, u64 program)
{
    u64 words[4] = {CONTROL_START, program, DEMOS_STACK_TOP, 0}, answer[1] = {1};

    CHECK_EQ(request(p, control, words, 4, 0, answer, 1, NULL), 8);
    return (s64)answer[0];
}

static s64 start(struct sim_process *p, s64 control)
{
    return start_as(p, control, PUPPET);
}

/* A program that makes no calls: self[2] counts how often it had the processor. */
enum { SPINNER = 2, REGISTERS = 8 * (SIM_WORDS + 6), SELF_AT = 8 * 6 };

static struct sim_call spinner(struct sim_process *p, s64 result)
{
    (void)result;
    p->self[2]++;
    return sim_call(SIM_PREEMPT, 0, 0, 0, 0, 0, 0);
}

static void test_birth(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *child;
    s64 control = create(p, 0, 0), given;
    struct demos_start record;
    char text[6];

    CHECK_EQ(order(p, control, CONTROL_MAP, SIM_DATA, 16 * SIM_PAGE, rw, rw, 0), 0);
    CHECK_EQ(order(p, control, CONTROL_MAP, SIM_DATA, SIM_PAGE, rw, rw, 0), DEMOS_E_ADDRESS);
    CHECK_EQ(order(p, control, CONTROL_MAP, 0, SIM_PAGE, rw, rw, 0), DEMOS_E_ARGUMENT);
    CHECK_EQ(order(p, control, CONTROL_MAP, 64 << 20, 100, rw, rw, 0), DEMOS_E_ARGUMENT);
    CHECK_EQ(order(p, control, CONTROL_MAP, 64 << 20, SIM_PAGE, 7, 7, 0), DEMOS_E_ALLOWED);
    CHECK_EQ(order(p, control, CONTROL_MAP, 64 << 20, SIM_PAGE, 1, 0, 0), DEMOS_E_ARGUMENT);
    sim_poke(p, SIM_DATA + 3 * SIM_PAGE, "bytes", 6);
    given = kcall(p, DEMOS_CREATELINK,
                  demos_spec(DEMOS_GENERAL, DEMOS_GIVE | DEMOS_AREA_READ, 0), 0,
                  SIM_DATA + 3 * SIM_PAGE, 6, 0, 0);
    CHECK_EQ(order(p, control, CONTROL_LOAD, SIM_DATA + 100, 6, 0, 0, given), 0);
    given = own_link(p, DEMOS_GENERAL, DEMOS_GIVE, 3, 77);
    CHECK_EQ(order(p, control, CONTROL_GIVE, 0x706172656e740000ull, 0, 0, 0, given), 0);
    CHECK_EQ(start(p, control), 0);
    CHECK_EQ(start(p, control), DEMOS_E_STATE);
    child = newest(s, 0);
    CHECK(child != p && child->program == PUPPET);
    CHECK(sim_peek(child, SIM_DATA + 100, text, 6) && strcmp(text, "bytes") == 0);
    CHECK(sim_peek(child, DEMOS_START_PAGE, &record, sizeof(record)));
    CHECK_EQ(record.magic, DEMOS_START_MAGIC);
    CHECK_EQ(record.link_count, 1);
    CHECK(strcmp(record.links[0].name, "parent") == 0);
    /* The child speaks to its parent over what it was given, and has nothing else. */
    CHECK_EQ(child->task->links.used, 1);
    CHECK_EQ(kcall(child, DEMOS_SEND, (u64)record.links[0].link, TEXT, 0, 0, DEMOS_NOW, 0), 0);
    CHECK_EQ(kcall(p, DEMOS_RECEIVE, DEMOS_CHANNEL(3), BUFFER, 10, INFO, DEMOS_NOW, 0), 0);
    CHECK_EQ(kcall(child, DEMOS_SEND, LINK_SELF, TEXT, 0, 0, DEMOS_NOW, 0), DEMOS_E_LINK);
    sim_destroy(s);
}

static void test_end_is_told(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *child;
    struct demos_info info;
    u64 ways[3][3] = {{DEMOS_END_EXIT, 42, 0},
                      {DEMOS_END_KILLED, 0, 0},
                      {DEMOS_END_EXCEPTION, EXCEPTION_ADDRESS, 0x5000}};
    u8 words[24];

    for (u32 way = 0; way < 3; way++) {
        s64 watch = own_link(p, DEMOS_GENERAL, DEMOS_GIVE, 9, 500 + way);
        s64 control = create(p, 0, watch);

        CHECK_EQ(start(p, control), 0);
        child = newest(s, 0);
        if (way == 0)
            begin_call(child, DEMOS_EXIT, 42, 0, 0, 0, 0, 0);
        else if (way == 1)
            CHECK_EQ(order(p, control, CONTROL_KILL, 0, 0, 0, 0, 0), 0);
        else
            begin_call(child, SIM_FAULT, 0x5000, 0, 0, 0, 0, 0);
        CHECK_EQ(kcall(p, DEMOS_RECEIVE, DEMOS_CHANNEL(9), BUFFER, 64, INFO, DEMOS_NOW, 0), 24);
        sim_peek(p, INFO, &info, sizeof(info));
        sim_peek(p, BUFFER, words, 24);
        CHECK_EQ(info.kind, DEMOS_MSG_NOTICE);
        CHECK_EQ(info.notice, DEMOS_NOTICE_EXIT);
        CHECK_EQ(info.code, 500 + way);
        for (u32 i = 0; i < 3; i++)
            CHECK_EQ(be64_get(words + 8 * i), ways[way][i]);
        CHECK_EQ(order(p, control, CONTROL_INFO, 0, 0, 0, 0, 0), DEMOS_E_DEAD);
    }
    CHECK_EQ(node_counters(s->nodes[0].node)->processes, 1);
    sim_destroy(s);
}

/* Orphans go to their creator's creator; those that asked to go with it go. */
static void test_family(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *middle, *leaf;
    struct node *n = s->nodes[0].node;
    s64 control = create(p, 0, 0), kernel = kcall(p, DEMOS_DUPLINK, LINK_KERNEL, 0, 0, 0, 0, 0);

    order(p, control, CONTROL_MAP, SIM_DATA, 16 * SIM_PAGE, rw, rw, 0);
    CHECK_EQ(order(p, control, CONTROL_GIVE, 0x6b00000000000000ull, 0, 0, 0, kernel), 0);
    start(p, control);
    middle = newest(s, 0);
    create(middle, 0, 0);
    leaf = newest(s, 0);
    create(middle, DEMOS_CREATE_WITH_PARENT, 0);
    CHECK_EQ(node_counters(n)->processes, 4);
    CHECK(leaf->task->parent == middle->task);
    CHECK_EQ(order(p, control, CONTROL_KILL, 0, 0, 0, 0, 0), 0);
    CHECK_EQ(node_counters(n)->processes, 2);
    CHECK(leaf->task->parent == p->task);
    node_kill(n, p->task);
    CHECK(leaf->task->parent == NULL);
    sim_destroy(s);
}

static void test_stop_and_resume(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *child;
    s64 control = create(p, 0, 0);

    CHECK_EQ(order(p, control, CONTROL_STOP, 0, 0, 0, 0, 0), DEMOS_E_STATE);
    start(p, control);
    child = newest(s, 0);
    CHECK_EQ(order(p, control, CONTROL_STOP, 0, 0, 0, 0, 0), 0);
    CHECK_EQ(order(p, control, CONTROL_STOP, 0, 0, 0, 0, 0), DEMOS_E_STATE);
    CHECK_EQ(kcall(child, DEMOS_NULL, 0, 0, 0, 0, 0, 0), STILL_WAITS);
    CHECK_EQ(order(p, control, CONTROL_RESUME, 0, 0, 0, 0, 0), 0);
    CHECK_EQ(kcall(child, DEMOS_NULL, 0, 0, 0, 0, 0, 0), 0);
    /* A process stops itself, and hears that it did once another resumes it. */
    CHECK_EQ(order(p, LINK_SELF, CONTROL_STOP, 0, 0, 0, 0, 0), STILL_WAITS);
    CHECK_EQ(p->task->state, DEMOS_STOPPED);
    sim_destroy(s);
}

static void test_limits(void)
{
    struct demos_limits limits = {.links = 20, .queue_bytes = 2000, .memory_bytes = 1 << 20};
    struct sim *s = puppets(1, 0, &limits);
    struct sim_process *p = puppet_on(s, 0);
    s64 link = own_link(p, DEMOS_GENERAL, DEMOS_DUP, 0, 0);
    u32 made = 0, sent = 0;
    s64 last = 0;

    while ((last = kcall(p, DEMOS_DUPLINK, (u64)link, 0, 0, 0, 0, 0)) > 0)
        made++;
    CHECK_EQ(last, DEMOS_E_LINKS);
    CHECK_EQ(made, 17);
    CHECK_EQ(p->task->links.used, 20);
    while ((last = kcall(p, DEMOS_SEND, (u64)link, TEXT, 100, 0, DEMOS_NOW, 0)) == 0)
        sent++;
    CHECK_EQ(last, DEMOS_E_FULL);
    CHECK_EQ(sent, 2000 / message_cost(100, 0));
    CHECK_EQ(kcall(p, DEMOS_SEND, (u64)link, TEXT, 100, 0, 500, 0), DEMOS_E_TIMEOUT);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_MAP, 64 << 20, 1 << 20, rw, rw, 0), DEMOS_E_MEMORY);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_MAP, 64 << 20, 1 << 16, rw, rw, 0), 0);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_PROTECT, 64 << 20, 1 << 15, REGION_READ, 0, 0), 0);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_PROTECT, 64 << 20, 1 << 15, 5, 0, 0), DEMOS_E_ALLOWED);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_UNMAP, (64 << 20) + (1 << 14), 1 << 14, 0, 0, 0), 0);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_UNMAP, (64 << 20) + (1 << 14), 1 << 14, 0, 0, 0),
             DEMOS_E_ADDRESS);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_LIMITS, 0, 4000, 0, 0, 0), 0);
    CHECK_EQ(kcall(p, DEMOS_SEND, (u64)link, TEXT, 100, 0, DEMOS_NOW, 0), 0);
    sim_destroy(s);
}

/* Messages of each size as long as any goes; the last refusal. */
static s64 pour(struct sim_process *from, s64 link)
{
    static const u32 sizes[] = {4000, 1000, 0};
    s64 last = 0;

    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
        do
            last = kcall(from, DEMOS_SEND, (u64)link, TEXT, sizes[i], 0, DEMOS_NOW, 0);
        while (last == 0);
    return last;
}

static s64 take(struct sim_process *p)
{
    return kcall(p, DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, BUFFER, 1000, INFO, DEMOS_NOW, 0);
}

static s64 say(struct sim_process *p, s64 link, u32 len)
{
    return kcall(p, DEMOS_SEND, (u64)link, TEXT, len, 0, DEMOS_NOW, 0);
}

enum { HOARD_HEAP = 2 << 20, HOARDERS = 6, CROWD = 40 };

/* Each sends to the next; then one to each of the crowd. */
static void hoard(struct sim *s, struct sim_process **hoarder, s64 *full, s64 *to_crowd)
{
    for (u32 i = 0; i < HOARDERS; i++)
        hoarder[i] = puppet_on(s, 0);
    for (u32 i = 0; i < HOARDERS; i++)
        full[i] = sim_link(hoarder[i], hoarder[(i + 1) % HOARDERS], DEMOS_GENERAL, 0, 1, 0);
    for (u32 i = 0; i < CROWD; i++)
        to_crowd[i] = sim_link(hoarder[0], puppet_on(s, 0), DEMOS_GENERAL, 0, 1, 0);
    for (u32 i = 0; i < HOARDERS; i++)
        CHECK(pour(hoarder[i], full[i]) < 0);
    CHECK(hoarder[1]->task->queued_bytes + message_cost(0, 0) > HOARD_HEAP / 4);
    CHECK(hoarder[2]->task->queued_bytes + message_cost(0, 0) > HOARD_HEAP / 4);
}

/* Queues of several that are filled until the heap has only its reserve left: whoever has nothing
 * waiting is still reached, and so are the kernel and its notices; what the reserve has lent comes
 * back to it, and a queue that is emptied is everybody's memory again, of whatever size (L04). */
static void test_full_queues_are_their_own(void)
{
    struct demos_limits limits = {
        .links = 64, .queue_bytes = HOARD_HEAP / 4, .memory_bytes = 1 << 20};
    struct sim *s = sim_create_limits(1, HOARD_HEAP, 0, false, &limits);
    struct sim_process *hoarder[HOARDERS], *a, *b;
    s64 full[HOARDERS], to_crowd[CROWD], to_b, told;
    u64 words[1] = {KERNEL_OP_NODE}, answer[5];
    const struct heap *h = &s->nodes[0].heap;
    u32 reserve = s->nodes[0].node->reserve, reached = 0;

    s->programs[PUPPET] = puppet;
    a = puppet_on(s, 0);
    b = puppet_on(s, 0);
    to_b = sim_link(a, b, DEMOS_GENERAL, 0, 1, 0);
    told = sim_link(a, b, DEMOS_GENERAL, DEMOS_TELLDEST, 1, 0);
    hoard(s, hoarder, full, to_crowd);
    for (u32 round = 0; round < 60; round++) {
        u32 h_at = round % 2 ? HOARDERS - 1 : HOARDERS - 2;

        CHECK_EQ(say(a, to_b, round % 2 ? 1000 : 100), 0); /* the first goes, the second not */
        CHECK_EQ(say(a, to_b, 5000), DEMOS_E_MEMORY);
        CHECK_EQ(take(b), round % 2 ? 1000 : 100);
        CHECK_EQ(say(hoarder[h_at], full[h_at], round % 2 ? 1000 : 100), DEMOS_E_MEMORY);
        CHECK_EQ(request(a, LINK_KERNEL, words, 1, 0, answer, 5, NULL), 12 * 8);
        CHECK_EQ(pour(hoarder[h_at], full[h_at]), DEMOS_E_MEMORY);
    }
    for (u32 i = 0; i < CROWD; i++) /* many first ones take half the reserve, not all */
        reached += say(hoarder[0], to_crowd[i], 4000) == 0;
    CHECK(reached > 0 && reached < CROWD);
    CHECK(h->in_use + reserve / 2 <= h->total);
    CHECK_EQ(kcall(a, DEMOS_DESTROYLINK, (u64)told, 0, 0, 0, 0, 0), 0);
    CHECK(take(b) >= 0); /* the notice */
    while (take(hoarder[1]) >= 0)
        ;
    CHECK_EQ(say(a, to_b, 20000), 0);
    CHECK_EQ(say(a, to_b, 100), 0);
    sim_destroy(s);
}

static void test_listing(void)
{
    const u64 limits[] = {30, 70000, 1 << 20};
    struct sim *s = puppets(1, 0, &(struct demos_limits){limits[0], limits[1], limits[2]});
    struct sim_process *p = puppet_on(s, 0);
    u64 words[2] = {KERNEL_OP_LIST, 0}, answer[64];
    u64 info[1 + DEMOS_LISTING_WORDS + 12];

    for (u32 i = 0; i < 3; i++)
        create(p, 0, 0);
    CHECK_EQ(request(p, LINK_KERNEL, words, 2, 0, answer, 64, NULL),
             8 * (2 + 4 * DEMOS_LISTING_WORDS));
    CHECK_EQ(answer[1], 4);
    CHECK_EQ(answer[2 + DEMOS_LISTING_WORDS + 1], 0); /* child of row 0 */
    CHECK_EQ(answer[2 + DEMOS_LISTING_WORDS + 2], DEMOS_NEW);
    CHECK_EQ(answer[2 + DEMOS_LISTING_WORDS + 11] >> 24, 0x6368696c64ull);
    for (u32 i = 0; i < 3; i++)
        CHECK_EQ(answer[2 + DEMOS_LISTING_WORDS + 8 + i], limits[i]);
    words[0] = CONTROL_INFO;
    CHECK_EQ(request(p, LINK_SELF, words, 1, 0, info, ARRAY_SIZE(info), NULL), sizeof(info));
    CHECK(info[1 + DEMOS_LISTING_WORDS] >= 9); /* kernel entries */
    words[0] = 99;
    CHECK_EQ(order(p, LINK_KERNEL, 99, 0, 0, 0, 0, 0), DEMOS_E_CALL);
    CHECK_EQ(order(p, LINK_SELF, 99, 0, 0, 0, 0, 0), DEMOS_E_CALL);
    CHECK_EQ(order(p, LINK_SELF, ~0ull, 0, 0, 0, 0, 0), DEMOS_E_CALL);
    sim_destroy(s);
}

/* Point 13: a fault stops the thread and becomes a request; the answer decides. */
static void test_exceptions(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *child;
    s64 control = create(p, 0, 0), link;
    struct demos_info info;
    u8 words[8];

    start(p, control);
    child = newest(s, 0);
    link = own_link(p, DEMOS_REQUEST_LINK, DEMOS_GIVE, 7, 1);
    CHECK_EQ(order(p, control, CONTROL_EXCEPTION, 0, 0, 0, 0, link), 0);
    for (u64 answer = EXCEPTION_CONTINUE; answer <= EXCEPTION_KILL; answer++) {
        u8 said[8 + REGISTERS];
        s64 got;

        begin_call(child, SIM_FAULT, 0x7000, 0, 0, 0, 0, 0);
        CHECK_EQ(child->thread->state, THREAD_STOPPED);
        got = kcall(p, DEMOS_RECEIVE, DEMOS_CHANNEL(7), BUFFER, 4096, INFO, DEMOS_NOW, 0);
        CHECK_EQ(got, 32 + REGISTERS);
        sim_peek(p, INFO, &info, sizeof(info));
        sim_peek(p, BUFFER, words, 8);
        CHECK_EQ(be64_get(words), EXCEPTION_ADDRESS);
        CHECK(info.reply > 0);
        sim_peek(p, BUFFER + 24, said, sizeof(said)); /* the registers, behind a word */
        be64_put(said, answer);
        be64_put(said + 8 + SELF_AT + 8 * 7, 0x1234 + answer);
        sim_poke(p, TEXT, said, sizeof(said));
        got = answer == EXCEPTION_CHANGE ? (s64)sizeof(said) : 8;
        CHECK_EQ(kcall(p, DEMOS_REPLY, (u64)info.reply, TEXT, (u64)got, 0, DEMOS_NOW, 0), 0);
        if (answer != EXCEPTION_KILL)
            CHECK_EQ(child->thread->state, THREAD_WAITING);
        if (answer != EXCEPTION_KILL) /* only CHANGE changes anything */
            CHECK_EQ(child->self[7],
                     answer >= EXCEPTION_CHANGE ? 0x1234 + (u64)EXCEPTION_CHANGE : 0);
    }
    CHECK_EQ(node_counters(s->nodes[0].node)->processes, 1);
    /* A handler that throws the question away has answered it. */
    control = create(p, 0, 0);
    start(p, control);
    child = newest(s, 0);
    link = own_link(p, DEMOS_REQUEST_LINK, DEMOS_GIVE, 7, 1);
    order(p, control, CONTROL_EXCEPTION, 0, 0, 0, 0, link);
    begin_call(child, SIM_FAULT, 0x7000, 0, 0, 0, 0, 0);
    kcall(p, DEMOS_RECEIVE, DEMOS_CHANNEL(7), BUFFER, 4096, INFO, DEMOS_NOW, 0);
    sim_peek(p, INFO, &info, sizeof(info));
    CHECK_EQ(kcall(p, DEMOS_DESTROYLINK, (u64)info.reply, 0, 0, 0, 0, 0), 0);
    CHECK_EQ(node_counters(s->nodes[0].node)->processes, 1);
    sim_destroy(s);
}

/* What is not a thread's registers is no CHANGE: the process ends. */
static void test_change_to_nonsense(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *child;
    s64 control = create(p, 0, 0), link;
    struct demos_info info;
    u8 words[24];

    start(p, control);
    child = newest(s, 0);
    link = own_link(p, DEMOS_REQUEST_LINK, DEMOS_GIVE, 7, 1);
    CHECK_EQ(order(p, control, CONTROL_EXCEPTION, 0, 0, 0, 0, link), 0);
    begin_call(child, SIM_FAULT, 0x7000, 0, 0, 0, 0, 0);
    kcall(p, DEMOS_RECEIVE, DEMOS_CHANNEL(7), BUFFER, 4096, INFO, DEMOS_NOW, 0);
    sim_peek(p, INFO, &info, sizeof(info));
    be64_put(words, EXCEPTION_CHANGE);
    sim_poke(p, TEXT, words, sizeof(words));
    CHECK_EQ(kcall(p, DEMOS_REPLY, (u64)info.reply, TEXT, 24, 0, DEMOS_NOW, 0), 0);
    CHECK_EQ(node_counters(s->nodes[0].node)->processes, 1);
    sim_destroy(s);
}

/* DP02: a state is read and registers are set over a control link, of processes that do not run. */
static void test_state_and_registers_by_link(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *child;
    u64 ask[1] = {CONTROL_STATE}, set[1 + REGISTERS / 8] = {CONTROL_SET}, answer[3];
    static u8 image[4096], same[4096];
    s64 control = create(p, 0, 0);
    size_t len;

    s->programs[SPINNER] = spinner;
    child = newest(s, 0);
    CHECK(request(p, control, ask, 1, 0, answer, 3, NULL) > 8); /* one that is new has one */
    CHECK_EQ(answer[0], 0);
    start_as(p, control, SPINNER);
    CHECK_EQ(request(p, control, ask, 1, 0, answer, 3, NULL), 8);
    CHECK_EQ((s64)answer[0], DEMOS_E_STATE);
    CHECK_EQ(request(p, control, set, ARRAY_SIZE(set), 0, answer, 1, NULL), 8);
    CHECK_EQ((s64)answer[0], DEMOS_E_STATE);
    CHECK_EQ(order(p, control, CONTROL_STOP, 0, 0, 0, 0, 0), 0);
    CHECK(child->self[2] > 0);
    len = (size_t)request(p, control, ask, 1, 0, answer, 3, NULL);
    CHECK_EQ(answer[0], 0);
    CHECK_EQ(answer[1], 0x44454d4f53746174ull);
    CHECK(len < 4096 && sim_peek(p, BUFFER + 8, image, len - 8));
    CHECK_EQ(state_export(s->nodes[0].node, child->task, same, sizeof(same)), len - 8);
    CHECK(memcmp(image, same, len - 8) == 0);
    for (u32 i = 0; i < REGISTERS / 8; i++)
        set[1 + i] = be64_get(image + len - 8 - REGISTERS + 8 * i);
    CHECK_EQ(set[1 + SELF_AT / 8 + 2], child->self[2]);
    set[1 + SELF_AT / 8 + 2] = 7000000;
    CHECK_EQ(request(p, control, set, ARRAY_SIZE(set) - 1, 0, answer, 1, NULL), 8);
    CHECK_EQ((s64)answer[0], DEMOS_E_ARGUMENT);
    CHECK_EQ(request(p, control, set, ARRAY_SIZE(set), 0, answer, 1, NULL), 8);
    CHECK_EQ(answer[0], 0);
    CHECK_EQ(child->self[2], 7000000);
    CHECK_EQ(order(p, control, CONTROL_RESUME, 0, 0, 0, 0, 0), 0);
    CHECK(child->self[2] > 7000000);
    /* Who waits in a call keeps its registers: they are the call's. */
    control = create(p, 0, 0);
    start(p, control);
    sim_run(s, 1000);
    CHECK_EQ(order(p, control, CONTROL_STOP, 0, 0, 0, 0, 0), 0);
    CHECK_EQ(request(p, control, set, ARRAY_SIZE(set), 0, answer, 1, NULL), 8);
    CHECK_EQ((s64)answer[0], DEMOS_E_STATE);
    sim_destroy(s);
}

static s64 priority(struct sim_process *p, const struct sim_process *of, u64 level)
{
    s64 control = sim_link(p, of, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);
    s64 said = order(p, control, CONTROL_PRIORITY, level, 0, 0, 0, 0);

    kcall(p, DEMOS_DESTROYLINK, (u64)control, 0, 0, 0, 0, 0);
    return said;
}

/* Equal ones take turns, the urgent one has the processor, and gets it when it wakes. */
static void test_priorities(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *spin[3];
    u64 before[3];

    s->programs[SPINNER] = spinner;
    for (u32 i = 0; i < 3; i++) {
        spin[i] = sim_spawn(&s->nodes[0], SPINNER, 1);
        CHECK_EQ(priority(p, spin[i], 5), 0);
    }
    for (u32 i = 0; i < 3; i++)
        before[i] = spin[i]->self[2];
    for (u32 step = 0; step < 300; step++)
        sim_step(&s->nodes[0]);
    for (u32 i = 0; i < 3; i++)
        CHECK_EQ(spin[i]->self[2] - before[i], 100);
    CHECK_EQ(priority(p, spin[0], 6), 0); /* later than the others: not at all */
    CHECK_EQ(priority(p, spin[1], 8), DEMOS_E_ARGUMENT);
    for (u32 i = 0; i < 3; i++)
        before[i] = spin[i]->self[2];
    for (u32 step = 0; step < 300; step++)
        sim_step(&s->nodes[0]);
    CHECK_EQ(spin[0]->self[2], before[0]);
    CHECK_EQ(spin[1]->self[2] - before[1], 150);
    CHECK_EQ(spin[2]->self[2] - before[2], 150);
    /* The puppet is more urgent: woken, it is chosen before those that have waited longer. */
    for (u32 i = 1; i < 3; i++)
        before[i] = spin[i]->self[2];
    thread_wake_error(s->nodes[0].node, p->thread, DEMOS_E_TIMEOUT);
    CHECK(node_should_preempt(s->nodes[0].node, spin[1]->thread));
    CHECK(node_next(s->nodes[0].node) == p->thread);
    node_preempt(s->nodes[0].node, p->thread);
    sim_destroy(s);
}

TESTS(CASE(test_birth), CASE(test_end_is_told), CASE(test_family), CASE(test_stop_and_resume),
      CASE(test_limits), CASE(test_full_queues_are_their_own), CASE(test_listing),
      CASE(test_exceptions), CASE(test_change_to_nonsense),
      CASE(test_state_and_registers_by_link), CASE(test_priorities))

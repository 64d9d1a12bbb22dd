/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process is, wherever it runs: DP05, DL25, DN01. Its id, which nobody sees and no two have; its
 * state, which is bytes; its life, which its messages and inputs tell again.
 */
#include "guest/kernel/migrate.h"
#include "tests/kernel/puppet.h"

static const u64 rw = REGION_READ | REGION_WRITE;

/* DL25: numbers of links are all that calls and answers say; an id is in none of them. */
static void test_no_ids(void)
{
    static const u64 serial = 0x5eed1d5eed1dull;
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p, *q;
    const u64 ops[] = {CONTROL_INFO,
                       CONTROL_LIMITS,
                       CONTROL_REGION,
                       CONTROL_STOP,
                       CONTROL_RESUME,
                       CONTROL_PRIORITY,
                       99};
    u8 memory[16 * SIM_PAGE];
    s64 control, link;
    u32 seen = 0;

    s->nodes[0].node->serial = serial;
    p = puppet_on(s, 0);
    q = puppet_on(s, 1);
    CHECK_EQ(p->task->id.serial, serial + 1);
    link = sim_link(q, p, DEMOS_RESOURCE, DEMOS_DUP | DEMOS_GIVE, 3, 4);
    for (u32 i = 0; i < DEMOS_CALLS; i++) { /* the results of all calls, good and bad */
        if (i == DEMOS_EXIT || i == DEMOS_RECEIVE)
            continue;
        seen += (u64)kcall(p, i, LINK_SELF, TEXT, 8, INFO, DEMOS_NOW, 0) >> 16 == serial >> 16;
        seen += (u64)kcall(p, i, demos_spec(0, DEMOS_DUP, 1), 0, 0, 0, 0, 0) >> 16 ==
                serial >> 16;
    }
    control = create(p, 0, 0);
    for (u32 i = 0; i < ARRAY_SIZE(ops); i++)
        order(p, control, ops[i], 0, 0, 0, 0, 0);
    order(p, LINK_KERNEL, KERNEL_OP_LIST, 0, 0, 0, 0, 0);
    order(p, LINK_KERNEL, KERNEL_OP_KERNELS, 0, 0, 0, 0, 0);
    begin_call(q, DEMOS_CALL, (u64)link, TEXT, demos_lens(8, 100), BUFFER, 0, DEMOS_FOREVER);
    CHECK_EQ(kcall(p, DEMOS_RECEIVE, DEMOS_CHANNEL(3), BUFFER + 2048, 10, INFO, DEMOS_NOW, 0),
             8);
    for (u32 page = 0; page < 16; page++)
        sim_peek(p, SIM_DATA + page * SIM_PAGE, memory + page * SIM_PAGE, SIM_PAGE);
    for (size_t at = 0; at + 8 <= sizeof(memory); at++) { /* either way round */
        u64 little;

        memcpy(&little, memory + at, 8);
        seen += be64_get(memory + at) >> 16 == serial >> 16 || little >> 16 == serial >> 16;
    }
    CHECK_EQ(seen, 0);
    sim_destroy(s);
}

/* What a process does next, and what comes of it. */
static s64 life(struct sim_process *p, u32 step, s64 kept)
{
    return step == 0   ? kcall(p, DEMOS_DUPLINK, (u64)kept, 0, 0, 0, 0, 0)
           : step == 1 ? own_link(p, DEMOS_GENERAL, DEMOS_DUP, 1, 1)
                       : kcall(p, DEMOS_RECEIVE, 1, BUFFER, 10, INFO, DEMOS_NOW, 0);
}

/* DP05, point 1: state is bytes without pointers, and comes back the same. */
static void test_state(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *twin;
    struct node *n = s->nodes[0].node, *other = s->nodes[1].node;
    static u8 image[65536], again[65536], memory[SIM_PAGE];
    s64 gone = own_link(p, DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, 3, 0x1234567890abcdefull);
    s64 kept = own_link(p, DEMOS_RESOURCE, DEMOS_DUP, 4, 5);
    u64 sequence = p->task->sequence;
    s64 numbers[3];
    size_t size;
    struct task *t;

    sim_poke(p, TEXT, "bytes", 6);
    kcall(p, DEMOS_DESTROYLINK, (u64)gone, 0, 0, 0, 0, 0);
    p->self[5] = 99;
    size = state_export(n, p->task, image, sizeof(image));
    CHECK(size > 500 && size < 4096);
    t = task_create(other, &p->task->id, "twin", NULL);
    CHECK_EQ(state_import(other, t, image, size), 0);
    CHECK_EQ(state_export(other, t, again, sizeof(again)), size);
    for (size_t at = 0; at < size; at += 8)
        CHECK_EQ(be64_get(again + at), be64_get(image + at));
    twin = sim_process_of(t);
    CHECK_EQ(twin->self[5], 99);
    CHECK(link_find(&t->links, kept) != NULL);
    CHECK(link_find(&t->links, gone) == NULL);
    CHECK(strcmp(t->name, "sim") == 0);
    /* With its memory it goes on from there, while the first one is no more. */
    for (u32 page = 0; page < 16; page++) {
        sim_peek(p, SIM_DATA + page * SIM_PAGE, memory, SIM_PAGE);
        sim_poke(twin, SIM_DATA + page * SIM_PAGE, memory, SIM_PAGE);
    }
    for (u32 i = 0; i < 3; i++)
        numbers[i] = life(p, i, kept);
    node_kill(n, p->task);
    migration_go_on(other, t, t->state);
    for (u32 i = 0; i < 3; i++)
        CHECK_EQ(life(twin, i, kept), numbers[i]);
    CHECK_EQ(twin->task->sequence, sequence);
    sim_peek(twin, TEXT, memory, 6);
    CHECK(strcmp((char *)memory, "bytes") == 0);
    node_kill(other, t);
    p = puppet_on(s, 0);
    for (size_t at = 0; at < 16; at += 8) { /* another magic number, another version */
        struct task *u = task_create(other, &p->task->id, "foreign", NULL);

        size = state_export(n, p->task, image, sizeof(image));
        be64_put(image + at, be64_get(image + at) + 1);
        CHECK_EQ(state_import(other, u, image, size), DEMOS_E_ARGUMENT);
        u->watch.kind = u->exception.kind = DEMOS_KINDS;
        node_kill(other, u);
    }
    size = state_export(n, p->task, image, sizeof(image));
    for (size_t cut = 0; cut < size; cut += 8) { /* no prefix of it is a state */
        struct task *u = task_create(other, &p->task->id, "cut", NULL);

        CHECK(state_import(other, u, image, cut) != 0);
        u->watch.kind = u->exception.kind = DEMOS_KINDS;
        node_kill(other, u);
    }
    sim_destroy(s);
}

/* Point 10: a life is told again from its messages and inputs. */
static void test_replay(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p = puppet_on(s, 0), *twin, *other = puppet_on(s, 0);
    struct node *n = s->nodes[1].node;
    struct process_id id = p->task->id;
    struct node_input inputs[2];
    struct task *t;
    s64 link;

    /* First life: a receive in vain, a message out, another receive in vain. */
    link = sim_link(p, other, DEMOS_GENERAL, 0, 1, 1);
    CHECK_EQ(kcall(p, DEMOS_RECEIVE, 1, BUFFER, 16, 0, 10, 0), DEMOS_E_TIMEOUT);
    inputs[0] = (struct node_input){p->task->inputs, p->task->count.received, p->task->sequence,
                                    DEMOS_E_TIMEOUT};
    CHECK_EQ(kcall(p, DEMOS_SEND, (u64)link, TEXT, 1, 0, DEMOS_NOW, 0), 0);
    CHECK_EQ(kcall(p, DEMOS_RECEIVE, 1, BUFFER, 16, 0, DEMOS_NOW, 0), DEMOS_E_TIMEOUT);
    inputs[1] = (struct node_input){p->task->inputs, p->task->count.received, p->task->sequence,
                                    DEMOS_E_TIMEOUT};
    CHECK_EQ(kcall(other, DEMOS_RECEIVE, 2, BUFFER, 16, 0, DEMOS_NOW, 0), 1);
    node_kill(s->nodes[0].node, p->task);
    /* Second life, elsewhere. */
    t = node_recreate(n, &id, "again", NULL);
    CHECK(t != NULL && node_recreate(n, &id, "twice", NULL) == NULL);
    CHECK_EQ(node_map(n, t, SIM_DATA, 4 * SIM_PAGE, rw, rw), 0);
    CHECK_EQ(node_start(n, t, PUPPET, DEMOS_STACK_TOP, 0, NULL, 0), 0);
    twin = sim_process_of(t);
    sim_run(s, 100);
    t->inputs = inputs[0].number - 2; /* a puppet's rest ends by an input of its own */
    CHECK_EQ(node_feed(n, t, &inputs[0]), 0);
    node_discard(n, t, 1);
    node_hold(n, t, true);
    link = sim_link(twin, other, DEMOS_GENERAL, 0, 1, 1);
    begin_call(twin, DEMOS_RECEIVE, 1, BUFFER, 16, 0, DEMOS_FOREVER, 0);
    CHECK_EQ((s64)twin->self[1], DEMOS_E_TIMEOUT); /* as it was, without waiting for ever */
    CHECK(list_empty(&t->feed));
    CHECK_EQ(kcall(twin, DEMOS_SEND, (u64)link, TEXT, 1, 0, DEMOS_NOW, 0), 0);
    CHECK(sim_run(s, 20000));
    CHECK_EQ(other->task->queued, 0); /* it had been sent before */
    CHECK_EQ(kcall(twin, DEMOS_SEND, (u64)link, TEXT, 1, 0, DEMOS_NOW, 0), 0);
    CHECK(sim_run(s, 20000));
    CHECK_EQ(other->task->queued, 1);
    /* Held messages come when it is let go. */
    link = sim_link(other, twin, DEMOS_GENERAL, 0, 0, 1);
    CHECK_EQ(kcall(other, DEMOS_SEND, (u64)link, TEXT, 3, 0, DEMOS_NOW, 0), 0);
    CHECK_EQ(kcall(twin, DEMOS_RECEIVE, 1, BUFFER, 16, 0, DEMOS_FOREVER, 0), STILL_WAITS);
    CHECK_EQ(t->queued, 1);
    node_hold(n, t, false);
    CHECK(sim_run(s, 20000));
    CHECK_EQ((s64)twin->self[1], 3);
    sim_destroy(s);
}

/* DN01: 100,000 processes on 64 nodes, no id twice, over two boots of each. */
static void test_ids(void)
{
    enum { NODES = 64, EACH = 800, BOOTS = 2 };
    static struct process_id ids[NODES * EACH * BOOTS];
    static u32 seen[1 << 18];
    u32 count = 0, twice = 0;

    for (u32 boot = 1; boot <= BOOTS; boot++) {
        for (u32 i = 0; i < NODES; i++) {
            struct sim sim = {.count = 1};
            struct sim_node sn = {.sim = &sim};
            struct node_config config = {.machine = i + 1, .epoch = boot};
            void *memory = malloc(1 << 20);
            struct node *n;

            heap_init(&sn.heap, memory, 1 << 20);
            n = node_create(&sn.heap, &config, NULL, &sn);
            for (u32 k = 0; k < EACH; k++) {
                struct task *t = node_process(n, "id", NULL);

                ids[count++] = t->id;
                node_kill(n, t);
            }
            node_destroy(n);
            CHECK_EQ(sn.heap.in_use, 0);
            free(memory);
        }
    }
    for (u32 i = 0; i < count; i++) { /* an open table of all of them */
        u32 at = (u32)(ids[i].serial * 2654435761u ^ ids[i].machine * 40503u ^
                       ids[i].epoch << 16);

        for (at &= ARRAY_SIZE(seen) - 1; seen[at]; at = (at + 1) & (ARRAY_SIZE(seen) - 1))
            twice += process_id_equal(&ids[seen[at] - 1], &ids[i]);
        seen[at] = i + 1;
    }
    CHECK_EQ(count, NODES * EACH * BOOTS);
    CHECK(count >= 100000);
    CHECK_EQ(twice, 0);
}

TESTS(CASE(test_no_ids), CASE(test_state), CASE(test_replay), CASE(test_ids))

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who calls whom: the scanner looks at every device and at the clock and tells the finite-state
 * machines (DK06); devices, machines and remote processors do nothing of themselves (DN07); a
 * remote processor with something to send calls its machine at once, which goes on when the scanner
 * reports room (DN13); remote processors are on the list of the device they are reached by (DN10)
 * and move to another's when that device goes down (DK08, DN16). Both machines' tables, state by
 * state (DN13); a block with any one bit flipped is discarded and counted (DN11); one interrupt for
 * many blocks is enough (F10).
 */
#include "net/core.h"
#include "tests/check.h"

#define SECOND 1000000000ull

enum { BLOCKS = 64, MEDIA = 2, NODES = 2, MEMORY = 4 << 20 };

/* A device that counts what is asked of it; what it is given the one across the medium gets. */
struct counted {
    struct net_device device;
    struct counted *across;
    u32 pended, reads, writes;
    u32 interrupts, status;
    u8 block[BLOCKS][2048];
    size_t len[BLOCKS];
    u32 put, got;
};

struct world {
    struct heap heap;
    void *memory;
    struct net *net[NODES];
    struct counted device[NODES][MEDIA];
    u32 delivered[NODES];
    u64 now;
};

static struct world *at_work; /* for net_up_message, which is given no more than the network */

static bool write_block(struct net_device *d, const void *block, size_t len)
{
    struct counted *from = d->owner, *to = from->across;

    if (!(from->status & NET_STATUS_CAN_WRITE))
        return false;
    from->writes++;
    if (!(from->status & NET_STATUS_UP) || !(to->status & NET_STATUS_UP) ||
        to->put - to->got == BLOCKS || len > sizeof(to->block[0]))
        return true;
    memcpy(to->block[to->put % BLOCKS], block, len);
    to->len[to->put++ % BLOCKS] = len;
    to->interrupts |= NET_INT_RECEIVED;
    return true;
}

static size_t read_block(struct net_device *d, void *block, size_t room)
{
    struct counted *c = d->owner;
    size_t len;

    c->reads++;
    if (c->got == c->put)
        return 0;
    len = c->len[c->got % BLOCKS];
    memcpy(block, c->block[c->got++ % BLOCKS], MIN(len, room));
    return len;
}

static u32 status(struct net_device *d)
{
    return ((struct counted *)d->owner)->status;
}

static u32 pending(struct net_device *d)
{
    struct counted *c = d->owner;
    u32 interrupts = c->interrupts;

    c->pended++;
    c->interrupts = 0;
    return interrupts;
}

static const struct net_device_ops ops = {write_block, read_block, status, pending};

void net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                    const void *message, size_t len)
{
    (void)from, (void)epoch, (void)class, (void)message, (void)len;
    at_work->delivered[at_work->net[1] == n]++;
}

static void poll(struct world *w)
{
    for (u32 i = 0; i < NODES; i++)
        net_poll(w->net[i], w->now);
}

static void run(struct world *w, u64 ns)
{
    for (u64 end = w->now + ns; w->now < end; w->now += SECOND / 1000)
        poll(w);
}

/* Two machines, 1 and 2, with two media between them. */
static struct world *world(void)
{
    struct world *w = calloc(1, sizeof(*w));

    at_work = w;
    w->memory = malloc(MEMORY);
    heap_init(&w->heap, w->memory, MEMORY);
    w->now = SECOND;
    for (u32 i = 0; i < NODES; i++) {
        struct net_config config = {.self = i + 1, .epoch = 1, .seed = 5};

        w->net[i] = net_create(&w->heap, &config);
        net_poll(w->net[i], w->now);
        for (u32 k = 0; k < MEDIA; k++) {
            struct counted *c = &w->device[i][k];

            *c = (struct counted){.across = &w->device[1 - i][k],
                                  .status = NET_STATUS_UP | NET_STATUS_BROADCAST |
                                            NET_STATUS_CAN_WRITE};
            c->device = (struct net_device){.ops = &ops,
                                            .address = {2, 0, 0, (u8)k, 0, (u8)i},
                                            .block_max = 1514,
                                            .owner = c};
            CHECK_EQ(net_attach(w->net[i], &c->device), NET_OK);
        }
    }
    run(w, SECOND);
    return w;
}

static void end(struct world *w)
{
    for (u32 i = 0; i < NODES; i++)
        net_destroy(w->net[i]);
    free(w->memory);
    free(w);
}

static u32 asked(const struct world *w)
{
    u32 sum = 0;

    for (u32 k = 0; k < MEDIA; k++)
        sum += w->device[0][k].pended + w->device[0][k].reads + w->device[0][k].writes;
    return sum;
}

static enum net_result send(struct world *w)
{
    return net_send(w->net[0], 2, NET_GUARANTEED, "head", 4, "body", 4);
}

static void test_scanner_looks_at_all(void)
{
    struct world *w = world();
    struct counted *first = &w->device[0][0], *second = &w->device[0][1];
    u32 before;

    for (u32 i = 0; i < 10; i++) {
        u32 looks[MEDIA] = {first->pended, second->pended}, reads = second->reads;

        first->interrupts = NET_INT_RECEIVED;
        before = first->reads;
        net_poll(w->net[0], w->now);
        CHECK_EQ(first->pended, looks[0] + 1);
        CHECK_EQ(second->pended, looks[1] + 1);
        CHECK_EQ(first->reads, before + 1); /* it reported, and had nothing after all */
        CHECK_EQ(second->reads, reads);
    }
    /* Passive: a block that lies there and time that passes move nothing until the scan. */
    before = asked(w);
    CHECK_EQ(net_send(w->net[1], 1, NET_GUARANTEED, "x", 1, "", 0), NET_OK);
    CHECK(first->put > first->got || second->put > second->got);
    w->now += 10 * SECOND;
    CHECK_EQ(asked(w), before);
    CHECK_EQ(w->delivered[0], 0);
    net_poll(w->net[0], w->now);
    CHECK_EQ(w->delivered[0], 1);
    end(w);
}

static void test_scanner_looks_at_the_clock(void)
{
    struct world *w = world();
    u32 before;
    u64 due;

    CHECK_EQ(net_send(w->net[0], 77, NET_GUARANTEED, "x", 1, "", 0),
             NET_OK); /* nobody's number */
    net_poll(w->net[0], w->now);
    due = net_deadline(w->net[0]);
    CHECK(due > w->now && due != ~0ull);
    before = w->device[0][0].writes;
    net_poll(w->net[0], due - 1);
    CHECK_EQ(w->device[0][0].writes, before);
    net_poll(w->net[0], due);
    CHECK(w->device[0][0].writes > before); /* asks for it again */
    end(w);
}

/* The device a conversation goes by. */
static struct counted *used(struct world *w)
{
    u32 before = w->device[0][0].writes;

    CHECK_EQ(send(w), NET_OK);
    run(w, SECOND);
    return w->device[0][0].writes > before ? &w->device[0][0] : &w->device[0][1];
}

static void test_work_is_reported_by_calls(void)
{
    struct world *w = world();
    struct counted *c = used(w);
    u32 before = c->writes, had = w->delivered[1];

    CHECK_EQ(send(w), NET_OK); /* no scan in between */
    CHECK_EQ(c->writes, before + 1);
    run(w, SECOND);
    c->status &= ~(u32)NET_STATUS_CAN_WRITE;
    before = c->writes;
    CHECK_EQ(send(w), NET_OK);
    CHECK_EQ(send(w), NET_OK);
    net_poll(w->net[0], w->now);
    CHECK_EQ(c->writes, before);
    c->status |= NET_STATUS_CAN_WRITE; /* room alone is nothing until it is reported */
    net_poll(w->net[0], w->now);
    CHECK_EQ(c->writes, before);
    c->interrupts = NET_INT_WRITTEN;
    net_poll(w->net[0], w->now);
    CHECK_EQ(c->writes, before + 2);
    run(w, SECOND);
    CHECK_EQ(w->delivered[1], had + 3);
    end(w);
}

static u32 bound(struct world *w, const struct counted *c)
{
    u32 count = 0;

    list_for_each(at, &w->net[0]->nfsms)
    {
        struct nfsm *m = list_entry(at, struct nfsm, all);

        if (m->device == &c->device)
            list_for_each(p, &m->peers)
                count += list_entry(p, struct peer, bound)->machine == 2;
    }
    return count;
}

static void test_remote_processors_are_rebound(void)
{
    struct world *w = world();
    struct counted *c = used(w),
                   *other = c == &w->device[0][0] ? &w->device[0][1] : &w->device[0][0];
    u32 had = w->delivered[1];

    CHECK_EQ(bound(w, c), 1);
    CHECK_EQ(bound(w, other), 0);
    c->status = 0;
    c->interrupts = NET_INT_STATUS;
    net_poll(w->net[0], w->now);
    CHECK_EQ(bound(w, c), 0);
    for (u32 i = 0; i < 5; i++)
        CHECK_EQ(send(w), NET_OK);
    run(w, 20 * SECOND);
    CHECK_EQ(bound(w, other), 1);
    CHECK_EQ(w->delivered[1], had + 5);
    end(w);
}

static struct nfsm *nfsm_of(struct world *w, const struct counted *c)
{
    list_for_each(at, &w->net[0]->nfsms)
    {
        struct nfsm *m = list_entry(at, struct nfsm, all);

        if (m->device == &c->device)
            return m;
    }
    return NULL;
}

/* What moves the output machine; in all other cases it stays as it is. */
static void test_output_table(void)
{
    static const struct {
        enum out_state from;
        enum nfsm_event event;
        enum out_state to;
    } moves[] = {
        {OUT_DOWN, NFSM_UP, OUT_BUSY},     {OUT_IDLE, NFSM_DOWN, OUT_DOWN},
        {OUT_BUSY, NFSM_DOWN, OUT_DOWN},   {OUT_STUCK, NFSM_DOWN, OUT_DOWN},
        {OUT_PACED, NFSM_DOWN, OUT_DOWN},  {OUT_IDLE, NFSM_WORK, OUT_BUSY},
        {OUT_BUSY, NFSM_EMPTY, OUT_IDLE},  {OUT_BUSY, NFSM_REFUSED, OUT_STUCK},
        {OUT_BUSY, NFSM_EARLY, OUT_PACED}, {OUT_STUCK, NFSM_ROOM, OUT_BUSY},
        {OUT_STUCK, NFSM_UP, OUT_BUSY},    {OUT_PACED, NFSM_TIME, OUT_BUSY},
        {OUT_PACED, NFSM_UP, OUT_BUSY},
    };
    struct world *w = world();
    struct nfsm *m = nfsm_of(w, &w->device[0][0]);

    m->running = true; /* as if further up the stack: a state is left as it is set */
    for (u32 from = 0; from < OUT_STATES; from++) {
        for (u32 event = 0; event < NFSM_EVENTS; event++) {
            u32 to = from;

            for (u32 i = 0; i < ARRAY_SIZE(moves); i++) {
                if (moves[i].from == from && moves[i].event == event)
                    to = moves[i].to;
            }
            m->out = (u8)from;
            nfsm_event(m, event);
            CHECK_EQ(m->out, to);
        }
    }
    m->running = false;
    m->out = OUT_IDLE;
    end(w);
}

/* The input machine looks for blocks when it is told of some, and until there are none. */
static void test_input_table(void)
{
    static const struct {
        enum in_state from;
        bool up;
        u32 interrupts, reads;
        enum in_state to;
    } rows[] = {
        {IN_DOWN, false, 0, 0, IN_DOWN},
        {IN_DOWN, false, NET_INT_RECEIVED, 0, IN_DOWN},
        {IN_DOWN, false, NET_INT_STATUS, 0, IN_DOWN},
        {IN_DOWN, true, NET_INT_STATUS, 1, IN_QUIET}, /* up: there may be some already */
        {IN_QUIET, true, 0, 0, IN_QUIET},
        {IN_QUIET, true, NET_INT_WRITTEN, 0, IN_QUIET},
        {IN_QUIET, true, NET_INT_RECEIVED, 1, IN_QUIET},
        {IN_QUIET, false, NET_INT_STATUS, 0, IN_DOWN},
        {IN_QUIET, false, NET_INT_STATUS | NET_INT_RECEIVED, 0, IN_DOWN},
        {IN_READING, true, 0, 1, IN_QUIET},
        {IN_READING, true, NET_INT_RECEIVED, 1, IN_QUIET},
        {IN_READING, false, NET_INT_STATUS, 0, IN_DOWN},
    };
    struct world *w = world();
    struct counted *c = &w->device[0][0];
    struct nfsm *m = nfsm_of(w, c);

    for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
        u32 before = c->reads;

        m->in = (u8)rows[i].from;
        m->out = rows[i].from == IN_DOWN ? OUT_DOWN : OUT_IDLE;
        c->status = rows[i].up ? NET_STATUS_UP | NET_STATUS_CAN_WRITE : 0;
        c->got = c->put;
        c->interrupts = rows[i].interrupts;
        nfsm_scan(m);
        CHECK_EQ(c->reads - before, rows[i].reads);
        CHECK_EQ(m->in, rows[i].to);
        CHECK_EQ(m->out == OUT_DOWN, rows[i].to == IN_DOWN);
    }
    end(w);
}

/* The last block that machine 2 wrote, whichever way. */
static struct counted *last_heard(struct world *w)
{
    for (u32 k = 0; k < MEDIA; k++) {
        if (w->device[0][k].put != w->device[0][k].got)
            return &w->device[0][k];
    }
    return NULL;
}

static void again(struct world *w, struct counted *c, const u8 *block, size_t len)
{
    memcpy(c->block[c->put % BLOCKS], block, len);
    c->len[c->put++ % BLOCKS] = len;
    c->interrupts |= NET_INT_RECEIVED;
    net_poll(w->net[0], w->now);
}

static void test_any_bit_of_a_block(void)
{
    static u8 body[1000], block[2048];
    struct world *w = world();
    struct counted *c;
    u64 before;
    size_t len;

    run(w, SECOND);
    CHECK_EQ(net_send(w->net[1], 1, NET_GUARANTEED, body, sizeof(body), "", 0), NET_OK);
    c = last_heard(w);
    CHECK(c != NULL);
    len = c->len[c->got % BLOCKS];
    memcpy(block, c->block[c->got++ % BLOCKS], len);
    CHECK_EQ(len, NET_HEADER + sizeof(body));
    before = net_stats(w->net[0])->corrupt;
    for (u32 bit = 0; bit < len * 8; bit++) {
        block[bit / 8] ^= (u8)(1u << bit % 8);
        again(w, c, block, len);
        block[bit / 8] ^= (u8)(1u << bit % 8);
    }
    CHECK_EQ(net_stats(w->net[0])->corrupt - before, len * 8);
    CHECK_EQ(w->delivered[0], 0);
    again(w, c, block, len);
    CHECK_EQ(w->delivered[0], 1);
    end(w);
}

static void test_one_interrupt_for_many(void)
{
    struct world *w = world();
    u32 blocks;

    run(w, SECOND);
    for (u32 i = 0; i < 20; i++)
        CHECK_EQ(net_send(w->net[1], 1, NET_GUARANTEED, "x", 1, "", 0), NET_OK);
    blocks = last_heard(w)->put - last_heard(w)->got;
    CHECK_EQ(blocks, 20);
    CHECK_EQ(last_heard(w)->interrupts, NET_INT_RECEIVED); /* a bit, not a number of them */
    net_poll(w->net[0], w->now);
    CHECK_EQ(w->delivered[0], 20);
    end(w);
}

TESTS(CASE(test_scanner_looks_at_all), CASE(test_scanner_looks_at_the_clock),
      CASE(test_work_is_reported_by_calls), CASE(test_remote_processors_are_rebound),
      CASE(test_output_table), CASE(test_input_table), CASE(test_any_bit_of_a_block),
      CASE(test_one_interrupt_for_many))

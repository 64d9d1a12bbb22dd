/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may say what on the fabric (H11): a vif only what is its domain's, a way outside only what
 * is nobody's here; what a medium's words may be.
 */
#include "base/bytes.h"
#include "base/memory.h"
#include "net/fabric/fabric.h"
#include "net/frame.h"
#include "tests/check.h"

enum { HEAP = 8 << 20, LATER = 1000000000 };

struct end {
    struct fabric_port *port;
    u32 got;
    u8 last[2048];
    size_t len;
};

static const u8 addresses[][6] = {{2, 5, 0, 0, 0, 1}, {2, 5, 0, 0, 0, 2}, {2, 9, 9, 0, 0, 9}};
static const u8 everybody[6] = {255, 255, 255, 255, 255, 255};
static struct fabric fabric;
static struct heap heap;
static void *memory;
static struct end one, two, out;
static u64 now;
static u32 drops;

bool fabric_up_arrived(struct fabric_port *p, const u8 *frame, size_t len)
{
    struct end *e = p->owner;

    if (!e)
        return false; /* one that fetches nothing */
    e->got++;
    e->len = MIN(len, sizeof(e->last));
    memcpy(e->last, frame, e->len);
    return true;
}

void fabric_up_ready(struct fabric_port *p)
{
    (void)p;
}

void fabric_up_trace(struct fabric *f, u16 type, u32 who, u64 a, u64 b)
{
    (void)f, (void)type, (void)who, (void)a;
    drops += (u32)b == MEDIUM_WHYS;
}

void capture_up_bytes(struct capture *c, const void *bytes, size_t len)
{
    (void)c, (void)bytes, (void)len;
}

static void join(struct end *e, struct fabric_port *p)
{
    *e = (struct end){.port = p};
    CHECK(p != NULL);
    p->owner = e;
}

/* Two vifs of two domains and a way outside, on one ether. */
static void open_all(void)
{
    memory = malloc(HEAP);
    heap_init(&heap, memory, HEAP);
    fabric_init(&fabric, &heap, 1, NULL);
    CHECK(!fabric_add(&fabric, "name=net kind=ether"));
    join(&one, fabric_attach(&fabric, "net", "a", 1, 11, addresses[0]));
    join(&two, fabric_attach(&fabric, "net", "b", 2, 0, addresses[1]));
    join(&out, fabric_attach_outside(&fabric, "net", "outside"));
    drops = 0;
}

static void close_all(void)
{
    fabric_destroy(&fabric);
    free(memory);
}

/* A DEMOS frame as its header says; what arrives of it where. */
static void say(struct end *e, const u8 from[6], const u8 to[6], u32 machine, u8 hops, u8 kind,
                u8 flags)
{
    u8 f[NET_HEADER] = {0};

    memcpy(f + FRAME_TO, to, 6);
    memcpy(f + FRAME_FROM, from, 6);
    be16_put(f + FRAME_TYPE, FRAME_ETHERTYPE);
    be32_put(f + FRAME_SRC, machine);
    f[FRAME_HOPS] = hops;
    f[FRAME_KIND] = kind;
    f[FRAME_FLAGS] = flags;
    fabric_take(e->port, f, sizeof(f), false, now);
    now += LATER;
    fabric_run(&fabric, now);
}

static void check_got(u32 at_one, u32 at_two, u32 at_out)
{
    CHECK_EQ(one.got, at_one);
    CHECK_EQ(two.got, at_two);
    CHECK_EQ(out.got, at_out);
    one.got = two.got = out.got = 0;
}

static void test_a_vif_says_only_its_own(void)
{
    open_all();
    say(&one, addresses[0], addresses[1], 11, 0, FRAME_DATA, 0);
    check_got(0, 1, 0); /* to where the address is, and not outside */
    say(&one, addresses[1], everybody, 11, 0, FRAME_DATA, 0); /* another's address */
    say(&one, addresses[0], everybody, 12, 0, FRAME_DATA, 0); /* another machine */
    say(&one, addresses[0], everybody, 12, 1, FRAME_DATA, 0); /* passed on: it has one vif */
    say(&one, addresses[0], everybody, 11, 1, FRAME_DATA, 0); /* its own, as if passed on */
    /* Nor wide floods: what came by the path they promise would be refused. */
    say(&one, addresses[0], everybody, 12, 1, FRAME_ROUTE, FRAME_WIDE);
    check_got(0, 0, 0);
    CHECK_EQ(one.port->forged, 5);
    CHECK_EQ(drops, 5);
    close_all();
}

static void test_the_first_machine_named_is_the_domains(void)
{
    open_all();
    say(&two, addresses[1], addresses[0], 7, 0, FRAME_DATA, 0);
    say(&two, addresses[1], addresses[0], 8, 0, FRAME_DATA, 0);
    check_got(1, 0, 0);
    fabric_detach(two.port);
    fabric_forget(&fabric, 2); /* the domain's number comes back as another node */
    join(&two, fabric_attach(&fabric, "net", "b", 2, 0, addresses[1]));
    say(&two, addresses[1], addresses[0], 8, 0, FRAME_DATA, 0);
    check_got(1, 0, 0);
    close_all();
}

static void test_outside_are_all_but_ours(void)
{
    open_all();
    say(&out, addresses[2], addresses[0], 99, 0, FRAME_DATA, 0);
    say(&out, addresses[2], everybody, 98, 3, FRAME_ROUTE, FRAME_WIDE);
    check_got(2, 1, 0); /* many machines, near and far, behind one port */
    say(&out, addresses[0], everybody, 99, 0, FRAME_DATA, 0);
    say(&out, addresses[1], everybody, 99, 1, FRAME_DATA, 0);
    check_got(0, 0, 0);
    CHECK_EQ(out.port->forged, 2);
    say(&one, addresses[0], addresses[2], 11, 0, FRAME_DATA, 0);
    check_got(0, 1, 1); /* an address that is nobody's here is looked for everywhere */
    CHECK_EQ(out.len, NET_HEADER);
    close_all();
}

static void test_frames_of_other_kinds_pass_both_ways(void)
{
    u8 arp[42] = {0}, runt[13] = {0};

    open_all();
    memcpy(arp, everybody, 6);
    memcpy(arp + 6, addresses[2], 6);
    be16_put(arp + 12, 0x806);
    fabric_take(out.port, arp, sizeof(arp), false, now);
    fabric_take(out.port, runt, sizeof(runt), false, now);
    fabric_run(&fabric, now += LATER);
    check_got(1, 1, 0);
    CHECK_EQ(out.port->forged, 1);
    memcpy(arp + 6, addresses[0], 6);
    fabric_take(one.port, arp, sizeof(arp), false, now);
    fabric_run(&fabric, now += LATER);
    check_got(0, 1, 1);
    close_all();
}

static void test_blocks_have_their_largest(void)
{
    static u8 frame[2000];

    open_all();
    CHECK(!fabric_add(&fabric, "name=small kind=ether block=1514"));
    CHECK_EQ(medium_block_max(fabric.medium[1]->medium), 1514);
    CHECK(!fabric_add(&fabric, "name=line kind=parallel block=65535"));
    CHECK_EQ(medium_block_max(fabric.medium[2]->medium), 1600);
    CHECK(fabric_add(&fabric, "name=less kind=ether block=1087") != NULL);
    CHECK(fabric_add(&fabric, "name=more kind=ether block=65536") != NULL);
    CHECK(fabric_add(&fabric, "name=word kind=ether block=") != NULL);
    join(&out, fabric_attach_outside(&fabric, "small", "outside"));
    join(&one, fabric_attach(&fabric, "small", "a", 1, 11, addresses[0]));
    memcpy(frame, everybody, 6);
    memcpy(frame + 6, addresses[2], 6);
    fabric_take(out.port, frame, 1514, false, now);
    fabric_take(out.port, frame, 1515, false, now);
    fabric_run(&fabric, now += LATER);
    check_got(1, 0, 0);
    close_all();
}

/* However many fetch nothing of what is said to all: the others go on, with frames of other
 * sizes, and a long one finds room at whoever has nothing waiting. */
static void test_many_that_fetch_nothing(void)
{
    enum { MANY = 200, FLOODS = 600, LONG = 1000 };
    u8 f[LONG] = {0};
    struct fabric_port *p;

    open_all();
    fabric_detach(out.port);
    for (u32 i = 0; i < MANY; i++) {
        u8 address[6] = {2, 7, 0, 0, 0, (u8)i};
        char name[8];

        snprintf(name, sizeof(name), "x%u", i);
        CHECK(fabric_attach(&fabric, "net", name, 100 + i, 0, address) != NULL);
    }
    p = fabric.medium[0]->ports;
    for (u32 i = 0; i < FLOODS; i++)
        say(&one, addresses[0], everybody, 11, 0, FRAME_DATAGRAM, 0);
    CHECK(p->unfetched > 0 && p->queued <= fabric.queue_bytes);
    CHECK_EQ(two.got, FLOODS);
    CHECK(heap.in_use < HEAP / 2);
    memcpy(f + FRAME_TO, addresses[1], 6);
    memcpy(f + FRAME_FROM, addresses[0], 6);
    be16_put(f + FRAME_TYPE, FRAME_ETHERTYPE);
    be32_put(f + FRAME_SRC, 11);
    fabric_take(one.port, f, LONG, false, now);
    fabric_run(&fabric, now += LATER);
    CHECK(two.got == FLOODS + 1 && two.len == LONG);
    while (fabric_next(p))
        fabric_given(p);
    CHECK_EQ(p->queued, 0);
    close_all();
}

TESTS(CASE(test_a_vif_says_only_its_own), CASE(test_the_first_machine_named_is_the_domains),
      CASE(test_outside_are_all_but_ours), CASE(test_frames_of_other_kinds_pass_both_ways),
      CASE(test_blocks_have_their_largest), CASE(test_many_that_fetch_nothing))

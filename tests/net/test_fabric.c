/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may say what on the fabric (H11): a vif only what is its domain's, a way outside only what
 * is nobody's here; what a medium's words may be. Transport checksums: blank ones are filled in,
 * and what a medium has damaged or nobody has looked at is not called good (I4, F04).
 */
#include "base/bytes.h"
#include "base/memory.h"
#include "net/fabric/fabric.h"
#include "net/frame.h"
#include "tests/check.h"

enum { HEAP = 8 << 20, LATER = 1000000000 };

struct end {
    struct fabric_port *port;
    u32 got, checksum;
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

bool fabric_up_arrived(struct fabric_port *p, const u8 *frame, size_t len, u32 checksum)
{
    struct end *e = p->owner;

    if (!e)
        return false; /* one that fetches nothing */
    e->got++;
    e->checksum = checksum;
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
    fabric_take(e->port, f, sizeof(f), 0, now);
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
    fabric_take(out.port, arp, sizeof(arp), 0, now);
    fabric_take(out.port, runt, sizeof(runt), 0, now);
    fabric_run(&fabric, now += LATER);
    check_got(1, 1, 0);
    CHECK_EQ(out.port->forged, 1);
    memcpy(arp + 6, addresses[0], 6);
    fabric_take(one.port, arp, sizeof(arp), 0, now);
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
    fabric_take(out.port, frame, 1514, 0, now);
    fabric_take(out.port, frame, 1515, 0, now);
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
    fabric_take(one.port, f, LONG, 0, now);
    fabric_run(&fabric, now += LATER);
    CHECK(two.got == FLOODS + 1 && two.len == LONG);
    while (fabric_next(p))
        fabric_given(p);
    CHECK_EQ(p->queued, 0);
    close_all();
}

/* --- transport checksums -------------------------------------------------------------------- */

enum { TCP = 6, UDP = 17 };

struct packet {
    bool six, vlan;
    u8 protocol, options; /* bytes of IPv4 options */
    size_t payload;
};

static u8 frame[1600];

/* A frame with its transport checksum left blank, and where the transport header begins. */
static size_t build(const struct packet *p, size_t *transport)
{
    size_t header = p->protocol == TCP ? 20 : 8, at = p->vlan ? 18 : 14;
    size_t ip = p->six ? 40u : 20u + p->options, len = header + p->payload;

    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = (u8)(i * 37 + len);
    memcpy(frame + FRAME_TO, everybody, 6);
    memcpy(frame + FRAME_FROM, addresses[0], 6);
    be16_put(frame + 12, p->vlan ? 0x8100 : p->six ? 0x86dd : 0x800);
    be16_put(frame + at - 2, p->six ? 0x86dd : 0x800);
    if (p->six) {
        frame[at] = 0x60;
        be16_put(frame + at + 4, (u16)len);
        frame[at + 6] = p->protocol;
    } else {
        frame[at] = (u8)(0x40 + ip / 4);
        be16_put(frame + at + 2, (u16)(ip + len));
        be16_put(frame + at + 6, 0x4000); /* not to be fragmented, and no fragment */
        frame[at + 9] = p->protocol;
    }
    *transport = at + ip;
    be16_put(frame + *transport + (p->protocol == TCP ? 16 : 6), 0xdead);
    return *transport + len;
}

/* The sum of RFC 1071 over pseudo header and transport, computed word by word on its own; a right
 * checksum makes it 0xffff. */
static u32 whole_sum(const struct packet *p, size_t transport, size_t len)
{
    static u8 all[1700];
    size_t addresses_at = p->six ? transport - 32 : transport - p->options - 8;
    size_t count = p->six ? 32 : 8;
    u64 total = 0;

    memset(all, 0, sizeof(all));
    memcpy(all, frame + addresses_at, count);
    all[count + 1] = p->protocol;
    be16_put(all + count + 2, (u16)(len - transport));
    memcpy(all + count + 4, frame + transport, len - transport);
    for (size_t i = 0; i < count + 4 + len - transport; i += 2)
        total += (u64)all[i] << 8 | all[i + 1];
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (u32)total;
}

static void test_blank_checksums_are_filled_in(void)
{
    static const size_t payloads[] = {0, 1, 2, 3, 1000, 1447};

    for (u32 kind = 0; kind < 16 * ARRAY_SIZE(payloads); kind++) {
        struct packet p = {.six = kind & 1,
                           .vlan = kind & 2,
                           .protocol = kind & 4 ? TCP : UDP,
                           .options = kind & 8 && !(kind & 1) ? 8 : 0,
                           .payload = payloads[kind / 16]};
        size_t transport, len = build(&p, &transport);

        memset(frame + len, 0x5a, 16); /* what is behind the packet does not count */
        CHECK(checksum_fill(frame, len + 16));
        CHECK_EQ(whole_sum(&p, transport, len), 0xffff);
        CHECK_EQ(frame[len], 0x5a);
    }
}

/* UDP says 0 for "none": a sum of 0 is sent as 0xffff (RFC 768). */
static void test_a_checksum_of_nothing(void)
{
    struct packet p = {.protocol = UDP, .payload = 2};
    size_t transport, len = build(&p, &transport);
    u32 minus = 0;

    for (u32 i = 0; i < 0x10000; i++) {
        be16_put(frame + len - 2, (u16)i);
        CHECK(checksum_fill(frame, len));
        CHECK(be16_get(frame + transport + 6) != 0);
        minus += be16_get(frame + transport + 6) == 0xffff;
    }
    CHECK(minus >= 1);
}

/* Fragments, other protocols and packets that are not whole stay as they are. */
static void test_no_checksum_to_fill(void)
{
    static const struct {
        size_t at;
        u16 value;
    } changes[] = {
        {12, 0x806},       /* no IP */
        {14, 0x6500},      /* another version */
        {14, 0x4400},      /* a header shorter than there is */
        {14, 0x4f00},      /* and one longer than the packet */
        {16, 19},          /* shorter than its header */
        {16, 30},          /* no room for a transport header */
        {16, 0xffff},      /* longer than the frame */
        {20, 0x2000},      /* a first fragment */
        {20, 1},           /* a later one */
        {22, 0x4000 | 47}, /* another protocol */
    };
    struct packet p = {.protocol = TCP, .payload = 20}, six = {.six = true, .protocol = UDP};
    size_t transport, len;
    u8 before[128];

    for (u32 i = 0; i < ARRAY_SIZE(changes); i++) {
        len = build(&p, &transport);
        be16_put(frame + changes[i].at, changes[i].value);
        memcpy(before, frame, len);
        CHECK(!checksum_fill(frame, len));
        CHECK(memcmp(before, frame, len) == 0);
    }
    len = build(&p, &transport);
    for (size_t i = 0; i < len; i++)
        CHECK(!checksum_fill(frame, i));
    len = build(&six, &transport);
    for (size_t i = 0; i < len; i++)
        CHECK(!checksum_fill(frame, i));
    CHECK(checksum_fill(frame, len));
}

/* Sends a whole UDP packet with that word about its checksum. */
static void say_packet(struct end *e, u32 checksum)
{
    struct packet p = {.protocol = UDP, .payload = 400};
    size_t transport, len = build(&p, &transport);

    if (e->port->outside)
        memcpy(frame + FRAME_FROM, addresses[2], 6);
    two.checksum = 99;
    fabric_take(e->port, frame, len, checksum, now);
    fabric_run(&fabric, now += LATER);
}

static void test_only_what_is_good_is_called_good(void)
{
    static const char *const damages[] = {"net corrupt 1", "net truncate 1", "net pad 1",
                                          "net biterror 0.1"};
    u32 at_two = 0;

    open_all();
    say_packet(&one, CHECKSUM_BLANK);
    CHECK_EQ(two.checksum, CHECKSUM_GOOD);
    say_packet(&one, CHECKSUM_BLANK | CHECKSUM_GOOD);
    CHECK_EQ(two.checksum, CHECKSUM_GOOD);
    say_packet(&one, CHECKSUM_GOOD);
    CHECK_EQ(two.checksum, CHECKSUM_GOOD);
    say_packet(&one, 0); /* its sender has not looked */
    CHECK_EQ(two.checksum, 0);
    say_packet(&out, 0); /* from outside nobody says so */
    CHECK_EQ(two.checksum, 0);
    for (u32 i = 0; i < ARRAY_SIZE(damages); i++) {
        CHECK(!fabric_fault(&fabric, damages[i], now));
        for (u32 checksum = 0; checksum < 4; checksum++) {
            say_packet(&one, checksum);
            CHECK_EQ(two.checksum, 0);
        }
        CHECK(!fabric_fault(&fabric, "net clear", now));
    }
    two.port->owner = NULL; /* and none of it changes while a frame waits */
    CHECK(!fabric_fault(&fabric, "net corrupt 0.5", now));
    for (u32 i = 0; i < 64; i++) {
        const struct fabric_frame *f;

        say_packet(&one, CHECKSUM_BLANK);
        f = fabric_next(two.port);
        CHECK(f && f->checksum == (memcmp(f->bytes, frame, f->len) ? 0 : CHECKSUM_GOOD));
        at_two += f->checksum;
        fabric_given(two.port);
    }
    CHECK(at_two && at_two < 64 * CHECKSUM_GOOD);
    close_all();
}

TESTS(CASE(test_a_vif_says_only_its_own), CASE(test_the_first_machine_named_is_the_domains),
      CASE(test_outside_are_all_but_ours), CASE(test_frames_of_other_kinds_pass_both_ways),
      CASE(test_blocks_have_their_largest), CASE(test_many_that_fetch_nothing),
      CASE(test_blank_checksums_are_filled_in), CASE(test_a_checksum_of_nothing),
      CASE(test_no_checksum_to_fill), CASE(test_only_what_is_good_is_called_good))

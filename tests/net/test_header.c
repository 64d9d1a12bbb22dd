/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One header (DN06): whatever is said, a frame is its 64 bytes and then bytes of the message, with
 * nothing wrapped in between; so what a message costs on the wire is its length and 64 a frame. The
 * check over it is CRC-32C as others compute it (DN11).
 */
#include "net/frame.h"
#include "tests/check.h"
#include "tests/net/sim.h"

#define SECOND 1000000000ull

static struct {
    u32 frames, kinds; /* kinds: a bit for each that was seen */
    u64 wire, said;    /* bytes of frames with words of a message; of them the message's */
} seen;

static void watch(struct sim *s, struct medium *m, const struct medium_event *e)
{
    u32 kind, body;

    (void)s, (void)m;
    if (e->type != MEDIUM_SENT)
        return;
    CHECK(e->len >= NET_HEADER);
    CHECK_EQ(be16_get(e->frame + FRAME_TYPE), FRAME_ETHERTYPE);
    CHECK_EQ(e->frame[FRAME_VER], FRAME_VERSION);
    kind = e->frame[FRAME_KIND];
    body = be16_get(e->frame + FRAME_BODY);
    CHECK_EQ(e->len, NET_HEADER + body);
    seen.kinds |= 1u << kind;
    if (kind != FRAME_DATA && kind != FRAME_DATAGRAM)
        return;
    seen.frames++;
    seen.wire += e->len;
    seen.said += body;
}

static void one_message(struct sim *s, u32 len)
{
    memset(&seen, 0, sizeof seen);
    CHECK_EQ(sim_send(s, 0, 1, len), NET_OK);
    CHECK(sim_settle(s, s->now + 1000 * SECOND));
    CHECK_EQ(seen.said, len);
    CHECK_EQ(seen.wire, len + (u64)NET_HEADER * seen.frames);
    CHECK(seen.frames <= (len + SECTION - 1) / SECTION);
}

static void test_guaranteed(void)
{
    static const u32 sizes[] = {24,   25,   100,  1023,  1024,
                                1025, 2048, 5000, 65536, NET_MESSAGE_MAX};
    static const enum medium_kind kinds[] = {MEDIUM_PARALLEL, MEDIUM_SERIAL, MEDIUM_ACK_ETHER,
                                             MEDIUM_ETHER};

    for (u32 k = 0; k < ARRAY_SIZE(kinds); k++) {
        struct sim *s = sim_two(kinds[k], 0, k + 1);

        sim_run(s, 60 * SECOND);
        s->watch = watch;
        for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
            one_message(s, sizes[i]);
        CHECK_EQ(s->violations, 0);
        sim_destroy(s);
    }
}

/* What nobody guarantees has no other header, and what the nodes say among themselves neither. */
static void test_every_kind(void)
{
    struct sim *s = sim_two(MEDIUM_ETHER, 0, 9);
    u8 words[100] = {0};

    s->watch = watch;
    memset(&seen, 0, sizeof seen);
    sim_run(s, 60 * SECOND);
    CHECK(seen.kinds & 1u << FRAME_ROUTE);
    memset(&seen, 0, sizeof seen);
    CHECK_EQ(
        net_send(s->node[0].net, s->node[1].machine, NET_UNGUARANTEED, words, 10, words, 90),
        NET_OK);
    sim_touch(&s->node[0]);
    sim_run(s, s->now + SECOND);
    CHECK(seen.kinds & 1u << FRAME_DATAGRAM);
    CHECK_EQ(seen.said, 100);
    CHECK_EQ(seen.wire, 100 + NET_HEADER);
    sim_destroy(s);
}

static void spoil_check(struct sim *s, struct medium *m, const struct medium_event *e)
{
    (void)s, (void)m;
    if (e->type == MEDIUM_SENT && e->frame[FRAME_KIND] == FRAME_DATAGRAM)
        ((u8 *)(uintptr_t)e->frame)[FRAME_CRC] ^= 1;
}

/* DN11: whoever brings a frame may say that it is as it was sent; then nobody looks at its check again. */
static void test_checked_on_the_way(void)
{
    for (u32 checked = 0; checked < 2; checked++) {
        struct sim *s = sim_two(MEDIUM_ETHER, 0, 11);
        u8 words[16] = {0};

        sim_run(s, SECOND);
        s->watch = spoil_check;
        s->node[1].device[0].device.checked = checked;
        CHECK_EQ(
            net_send(s->node[0].net, s->node[1].machine, NET_UNGUARANTEED, words, 8, words, 8),
            NET_OK);
        sim_touch(&s->node[0]);
        sim_run(s, s->now + SECOND);
        CHECK_EQ(SIM_SUM(s, got_plain), checked);
        CHECK_EQ(SIM_SUM(s, corrupt), !checked);
        sim_destroy(s);
    }
}

TESTS(CASE(test_guaranteed), CASE(test_every_kind), CASE(test_checked_on_the_way))

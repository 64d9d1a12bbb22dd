/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a medium model promises, held against what comes out of it: rates and latencies from both
 * sides, the recorder's acknowledge slot, queues, how often and by how much faults strike (F01-F06),
 * who hears whom in partitions of several shapes and in a crowd, and that each decision is drawn by its own key:
 * no other traffic, medium or fault changes it.
 */
#include "base/keyed.h"
#include "net/media/medium.h"
#include "net/net.h"
#include "tests/check.h"

#define US     1000ull
#define MS     1000000ull
#define SECOND 1000000000ull

enum { MEMORY = 8 << 20, NUMBERS = 4096, PORTS = 6, FRAME = 1000 };

static u8 memory[MEMORY];
static struct heap heap;
static u64 whys[MEDIUM_WHYS];
/* What became of the frames of port 0 to port 1, by number; a bit for each cause. */
static u32 fate[NUMBERS];
static bool noting;

void medium_up_event(struct medium *m, const struct medium_event *e)
{
    (void)m;
    if (e->type == MEDIUM_DROPPED || e->type == MEDIUM_CHANGED)
        whys[e->why]++;
    if (noting && e->type != MEDIUM_SENT && !e->from && e->to == 1 && e->number < NUMBERS)
        fate[e->number] |= 1u << e->why;
}

static struct medium *make(enum medium_kind kind, u32 id, u32 ports, u64 rate)
{
    struct medium_config c = {
        .kind = kind, .id = id, .ports = ports, .seed = 77, .rate = rate, .name = "m"};
    u8 address[6] = {2};
    struct medium *m = medium_create(&heap, &c);

    for (u32 i = 0; i < ports; i++) {
        address[5] = (u8)(i + 1);
        medium_port(m, i, NULL, address);
    }
    return m;
}

static struct medium *fresh(enum medium_kind kind, u32 ports, u64 rate)
{
    heap_init(&heap, memory, MEMORY);
    memset(whys, 0, sizeof(whys));
    noting = false;
    return make(kind, 1, ports, rate);
}

static void end(struct medium *m)
{
    medium_destroy(m);
    CHECK_EQ(heap.in_use, 0);
}

static void fault(struct medium *m, const char *line, u64 now)
{
    const char *wrong = medium_command(m, line, now);

    if (wrong)
        printf("%s: %s\n", line, wrong);
    CHECK(!wrong);
}

static void send(struct medium *m, u32 from, u32 to, size_t len, u64 now)
{
    u8 frame[2000] = {2, 0, 0, 0, 0, (u8)(to + 1)};

    if (to == MEDIUM_ANY)
        memset(frame, 0xff, 6);
    medium_send(m, from, frame, len, now);
}

/* When the next frame arrives, and where; 0: none will. */
static u64 next(struct medium *m, struct medium_arrival *a)
{
    u64 at = medium_deadline(m);

    return at != ~0ull && medium_deliver(m, at, a) ? at : 0;
}

/* How many arrive, and when the last did. */
static u32 drain(struct medium *m, u64 *last)
{
    struct medium_arrival a;
    u32 count = 0;
    u64 at;

    while ((at = next(m, &a))) {
        count++;
        *last = at;
    }
    return count;
}

/* Each kind's own rate and latency: a frame is never earlier and never later than they say. */
static void test_rates(void)
{
    static const struct {
        enum medium_kind kind;
        u64 frame_ns, gap_ns, latency_ns;
    } kinds[] = {
        {MEDIUM_PARALLEL, FRAME * SECOND / 5000, 0, 20 * US},
        {MEDIUM_SERIAL, FRAME * 10 * SECOND / 19200, 0, 100 * US},
        {MEDIUM_ACK_ETHER, FRAME * 800, 9600, 5 * US},
        {MEDIUM_ETHER, FRAME * 8, 96, 5 * US},
    };

    for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct medium *m = fresh(kinds[i].kind, 2, 0);
        struct medium_arrival a;
        u64 each = kinds[i].frame_ns + kinds[i].gap_ns;

        for (u32 k = 0; k < 10; k++)
            send(m, 0, 1, FRAME, 7);
        for (u32 k = 1; k <= 10; k++) {
            CHECK_EQ(next(m, &a), 7 + k * each + kinds[i].latency_ns);
            CHECK(a.port == 1 && a.number == k && a.len == FRAME);
        }
        /* The other way at the same time: only a shared medium makes it wait. */
        send(m, 0, 1, FRAME, SECOND * 100);
        send(m, 1, 0, FRAME, SECOND * 100);
        CHECK_EQ(next(m, &a), SECOND * 100 + each + kinds[i].latency_ns);
        CHECK_EQ(next(m, &a), SECOND * 100 + kinds[i].latency_ns +
                                  (kinds[i].kind == MEDIUM_ACK_ETHER ? 2 : 1) * each);
        end(m);
    }
}

/* An acknowledging ether: each frame has 51.2 us behind it in which the recorder answers, and what
 * it did not get nobody gets. */
static void test_recorder(void)
{
    struct medium *m = fresh(MEDIUM_ACK_ETHER, 4, 0);
    const u64 each = FRAME * 800 + 9600 + 51200;
    struct medium_arrival a;
    u64 at, last;

    fault(m, "recorder 3", 0);
    send(m, 0, 1, FRAME, 0);
    send(m, 0, 1, FRAME, 0);
    CHECK_EQ(next(m, &a), each + 5 * US); /* the recorder hears what is for others */
    CHECK_EQ(next(m, &a), each + 5 * US);
    CHECK_EQ(drain(m, &last), 2);
    CHECK_EQ(last, 2 * each + 5 * US);

    at = SECOND;
    fault(m, "loss 1 0>3", at);
    send(m, 0, 1, FRAME, at);
    send(m, 0, MEDIUM_ANY, FRAME, at);
    CHECK_EQ(drain(m, &last), 0);
    CHECK_EQ(whys[MEDIUM_RECORDER], 2);
    send(m, 1, MEDIUM_ANY, FRAME, at);
    CHECK_EQ(drain(m, &last), 3);
    fault(m, "loss off", at);
    fault(m, "corrupt 1 1 0>3", at); /* damaged is not recorded */
    send(m, 0, 1, FRAME, at);
    CHECK_EQ(drain(m, &last), 0);
    fault(m, "corrupt off", at);
    fault(m, "loss 1 0>1", at); /* lost on the way to its receiver alone: recorded */
    send(m, 0, 1, FRAME, at);
    CHECK_EQ(drain(m, &last), 1);
    CHECK_EQ(whys[MEDIUM_RECORDER], 3);
    fault(m, "loss off", at);

    at = 2 * SECOND;
    send(m, 3, 1, FRAME, at); /* the recorder's own frames nobody need acknowledge */
    CHECK_EQ(next(m, &a), at + each + 5 * US);
    CHECK_EQ(drain(m, &last), 0);
    medium_port_up(m, 3, false);
    send(m, 0, 1, FRAME, 3 * SECOND);
    CHECK_EQ(drain(m, &last), 0);
    CHECK_EQ(whys[MEDIUM_RECORDER], 4);
    fault(m, "recorder off", 3 * SECOND);
    send(m, 0, 1, FRAME, 4 * SECOND);
    CHECK_EQ(next(m, &a), 4 * SECOND + each - 51200 + 5 * US);
    end(m);
    m = fresh(MEDIUM_ETHER, 2, 0);
    CHECK(medium_command(m, "recorder 1", 0) != NULL);
    end(m);
}

/* Full queues drop, and say so; another room and another rate hold until they are lifted, and then
 * the medium's own is back. */
static void test_queue_and_rate(void)
{
    struct medium *m = fresh(MEDIUM_PARALLEL, 2, 10000);
    struct medium_arrival a;
    u64 last;

    fault(m, "queue 3000", 0);
    CHECK_EQ(medium_room(m, 0, 0), 3000);
    for (u32 i = 0; i < 5; i++)
        send(m, 0, 1, FRAME, 0);
    CHECK_EQ(whys[MEDIUM_QUEUE], 2);
    CHECK_EQ(medium_room(m, 0, 0), 0);
    CHECK_EQ(medium_room(m, 0, 100 * MS), FRAME);
    CHECK_EQ(medium_room(m, 1, 0), 3000); /* of each sender's own */
    CHECK_EQ(drain(m, &last), 3);
    fault(m, "queue 0", SECOND);
    CHECK_EQ(medium_room(m, 0, SECOND), 16384);

    fault(m, "rate 2000", SECOND);
    send(m, 0, 1, FRAME, SECOND);
    CHECK_EQ(next(m, &a), SECOND + 500 * MS + 20 * US);
    CHECK_EQ(whys[MEDIUM_RATE], 1);
    fault(m, "rate 0", 2 * SECOND);
    send(m, 0, 1, FRAME, 2 * SECOND);
    CHECK_EQ(next(m, &a), 2 * SECOND + 100 * MS + 20 * US);
    CHECK_EQ(whys[MEDIUM_RATE], 1);

    fault(m, "stall 700ms", 3 * SECOND);
    send(m, 0, 1, FRAME, 3 * SECOND + 100 * MS);
    send(m, 0, 1, FRAME, 3 * SECOND + 200 * MS);
    CHECK_EQ(next(m, &a), 3 * SECOND + 800 * MS + 20 * US);
    CHECK_EQ(next(m, &a), 3 * SECOND + 900 * MS + 20 * US);
    CHECK_EQ(whys[MEDIUM_STALL], 2);

    fault(m, "rate 2000", 5 * SECOND);
    fault(m, "queue 3000", 5 * SECOND);
    fault(m, "clear", 5 * SECOND);
    CHECK_EQ(medium_rate(m), 10000);
    CHECK_EQ(medium_room(m, 0, 5 * SECOND), 16384);
    end(m);
}

/* Sends frames a second apart; how late each is beyond the line's time: least, most, and in all how
 * many arrived. */
struct lateness {
    u64 least, most;
    u32 arrived;
};

static struct lateness lateness(struct medium *m, u32 frames)
{
    static u64 seconds;
    struct lateness l = {.least = ~0ull};
    struct medium_arrival a;

    for (u32 i = 0; i < frames; i++) {
        u64 sent = ++seconds * SECOND, at;

        send(m, 0, 1, FRAME, sent);
        while ((at = next(m, &a))) {
            u64 late = at - sent - FRAME * 8 - 96 - 5 * US;

            l.least = MIN(l.least, late);
            l.most = MAX(l.most, late);
            l.arrived++;
        }
    }
    return l;
}

static bool near(u64 value, u64 expected, u64 off)
{
    if (value + off < expected || value > expected + off)
        printf("%llu is not %llu\n", (unsigned long long)value, (unsigned long long)expected);
    return value + off >= expected && value <= expected + off;
}

/* Later by what was said, never more; the odds and lengths as often as was said. */
static void test_bounds(void)
{
    struct medium *m = fresh(MEDIUM_ETHER, 2, 0);
    struct lateness l;

    fault(m, "delay 5ms", 0);
    l = lateness(m, 10);
    CHECK(l.least == 5 * MS && l.most == 5 * MS && l.arrived == 10);
    CHECK_EQ(whys[MEDIUM_DELAY], 10);
    fault(m, "clear", 0);
    fault(m, "jitter 4ms", 0);
    l = lateness(m, 2000);
    CHECK(l.least < 40 * US && l.most > 3960 * US && l.most < 4 * MS && l.arrived == 2000);
    CHECK_EQ(whys[MEDIUM_JITTER], 2000);
    fault(m, "clear", 0);
    fault(m, "reorder 0.25 4ms", 0);
    l = lateness(m, 2000);
    CHECK(l.least == 0 && l.most > 3900 * US && l.most <= 4 * MS && l.arrived == 2000);
    CHECK(near(whys[MEDIUM_REORDER], 500, 60));
    fault(m, "clear", 0);
    fault(m, "duplicate 0.25 4ms", 0);
    l = lateness(m, 2000);
    CHECK(l.least == 0 && l.most > 3900 * US && l.most <= 4 * MS);
    CHECK(near(whys[MEDIUM_DUPLICATE], 500, 60));
    CHECK_EQ(l.arrived, 2000 + whys[MEDIUM_DUPLICATE]);
    end(m);
}

static void test_odds(void)
{
    static const struct {
        const char *line;
        enum medium_why why;
        u32 expected, off; /* of 4000 frames */
    } odds[] = {
        {"loss 0.2", MEDIUM_LOSS, 800, 80},
        {"loss 0.001", MEDIUM_LOSS, 4, 8},
        {"burst 0.02 0.2", MEDIUM_BURST, 364, 120}, /* 0.02 / 0.22 of the time */
        {"corrupt 0.1 8", MEDIUM_CORRUPT, 400, 60},
        {"truncate 0.1", MEDIUM_TRUNCATE, 400, 60},
        {"pad 0.1", MEDIUM_PAD, 400, 60},
        {"biterror 0.00001", MEDIUM_BITERROR, 320, 60}, /* 8,000 bits a frame */
        {"biterror 0.0001", MEDIUM_BITERROR, 3200, 100},
        {"loss 1", MEDIUM_LOSS, 4000, 0},
        {"loss 0", MEDIUM_LOSS, 0, 0},
    };

    for (u32 i = 0; i < ARRAY_SIZE(odds); i++) {
        struct medium *m = fresh(MEDIUM_ETHER, 2, 0);
        u32 wrong = 0, shorter = 0, longer = 0;

        fault(m, odds[i].line, 0);
        for (u32 k = 0; k < 4000; k++) {
            u8 sent[FRAME] = {2, 0, 0, 0, 0, 2};
            struct medium_arrival a;

            send(m, 0, 1, FRAME, k * SECOND);
            if (!next(m, &a))
                continue;
            wrong += memcmp(a.frame, sent, MIN(a.len, (size_t)FRAME)) != 0;
            shorter += a.len < FRAME;
            longer += a.len > FRAME;
        }
        if (!near(whys[odds[i].why], odds[i].expected, odds[i].off)) {
            printf("`%s`\n", odds[i].line);
            CHECK(false);
        }
        CHECK_EQ(wrong, whys[MEDIUM_CORRUPT] + whys[MEDIUM_BITERROR]);
        CHECK_EQ(shorter, whys[MEDIUM_TRUNCATE]);
        CHECK_EQ(longer, whys[MEDIUM_PAD]);
        end(m);
    }
}

/* Losses of the bad state come one behind the other, as many as said. */
static void test_bursts(void)
{
    struct medium *m = fresh(MEDIUM_ETHER, 2, 0);
    u32 runs = 0;

    fault(m, "burst 0.02 0.2", 0);
    noting = true;
    memset(fate, 0, sizeof(fate));
    for (u32 i = 1; i < NUMBERS; i++) {
        u64 last;

        send(m, 0, 1, FRAME, i * SECOND);
        drain(m, &last);
        runs += fate[i] >> MEDIUM_BURST & 1 && !(fate[i - 1] >> MEDIUM_BURST & 1);
    }
    CHECK(runs > 20);
    CHECK(near(whys[MEDIUM_BURST] * 10 / runs, 50, 15)); /* five on end */
    end(m);
}

/* Down and up, each for the time that was said, from when it was said. */
static void test_flapping(void)
{
    struct medium *m = fresh(MEDIUM_ETHER, 2, 0);
    u64 last;

    fault(m, "flap 10ms 0>1", 3 * MS);
    for (u32 i = 0; i < 100; i++) {
        u64 now = 3 * MS + i * MS + 500 * US;

        send(m, 0, 1, FRAME, now);
        CHECK_EQ(drain(m, &last), i / 10 % 2);
        send(m, 1, 0, FRAME, now);
        CHECK_EQ(drain(m, &last), 1);
    }
    CHECK_EQ(whys[MEDIUM_FLAP], 50);
    CHECK_EQ(whys[MEDIUM_CUT], 0);
    fault(m, "heal", SECOND);
    send(m, 0, 1, FRAME, SECOND);
    CHECK_EQ(drain(m, &last), 1);
    end(m);
}

/* Bit b of hears[a]: b gets what a says to all. */
static void who_hears(struct medium *m, u64 now, u32 hears[PORTS])
{
    struct medium_arrival a;

    memset(hears, 0, PORTS * sizeof(*hears));
    for (u32 i = 0; i < PORTS; i++) {
        send(m, i, MEDIUM_ANY, FRAME, now + i * SECOND);
        while (next(m, &a))
            hears[i] |= 1u << a.port;
    }
}

/* Shapes of partitions: halves, three parts, one alone, a bridge that both sides hear, a ring in
 * which each hears its two neighbours, and one way only. */
static void test_partitions(void)
{
    static const struct {
        const char *lines[4];
        u32 hears[PORTS];
    } shapes[] = {
        {{"partition 0,1,2|3,4,5"}, {0x06, 0x05, 0x03, 0x30, 0x28, 0x18}},
        {{"partition 0,1|2,3|4,5"}, {0x02, 0x01, 0x08, 0x04, 0x20, 0x10}},
        {{"partition 2"}, {0x3a, 0x39, 0, 0x33, 0x2b, 0x1b}},
        {{"cut 2"}, {0x3a, 0x39, 0, 0x33, 0x2b, 0x1b}},
        {{"cut *>2", "cut 3>*"}, {0x3a, 0x39, 0x3b, 0, 0x2b, 0x1b}},
    };
    struct medium *m = fresh(MEDIUM_ETHER, PORTS, 0);
    u32 hears[PORTS];
    char line[16];

    for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
        u64 now = (i + 1) * 100 * SECOND;

        for (u32 k = 0; k < 4 && shapes[i].lines[k]; k++)
            fault(m, shapes[i].lines[k], now);
        who_hears(m, now, hears);
        CHECK(memcmp(hears, shapes[i].hears, sizeof(hears)) == 0);
        fault(m, "heal", now);
        who_hears(m, now + 50 * SECOND, hears);
        for (u32 k = 0; k < PORTS; k++)
            CHECK_EQ(hears[k], 0x3f & ~(1u << k));
    }
    for (u32 shape = 0; shape < 2; shape++) { /* a bridge (port 2), a ring */
        for (u32 i = 0; i < PORTS; i++) {
            for (u32 k = 0; k < PORTS; k++) {
                bool apart = shape ? (i + 1) % PORTS != k && (k + 1) % PORTS != i
                                   : i != 2 && k != 2 && (i < 2) != (k < 2);

                snprintf(line, sizeof(line), "cut %u>%u", i, k);
                if (apart && i != k)
                    fault(m, line, 0);
            }
        }
        who_hears(m, (2000 + shape * 100) * SECOND, hears);
        CHECK_EQ(hears[2], shape ? 0x0a : 0x3b);
        CHECK_EQ(hears[0], shape ? 0x22 : 0x06);
        CHECK_EQ(hears[5], shape ? 0x11 : 0x1c);
        fault(m, "heal", 0);
    }
    end(m);
}

/* What becomes of port 0's frames to port 1. `others`: 1 other ports send as well, 2 so do ports
 * of another medium in the same memory, 4 other faults are in force. */
static void fates(const char *line, u32 others, u32 id, u32 into[NUMBERS])
{
    struct medium *m, *aside;
    u64 last;

    heap_init(&heap, memory, MEMORY);
    memset(fate, 0, sizeof(fate));
    noting = false;
    m = make(MEDIUM_ETHER, id, 4, 0);
    aside = make(MEDIUM_ETHER, 9, 4, 0);
    if (others & 4) { /* on every way, or other kinds on the same one */
        fault(m, "loss 0.5 1>0", 0);
        fault(m, "delay 1ms", 0);
        fault(m, "jitter 1ms 0>1", 0);
        if (!strstr(line, "duplicate"))
            fault(m, "duplicate 0.3 1ms", 0);
        if (!strstr(line, "corrupt"))
            fault(m, "corrupt 0.4 3", 0);
    }
    fault(m, line, 0);
    fault(aside, "loss 0.5", 0);
    for (u32 i = 1; i < NUMBERS; i++) {
        u64 now = i * MS * 10;

        noting = false;
        for (u32 k = 1; others & 1 && k < 4; k++)
            send(m, k, (k + i) % 4, FRAME, now);
        for (u32 k = 0; others & 2 && k < 4; k++)
            send(aside, k, (k + i) % 4, FRAME, now);
        noting = true;
        send(m, 0, 1, FRAME, now);
        drain(m, &last);
        drain(aside, &last);
    }
    memcpy(into, fate, sizeof(fate));
    noting = false;
    medium_destroy(m);
    medium_destroy(aside);
}

static void test_decisions_stay(void)
{
    static const struct {
        const char *line;
        enum medium_why why;
    } kinds[] = {
        {"loss 0.2", MEDIUM_LOSS},
        {"burst 0.05 0.3", MEDIUM_BURST},
        {"duplicate 0.2 1ms", MEDIUM_DUPLICATE},
        {"reorder 0.2 1ms", MEDIUM_REORDER},
        {"corrupt 0.2 3", MEDIUM_CORRUPT},
        {"truncate 0.2", MEDIUM_TRUNCATE},
        {"pad 0.2", MEDIUM_PAD},
        {"biterror 0.00002", MEDIUM_BITERROR},
        {"drop 100 0>1", MEDIUM_NTH},
    };
    static u32 alone[NUMBERS], with[NUMBERS];

    for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
        u32 bit = 1u << kinds[i].why, hits = 0, changed = 0;

        fates(kinds[i].line, 0, 1, alone);
        for (u32 others = 1; others < 8; others++) {
            fates(kinds[i].line, others, 1, with);
            for (u32 k = 1; k < NUMBERS; k++)
                changed += (alone[k] & bit) != (with[k] & bit);
        }
        if (changed)
            printf("`%s`: %u decisions\n", kinds[i].line, changed);
        CHECK_EQ(changed, 0);
        fates(kinds[i].line, 0, 2, with); /* on another medium they are others */
        for (u32 k = 1; k < NUMBERS; k++) {
            hits += (alone[k] & bit) != 0;
            changed += (alone[k] & bit) != (with[k] & bit);
        }
        CHECK(hits > 300 || kinds[i].why == MEDIUM_NTH);
        CHECK(changed > 300 || kinds[i].why == MEDIUM_NTH);
    }
    CHECK(alone[100] & 1u << MEDIUM_NTH && !(alone[99] & 1u << MEDIUM_NTH));
}

/* A fault that names a node which joins later strikes it from its first frame on. */
static void test_named_before_it_comes(void)
{
    struct medium_config c = {
        .kind = MEDIUM_ETHER, .id = 1, .ports = 1, .seed = 7, .name = "m"};
    struct medium *m;
    u64 last;

    for (u32 they_come = 0; they_come < 2; they_come++) {
        heap_init(&heap, memory, MEMORY);
        memset(whys, 0, sizeof(whys));
        c.they_come = they_come;
        m = medium_create(&heap, &c);
        medium_port(m, 0, "early", NULL);
        CHECK_EQ(!medium_command(m, "partition early|later", 0), they_come);
        fault(m, "heal", 0);
        CHECK_EQ(!medium_command(m, "cut early>late", 0), they_come);
        CHECK(medium_command(m, "cut early>7", 0) != NULL);
        CHECK(medium_command(m, "cut early>a-name-that-is-too-long-for-a-port", 0) != NULL);
        for (const char *const *name = (const char *const[]){"other", "late", "later", NULL};
             *name; name++)
            medium_port_up(m, medium_add_port(m, *name), true);
        medium_port_up(m, 0, true);
        send(m, 0, MEDIUM_ANY, FRAME, 0);
        CHECK_EQ(drain(m, &last), they_come ? 2 : 3);
        CHECK_EQ(whys[MEDIUM_CUT], they_come);
        end(m);
    }
}

/* A frame to all is heard once by each other port, in their order, but for who is cut off, late, or gone
 * by then; and what many say to very many takes little more memory than its bytes. */
static void test_crowds(void)
{
    enum { CROWD = 200, SAID = 99, LATE = 5, SENDER = 99 };
    struct medium *m = fresh(MEDIUM_ETHER, CROWD, 0);
    size_t before = heap.in_use;
    struct medium_arrival a;
    u32 expected = 0, heard = 0;
    u64 last;

    for (u32 i = 0; i < SAID; i++)
        send(m, i % 3 * SENDER, MEDIUM_ANY, FRAME, 0);
    CHECK(heap.in_use - before < SAID * 2 * FRAME);
    medium_port_up(m, 9, false);
    CHECK_EQ(drain(m, &last), SAID * (CROWD - 2));
    medium_port_up(m, 9, true);
    fault(m, "cut 99>98", 0);
    fault(m, "cut 99>101", 0);
    fault(m, "delay 1ms 99>5", 0);
    send(m, SENDER, MEDIUM_ANY, FRAME, SECOND);
    for (; next(m, &a) && a.port != LATE; heard++, expected = a.port + 1) {
        while (expected == LATE || (expected >= 98 && expected <= 101 && expected != 100))
            expected++;
        CHECK_EQ(a.port, expected);
    }
    CHECK_EQ(heard, CROWD - 4);
    CHECK_EQ(a.port, LATE);
    CHECK_EQ(drain(m, &last), 0);
    end(m);
}

/* A frame for one finds its port among many, whoever came, went, or took another's address. */
static void test_addresses(void)
{
    enum { MANY = 200, ADDRESSES = 60 };
    struct medium *m = fresh(MEDIUM_ETHER, 3, 0);
    u8 address[6] = {2}, has[MANY] = {1, 2, 3}, f[FRAME] = {0};
    struct medium_arrival a;
    char name[MEDIUM_NAME];

    for (u32 k = 0; k < 4000; k++) {
        u64 draw = keyed_random(11, 1, k);
        u32 ports = medium_config(m)->ports, port = (u32)(draw % ports);
        bool known = false;

        if (draw / MANY % 16 == 0 && ports < MANY) {
            snprintf(name, sizeof(name), "p%u", ports);
            medium_port_up(m, medium_add_port(m, name), true);
        } else if (draw / MANY % 4 == 0) {
            has[port] = (u8)(draw >> 32) % ADDRESSES; /* 0: of zeros, which is none */
            memset(address, 0, 6);
            address[0] = has[port] ? 2 : 0;
            address[5] = has[port];
            medium_port(m, port, NULL, address);
        }
        f[5] = (u8)(draw >> 40) % ADDRESSES;
        f[0] = f[5] ? 2 : 0;
        for (u32 i = 0; i < medium_config(m)->ports; i++)
            known |= f[5] && has[i] == f[5];
        medium_send(m, port, f, FRAME, k * 1000000ull);
        for (u32 i = 0; medium_deliver(m, (k + 1) * 1000000ull - 1, &a); i++)
            CHECK(known ? has[a.port] == f[5] && !i : a.port != port);
    }
    CHECK_EQ(medium_config(m)->ports, MANY);
    end(m);
}

/* Of frames for a group, a port that has said which it wants gets those. */
static void test_groups(void)
{
    static u64 some[NET_GROUPS / 64], none[NET_GROUPS / 64];
    struct medium *m = fresh(MEDIUM_ETHER, 4, 0);
    u8 f[FRAME] = {0};
    u64 last;

    some[5 / 64] |= 1ull << 5;
    medium_port_groups(m, 1, some);
    medium_port_groups(m, 2, none);
    for (u32 group = 0; group < NET_GROUPS; group++) {
        net_group_address(f, group);
        medium_send(m, 0, f, FRAME, group * 1000000ull);
        CHECK_EQ(drain(m, &last), group == 5 ? 2 : 1); /* port 3 gets all */
    }
    memset(f, 0xff, 6);
    medium_send(m, 0, f, FRAME, 2000000000ull);
    CHECK_EQ(drain(m, &last), 3);
    medium_port_groups(m, 2, NULL);
    net_group_address(f, 6);
    medium_send(m, 0, f, FRAME, 3000000000ull);
    CHECK_EQ(drain(m, &last), 2);
    end(m);
}

TESTS(CASE(test_crowds), CASE(test_addresses), CASE(test_groups), CASE(test_rates),
      CASE(test_recorder), CASE(test_queue_and_rate), CASE(test_bounds), CASE(test_odds),
      CASE(test_bursts), CASE(test_flapping), CASE(test_partitions), CASE(test_decisions_stay),
      CASE(test_named_before_it_comes))

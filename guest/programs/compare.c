/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `osmosis compare` runs in every place: the operations of the paper's Table 1, the four
 * kinds of invocation, and the delay of a call against its size.
 *
 * `compare ROUNDS [MACHINE]`: each row ROUNDS times, then, when its other half was moved to
 * MACHINE, the remote ones. `compare repeat BYTES [MACHINE]` measures calls of its
 * other half, here or there, and goes on with them for ever. `compare delays MOST STEP MACHINE`
 * prints the remote curve alone, for each STEP bytes up to MOST. `compare host` keeps a node
 * alive that is moved to. Rows are JSON as of `bench`: "T1" by operation, "L33" by kind, "L35" by place and bytes.
 */
#include "guest/programs/measure.h"
#include "guest/programs/number.h"
#include "guest/machine/protocol.h"

enum { CHANNEL = 1, MOST = 16384, TURNS = 200, FAR = 50, FEW = 10, SETTLE = 2000 };

static u8 body[MOST], answer[MOST];
static s64 self, partner;
static u32 bytes; /* of the messages of this row */

/* Behind a pointer, so that it stays a call. */
static int procedure(int value)
{
    return value + 1;
}

static void user_calls(u64 turns)
{
    int (*volatile call)(int) = procedure;

    for (u64 i = 0; i < turns; i++)
        call((int)i);
}

static void null_calls(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        call_null();
}

static void links(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        call_destroylink(call_createlink(demos_spec(DEMOS_GENERAL, 0, CHANNEL), 0, NULL, 0));
}

static void to_self(u64 turns)
{
    for (u64 i = 0; i < turns; i++) {
        call_send(self, body, bytes, NULL, DEMOS_FOREVER);
        call_receive(DEMOS_CHANNEL(CHANNEL), answer, sizeof answer, NULL, DEMOS_FOREVER);
    }
}

static void round_trips(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        if (call_call(partner, body, bytes, answer, sizeof answer, NULL, DEMOS_FOREVER) < 0)
            demos_die("compare: the other half does not answer");
}

struct row {
    const char *row, *name;
    void (*work)(u64 turns);
    u32 turns;
    u32 bytes;
};

static const struct row here[] = {
    {"L33", "user call", user_calls, 100 * TURNS, 0},
    {"L33", "system call", null_calls, 10 * TURNS, 0},
    {"L33", "call of a process, same host", round_trips, TURNS, 0},
    {"T1", "null kernel call", null_calls, 10 * TURNS, 0},
    {"T1", "create and destroy a link", links, 10 * TURNS, 0},
    {"T1", "send and receive 0 bytes, local", to_self, TURNS, 0},
    {"T1", "send and receive 1024 bytes, local", to_self, TURNS, 1024},
};

static const struct row there[] = {
    {"L33", "call of a process, other host", round_trips, FAR, 0},
    {"T1", "send and receive 0 bytes, remote", round_trips, FAR, 0},
    {"T1", "send and receive 1024 bytes, remote", round_trips, FAR, 1024},
};

/* On both sides of where the network cuts messages, and far beyond. */
static const u32 sizes[] = {0,    64,   256,  512,  768,  1024, 1025, 1536,  2048,
                            2049, 2560, 3072, 3073, 4096, 6144, 8192, 12288, 16384};

static void print(const struct row *r, u64 rounds)
{
    bytes = r->bytes;
    r->work(FEW);
    for (u64 i = 0; i < rounds; i++) {
        struct cost c = measure(r->work, r->turns);

        measure_print(r->row, r->name, &c, 1);
    }
}

static void print_delay(const char *place, u32 size, u64 rounds)
{
    char name[32];
    struct row r = {"L35", name, round_trips, FEW, size};

    format(name, sizeof name, "%s %u", place, size);
    print(&r, rounds);
}

static void print_curve(const char *place, u64 rounds)
{
    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
        print_delay(place, sizes[i], rounds);
}

/* The other half: answers with what it was sent. */
static NORETURN void serve(void)
{
    struct demos_info info;
    s64 len;

    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL, 0));
    for (;;) {
        len = call_receive(DEMOS_CHANNEL(CHANNEL), body, sizeof body, &info, DEMOS_FOREVER);
        call_reply(info.reply, body, (u64)len, NULL, DEMOS_FOREVER);
    }
}

/* Counters are in ticks; this says what a tick is. */
static void print_ticks(void)
{
    struct words w;

    words_start(&w, MACHINE_CYCLES);
    if (words_call(demos_link("machine"), &w, NULL, 0, NULL) < 0)
        demos_die("compare: no link to the machine (started with +machine?)");
    words_get(&w);
    demos_print("{\"ticks_per_ms\": %llu}\n", (unsigned long long)words_get(&w));
}

static void move(s64 control, const char *machine)
{
    s64 moved = process_control(control, CONTROL_MIGRATE, number(machine), 0, 0);

    if (moved < 0)
        demos_die("compare: it cannot be moved to machine %s: %s", machine, demos_error(moved));
}

/* For who looks at the machine from outside, once others have done with what came before; the
 * row is the whole of what he will see the parts of. */
static NORETURN void repeat(u32 size)
{
    struct cost c;

    bytes = MIN(size, (u32)MOST);
    round_trips(SETTLE);
    c = measure(round_trips, SETTLE / 4);
    measure_print("L36", "a call", &c, 1);
    demos_print("repeating\n");
    demos_flush();
    for (;;)
        round_trips(1);
}

static int done(s64 control)
{
    process_kill(control);
    demos_print("{\"compared\": true}\n");
    return 0;
}

int main(int argc, char **argv)
{
    const char *args[] = {"serve"};
    struct demos_spawn s = {.program = "compare", .args = args, .arg_count = 1};
    u64 rounds = argc > 1 ? number(argv[1]) : 1;
    s64 control;

    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        serve();
    if (argc > 1 && strcmp(argv[1], "host") == 0)
        demos_receive(DEMOS_CHANNEL(CHANNEL), NULL, 0, NULL);
    self = demos_link_make(DEMOS_GENERAL, 0, CHANNEL, 0);
    control = demos_spawn_server(&s, &partner);
    if (control < 0)
        demos_die("compare: no partner (started with +kernel?)");
    if (argc > 2 && strcmp(argv[1], "repeat") == 0) {
        if (argc > 3)
            move(control, argv[3]);
        repeat((u32)number(argv[2]));
    }
    print_ticks();
    if (argc > 4 && strcmp(argv[1], "delays") == 0) {
        move(control, argv[4]);
        for (u64 size = 0; size <= MIN(number(argv[2]), (u64)MOST);
             size += MAX(number(argv[3]), 1ul))
            print_delay("remote", (u32)size, 1);
        return done(control);
    }
    for (u32 i = 0; i < ARRAY_SIZE(here); i++)
        print(&here[i], rounds);
    print_curve("local", rounds);
    if (argc > 2) {
        move(control, argv[2]);
        for (u32 i = 0; i < ARRAY_SIZE(there); i++)
            print(&there[i], rounds);
        print_curve("remote", rounds);
    }
    return done(control);
}

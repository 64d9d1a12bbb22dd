/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What messages between two machines cost: `netbench MACHINE [ROW [repeat]]` starts its other half
 * here, moves it to that machine and calls it, in the end for ever if it is to repeat;
 * `netbench MACHINE direct` says in its rows that a direct medium joins the two; `netbench host`
 * only keeps a node alive that is moved to. Rows as of
 * `bench`; where one instruction counter serves the whole machine,
 * they hold everything on the way: both nodes, the fabric between them and the hypervisor.
 * Switches are those of this node's own domain.
 */
#include "guest/programs/measure.h"
#include "guest/programs/number.h"

enum { CHANNEL = 1, ANSWERS = 2, WINDOW = 16, MIB = 1 << 20, PAGE = 4096, TURNS = 500 };

static u8 body[1024], answer[1024];
static u8 memory[MIB] __attribute__((aligned(PAGE)));
static s64 partner, area;

static void round_trips(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        call_call(partner, NULL, 0, NULL, 0, NULL, DEMOS_FOREVER);
}

static void round_trips_1k(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        call_call(partner, body, sizeof body, answer, sizeof answer, NULL, DEMOS_FOREVER);
}

/* So many requests are always out; every answer is followed by the next one. */
static void stream(u64 turns, size_t len)
{
    u64 asked = 0;

    for (u64 answered = 0; answered < turns; answered++) {
        for (; asked < turns && asked - answered < WINDOW; asked++)
            demos_request(partner, body, len, len, ANSWERS, asked);
        demos_receive(DEMOS_CHANNEL(ANSWERS), answer, sizeof answer, NULL);
    }
}

static void stream_1(u64 turns)
{
    stream(turns, 1);
}

static void stream_1k(u64 turns)
{
    stream(turns, sizeof body);
}

static void moves(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        if (demos_move_from(area, 0, memory, MIB) < 0)
            demos_die("netbench: cannot move");
}

static const struct {
    const char *row, *name;
    void (*work)(u64 turns);
    u32 turns, warm, divide;
} rows[] = {
    {"P12", "remote round trip, 0 bytes", round_trips, TURNS, 100, 1},
    {"P13", "remote round trip, 1024 bytes each way", round_trips_1k, TURNS, 100, 1},
    {"P14", "remote stream, window 16, per echo, 1 byte", stream_1, TURNS, 100, 1},
    {"P14k", "remote stream, window 16, per echo, 1024 bytes", stream_1k, TURNS, 100, 1},
    {"P17", "MOVEDATA of 1 MiB, remote, per byte", moves, 2, 1, MIB},
};

/* The other half: answers with what it was sent, and has a megabyte to show. */
static NORETURN void serve(void)
{
    s64 out[2] = {demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL, 0),
                  demos_link_area(DEMOS_GIVE | DEMOS_AREA_READ, memory, MIB)};
    struct demos_info info;
    s64 len;

    for (u32 i = 0; i < MIB; i += PAGE)
        memory[i] = 1;
    demos_offer(out[0]);
    demos_receive(DEMOS_CHANNEL(CHANNEL), body, sizeof body, &info);
    demos_reply_links(info.reply, NULL, 0, &out[1], 1);
    for (;;) {
        len = call_receive(DEMOS_CHANNEL(CHANNEL), body, sizeof body, &info, DEMOS_FOREVER);
        call_reply(info.reply, body, (u64)len, NULL, DEMOS_FOREVER);
    }
}

static s64 start_partner(u64 machine)
{
    const char *args[] = {"serve"};
    struct demos_spawn s = {.program = "netbench", .args = args, .arg_count = 1};
    struct demos_info info = {0};
    s64 control = demos_spawn_server(&s, &partner), moved;

    if (control < 0 || demos_call_info(partner, NULL, 0, NULL, 0, &info) < 0)
        demos_die("netbench: no partner (started with +kernel?)");
    area = info.links[0];
    moved = process_control(control, CONTROL_MIGRATE, machine, 0, 0);
    if (moved < 0)
        demos_die("netbench: it cannot be moved to machine %llu: %s",
                  (unsigned long long)machine, demos_error(moved));
    return control;
}

static void print(u32 i, bool direct)
{
    struct cost c;
    char row[8], name[80];

    format(row, sizeof row, "%s%s", rows[i].row, direct ? "d" : "");
    format(name, sizeof name, "%s%s", rows[i].name, direct ? ", direct" : "");
    rows[i].work(rows[i].warm);
    c = measure(rows[i].work, rows[i].turns);
    measure_print(row, name, &c, rows[i].divide);
}

/* For who looks at the machine from outside. */
static NORETURN void repeat(const char *row)
{
    demos_print("repeating\n");
    demos_flush();
    for (;;)
        for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
            if (strcmp(row, rows[i].row) == 0)
                rows[i].work(rows[i].turns);
}

int main(int argc, char **argv)
{
    bool direct = argc > 2 && strcmp(argv[2], "direct") == 0;
    s64 control;

    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        serve();
    if (argc > 1 && strcmp(argv[1], "host") == 0)
        demos_receive(DEMOS_CHANNEL(CHANNEL), NULL, 0, NULL);
    control = start_partner(argc > 1 ? number(argv[1]) : 2);
    for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
        if (argc < 3 || direct || strcmp(argv[2], rows[i].row) == 0)
            print(i, direct);
    }
    if (argc > 3)
        repeat(argv[2]);
    return process_kill(control) < 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The performance rows of one node, as measure.h has it; the loop around each is measured
 * too and taken away.
 *
 * `bench [ROW]`: all rows or those of one number. Prints JSON lines: {"row": "P7", "name": ..., "value": ..., "unit": "ticks"}.
 * `bench repeat ROW`: does it for ever, for who looks at the machine from outside.
 */
#include "guest/programs/measure.h"

enum { TURNS = 2000, CHANNEL = 1, MIB = 1 << 20, PAGE = 4096, FAULTS = 512 };

static u8 body[1024], answer[1024];
static u8 memory[2 * MIB] __attribute__((aligned(PAGE)));
static volatile u8 fresh[(MEASURE_MOST * FAULTS + 16) * PAGE] __attribute__((aligned(PAGE)));
static s64 self, partner, area;

static void nothing(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        asm volatile("" : : : "memory");
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
        call_send(self, NULL, 0, NULL, DEMOS_FOREVER);
        call_receive(DEMOS_CHANNEL(CHANNEL), NULL, 0, NULL, DEMOS_FOREVER);
    }
}

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

static void copies(u64 turns)
{
    for (u64 i = 0; i < turns; i++) {
        memcpy(memory + MIB, memory, MIB);
        asm volatile("" : : "r"(memory) : "memory");
    }
}

/* Off the page by one word, so that nothing can be mapped. */
static void moves(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        demos_move_from(area, 8, memory, MIB - 8);
}

static void mapped_moves(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        demos_move_from(area, 0, memory, MIB);
}

/* First touches, of pages that no earlier call touched. */
static void faults(u64 turns)
{
    static u64 next;

    for (u64 i = 0; i < turns; i++)
        fresh[next++ * PAGE] = 1;
}

static const struct {
    const char *row, *name;
    void (*work)(u64 turns);
    u32 turns, warm, divide; /* divide: bytes in a turn, for rows per byte */
} rows[] = {
    {"P7", "null kernel call", null_calls, TURNS, 100, 1},
    {"P8", "create and destroy a link", links, TURNS, 100, 1},
    {"P9", "send and receive, 0 bytes, to self", to_self, TURNS, 100, 1},
    {"P10", "round trip between two processes, 0 bytes", round_trips, TURNS, 100, 1},
    {"P11", "round trip between two processes, 1024 bytes each way", round_trips_1k, TURNS, 100,
     1},
    {"P16", "memcpy of 1 MiB, per byte", copies, 2, 1, MIB},
    {"P16", "MOVEDATA of 1 MiB, copied, per byte", moves, 2, 1, MIB},
    {"P16", "MOVEDATA of 1 MiB, mapped, per byte", mapped_moves, 2, 1, MIB},
    {"P18", "page fault, zero fill", faults, FAULTS, 8, 1},
};

/* The other process: answers, and has a megabyte to show. */
static NORETURN void serve(void)
{
    s64 links_out[2] = {demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL, 0),
                        demos_link_area(DEMOS_GIVE | DEMOS_AREA_READ, memory, MIB)};
    struct demos_info info;
    s64 len;

    for (u32 i = 0; i < MIB; i += PAGE)
        memory[i] = 1;
    demos_offer(links_out[0]);
    demos_receive(DEMOS_CHANNEL(CHANNEL), body, sizeof body, &info);
    demos_reply_links(info.reply, NULL, 0, &links_out[1], 1);
    len = call_receive(DEMOS_CHANNEL(CHANNEL), body, sizeof body, &info, DEMOS_FOREVER);
    for (;;)
        len = call_answer(info.reply, body, (u32)len, DEMOS_CHANNEL(CHANNEL), body, sizeof body,
                          &info);
}

static NORETURN void repeat(const char *row)
{
    for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].row, row) != 0)
            continue;
        rows[i].work(rows[i].warm);
        demos_print("repeating %s\n", row);
        demos_flush();
        for (;;)
            rows[i].work(TURNS);
    }
    demos_die("bench: there is no row %s", row);
}

int main(int argc, char **argv)
{
    const char *args[] = {"serve"};
    struct demos_spawn s = {
        .program = "bench", .args = args, .arg_count = 1, .flags = DEMOS_CREATE_WITH_PARENT};
    struct demos_info info = {0};
    u64 loop;

    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        serve();
    self = demos_link_make(DEMOS_GENERAL, 0, CHANNEL, 0);
    if (demos_spawn_server(&s, &partner) < 0 ||
        demos_call_info(partner, NULL, 0, NULL, 0, &info) < 0)
        demos_die("bench: no partner (started with +kernel?)");
    area = info.links[0];
    if (argc > 2 && strcmp(argv[1], "repeat") == 0)
        repeat(argv[2]);
    loop = measure_middle(nothing, TURNS).ticks;
    for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cost c;

        if (argc > 1 && strcmp(argv[1], rows[i].row) != 0)
            continue;
        rows[i].work(rows[i].warm);
        c = rows[i].work == faults ? measure(faults, FAULTS)
                                   : measure_middle(rows[i].work, rows[i].turns);
        c.ticks = c.ticks > loop ? c.ticks - loop : 0;
        measure_print(rows[i].row, rows[i].name, &c, rows[i].divide);
    }
    return 0;
}

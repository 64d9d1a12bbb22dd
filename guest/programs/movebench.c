/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `movebench MACHINE`: what moving a process there costs, whole and by copy on reference (with
 * the link "luggage"), and what a page then costs that is fetched when it is touched. Needs the
 * links "kernel" and "machine"; `movebench host` keeps the other node alive. `movebench MACHINE
 * check NEXT` only holds a process that moves on reference to the words in its memory.
 *
 * A freeze is counted from before the move until an answer from the new place, so it has a
 * round trip in it, the other node and all that lies between them. Rows as of bench.
 * `movebench MACHINE whole PAGES` moves RUNS processes of so many pages, one after the other, for
 * who counts the messages and bytes of it; `movebench MACHINE repeat HOME` has one of LARGE pages go
 * there and home for ever, for who looks where the instructions go.
 */
#include "guest/machine/protocol.h"
#include "guest/programs/measure.h"
#include "guest/programs/number.h"
#include "guest/servers/vm/luggage.h"

enum { CHANNEL = 1, PAGE = 4096, SMALL = 16, LARGE = 1024, TOUCHED = LARGE * 3 / 10 };
enum { RUNS = 3 };

/* Where the one that moves has its pages: mapped for it, so that it has no more than asked. */
#define MEMORY 0x5000000000ull

static s64 must(s64 result, const char *what)
{
    if (result < 0)
        demos_die("movebench: %s: %s", what, demos_error(result));
    return result;
}

static u64 ticks(void)
{
    struct words w;

    words_start(&w, MACHINE_CYCLES);
    must(words_call(demos_link("machine"), &w, NULL, 0, NULL),
         "counter (started with +machine?)");
    return words_get(&w);
}

/* --- the one that moves -------------------------------------------------------------- */

/* Counts in as many of its pages as it is told to; answers how many had another count. */
static u64 count_in(u64 pages)
{
    static u64 counts[LARGE];
    u64 wrong = 0;

    for (u64 i = 0; i < pages; i++) {
        volatile u64 *at = (volatile u64 *)(MEMORY + i * PAGE + 8 * (i % (PAGE / 8)));

        wrong += *at != (counts[i] ? i ^ counts[i] : 0);
        *at = i ^ ++counts[i];
    }
    return wrong;
}

static NORETURN void serve(void)
{
    u8 body[8];

    must(demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL, 0)), "offer");
    for (;;) {
        struct demos_info info = {0};
        s64 len = demos_receive(DEMOS_CHANNEL(CHANNEL), body, sizeof body, &info);
        u64 pages = len == 8 ? MIN(be64_get(body), (u64)LARGE) : 0;

        be64_put(body, count_in(pages));
        demos_reply(info.reply, body, sizeof body);
    }
}

static s64 service;

static void touch(u64 pages)
{
    u8 body[8];

    be64_put(body, pages);
    must(demos_call(service, body, sizeof body, body, sizeof body), "touch");
    if (be64_get(body))
        demos_die("movebench: %llu pages are not what they were",
                  (unsigned long long)be64_get(body));
}

static s64 start(u64 pages)
{
    const char *args[] = {"serve"};
    struct demos_spawn s = {.program = "movebench", .args = args, .arg_count = 1};
    s64 control = must(demos_spawn_server(&s, &service), "start");
    struct words w;

    words_start(&w, CONTROL_MAP);
    words_put(&w, MEMORY);
    words_put(&w, pages * PAGE);
    words_put(&w, REGION_READ | REGION_WRITE);
    words_put(&w, REGION_READ | REGION_WRITE);
    must(words_call(control, &w, NULL, 0, NULL), "map");
    touch(pages);
    return control;
}

static void end(s64 control)
{
    must(process_kill(control), "end");
    demos_link_drop(control);
    demos_link_drop(service);
}

/* --- moving ------------------------------------------------------------------------- */

static void ask_luggage(struct words *w, enum luggage_op op, u64 machine, s64 *control)
{
    words_start(w, op);
    words_put(w, machine);
    must(words_call(demos_link("luggage"), w, control, control ? 1 : 0, NULL), "luggage");
}

static u64 pages_sent(void)
{
    struct words w;

    ask_luggage(&w, LUGGAGE_STATE, 0, NULL);
    words_get(&w);
    return words_get(&w);
}

static u64 freeze(u64 machine, s64 control, bool whole)
{
    struct words w;
    u64 before;

    if (!whole)
        ask_luggage(&w, LUGGAGE_READY, 0, &control);
    before = ticks();
    if (whole)
        must(process_control(control, CONTROL_MIGRATE, machine, 0, 0), "move");
    else
        ask_luggage(&w, LUGGAGE_MOVE, machine, &control);
    touch(0);
    return ticks() - before;
}

struct moved {
    u64 freeze, few, more; /* ticks: of moving, of touching a tenth, of a fifth more */
    u64 pages;             /* sent after it */
};

static struct moved move(u64 machine, u64 pages, bool whole)
{
    s64 control = start(pages);
    u64 sent = whole ? 0 : pages_sent(), at;
    struct moved m = {.freeze = freeze(machine, control, whole)};

    at = ticks();
    touch(pages / 10);
    m.few = ticks() - at;
    at = ticks();
    touch(pages * 3 / 10); /* of which a third is there */
    m.more = ticks() - at;
    m.pages = whole ? 0 : pages_sent() - sent;
    end(control);
    return m;
}

/* The least of a few, since alarms and routing news fall into some. */
static struct moved least(u64 machine, u64 pages, bool whole)
{
    struct moved best = move(machine, pages, whole);

    for (u32 i = 1; i < RUNS; i++) {
        struct moved m = move(machine, pages, whole);

        best.freeze = MIN(best.freeze, m.freeze);
        best.few = MIN(best.few, m.few);
        best.more = MIN(best.more, m.more);
    }
    return best;
}

/* --- rows --------------------------------------------------------------------------- */

static void print_ticks(const char *row, const char *name, u64 ticks, u64 divide)
{
    struct cost c = {.ticks = ticks * 1000};

    measure_print(row, name, &c, divide);
}

static void print_ratio(const char *row, const char *name, u64 part, u64 of)
{
    u64 hundredths = of ? (part * 100 + of / 2) / of : 0;

    demos_print("{\"row\": \"%s\", \"name\": \"%s\", \"value\": %llu.%02llu, \"unit\": "
                "\"ratio\"}\n",
                row, name, (unsigned long long)(hundredths / 100),
                (unsigned long long)(hundredths % 100));
}

/* Faults on memory that a process here keeps: the luggage is packed, and nobody has moved. */
static void local_faults(void)
{
    s64 control = start(LARGE);
    struct words w;
    u64 at, few;

    ask_luggage(&w, LUGGAGE_READY, 0, &control);
    at = ticks();
    touch(LARGE / 10);
    few = ticks() - at;
    at = ticks();
    touch(TOUCHED);
    print_ticks("P19l", "page fault from a keeper on this node, 4 KiB", ticks() - at - few,
                TOUCHED - 2 * (LARGE / 10));
    end(control);
}

static void whole(u64 machine, u64 pages)
{
    u64 least_ticks = ~(u64)0;
    char name[48];

    for (u32 i = 0; i < RUNS; i++) {
        s64 control = start(MIN(pages, (u64)LARGE));
        u64 took = freeze(machine, control, true);

        least_ticks = MIN(least_ticks, took);
        end(control);
    }
    format(name, sizeof name, "%llu KiB whole: standing still", (unsigned long long)pages * 4);
    print_ticks("P21", name, least_ticks, 1);
}

static void rows(u64 machine)
{
    struct moved whole = least(machine, SMALL, true), whole_large = least(machine, LARGE, true);
    struct moved lazy = least(machine, SMALL, false), lazy_large = least(machine, LARGE, false);

    print_ticks("P21", "moving a process with 64 KiB, whole", whole.freeze, 1);
    print_ticks("P21", "moving whole, per byte more", whole_large.freeze - whole.freeze,
                (u64)(LARGE - SMALL) * PAGE);
    print_ticks("P22", "moving a process with 64 KiB, on reference", lazy.freeze, 1);
    print_ticks("P22", "moving a process with 4 MiB, on reference", lazy_large.freeze, 1);
    print_ratio("P22", "freeze of 4 MiB against 64 KiB, copy on reference", lazy_large.freeze,
                lazy.freeze);
    print_ratio("P22b", "pages sent, 30 % of 4 MiB touched, against moving whole",
                lazy_large.pages, LARGE);
    print_ticks("P19", "page fault from a remote keeper, 4 KiB",
                (lazy_large.more - lazy_large.few) / (TOUCHED - 2 * (LARGE / 10)), 1);
    local_faults();
}

static void print_luggage(void)
{
    struct words w;
    u64 packed, sent, back;

    ask_luggage(&w, LUGGAGE_STATE, 0, NULL);
    packed = words_get(&w);
    sent = words_get(&w);
    back = words_get(&w);
    demos_print("movebench: packed %llu, sent %llu, back %llu\n", (unsigned long long)packed,
                (unsigned long long)sent, (unsigned long long)back);
}

/* Moves on reference, and touches everything over and over: what the other node has no room for
 * goes back and forth. Then on to the next node, as any process moves. */
static void check(u64 machine, u64 next)
{
    s64 control = start(LARGE);

    freeze(machine, control, false);
    for (u32 i = 0; i < RUNS; i++)
        touch(LARGE);
    print_luggage();
    must(process_control(control, CONTROL_MIGRATE, next, 0, 0), "move on");
    touch(LARGE);
    print_luggage();
    end(control);
    demos_sleep_ns(500000000);
    print_luggage();
}

static NORETURN void repeat(u64 there, u64 home)
{
    s64 control = start(LARGE);

    for (u64 turn = 0;; turn++) {
        must(process_control(control, CONTROL_MIGRATE, turn & 1 ? home : there, 0, 0), "move");
        if (turn == 1)
            demos_print("repeating\n");
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        serve();
    if (argc > 1 && strcmp(argv[1], "host") == 0)
        demos_receive(DEMOS_CHANNEL(CHANNEL), NULL, 0, NULL);
    if (argc > 3 && strcmp(argv[2], "check") == 0)
        check(number(argv[1]), number(argv[3]));
    else if (argc > 3 && strcmp(argv[2], "repeat") == 0)
        repeat(number(argv[1]), number(argv[3]));
    else if (argc > 3 && strcmp(argv[2], "whole") == 0)
        whole(number(argv[1]), number(argv[3]));
    else
        rows(argc > 1 ? number(argv[1]) : 2);
    return 0;
}

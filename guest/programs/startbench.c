/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `startbench`: what it takes to start a program and hear of its end, on this machine and on the
 * one whose kernel is announced as "there", and to find a name at the switchboard of this node;
 * then it announces "over". `startbench names` waits for that and finds names from its own node.
 * `startbench child` is the program that is started. Rows as of bench; needs the links "kernel"
 * (but for `names`) and "machine".
 *
 * A program's start is its file's links, a process, its memory filled by MOVEDATA, its start
 * record, and its exit notice.
 */
#include "guest/lib/switchboard.h"
#include "guest/programs/measure.h"

enum { STARTS = 10, LOOKS = 100, WARM = 2, CHANNEL = 1 };

static s64 there;

static void must(s64 result, const char *what)
{
    if (result < 0)
        demos_die("startbench: %s: %s", what, demos_error(result));
}

static void start(s64 kernel, u64 turns)
{
    const char *args[] = {"child"};
    struct demos_spawn s = {
        .program = "startbench", .args = args, .arg_count = 1, .kernel = kernel};

    for (u64 i = 0; i < turns; i++) {
        s.watch = process_watch(CHANNEL, i);
        if (process_run(&s, CHANNEL))
            demos_die("startbench: the child failed");
    }
}

static void start_here(u64 turns)
{
    start(demos_link("kernel"), turns);
}

static void start_there(u64 turns)
{
    start(there, turns);
}

static void find_names(u64 turns)
{
    for (u64 i = 0; i < turns; i++) {
        s64 link = demos_find("startbench", SWITCHBOARD_GLOBAL);

        must(link, "find");
        demos_link_drop(link);
    }
}

static void row(const char *id, const char *name, void (*work)(u64 turns), u64 turns)
{
    struct cost c;

    work(WARM);
    c = measure(work, turns);
    measure_print(id, name, &c, 1);
}

static void names(void)
{
    must(demos_find("over", SWITCHBOARD_WAIT | SWITCHBOARD_GLOBAL), "wait");
    row("name", "find a name, the switchboard on another node", find_names, LOOKS);
}

static void all(void)
{
    s64 link = demos_link_make(DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, CHANNEL, 0);

    must(demos_announce("startbench", link, SWITCHBOARD_GLOBAL), "announce");
    row("start", "start a program on this node, until its end is heard of", start_here, STARTS);
    there = demos_find("there", SWITCHBOARD_WAIT | SWITCHBOARD_GLOBAL);
    must(there, "no kernel there");
    row("start", "start a program on another node, until its end is heard of", start_there,
        STARTS);
    row("name", "find a name, the switchboard on this node", find_names, LOOKS);
    must(demos_announce("over", link, SWITCHBOARD_GLOBAL), "announce");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return 0;
    if (argc > 1 && strcmp(argv[1], "names") == 0)
        names();
    else
        all();
    demos_receive(DEMOS_CHANNEL(CHANNEL), NULL, 0, NULL); /* its names stay */
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `tour NAME PROGRAM MACHINES PAUSE [ROUNDS [ARGUMENT]...]`: starts a server with the links we
 * have but the kernel's, announces what it offers as NAME at the cluster's switchboard, and moves
 * it round the machines 1 to MACHINES, PAUSE milliseconds at each, while whoever found it goes on
 * calling it; then stays as long as the server does. Needs the link "kernel".
 */
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"
#include "guest/programs/number.h"

enum { CHANNEL_ENDS = 1 };

static u64 here(void)
{
    struct words w;

    words_start(&w, KERNEL_OP_NODE);
    if (words_call(demos_link("kernel"), &w, NULL, 0, NULL) < 0)
        demos_die("tour: the kernel does not say where we are");
    return words_get(&w);
}

static bool is_ours(const char *name)
{
    return strcmp(name, "kernel") == 0 || strcmp(name, "boss") == 0 ||
           strcmp(name, "self") == 0;
}

static u32 choose_gifts(struct demos_gift gifts[DEMOS_GIFTS_MAX])
{
    const struct demos_start *began = demos_started();
    u32 count = 0;

    for (u32 i = 0; i < began->link_count && count < DEMOS_GIFTS_MAX - 1; i++)
        if (!is_ours(began->links[i].name))
            gifts[count++] = (struct demos_gift){began->links[i].name, began->links[i].link};
    return count;
}

static s64 start(const char *name, const char *program, char **args, int count)
{
    struct demos_gift gifts[DEMOS_GIFTS_MAX];
    struct demos_spawn s = {.program = program,
                            .args = (const char *const *)args,
                            .arg_count = (u32)count,
                            .gifts = gifts,
                            .gift_count = choose_gifts(gifts),
                            .watch = process_watch(CHANNEL_ENDS, 0)};
    s64 service, entry, control = demos_spawn_server(&s, &service);

    if (control < 0 || service <= 0)
        demos_die("tour: %s offers nothing: %s", program, demos_error(control));
    entry = demos_announce(name, service, SWITCHBOARD_GLOBAL); /* as long as we have it */
    if (entry < 0)
        demos_die("tour: %s cannot be found by others: %s", name, demos_error(entry));
    return control;
}

int main(int argc, char **argv)
{
    u64 machines, pause, rounds, at, moves = 0, refused = 0;
    struct process_end end;
    s64 control;

    if (argc < 5)
        demos_die("tour NAME PROGRAM MACHINES PAUSE [ROUNDS [ARGUMENT]...]");
    machines = number(argv[3]);
    pause = number(argv[4]) * 1000000;
    rounds = argc > 5 ? number(argv[5]) : 1;
    at = here();
    control = start(argv[1], argv[2], argv + 6, MAX(argc - 6, 0));
    for (u64 i = 0; i < rounds * machines; i++) {
        u64 next = at % machines + 1, before;
        s64 result;

        demos_sleep_ns(pause);
        before = demos_time_ns();
        result = process_control(control, CONTROL_MIGRATE, next, 0, 0);
        if (result >= 0) {
            at = next;
            moves++;
            demos_print("tour: %s is on machine %llu, moved in %llu us\n", argv[1],
                        (unsigned long long)at,
                        (unsigned long long)((demos_time_ns() - before) / 1000));
        } else {
            refused++;
            demos_print("tour: machine %llu: %s\n", (unsigned long long)next,
                        demos_error(result));
        }
    }
    demos_print("tour: %llu moves, %llu refused\n", (unsigned long long)moves,
                (unsigned long long)refused);
    process_wait(CHANNEL_ENDS, &end);
    demos_print("tour: %s has ended\n", argv[1]);
    return 1;
}

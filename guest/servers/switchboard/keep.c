/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `keep NAME PROGRAM [ARGUMENT]...`: starts the program as a server, announces what it offers as NAME at
 * the cluster's switchboard, and when it ends, however it does, starts another in its place: who asks
 * for NAME then is served by that one. Needs the link "kernel". One that offers nothing, or ends at
 * once for the eighth time, is given up.
 */
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"

enum { CHANNEL_END = 1, SHORT_LIVES = 8 };
#define SHORT_NS 100000000ull

/* One life of the server; how long it was. */
static u64 serve(const char *name, struct demos_spawn *s)
{
    u64 began = demos_time_ns();
    struct process_end end;
    s64 service, entry, control;

    s->watch = process_watch(CHANNEL_END, 0);
    control = demos_spawn_server(s, &service);
    if (control < 0 || service <= 0)
        demos_die("keep: %s: offers nothing", s->program);
    entry = demos_announce(name, service, SWITCHBOARD_GLOBAL);
    if (entry < 0)
        demos_die("keep: %s: %s", name, demos_error(entry));
    process_wait(CHANNEL_END, &end);
    demos_link_drop(entry); /* the name goes with it */
    demos_link_drop(service);
    demos_link_drop(control);
    return demos_time_ns() - began;
}

int main(int argc, char **argv)
{
    static const char *const ours[] = {"console", "clock", "programs", "switchboard", "kernel"};
    struct demos_gift gifts[ARRAY_SIZE(ours)];
    struct demos_spawn s = {.gifts = gifts};

    if (argc < 3)
        demos_die("usage: keep NAME PROGRAM [ARGUMENT]...");
    for (u32 i = 0; i < ARRAY_SIZE(ours); i++)
        if (demos_link(ours[i]) > 0)
            gifts[s.gift_count++] = (struct demos_gift){ours[i], demos_link(ours[i])};
    s.program = argv[2];
    s.args = (const char *const *)&argv[3];
    s.arg_count = (u32)argc - 3;
    for (u32 brief = 0; brief < SHORT_LIVES;) {
        brief = serve(argv[1], &s) < SHORT_NS ? brief + 1 : 0;
        demos_print("keep: %s: %s has ended, and begins anew\n", argv[1], argv[2]);
    }
    demos_die("keep: %s: ends again and again", argv[2]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `with NAME[=GIFT] PROGRAM [ARGUMENT]...`: waits until NAME is announced, starts the program with
 * that link, as GIFT if that is said, beside our own, and ends as it ends. Needs the link
 * "kernel". As a server of a boot list it offers what the program offers.
 */
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"

enum { CHANNEL_END = 1 };

int main(int argc, char **argv)
{
    static const char *const ours[] = {"console",     "clock",  "programs",
                                       "switchboard", "kernel", "boss"};
    struct demos_gift gifts[ARRAY_SIZE(ours) + 1];
    struct demos_spawn s = {.gifts = gifts};
    struct process_end end = {.how = DEMOS_END_NODE};
    char name[DEMOS_NAME_MAX + 1];
    const char *gift;
    s64 result;

    if (argc < 3)
        demos_die("usage: with NAME[=GIFT] PROGRAM [ARGUMENT]...");
    format(name, sizeof name, "%s", argv[1]);
    gift = strchr(name, '=');
    if (gift)
        name[gift - name] = '\0';
    gift = gift ? argv[1] + (gift - name) + 1 : name;
    for (u32 i = 0; i < ARRAY_SIZE(ours); i++)
        if (demos_link(ours[i]) > 0)
            gifts[s.gift_count++] = (struct demos_gift){ours[i], demos_link(ours[i])};
    result = demos_find(name, SWITCHBOARD_WAIT);
    if (result < 0)
        demos_die("with: %s: %s", argv[1], demos_error(result));
    gifts[s.gift_count++] = (struct demos_gift){gift, result};
    s.program = argv[2];
    s.args = (const char *const *)&argv[3];
    s.arg_count = (u32)argc - 3;
    s.watch = process_watch(CHANNEL_END, 0);
    result = demos_spawn(&s);
    if (result < 0)
        demos_die("with: %s: cannot start: %s", argv[2], demos_error(result));
    process_wait(CHANNEL_END, &end);
    return end.how == DEMOS_END_EXIT ? (int)end.status : 1;
}

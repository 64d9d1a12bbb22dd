/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes of messages: `ps | match counter | lines`. Each program but the first offers a link that
 * stands for the console of the one before it, so that bytes go straight from one to the next,
 * on whichever machines they are; the shell only says when there is no more. The first may be a
 * command of the shell's own.
 */
#include "guest/servers/shell/shell.h"

enum { STAGES = 8 };

struct stage {
    char **words;
    u32 count;
    s64 number; /* of its job */
    s64 input;
};

/* Cuts at `|`; how many there are, 0: too many, or one is empty. */
static u32 cut(char **words, u32 count, struct stage *stages)
{
    u32 used = 0, from = 0;

    for (u32 at = 0; at <= count; at++) {
        if (at < count && strcmp(words[at], "|") != 0)
            continue;
        if (at == from || used == STAGES)
            return 0;
        stages[used++] = (struct stage){.words = words + from, .count = at - from};
        from = at + 1;
    }
    return used;
}

static s64 start(struct stage *s)
{
    bool there = strcmp(s->words[0], "on") == 0 && s->count > 2;
    u64 place = 0;
    s64 kernel = there ? node_where(s->words[1], &place) : 0, number;

    if (kernel < 0)
        return complain(s->words[1], kernel);
    number = job_filter(kernel, place, s->words + 2 * there, s->count - 2 * there, &s->input);
    if (kernel > 0)
        demos_link_drop(kernel);
    return number;
}

s64 pipe_run(char **words, u32 count, s64 (*command)(char **words, u32 count))
{
    struct stage stages[STAGES] = {{0}};
    u32 stage_count = cut(words, count, stages), last = stage_count;
    s64 result = 0;

    if (!stage_count)
        return complain("COMMAND | PROGRAM ...", DEMOS_E_ARGUMENT);
    while (last > 1 && result >= 0) { /* from the end, so that each finds its reader */
        struct stage *s = &stages[--last];

        result = s->number = start(s);
        if (result >= 0)
            job_output(s->input);
    }
    if (result >= 0) {
        demos_print_to(stages[1].input);
        result = command(stages[0].words, stages[0].count);
        demos_print_to(0);
    }
    job_output(0);
    for (u32 at = 1; at < stage_count; at++)
        if (stages[at].number > 0)
            result = job_end_input(stages[at].number, stages[at].input);
    return result;
}

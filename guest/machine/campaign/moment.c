/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that wait for something to happen in the run: a record of a node's trace, a node's end,
 * text on a console. They are carried out at the next nanosecond, for a node in the midst of a turn
 * cannot be taken away.
 */
#include "guest/machine/campaign/moment.h"
#include <stdio.h>
#include <string.h>
#include "guest/machine/campaign/world.h"
#include "net/media/words.h"

static const char *read_record(struct world_moment *m, char *rest)
{
    char any[8];
    unsigned type, count;
    unsigned long long a = 0;

    if (sscanf(rest, "%u %u %7s", &type, &count, any) != 3 || type > 0xffff || !count)
        return "a record is TYPE COUNT A: numbers, the last one may be `any`";
    m->any = strcmp(any, "any") == 0;
    if (!m->any && sscanf(rest, "%*u %*u %llu", &a) != 1)
        return "a record is TYPE COUNT A: numbers, the last one may be `any`";
    m->type = (u16)type;
    m->count = count;
    m->a = a;
    return NULL;
}

const char *moment_read(struct world_moment *m, const char *kind, char *rest)
{
    if (strcmp(kind, "exit") == 0) {
        m->kind = MOMENT_EXIT;
        return NULL;
    }
    if (strcmp(kind, "output") == 0) {
        m->kind = MOMENT_OUTPUT;
        return snprintf(m->text, sizeof(m->text), "%s", rest) < (int)sizeof(m->text)
                   ? NULL
                   : "a line is too long";
    }
    m->kind = MOMENT_TRACE;
    return strcmp(kind, "trace") == 0 ? read_record(m, rest)
                                      : "what is waited for is trace, exit or output";
}

void moments_begin(struct world *w)
{
    w->calm_now = w->calm_ns;
    for (u32 i = 0; i < w->moments; i++) {
        w->moment[i].left = w->moment[i].count;
        w->moment[i].due = w->moment[i].done = false;
    }
}

static bool waits(const struct world_moment *m, u32 node, enum moment_kind kind)
{
    return m->node == node && m->kind == kind && !m->due && !m->done;
}

void moments_record(struct world *w, u32 node, u16 type, u64 a)
{
    for (u32 i = 0; i < w->moments; i++) {
        struct world_moment *m = &w->moment[i];

        if (waits(m, node, MOMENT_TRACE) && m->type == type && (m->any || m->a == a))
            m->due = --m->left == 0;
    }
}

void moments_exit(struct world *w, u32 node)
{
    for (u32 i = 0; i < w->moments; i++)
        w->moment[i].due |= waits(&w->moment[i], node, MOMENT_EXIT);
}

void moments_output(struct world *w, u32 node, const char *console)
{
    for (u32 i = 0; i < w->moments; i++)
        w->moment[i].due |= waits(&w->moment[i], node, MOMENT_OUTPUT) &&
                            strstr(console, w->moment[i].text);
}

bool moments_due(const struct world *w)
{
    for (u32 i = 0; i < w->moments; i++)
        if (w->moment[i].due)
            return true;
    return false;
}

void moments_act(struct world *w)
{
    for (u32 i = 0; i < w->moments && !w->wrong; i++) {
        struct world_moment *m = &w->moment[i];

        if (!m->due)
            continue;
        m->due = false;
        m->done = true;
        if (m->disturbs)
            w->calm_now = MAX(w->calm_now,
                              MIN(w->end_ns, w->sim->now + MIN(m->lasts, w->end_ns)));
        if (w->tracing)
            printf("fired %llu %u\n", (unsigned long long)w->sim->now, i);
        w->wrong = world_command(w, m->command);
    }
}

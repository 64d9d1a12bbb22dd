/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines that a campaign is described by, and the commands that its plan gives at a time, which
 * are those of the control domain's plans as far as there is a hypervisor's part to play:
 *
 *   medium WORDS                 as fabric.h has them
 *   node NAME [MEDIUM=ADDRESS]...    the next number, from 1
 *   program NODE WORDS           a line of its boot list
 *   expect output|exit NODE TEXT
 *   end NS, heal NS, calm NS     how long, how long after the last outage, when that is over
 *   until NODE                   its end is the run's
 *   at NS COMMAND                of every run; after the line `own`, of the next run alone
 *   when LASTS WHAT\tCOMMAND      the same when it happens; LASTS is how many ns the network is disturbed
 *                                from then on, or - where it is not. WHAT is one of
 *                                trace NODE TYPE COUNT A | exit NODE | output NODE TEXT
 *
 *   fault MEDIUM WORDS | pause NODE | unpause NODE | destroy NODE | reboot NODE
 *   unplug vif NODE N | plug vif NODE N | clock NODE step=[-]TIME | clock NODE rate=MILLIONTHS
 *   kill NODE PROGRAM [N]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "guest/machine/campaign/script.h"
#include "guest/machine/campaign/world.h"
#include "net/media/words.h"

enum { WORDS = 8 };

/* One more of an array. */
static void *grown(void *array, u32 count, size_t size)
{
    array = realloc(array, (count + 1) * size);
    if (!array)
        abort();
    memset((u8 *)array + count * size, 0, size);
    return array;
}

static u32 node_named(const struct world *w, const char *name)
{
    u32 i = 0;

    while (i < w->nodes && strcmp(w->node[i].name, name) != 0)
        i++;
    return i;
}

/* Cuts the first word off; "" at the end. */
static char *word(char **line)
{
    char *begin = *line + strspn(*line, " "), *end = begin + strcspn(begin, " ");

    *line = *end ? end + 1 : end;
    *end = 0;
    return begin;
}

static bool copy(char *to, size_t room, const char *from)
{
    return (size_t)snprintf(to, room, "%s", from) < room;
}

static const char *add_medium(struct world *w, char *rest)
{
    w->medium = grown(w->medium, w->media, sizeof(*w->medium));
    if (!copy(w->medium[w->media], WORLD_LINE, rest))
        return "a line is too long";
    w->media++;
    return NULL;
}

static bool address(const char *text, u8 to[6])
{
    unsigned b[6];
    bool good = sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) ==
                6;

    for (u32 i = 0; i < 6 && good; i++)
        to[i] = (u8)b[i];
    return good;
}

static const char *add_node(struct world *w, char *rest)
{
    struct world_node *n;
    char *name = word(&rest), *one;

    if (node_named(w, name) < w->nodes)
        return "a node of that name exists";
    if (w->sim)
        return "nodes come before the first run";
    w->node = grown(w->node, w->nodes, sizeof(*w->node));
    n = &w->node[w->nodes];
    if (!*name || !copy(n->name, sizeof(n->name), name))
        return "a node's name is missing or too long";
    while (*(one = word(&rest))) {
        char *equals = strchr(one, '=');

        if (!equals || n->ports == WORLD_MEDIA ||
            !address(equals + 1, n->port[n->ports].address))
            return "a node's media are MEDIUM=ADDRESS";
        *equals = 0;
        if (!copy(n->port[n->ports++].medium, MEDIUM_NAME, one))
            return "a medium's name is too long";
    }
    w->nodes++;
    return NULL;
}

static const char *add_program(struct world *w, char *rest)
{
    u32 index = node_named(w, word(&rest));
    struct world_node *n = index < w->nodes ? &w->node[index] : NULL;
    const char *wrong = n ? script_check(rest) : "no such node";

    if (wrong)
        return wrong;
    if (n->programs == WORLD_LINES || !copy(n->program[n->programs], WORLD_LINE, rest))
        return "a boot list is too long";
    n->programs++;
    return NULL;
}

static const char *add_expectation(struct world *w, char *rest)
{
    struct world_expectation *e;
    char *what = word(&rest);
    u32 index = node_named(w, word(&rest));

    if (index == w->nodes || (strcmp(what, "exit") != 0 && strcmp(what, "output") != 0))
        return "what is expected is output or exit of a node";
    w->expected = grown(w->expected, w->expectations, sizeof(*w->expected));
    e = &w->expected[w->expectations];
    e->node = index;
    e->exit = strcmp(what, "exit") == 0;
    if (!copy(e->text, sizeof(e->text), rest))
        return "a line is too long";
    w->expectations++;
    return NULL;
}

static const char *add_event(struct world *w, char *rest)
{
    struct world_event *e;
    u64 ns;

    if (!parse_count(word(&rest), &ns))
        return "when is a number of ns";
    if (w->events == w->event_room) {
        w->event_room = 2 * w->event_room + 16;
        w->event = realloc(w->event, w->event_room * sizeof(*w->event));
        if (!w->event)
            abort();
    }
    e = &w->event[w->events];
    e->ns = ns;
    e->number = w->events;
    if (!copy(e->command, sizeof(e->command), rest))
        return "a line is too long";
    w->events++;
    return NULL;
}

static const char *add_moment(struct world *w, char *rest)
{
    char *command = strchr(rest, '\t'), *lasts = word(&rest), *kind = word(&rest);
    struct world_moment *m;
    const char *wrong;

    if (!command)
        return "behind what is waited for comes a tab, and a command";
    *command++ = 0;
    w->moment = grown(w->moment, w->moments, sizeof(*w->moment));
    m = &w->moment[w->moments];
    m->node = node_named(w, word(&rest));
    m->disturbs = strcmp(lasts, "-") != 0;
    if (m->node == w->nodes)
        return "no such node";
    if (m->disturbs && !parse_count(lasts, &m->lasts))
        return "how long is a number of ns";
    wrong = moment_read(m, kind, rest);
    if (wrong)
        return wrong;
    if (!copy(m->command, sizeof(m->command), command))
        return "a line is too long";
    w->moments++;
    return NULL;
}

static const char *set(char *rest, u64 *value)
{
    return parse_count(word(&rest), value) ? NULL : "a time is a number of ns";
}

static const char *set_until(struct world *w, char *rest)
{
    u32 index = node_named(w, word(&rest));

    if (index == w->nodes)
        return "no such node";
    w->until = index + 1;
    return NULL;
}

const char *world_line(struct world *w, char *line)
{
    char *what = word(&line);

    if (strcmp(what, "medium") == 0)
        return add_medium(w, line);
    if (strcmp(what, "node") == 0)
        return add_node(w, line);
    if (strcmp(what, "program") == 0)
        return add_program(w, line);
    if (strcmp(what, "expect") == 0)
        return add_expectation(w, line);
    if (strcmp(what, "at") == 0)
        return add_event(w, line);
    if (strcmp(what, "when") == 0)
        return add_moment(w, line);
    if (strcmp(what, "end") == 0)
        return set(line, &w->end_ns);
    if (strcmp(what, "heal") == 0)
        return set(line, &w->heal_ns);
    if (strcmp(what, "calm") == 0)
        return set(line, &w->calm_ns);
    if (strcmp(what, "until") == 0)
        return set_until(w, line);
    if (strcmp(what, "own") == 0) {
        w->own = w->events;
        w->own_moments = w->moments;
        return NULL;
    }
    return "no such line";
}

void world_forget(struct world *w)
{
    u32 kept = 0;

    for (u32 i = 0; i < w->events; i++) /* a run has put them in order of time */
        if (w->event[i].number < w->own)
            w->event[kept++] = w->event[i];
    w->events = kept;
    w->moments = w->own_moments;
}

static const char *set_clock(struct sim_node *sn, const char *how)
{
    bool step = strncmp(how, "step=", 5) == 0, less;
    u64 value;

    if (!step && strncmp(how, "rate=", 5) != 0)
        return "a clock has step and rate";
    less = how[5] == '-';
    if (step ? !parse_duration(how + 5 + less, &value) : !parse_count(how + 5 + less, &value))
        return "a clock's step is a time, its rate a number";
    if (!step && value > (less ? 990000u : 9000000u))
        return "no clock has that rate";
    sim_set_clock(sn,
                  !step  ? 0
                  : less ? -(s64)value
                         : (s64)value,
                  step   ? sn->clock.rate
                  : less ? -(s64)value
                         : (s64)value);
    return NULL;
}

/* On a node that runs; on one that does not they mean nothing. */
static const char *to_node(struct world *w, u32 index, const char *what, char *rest)
{
    struct world_node *n = &w->node[index];
    struct sim_node *sn = &w->sim->nodes[index];
    u64 number;

    w->due[n - w->node] = 0;
    if (strcmp(what, "pause") == 0 || strcmp(what, "unpause") == 0) {
        n->still = what[0] == 'p';
        return NULL;
    }
    if (strcmp(what, "destroy") == 0) {
        world_stop(w, index, "destroyed");
        return NULL;
    }
    if (strcmp(what, "reboot") == 0) {
        world_stop(w, index, "restarted");
        world_start(w, index);
        return NULL;
    }
    if (strcmp(what, "clock") == 0)
        return set_clock(sn, word(&rest));
    if (strcmp(what, "kill") == 0) {
        what = word(&rest);
        return script_kill(sn, what, word(&rest));
    }
    if (!parse_count(word(&rest), &number) || number >= n->ports)
        return "no such interface";
    if (strcmp(what, "unplug") == 0)
        ports_unplug(w, n, (u32)number);
    else
        ports_plug(w, n, (u32)number);
    return NULL;
}

const char *world_command(struct world *w, const char *command)
{
    static const char *const words[] = {"pause", "unpause", "destroy", "reboot",
                                        "clock", "kill",    "unplug",  "plug"};
    char line[WORLD_LINE], *rest = line, *what;
    u32 index, i = 0;

    memcpy(line, command, sizeof(line));
    what = word(&rest);
    if (strcmp(what, "fault") == 0)
        return fabric_fault(&w->fabric, rest, w->sim->now);
    while (i < ARRAY_SIZE(words) && strcmp(words[i], what) != 0)
        i++;
    if (i == ARRAY_SIZE(words))
        return "the simulator cannot do that";
    if (strstr(what, "plug"))
        word(&rest); /* vif */
    index = node_named(w, word(&rest));
    if (index == w->nodes)
        return "no such node";
    return w->sim->nodes[index].down && strcmp(what, "reboot") != 0
               ? NULL
               : to_node(w, index, what, rest);
}

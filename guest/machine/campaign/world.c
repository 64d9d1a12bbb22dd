/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run: nodes boot, have turns while anything is to be done, and time goes on to the next
 * thing when nothing is. Every choice is by number, so that a run is the same each time.
 */
#include "guest/machine/campaign/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/keyed.h"
#include "base/memory.h"
#include "guest/kernel/trace.h"
#include "guest/machine/campaign/script.h"

/* What all nodes say to all at once is on its way, and one may have to do with each of the others. */
enum { MEDIA_MEMORY = 8 << 20, MEDIA_MEMORY_PER_NODE = 64 << 10 };
enum { NODE_MEMORY = 1 << 20, NODE_MEMORY_PER_NODE = 3 << 10 };
enum { TURNS_MOST = 1 << 16, CALLS = 64 };
#define NEVER (~(u64)0)

static void digest(struct world *w, u64 value)
{
    u64 x = (w->digest ^ value) * 0x9e3779b97f4a7c15ull;

    w->digest = x ^ x >> 29;
}

static void record(struct world *w, u32 machine, u16 type, u32 who, u64 a, u64 b)
{
    w->records++;
    digest(w, (u64)machine << 48 | (u64)type << 32 | who);
    digest(w, w->sim->now);
    digest(w, a);
    digest(w, b);
    if (w->tracing)
        printf("record %llu %u %u %u %llu %llu\n", (unsigned long long)w->sim->now, type,
               machine, who, (unsigned long long)a, (unsigned long long)b);
}

static void on_trace(struct sim_node *sn, u16 type, u32 who, u64 a, u64 b)
{
    struct world *w = world_of(sn);

    record(w, sn->index + 1, type, who, a, b);
    ledger_record(&w->ledger, sn->index + 1, w->sim->now, type, who, a, b);
    moments_record(w, sn->index, type, a);
    if (type == KERNEL_T_end)
        script_ended(sn, who, a == DEMOS_END_EXIT && !b);
}

void fabric_up_trace(struct fabric *f, u16 type, u32 who, u64 a, u64 b)
{
    struct world *w = container_of(f, struct world, fabric);

    if (w->sim)
        record(w, 0, type, who, a, b);
}

static void on_console(struct sim_node *sn, const void *text, size_t len)
{
    struct world *w = world_of(sn);
    struct world_node *n = &w->node[sn->index];

    if (n->console_len + len >= n->console_room) {
        n->console_room = 2 * (n->console_len + len) + 1024;
        n->console = realloc(n->console, n->console_room);
        if (!n->console)
            abort();
    }
    memcpy(n->console + n->console_len, text, len);
    n->console_len += len;
    n->console[n->console_len] = 0;
    for (size_t i = 0; i < len; i++)
        digest(w, ((const u8 *)text)[i]);
    moments_output(w, sn->index, n->console);
}

void world_start(struct world *w, u32 index)
{
    struct world_node *n = &w->node[index];
    struct sim_node *sn = &w->sim->nodes[index];

    sim_boot(sn, NODE_MEMORY + w->nodes * (size_t)NODE_MEMORY_PER_NODE,
             NODE_TRACE | NODE_CHECK_LINKS, true, NULL);
    if (!sn->node || !sn->net) {
        w->wrong = "a node's memory does not do for its kernel";
        return;
    }
    n->ended = NULL;
    n->still = n->worst = false;
    w->due[index] = 0;
    n->waiting = 0;
    ledger_start(&w->ledger, index + 1);
    if (w->tracing)
        printf("start %llu %u\n", (unsigned long long)w->sim->now, index + 1);
    ports_attach(w, n);
    if (!w->wrong)
        w->wrong = script_boot(w, index);
}

void world_stop(struct world *w, u32 index, const char *how)
{
    struct world_node *n = &w->node[index];
    struct sim_node *sn = &w->sim->nodes[index];

    if (sn->down)
        return;
    n->ended = how;
    for (u32 i = 0; i < n->ports; i++)
        ports_unplug(w, n, i);
    sn->sim->on_trace = NULL; /* an end from outside leaves no records */
    ledger_held(&w->ledger, "bytes of a node's heap", 0, sim_end(sn));
    sn->sim->on_trace = on_trace;
    ledger_stop(&w->ledger, index + 1, w->sim->now);
    moments_exit(w, index);
    if (w->tracing)
        printf("stop %llu %u %s\n", (unsigned long long)w->sim->now, index + 1, how);
}

/* When something will happen to a node by itself. */
static u64 deadline(const struct sim_node *sn)
{
    return sim_when(sn, MIN(node_deadline(sn->node), net_deadline(sn->net)));
}

/* A node does what it can do at this instant, some calls at a time; others have turns between. */
static bool turn(struct world *w, u32 index)
{
    struct world_node *n = &w->node[index];
    struct sim_node *sn = &w->sim->nodes[index];

    w->due[index] = NEVER;
    if (sn->down || n->still)
        return false;
    net_poll(sn->net, sim_now(sn));
    node_timer(sn->node);
    for (u32 i = 0; i < CALLS && sim_step(sn); i++)
        w->due[index] = i == CALLS - 1 ? 0 : NEVER;
    if (n->port[0].pending)
        net_poll(sn->net, sim_now(sn));
    else if (net_unsettled(sn->net)) /* what was sent goes out */
        net_settle(sn->net, sim_now(sn));
    if (!n->waiting)
        world_stop(w, index, n->worst ? "crash" : "poweroff");
    else if (w->due[index])
        w->due[index] = deadline(sn);
    return true;
}

/* The next node from `from` on that wants a turn. */
static u32 wanting(const struct world *w, u32 from)
{
    const u64 *due = w->due, now = w->sim->now;

    while (from < w->nodes && due[from] > now)
        from++;
    return from;
}

static void instant(struct world *w)
{
    bool any = true;

    for (u32 turns = 0; any && !w->wrong; turns++) {
        any = fabric_run(&w->fabric, w->sim->now);
        for (u32 i = wanting(w, 0); i < w->nodes; i = wanting(w, i + 1))
            any = turn(w, i) || any;
        if (turns == TURNS_MOST)
            w->wrong = "a process computes for ever: time goes on when all wait";
    }
}

static u64 next(const struct world *w)
{
    u64 at = w->end_ns;

    if (moments_due(
            w)) /* nothing else has that instant: who looks at times alone sees what came first */
        return w->sim->now + 1;
    if (w->next_event < w->events)
        at = MIN(at, w->event[w->next_event].ns);
    at = MIN(at, fabric_deadline(&w->fabric));
    for (u32 i = 0; i < w->nodes; i++)
        at = MIN(at, w->due[i]);
    return MAX(at, w->sim->now + 1);
}

static void act(struct world *w)
{
    while (w->next_event < w->events && w->event[w->next_event].ns <= w->sim->now && !w->wrong)
        w->wrong = world_command(w, w->event[w->next_event++].command);
    moments_act(w);
}

static int by_time(const void *a, const void *b)
{
    const struct world_event *x = a, *y = b;

    if (x->ns != y->ns)
        return x->ns < y->ns ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static size_t media_memory(const struct world *w)
{
    return MEDIA_MEMORY + w->nodes * (size_t)MEDIA_MEMORY_PER_NODE;
}

static void begin(struct world *w, u64 seed)
{
    w->seed = w->sim->seed = seed;
    w->sim->now = w->records = w->missed = 0;
    w->digest = seed;
    w->wrong = NULL;
    w->next_event = 0;
    if (w->events)
        qsort(w->event, w->events, sizeof(*w->event), by_time);
    ledger_begin(&w->ledger, w->nodes);
    moments_begin(w);
    heap_init(&w->heap, w->memory, media_memory(w));
    fabric_init(&w->fabric, &w->heap, seed, NULL);
    for (u32 i = 0; i < w->media && !w->wrong; i++)
        w->wrong = fabric_add(&w->fabric, w->medium[i]);
    for (u32 i = 0; i < w->nodes && !w->wrong; i++) {
        w->sim->nodes[i].epoch = 0;
        w->sim->nodes[i].clock = (struct sim_clock){0};
        w->node[i].console_len = 0;
        world_start(w, i);
    }
}

static void expect(struct world *w)
{
    for (u32 i = 0; i < w->expectations; i++) {
        const struct world_expectation *e = &w->expected[i];
        const struct world_node *n = &w->node[e->node];
        bool held = e->exit ? strcmp(n->ended ? n->ended : "running", e->text) == 0
                            : n->console_len && strstr(n->console, e->text) != NULL;

        if (!held && !w->missed++)
            snprintf(w->first_missed, sizeof(w->first_missed), "%s: %s", n->name, e->text);
    }
}

/* Everything is given back; what is not is a leak. */
static void finish(struct world *w)
{
    u64 end = w->sim->now;

    expect(w);
    for (u32 i = 0; i < w->nodes; i++) {
        struct sim_node *sn = &w->sim->nodes[i];

        if (sn->down)
            continue;
        for (u32 k = 0; k < w->node[i].ports; k++)
            ports_unplug(w, &w->node[i], k);
        w->sim->on_trace = NULL;
        ledger_held(&w->ledger, "bytes of a node's heap", 0, sn->node ? sim_end(sn) : 0);
        w->sim->on_trace = on_trace;
    }
    ledger_held(&w->ledger, "pages of processes", 0, w->sim->pages);
    fabric_destroy(&w->fabric);
    ledger_held(&w->ledger, "bytes of the fabric's heap", 0, w->heap.in_use);
    ledger_conclude(&w->ledger, end, w->calm_now, w->heal_ns);
}

void world_run(struct world *w, u64 seed)
{
    if (!w->sim) {
        w->sim = sim_begin(w->nodes, seed);
        w->sim->owner = w;
        w->sim->on_trace = on_trace;
        w->sim->on_console = on_console;
        script_register(w->sim);
        w->memory = malloc(media_memory(w));
        w->due = calloc(w->nodes, sizeof(*w->due));
        if (!w->memory || !w->due)
            abort();
    }
    begin(w, seed);
    while (!w->wrong) {
        act(w);
        instant(w);
        if (w->sim->now >= w->end_ns || (w->until && w->node[w->until - 1].ended))
            break;
        w->sim->now = next(w);
    }
    finish(w);
}

void world_init(struct world *w)
{
    *w = (struct world){.end_ns = 1000000000};
}

void world_free(struct world *w)
{
    if (w->sim)
        sim_destroy(w->sim);
    for (u32 i = 0; i < w->nodes; i++)
        free(w->node[i].console);
    ledger_free(&w->ledger);
    free(w->node);
    free(w->medium);
    free(w->event);
    free(w->moment);
    free(w->expected);
    free(w->memory);
    free(w->due);
}

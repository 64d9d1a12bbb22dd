/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot lists: which script plays a line's program, with which links and arguments. What init does with
 * messages is done here by fiat, as for a node's first process.
 */
#include <stdio.h>
#include <string.h>
#include "guest/kernel/control.h"
#include "guest/kernel/core.h"
#include "guest/machine/campaign/script.h"
#include "guest/machine/campaign/world.h"
#include "net/media/words.h"

enum { WORDS_MOST = 16, BOARD = 1, ANNOUNCE, CLIENT, SERVER, RING, TOUR, SCRIPTS };
enum { SERVICE_CHANNEL = 1 };

static const struct {
    const char *name;
    sim_program *script;
} scripts[SCRIPTS] = {
    [BOARD] = {"switchboard", script_board},
    [ANNOUNCE] = {"announce", script_announce},
    [CLIENT] = {"counter-client", script_counter_client},
    [SERVER] = {"counter-server", script_counter_server},
    [RING] = {"ring", script_ring},
    [TOUR] = {"tour", script_tour},
};

/* A line in its words. */
struct line {
    char text[WORLD_LINE];
    char *word[WORDS_MOST];
    u32 count;
    const char *serves; /* its service's name to the lines after it */
    const char *with;   /* the name that it waits for */
};

void script_register(struct sim *s)
{
    for (u32 i = 1; i < SCRIPTS; i++)
        s->programs[i] = scripts[i].script;
}

static u32 script_named(const char *name)
{
    u32 i = SCRIPTS;

    while (--i && strcmp(scripts[i].name, name) != 0)
        ;
    return i;
}

/* NULL, or what a simulator cannot do with such a line. */
static const char *parse(struct line *l, const char *text)
{
    char *at = l->text;

    memset(l, 0, sizeof(*l));
    snprintf(l->text, sizeof(l->text), "%s", text);
    while (*(at += strspn(at, " "))) {
        if (l->count == WORDS_MOST)
            return "a line of a boot list is too long";
        if (*at == '=' && !l->count)
            l->serves = at + 1;
        else if (*at != '+' || l->count)
            l->word[l->count++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = 0;
    }
    if (l->count > 2 && strcmp(l->word[0], "with") == 0) {
        l->with = l->word[1];
        l->count -= 2;
        memmove(l->word, l->word + 2, l->count * sizeof(l->word[0]));
    }
    return l->count ? NULL : "a line of a boot list names no program";
}

const char *script_check(const char *text)
{
    struct line l = {0};
    const char *wrong = parse(&l, text);
    u32 program;

    if (wrong)
        return wrong;
    program = script_named(l.word[0]);
    if (!program)
        return "no script plays that program";
    if ((program == CLIENT) != (l.with != NULL))
        return "`with NAME` is for counter-client, which needs it";
    if (program == BOARD && (l.count != 2 || strcmp(l.word[1], "global") != 0))
        return "a switchboard is the cluster's: switchboard global";
    if (program == RING && (l.count < 5 || strcmp(l.word[1], "of") != 0))
        return "a ring is one of machines: ring of MACHINES at N [ROUNDS [FIRST]]";
    if (program == TOUR && (l.count < 5 || script_named(l.word[2]) != SERVER))
        return "a tour is one of a counter-server";
    return NULL;
}

static struct task *make(struct sim_node *sn, const char *name)
{
    struct task *t = node_process(sn->node, name, NULL);
    u32 rw = REGION_READ | REGION_WRITE;
    u64 pages = script_named(name) == BOARD ? SCRIPT_PAGES_BOARD : SCRIPT_PAGES;

    if (t && (node_map(sn->node, t, SIM_DATA, pages * SIM_PAGE, rw, rw) ||
              node_grant(sn->node, t, "kernel", KERNEL_PROCESS) < 0 ||
              node_grant(sn->node, t, "console", KERNEL_CONSOLE) < 0)) {
        node_kill(sn->node, t);
        return NULL;
    }
    return t;
}

static bool go(struct sim_node *sn, struct task *t, const struct line *l, u32 program)
{
    char args[WORLD_LINE];
    size_t len = 0;
    u32 count = l->count;

    for (u32 i = 0; i < l->count; i++)
        len += (size_t)snprintf(args + len, sizeof(args) - len, "%s", l->word[i]) + 1;
    if (l->with) {
        len += (size_t)snprintf(args + len, sizeof(args) - len, "@%s", l->with) + 1;
        count++;
    }
    return node_start(sn->node, t, program, DEMOS_STACK_TOP, count, args, len) == 0;
}

static bool give(struct sim_node *sn, struct task *t, const char *name,
                 const struct task *server)
{
    struct link l = sim_link_to(sim_process_of(server), DEMOS_REQUEST_LINK,
                                DEMOS_DUP | DEMOS_GIVE, SERVICE_CHANNEL, 0);

    return start_give(sn->node, t, name, &l) > 0;
}

static struct task *serve(struct sim_node *sn)
{
    static char name[] = "counter-server";
    struct line l = {.word = {name}, .count = 1};
    struct task *t = make(sn, l.word[0]);

    return t && go(sn, t, &l, SERVER) ? t : NULL;
}

/* The server that a tour takes round, and the right to. */
static bool tour(struct sim_node *sn, struct task *t, const char *name)
{
    struct task *server = serve(sn);
    struct link l;

    if (!server)
        return false;
    control_link(server, sn->index + 1, &l);
    return give(sn, t, name, server) && start_give(sn->node, t, "server", &l) > 0;
}

static bool start(struct world *w, u32 index, const struct line *l, struct task **server)
{
    struct sim_node *sn = &w->sim->nodes[index];
    u32 program = script_named(l->word[0]);
    struct task *t = make(sn, l->word[0]);

    if (!t || (program == TOUR && !tour(sn, t, l->word[1])) ||
        (program == ANNOUNCE && (!*server || !give(sn, t, l->word[1], *server))) ||
        !go(sn, t, l, program))
        return false;
    if (l->serves)
        *server = t;
    else
        w->node[index].waiting++;
    sim_process_of(t)->data = l->serves ? NULL : &w->node[index];
    return true;
}

const char *script_boot(struct world *w, u32 index)
{
    struct task *server = NULL;
    struct line l = {0};

    for (u32 i = 0; i < w->node[index].programs; i++) {
        const char *wrong = parse(&l, w->node[index].program[i]);

        if (wrong)
            return wrong;
        if (!start(w, index, &l, &server))
            return "a node cannot start what its boot list says";
    }
    return NULL;
}

void script_ended(struct sim_node *sn, u32 serial, bool well)
{
    struct task *t = NULL;
    u32 row = 0;

    while ((t = node_task(sn->node, row)) != NULL && (u32)t->id.serial != serial)
        row = t->row;
    if (t && sim_process_of(t) && sim_process_of(t)->data) {
        struct world_node *n = sim_process_of(t)->data;

        n->waiting--;
        n->worst |= !well;
    }
}

const char *script_kill(struct sim_node *sn, const char *name, const char *number)
{
    struct task *t;
    u64 which = 1;

    if (*number && !parse_count(number, &which))
        return "which process is a number";
    for (u32 row = 0; (t = node_task(sn->node, row)) != NULL; row = t->row) {
        if (strcmp(t->name, name) != 0 || --which)
            continue;
        node_kill(sn->node, t);
        return NULL;
    }
    return NULL; /* it has ended already */
}

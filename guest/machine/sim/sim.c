/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated machine: nodes that come, go and boot again, their processes, and the little
 * that the kernel asks of a machine besides memory and threads.
 */
#include "guest/machine/sim/inside.h"
#include "guest/machine/sim/wire.h"
#include "net/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

u64 machine_now(struct node *n)
{
    return sim_now(sim_owner(n));
}

u32 machine_page_size(struct node *n)
{
    (void)n;
    return SIM_PAGE;
}

void machine_trace(struct node *n, u16 type, u32 who, u64 a, u64 b)
{
    struct sim_node *sn = sim_owner(n);

    if (sn->sim->on_trace)
        sn->sim->on_trace(sn, type, who, a, b);
}

/* All channels echo: enough to see that they answer. The console's first word is what to do. */
size_t machine_message(struct node *n, u32 channel, struct message *m, u8 *answer, size_t room)
{
    struct sim_node *sn = sim_owner(n);
    size_t len = MIN((size_t)m->length, room);

    memcpy(answer, m->body, len);
    if (channel == KERNEL_CONSOLE && sn->sim->on_console && m->length > 8)
        sn->sim->on_console(sn, m->body + 8, m->length - 8);
    return len;
}

NORETURN void machine_stop(struct node *n, const char *why)
{
    fprintf(stderr, "node %u stopped: %s\n", node_config(n)->machine, why);
    abort();
}

void net_up_announce(struct net *net, machine_t from, const void *bytes, size_t len)
{
    struct node *n = net_owner(net);

    (void)from;
    if (n)
        node_announced(n, bytes, len);
}

void net_up_trace(struct net *net, u16 type, u32 who, u64 a, u64 b)
{
    struct node *n = net_owner(net);

    if (n)
        machine_trace(n, type, who, a, b);
}

/* What a clock has gained in `ns`, or lost. */
static s64 gained(const struct sim_clock *c, u64 ns)
{
    return c->rate ? (s64)((__int128)ns * c->rate / 1000000) : 0;
}

u64 sim_now(const struct sim_node *sn)
{
    u64 ns = sn->sim->now - sn->clock.at;

    return sn->clock.shown + ns + (u64)gained(&sn->clock, ns);
}

u64 sim_when(const struct sim_node *sn, u64 shown)
{
    const struct sim_clock *c = &sn->clock;
    u64 ns = shown - c->shown;

    if (shown == ~(u64)0)
        return shown;
    if (shown <= c->shown)
        return c->at;
    if (c->rate)
        ns = (u64)(((__int128)ns * 1000000 + 999999 + c->rate) / (1000000 + c->rate));
    return ns > ~(u64)0 - c->at ? ~(u64)0 : c->at + ns;
}

void sim_set_clock(struct sim_node *sn, s64 step, s64 rate)
{
    u64 shown = sim_now(sn);

    sn->clock.shown = shown + (u64)MAX(step, 0ll);
    sn->clock.at = sn->sim->now;
    sn->clock.rate = rate;
}

void sim_boot(struct sim_node *sn, size_t memory, u32 flags, bool networked,
              const struct demos_limits *limits)
{
    u32 machine = sn->index + 1;
    u64 seed = sn->sim->seed;
    struct node_config config = {
        .machine = machine, .epoch = ++sn->epoch, .seed = seed, .flags = flags};
    struct net_config net = {.self = machine,
                             .epoch = sn->epoch,
                             .seed = seed,
                             .has_crc32c = __builtin_cpu_supports("sse4.2")};

    if (limits)
        config.limits = *limits;
    if (sn->memory_size != memory) {
        free(sn->memory);
        sn->memory = malloc(memory);
        sn->memory_size = memory;
    }
    heap_init(&sn->heap, sn->memory, sn->memory_size);
    sn->net = networked ? net_create(&sn->heap, &net) : NULL;
    sn->node = node_create(&sn->heap, &config, sn->net, sn);
    sn->down = false;
}

size_t sim_end(struct sim_node *sn)
{
    sn->down = true; /* nothing of its end is heard */
    node_destroy(sn->node);
    if (sn->net) {
        net_set_trace(sn->net, false); /* the node it would tell is no more */
        wire_leave(sn);
        net_destroy(sn->net);
    }
    sn->running = NULL;
    sn->node = NULL;
    sn->net = NULL;
    return sn->heap.in_use;
}

struct sim *sim_begin(u32 count, u64 seed)
{
    struct sim *s = calloc(1, sizeof(*s));

    s->nodes = calloc(count, sizeof(*s->nodes));
    s->count = count;
    s->seed = seed;
    for (u32 i = 0; i < count; i++) {
        s->nodes[i].sim = s;
        s->nodes[i].index = i;
        s->nodes[i].down = true;
        list_init(&s->nodes[i].ports);
    }
    return s;
}

struct sim *sim_create_limits(u32 count, size_t memory, u32 flags, bool networked,
                              const struct demos_limits *limits)
{
    struct sim *s = sim_begin(count, 7);

    for (u32 i = 0; i < count; i++)
        sim_boot(&s->nodes[i], memory, flags, networked, limits);
    if (networked)
        wire_join(s, 0, count);
    return s;
}

struct sim *sim_create(u32 count, size_t memory, u32 flags, bool networked)
{
    return sim_create_limits(count, memory, flags, networked, NULL);
}

static void node_end(struct sim_node *sn)
{
    size_t left = sn->node ? sim_end(sn) : 0;

    if (left) {
        fprintf(stderr, "node %u leaves %zu bytes behind\n", sn->index + 1, left);
        abort();
    }
}

void sim_reboot(struct sim_node *sn)
{
    struct node_config was = *node_config(sn->node);
    bool networked = sn->net;

    node_end(sn);
    sim_boot(sn, sn->memory_size, was.flags, networked, &was.limits);
    if (networked)
        wire_join(sn->sim, sn->index, 1);
}

void sim_destroy(struct sim *s)
{
    for (u32 i = 0; i < s->count; i++) {
        node_end(&s->nodes[i]);
        free(s->nodes[i].memory);
        free(s->nodes[i].frames);
    }
    free(s->nodes);
    free(s);
}

struct sim_process *sim_process_of(const struct task *t)
{
    struct thread *th = task_thread(t);

    return th ? th->machine : NULL;
}

struct sim_process *sim_spawn(struct sim_node *sn, u32 program, u32 pages)
{
    struct task *t = node_process(sn->node, "sim", NULL);
    u32 rw = REGION_READ | REGION_WRITE;

    if (!t)
        return NULL;
    if (node_map(sn->node, t, SIM_DATA, (u64)pages * SIM_PAGE, rw, rw) ||
        node_grant(sn->node, t, "kernel", KERNEL_PROCESS) < 0 ||
        node_grant(sn->node, t, "self", 0) < 0 ||
        node_start(sn->node, t, program, DEMOS_STACK_TOP, 0, NULL, 0)) {
        node_kill(sn->node, t);
        return NULL;
    }
    return sim_process_of(t);
}

bool sim_peek(struct sim_process *p, u64 address, void *to, size_t len)
{
    const u8 *at = sim_space_at(sim_space_of(p->task), address, len, 0, false);

    if (at)
        memcpy(to, at, len);
    return at || sim_space_access(sim_space_of(p->task), address, to, len, 0, false);
}

bool sim_poke(struct sim_process *p, u64 address, const void *from, size_t len)
{
    u8 *at = sim_space_at(sim_space_of(p->task), address, len, 0, true);

    if (at)
        memcpy(at, from, len);
    return at || sim_space_access(sim_space_of(p->task), address, (void *)(uintptr_t)from, len,
                                  0, true);
}

struct link sim_link_to(const struct sim_process *to, u32 kind, u32 attr, u32 channel, u64 code)
{
    struct link l = {
        .to = to->task->id,
        .code = code,
        .hint = to->node->index + 1,
        .incarnation = to->task->incarnation,
        .channel = (u16)channel,
        .moves = (u16)to->task->moves,
        .attr = (u16)attr,
        .kind = (u8)kind,
    };

    l.check = link_check(&l, to->task->key);
    return l;
}

s64 sim_link(struct sim_process *of, const struct sim_process *to, u32 kind, u32 attr,
             u32 channel, u64 code)
{
    struct link l = sim_link_to(to, kind, attr, channel, code);

    return link_insert(of->node->node, &of->task->links, &l);
}

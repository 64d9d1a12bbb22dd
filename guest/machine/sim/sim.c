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
    return sim_owner(n)->sim->now;
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

/* The console echoes: enough to see that machine channels answer. */
size_t machine_message(struct node *n, u32 channel, struct message *m, u8 *answer, size_t room)
{
    size_t len = MIN((size_t)m->length, room);

    (void)n;
    (void)channel;
    memcpy(answer, m->body, len);
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

void net_up_trace(struct net *n, u16 type, u32 who, u64 a, u64 b)
{
    (void)n;
    (void)type;
    (void)who;
    (void)a;
    (void)b;
}

/* A boot of a node, in memory that holds nothing yet. */
static void boot(struct sim_node *sn, u32 flags, bool networked,
                 const struct demos_limits *limits)
{
    u32 machine = sn->index + 1;
    struct node_config config = {
        .machine = machine, .epoch = ++sn->epoch, .seed = 7, .flags = flags};
    struct net_config net = {.self = machine, .epoch = sn->epoch, .seed = 7};

    if (limits)
        config.limits = *limits;
    heap_init(&sn->heap, sn->memory, sn->memory_size);
    if (networked)
        sn->net = net_create(&sn->heap, &net);
    sn->node = node_create(&sn->heap, &config, sn->net, sn);
}

static void node_begin(struct sim *s, u32 index, size_t memory, u32 flags, bool networked,
                       const struct demos_limits *limits)
{
    struct sim_node *sn = &s->nodes[index];

    sn->sim = s;
    sn->index = index;
    sn->memory_size = memory;
    sn->memory = malloc(memory);
    list_init(&sn->ports);
    boot(sn, flags, networked, limits);
}

struct sim *sim_create_limits(u32 count, size_t memory, u32 flags, bool networked,
                              const struct demos_limits *limits)
{
    struct sim *s = calloc(1, sizeof(*s));

    s->nodes = calloc(count, sizeof(*s->nodes));
    s->count = count;
    for (u32 i = 0; i < count; i++)
        node_begin(s, i, memory, flags, networked, limits);
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
    node_destroy(sn->node);
    if (sn->net) {
        wire_leave(sn);
        net_destroy(sn->net);
    }
    if (sn->heap.in_use) {
        fprintf(stderr, "node %u leaves %zu bytes behind\n", sn->index + 1, sn->heap.in_use);
        abort();
    }
}

void sim_reboot(struct sim_node *sn)
{
    struct node_config was = *node_config(sn->node);
    bool networked = sn->net;

    sn->down = true; /* nothing of its end is heard */
    node_end(sn);
    sn->running = NULL;
    boot(sn, was.flags, networked, &was.limits);
    if (networked)
        wire_join(sn->sim, sn->index, 1);
    sn->down = false;
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
    return sim_space_access(sim_space_of(p->task), address, to, len, 0, false);
}

bool sim_poke(struct sim_process *p, u64 address, const void *from, size_t len)
{
    return sim_space_access(sim_space_of(p->task), address, (void *)(uintptr_t)from, len, 0,
                            true);
}

s64 sim_link(struct sim_process *of, const struct sim_process *to, u32 kind, u32 attr,
             u32 channel, u64 code)
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
    return link_insert(of->node->node, &of->task->links, &l);
}

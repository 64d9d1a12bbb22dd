/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated machine: what the kernel asks of one, and the loop that runs threads.
 */
#include "guest/machine/sim/space.h"
#include "guest/machine/sim/wire.h"
#include "guest/kernel/machine.h"
#include "base/bytes.h"
#include "net/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sim_node *owner(struct node *n)
{
    return node_owner(n);
}

static struct sim_space *space(const struct task *t)
{
    return t->machine;
}

u64 machine_now(struct node *n)
{
    return owner(n)->sim->now;
}

u32 machine_page_size(struct node *n)
{
    (void)n;
    return SIM_PAGE;
}

/* A thread's own accesses wait once per call when pages are to be fetched. */
static bool fetch_first(struct node *n, struct task *t)
{
    struct sim_node *sn = owner(n);
    struct sim_process *p = sn->running ? sn->running->machine : NULL;

    if (!sn->sim->absent || !p || p->task != t || p->parked)
        return false;
    p->parked = true;
    return true;
}

enum machine_result machine_copy_in(struct node *n, struct task *t, void *to, u64 from,
                                    size_t len)
{
    if (fetch_first(n, t))
        return MACHINE_LATER;
    return sim_space_access(space(t), from, to, len, REGION_READ, false) ? MACHINE_OK
                                                                         : MACHINE_FAULT;
}

enum machine_result machine_copy_out(struct node *n, struct task *t, u64 to, const void *from,
                                     size_t len)
{
    if (fetch_first(n, t))
        return MACHINE_LATER;
    return sim_space_access(space(t), to, (void *)(uintptr_t)from, len, REGION_WRITE, true)
               ? MACHINE_OK
               : MACHINE_FAULT;
}

enum machine_result machine_copy(struct node *n, struct task *to, u64 to_address,
                                 struct task *from, u64 from_address, size_t len)
{
    u8 *bytes = malloc(len ? len : 1);
    bool good = sim_space_access(space(from), from_address, bytes, len, REGION_READ, false) &&
                sim_space_access(space(to), to_address, bytes, len, REGION_WRITE, true);

    (void)n;
    free(bytes);
    return good ? MACHINE_OK : MACHINE_FAULT;
}

u64 machine_share(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, u64 len)
{
    (void)n;
    return sim_space_share(space(to), to_address, space(from), from_address, len);
}

enum machine_result machine_space_create(struct node *n, struct task *t)
{
    if (owner(n)->sim->cramped)
        return MACHINE_MEMORY;
    t->machine = sim_space_new(owner(n)->sim);
    return MACHINE_OK;
}

void machine_space_destroy(struct node *n, struct task *t)
{
    (void)n;
    sim_space_free(t->machine);
    t->machine = NULL;
}

enum machine_result machine_map(struct node *n, struct task *t, const struct region *r)
{
    if (owner(n)->sim->cramped)
        return MACHINE_MEMORY;
    sim_space_map(space(t), r->base, r->length, r->protection);
    return MACHINE_OK;
}

void machine_unmap(struct node *n, struct task *t, const struct region *r)
{
    (void)n;
    sim_space_unmap(space(t), r->base, r->length);
}

void machine_protect(struct node *n, struct task *t, const struct region *r)
{
    (void)n;
    sim_space_protect(space(t), r->base, r->length, r->protection);
}

enum machine_result machine_load(struct node *n, struct task *t, u64 to, const void *from,
                                 size_t len)
{
    (void)n;
    return sim_space_access(space(t), to, (void *)(uintptr_t)from, len, 0, true)
               ? MACHINE_OK
               : MACHINE_FAULT;
}

enum machine_result machine_thread_create(struct node *n, struct thread *th)
{
    struct sim_process *p = calloc(1, sizeof(*p));

    p->node = owner(n);
    p->task = th->task;
    p->thread = th;
    th->machine = p;
    return MACHINE_OK;
}

void machine_thread_destroy(struct node *n, struct thread *th)
{
    if (owner(n)->running == th)
        owner(n)->running = NULL;
    free(th->machine);
    th->machine = NULL;
}

void machine_thread_start(struct node *n, struct thread *th, u64 entry, u64 stack, u64 argument)
{
    struct sim_process *p = th->machine;

    (void)n;
    p->program = entry;
    p->stack = stack;
    p->start = argument;
    p->fresh = true;
}

enum { IMAGE = 8 * (SIM_WORDS + 6) };
#define IMAGE_MAGIC 0x73696d7265677331ull

size_t machine_thread_export(struct node *n, struct thread *th, void *image, size_t room)
{
    const struct sim_process *p = th->machine;
    u64 words[SIM_WORDS + 6] = {IMAGE_MAGIC, p->program, p->stack,
                                p->start,    p->fresh,   (u64)p->result};

    (void)n;
    memcpy(words + 6, p->self, sizeof(p->self));
    for (u32 i = 0; room >= IMAGE && i < SIM_WORDS + 6; i++)
        be64_put((u8 *)image + 8 * i, words[i]);
    return IMAGE;
}

bool machine_thread_import(struct node *n, struct thread *th, const void *image, size_t len)
{
    struct sim_process *p = th->machine;
    const u8 *at = image;

    (void)n;
    if (len != IMAGE || be64_get(at) != IMAGE_MAGIC)
        return false;
    p->program = be64_get(at + 8);
    p->stack = be64_get(at + 16);
    p->start = be64_get(at + 24);
    p->fresh = be64_get(at + 32);
    p->result = (s64)be64_get(at + 40);
    for (u32 i = 0; i < SIM_WORDS; i++)
        p->self[i] = be64_get(at + 48 + 8 * i);
    return true;
}

void machine_trace(struct node *n, u16 type, u32 who, u64 a, u64 b)
{
    struct sim_node *sn = owner(n);

    if (sn->sim->on_trace)
        sn->sim->on_trace(sn, type, who, a, b);
}

/* The console echoes: enough to see that machine channels answer. */
size_t machine_message(struct node *n, u32 channel, const struct message *m, u8 *answer,
                       size_t room)
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

static void node_begin(struct sim *s, u32 index, size_t memory, u32 flags, bool networked,
                       const struct demos_limits *limits)
{
    struct sim_node *sn = &s->nodes[index];
    struct node_config config = {.machine = index + 1, .epoch = 1, .seed = 7, .flags = flags};
    struct net_config net = {.self = index + 1, .epoch = 1, .seed = 7};

    if (limits)
        config.limits = *limits;
    sn->sim = s;
    sn->index = index;
    sn->memory_size = memory;
    sn->memory = malloc(memory);
    list_init(&sn->ports);
    heap_init(&sn->heap, sn->memory, memory);
    if (networked)
        sn->net = net_create(&sn->heap, &net);
    sn->node = node_create(&sn->heap, &config, sn->net, sn);
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

void sim_destroy(struct sim *s)
{
    for (u32 i = 0; i < s->count; i++) {
        struct sim_node *sn = &s->nodes[i];

        node_destroy(sn->node);
        if (sn->net) {
            wire_leave(sn);
            net_destroy(sn->net);
        }
        if (sn->heap.in_use) {
            fprintf(stderr, "node %u leaves %zu bytes behind\n", i + 1, sn->heap.in_use);
            abort();
        }
        free(sn->memory);
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

static enum outcome enter(struct sim_node *sn, struct thread *t, s64 *result)
{
    struct sim_process *p = t->machine;
    struct sim_call call = sn->sim->programs[p->program % SIM_PROGRAMS](p, p->result);
    struct exception fault = {.reason = EXCEPTION_ADDRESS, .address = call.args[0]};

    p->fresh = p->parked = false;
    if (call.number == SIM_FAULT)
        return node_exception(sn->node, t, &fault);
    if (call.number == SIM_PREEMPT) {
        node_preempt(sn->node, t);
        return NODE_BLOCKED;
    }
    sn->sim->calls++;
    return node_call(sn->node, t, call.number, call.args, result);
}

/* Lets a thread go on in the kernel; a test may want to know that it waits again. */
static enum outcome resume(struct sim_node *sn, struct thread *t, s64 *result)
{
    enum outcome o;

    sn->running = t;
    o = node_resume(sn->node, t, result);
    if ((o == NODE_BLOCKED || o == NODE_SWITCH) && sn->running == t && sn->sim->on_blocked)
        sn->sim->on_blocked(t->machine);
    return o;
}

/* Acts on what the kernel said about `t`; goes straight on where it says so. */
static void settle(struct sim_node *sn, struct thread *t, enum outcome o, s64 result)
{
    while (o == NODE_SWITCH || o == NODE_RUN) {
        if (o == NODE_SWITCH) {
            sn->switches++;
            t = node_switch_target(sn->node);
            o = resume(sn, t, &result);
        }
        if (o == NODE_RUN)
            o = enter(sn, t, &result);
    }
    if (o == NODE_BLOCKED) {
        sn->running = NULL;
        return;
    }
    ((struct sim_process *)t->machine)->result = result;
    if (node_should_preempt(sn->node, t)) {
        node_preempt(sn->node, t);
        sn->running = NULL;
    }
}

/* Pages arrive at once: whoever waits for one may go on. */
static bool fetch(struct sim_node *sn)
{
    bool any = false;
    struct task *t;

    for (u32 row = 0; (t = node_task(sn->node, row)) != NULL; row = t->row) {
        struct thread *th = task_thread(t);

        if (th->state == THREAD_WAITING && th->wait == WAIT_PAGE) {
            node_page_ready(sn->node, th);
            any = true;
        }
    }
    return any;
}

bool sim_step(struct sim_node *sn)
{
    struct thread *t = sn->running;
    enum outcome o = NODE_RUN;
    s64 result = 0;

    if (!t) {
        t = node_next(sn->node);
        if (!t)
            return sn->sim->absent && fetch(sn);
        o = resume(sn, t, &result);
    }
    settle(sn, t, o, result);
    return true;
}

/* The time of the next thing that will happen by itself; ~0: none. */
static u64 next_event(const struct sim *s)
{
    u64 next = ~(u64)0;

    for (u32 i = 0; i < s->count; i++) {
        if (s->nodes[i].down)
            continue;
        next = MIN(next, node_deadline(s->nodes[i].node));
        if (s->nodes[i].net)
            next = MIN(next, net_deadline(s->nodes[i].net));
    }
    return next;
}

static bool busy(const struct sim *s)
{
    for (u32 i = 0; i < s->count; i++) {
        const struct sim_node *sn = &s->nodes[i];
        struct task *t;

        for (u32 row = 0; !sn->down && (t = node_task(sn->node, row)) != NULL; row = t->row) {
            const struct thread *th = task_thread(t);

            if (th->state == THREAD_READY || th->state == THREAD_RUNNING || th->timer)
                return true;
            if (th->state == THREAD_WAITING && th->wait != WAIT_MESSAGE)
                return true;
        }
    }
    return false;
}

static bool round_of(struct sim *s)
{
    bool any = false;

    for (u32 i = 0; i < s->count; i++) {
        struct sim_node *sn = &s->nodes[i];

        if (sn->down)
            continue;
        if (sn->net)
            net_poll(sn->net, s->now);
        node_timer(sn->node);
        any = sim_step(sn) || any;
    }
    return any;
}

bool sim_run(struct sim *s, u64 steps)
{
    u64 quiet = 0;

    for (u64 i = 0; i < steps; i++) {
        u64 next;

        if (round_of(s) || wire_busy(s)) {
            quiet = 0;
            continue;
        }
        next = next_event(s);
        if (next == ~(u64)0)
            return true;
        if (!busy(s) && ++quiet > 64)
            return true; /* only the network's own timers are left */
        s->now = MAX(next, s->now + 1);
    }
    return false;
}

bool sim_peek(struct sim_process *p, u64 address, void *to, size_t len)
{
    return sim_space_access(space(p->task), address, to, len, 0, false);
}

bool sim_poke(struct sim_process *p, u64 address, const void *from, size_t len)
{
    return sim_space_access(space(p->task), address, (void *)(uintptr_t)from, len, 0, true);
}

s64 sim_link(struct sim_process *of, const struct sim_process *to, u32 kind, u32 attr,
             u32 channel, u64 code)
{
    struct link l = {
        .to = to->task->id,
        .code = code,
        .hint = to->node->index + 1,
        .incarnation = to->task->incarnation,
        .channel = channel,
        .attr = (u16)attr,
        .kind = (u8)kind,
    };

    l.check = link_check(&l, to->task->key);
    return link_insert(of->node->node, &of->task->links, &l);
}

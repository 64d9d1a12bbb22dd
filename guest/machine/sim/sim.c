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

/* The core has to serve a page of the range first. */
static bool missing(struct node *n, struct task *t, u64 address, size_t len, u32 access)
{
    bool force = access & MACHINE_FORCE;
    u64 at = sim_space_missing(space(t), address, len, force ? 0 : access & 7,
                               access & REGION_WRITE, t->grows);

    if (at)
        owner(n)->miss = (struct machine_miss){t, MAX(at, address), access};
    return at != 0;
}

enum machine_result machine_copy_in(struct node *n, struct task *t, void *to, u64 from,
                                    size_t len)
{
    if (fetch_first(n, t) || missing(n, t, from, len, REGION_READ))
        return MACHINE_LATER;
    return sim_space_access(space(t), from, to, len, REGION_READ, false) ? MACHINE_OK
                                                                         : MACHINE_FAULT;
}

enum machine_result machine_copy_out(struct node *n, struct task *t, u64 to, const void *from,
                                     size_t len)
{
    if (fetch_first(n, t) || missing(n, t, to, len, REGION_WRITE))
        return MACHINE_LATER;
    return sim_space_access(space(t), to, (void *)(uintptr_t)from, len, REGION_WRITE, true)
               ? MACHINE_OK
               : MACHINE_FAULT;
}

enum machine_result machine_copy(struct node *n, struct task *to, u64 to_address,
                                 struct task *from, u64 from_address, size_t len)
{
    u8 *bytes;
    bool good;

    if (missing(n, from, from_address, len, REGION_READ) ||
        missing(n, to, to_address, len, REGION_WRITE))
        return MACHINE_LATER;
    bytes = malloc(len ? len : 1);
    good = sim_space_access(space(from), from_address, bytes, len, REGION_READ, false) &&
           sim_space_access(space(to), to_address, bytes, len, REGION_WRITE, true);
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
    sim_space_map(space(t), r->base, r->length, r->protection, r->object != NULL);
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
    if (missing(n, t, to, len, MACHINE_FORCE | REGION_WRITE))
        return MACHINE_LATER;
    return sim_space_access(space(t), to, (void *)(uintptr_t)from, len, 0, true)
               ? MACHINE_OK
               : MACHINE_FAULT;
}

/* --- pages that the core looks after ------------------------------------------------ */

enum { FRAMES_MOST = 1 << 16 };

bool machine_missed(struct node *n, struct machine_miss *miss)
{
    *miss = owner(n)->miss;
    owner(n)->miss.task = NULL;
    return miss->task != NULL;
}

u32 machine_frames(struct node *n, u32 *left)
{
    struct sim_node *sn = owner(n);

    if (!sn->frame_count)
        sn->frame_count = FRAMES_MOST;
    if (!sn->frames)
        sn->frames = calloc(sn->frame_count + 1, sizeof(struct sim_frame *));
    *left = sn->frame_count - sn->frames_taken;
    return sn->frame_count;
}

u32 machine_frame_take(struct node *n, bool zero)
{
    struct sim_node *sn = owner(n);
    u32 number = 1;

    if (sn->frames_taken == sn->frame_count)
        return 0;
    while (sn->frames[number])
        number++;
    sn->frames[number] = sim_frame_new(sn->sim);
    sn->frames[number]->held = 1;
    if (!zero)
        memset(sn->frames[number]->bytes, 0xa5, SIM_PAGE);
    sn->frames_taken++;
    return number;
}

void machine_frame_hold(struct node *n, u32 frame)
{
    owner(n)->frames[frame]->references++;
    owner(n)->frames[frame]->held++;
}

void machine_frame_drop(struct node *n, u32 frame)
{
    struct sim_node *sn = owner(n);

    bool last = --sn->frames[frame]->held == 0;

    sim_frame_drop(sn->sim, sn->frames[frame]);
    if (!last)
        return;
    sn->frames[frame] = NULL;
    sn->frames_taken--;
}

bool machine_frame_shared(struct node *n, u32 frame)
{
    return owner(n)->frames[frame]->references > 1;
}

void *machine_frame_bytes(struct node *n, u32 frame)
{
    return owner(n)->frames[frame]->bytes;
}

u64 machine_frame_address(struct node *n, u32 frame)
{
    (void)n;
    return (u64)frame * SIM_PAGE;
}

enum machine_result machine_page_map(struct node *n, struct task *t, const struct region *r,
                                     u64 va, u32 frame, bool write)
{
    (void)r;
    sim_space_show(space(t), va, owner(n)->frames[frame], write);
    return MACHINE_OK;
}

void machine_page_unmap(struct node *n, struct task *t, u64 va)
{
    (void)n;
    sim_space_show(space(t), va, NULL, false);
}

/* The frame gets a number: it is the core's from now on, and the process's until unmapped. */
u32 machine_page_lend(struct node *n, struct task *t, const struct region *r, u64 va)
{
    struct sim_node *sn = owner(n);
    u32 number = 1, left;

    (void)r;
    machine_frames(n, &left);
    if (!left || !(sn->frames[0] = sim_space_lend(space(t), va)))
        return 0;
    while (sn->frames[number] && sn->frames[number] != sn->frames[0])
        number++;
    sn->frames_taken += !sn->frames[number];
    sn->frames[number] = sn->frames[0];
    sn->frames[number]->held++;
    return number;
}

bool machine_page_there(struct node *n, struct task *t, u64 va)
{
    (void)n;
    return sim_space_there(space(t), va);
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

/* One access by the program itself; when its result comes, the page is there. */
static enum outcome touch(struct sim_node *sn, struct thread *t, u64 address, u32 access,
                          s64 *result)
{
    struct exception fault = {.reason = EXCEPTION_ADDRESS, .address = address};
    struct sim_process *p = t->machine;

    if (missing(sn->node, t->task, address, 1, access)) {
        sn->miss.task = NULL;
        p->again = (struct sim_call){SIM_TOUCH, {address, access}}; /* when it goes on */
        return node_fault(sn->node, t, access, &fault);
    }
    *result = 0;
    return sim_space_access(space(t->task), address, (u8[1]){0}, 1, access & 7, false)
               ? NODE_DONE
               : node_exception(sn->node, t, &fault);
}

static enum outcome enter(struct sim_node *sn, struct thread *t, s64 *result)
{
    struct sim_process *p = t->machine;
    struct sim_call call = p->again.number
                               ? p->again
                               : sn->sim->programs[p->program % SIM_PROGRAMS](p, p->result);
    struct exception fault = {.reason = EXCEPTION_ADDRESS, .address = call.args[0]};

    p->fresh = p->parked = false;
    p->again.number = 0;
    if (call.number == SIM_FAULT)
        return node_exception(sn->node, t, &fault);
    if (call.number == SIM_TOUCH)
        return touch(sn, t, call.args[0], (u32)call.args[1], result);
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
        .channel = (u16)channel,
        .moves = (u16)to->task->moves,
        .attr = (u16)attr,
        .kind = (u8)kind,
    };

    l.check = link_check(&l, to->task->key);
    return link_insert(of->node->node, &of->task->links, &l);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No wake-up is lost and none is late (H05, H07, H15): CPUs, vCPUs, events, polls, timers and
 * interrupts between vCPUs in a random order, with the run loop of cpu/run.c and the short way
 * of svm/enter.S played step by step. The short way goes back into the guest when `attention`
 * is 0 and looks at nothing else; so whatever a call leaves to be done must show there.
 * Once it did not: a guest that set a timer, or sent to a vCPU of the same CPU, and then
 * computed, had the CPU to itself until the timer that happened to stand, and Linux with two
 * vCPUs spun for ever.
 */
#include <sys/wait.h>
#include <unistd.h>
#include "base/keyed.h"
#include "hyp/dev/lapic.h"
#include "hyp/dom/timer.h"
#include "hyp/dom/timers.h"
#include "tests/check.h"
#include "tests/hyp/world.h"

enum { DOMAINS = 3, VCPUS = 2, CALLBACK = 0x31, UPCALL = 0xf3, IPI = 0x80, STEPS = 60000 };
#define PATIENCE_NS 100000000ull /* within which whoever can run does */

static struct domain *domain[DOMAINS];
static u32 port[DOMAINS][DOMAINS][VCPUS]; /* of the first to the second's vCPU */
static u64 waits_since[DOMAINS][VCPUS];
static u64 seed, drawn;

static u64 below(u64 n)
{
    return keyed_below(seed, 0, drawn++, n);
}

/* --- the run loop -------------------------------------------------------------------------- */

static void set_timer(u32 cpu)
{
    u64 deadline = vcpu_deadline(cpu);

    if (deadline < world.line[cpu].armed_ns)
        world.line[cpu].armed_ns = deadline;
}

static void run_due(u32 cpu)
{
    if (world.on_cpu[cpu])
        world.on_cpu[cpu]->attention &= ~(u32)VCPU_ATTN_LOOK;
    world.line[cpu].kicked = world.line[cpu].interrupted = false;
    if (world.now_ns < world.line[cpu].armed_ns)
        return;
    world.line[cpu].armed_ns = TIMER_NEVER;
    vcpu_tick(cpu, world.now_ns);
}

static void choose(u32 cpu)
{
    run_due(cpu);
    vcpu_schedule(world.now_ns);
    set_timer(cpu);
}

/* Something physical waits: the guest would exit at once. */
static bool is_struck(u32 cpu)
{
    return world.line[cpu].interrupted || world.now_ns >= world.line[cpu].armed_ns;
}

/* --- guests ---------------------------------------------------------------------------------- */

/* An interrupt handler: whatever is pending is taken. */
static void handle(struct vcpu *v, int vector)
{
    u64 *pending = (u64 *)v->domain->shared->evtchn_pending;

    interrupt_taken(v, vector);
    if (vector == CALLBACK || vector == UPCALL) {
        v->info->evtchn_upcall_pending = 0;
        v->info->evtchn_pending_sel = 0;
        for (u32 p = 1; p < 64; p++) {
            const struct evtchn *c = evtchn_of(v->domain, p);

            if (c && c->state != EVTCHNSTAT_closed && c->vcpu == v->id)
                pending[0] &= ~(1ull << p);
        }
    }
    if (vector != CALLBACK)
        lapic_write(v, 0xb0, 0);
}

static void poll(struct vcpu *v)
{
    evtchn_port_t some = port[below(DOMAINS)][v->domain->id - 1][v->id];
    struct sched_poll p = {.nr_ports = 1, .ports.p = (evtchn_port_t *)0x2000};

    some = some ? some : 1;
    world_put(v->domain, 0x2000, &some, sizeof(some));
    p.timeout = below(2) ? world.now_ns + below(3000000) : 0;
    if (!p.timeout) /* somebody else might never send */
        vcpu_set_single(v, world.now_ns + 1 + below(3000000));
    world_op(v, __HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p));
}

static void send(struct vcpu *v)
{
    u32 from = v->domain->id - 1u, to = (u32)below(DOMAINS);

    if (port[from][to][0])
        evtchn_send(v->domain, port[from][to][below(VCPUS)]);
}

static void halt(struct vcpu *v)
{
    vcpu_set_single(v, world.now_ns + 1 + below(5000000));
    vcpu_hlt(v, true);
}

static void interrupt_sibling(struct vcpu *v)
{
    lapic_write(v, 0x310, 2u * (1 - v->id) << 24);
    lapic_write(v, 0x300, 0x4000 | IPI);
}

static void act(struct vcpu *v)
{
    switch (below(12)) {
    case 0: poll(v); break;
    case 1:
    case 2: send(v); break;
    case 3: halt(v); break;
    case 4: interrupt_sibling(v); break;
    case 5: vcpu_set_single(v, world.now_ns + below(2000000)); break;
    case 6: vcpu_set_periodic(v, below(2) ? 1000000 + below(3000000) : 0); break;
    case 7: vcpu_yield(v); break;
    default: break; /* computes */
    }
}

/* --- what must hold ---------------------------------------------------------------------------- */

static bool is_waiting_on(u32 cpu)
{
    for (u32 i = 0; i < DOMAINS * VCPUS; i++) {
        const struct vcpu *v = domain[i / VCPUS]->vcpu[i % VCPUS];

        if (v->sched.state == SCHED_WAITING && v->sched.cpu == cpu)
            return true;
    }
    return false;
}

static void check_cpu(u32 cpu)
{
    const struct vcpu *v = world.on_cpu[cpu];

    if (is_struck(cpu) || (v ? v->attention != 0 : world.line[cpu].kicked))
        return; /* it will look */
    CHECK(vcpu_deadline(cpu) >= world.line[cpu].armed_ns);
    if (is_waiting_on(cpu)) {
        CHECK(v != NULL);
        CHECK(world.line[cpu].armed_ns <= world.now_ns + SCHED_SLICE_NS);
    }
    if (v)
        CHECK(!v->info->evtchn_upcall_pending && lapic_pending(v->lapic) < 0);
}

static void check_vcpu(struct vcpu *v)
{
    u64 *since = &waits_since[v->domain->id - 1][v->id];

    if (v->sched.hold & SCHED_HOLD_BLOCKED)
        CHECK(!v->info->evtchn_upcall_pending && lapic_pending(v->lapic) < 0);
    if (v->polling)
        CHECK(!evtchn_is_pending(v->domain, v->poll_port));
    if (v->sched.state != SCHED_WAITING)
        *since = world.now_ns;
    CHECK(world.now_ns - *since < PATIENCE_NS);
}

static void check_all(void)
{
    for (u32 cpu = 0; cpu < world.cpus; cpu++)
        check_cpu(cpu);
    for (u32 i = 0; i < DOMAINS * VCPUS; i++)
        check_vcpu(domain[i / VCPUS]->vcpu[i % VCPUS]);
}

/* --- one step ------------------------------------------------------------------------------------ */

/* The long way out of the guest: run_vcpu. */
static void leave_guest(u32 cpu, struct vcpu *v)
{
    int vector;

    if (world.line[cpu].kicked || is_struck(cpu)) {
        run_due(cpu);
        set_timer(cpu);
    }
    if (v->attention & VCPU_ATTN_LEAVE) {
        choose(cpu);
        return;
    }
    if (!(v->attention & VCPU_ATTN_INTERRUPT))
        return;
    vector = interrupt_pending(v);
    if (vector >= 0)
        handle(v, vector);
}

static void step(u32 cpu)
{
    struct vcpu *v;

    world.cpu = cpu;
    v = world.on_cpu[cpu];
    if (!v) {
        if (is_struck(cpu) || world.line[cpu].kicked)
            choose(cpu);
        return;
    }
    world.current = v;
    if (!is_struck(cpu) && !v->attention)
        act(v);
    if (v->attention || is_struck(cpu))
        leave_guest(cpu, v);
}

static void connect(u32 a, u32 b, u32 vcpu)
{
    s64 theirs = evtchn_alloc_unbound(domain[b], domain[a]->id), own;

    CHECK(theirs > 0);
    own = evtchn_bind_interdomain(domain[a], domain[b], (u32)theirs);
    CHECK(own > 0);
    CHECK_EQ(evtchn_bind_vcpu(domain[b], (u32)theirs, vcpu), 0);
    port[a][b][vcpu] = (u32)own;
}

static void begin(u32 cpus)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER};

    world_init(cpus);
    for (u32 i = 0; i < DOMAINS; i++) {
        domain[i] = world_domain((domid_t)(i + 1), VCPUS, 16);
        domain[i]->callback_vector = CALLBACK;
        for (u32 n = 0; n < VCPUS; n++) {
            struct vcpu *v = domain[i]->vcpu[n];

            v->upcall_vector = i == 1 ? UPCALL : 0;
            lapic_write(v, 0xf0, 0x1ff);
            bind.vcpu = n;
            CHECK_EQ(world_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &bind,
                              sizeof(bind)),
                     0);
        }
    }
    for (u32 i = 0; i < DOMAINS * DOMAINS * VCPUS; i++)
        if (i / VCPUS / DOMAINS != i / VCPUS % DOMAINS)
            connect(i / VCPUS / DOMAINS, i / VCPUS % DOMAINS, i % VCPUS);
    for (u32 cpu = 0; cpu < cpus; cpu++)
        world.line[cpu].kicked = true;
}

/* In a process of its own, because a world has as many CPUs as it began with. */
static void nothing_is_lost(u32 cpus)
{
    pid_t child = fork();
    int status = 1;

    if (child) {
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        return;
    }
    begin(cpus);
    for (seed = 1; seed <= test_length(3, 200) && !checks_failed; seed++) {
        for (u32 i = 0; i < STEPS && !checks_failed; i++) {
            world.now_ns += below(20000);
            step((u32)below(cpus));
            check_all();
        }
    }
    exit(checks_failed != 0);
}

static void on_one_cpu(void)
{
    nothing_is_lost(1);
}

static void on_two_cpus(void)
{
    nothing_is_lost(2);
}

static void on_three_cpus(void)
{
    nothing_is_lost(3);
}

TESTS(CASE(on_one_cpu), CASE(on_two_cpus), CASE(on_three_cpus))

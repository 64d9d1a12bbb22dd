/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels by hypercall, as a guest makes them (H06): allocation, binding, sending,
 * masks, closing, virtual interrupts, polling, quotas; the 2-level layouts of both widths;
 * FIFO queues against a model of the guest's side.
 */
#include "hyp/dom/inject.h"
#include "hyp/dom/timer.h"
#include "tests/check.h"
#include "tests/hyp/world.h"

static struct domain *a, *b;

static s64 op(struct domain *d, u64 cmd, void *arg, size_t size)
{
    return world_op(d->vcpu[0], __HYPERVISOR_event_channel_op, cmd, arg, size);
}

static void begin(void)
{
    world_init(2);
    a = world_domain(1, 2, 64);
    b = world_domain(2, 1, 64);
    a->callback_vector = b->callback_vector = 0x40;
}

static void end(void)
{
    world_end(a);
    world_end(b);
}

static evtchn_port_t unbound(struct domain *d, domid_t remote)
{
    struct evtchn_alloc_unbound u = {.dom = DOMID_SELF, .remote_dom = remote};

    CHECK_EQ(op(d, EVTCHNOP_alloc_unbound, &u, sizeof(u)), 0);
    return u.port;
}

static s64 bind(struct domain *d, domid_t remote, evtchn_port_t port, evtchn_port_t *local)
{
    struct evtchn_bind_interdomain i = {.remote_dom = remote, .remote_port = port};
    s64 error = op(d, EVTCHNOP_bind_interdomain, &i, sizeof(i));

    *local = i.local_port;
    return error;
}

static s64 send(struct domain *d, evtchn_port_t port)
{
    struct evtchn_send s = {.port = port};

    return op(d, EVTCHNOP_send, &s, sizeof(s));
}

static s64 close_port(struct domain *d, evtchn_port_t port)
{
    struct evtchn_close c = {.port = port};

    return op(d, EVTCHNOP_close, &c, sizeof(c));
}

static bool pending(struct domain *d, evtchn_port_t port)
{
    return d->shared->evtchn_pending[port / 64] >> port % 64 & 1;
}

static void consume(struct domain *d, evtchn_port_t port)
{
    d->shared->evtchn_pending[port / 64] &= ~(1ul << port % 64);
    d->shared->vcpu_info[0].evtchn_pending_sel = 0;
    d->shared->vcpu_info[0].evtchn_upcall_pending = 0;
}

static void two_domains_talk(void)
{
    evtchn_port_t pa, pb;
    u64 upcalls;

    begin();
    pa = unbound(a, 2);
    CHECK_EQ(send(a, pa), 0); /* nobody there yet: allowed, nothing happens */
    CHECK_EQ(bind(b, 1, pa, &pb), 0);
    CHECK(pending(b, pb)); /* look once: something may have been sent before */
    consume(b, pb);
    upcalls = b->vcpu[0]->counters.upcalls;
    CHECK_EQ(send(a, pa), 0);
    CHECK(pending(b, pb));
    CHECK_EQ(b->shared->vcpu_info[0].evtchn_upcall_pending, 1);
    CHECK_EQ(b->shared->vcpu_info[0].evtchn_pending_sel, 1);
    CHECK_EQ(send(a, pa), 0);
    CHECK_EQ(send(a, pa), 0);
    CHECK_EQ(b->vcpu[0]->counters.upcalls, upcalls + 1); /* one upcall, however often */
    CHECK_EQ(interrupt_pending(b->vcpu[0]), 0x40);
    interrupt_taken(b->vcpu[0], 0x40);
    CHECK(!(b->vcpu[0]->attention & VCPU_ATTN_INTERRUPT));
    CHECK_EQ(send(b, pb), 0);
    CHECK(pending(a, pa));
    end();
}

static void a_masked_port_stays_pending(void)
{
    struct evtchn_unmask u;
    evtchn_port_t pa, pb;

    begin();
    pa = unbound(a, 2);
    CHECK_EQ(bind(b, 1, pa, &pb), 0);
    consume(b, pb);
    b->shared->evtchn_mask[0] = ~0ul;
    CHECK_EQ(send(a, pa), 0);
    CHECK(pending(b, pb));
    CHECK_EQ(b->shared->vcpu_info[0].evtchn_upcall_pending, 0);
    u.port = pb;
    CHECK_EQ(op(b, EVTCHNOP_unmask, &u, sizeof(u)), 0);
    CHECK_EQ(b->shared->vcpu_info[0].evtchn_upcall_pending, 1);
    CHECK(!(b->shared->evtchn_mask[0] >> pb & 1));
    end();
}

static void closing_leaves_the_other_end_unbound(void)
{
    struct evtchn_status s = {.dom = DOMID_SELF};
    evtchn_port_t pa, pb, again;

    begin();
    pa = unbound(a, 2);
    CHECK_EQ(bind(b, 1, pa, &pb), 0);
    CHECK_EQ(close_port(b, pb), 0);
    CHECK_EQ(close_port(b, pb), -XEN_EINVAL);
    s.port = pa;
    CHECK_EQ(op(a, EVTCHNOP_status, &s, sizeof(s)), 0);
    CHECK_EQ(s.status, EVTCHNSTAT_unbound);
    CHECK_EQ(s.u.unbound.dom, 2);
    CHECK_EQ(send(a, pa), 0);
    CHECK(!pending(b, pb));
    CHECK_EQ(bind(b, 1, pa, &again), 0); /* and it can be bound again */
    CHECK_EQ(again, pb);
    end();
}

static void rights_and_wrongs(void)
{
    struct evtchn_alloc_unbound u = {.dom = 2, .remote_dom = 1};
    struct evtchn_bind_virq v = {.virq = NR_VIRQS};
    struct evtchn_bind_ipi i = {.vcpu = 7};
    struct evtchn_bind_vcpu m;
    struct evtchn_status s = {.dom = 2};
    evtchn_port_t pa, pb;

    begin();
    CHECK_EQ(op(a, EVTCHNOP_alloc_unbound, &u, sizeof(u)), -XEN_EPERM);
    u.dom = 77;
    CHECK_EQ(op(a, EVTCHNOP_alloc_unbound, &u, sizeof(u)), -XEN_ESRCH);
    pa = unbound(a, 1); /* for itself, not for 2 */
    CHECK_EQ(bind(b, 1, pa, &pb), -XEN_EINVAL);
    CHECK_EQ(bind(b, 1, 999999, &pb), -XEN_EINVAL);
    CHECK_EQ(bind(b, 1, 0, &pb), -XEN_EINVAL);
    CHECK_EQ(bind(b, 99, 1, &pb), -XEN_ESRCH);
    CHECK_EQ(bind(a, DOMID_SELF, pa, &pb), 0); /* both ends in one domain */
    CHECK_EQ(close_port(a, pa), 0);
    CHECK_EQ(op(a, EVTCHNOP_bind_virq, &v, sizeof(v)), -XEN_EINVAL);
    v.virq = VIRQ_DOM_EXC;
    v.vcpu = 1;
    CHECK_EQ(op(a, EVTCHNOP_bind_virq, &v, sizeof(v)), -XEN_EINVAL);
    v.virq = VIRQ_TIMER;
    v.vcpu = 5;
    CHECK_EQ(op(a, EVTCHNOP_bind_virq, &v, sizeof(v)), -XEN_ENOENT);
    v.vcpu = 1;
    CHECK_EQ(op(a, EVTCHNOP_bind_virq, &v, sizeof(v)), 0);
    CHECK_EQ(send(a, v.port), -XEN_EINVAL); /* a virtual interrupt is not the guest's to send */
    m = (struct evtchn_bind_vcpu){.port = v.port, .vcpu = 0};
    CHECK_EQ(op(a, EVTCHNOP_bind_vcpu, &m, sizeof(m)), -XEN_EINVAL);
    CHECK_EQ(op(a, EVTCHNOP_bind_virq, &v, sizeof(v)), -XEN_EEXIST);
    CHECK_EQ(op(a, EVTCHNOP_bind_ipi, &i, sizeof(i)), -XEN_ENOENT);
    CHECK_EQ(op(a, EVTCHNOP_status, &s, sizeof(s)), -XEN_EPERM);
    CHECK_EQ(send(a, 0), -XEN_EINVAL);
    CHECK_EQ(send(a, ~0u), -XEN_EINVAL);
    CHECK_EQ(
        world_call(a->vcpu[0], __HYPERVISOR_event_channel_op, EVTCHNOP_send, 0xff000000, 0),
        -XEN_EFAULT);
    CHECK_EQ(world_call(a->vcpu[0], __HYPERVISOR_event_channel_op, 99, WORLD_ARG, 0),
             -XEN_ENOSYS);
    end();
}

static void ports_end_at_the_abis_limit(void)
{
    struct evtchn_alloc_unbound u;
    u32 made = 0;

    begin();
    for (;; made++) {
        u = (struct evtchn_alloc_unbound){.dom = DOMID_SELF, .remote_dom = 2};
        if (op(a, EVTCHNOP_alloc_unbound, &u, sizeof(u)))
            break;
    }
    CHECK_EQ(made, 4095);
    CHECK_EQ(close_port(a, 17), 0);
    CHECK_EQ(unbound(a, 2), 17); /* the lowest free one */
    end();
}

static void narrow_domains_use_the_narrow_layout(void)
{
    struct shared_info_x86_32 *s;
    struct xen_hvm_param p = {
        .domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = 2ull << 56 | 0x55};
    evtchn_port_t pa, pb = 0;

    begin();
    b->vcpu[0]->virt->bits = 32;
    CHECK_EQ(world_op(b->vcpu[0], __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p)), 0);
    CHECK(b->compat);
    s = (struct shared_info_x86_32 *)b->shared;
    for (u32 i = 0; i < 40; i++)
        pb = unbound(b, 1);
    CHECK_EQ(pb, 40);
    CHECK_EQ(bind(a, 2, pb, &pa), 0);
    CHECK_EQ(send(a, pa), 0);
    CHECK_EQ(s->evtchn_pending[1], 1u << 8);
    CHECK_EQ(s->vcpu_info[0].evtchn_pending_sel, 1u << 1);
    CHECK_EQ(s->vcpu_info[0].evtchn_upcall_pending, 1);
    CHECK_EQ(interrupt_pending(b->vcpu[0]), 0x55);
    end();
}

/* --- timers and polling -------------------------------------------------------------------- */

static void the_timer_interrupt_comes_once_and_in_time(void)
{
    struct evtchn_bind_virq v = {.virq = VIRQ_TIMER, .vcpu = 0};
    struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = 5000000};

    begin();
    world.now_ns = 1000000;
    CHECK_EQ(op(a, EVTCHNOP_bind_virq, &v, sizeof(v)), 0);
    CHECK_EQ(world_vcpu_op(a->vcpu[0], VCPUOP_set_singleshot_timer, 0, &t, sizeof(t)), 0);
    CHECK_EQ(vcpu_deadline(a->vcpu[0]->cpu), 5000000);
    timer_run(a->vcpu[0]->cpu, 4999999);
    CHECK(!pending(a, v.port));
    timer_run(a->vcpu[0]->cpu, 5000000);
    CHECK(pending(a, v.port));
    consume(a, v.port);
    timer_run(a->vcpu[0]->cpu, 99000000);
    CHECK(!pending(a, v.port));
    t = (struct vcpu_set_singleshot_timer){.timeout_abs_ns = 1, .flags = VCPU_SSHOTTMR_future};
    CHECK_EQ(world_vcpu_op(a->vcpu[0], VCPUOP_set_singleshot_timer, 0, &t, sizeof(t)),
             -XEN_ETIME);
    CHECK_EQ(world_vcpu_op(a->vcpu[0], VCPUOP_set_singleshot_timer, 1, &t, sizeof(t)),
             -XEN_EINVAL);
    t = (struct vcpu_set_singleshot_timer){.timeout_abs_ns = 200000000};
    CHECK_EQ(world_vcpu_op(a->vcpu[0], VCPUOP_set_singleshot_timer, 0, &t, sizeof(t)), 0);
    CHECK_EQ(world_vcpu_op(a->vcpu[0], VCPUOP_stop_singleshot_timer, 1, NULL, 0), -XEN_EINVAL);
    CHECK_EQ(world_vcpu_op(a->vcpu[0], VCPUOP_stop_singleshot_timer, 0, NULL, 0), 0);
    timer_run(a->vcpu[0]->cpu, 300000000);
    CHECK(!pending(a, v.port));
    end();
}

static s64 poll(struct domain *d, evtchn_port_t port, u64 timeout)
{
    struct sched_poll p = {.nr_ports = 1, .timeout = timeout};

    p.ports.p = (evtchn_port_t *)0x1800;
    world_put(d, 0x1800, &port, sizeof(port));
    return world_op(d->vcpu[0], __HYPERVISOR_sched_op, SCHEDOP_poll, &p, sizeof(p));
}

static bool is_blocked(struct domain *d)
{
    return d->vcpu[0]->sched.hold & SCHED_HOLD_BLOCKED;
}

static void pollers_wake_by_event_even_masked_and_by_time(void)
{
    evtchn_port_t pa, pb;

    begin();
    pa = unbound(a, 2);
    CHECK_EQ(bind(b, 1, pa, &pb), 0);
    CHECK_EQ(poll(b, pb, 0), 0); /* pending from the binding: no wait */
    CHECK(!is_blocked(b));
    consume(b, pb);
    b->shared->evtchn_mask[0] = ~0ul;
    CHECK_EQ(poll(b, pb, 0), 0);
    CHECK(is_blocked(b));
    CHECK_EQ(b->polling, 1);
    CHECK_EQ(send(a, pa), 0);
    CHECK(!is_blocked(b));
    CHECK_EQ(b->polling, 0);
    consume(b, pb);
    CHECK_EQ(poll(b, pb, world.now_ns + 1000), 0);
    CHECK(is_blocked(b));
    world.now_ns += 1000;
    for (u32 cpu = 0; cpu < 2; cpu++)
        timer_run(cpu, world.now_ns);
    CHECK(!is_blocked(b));
    CHECK_EQ(b->polling, 0);
    CHECK_EQ(poll(b, 5000, 0), -XEN_EINVAL);
    CHECK(!is_blocked(b));
    end();
}

/* --- FIFO ---------------------------------------------------------------------------------------- */

enum { CONTROL_GFN = 8, ARRAY_GFN = 9 };

static event_word_t *words(struct domain *d)
{
    mfn_t frame;

    CHECK_EQ(p2m_get(d, GFN(ARRAY_GFN), P2M_RW, &frame), 0);
    frame_put(frame);
    return frame_map(frame);
}

static struct evtchn_fifo_control_block *control(struct domain *d)
{
    mfn_t frame;

    CHECK_EQ(p2m_get(d, GFN(CONTROL_GFN), P2M_RW, &frame), 0);
    frame_put(frame);
    return frame_map(frame);
}

static void to_fifo(struct domain *d)
{
    struct evtchn_init_control i = {.control_gfn = CONTROL_GFN, .vcpu = 0};
    struct evtchn_expand_array e = {.array_gfn = ARRAY_GFN};

    CHECK_EQ(op(d, EVTCHNOP_expand_array, &e, sizeof(e)), -XEN_EOPNOTSUPP);
    CHECK_EQ(op(d, EVTCHNOP_init_control, &i, sizeof(i)), 0);
    CHECK_EQ(i.link_bits, EVTCHN_FIFO_LINK_BITS);
    CHECK_EQ(op(d, EVTCHNOP_expand_array, &e, sizeof(e)), 0);
}

/* The guest's side: takes the next event of a queue, 0 when it is empty. */
static u32 take(struct domain *d, u32 *head, u32 priority)
{
    struct evtchn_fifo_control_block *c = control(d);
    event_word_t *w = words(d);
    u32 port = *head ? *head : c->head[priority];

    if (!port || !(w[port] >> EVTCHN_FIFO_LINKED & 1))
        return 0;
    *head = w[port] & EVTCHN_FIFO_LINK_MASK;
    w[port] &= ~(1u << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK);
    if (!*head)
        c->ready &= ~(1u << priority);
    w[port] &= ~(1u << EVTCHN_FIFO_PENDING);
    return port;
}

static void fifo_keeps_order_within_a_priority(void)
{
    evtchn_port_t pa[20], pb[20];
    struct evtchn_set_priority s;
    u32 head = 0;

    begin();
    for (u32 i = 0; i < 20; i++) {
        pa[i] = unbound(a, 2);
        CHECK_EQ(bind(b, 1, pa[i], &pb[i]), 0);
        consume(b, pb[i]);
    }
    to_fifo(b);
    b->shared->vcpu_info[0].evtchn_upcall_pending = 0;
    for (u32 i = 20; i-- > 0;)
        CHECK_EQ(send(a, pa[i]), 0);
    CHECK_EQ(b->shared->vcpu_info[0].evtchn_upcall_pending, 1);
    CHECK_EQ(control(b)->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    for (u32 i = 20; i-- > 0;)
        CHECK_EQ(take(b, &head, EVTCHN_FIFO_PRIORITY_DEFAULT), pb[i]);
    CHECK_EQ(take(b, &head, EVTCHN_FIFO_PRIORITY_DEFAULT), 0);
    CHECK_EQ(control(b)->ready, 0);
    /* Another priority, another queue. */
    s = (struct evtchn_set_priority){.port = pb[3], .priority = 2};
    CHECK_EQ(op(b, EVTCHNOP_set_priority, &s, sizeof(s)), 0);
    s.priority = 16;
    CHECK_EQ(op(b, EVTCHNOP_set_priority, &s, sizeof(s)), -XEN_EINVAL);
    CHECK_EQ(send(a, pa[3]), 0);
    CHECK_EQ(control(b)->ready, 1u << 2);
    head = 0;
    CHECK_EQ(take(b, &head, 2), pb[3]);
    end();
}

static void fifo_masked_events_wait_for_unmask(void)
{
    struct evtchn_unmask u;
    evtchn_port_t pa, pb;
    u32 head = 0;

    begin();
    pa = unbound(a, 2);
    CHECK_EQ(bind(b, 1, pa, &pb), 0);
    consume(b, pb);
    to_fifo(b);
    words(b)[pb] = 1u << EVTCHN_FIFO_MASKED;
    CHECK_EQ(send(a, pa), 0);
    CHECK(words(b)[pb] >> EVTCHN_FIFO_PENDING & 1);
    CHECK_EQ(take(b, &head, EVTCHN_FIFO_PRIORITY_DEFAULT), 0);
    u.port = pb;
    CHECK_EQ(op(b, EVTCHNOP_unmask, &u, sizeof(u)), 0);
    CHECK_EQ(take(b, &head, EVTCHN_FIFO_PRIORITY_DEFAULT), pb);
    end();
}

static void fifo_reaches_beyond_4096_ports(void)
{
    evtchn_port_t port = 0;

    begin();
    to_fifo(a);
    for (u32 i = 0; i < 10000; i++)
        port = unbound(a, 2);
    CHECK_EQ(port, 10000);
    CHECK_EQ(op(a, EVTCHNOP_reset, &(struct evtchn_reset){.dom = DOMID_SELF}, 2), 0);
    CHECK_EQ(a->evtchn->in_use, 0);
    CHECK(!a->evtchn->fifo);
    CHECK_EQ(unbound(a, 2), 1);
    end();
}

/* A domain that takes all ports there are pays for them itself (H23). */
static void all_ports_of_one_are_none_of_anothers(void)
{
    struct evtchn_alloc_unbound u = {.dom = DOMID_SELF, .remote_dom = 2};
    u64 before;

    begin();
    a->frames_max = 64;
    to_fifo(a);
    before = a->overhead;
    for (u32 i = 1; i < EVTCHN_FIFO_NR_CHANNELS; i++)
        CHECK(evtchn_alloc_unbound(a, 2) > 0);
    CHECK_EQ(op(a, EVTCHNOP_alloc_unbound, &u, sizeof(u)), -XEN_ENOSPC);
    CHECK(a->overhead - before > EVTCHN_FIFO_NR_CHANNELS * sizeof(struct evtchn));
    CHECK(frames_free() > 32 * 256);
    CHECK_EQ(unbound(b, 1), 1);
    end();
}

/* F10, F17: an event lost, wholly, so that the next one comes; an upcall late, or made up. */
static void upcalls_can_be_made_to_misbehave(void)
{
    struct osm_inject i = {
        .domid = 2, .vcpu = 0xffff, .point = OSM_POINT_lose_upcall, .after = 1};
    evtchn_port_t pa, pb;

    begin();
    pa = unbound(a, 2);
    CHECK_EQ(bind(b, 1, pa, &pb), 0);
    interrupt_taken(b->vcpu[0], 0x40);
    consume(b, pb);
    CHECK_EQ(inject_arm(&i), 0);
    CHECK_EQ(send(a, pa), 0);
    CHECK(!pending(b, pb));
    CHECK(!(b->vcpu[0]->attention & VCPU_ATTN_INTERRUPT));
    CHECK_EQ(send(a, pa), 0); /* once only */
    CHECK(b->vcpu[0]->attention & VCPU_ATTN_INTERRUPT);
    interrupt_taken(b->vcpu[0], 0x40);
    consume(b, pb);
    i = (struct osm_inject){
        .domid = 2, .vcpu = 0xffff, .point = OSM_POINT_late_upcall, .after = 1, .arg = 5000};
    CHECK_EQ(inject_arm(&i), 0);
    CHECK_EQ(send(a, pa), 0);
    CHECK(!(b->vcpu[0]->attention & VCPU_ATTN_INTERRUPT));
    world.now_ns += 5000;
    for (u32 cpu = 0; cpu < 2; cpu++)
        timer_run(cpu, world.now_ns);
    CHECK(b->vcpu[0]->attention & VCPU_ATTN_INTERRUPT);
    interrupt_taken(b->vcpu[0], 0x40);
    consume(b, pb);
    i = (struct osm_inject){.domid = 2,
                            .vcpu = 0xffff,
                            .point = OSM_POINT_spurious_upcall,
                            .after = 1,
                            .arg = 7000};
    CHECK_EQ(inject_arm(&i), 0);
    CHECK_EQ(send(a, pa), 0);
    CHECK_EQ(interrupt_pending(b->vcpu[0]), 0x40); /* the one that was sent */
    interrupt_taken(b->vcpu[0], 0x40);
    consume(b, pb);
    world.now_ns += 6999;
    for (u32 cpu = 0; cpu < 2; cpu++)
        timer_run(cpu, world.now_ns);
    CHECK_EQ(interrupt_pending(b->vcpu[0]), -1);
    world.now_ns += 1;
    for (u32 cpu = 0; cpu < 2; cpu++)
        timer_run(cpu, world.now_ns);
    CHECK_EQ(interrupt_pending(b->vcpu[0]), 0x40); /* and the one that nobody did */
    CHECK(!pending(b, pb) && !b->shared->vcpu_info[0].evtchn_pending_sel);
    end();
}

/* F23: the n-th port of that domain, whatever it is for; the next one is there again. */
static void a_port_can_be_made_to_fail(void)
{
    struct osm_inject i = {.domid = 2, .point = OSM_POINT_fail_port, .after = 2};
    struct evtchn_alloc_unbound u = {.dom = DOMID_SELF, .remote_dom = 1};
    struct evtchn_bind_ipi ipi = {.vcpu = 0};

    begin();
    CHECK_EQ(inject_arm(&i), 0);
    CHECK_EQ(unbound(a, 2), 1); /* another's are not counted */
    CHECK_EQ(unbound(b, 1), 1);
    CHECK_EQ(op(b, EVTCHNOP_alloc_unbound, &u, sizeof(u)), -XEN_ENOSPC);
    CHECK_EQ(op(b, EVTCHNOP_bind_ipi, &ipi, sizeof(ipi)), 0);
    CHECK_EQ(ipi.port, 2);
    i.after = 0;
    CHECK_EQ(inject_arm(&i), 0);
    CHECK_EQ(i.fired, 1);
    end();
}

static void nothing_leaks(void)
{
    u64 before;

    begin();
    end();
    before = frames_free();
    two_domains_talk();
    fifo_keeps_order_within_a_priority();
    ports_end_at_the_abis_limit();
    CHECK_EQ(frames_free(), before);
}

TESTS(CASE(two_domains_talk), CASE(a_masked_port_stays_pending),
      CASE(closing_leaves_the_other_end_unbound), CASE(rights_and_wrongs),
      CASE(ports_end_at_the_abis_limit), CASE(narrow_domains_use_the_narrow_layout),
      CASE(the_timer_interrupt_comes_once_and_in_time),
      CASE(pollers_wake_by_event_even_masked_and_by_time),
      CASE(fifo_keeps_order_within_a_priority), CASE(fifo_masked_events_wait_for_unmask),
      CASE(fifo_reaches_beyond_4096_ports), CASE(all_ports_of_one_are_none_of_anothers),
      CASE(upcalls_can_be_made_to_misbehave), CASE(a_port_can_be_made_to_fail),
      CASE(nothing_leaks))

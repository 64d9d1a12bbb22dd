/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels by any order of what two domains may do (H06, H23), 2-level and FIFO, against a
 * model of the ports: each answer, each port's state and other end, and what is pending agree
 * with it, and at the end every frame is back.
 */
#include <stdlib.h>
#include "tests/hyp/steps.h"
#include "tests/hyp/world.h"

enum { DOMAINS = 2, PORTS = STEPS + 2, LOOKED_AT = 48, PAGES = 64 };
enum { CONTROL_GFN = 8, ARRAY_GFN = 9, NOBODY = 77 };

static struct domain *domain[DOMAINS];
static bool fifo[DOMAINS];

static struct port {
    u32 state;  /* EVTCHNSTAT_* */
    u32 id;     /* who may bind, or who did; of a VIRQ its number */
    u32 remote; /* the other end's port */
    bool pending;
} ports[DOMAINS][PORTS];

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static domid_t id_of(u32 who)
{
    return (domid_t)(who + 1);
}

static s64 operate(u32 who, u64 cmd, void *arg, size_t size)
{
    return world_op(domain[who]->vcpu[0], __HYPERVISOR_event_channel_op, cmd, arg, size);
}

static u32 lowest_free(u32 who)
{
    u32 port = 1;

    while (ports[who][port].state != EVTCHNSTAT_closed)
        port++;
    return port;
}

static void open(u32 who, u32 port, struct port how)
{
    must(port == lowest_free(who));
    ports[who][port] = how;
}

static void alloc(u32 who, u32 remote)
{
    struct evtchn_alloc_unbound u = {.dom = DOMID_SELF, .remote_dom = (domid_t)remote};

    must(operate(who, EVTCHNOP_alloc_unbound, &u, sizeof(u)) == 0);
    open(who, u.port, (struct port){.state = EVTCHNSTAT_unbound, .id = remote});
}

static void bind(u32 who, u32 other, u32 port)
{
    struct evtchn_bind_interdomain b = {.remote_dom = id_of(other), .remote_port = port};
    struct port *theirs = &ports[other][port];
    bool may = theirs->state == EVTCHNSTAT_unbound && theirs->id == id_of(who);

    must(operate(who, EVTCHNOP_bind_interdomain, &b, sizeof(b)) == (may ? 0 : -XEN_EINVAL));
    if (!may)
        return;
    open(who, b.local_port, (struct port){EVTCHNSTAT_interdomain, id_of(other), port, true});
    theirs->state = EVTCHNSTAT_interdomain;
    theirs->id = id_of(who);
    theirs->remote = b.local_port;
}

static void bind_ipi(u32 who, u32 vcpu)
{
    struct evtchn_bind_ipi i = {.vcpu = vcpu};

    must(operate(who, EVTCHNOP_bind_ipi, &i, sizeof(i)) == (vcpu ? -XEN_ENOENT : 0));
    if (!vcpu)
        open(who, i.port, (struct port){.state = EVTCHNSTAT_ipi});
}

static bool is_bound(u32 who, u32 virq)
{
    for (u32 port = 1; port < PORTS; port++)
        if (ports[who][port].state == EVTCHNSTAT_virq && ports[who][port].id == virq)
            return true;
    return false;
}

static void bind_virq(u32 who, u32 virq)
{
    struct evtchn_bind_virq v = {.virq = virq};
    bool bound = is_bound(who, virq);

    must(operate(who, EVTCHNOP_bind_virq, &v, sizeof(v)) == (bound ? -XEN_EEXIST : 0));
    if (!bound)
        open(who, v.port, (struct port){.state = EVTCHNSTAT_virq, .id = virq});
}

static void closed(u32 who, u32 port)
{
    struct port *p = &ports[who][port];

    if (p->state == EVTCHNSTAT_interdomain) {
        struct port *theirs = &ports[p->id - 1][p->remote];

        theirs->state = EVTCHNSTAT_unbound;
        theirs->id = id_of(who);
    }
    *p = (struct port){.state = EVTCHNSTAT_closed};
}

static void close_port(u32 who, u32 port)
{
    struct evtchn_close c = {.port = port};
    bool may = ports[who][port].state != EVTCHNSTAT_closed;

    must(operate(who, EVTCHNOP_close, &c, sizeof(c)) == (may ? 0 : -XEN_EINVAL));
    if (may)
        closed(who, port);
}

static void send(u32 who, u32 port)
{
    struct evtchn_send s = {.port = port};
    const struct port *p = &ports[who][port];
    s64 wanted = 0;

    switch (p->state) {
    case EVTCHNSTAT_interdomain: ports[p->id - 1][p->remote].pending = true; break;
    case EVTCHNSTAT_ipi: ports[who][port].pending = true; break;
    case EVTCHNSTAT_unbound: break;
    default: wanted = -XEN_EINVAL; break;
    }
    must(operate(who, EVTCHNOP_send, &s, sizeof(s)) == wanted);
}

static event_word_t *words(u32 who)
{
    enum p2m_access access;
    mfn_t frame;

    must(p2m_look(domain[who], GFN(ARRAY_GFN), &frame, &access) == P2M_RAM);
    return frame_map(frame);
}

/* As the guest does it, with the mask as it likes. */
static void consume(u32 who, u32 port, bool mask)
{
    struct shared_info *s = domain[who]->shared;

    if (fifo[who]) {
        words(who)[port] &= ~(1u << EVTCHN_FIFO_PENDING | 1u << EVTCHN_FIFO_MASKED);
        words(who)[port] |= (u32)mask << EVTCHN_FIFO_MASKED;
    } else {
        s->evtchn_pending[port / 64] &= ~(1ul << port % 64);
        s->evtchn_mask[port / 64] = mask ? ~0ul : 0;
        s->vcpu_info[0].evtchn_pending_sel = 0;
        s->vcpu_info[0].evtchn_upcall_pending = 0;
    }
    ports[who][port].pending = false;
}

static void unmask(u32 who, u32 port)
{
    struct evtchn_unmask u = {.port = port};
    s64 error = operate(who, EVTCHNOP_unmask, &u, sizeof(u));

    must(!error || ports[who][port].state == EVTCHNSTAT_closed);
    must(error || !evtchn_is_masked(domain[who], port));
}

static void to_fifo(u32 who)
{
    struct evtchn_init_control i = {.control_gfn = CONTROL_GFN};
    struct evtchn_expand_array e = {.array_gfn = ARRAY_GFN};

    if (fifo[who])
        return;
    must(operate(who, EVTCHNOP_init_control, &i, sizeof(i)) == 0);
    must(operate(who, EVTCHNOP_expand_array, &e, sizeof(e)) == 0);
    fifo[who] = true;
}

static void close_all(u32 who)
{
    for (u32 port = 1; port < PORTS; port++)
        closed(who, port);
}

/* Begins anew: with 2-level ports, and its pages as they were. */
static void renew(u32 who)
{
    world_end(domain[who]);
    close_all(who);
    fifo[who] = false;
    domain[who] = world_domain(id_of(who), 1, PAGES);
}

static void look_at(u32 who, u32 port)
{
    struct evtchn_status s = {.dom = DOMID_SELF, .port = port};
    const struct port *p = &ports[who][port];

    must(evtchn_status(domain[who], &s) == 0);
    must(s.status == p->state);
    if (p->state == EVTCHNSTAT_unbound)
        must(s.u.unbound.dom == p->id);
    if (p->state == EVTCHNSTAT_interdomain)
        must(s.u.interdomain.dom == p->id && s.u.interdomain.port == p->remote);
    if (p->state == EVTCHNSTAT_virq)
        must(s.u.virq == p->id);
    if (p->state != EVTCHNSTAT_closed)
        must(evtchn_is_pending(domain[who], port) == p->pending);
}

static void step(const u8 *byte)
{
    u32 who = byte[1] % DOMAINS, other = byte[1] >> 1 & 1, port = 1 + byte[2] % 40;

    switch (byte[0] % 16) {
    case 0: renew(who); break;
    case 1: to_fifo(who); break;
    case 2: bind_ipi(who, byte[1] >> 7); break;
    case 3: bind_virq(who, byte[1] & 4 ? VIRQ_TIMER : VIRQ_DEBUG); break;
    case 4: unmask(who, port); break;
    case 5 ... 6: consume(who, port, byte[1] & 4); break;
    case 7 ... 8: close_port(who, port); break;
    case 9 ... 10: alloc(who, byte[1] & 4 ? NOBODY : id_of(other)); break;
    case 11 ... 12: bind(who, other, port); break;
    default: send(who, port); break;
    }
    for (port = 1; port < LOOKED_AT; port++)
        for (who = 0; who < DOMAINS; who++)
            look_at(who, port);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static u64 frames;

    world_init(2);
    if (!frames)
        frames = frames_free();
    memset(ports, 0, sizeof(ports));
    memset(fifo, 0, sizeof(fifo));
    for (u32 who = 0; who < DOMAINS; who++)
        domain[who] = world_domain(id_of(who), 1, PAGES);
    steps_run(data, size, step);
    for (u32 who = 0; who < DOMAINS; who++)
        world_end(domain[who]);
    domains_reap();
    must(frames_free() == frames);
    return 0;
}

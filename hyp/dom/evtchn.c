/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports and what they lead to: allocation, binding, sending, closing (xen/event_channel.h).
 */
#include "hyp/dev/trace.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/inject.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/privilege.h"
#include "hyp/dom/vcpu.h"

enum { CLOSED_PER_STEP = 256 };

static struct {
    struct spinlock lock;
    struct domain *handler[NR_VIRQS]; /* of global VIRQs; NULL: the control domain */
} virqs;

int evtchn_init(struct domain *d, u32 limit)
{
    d->evtchn = domain_alloc(d, sizeof(*d->evtchn));
    if (!d->evtchn)
        return -XEN_ENOMEM;
    d->evtchn->limit = limit && limit < EVTCHN_FIFO_NR_CHANNELS ? limit
                                                                : EVTCHN_FIFO_NR_CHANNELS;
    d->evtchn->hint = 1; /* port 0 is never given */
    return 0;
}

u32 evtchn_ports_allowed(const struct domain *d)
{
    u32 abi = d->evtchn->fifo ? EVTCHN_FIFO_NR_CHANNELS : d->compat ? 1024 : 4096;

    return MIN(abi, d->evtchn->limit);
}

static struct evtchn *open_port(const struct domain *d, u32 port)
{
    struct evtchn *c = evtchn_of(d, port);

    return c && c->state != EVTCHNSTAT_closed ? c : NULL;
}

static bool grow(struct domain *d)
{
    struct evtchn_table *t = d->evtchn;
    u32 group = t->made / (EVTCHN_BUCKET * EVTCHN_GROUP);
    struct evtchn *bucket;

    if (group >= EVTCHN_GROUPS)
        return false;
    if (!t->group[group])
        t->group[group] = domain_alloc(d, EVTCHN_GROUP * sizeof(struct evtchn *));
    if (!t->group[group])
        return false;
    bucket = domain_alloc(d, EVTCHN_BUCKET * sizeof(*bucket));
    if (!bucket)
        return false;
    t->group[group][t->made / EVTCHN_BUCKET % EVTCHN_GROUP] = bucket;
    if (!t->first)
        t->first = bucket;
    t->made += EVTCHN_BUCKET;
    return true;
}

/* A free port, or -ENOSPC. Under the lock. */
static s64 get_port(struct domain *d)
{
    struct evtchn_table *t = d->evtchn;
    u32 allowed = evtchn_ports_allowed(d);
    u32 port = t->hint;

    if (d->state >= DOMAIN_DYING || inject_fires(OSM_POINT_fail_port, d))
        return fail(-XEN_ENOSPC);
    while (port < t->made && evtchn_of(d, port)->state != EVTCHNSTAT_closed)
        port++;
    t->hint = port;
    if (port >= allowed || (port >= t->made && !grow(d)))
        return fail(-XEN_ENOSPC);
    return port;
}

static struct evtchn *take_port(struct domain *d, u32 port, u8 state, u32 vcpu)
{
    struct evtchn *c = evtchn_of(d, port);

    *c = (struct evtchn){.state = state,
                         .vcpu = vcpu,
                         .priority = EVTCHN_FIFO_PRIORITY_DEFAULT,
                         .last_priority = c->last_priority,
                         .last_vcpu = c->last_vcpu};
    d->evtchn->in_use++;
    d->evtchn->hint = port + 1;
    evtchn_clear_pending(d, port, c);
    trace(OSM_T_bind, d->id, port, state, vcpu);
    return c;
}

static void release_port(struct domain *d, u32 port)
{
    struct evtchn *c = evtchn_of(d, port);

    c->state = EVTCHNSTAT_closed;
    c->remote = NULL;
    evtchn_clear_pending(d, port, c);
    d->evtchn->in_use--;
    d->evtchn->hint = MIN(d->evtchn->hint, port);
    trace(OSM_T_close, d->id, port, 0, 0);
}

static void lock_two(struct domain *a, struct domain *b)
{
    if (a != b && b->id < a->id)
        spin_lock(&b->evtchn_lock);
    spin_lock(&a->evtchn_lock);
    if (a != b && b->id >= a->id)
        spin_lock(&b->evtchn_lock);
}

static void unlock_two(struct domain *a, struct domain *b)
{
    spin_unlock(&a->evtchn_lock);
    if (a != b)
        spin_unlock(&b->evtchn_lock);
}

/* --- binding ------------------------------------------------------------------------- */

s64 evtchn_alloc_unbound(struct domain *d, domid_t remote)
{
    s64 port;

    spin_lock(&d->evtchn_lock);
    port = get_port(d);
    if (port >= 0)
        take_port(d, (u32)port, EVTCHNSTAT_unbound, 0)->remote_id = remote;
    spin_unlock(&d->evtchn_lock);
    return port;
}

s64 evtchn_bind_interdomain(struct domain *d, struct domain *remote, u32 remote_port)
{
    struct evtchn *ours, *theirs;
    s64 port;

    lock_two(d, remote);
    port = get_port(d); /* first: a new bucket changes nothing that the checks look at */
    theirs = open_port(remote, remote_port);
    if (port >= 0 &&
        (!theirs || theirs->state != EVTCHNSTAT_unbound || theirs->remote_id != d->id))
        port = fail(-XEN_EINVAL);
    if (port >= 0) {
        ours = take_port(d, (u32)port, EVTCHNSTAT_interdomain, 0);
        ours->remote = remote;
        ours->remote_id = remote->id;
        ours->remote_port = remote_port;
        theirs->state = EVTCHNSTAT_interdomain;
        theirs->remote = d;
        theirs->remote_id = d->id;
        theirs->remote_port = (u32)port;
        /* What was sent to the unbound port is not lost: look once. */
        evtchn_set_pending(d, (u32)port, ours);
    }
    unlock_two(d, remote);
    return port;
}

static bool is_global(u32 virq)
{
    return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF &&
           virq != VIRQ_XENPMU;
}

s64 evtchn_bind_virq(struct domain *d, u32 virq, u32 vcpu)
{
    struct vcpu *v;
    s64 port;

    if (virq >= NR_VIRQS || (is_global(virq) && vcpu))
        return fail(-XEN_EINVAL);
    if (vcpu >= d->vcpu_count)
        return fail(-XEN_ENOENT);
    v = d->vcpu[vcpu];
    spin_lock(&d->evtchn_lock);
    port = v->virq_port[virq] ? fail(-XEN_EEXIST) : get_port(d);
    if (port >= 0) {
        take_port(d, (u32)port, EVTCHNSTAT_virq, vcpu)->remote_port = virq;
        v->virq_port[virq] = (u32)port;
    }
    spin_unlock(&d->evtchn_lock);
    return port;
}

s64 evtchn_bind_ipi(struct domain *d, u32 vcpu)
{
    s64 port;

    if (vcpu >= d->vcpu_count)
        return fail(-XEN_ENOENT);
    spin_lock(&d->evtchn_lock);
    port = get_port(d);
    if (port >= 0)
        take_port(d, (u32)port, EVTCHNSTAT_ipi, vcpu);
    spin_unlock(&d->evtchn_lock);
    return port;
}

s64 evtchn_bind_pirq(struct domain *d, u32 irq)
{
    s64 port;

    if (irq >= DOMAIN_IRQS)
        return fail(-XEN_EINVAL);
    if (!(d->irqs & 1ull << irq))
        return fail(-XEN_EPERM);
    spin_lock(&d->evtchn_lock);
    port = d->irq_port[irq] ? fail(-XEN_EEXIST) : get_port(d);
    if (port >= 0) {
        take_port(d, (u32)port, EVTCHNSTAT_pirq, 0)->remote_port = irq;
        d->irq_port[irq] = (u32)port;
    }
    spin_unlock(&d->evtchn_lock);
    if (port >= 0)
        irq_route(irq, d);
    return port;
}

s64 evtchn_bind_vcpu(struct domain *d, u32 port, u32 vcpu)
{
    struct evtchn *c;
    s64 error = 0;

    if (vcpu >= d->vcpu_count)
        return fail(-XEN_ENOENT);
    spin_lock(&d->evtchn_lock);
    c = open_port(d, port);
    if (!c || c->state == EVTCHNSTAT_ipi ||
        (c->state == EVTCHNSTAT_virq && !is_global(c->remote_port)))
        error = fail(-XEN_EINVAL);
    else
        __atomic_store_n(&c->vcpu, vcpu, __ATOMIC_RELEASE);
    spin_unlock(&d->evtchn_lock);
    return error;
}

/* --- closing ------------------------------------------------------------------------- */

/* Closes a port whose other end, if any, is in `remote`, locked as well. */
static void close_locked(struct domain *d, u32 port, struct evtchn *c)
{
    if (c->state == EVTCHNSTAT_interdomain) {
        struct evtchn *theirs = evtchn_of(c->remote, c->remote_port);

        theirs->state = EVTCHNSTAT_unbound;
        theirs->remote = NULL;
        theirs->remote_id = d->id;
    } else if (c->state == EVTCHNSTAT_virq) {
        for (u32 i = 0; i < d->vcpu_count; i++)
            if (d->vcpu[i]->virq_port[c->remote_port] == port)
                d->vcpu[i]->virq_port[c->remote_port] = 0;
    } else if (c->state == EVTCHNSTAT_pirq) {
        d->irq_port[c->remote_port] = 0;
        irq_route(c->remote_port, NULL);
    }
    release_port(d, port);
}

s64 evtchn_close(struct domain *d, u32 port)
{
    for (;;) {
        struct domain *remote;
        struct evtchn *c;

        spin_lock(&d->evtchn_lock);
        c = open_port(d, port);
        if (!c) {
            spin_unlock(&d->evtchn_lock);
            return fail(-XEN_EINVAL);
        }
        remote = c->state == EVTCHNSTAT_interdomain ? c->remote : d;
        if (remote == d) {
            close_locked(d, port, c);
            spin_unlock(&d->evtchn_lock);
            return 0;
        }
        domain_get(remote);
        spin_unlock(&d->evtchn_lock);
        /* Both locks, in order; then see whether it is still what it was. */
        lock_two(d, remote);
        c = open_port(d, port);
        if (c && c->state == EVTCHNSTAT_interdomain && c->remote == remote) {
            close_locked(d, port, c);
            unlock_two(d, remote);
            domain_put(remote);
            return 0;
        }
        unlock_two(d, remote);
        domain_put(remote);
    }
}

int evtchn_destroy(struct domain *d)
{
    struct evtchn_table *t = d->evtchn;
    u32 end = MIN(t->close_at + CLOSED_PER_STEP, t->made);

    for (; t->close_at < end; t->close_at++)
        if (open_port(d, t->close_at))
            evtchn_close(d, t->close_at);
    if (t->close_at < t->made)
        return -XEN_ERESTART;
    spin_lock(&virqs.lock);
    for (u32 i = 0; i < NR_VIRQS; i++)
        if (virqs.handler[i] == d)
            virqs.handler[i] = NULL;
    spin_unlock(&virqs.lock);
    fifo_destroy(d);
    return 0;
}

s64 evtchn_reset(struct domain *d)
{
    u32 made = d->evtchn->made;

    for (u32 port = 1; port < made; port++)
        if (open_port(d, port))
            evtchn_close(d, port);
    /* Another vCPU may have opened one again meanwhile: its own fault. */
    return fifo_destroy(d) ? 0 : fail(-XEN_EBUSY);
}

/* --- sending ------------------------------------------------------------------------- */

s64 evtchn_send(struct domain *d, u32 port)
{
    struct evtchn *c;
    s64 error = 0;

    spin_lock(&d->evtchn_lock);
    c = evtchn_of(d, port);
    switch (c ? c->state : EVTCHNSTAT_closed) {
    case EVTCHNSTAT_interdomain:
        trace(OSM_T_send, d->id, port, c->remote_id, c->remote_port);
        if (inject_fires(OSM_POINT_lose_upcall, c->remote))
            break;
        evtchn_set_pending(c->remote, c->remote_port, evtchn_of(c->remote, c->remote_port));
        break;
    case EVTCHNSTAT_ipi: evtchn_set_pending(d, port, c); break;
    case EVTCHNSTAT_unbound: break; /* nobody is there yet; he will look when he binds */
    default: error = fail(-XEN_EINVAL); break;
    }
    spin_unlock(&d->evtchn_lock);
    return error;
}

s64 evtchn_unmask(struct domain *d, u32 port)
{
    struct evtchn *c;
    s64 error = 0;

    spin_lock(&d->evtchn_lock);
    c = evtchn_of(d, port);
    if (!c)
        error = fail(-XEN_EINVAL);
    else if (port) /* 0 is never used, but there */
        evtchn_unmask_port(d, port, c);
    spin_unlock(&d->evtchn_lock);
    return error;
}

s64 evtchn_status(struct domain *d, struct evtchn_status *s)
{
    const struct evtchn *c;
    s64 error = 0;

    spin_lock(&d->evtchn_lock);
    c = evtchn_of(d, s->port);
    if (!c && s->port >= evtchn_ports_allowed(d)) {
        error = fail(-XEN_EINVAL);
    } else {
        s->status = c ? c->state : EVTCHNSTAT_closed;
        s->vcpu = c ? c->vcpu : 0;
    }
    switch (error || !c ? EVTCHNSTAT_closed : c->state) {
    case EVTCHNSTAT_unbound: s->u.unbound.dom = c->remote_id; break;
    case EVTCHNSTAT_interdomain:
        s->u.interdomain.dom = c->remote_id;
        s->u.interdomain.port = c->remote_port;
        break;
    case EVTCHNSTAT_pirq: s->u.pirq = c->remote_port; break;
    case EVTCHNSTAT_virq: s->u.virq = c->remote_port; break;
    default: break;
    }
    spin_unlock(&d->evtchn_lock);
    return error;
}

/* --- virtual and physical interrupts --------------------------------------------------- */

static void raise_port(struct domain *d, u32 port)
{
    struct evtchn *c = port ? open_port(d, port) : NULL;

    if (c)
        evtchn_set_pending(d, port, c);
}

void evtchn_vcpu_virq(struct vcpu *v, u32 virq)
{
    spin_lock(&v->domain->evtchn_lock);
    raise_port(v->domain, v->virq_port[virq]);
    spin_unlock(&v->domain->evtchn_lock);
}

void evtchn_domain_virq(struct domain *d, u32 virq)
{
    if (d->vcpu_count)
        evtchn_vcpu_virq(d->vcpu[0], virq);
}

void evtchn_global_virq(u32 virq)
{
    struct domain *d;

    spin_lock(&virqs.lock);
    d = virqs.handler[virq];
    if (d)
        domain_get(d);
    spin_unlock(&virqs.lock);
    if (!d)
        d = domain_find(0);
    if (!d)
        return;
    if (d->id || may(d, MAY_HEAR_DOMAINS))
        evtchn_domain_virq(d, virq);
    domain_put(d);
}

void evtchn_set_virq_handler(u32 virq, struct domain *d)
{
    spin_lock(&virqs.lock);
    if (d->state < DOMAIN_DYING) /* a dying one's have been taken back, or soon will be */
        virqs.handler[virq] = d;
    spin_unlock(&virqs.lock);
}

void evtchn_pirq(struct domain *d, u32 irq)
{
    spin_lock(&d->evtchn_lock);
    raise_port(d, d->irq_port[irq]);
    spin_unlock(&d->evtchn_lock);
}

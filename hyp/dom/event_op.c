/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_channel_op (xen/event_channel.h): who is meant, may he, and then evtchn.c or fifo.c.
 */
#include "hyp/dom/evtchn.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/privilege.h"

/* A result that is a port goes into its field; an error is the call's. */
static s64 give_port(s64 result, evtchn_port_t *port)
{
    if (result < 0)
        return result;
    *port = (evtchn_port_t)result;
    return 0;
}

static s64 alloc_unbound(struct call *c, void *arg)
{
    struct evtchn_alloc_unbound *a = arg;
    domid_t remote = a->remote_dom == DOMID_SELF ? c->v->domain->id : a->remote_dom;
    s64 error;
    struct domain *d = domain_for(c->v->domain, a->dom, &error);

    if (!d)
        return error;
    error = give_port(evtchn_alloc_unbound(d, remote), &a->port);
    domain_put(d);
    return error;
}

static s64 bind_interdomain(struct call *c, void *arg)
{
    struct evtchn_bind_interdomain *b = arg;
    struct domain *remote = domain_find_or_self(b->remote_dom);
    s64 error;

    if (!remote)
        return fail(-XEN_ESRCH);
    error = give_port(evtchn_bind_interdomain(c->v->domain, remote, b->remote_port),
                      &b->local_port);
    domain_put(remote);
    return error;
}

static s64 bind_virq(struct call *c, void *arg)
{
    struct evtchn_bind_virq *b = arg;

    return give_port(evtchn_bind_virq(c->v->domain, b->virq, b->vcpu), &b->port);
}

static s64 bind_pirq(struct call *c, void *arg)
{
    struct evtchn_bind_pirq *b = arg;

    return give_port(evtchn_bind_pirq(c->v->domain, b->pirq), &b->port);
}

static s64 bind_ipi(struct call *c, void *arg)
{
    struct evtchn_bind_ipi *b = arg;

    return give_port(evtchn_bind_ipi(c->v->domain, b->vcpu), &b->port);
}

static s64 do_close(struct call *c, void *arg)
{
    return evtchn_close(c->v->domain, ((struct evtchn_close *)arg)->port);
}

static s64 send(struct call *c, void *arg)
{
    c->v->counters.sends++;
    return evtchn_send(c->v->domain, ((struct evtchn_send *)arg)->port);
}

static s64 status(struct call *c, void *arg)
{
    struct evtchn_status *s = arg;
    s64 error;
    struct domain *d = domain_for(c->v->domain, s->dom, &error);

    if (!d)
        return error;
    error = evtchn_status(d, s);
    domain_put(d);
    return error;
}

static s64 bind_vcpu(struct call *c, void *arg)
{
    const struct evtchn_bind_vcpu *b = arg;

    return evtchn_bind_vcpu(c->v->domain, b->port, b->vcpu);
}

static s64 unmask(struct call *c, void *arg)
{
    return evtchn_unmask(c->v->domain, ((struct evtchn_unmask *)arg)->port);
}

static s64 reset(struct call *c, void *arg)
{
    s64 error;
    struct domain *d = domain_for(c->v->domain, ((struct evtchn_reset *)arg)->dom, &error);

    if (!d)
        return error;
    error = evtchn_reset(d);
    domain_put(d);
    return error == -XEN_ERESTART ? CALL_AGAIN : error;
}

static s64 init_control(struct call *c, void *arg)
{
    return fifo_init_control(c->v->domain, arg);
}

static s64 expand_array(struct call *c, void *arg)
{
    return fifo_expand_array(c->v->domain, ((struct evtchn_expand_array *)arg)->array_gfn);
}

static s64 set_priority(struct call *c, void *arg)
{
    const struct evtchn_set_priority *s = arg;

    return fifo_set_priority(c->v->domain, s->port, s->priority);
}

#define OP(op, fn, out) [EVTCHNOP_##op] = {#op, fn, sizeof(struct evtchn_##op), 0, out}
static const struct subop ops[] = {
    OP(bind_interdomain, bind_interdomain, SUBOP_OUT),
    OP(bind_virq, bind_virq, SUBOP_OUT),
    OP(bind_pirq, bind_pirq, SUBOP_OUT),
    OP(close, do_close, 0),
    OP(send, send, 0),
    OP(status, status, SUBOP_OUT),
    OP(alloc_unbound, alloc_unbound, SUBOP_OUT),
    OP(bind_ipi, bind_ipi, SUBOP_OUT),
    OP(bind_vcpu, bind_vcpu, 0),
    OP(unmask, unmask, 0),
    OP(reset, reset, 0),
    OP(init_control, init_control, SUBOP_OUT),
    OP(expand_array, expand_array, 0),
    OP(set_priority, set_priority, 0),
};

s64 call_event_channel_op(struct call *c)
{
    return call_subop(c, ops, ARRAY_SIZE(ops));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels (xen/event_channel.h): the ports of each domain, who they lead to, and how
 * an event becomes pending, by the 2-level bit maps or by FIFO queues.
 *
 * A port's state changes under its domain's evtchn_lock, that of two ends under both, taken
 * in domid order. Ports live in buckets that stay as long as the domain's struct, so the
 * other end may be looked at under one lock alone.
 */
#ifndef HYP_DOM_EVTCHN_H
#define HYP_DOM_EVTCHN_H

#include "hyp/dom/domain.h"

enum {
    EVTCHN_BUCKET = 32, /* ports */
    EVTCHN_GROUP = 128, /* buckets */
    EVTCHN_GROUPS = EVTCHN_FIFO_NR_CHANNELS / (EVTCHN_BUCKET * EVTCHN_GROUP),
};

struct evtchn {
    u8 state;    /* EVTCHNSTAT_* */
    u8 priority; /* FIFO */
    u8 last_priority;
    u8 spare;
    u16 last_vcpu;     /* FIFO: in whose queue it was last linked */
    domid_t remote_id; /* unbound: who may bind; interdomain: who did */
    u32 vcpu;          /* notified */
    u32 remote_port;   /* interdomain; virq or pirq: its number */
    struct domain *remote;
};

struct evtchn_table {
    struct evtchn *first; /* the first bucket, for quick look-up */
    struct evtchn **group[EVTCHN_GROUPS];
    u32 limit; /* ports are below this, whatever the ABI allows */
    u32 made;  /* ports below this have buckets */
    u32 in_use;
    u32 hint;     /* no free port below this */
    u32 close_at; /* evtchn_destroy */
    struct evtchn_fifo *fifo;
};

int evtchn_init(struct domain *d, u32 limit);
/* Closes everything in bounded steps: 0 or -ERESTART. */
int evtchn_destroy(struct domain *d);
/* Closes every port of d, and forgets FIFO when nobody runs: EVTCHNOP_reset. */
s64 evtchn_reset(struct domain *d);

/* The port's state, or NULL. Under a lock as above. */
static inline struct evtchn *evtchn_of(const struct domain *d, u32 port)
{
    const struct evtchn_table *t = d->evtchn;

    if (port >= t->made)
        return NULL;
    if (port < EVTCHN_BUCKET)
        return &t->first[port];
    port &= EVTCHN_FIFO_NR_CHANNELS - 1;
    return &t->group[port / (EVTCHN_BUCKET * EVTCHN_GROUP)][port / EVTCHN_BUCKET % EVTCHN_GROUP]
                    [port % EVTCHN_BUCKET];
}
/* Ports that the ABI in use allows. */
u32 evtchn_ports_allowed(const struct domain *d);

/* All return 0 (or the port) or a negative errno of event_channel.h's operations. */
s64 evtchn_send(struct domain *d, u32 port);
s64 evtchn_alloc_unbound(struct domain *d, domid_t remote);
s64 evtchn_bind_interdomain(struct domain *d, struct domain *remote, u32 remote_port);
s64 evtchn_bind_virq(struct domain *d, u32 virq, u32 vcpu);
s64 evtchn_bind_ipi(struct domain *d, u32 vcpu);
s64 evtchn_bind_pirq(struct domain *d, u32 irq);
s64 evtchn_close(struct domain *d, u32 port);
s64 evtchn_status(struct domain *d, struct evtchn_status *s);
s64 evtchn_bind_vcpu(struct domain *d, u32 port, u32 vcpu);
s64 evtchn_unmask(struct domain *d, u32 port);

/* Virtual interrupts: to one vCPU, to a domain's handler of a global one, to the control
 * domain. Lost when nobody has bound them. */
void evtchn_vcpu_virq(struct vcpu *v, u32 virq);
void evtchn_domain_virq(struct domain *d, u32 virq);
void evtchn_global_virq(u32 virq);
/* Who hears a global VIRQ (XEN_DOMCTL_set_virq_handler). */
void evtchn_set_virq_handler(u32 virq, struct domain *d);
/* A physical interrupt line that d was given has risen. */
void evtchn_pirq(struct domain *d, u32 irq);

/* --- delivery: evtchn_deliver.c, fifo.c ---------------------------------------------- */

/* Makes the event pending and wakes who waits. Under some evtchn_lock. */
void evtchn_set_pending(struct domain *d, u32 port, struct evtchn *c);
bool evtchn_is_pending(const struct domain *d, u32 port);
bool evtchn_is_masked(const struct domain *d, u32 port);
/* A closed or new port starts without a pending event. */
void evtchn_clear_pending(struct domain *d, u32 port, struct evtchn *c);
/* Clears the mask bit; an event that waited behind it is delivered. */
void evtchn_unmask_port(struct domain *d, u32 port, struct evtchn *c);
/* v has events: raises its upcall unless it is up already. */
void evtchn_mark(struct vcpu *v);
/* SCHEDOP_poll's end by time. */
void evtchn_poll_timeout(struct vcpu *v);
/* A new place for vcpu_info: everything may be pending there. */
void evtchn_look_everywhere(struct vcpu *v);

/* --- FIFO: fifo.c --------------------------------------------------------------------- */

s64 fifo_init_control(struct domain *d, struct evtchn_init_control *i);
s64 fifo_expand_array(struct domain *d, u64 gfn);
s64 fifo_set_priority(struct domain *d, u32 port, u32 priority);
/* Back to the 2-level ABI; false when a port is open, whose senders might look here. */
bool fifo_destroy(struct domain *d);
void fifo_set_pending(struct domain *d, u32 port, struct evtchn *c);
bool fifo_is_pending(const struct domain *d, u32 port);
bool fifo_is_masked(const struct domain *d, u32 port);
void fifo_clear_pending(struct domain *d, u32 port);
/* Clears MASKED, and links the event if it is pending. */
void fifo_unmask(struct domain *d, u32 port, struct evtchn *c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels (xen/event_channel.h): a handler per port, called inside rt_wait (or from
 * an upcall that interrupts ring 3). Ports start masked; binding a handler unmasks.
 *
 * Two-level by default, 4,095 ports; after rt_event_use_fifo, 131,071.
 * Results: a port, 0, or a negative Xen errno.
 */
#ifndef GUEST_RT_EVENT_H
#define GUEST_RT_EVENT_H

#include "base/types.h"
#include "guest/rt/hypercall.h"

typedef void rt_event_fn(void *arg, u32 port);

/* Ports that have handlers are taken along, with what is pending. False: the hypervisor has no
 * FIFO event channels, or there is no memory; then all is as it was. Boot processor only. */
bool rt_event_use_fifo(void);

/* A port of ours that `remote` may bind to. */
long rt_event_alloc_unbound(domid_t remote, rt_event_fn *fn, void *arg);
long rt_event_bind_interdomain(domid_t remote, u32 remote_port, rt_event_fn *fn, void *arg);
long rt_event_bind_virq(u32 virq, u32 vcpu, rt_event_fn *fn, void *arg);
long rt_event_bind_ipi(u32 vcpu, rt_event_fn *fn, void *arg);
/* For a port that exists already (console, store). False when memory is out. */
bool rt_event_handle(u32 port, rt_event_fn *fn, void *arg);
long rt_event_close(u32 port);

static inline long rt_event_send(u32 port)
{
    struct evtchn_send send = {.port = port};

    return hypercall_event_channel_op(EVTCHNOP_send, &send);
}

void rt_event_mask(u32 port);
void rt_event_unmask(u32 port);
bool rt_event_is_pending(u32 port);
/* Takes the pending bit, as a handler's call would have. */
void rt_event_clear(u32 port);
/* Handles what is pending now; false when nothing was. Interrupts off. */
bool rt_event_dispatch(void);
bool rt_event_any(void);
/* The page all of this lives in; NULL on the bare machine. */
struct shared_info *rt_shared_info(void);
void rt_event_init(void);
/* suspend.c: in another domain, where no port is ours yet. Two-level only. */
void rt_event_begin_again(void);

#endif

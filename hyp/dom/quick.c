/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/dom/quick.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/access.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/vcpu.h"

enum { VERSION = 4 << 16 | 17 }; /* as version_op.c answers */

/* XENVER_version: the call that guests use to see whether calls work at all. */
static s64 quick_version(struct vcpu *v, u64 command, u64 unused)
{
    (void)unused;
    if (command != XENVER_version || trace_classes)
        return QUICK_NO;
    v->counters.hypercalls++;
    return VERSION;
}

/* What most of these calls have for an argument. */
static bool get_port(struct vcpu *v, u64 at, evtchn_port_t *port)
{
    const evtchn_port_t *there = guest_open(v, at, sizeof(*port));

    if (!there)
        return false;
    *port = *(const volatile evtchn_port_t *)there;
    guest_close(v);
    return true;
}

static bool get_poll(struct vcpu *v, u64 at, struct sched_poll *p)
{
    const struct sched_poll *there = guest_open(v, at, sizeof(*p));

    if (!there)
        return false;
    *p = *(const volatile struct sched_poll *)there;
    guest_close(v);
    return true;
}

/* EVTCHNOP_send: one port number in memory. */
static s64 quick_event(struct vcpu *v, u64 command, u64 argument)
{
    evtchn_port_t port;

    if (command != EVTCHNOP_send || trace_classes || !get_port(v, argument, &port))
        return QUICK_NO;
    v->counters.hypercalls++;
    v->counters.copied_bytes += sizeof(port);
    v->counters.sends++;
    return evtchn_send(v->domain, port);
}

/* SCHEDOP_poll of one port without a time limit. */
static s64 quick_sched(struct vcpu *v, u64 command, u64 argument)
{
    struct sched_poll p;
    evtchn_port_t port;

    if (command != SCHEDOP_poll || trace_classes || !get_poll(v, argument, &p) ||
        p.nr_ports != 1 || p.timeout || !get_port(v, (u64)p.ports.p, &port))
        return QUICK_NO;
    v->counters.hypercalls++;
    v->counters.copied_bytes += sizeof(p) + sizeof(port);
    return vcpu_poll(v, &port, 1, 0);
}

/* OSM_OP_notify_block: the same, and then wait for the answer. */
static s64 quick_vendor(struct vcpu *v, u64 command, u64 argument)
{
    evtchn_port_t port;
    s64 error;

    if (command != OSM_OP_notify_block || trace_classes || !get_port(v, argument, &port))
        return QUICK_NO;
    v->counters.hypercalls++;
    v->counters.copied_bytes += sizeof(port);
    v->counters.sends++;
    error = evtchn_send(v->domain, port);
    if (!error)
        vcpu_block(v);
    return error;
}

static s64 no(struct vcpu *v, u64 a, u64 b)
{
    (void)v, (void)a, (void)b;
    return QUICK_NO;
}

quick_fn *const quick_calls[QUICK_CALLS] = {
    [0 ... __HYPERVISOR_xen_version - 1] = no,
    [__HYPERVISOR_xen_version] = quick_version,
    [__HYPERVISOR_xen_version + 1 ... __HYPERVISOR_sched_op - 1] = no,
    [__HYPERVISOR_sched_op] = quick_sched,
    [__HYPERVISOR_sched_op + 1 ... __HYPERVISOR_event_channel_op - 1] = no,
    [__HYPERVISOR_event_channel_op] = quick_event,
    [__HYPERVISOR_event_channel_op + 1 ... __HYPERVISOR_arch_7 - 1] = no,
    [__HYPERVISOR_arch_7] = quick_vendor,
    [__HYPERVISOR_arch_7 + 1 ... QUICK_CALLS - 1] = no,
};

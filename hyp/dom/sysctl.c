/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl (xen/sysctl.h): what the control domain asks about the machine.
 */
#include "base/memory.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/info.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/privilege.h"
#include "hyp/dom/vcpu.h"

enum { CHUNK = 256, KEYS_MOST = 64 };

typedef s64 sysctl_fn(struct call *c, struct xen_sysctl *op);

static s64 read_console(struct call *c, struct xen_sysctl *op)
{
    struct xen_sysctl_readconsole *r = &op->u.readconsole;
    u32 at = r->incremental ? r->index : 0, done = 0;
    char chunk[CHUNK];

    while (done < r->count) {
        size_t got = console_ring_read(chunk, MIN(r->count - done, (u32)CHUNK), &at, r->clear);

        if (!got)
            break;
        if (call_write(c, (u64)r->buffer.p + done, chunk, got))
            return fail(-XEN_EFAULT);
        done += (u32)got;
    }
    r->count = done;
    r->index = at;
    return 0;
}

static s64 physinfo(struct call *c, struct xen_sysctl *op)
{
    struct xen_sysctl_physinfo *p = &op->u.physinfo;

    (void)c;
    memset(p, 0, sizeof(*p));
    p->threads_per_core = 1;
    p->cores_per_socket = cpu_count();
    p->nr_cpus = cpu_count();
    p->max_cpu_id = cpu_count() - 1;
    p->nr_nodes = 1;
    p->cpu_khz = clock_tsc_khz();
    p->capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap |
                      XEN_SYSCTL_PHYSCAP_gnttab_v1;
    p->total_pages = frames_total();
    p->free_pages = frames_free();
    p->max_mfn = frames_total();
    return 0;
}

static s64 sched_id(struct call *c, struct xen_sysctl *op)
{
    (void)c;
    op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT;
    return 0;
}

static s64 scheduler(struct call *c, struct xen_sysctl *op)
{
    struct xen_sysctl_credit_schedule *s = &op->u.scheduler_op.u.sched_credit;

    (void)c;
    if (op->u.scheduler_op.sched_id != XEN_SCHEDULER_CREDIT || op->u.scheduler_op.cpupool_id)
        return fail(-XEN_EINVAL);
    if (op->u.scheduler_op.cmd != XEN_SYSCTL_SCHEDOP_getinfo)
        return fail(-XEN_EOPNOTSUPP); /* the slice is fixed */
    memset(s, 0, sizeof(*s));
    s->tslice_ms = SCHED_SLICE_NS / 1000000;
    return 0;
}

/* Bounded: the caller goes on from the last id it got. */
static s64 get_domain_info_list(struct call *c, struct xen_sysctl *op)
{
    struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
    struct domain *d = domain_next(l->first_domain);
    u32 most = l->max_domains;
    s64 error = 0;

    l->num_domains = 0;
    while (d) {
        struct xen_domctl_getdomaininfo info;
        domid_t next = (domid_t)(d->id + 1);

        if (l->num_domains >= most) {
            domain_put(d);
            break;
        }
        domain_info(d, &info);
        domain_put(d);
        if (call_write(c, (u64)l->buffer.p + l->num_domains * sizeof(info), &info,
                       sizeof(info))) {
            error = fail(-XEN_EFAULT);
            break;
        }
        l->num_domains++;
        d = domain_next(next);
    }
    return error;
}

static s64 debug_keys(struct call *c, struct xen_sysctl *op)
{
    char keys[KEYS_MOST];
    u32 count = MIN(op->u.debug_keys.nr_keys, (u32)KEYS_MOST);

    if (call_read(c, keys, (u64)op->u.debug_keys.keys.p, count))
        return fail(-XEN_EFAULT);
    for (u32 i = 0; i < count; i++)
        debug_key(keys[i]);
    return 0;
}

static s64 get_cpu_info(struct call *c, struct xen_sysctl *op)
{
    struct xen_sysctl_getcpuinfo *g = &op->u.getcpuinfo;

    g->nr_cpus = MIN(g->max_cpus, cpu_count());
    for (u32 i = 0; i < g->nr_cpus; i++) {
        struct xen_sysctl_cpuinfo info = {.idletime = vcpu_idle_ns(i)};

        if (call_write(c, (u64)g->info.p + i * sizeof(info), &info, sizeof(info)))
            return fail(-XEN_EFAULT);
    }
    return 0;
}

static s64 avail_heap(struct call *c, struct xen_sysctl *op)
{
    (void)c;
    op->u.availheap.avail_bytes = frames_free() << PAGE_SHIFT;
    return 0;
}

#define OP(op, fn) [XEN_SYSCTL_##op] = {#op, fn}
static const struct {
    const char *name;
    sysctl_fn *fn;
} ops[] = {
    OP(readconsole, read_console), OP(physinfo, physinfo),
    OP(sched_id, sched_id),        OP(getdomaininfolist, get_domain_info_list),
    OP(debug_keys, debug_keys),    OP(getcpuinfo, get_cpu_info),
    OP(availheap, avail_heap),     OP(scheduler_op, scheduler),
};

s64 call_sysctl(struct call *c)
{
    struct xen_sysctl op;
    s64 result;

    /* In Xen's order: who is refused can still find out which version is spoken. */
    if (call_read(c, &op, c->arg[0], sizeof(op)))
        return fail(-XEN_EFAULT);
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return fail(-XEN_EACCES);
    if (!may(c->v->domain, MAY_SYSCTL))
        return fail(-XEN_EPERM);
    if (op.cmd >= ARRAY_SIZE(ops) || !ops[op.cmd].fn)
        return fail(-XEN_ENOSYS);
    result = ops[op.cmd].fn(c, &op);
    if (result >= 0 && call_write(c, c->arg[0], &op, sizeof(op)))
        return fail(-XEN_EFAULT);
    return result;
}

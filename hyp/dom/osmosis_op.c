/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vendor hypercall (hyp/abi/osmosis.h).
 */
#include "base/memory.h"
#include "hyp/dev/mailbox.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/info.h"
#include "hyp/dom/inject.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/privilege.h"
#include "hyp/dom/report.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/p2m.h"

enum {
    CHUNK = 2048,
    RECORDS = 64,
    REASON = 200,
    OUTPUT_MOST = 65536,
    RING_PAGES_MOST = 1024,
    FRAMES = 64
};

static s64 version(struct call *c, void *arg)
{
    (void)c;
    (void)arg;
    return OSM_ABI_VERSION;
}

/* --- counters ----------------------------------------------------------------------------------- */

static void add_all(struct osm_counters *sum, u16 vcpu)
{
    struct domain *d = domain_next(0);

    while (d) {
        domid_t next = (domid_t)(d->id + 1);

        domain_add_counters(d, vcpu, sum);
        domain_put(d);
        d = domain_next(next);
    }
}

static s64 counters(struct call *c, void *arg)
{
    struct osm_counters *o = arg;
    struct osm_counters sum = {.domid = o->domid, .vcpu = o->vcpu, .now_ns = clock_now_ns()};
    struct domain *d;
    s64 error;

    if (o->domid == OSM_ALL_DOMAINS) {
        if (!may(c->v->domain, MAY_COUNT_ALL))
            return fail(-XEN_EPERM);
        add_all(&sum, 0xffff);
        for (u32 cpu = 0; cpu < cpu_count(); cpu++)
            sum.idle_ns += vcpu_idle_ns(cpu);
        *o = sum;
        return 0;
    }
    d = domain_for(c->v->domain, o->domid, &error);
    if (!d)
        return error;
    if (o->vcpu != 0xffff && o->vcpu >= d->vcpu_count)
        error = fail(-XEN_ENOENT);
    else
        domain_add_counters(d, o->vcpu, &sum);
    domain_put(d);
    *o = sum;
    return error;
}

/* --- trace -------------------------------------------------------------------------------------- */

/* Only remembered: the control domain maps the ring as it maps any guest page. */
static s64 trace_ring(struct call *c, void *arg)
{
    const struct osm_trace_ring *r = arg;
    struct domain *d = c->v->domain;

    if (r->pages > RING_PAGES_MOST)
        return fail(-XEN_EINVAL);
    for (u32 i = 0; i < r->pages; i++) {
        mfn_t frame;

        if (p2m_get(d, GFN(r->gfn + i), P2M_RW, &frame))
            return fail(-XEN_EFAULT);
        frame_put(frame);
    }
    d->trace_ring_gfn = r->gfn;
    d->trace_ring_pages = r->pages;
    trace_ring_said();
    return 0;
}

static s64 trace_where(struct call *c, void *arg)
{
    struct osm_trace_where *w = arg;
    s64 error;
    struct domain *d = domain_for(c->v->domain, w->domid, &error);

    if (!d)
        return error;
    w->gfn = d->trace_ring_gfn;
    w->pages = d->trace_ring_pages;
    domain_put(d);
    return 0;
}

/* A page of a boot module, held: nobody can write it, and it is nobody's; or none. */
static mfn_t image_page(struct domain *d, u64 gfn)
{
    mfn_t frame, again;
    enum p2m_access access;

    if (p2m_get(d, GFN(gfn), P2M_R, &frame))
        return MFN_NONE;
    if (p2m_look(d, GFN(gfn), &again, &access) == P2M_FOREIGN && again.n == frame.n &&
        access == P2M_R && !frame_of(frame)->owner)
        return frame;
    frame_put(frame);
    return MFN_NONE;
}

static s64 share_pages(struct domain *from, struct domain *to, const struct osm_share *s)
{
    enum p2m_access access;
    mfn_t frame;

    for (u32 i = 0; i < s->pages; i++)
        if (p2m_look(to, GFN(s->to + i), &frame, &access) != P2M_PROMISED)
            return fail(-XEN_EBUSY);
    for (u32 i = 0; i < s->pages; i++) {
        frame = image_page(from, s->from + i);
        if (!mfn_valid(frame))
            return fail(-XEN_EFAULT);
        if (p2m_map(to, GFN(s->to + i), frame, 0, P2M_COPY, P2M_RWX)) {
            frame_put(frame);
            return fail(-XEN_ENOMEM);
        }
    }
    return 0;
}

static s64 share(struct call *c, void *arg)
{
    const struct osm_share *s = arg;
    struct domain *d;
    s64 error;

    if (s->pages > OSM_SHARE_MOST || s->from + s->pages < s->from || s->to + s->pages < s->to)
        return fail(-XEN_EINVAL);
    d = domain_for(c->v->domain, s->domid, &error);
    if (!d)
        return error;
    error = d == c->v->domain ? fail(-XEN_EINVAL) : share_pages(c->v->domain, d, s);
    domain_put(d);
    return error;
}

static u64 frame_number(struct domain *d, u64 gfn, bool shared)
{
    enum p2m_access access;
    mfn_t frame;
    enum p2m_kind kind = p2m_look(d, GFN(gfn), &frame, &access);

    return kind == P2M_RAM || (shared && kind == P2M_COPY) ? frame.n : OSM_NO_FRAME;
}

static s64 frames(struct call *c, void *arg)
{
    const struct osm_frames *f = arg;
    bool control = may(c->v->domain, MAY_COUNT_ALL);
    u64 found[FRAMES];
    s64 error;
    struct domain *d;

    if (f->count > OSM_FRAMES_MOST || f->gfn + f->count < f->gfn)
        return fail(-XEN_EINVAL);
    d = domain_for(c->v->domain, f->domid, &error);
    if (!d)
        return error;
    if (!control && !d->irqs && !d->iomem_used)
        error = fail(-XEN_EPERM);
    for (u32 done = 0; done < f->count && !error;) {
        u32 piece = MIN(f->count - done, (u32)FRAMES);

        for (u32 i = 0; i < piece; i++)
            found[i] = frame_number(d, f->gfn + done + i, control);
        if (call_write(c, f->buffer + done * 8ull, found, piece * sizeof(found[0])))
            error = fail(-XEN_EFAULT);
        done += piece;
    }
    domain_put(d);
    return error;
}

static s64 trace_ctl(struct call *c, void *arg)
{
    const struct osm_trace_ctl *t = arg;
    struct domain *d;
    s64 error;

    if (t->domid == OSM_ALL_DOMAINS) {
        trace_set_classes(t->classes);
        return 0;
    }
    d = domain_for(c->v->domain, t->domid, &error);
    if (!d)
        return error;
    trace_set_domain(d->id, t->classes);
    domain_put(d);
    return 0;
}

static s64 drain(struct call *c, void *arg)
{
    struct osm_trace_drain *t = arg;
    struct osm_record records[RECORDS];

    t->count = 0;
    t->lost = 0;
    t->rings = trace_rings_said();
    while (t->count < t->capacity) {
        u64 lost = 0;
        u32 got = trace_drain(records, MIN(t->capacity - t->count, (u32)RECORDS), &lost);

        t->lost += lost;
        if (got && call_write(c, t->buffer + t->count * sizeof(records[0]), records,
                              got * sizeof(records[0])))
            return fail(-XEN_EFAULT);
        t->count += got;
        if (got < RECORDS)
            break;
    }
    return 0;
}

/* --- what crosses the machine's edge ---------------------------------------------------------------- */

static s64 output(struct call *c, void *arg)
{
    const struct osm_output *o = arg;
    u8 chunk[CHUNK];

    if (o->len > OUTPUT_MOST)
        return fail(-XEN_EINVAL);
    for (u32 done = 0; done < o->len;) {
        u32 piece = MIN(o->len - done, (u32)CHUNK);
        int error;

        if (call_read(c, chunk, o->buffer + done, piece))
            return fail(-XEN_EFAULT);
        error = output_frame(o->stream, chunk, piece);
        if (error)
            return fail(error);
        done += piece;
    }
    return 0;
}

static s64 plan(struct call *c, void *arg)
{
    struct osm_plan *p = arg;
    u32 size = 0;
    u64 seed = 0;
    const u8 *bytes = mailbox_plan(&size, &seed);

    if (!bytes)
        return fail(-XEN_ENODATA);
    p->size = size;
    p->seed = seed;
    p->len = p->offset < size ? (u32)MIN(p->len, size - p->offset) : 0;
    if (p->len && call_write(c, p->buffer, bytes + p->offset, p->len))
        return fail(-XEN_EFAULT);
    return 0;
}

static s64 ready(struct call *c, void *arg)
{
    (void)arg;
    mailbox_ready();
    vcpu_update_time(c->v);
    domain_update_wall(c->v->domain);
    return 0;
}

static s64 finish(struct call *c, void *arg)
{
    const struct osm_finish *f = arg;
    char reason[REASON + 1] = {0};

    if (f->text && call_read(c, reason, f->text, MIN(f->len, (u32)REASON)))
        return fail(-XEN_EFAULT);
    mailbox_finish(f->status, reason);
}

static s64 module(struct call *c, void *arg)
{
    int error = module_map(c->v->domain, arg);

    return error ? fail(error) : 0;
}

/* --- faults and post-mortems ------------------------------------------------------------------------- */

/* A flipped bit is a fault that happens once, now. */
static s64 flip(struct osm_inject *i)
{
    struct domain *d = domain_find(i->domid);
    u8 byte;
    s64 error = 0;

    if (!d)
        return fail(-XEN_ESRCH);
    if (guest_read_phys(d, &byte, i->arg >> 3, 1)) {
        error = fail(-XEN_EFAULT);
    } else {
        byte ^= (u8)(1u << (i->arg & 7));
        error = guest_write_phys(d, i->arg >> 3, &byte, 1);
        i->fired = 1;
    }
    domain_put(d);
    return error;
}

/* Faults of a vCPU's execution are done by the run loop: it counts while the bit is set. */
static void arm_vcpu(const struct osm_inject *i)
{
    struct domain *d = domain_find(i->domid);

    if (!d)
        return;
    for (u32 v = 0; v < d->vcpu_count; v++)
        if (i->vcpu == 0xffff || i->vcpu == v)
            vcpu_attend(d->vcpu[v], VCPU_ATTN_INJECT);
    domain_put(d);
}

static s64 inject(struct call *c, void *arg)
{
    struct osm_inject *i = arg;
    int error;

    (void)c;
    if (i->point == OSM_POINT_flip && i->after)
        return flip(i);
    error = inject_arm(i);
    if (!error && (i->point == OSM_POINT_preempt || i->point == OSM_POINT_exception))
        arm_vcpu(i);
    return error ? fail(error) : 0;
}

static s64 skew(struct call *c, void *arg)
{
    struct osm_skew *s = arg;
    s64 error;
    struct domain *d = domain_for(c->v->domain, s->domid, &error);

    if (!d)
        return error;
    error = d == c->v->domain || !d->pause_count || !domain_is_off_cpu(d)
                ? fail(-XEN_EBUSY)
                : guest_clock_skew(d, s);
    domain_put(d);
    return error;
}

static s64 dump(struct call *c, u64 at)
{
    struct osm_dump dump;
    struct domain *d;
    s64 error;

    memset(&dump, 0, sizeof(dump));
    if (call_read(c, &dump, at, offsetof(struct osm_dump, exits)))
        return fail(-XEN_EFAULT);
    d = domain_for(c->v->domain, dump.domid, &error);
    if (!d)
        return error;
    error = report_dump(d, &dump);
    domain_put(d);
    if (error)
        return fail(error);
    return call_write(c, at, &dump, sizeof(dump)) ? fail(-XEN_EFAULT) : 0;
}

static s64 dump_op(struct call *c, void *arg)
{
    (void)arg;
    return dump(c, c->arg[1]);
}

/* --- for every domain ---------------------------------------------------------------------------------- */

static s64 notify_block(struct call *c, void *arg)
{
    s64 error = evtchn_send(c->v->domain, *(const u32 *)arg);

    c->v->counters.sends++;
    if (!error)
        vcpu_block(c->v);
    return error;
}

static s64 clock(struct call *c, void *arg)
{
    struct osm_clock_info *info = arg;

    (void)c;
    info->clock = clock_mode();
    info->tsc_khz = clock_tsc_khz();
    info->now_ns = clock_now_ns();
    return 0;
}

static const struct subop ops[] = {
    [OSM_OP_version] = {"version", version, 0, 0, 0},
    [OSM_OP_counters] = {"counters", counters, sizeof(struct osm_counters), 0, SUBOP_OUT},
    [OSM_OP_trace_ring] = {"trace_ring", trace_ring, sizeof(struct osm_trace_ring), 0, 0},
    [OSM_OP_trace_ctl] = {"trace_ctl", trace_ctl, sizeof(struct osm_trace_ctl), 0,
                          SUBOP_PRIVILEGED},
    [OSM_OP_trace_drain] = {"trace_drain", drain, sizeof(struct osm_trace_drain), 0,
                            SUBOP_OUT | SUBOP_PRIVILEGED},
    [OSM_OP_output] = {"output", output, sizeof(struct osm_output), 0, SUBOP_PRIVILEGED},
    [OSM_OP_plan] = {"plan", plan, sizeof(struct osm_plan), 0, SUBOP_OUT | SUBOP_PRIVILEGED},
    [OSM_OP_ready] = {"ready", ready, 0, 0, SUBOP_PRIVILEGED},
    [OSM_OP_inject] = {"inject", inject, sizeof(struct osm_inject), 0,
                       SUBOP_OUT | SUBOP_PRIVILEGED},
    [OSM_OP_finish] = {"finish", finish, sizeof(struct osm_finish), 0, SUBOP_PRIVILEGED},
    [OSM_OP_module] = {"module", module, sizeof(struct osm_module), 0,
                       SUBOP_OUT | SUBOP_PRIVILEGED},
    [OSM_OP_notify_block] = {"notify_block", notify_block, sizeof(u32), 0, 0},
    [OSM_OP_dump] = {"dump", dump_op, 0, 0, SUBOP_PRIVILEGED},
    [OSM_OP_trace_where] = {"trace_where", trace_where, sizeof(struct osm_trace_where), 0,
                            SUBOP_OUT | SUBOP_PRIVILEGED},
    [OSM_OP_share] = {"share", share, sizeof(struct osm_share), 0, SUBOP_PRIVILEGED},
    [OSM_OP_frames] = {"frames", frames, sizeof(struct osm_frames), 0, 0},
    [OSM_OP_skew] = {"skew", skew, sizeof(struct osm_skew), 0, SUBOP_OUT | SUBOP_PRIVILEGED},
    [OSM_OP_clock] = {"clock", clock, sizeof(struct osm_clock_info), 0, SUBOP_OUT},
};

s64 call_osmosis(struct call *c)
{
    return call_subop(c, ops, ARRAY_SIZE(ops));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of domains, and a domain's life from creation to the last frame given back.
 *
 * A destroyed domain leaves the table at once; its struct stays until the last reference and
 * the last frame that others still map are gone (domains_reap).
 */
#include "base/format.h"
#include "base/memory.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/domain.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/grant.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/inject.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/report.h"
#include "hyp/dom/timers.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/virt.h"

enum { BUCKETS = 1024 };

static struct {
    struct spinlock lock; /* outermost of all but the domains' */
    struct domain *bucket[BUCKETS];
    struct list all;  /* in the order of the ids */
    struct list dead; /* out of the table, still referred to */
    u32 total;
    domid_t last_id;
} table;

void domains_init(void)
{
    list_init(&table.all);
    list_init(&table.dead);
}

static struct domain *look_up(domid_t id)
{
    struct domain *d = table.bucket[id % BUCKETS];

    while (d && d->id != id)
        d = d->hash_next;
    return d;
}

void domain_get(struct domain *d)
{
    __atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
}

void domain_put(struct domain *d)
{
    __atomic_sub_fetch(&d->refs, 1, __ATOMIC_RELEASE);
}

struct domain *domain_find(domid_t id)
{
    struct domain *d;

    spin_lock(&table.lock);
    d = look_up(id);
    if (d)
        domain_get(d);
    spin_unlock(&table.lock);
    return d;
}

struct domain *domain_find_or_self(domid_t id)
{
    if (id != DOMID_SELF)
        return domain_find(id);
    domain_get(current()->domain);
    return current()->domain;
}

struct domain *domain_next(domid_t from)
{
    struct domain *found = NULL;

    spin_lock(&table.lock);
    list_for_each(at, &table.all)
    {
        struct domain *d = list_entry(at, struct domain, all_link);

        if (d->id >= from) {
            domain_get(d);
            found = d;
            break;
        }
    }
    spin_unlock(&table.lock);
    return found;
}

u32 domain_total(void)
{
    return table.total;
}

domid_t domain_free_id(void)
{
    domid_t id = DOMID_INVALID;

    spin_lock(&table.lock);
    for (u32 tries = 0; tries < DOMID_FIRST_RESERVED; tries++) {
        table.last_id = (domid_t)(table.last_id + 1);
        if (table.last_id >= DOMID_FIRST_RESERVED)
            table.last_id = 1;
        if (!look_up(table.last_id)) {
            id = table.last_id;
            break;
        }
    }
    spin_unlock(&table.lock);
    return id;
}

/* --- creation ---------------------------------------------------------------------- */

static int enter(struct domain *d)
{
    struct list *at = table.all.prev;
    int error = 0;

    spin_lock(&table.lock);
    at = table.all.prev;
    if (look_up(d->id)) {
        error = -XEN_EEXIST;
    } else {
        while (at != &table.all && list_entry(at, struct domain, all_link)->id > d->id)
            at = at->prev;
        list_insert(at, &d->all_link);
        d->hash_next = table.bucket[d->id % BUCKETS];
        table.bucket[d->id % BUCKETS] = d;
        table.total++;
    }
    spin_unlock(&table.lock);
    return error;
}

static void leave(struct domain *d)
{
    struct domain **at;

    spin_lock(&table.lock);
    for (at = &table.bucket[d->id % BUCKETS]; *at != d; at = &(*at)->hash_next)
        ;
    *at = d->hash_next;
    list_remove(&d->all_link);
    list_push_back(&table.dead, &d->all_link);
    table.total--;
    spin_unlock(&table.lock);
}

/* The struct lies at the start of a frame whose rest begins the domain's heap. */
static struct domain *make_struct(domid_t id)
{
    mfn_t frame = frame_alloc(NULL, 0, FRAME_HYP);
    struct domain *d;
    size_t used = ALIGN_UP(sizeof(*d), (size_t)16);

    _Static_assert(sizeof(struct domain) < PAGE_SIZE, "a domain fits one frame");
    if (!mfn_valid(frame))
        return NULL;
    d = frame_map(frame);
    d->id = id;
    d->own_frame = frame;
    d->refs = 1;
    d->overhead = PAGE_SIZE;
    d->heap_frames = MFN_NONE;
    d->shared_frame = MFN_NONE;
    d->shared_gfn = ~0ull;
    d->frames_max = ~0ull;
    heap_init(&d->heap, (u8 *)d + used, PAGE_SIZE - used);
    list_init(&d->all_link);
    sched_group_init(&d->sched);
    return d;
}

static int make_tables(struct domain *d, u32 vcpus, u32 ports, u32 grant_frames)
{
    int error;

    d->vcpu_max = vcpus;
    d->overhead_max = OVERHEAD_BASE + vcpus * OVERHEAD_VCPU;
    d->vcpu = domain_alloc(d, sizeof(*d->vcpu) * vcpus);
    d->shared_frame = frame_alloc(d, 0, FRAME_TABLE);
    if (!d->vcpu || !mfn_valid(d->shared_frame))
        return -XEN_ENOMEM;
    d->shared = frame_map(d->shared_frame);
    error = evtchn_init(d, ports);
    if (!error)
        error = grant_init(d, grant_frames);
    if (!error)
        d->overhead_max += d->grant->limit * OVERHEAD_GRANT_FRAME +
                           d->evtchn->limit / OVERHEAD_PORTS;
    if (!error)
        error = p2m_init(d);
    if (!error)
        error = virt_domain_init(d);
    return error;
}

static void release_struct(struct domain *d)
{
    mfn_t own = d->own_frame;

    for (u32 i = 0; i < d->vcpu_count; i++)
        vcpu_destroy(d->vcpu[i]);
    virt_domain_destroy(d);
    grant_free(d);
    if (mfn_valid(d->shared_frame))
        frame_put(d->shared_frame);
    domain_free_heap(d);
    heap_leave(d, PAGE_SIZE);
    frame_put(own);
}

int domain_create(domid_t id, u32 vcpus, u32 ports, u32 grant_frames, struct domain **made)
{
    struct domain *d;
    int error;

    *made = NULL;
    if (inject_fires(OSM_POINT_fail_domain, NULL))
        return -XEN_ENOMEM;
    if (vcpus < 1 || vcpus > DOMAIN_VCPUS)
        return -XEN_EINVAL;
    domains_reap();
    d = make_struct(id);
    if (!d)
        return -XEN_ENOMEM;
    d->pause_count = 1;
    d->hvm_params[HVM_PARAM_TRIPLE_FAULT_REASON] = SHUTDOWN_reboot;
    error = make_tables(d, vcpus, ports, grant_frames);
    if (!error)
        error = enter(d);
    if (error) {
        p2m_destroy(d);
        release_struct(d);
        return error;
    }
    domain_update_wall(d);
    trace_write(OSM_T_domain_create, id, 0, vcpus, 0);
    *made = d;
    return 0;
}

/* --- pause, shutdown ---------------------------------------------------------------- */

void domain_pause(struct domain *d)
{
    spin_lock(&d->lock);
    d->pause_count++;
    spin_unlock(&d->lock);
    for (u32 i = 0; i < d->vcpu_count; i++)
        vcpu_hold(d->vcpu[i], SCHED_HOLD_PAUSED);
    trace_write(OSM_T_domain_pause, d->id, 0, d->pause_count, 0);
}

static void let_run(struct domain *d)
{
    bool free;

    spin_lock(&d->lock);
    free = !d->pause_count && d->state < DOMAIN_SHUTDOWN;
    if (free && d->state == DOMAIN_BUILDING)
        d->state = DOMAIN_LIVE;
    spin_unlock(&d->lock);
    if (!free)
        return;
    for (u32 i = 0; i < d->vcpu_count; i++)
        vcpu_release(d->vcpu[i], SCHED_HOLD_PAUSED);
}

int domain_unpause(struct domain *d)
{
    spin_lock(&d->lock);
    if (!d->pause_count) {
        spin_unlock(&d->lock);
        return -XEN_EINVAL;
    }
    d->pause_count--;
    spin_unlock(&d->lock);
    trace_write(d->started ? OSM_T_domain_unpause : OSM_T_domain_start, d->id, 0, 0, 0);
    d->started = true;
    let_run(d);
    return 0;
}

bool domain_is_off_cpu(const struct domain *d)
{
    for (u32 i = 0; i < d->vcpu_count; i++)
        if (!sched_is_off(&d->vcpu[i]->sched))
            return false;
    return true;
}

void domain_shutdown(struct domain *d, u8 reason)
{
    bool first;

    spin_lock(&d->lock);
    first = d->state < DOMAIN_SHUTDOWN;
    if (first) {
        d->state = DOMAIN_SHUTDOWN;
        d->shutdown_reason = d->shutdown_code ? (u8)(d->shutdown_code - 1) : reason;
    }
    spin_unlock(&d->lock);
    for (u32 i = 0; i < d->vcpu_count; i++)
        vcpu_hold(d->vcpu[i], SCHED_HOLD_PAUSED);
    if (!first)
        return;
    console_flush(d);
    trace_write(OSM_T_domain_shutdown, d->id, 0, d->shutdown_reason, 0);
    evtchn_global_virq(VIRQ_DOM_EXC);
}

int domain_resume(struct domain *d)
{
    spin_lock(&d->lock);
    if (d->state != DOMAIN_SHUTDOWN) {
        spin_unlock(&d->lock);
        return 0;
    }
    d->state = DOMAIN_LIVE;
    d->shutdown_reason = 0;
    d->shutdown_code = 0;
    spin_unlock(&d->lock);
    let_run(d);
    return 0;
}

void domain_crash(struct domain *d, const char *why, ...)
{
    char text[200];
    va_list args;

    va_start(args, why);
    vformat(text, sizeof(text), why, args);
    va_end(args);
    if (d->state < DOMAIN_SHUTDOWN)
        report_crash(d, text);
    domain_shutdown(d, SHUTDOWN_crash);
}

void domain_triple_fault(struct domain *d)
{
    if (d->state < DOMAIN_SHUTDOWN)
        report_crash(d, "triple fault");
    domain_shutdown(d, (u8)d->hvm_params[HVM_PARAM_TRIPLE_FAULT_REASON]);
}

/* --- destruction -------------------------------------------------------------------- */

static int stop_running(struct domain *d)
{
    for (u32 i = 0; i < d->vcpu_count; i++)
        vcpu_hold(d->vcpu[i], SCHED_HOLD_PAUSED);
    if (!domain_is_off_cpu(d))
        return -XEN_ERESTART;
    console_flush(d);
    return 0;
}

static int stop_timers(struct domain *d)
{
    for (u32 i = 0; i < d->vcpu_count; i++)
        vcpu_stop_timers(d->vcpu[i]);
    for (u32 i = 0; i < DOMAIN_WATCHDOGS; i++)
        timer_stop(&d->watchdog[i].timer);
    return 0;
}

/* What the guest registered with us is its RAM, and nobody sends to it any more. */
static int let_go_registered(struct domain *d)
{
    for (u32 i = 0; i < d->vcpu_count; i++)
        vcpu_forget_info(d->vcpu[i]);
    return 0;
}

static int free_memory(struct domain *d)
{
    return p2m_destroy(d) ? -XEN_ERESTART : 0;
}

static int say_goodbye(struct domain *d)
{
    leave(d);
    d->state = DOMAIN_DEAD;
    trace_write(OSM_T_domain_destroy, d->id, 0, 0, 0);
    trace_set_domain(d->id, 0); /* another may get its number */
    evtchn_global_virq(VIRQ_DOM_EXC);
    return 0;
}

/* In order; each does bounded work and says -ERESTART until it is through. */
static int (*const steps[])(struct domain *d) = {
    stop_running,  stop_timers, evtchn_destroy, let_go_registered,
    grant_destroy, free_memory, say_goodbye,
};

int domain_destroy(struct domain *d)
{
    spin_lock(&d->lock);
    if (d->state < DOMAIN_DYING)
        d->state = DOMAIN_DYING;
    if (d->destroying) {
        spin_unlock(&d->lock);
        return -XEN_EAGAIN;
    }
    d->destroying = true;
    spin_unlock(&d->lock);
    while (d->destroy_step < ARRAY_SIZE(steps)) {
        int error = steps[d->destroy_step](d);

        if (error) {
            d->destroying = false;
            return error;
        }
        d->destroy_step++;
        if (d->destroy_step == ARRAY_SIZE(steps))
            domain_put(d); /* the table's */
    }
    d->destroying = false;
    return 0;
}

/* Others may still refer to the struct, map its RAM, or map the tables it shares. */
static bool is_unused(const struct domain *d)
{
    return !__atomic_load_n(&d->refs, __ATOMIC_ACQUIRE) && !d->frames &&
           frame_of(d->shared_frame)->refs == 1 && !grant_frames_mapped(d);
}

void domains_reap(void)
{
    struct list ready;

    list_init(&ready);
    spin_lock(&table.lock);
    list_for_each_safe(at, &table.dead)
    {
        struct domain *d = list_entry(at, struct domain, all_link);

        if (is_unused(d)) {
            list_remove(at);
            list_push_back(&ready, at);
        }
    }
    spin_unlock(&table.lock);
    for (struct list *at; (at = list_pop_front(&ready));)
        release_struct(list_entry(at, struct domain, all_link));
}

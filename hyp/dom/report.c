/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reports: what a crashed domain was doing, and what the debug keys show.
 */
#include "hyp/dom/report.h"
#include "base/format.h"
#include "base/memory.h"
#include "hyp/cpu/x86.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/grant.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/walk.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/virt.h"

enum { EXITS = VCPU_LAST_EXITS, EXITS_SHOWN = 8 };

void report_vcpu(const struct vcpu *v)
{
    const struct guest_regs *r = &v->regs;
    struct virt_state s = {0};

    virt_get_state((struct vcpu *)(uintptr_t)v, &s);
    virt_count((struct vcpu *)(uintptr_t)v);
    log_line("  vcpu %u: hold %x attention %x cpu %u exits %lu", v->id, v->sched.hold,
             v->attention, v->cpu, v->counters.exits);
    log_line("    rip %04x:%016lx rsp %04x:%016lx rflags %08lx cpl %u", s.cs.selector, r->rip,
             s.ss.selector, r->rsp, r->rflags, virt_cpl(v));
    log_line("    rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
    log_line("    rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp, r->r8);
    log_line("    r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11, r->r12);
    log_line("    r13 %016lx r14 %016lx r15 %016lx", r->r13, r->r14, r->r15);
    log_line("    cr0 %08lx cr2 %016lx cr3 %016lx cr4 %08lx efer %lx", s.cr0, s.cr2, s.cr3,
             s.cr4, s.efer);
    for (u32 i = 0; i < EXITS_SHOWN; i++) {
        u32 at = (v->last_exit_at + EXITS - 1 - i) % EXITS;

        if (v->last_exit_code[at] || v->last_exit[at].rip)
            log_line("    exit -%u: code %lx rip %016lx info %lx", i,
                     (u64)v->last_exit_code[at], v->last_exit[at].rip, v->last_exit[at].info);
    }
}

static void *table_page(void *context, u64 gfn)
{
    return p2m_peek(context, GFN(gfn), P2M_RW);
}

/* How far the guest's tables lead to an address: the entry that ends it comes last. */
static void report_tables(struct domain *d, const struct virt_state *s, u64 linear)
{
    struct paging p = {.cr0 = s->cr0, .cr3 = s->cr3, .cr4 = s->cr4, .efer = s->efer};
    struct walk w = {0};
    char text[WALK_LEVELS * 20] = "";
    size_t length = 0;
    int error;

    spin_lock(&d->p2m_lock);
    error = walk_tables(&p, linear, false, table_page, d, &w);
    for (u32 i = 0; i < WALK_LEVELS && w.entry[i] && i < w.levels + (error ? 1 : 0); i++)
        length += format(text + length, sizeof(text) - length, " %lx",
                         walk_entry(w.entry[i], w.narrow));
    spin_unlock(&d->p2m_lock);
    log_line("    %016lx is%s mapped:%s", linear, error ? " not" : "", text);
}

void report_crash(struct domain *d, const char *why)
{
    console_flush(d);
    log_line("domain %u crashed: %s", d->id, why);
    for (u32 i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];
        struct virt_state s = {0};

        if (sched_is_off(&v->sched) && d->vcpu_count > 1)
            continue;
        report_vcpu(v);
        virt_get_state(v, &s);
        if (!(s.cr0 & CR0_PG))
            continue;
        report_tables(d, &s, s.cr2);
        report_tables(d, &s, v->regs.rip + s.cs.base);
    }
}

int report_dump(const struct domain *d, struct osm_dump *out)
{
    struct virt_state s = {0};
    struct vcpu *v;

    if (out->vcpu >= d->vcpu_count)
        return -XEN_ENOENT;
    v = d->vcpu[out->vcpu];
    virt_get_state(v, &s);
    _Static_assert(sizeof(out->regs) == sizeof(v->regs), "the dump has our registers' order");
    memcpy(out->regs, &v->regs, sizeof(out->regs));
    out->control[0] = s.cr0;
    out->control[1] = s.cr2;
    out->control[2] = s.cr3;
    out->control[3] = s.cr4;
    out->control[4] = s.efer;
    out->control[5] = (u64)s.cs.selector << 48 | (u64)s.ss.selector << 32 | virt_cpl(v);
    out->exits = 0;
    for (u32 i = 0; i < EXITS; i++) { /* oldest first */
        u32 at = (v->last_exit_at + i) % EXITS;

        if (!v->last_exit_code[at] && !v->last_exit[at].rip)
            continue;
        out->last_exit[out->exits].code = (u64)v->last_exit_code[at];
        out->last_exit[out->exits].rip = v->last_exit[at].rip;
        out->last_exit[out->exits].info = v->last_exit[at].info;
        out->exits++;
    }
    return 0;
}

/* --- debug keys -------------------------------------------------------------------------------- */

static void each_domain(void (*show)(struct domain *d))
{
    struct domain *d = domain_next(0);

    while (d) {
        domid_t next = (domid_t)(d->id + 1);

        show(d);
        domain_put(d);
        d = domain_next(next);
    }
}

static void show_domain(struct domain *d)
{
    static const char *const states[] = {"building", "live", "shut down", "dying", "dead"};

    log_line("domain %u: %s, refs %u, pauses %u, pages %lu (populated %lu, limit %lu), "
             "overhead %lu of %lu",
             d->id, states[d->state], d->refs, d->pause_count, d->pages, d->frames,
             d->frames_max, d->overhead, domain_overhead_most(d) << PAGE_SHIFT);
    for (u32 i = 0; i < d->vcpu_count; i++)
        report_vcpu(d->vcpu[i]);
}

static void show_evtchns(struct domain *d)
{
    static const char *const states[] = {"closed", "unbound", "interdomain",
                                         "pirq",   "virq",    "ipi"};

    log_line("domain %u: %s event channels, %u of %u ports open", d->id,
             d->evtchn->fifo ? "FIFO" : "two-level", d->evtchn->in_use,
             evtchn_ports_allowed(d) - 1);
    for (u32 port = 1; port < d->evtchn->made; port++) {
        const struct evtchn *c = evtchn_of(d, port);

        if (c->state != EVTCHNSTAT_closed)
            log_line("domain %u port %u: %s %u/%u vcpu %u%s%s", d->id, port, states[c->state],
                     c->remote_id, c->remote_port, c->vcpu,
                     evtchn_is_pending(d, port) ? " pending" : "",
                     evtchn_is_masked(d, port) ? " masked" : "");
    }
}

static void show_grants(struct domain *d)
{
    log_line("domain %u: %u grant frames of %u, %u mappings held%s", d->id, d->grant->frames,
             d->grant->limit, d->grant->map_count,
             grant_any_active(d) ? ", own entries in use" : "");
}

void report_domains(void)
{
    each_domain(show_domain);
}

void report_evtchns(void)
{
    each_domain(show_evtchns);
}

void report_grants(void)
{
    each_domain(show_grants);
}

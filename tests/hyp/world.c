/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/hyp/world.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hyp/cpu/panic.h"
#include "hyp/dev/mailbox.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/timer.h"
#include "hyp/mm/memory.h"
#include "hyp/virt/cpuid.h"

struct world world;
u32 trace_classes;

enum { RAM_FRAMES = 64 * 256 };
static u8 *ram;
static bool online;

/* --- memory -------------------------------------------------------------------------------- */

void memory_init(void)
{
    ram = aligned_alloc(PAGE_SIZE, RAM_FRAMES * PAGE_SIZE);
    memset(ram, 0xa5, RAM_FRAMES * PAGE_SIZE);
}

u64 memory_top(void)
{
    return RAM_FRAMES * PAGE_SIZE;
}

void *memory_early_alloc(u64 size)
{
    static void *kept; /* reachable, so that no leak is reported */

    kept = calloc(1, size);
    return kept;
}

bool memory_free_range(u32 i, u64 *first, u64 *count)
{
    *first = 1; /* frame 0 stays out, so that 0 is nobody's */
    *count = RAM_FRAMES - 1;
    return i == 0;
}

bool memory_module_frames(u32 i, u64 *first, u64 *count)
{
    (void)i;
    (void)first;
    (void)count;
    return false;
}

void *frame_map(mfn_t m)
{
    if (m.n >= RAM_FRAMES)
        panic("frame %lu is mapped, which is no RAM", m.n);
    return ram + m.n * PAGE_SIZE;
}

/* --- platform -------------------------------------------------------------------------------- */

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
    abort();
}

struct vcpu *current(void)
{
    return world.current;
}

void vcpu_set_current(struct vcpu *v)
{
    world.on_cpu[world.cpu] = v;
    if (v)
        world.current = v;
}

u32 cpu_id(void)
{
    return world.cpu;
}

u32 cpu_count(void)
{
    return world.cpus;
}

void cpu_kick(u32 cpu)
{
    struct vcpu *v = world.on_cpu[cpu];

    world.kicks++;
    if (cpu != world.cpu)
        world.line[cpu].interrupted = true;
    else
        world.line[cpu].kicked = true;
    if (cpu == world.cpu && v)
        v->attention |= VCPU_ATTN_LOOK;
}

void cpu_deadline_moved(u32 cpu, u64 ns)
{
    if (cpu != world.cpu || ns < world.line[cpu].armed_ns)
        cpu_kick(cpu);
}

u64 clock_now_ns(void)
{
    return world.now_ns;
}

u64 clock_instant(u64 *tsc)
{
    *tsc = world.now_ns;
    return world.now_ns;
}

void clock_sample(struct clock_sample *s)
{
    *s = (struct clock_sample){.tsc = world.now_ns,
                               .system_ns = world.now_ns,
                               .mul = 1u << 31,
                               .shift = 1,
                               .stable = true};
}

void clock_wall(u64 *seconds, u32 *nanoseconds)
{
    *seconds = 1704067200;
    *nanoseconds = 0;
}

u32 clock_tsc_khz(void)
{
    return 1000000;
}

u32 clock_mode(void)
{
    return OSM_CLOCK_COUNT;
}

void log_line(const char *fmt, ...)
{
    char line[400];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    world.log_lines++;
}

void console_write(struct domain *d, const char *text, size_t len)
{
    snprintf(world.console_text, sizeof(world.console_text), "%u:%.*s", d->id, (int)len, text);
    world.console_bytes += (u32)len;
}

size_t console_read(char *text, size_t room)
{
    (void)text;
    (void)room;
    return 0;
}

size_t console_ring_read(char *text, size_t room, u32 *at, bool clear)
{
    (void)clear;
    if (*at >= 100)
        return 0;
    room = room < 100 - *at ? room : 100 - *at;
    memset(text, 'x', room);
    *at += (u32)room;
    return room;
}

void debug_key(char key)
{
    (void)key;
}

const char *platform_command_line(void)
{
    return "clock=count";
}

int module_map(struct domain *d, struct osm_module *i)
{
    (void)d;
    i->count = 0;
    return -XEN_ENOENT;
}

void irq_route(u32 irq, struct domain *d)
{
    (void)irq;
    (void)d;
}

void irq_end(u32 irq)
{
    (void)irq;
}

void trace_write(u16 type, u16 domid, u32 who, u64 a, u64 b)
{
    (void)type;
    (void)domid;
    (void)who;
    (void)a;
    (void)b;
}

void trace_wanted(u16 type, u16 domid, u32 who, u64 a, u64 b)
{
    trace_write(type, domid, who, a, b);
}

void trace_set_domain(u16 domid, u32 classes)
{
    (void)domid;
    (void)classes;
}

void trace_set_classes(u32 classes)
{
    (void)classes;
}

static u64 rings_said;

void trace_ring_said(void)
{
    rings_said++;
}

u64 trace_rings_said(void)
{
    return rings_said;
}

u32 trace_drain(struct osm_record *to, u32 capacity, u64 *lost)
{
    (void)to;
    (void)capacity;
    *lost = 0;
    return 0;
}

void mailbox_ready(void)
{
}

const void *mailbox_plan(u32 *len, u64 *seed)
{
    *len = 5;
    *seed = 7;
    return "plan!";
}

void mailbox_finish(u32 status, const char *reason)
{
    printf("finish %u: %s\n", status, reason);
    exit(0);
}

int output_frame(u32 stream, const void *bytes, u32 len)
{
    (void)stream;
    (void)bytes;
    (void)len;
    return 0;
}

/* --- the guest's processor ------------------------------------------------------------------- */

int virt_domain_init(struct domain *d)
{
    (void)d;
    return 0;
}

void virt_domain_destroy(struct domain *d)
{
    (void)d;
}

int virt_vcpu_create(struct vcpu *v)
{
    v->virt = calloc(1, sizeof(*v->virt));
    v->virt->bits = 64;
    v->paging.cr0 = &v->virt->paging.cr0;
    v->paging.cr3 = &v->virt->paging.cr3;
    v->paging.cr4 = &v->virt->paging.cr4;
    v->paging.efer = &v->virt->paging.efer;
    return 0;
}

void virt_vcpu_destroy(struct vcpu *v)
{
    free(v->virt);
}

void virt_get_state(struct vcpu *v, struct virt_state *s)
{
    *s = v->virt->state;
}

int virt_set_state(struct vcpu *v, const struct virt_state *s)
{
    v->virt->state = *s;
    return 0;
}

void virt_flush(struct domain *d)
{
    (void)d;
    world.flushes++;
}

void virt_count(struct vcpu *v)
{
    (void)v;
}

u32 virt_cpl(const struct vcpu *v)
{
    return v->virt->cpl;
}

bool virt_interrupts_enabled(const struct vcpu *v)
{
    (void)v;
    return true;
}

u32 virt_code_bits(const struct vcpu *v)
{
    return v->virt->bits;
}

int virt_allow_ports(struct domain *d, u32 first, u32 count, bool allow)
{
    (void)d;
    (void)first;
    world.ports_allowed += allow ? count : -count;
    return 0;
}

void virt_reset(struct vcpu *v)
{
    (void)v;
}

void virt_start_real(struct vcpu *v, u8 vector)
{
    v->regs.rip = (u64)vector << 12;
}

bool hypercall_page_write(struct vcpu *v, u64 gpa)
{
    u8 page[PAGE_SIZE];

    memset(page, 0xcc, sizeof(page));
    return !guest_write_phys(v->domain, gpa, page, sizeof(page));
}

/* --- for tests ---------------------------------------------------------------------------------- */

void world_init(u32 cpus)
{
    if (online)
        return;
    online = true;
    world.cpus = cpus;
    frames_init();
    domains_init();
    vcpu_scheduler_init(SCHED_SLICE_NS);
    for (world.cpu = 0; world.cpu < cpus; world.cpu++) {
        world.line[world.cpu].armed_ns = TIMER_NEVER;
        vcpu_cpu_online(world.cpu);
    }
    world.cpu = 0;
}

struct domain *world_domain(domid_t id, u32 vcpus, u64 pages)
{
    struct domain *d;
    int error = domain_create(id, vcpus, 0, 0, &d);

    if (error)
        panic("domain_create says %d", error);
    d->privileged = id == 0;
    if (p2m_promise(d, GFN(0), pages))
        panic("no memory promised");
    d->pages = pages;
    for (u32 i = 0; i < vcpus; i++) {
        if (vcpu_create(d, i))
            panic("no vcpu");
        vcpu_up(d->vcpu[i]);
    }
    domain_unpause(d);
    if (!world.current)
        world.current = d->vcpu[0];
    return d;
}

void world_end(struct domain *d)
{
    if (world.current && world.current->domain == d)
        world.current = NULL;
    while (domain_destroy(d))
        for (world.cpu = 0; world.cpu < world.cpus; world.cpu++)
            vcpu_schedule(world.now_ns);
    world.cpu = 0;
    domains_reap();
}

s64 world_call(struct vcpu *v, u64 nr, u64 a0, u64 a1, u64 a2)
{
    struct vcpu *before = world.current;

    world.current = v;
    v->regs.rax = nr;
    if (v->virt->bits == 64) {
        v->regs.rdi = a0;
        v->regs.rsi = a1;
        v->regs.rdx = a2;
    } else {
        v->regs.rbx = a0;
        v->regs.rcx = a1;
        v->regs.rdx = a2;
    }
    do
        v->world += 2; /* it has been in its guest */
    while (!hypercall_dispatch(v));
    world.current = before;
    return v->virt->bits == 64 ? (s64)v->regs.rax : (s32)v->regs.rax;
}

void world_put(struct domain *d, u64 gpa, const void *from, size_t len)
{
    if (guest_write_phys(d, gpa, from, len))
        panic("nothing at %lx", gpa);
}

void world_get(struct domain *d, u64 gpa, void *to, size_t len)
{
    if (guest_read_phys(d, to, gpa, len))
        panic("nothing at %lx", gpa);
}

s64 world_op(struct vcpu *v, u64 nr, u64 cmd, void *arg, size_t size)
{
    s64 result;

    world_put(v->domain, WORLD_ARG, arg, size);
    result = world_call(v, nr, cmd, WORLD_ARG, 1);
    world_get(v->domain, WORLD_ARG, arg, size);
    return result;
}

s64 world_vcpu_op(struct vcpu *v, u64 cmd, u32 vcpu, void *arg, size_t size)
{
    s64 result;

    if (arg)
        world_put(v->domain, WORLD_ARG, arg, size);
    result = world_call(v, __HYPERVISOR_vcpu_op, cmd, vcpu, WORLD_ARG);
    if (arg)
        world_get(v->domain, WORLD_ARG, arg, size);
    return result;
}

static s64 control_call(struct domain *control, u64 nr, void *op, size_t size)
{
    s64 result;

    world_put(control, WORLD_ARG, op, size);
    result = world_call(control->vcpu[0], nr, WORLD_ARG, 0, 0);
    world_get(control, WORLD_ARG, op, size);
    return result;
}

s64 world_domctl(struct domain *control, struct xen_domctl *op)
{
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    return control_call(control, __HYPERVISOR_domctl, op, sizeof(*op));
}

s64 world_sysctl(struct domain *control, struct xen_sysctl *op)
{
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return control_call(control, __HYPERVISOR_sysctl, op, sizeof(*op));
}

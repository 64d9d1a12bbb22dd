/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits of any vendor: hypercalls, halts, nested page faults with the local APIC page
 * behind some of them, and the ends of domains.
 */
#include "hyp/virt/exit.h"
#include "hyp/cpu/x86.h"
#include "hyp/dev/lapic.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/access.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/decode.h"

enum { REPEATS_MOST = 100000 };
#define LAPIC_END (LAPIC_BASE + PAGE_SIZE)

static bool in_lapic(u64 gpa)
{
    return gpa >= LAPIC_BASE && gpa < LAPIC_END;
}

/* What stands behind an address that no memory backs: the local APIC, or nothing, which
 * reads as all ones and ignores writes. */
static u64 device_read(struct vcpu *v, u64 gpa)
{
    u32 value = 0;

    if (!in_lapic(gpa))
        return ~0ull;
    lapic_read(v, (u32)(gpa & 0xff0), &value);
    return (u64)value >> 8 * (gpa & 3);
}

static void device_write(struct vcpu *v, u64 gpa, u64 value)
{
    if (in_lapic(gpa) && !(gpa & 3))
        lapic_write(v, (u32)(gpa & 0xff0), (u32)value);
}

static void emulate_access(struct vcpu *v, u64 gpa, bool write)
{
    u8 code[INSN_MOST];
    struct insn i;
    u32 len = insn_fetch(v, code, sizeof(code));

    if (!insn_decode(&i, code, len, virt_code_bits(v)) || i.write != write) {
        int error = write || in_lapic(gpa) ? -XEN_EFAULT
                                           : p2m_void(v->domain, GFN(gpa >> PAGE_SHIFT));

        if (!error)
            return;
        if (error == -XEN_ENOMEM)
            domain_crash(v->domain, "out of memory: no table for the hole at %lx", gpa);
        else
            domain_crash(
                v->domain,
                "%s of guest-physical %lx, where there is no memory, by an instruction "
                "that is no plain move (%02x %02x %02x %02x)",
                write ? "write" : "read", gpa, code[0], code[1], code[2], code[3]);
        return;
    }
    if (write)
        device_write(v, gpa, insn_value(&i, &v->regs));
    else
        insn_set(&i, &v->regs, device_read(v, gpa));
    v->repeat.count = 0; /* it got somewhere */
    virt_skip_to(v, v->regs.rip + i.length);
}

/* The same instruction that faults at the same address again and again gets nowhere. */
static bool is_stuck(struct vcpu *v, u64 gpa)
{
    if (v->repeat.rip != v->regs.rip || v->repeat.gpa != gpa || v->repeat.rcx != v->regs.rcx) {
        v->repeat.rip = v->regs.rip;
        v->repeat.gpa = gpa;
        v->repeat.rcx = v->regs.rcx;
        v->repeat.count = 0;
    }
    return ++v->repeat.count > REPEATS_MOST;
}

static void handle_fault(struct vcpu *v, const struct virt_exit_info *x)
{
    int error;

    v->counters.faults++;
    trace(OSM_T_fault, v->domain->id, v->id, x->gpa, x->write);
    if (is_stuck(v, x->gpa)) {
        domain_crash(v->domain, "endless exits: guest-physical %lx is touched for ever",
                     x->gpa);
        return;
    }
    if (in_lapic(x->gpa))
        error = -XEN_EFAULT;
    else
        error = p2m_fault(v->domain, x->gpa, x->write);
    switch (error) {
    case 0: return;
    case -XEN_EFAULT: emulate_access(v, x->gpa, x->write); return;
    case -XEN_EACCES:
        if (x->write) { /* a read-only page (a grant): the write is lost, as on Xen */
            emulate_access(v, x->gpa, true);
            return;
        }
        domain_crash(v->domain, "guest-physical %lx may not be read", x->gpa);
        return;
    default: domain_crash(v->domain, "out of memory: no frame for guest-physical %lx", x->gpa);
    }
}

void exit_handle(struct vcpu *v, enum virt_exit exit, const struct virt_exit_info *x)
{
    trace(OSM_T_exit, v->domain->id, v->id, x->code, v->regs.rip);
    switch (exit) {
    case VIRT_EXIT_HANDLED: break;
    case VIRT_EXIT_SERVED: break;
    case VIRT_EXIT_INTERRUPT: break; /* taken by the run loop */
    case VIRT_EXIT_HYPERCALL:
        if (hypercall_dispatch(v))
            virt_hypercall_done(v);
        break;
    case VIRT_EXIT_HLT: vcpu_hlt(v, virt_interrupts_enabled(v)); break;
    case VIRT_EXIT_SPIN: vcpu_yield(v); break;
    case VIRT_EXIT_FAULT: handle_fault(v, x); break;
    case VIRT_EXIT_IO: exit_port(v, x); break;
    case VIRT_EXIT_SHUTDOWN: domain_triple_fault(v->domain); break;
    case VIRT_EXIT_BROKEN:
        domain_crash(v->domain, "exit %lx, which cannot be handled", x->code);
        break;
    }
}

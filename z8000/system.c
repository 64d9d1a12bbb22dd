/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processor control: flags, control registers, interrupt enables, HALT, the return from
 * and the deliberate entry into system mode, the multi-micro pins.
 */
#include "z8000/core.h"

enum {
    FLAGS = Z8000_C | Z8000_Z | Z8000_S | Z8000_V | Z8000_DA | Z8000_H,
    CLOCKS_MREQ_STEP = 7,
};

bool run_nop(struct z8000 *c)
{
    (void)c;
    return true;
}

/* SETFLG (arg 1), RESFLG (3), COMFLG (5): the opcode's bit 2 makes COMFLG turn H over too. */
bool run_flag(struct z8000 *c)
{
    u16 mask = c->u.word[0] & 0xf0;

    switch (row_of(c)->arg) {
    case 1: c->fcw |= mask; break;
    case 3: c->fcw &= (u16)~mask; break;
    default: c->fcw ^= (u16)(mask | Z8000_H); break;
    }
    return true;
}

bool run_ldctlb_read(struct z8000 *c)
{
    reg_put(c, SIZE_B, field_hi(c), c->fcw & FLAGS);
    return true;
}

bool run_ldctlb_write(struct z8000 *c)
{
    set_flags(c, FLAGS, reg_get(c, SIZE_B, field_hi(c)));
    return true;
}

enum control { FCW = 2, REFRESH, PSAPSEG, PSAPOFF, NSPSEG, NSPOFF };

static void control_write(struct z8000 *c, unsigned which, u16 value)
{
    switch (which) {
    case FCW: z8000_set_fcw(c, value); break;
    case REFRESH: c->refresh = value; break;
    case PSAPSEG: c->psapseg = value; break;
    case PSAPOFF: c->psapoff = value & 0xff00; break;
    case NSPSEG: c->nspseg = value; break;
    case NSPOFF: c->nspoff = value; break;
    default: break;
    }
}

static void control_read(const struct z8000 *c, unsigned which, u16 *value)
{
    switch (which) {
    case FCW: *value = c->fcw; break;
    case REFRESH: *value = c->refresh; break;
    case PSAPSEG: *value = c->psapseg; break;
    case PSAPOFF: *value = c->psapoff; break;
    case NSPSEG: *value = c->nspseg; break;
    case NSPOFF: *value = c->nspoff; break;
    default: break;
    }
}

bool run_ldctl(struct z8000 *c)
{
    unsigned which = field_lo(c) & 7, reg = field_hi(c);

    if (c->z8002 && (which == PSAPSEG || which == NSPSEG))
        return true;
    if (field_lo(c) & 8)
        control_write(c, which, c->r[reg]);
    else
        control_read(c, which, &c->r[reg]);
    return true;
}

/* EI and DI: bit 2 says which, bits 1 and 0 are VI and NVI, chosen when clear. */
bool run_interrupts(struct z8000 *c)
{
    u16 chosen = (u16)((c->u.word[0] & 2 ? 0 : Z8000_VIE) |
                       (c->u.word[0] & 1 ? 0 : Z8000_NVIE));

    if (c->u.word[0] & 4)
        c->fcw |= chosen;
    else
        c->fcw &= (u16)~chosen;
    return true;
}

bool run_halt(struct z8000 *c)
{
    c->halted = true;
    return true;
}

/* The PC is loaded before the FCW takes effect; both frames end in it. */
static void load_status(struct z8000 *c, u16 fcw, const u16 *pc)
{
    if (segmented(c)) {
        segment_load(c, pc[0]);
        c->pc = pc[1];
    } else {
        c->pc = pc[0];
    }
    z8000_set_fcw(c, fcw);
}

bool run_iret(struct z8000 *c)
{
    unsigned words = segmented(c) ? 4 : 3;

    for (; c->u.phase < words; c->u.phase++) {
        if (!bus_read(c, Z8000_ST_STACK, pointer_segment(c, 14), c->r[15], false,
                      &c->u.frame[c->u.phase]))
            return false;
        c->r[15] = (u16)(c->r[15] + 2);
    }
    load_status(c, c->u.frame[1], &c->u.frame[2]);
    return true;
}

bool run_ldps(struct z8000 *c)
{
    unsigned words = segmented(c) ? 3 : 2, skipped = segmented(c) ? 2 : 0;

    for (; c->u.phase < words; c->u.phase++) {
        u16 offset = (u16)(c->u.offset + skipped + 2u * c->u.phase);

        if (!bus_read(c, c->u.status, c->u.segment, offset, false, &c->u.frame[c->u.phase]))
            return false;
    }
    load_status(c, c->u.frame[0], &c->u.frame[1]);
    return true;
}

bool run_sc(struct z8000 *c)
{
    trap_begin(c, EXCEPTION_CALL, c->u.word[0]);
    return true;
}

/* MSET and MRES drive the output pin. */
bool run_multi_micro(struct z8000 *c)
{
    c->mo = row_of(c)->arg != 0;
    return true;
}

bool run_mbit(struct z8000 *c)
{
    set_flags(c, Z8000_S, c->mi ? Z8000_S : 0);
    return true;
}

/* Asks for the shared resource, unless it is taken (Z says that it asked): drives MO while the
 * register counts down, then looks whether MI has answered. Our pins are still during a step,
 * so nobody has: S stays clear for "not granted" and MO is taken back. */
bool run_mreq(struct z8000 *c)
{
    u16 *count = &c->r[field_hi(c)];

    c->mo = false;
    set_flags(c, Z8000_Z | Z8000_S, c->mi ? 0 : Z8000_Z);
    if (!c->mi) {
        c->u.clocks += CLOCKS_MREQ_STEP * (*count ? *count : 0x10000u);
        *count = 0;
    }
    return true;
}

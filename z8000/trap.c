/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions: which request is accepted, the frame on the system stack, the new program
 * status from the program status area, and reset. A Z8001 always takes them segmented.
 */
#include "z8000/core.h"

/* Offsets in the program status area: Z8001 entries are 8 bytes (reserved, FCW, segment,
 * offset), Z8002 entries 4 (FCW, PC). `line` is the request, `ack` its acknowledgement. */
static const struct {
    u8 area, area_z8002, line, ack;
} exceptions[] = {
    [EXCEPTION_EXTENDED] = {0x08, 0x04, 0, 0},
    [EXCEPTION_PRIVILEGED] = {0x10, 0x08, 0, 0},
    [EXCEPTION_CALL] = {0x18, 0x0c, 0, 0},
    [EXCEPTION_SEGMENT] = {0x20, 0x10, Z8000_SEGT, Z8000_ST_SEGMENT_ACK},
    [EXCEPTION_NMI] = {0x28, 0x14, Z8000_NMI, Z8000_ST_NMI_ACK},
    [EXCEPTION_NVI] = {0x30, 0x18, Z8000_NVI, Z8000_ST_NVI_ACK},
    [EXCEPTION_VI] = {0x38, 0x1c, Z8000_VI, Z8000_ST_VI_ACK},
};

enum {
    CLOCKS_TRAP = 39,
    CLOCKS_TRAP_Z8002 = 33,
    CLOCKS_RESET = 12,
};

bool trap_accept(const struct z8000 *c, enum exception *which)
{
    u8 lines = c->lines;

    if (!(c->fcw & Z8000_VIE))
        lines &= (u8)~Z8000_VI;
    if (!(c->fcw & Z8000_NVIE))
        lines &= (u8)~Z8000_NVI;
    if (c->z8002)
        lines &= (u8)~Z8000_SEGT;
    if (!lines)
        return false;
    *which = lines & Z8000_NMI    ? EXCEPTION_NMI
             : lines & Z8000_SEGT ? EXCEPTION_SEGMENT
             : lines & Z8000_VI   ? EXCEPTION_VI
                                  : EXCEPTION_NVI;
    return true;
}

/* The frame, in the order it is pushed, and system mode to push it in. */
static void prepare_frame(struct z8000 *c, u16 identifier)
{
    u16 fcw = c->fcw, *f = c->u.frame;

    *f++ = c->pc;
    if (!c->z8002)
        *f++ = segment_word(c);
    *f++ = fcw;
    *f = identifier;
    c->u.count = c->z8002 ? 3 : 4;
    z8000_set_fcw(c, (u16)(fcw | Z8000_SYSTEM | (c->z8002 ? 0 : Z8000_SEG)));
    stage_go(c, STAGE_PUSH);
}

void trap_begin(struct z8000 *c, enum exception which, u16 identifier)
{
    c->u.source = (u8)which;
    c->u.clocks += c->z8002 ? CLOCKS_TRAP_Z8002 : CLOCKS_TRAP;
    if (exceptions[which].line)
        stage_go(c, STAGE_ABORTED);
    else
        prepare_frame(c, identifier);
}

bool stage_acknowledge(struct z8000 *c)
{
    u8 line = exceptions[c->u.source].line;
    u16 identifier;

    if (!bus_read(c, exceptions[c->u.source].ack, 0, 0, false, &identifier))
        return false;
    c->lines &= (u8) ~(line & (Z8000_NMI | Z8000_SEGT));
    prepare_frame(c, identifier);
    return true;
}

bool stage_push(struct z8000 *c)
{
    for (; c->u.phase < c->u.count; c->u.phase++) {
        u16 offset = (u16)(c->r[15] - 2);

        if (!bus_write(c, Z8000_ST_STACK, pointer_segment(c, 14), offset, false,
                       c->u.frame[c->u.phase]))
            return false;
        c->r[15] = offset;
    }
    c->u.value = c->u.frame[c->u.count - 1]; /* the identifier, for its vector */
    stage_go(c, STAGE_VECTOR);
    return true;
}

/* Offsets of the new FCW and of the first word of the new PC. */
static void vector_offsets(const struct z8000 *c, u16 *fcw, u16 *pc)
{
    u16 area = (u16)(c->psapoff + (c->z8002 ? exceptions[c->u.source].area_z8002
                                            : exceptions[c->u.source].area));
    u16 vector = c->u.source == EXCEPTION_VI ? (u16)(2 * (c->u.value & 0xff)) : 0;

    *fcw = c->z8002 ? area : (u16)(area + 2);
    *pc = (u16)(*fcw + 2 + vector);
}

bool stage_vector(struct z8000 *c)
{
    unsigned count = c->z8002 ? 2 : 3;
    u8 segment = c->z8002 ? 0 : c->psapseg >> 8 & 0x7f;
    u16 at[3], *f = c->u.frame;

    vector_offsets(c, &at[0], &at[1]);
    at[2] = (u16)(at[1] + 2);
    for (; c->u.phase < count; c->u.phase++)
        if (!bus_read(c, Z8000_ST_PROGRAM, segment, at[c->u.phase], false, &f[c->u.phase]))
            return false;
    c->pc = f[count - 1];
    if (!c->z8002)
        segment_load(c, f[1]);
    z8000_set_fcw(c, f[0]);
    /* A request is followed by an instruction in the same step; a trap ends its own. */
    if (exceptions[c->u.source].line)
        instruction_begin(c);
    else
        stage_go(c, STAGE_REST);
    return true;
}

bool stage_reset(struct z8000 *c)
{
    unsigned count = c->z8002 ? 2 : 3;
    u16 *f = c->u.frame;

    for (; c->u.phase < count; c->u.phase++)
        if (!bus_read(c, Z8000_ST_PROGRAM, 0, (u16)(2 + 2 * c->u.phase), false, &f[c->u.phase]))
            return false;
    c->pc = f[count - 1];
    if (!c->z8002)
        segment_load(c, f[1]);
    z8000_set_fcw(c, f[0]);
    c->u.clocks += CLOCKS_RESET;
    instruction_begin(c);
    return true;
}

/* R15 is banked between the modes; R14 only where system mode is segmented. */
static bool banked_r14(u16 fcw)
{
    return (fcw & (Z8000_SEG | Z8000_SYSTEM)) == (Z8000_SEG | Z8000_SYSTEM);
}

static void exchange(u16 *a, u16 *b)
{
    u16 was = *a;

    *a = *b;
    *b = was;
}

void z8000_set_fcw(struct z8000 *c, u16 fcw)
{
    if (c->z8002)
        fcw &= (u16)~Z8000_SEG;
    if ((fcw ^ c->fcw) & Z8000_SYSTEM)
        exchange(&c->r[15], &c->nspoff);
    if (banked_r14(fcw) != banked_r14(c->fcw))
        exchange(&c->r[14], &c->nspseg);
    c->fcw = fcw;
}

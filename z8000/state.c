/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A processor's beginning, its reset, and its state as bytes: registers and the progress
 * of a held instruction, so that a process can move while its processor waits.
 */
#include "z8000/core.h"
#include "base/bytes.h"
#include "base/memory.h"

void z8000_init(struct z8000 *c, bool z8002, const struct z8000_table *table, z8000_bus *bus,
                void *owner)
{
    *c = (struct z8000){
        .fcw = (u16)(z8002 ? Z8000_SYSTEM : Z8000_SEG | Z8000_SYSTEM),
        .z8002 = z8002,
        .table = table,
        .bus = bus,
        .owner = owner,
    };
}

void z8000_reset(struct z8000 *c)
{
    c->u = (struct z8000_micro){0};
    c->halted = false;
    c->lines = 0;
    c->mo = false;
    c->psapseg = c->psapoff = 0;
    c->refresh &= 0x7fff;
    c->clocks = 0;
    z8000_set_fcw(c, (u16)(c->z8002 ? Z8000_SYSTEM : Z8000_SEG | Z8000_SYSTEM));
    stage_go(c, STAGE_RESET);
}

enum { MAGIC = 0x5a80, VERSION = 1 };

/* Moves fields between a processor and an image, either way. */
struct mover {
    u8 *at;
    bool out;
};

static void move8(struct mover *m, u8 *field)
{
    if (m->out)
        *m->at = *field;
    else
        *field = *m->at;
    m->at += 1;
}

static void move16(struct mover *m, u16 *field)
{
    if (m->out)
        be16_put(m->at, *field);
    else
        *field = be16_get(m->at);
    m->at += 2;
}

static void move32(struct mover *m, u32 *field)
{
    u16 high = (u16)(*field >> 16), low = (u16)*field;

    move16(m, &high);
    move16(m, &low);
    *field = (u32)high << 16 | low;
}

static void move_flag(struct mover *m, bool *field)
{
    u8 byte = *field;

    move8(m, &byte);
    *field = byte != 0;
}

static void move_micro(struct mover *m, struct z8000_micro *u)
{
    u8 *bytes[] = {&u->stage,  &u->phase,   &u->count,     &u->fetched, &u->at_address,
                   &u->status, &u->segment, &u->repeating, &u->source};

    for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
        move8(m, bytes[i]);
    for (size_t i = 0; i < ARRAY_SIZE(u->word); i++)
        move16(m, &u->word[i]);
    for (size_t i = 0; i < ARRAY_SIZE(u->frame); i++)
        move16(m, &u->frame[i]);
    move16(m, &u->offset);
    move16(m, &u->start);
    move16(m, &u->next);
    move32(m, &u->value);
    move32(m, &u->result);
    move32(m, &u->clocks);
}

static void move_all(struct mover *m, struct z8000 *c)
{
    u16 *control[] = {&c->fcw,     &c->pc,      &c->nspseg, &c->nspoff,
                      &c->psapseg, &c->psapoff, &c->refresh};
    u32 high = (u32)(c->clocks >> 32), low = (u32)c->clocks;

    for (size_t i = 0; i < ARRAY_SIZE(c->r); i++)
        move16(m, &c->r[i]);
    for (size_t i = 0; i < ARRAY_SIZE(control); i++)
        move16(m, control[i]);
    move8(m, &c->segment);
    move8(m, &c->lines);
    move_flag(m, &c->z8002);
    move_flag(m, &c->halted);
    move_flag(m, &c->mi);
    move_flag(m, &c->mo);
    move32(m, &high);
    move32(m, &low);
    c->clocks = (u64)high << 32 | low;
    move32(m, &c->iterations);
    move_micro(m, &c->u);
    move_flag(m, &c->bare);
}

void z8000_export(const struct z8000 *c, u8 image[Z8000_IMAGE_BYTES])
{
    struct z8000 copy = *c;
    struct mover m = {.at = image + 4, .out = true};

    memset(image, 0, Z8000_IMAGE_BYTES);
    be16_put(image, MAGIC);
    be16_put(image + 2, VERSION);
    move_all(&m, &copy);
}

/* Whether every index that the stages would take from this progress is within bounds: an
 * instruction has at most five words, of which a long address adds the last. */
static bool plausible(const struct z8000 *c)
{
    const struct z8000_micro *u = &c->u;

    if (u->stage >= STAGE_COUNT || u->repeating > 1 || c->segment > 0x7f || u->segment > 0x7f)
        return false;
    if (c->z8002 && (c->segment || (c->fcw & Z8000_SEG)))
        return false;
    if (u->source > EXCEPTION_VI || u->phase > 16 || u->at_address > 2)
        return false;
    if (u->count > ARRAY_SIZE(u->word))
        return false;
    if (u->stage == STAGE_FETCH)
        return u->count >= 1 && u->fetched <= u->count &&
               (u->count < 5 || u->fetched > u->at_address);
    if (u->stage == STAGE_PUSH || u->stage == STAGE_VECTOR)
        return u->count == (c->z8002 ? 3 : 4);
    return u->count >= 1 || (u->stage < STAGE_FETCH && !u->repeating);
}

bool z8000_import(struct z8000 *c, const u8 image[Z8000_IMAGE_BYTES])
{
    u8 bytes[Z8000_IMAGE_BYTES];
    struct z8000 copy = *c;
    struct mover m = {.at = bytes + 4};

    memcpy(bytes, image, sizeof bytes);
    if (be16_get(bytes) != MAGIC || be16_get(bytes + 2) != VERSION)
        return false;
    move_all(&m, &copy);
    if (!plausible(&copy))
        return false;
    *c = copy;
    return true;
}

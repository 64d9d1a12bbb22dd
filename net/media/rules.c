/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the faults in force do to a frame. Each draw is keyed by the medium, the direction,
 * the number of the frame at its sender and the kind of fault, never by a shared stream.
 */
#include "base/keyed.h"
#include "net/media/model.h"

static u64 direction(const struct medium *m, u32 from, u32 to)
{
    return (u64)m->config.id << 40 ^ (u64)from << 20 ^ to;
}

/* Draw `salt` of the fault `kind` for this frame. */
static u64 draw(const struct medium *m, u32 from, u32 to, u64 number, u32 kind, u32 salt)
{
    return keyed_random(m->config.seed, direction(m, from, to),
                        number << 16 | kind << 8 | salt);
}

static bool hit(const struct medium *m, u32 from, u32 to, u64 number, u32 kind, u32 chance)
{
    return (u32)(draw(m, from, to, number, kind, 0) >> 32) < chance || chance == ~0u;
}

static bool applies(const struct rule *r, u32 from, u32 to)
{
    return (r->from == MEDIUM_ANY || r->from == from) && (r->to == MEDIUM_ANY || r->to == to);
}

void rules_step(struct medium *m, u32 from, u64 number)
{
    struct port *p = &m->port[from];
    bool any = false;

    for (u32 i = 0; i < m->rules; i++) {
        const struct rule *r = &m->rule[i];

        if (r->kind != RULE_BURST || (r->from != MEDIUM_ANY && r->from != from))
            continue;
        any = true;
        if (hit(m, from, from, number, RULE_BURST, p->bad ? r->chance2 : r->chance))
            p->bad = !p->bad;
        break;
    }
    p->bad = p->bad && any;
}

/* At least one flipped bit with about the chance that `bits` bits of error rate r have. */
static u32 bit_errors(const struct medium *m, u32 from, u32 to, u64 number, size_t len,
                      u32 per_bit)
{
    u64 chance = MIN((u64)per_bit * len * 8, 0xffffffffull);
    u32 flips = 0;

    while (flips < 64 &&
           (u32)(draw(m, from, to, number, RULE_BITERROR, flips) >> 32) < chance) {
        flips++;
        chance /= 2;
    }
    return flips;
}

/* What a frame goes through that a fault hits and lets pass; MEDIUM_OK: such a fault drops it. */
static const u8 changes[RULE_KINDS] = {
    [RULE_DUPLICATE] = MEDIUM_DUPLICATE,
    [RULE_REORDER] = MEDIUM_REORDER,
    [RULE_CORRUPT] = MEDIUM_CORRUPT,
    [RULE_TRUNCATE] = MEDIUM_TRUNCATE,
    [RULE_PAD] = MEDIUM_PAD,
    [RULE_BITERROR] = MEDIUM_BITERROR,
    [RULE_DELAY] = MEDIUM_DELAY,
    [RULE_JITTER] = MEDIUM_JITTER,
};

static void judge_rule(struct medium *m, const struct rule *r, u32 from, u32 to, u64 number,
                       size_t len, u64 now, struct verdict *v)
{
    bool hits = hit(m, from, to, number, r->kind, r->chance);
    u64 amount = draw(m, from, to, number, r->kind, 1);
    u32 errors;

    switch (r->kind) {
    case RULE_LOSS:
        if (hits)
            v->drop = MEDIUM_LOSS;
        break;
    case RULE_BURST:
        if (m->port[from].bad)
            v->drop = MEDIUM_BURST;
        break;
    case RULE_NTH:
        if (number == r->value)
            v->drop = MEDIUM_NTH;
        break;
    case RULE_CUT: v->drop = MEDIUM_CUT; break;
    case RULE_FLAP:
        if ((now - r->since) / r->value % 2 == 0)
            v->drop = MEDIUM_FLAP;
        break;
    case RULE_DUPLICATE:
        if (hits)
            v->again_ns = 1 + (r->value ? amount % r->value : 0);
        break;
    case RULE_REORDER:
        if (hits)
            v->extra_ns += 1 + amount % r->value;
        break;
    case RULE_CORRUPT:
        if (hits)
            v->flips += 1 + (u32)(amount % r->value);
        break;
    case RULE_BITERROR:
        errors = bit_errors(m, from, to, number, len, r->chance);
        hits = errors;
        v->flips += errors;
        break;
    case RULE_TRUNCATE: v->shorten |= hits; break;
    case RULE_PAD: v->lengthen |= hits; break;
    case RULE_DELAY:
        v->extra_ns += r->value;
        hits = true;
        break;
    case RULE_JITTER:
        v->extra_ns += amount % r->value;
        hits = true;
        break;
    case RULE_KINDS: break;
    }
    if (hits && changes[r->kind])
        v->changed |= CHANGED(changes[r->kind]);
}

void rules_judge(struct medium *m, u32 from, u32 to, u64 number, size_t len, u64 now,
                 struct verdict *v)
{
    *v = (struct verdict){.drop = MEDIUM_OK};
    if (m->port[from].group != m->port[to].group) {
        v->drop = MEDIUM_PARTITION;
        return;
    }
    for (u32 i = 0; i < m->rules; i++) {
        if (applies(&m->rule[i], from, to))
            judge_rule(m, &m->rule[i], from, to, number, len, now, v);
    }
}

struct parcel *rules_damage(struct medium *m, const struct parcel *p, u32 from, u32 to,
                            u64 number, const struct verdict *v)
{
    struct parcel *q;
    size_t len = p->len;
    u8 junk[64];

    if (v->shorten && len > 1)
        len = 1 + draw(m, from, to, number, RULE_TRUNCATE, 2) % (len - 1);
    q = heap_alloc(m->heap, sizeof(*q) + len + (v->lengthen ? sizeof(junk) : 0));
    if (!q)
        return NULL;
    q->refs = 1;
    q->mark = 0;
    q->len = len + (v->lengthen ? sizeof(junk) : 0);
    memcpy(q->bytes, p->bytes, len);
    for (u32 i = 0; v->lengthen && i < sizeof(junk); i++)
        q->bytes[len + i] = (u8)draw(m, from, to, number, RULE_PAD, 2 + i);
    for (u32 i = 0; i < v->flips; i++) {
        u64 bit = draw(m, from, to, number, RULE_CORRUPT, 2 + i % 250) % (q->len * 8);
        q->bytes[bit / 8] ^= (u8)(1u << (bit % 8));
    }
    return q;
}

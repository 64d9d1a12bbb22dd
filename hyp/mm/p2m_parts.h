/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the nested page tables share: the format of an entry and the way to it. The
 * long-mode format (AMD APM vol. 2, 15.25.3), four levels. The kind of each entry, present or
 * not, stands in the three bits the processor leaves to us. A promise of RAM is a non-present
 * entry, at any level, so that promising costs nothing.
 */
#ifndef HYP_MM_P2M_PARTS_H
#define HYP_MM_P2M_PARTS_H

#include "hyp/dom/domain.h"
#include "hyp/mm/p2m.h"

#define PRESENT  0x001ull
#define WRITE    0x002ull
#define USER     0x004ull /* nested walks are user accesses: 15.25.5 */
#define UNCACHED 0x018ull /* PWT | PCD */
#define LARGE    0x080ull
#define KIND     0xe00ull
#define NO_EXEC  0x8000000000000000ull
#define ADDRESS  0x000ffffffffff000ull
#define TABLE    (PRESENT | WRITE | USER)

enum { KIND_SHIFT = 9, LEVELS = 4, LARGEST = 2 /* 1 GiB */ };

static inline enum p2m_kind kind_of(u64 entry)
{
    return (enum p2m_kind)((entry & KIND) >> KIND_SHIFT);
}

static inline u64 entry_make(u64 machine, enum p2m_kind kind, enum p2m_access access)
{
    u64 e = machine | (u64)kind << KIND_SHIFT;

    if (access == P2M_NONE)
        return (u64)kind << KIND_SHIFT;
    e |= PRESENT | USER;
    if ((access & P2M_RW) == P2M_RW && kind != P2M_COPY)
        e |= WRITE;
    if (!(access & 4))
        e |= NO_EXEC;
    if (kind == P2M_DEVICE)
        e |= UNCACHED;
    return e;
}

static inline enum p2m_access access_of(u64 entry)
{
    u32 a = 0;

    if (!(entry & PRESENT))
        return kind_of(entry) == P2M_PROMISED ? P2M_RWX : P2M_NONE;
    a = entry & WRITE || kind_of(entry) == P2M_COPY ? P2M_RW : P2M_R;
    return (enum p2m_access)(a | (entry & NO_EXEC ? 0 : 4));
}

static inline bool is_void(u64 entry)
{
    return entry & PRESENT && kind_of(entry) == P2M_HOLE;
}

static inline bool is_table(u64 entry, u32 level)
{
    return level && (entry & (PRESENT | LARGE)) == PRESENT;
}

static inline u64 *table_at(u64 entry)
{
    return frame_map(MFN((entry & ADDRESS) >> PAGE_SHIFT));
}

static inline u32 index_at(gfn_t gfn, u32 level)
{
    return (u32)(gfn.n >> (9 * level) & 511);
}

static inline mfn_t frame_in(u64 entry, u32 level, gfn_t gfn)
{
    u64 base = (entry & ADDRESS & ~((PAGE_SIZE << 9 * level) - 1)) >> PAGE_SHIFT;

    return MFN(base + (gfn.n & ((1ull << 9 * level) - 1)));
}

/* As `find`, by all levels. */
u64 *p2m_find_from_root(struct domain *d, gfn_t gfn, u32 *level);

/* The entry that decides gfn, and its level (0: one page). The lowest tables found last are
 * kept, since tables stay where they are until the domain goes. The lock is held. */
static inline u64 *find(struct domain *d, gfn_t gfn, u32 *level)
{
    u64 group = gfn.n >> 9;
    u32 place = group % P2M_LAST_KEPT;

    if (d->p2m_last[place].group != group || !d->p2m_last[place].table)
        return p2m_find_from_root(d, gfn, level);
    *level = 0;
    return &d->p2m_last[place].table[gfn.n & 511];
}

/* As `reach`, where something larger stands. */
u64 *p2m_reach_by_splitting(struct domain *d, gfn_t gfn, u32 level);

/* The entry for gfn at exactly `level`, splitting what is larger; NULL without memory or
 * where smaller pieces are in the way. */
static inline u64 *reach(struct domain *d, gfn_t gfn, u32 level)
{
    u32 l;
    u64 *e = find(d, gfn, &l);

    return l == level ? e : p2m_reach_by_splitting(d, gfn, level);
}

/* Cached translations must go. The lock is held. */
void p2m_changed(struct domain *d);
/* The references an entry held go. */
void p2m_release(u64 entry, u32 level);

#endif

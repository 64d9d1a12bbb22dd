/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested page tables: what stands where, put there, looked up and taken away, from a domain's
 * creation to its end. Their format: p2m_parts.h; memory that comes when it is used: p2m_fill.c.
 */
#include "hyp/mm/p2m_parts.h"
#include "base/memory.h"
#include "hyp/abi/xen.h"
#include "hyp/cpu/x86.h"
#include "hyp/virt/virt.h"

enum { DESTROY_STEPS = 64 };

u64 *p2m_find_from_root(struct domain *d, gfn_t gfn, u32 *level)
{
    u64 *table = frame_map(MFN(d->p2m_root >> PAGE_SHIFT)), group = gfn.n >> 9;
    u32 place = group % P2M_LAST_KEPT;

    for (u32 l = LEVELS - 1;; l--) {
        u64 *e = &table[index_at(gfn, l)];

        if (!is_table(*e, l)) {
            *level = l;
            if (!l && d->state < DOMAIN_DYING) {
                d->p2m_last[place].table = table;
                d->p2m_last[place].group = group;
            }
            return e;
        }
        table = table_at(*e);
    }
}

/* Puts a table of 512 entries in place of one that covers them all: the same mapping or
 * promise in smaller pieces. */
static bool split(struct domain *d, u64 *entry, u32 level)
{
    mfn_t frame = frame_alloc(d, 0, FRAME_TABLE);
    u64 old = *entry, step = PAGE_SIZE << (9 * (level - 1));
    u64 *table;

    if (!mfn_valid(frame))
        return false;
    table = frame_map(frame);
    if (level - 1 == 0)
        old &= ~LARGE;
    for (u64 i = 0; old && i < 512; i++)
        table[i] = old & PRESENT ? old + i * step : old;
    __atomic_store_n(entry, frame.n << PAGE_SHIFT | TABLE, __ATOMIC_RELEASE);
    return true;
}

u64 *p2m_reach_by_splitting(struct domain *d, gfn_t gfn, u32 level)
{
    u64 *e;
    u32 l;

    for (e = find(d, gfn, &l); l > level; e = find(d, gfn, &l))
        if (!split(d, e, l))
            return NULL;
    return l == level ? e : NULL;
}

void p2m_changed(struct domain *d)
{
    for (u32 i = 0; i < P2M_CACHED_WORDS; i++)
        d->p2m_cached[i] = 0;
    __atomic_add_fetch(&d->p2m_generation, 1, __ATOMIC_RELEASE);
}

/* A frame's bit in p2m_cached: frames may share one, which costs a look more. */
static u32 cached_bit(gfn_t gfn)
{
    return (u32)(gfn.n * 0x9e3779b97f4a7c15ull >> 32) % (64 * P2M_CACHED_WORDS);
}

void p2m_note(struct domain *d, gfn_t gfn)
{
    u32 bit = cached_bit(gfn);

    d->p2m_cached[bit / 64] |= 1ull << bit % 64;
}

static bool is_noted(const struct domain *d, gfn_t gfn)
{
    u32 bit = cached_bit(gfn);

    return d->p2m_cached[bit / 64] >> bit % 64 & 1;
}

void p2m_release(u64 entry, u32 level)
{
    mfn_t m = MFN((entry & ADDRESS & ~((PAGE_SIZE << 9 * level) - 1)) >> PAGE_SHIFT);

    if (!(entry & PRESENT) || kind_of(entry) == P2M_DEVICE)
        return;
    for (u64 i = 0; i < 1ull << 9 * level; i++)
        frame_put(MFN(m.n + i));
}

int p2m_init(struct domain *d)
{
    mfn_t root = frame_alloc(d, 0, FRAME_TABLE);

    if (!mfn_valid(root))
        return -XEN_ENOMEM;
    d->p2m_root = root.n << PAGE_SHIFT;
    return 0;
}

/* Frees the first thing found below the root: false when only the root is left. */
static bool destroy_one(struct domain *d)
{
    u64 *table = frame_map(MFN(d->p2m_root >> PAGE_SHIFT)), *above = NULL;

    for (u32 level = LEVELS - 1;; level--) {
        u32 i = 0;

        while (i < 512 && !is_table(table[i], level)) {
            p2m_release(table[i], level);
            table[i++] = 0;
        }
        if (i == 512)
            break;
        above = &table[i];
        table = table_at(table[i]);
    }
    if (!above)
        return false;
    frame_put(MFN((*above & ADDRESS) >> PAGE_SHIFT));
    *above = 0;
    return true;
}

int p2m_destroy(struct domain *d)
{
    if (!d->p2m_root)
        return 0;
    spin_lock(&d->p2m_lock);
    for (u32 i = 0; i < P2M_LAST_KEPT; i++)
        d->p2m_last[i].table = NULL; /* for good: it is dying */
    spin_unlock(&d->p2m_lock);
    virt_flush(d);
    for (u32 i = 0; i < DESTROY_STEPS; i++) {
        if (!destroy_one(d)) {
            frame_put(MFN(d->p2m_root >> PAGE_SHIFT));
            d->p2m_root = 0;
            if (d->p2m_void)
                frame_put(MFN(d->p2m_void));
            d->p2m_void = 0;
            frames_unreserve(d);
            return 0;
        }
    }
    return -XEN_ERESTART;
}

/* True: translations to the page of ones must go. It stays the domain's, so that its
 * reference may be dropped before. */
static bool promise(struct domain *d, u64 *entry)
{
    u64 old = *entry;

    __atomic_store_n(entry, (u64)P2M_PROMISED << KIND_SHIFT, __ATOMIC_RELEASE);
    if (!is_void(old))
        return false;
    p2m_changed(d);
    p2m_release(old, 0);
    return true;
}

int p2m_promise(struct domain *d, gfn_t first, u64 count)
{
    u64 n = first.n, end = first.n + count;
    bool flush = false;
    int error = 0;

    if (end < n || end > 1ull << 9 * LEVELS)
        return -XEN_EINVAL;
    spin_lock(&d->p2m_lock);
    while (n < end && !error) {
        u32 level = LARGEST;
        u64 *e;

        while (level && (n & ((1ull << 9 * level) - 1) || end - n < 1ull << 9 * level))
            level--;
        while (!(e = reach(d, GFN(n), level)) && level)
            level--;
        if (!e)
            error = -XEN_ENOMEM;
        else if (*e && !is_void(*e))
            error = -XEN_EEXIST;
        else
            flush |= promise(d, e);
        n += error ? 0 : 1ull << 9 * level;
    }
    d->memory_top = MAX(d->memory_top, n);
    spin_unlock(&d->p2m_lock);
    if (flush)
        virt_flush(d);
    return error;
}

/* A grant may come where nothing is or the guest's own RAM: not over another mapping, whose
 * account would be lost, nor over a device. */
static bool may_grant_at(u64 entry)
{
    const u32 places = 1u << P2M_HOLE | 1u << P2M_PROMISED | 1u << P2M_RAM | 1u << P2M_COPY;

    return places >> kind_of(entry) & 1;
}

static inline __attribute__((always_inline)) int put(struct domain *d, gfn_t gfn, mfn_t mfn,
                                                     u32 level, enum p2m_kind kind,
                                                     enum p2m_access access)
{
    u64 *e, old;

    spin_lock(&d->p2m_lock);
    e = reach(d, gfn, level);
    if (!e || (kind == P2M_GRANT && !may_grant_at(*e))) {
        spin_unlock(&d->p2m_lock);
        return e ? -XEN_EBUSY : -XEN_ENOMEM;
    }
    old = *e;
    __atomic_store_n(e, entry_make(mfn.n << PAGE_SHIFT, kind, access) | (level ? LARGE : 0),
                     __ATOMIC_RELEASE);
    if (kind == P2M_RAM || kind == P2M_COPY)
        d->memory_top = MAX(d->memory_top, gfn.n + (1ull << 9 * level));
    if (old & PRESENT) /* nobody can have cached a translation to what was not there */
        p2m_changed(d);
    spin_unlock(&d->p2m_lock);
    if (old & PRESENT) {
        virt_flush(d);
        p2m_release(old, level);
    }
    return 0;
}

static __attribute__((noinline)) int put_large(struct domain *d, gfn_t gfn, mfn_t mfn,
                                               u32 order, enum p2m_kind kind,
                                               enum p2m_access access)
{
    u32 level = order / 9;

    if (order % 9 || level > LARGEST || (gfn.n | mfn.n) & ((1ull << order) - 1))
        return -XEN_EINVAL;
    return put(d, gfn, mfn, level, kind, access);
}

int p2m_map(struct domain *d, gfn_t gfn, mfn_t mfn, u32 order, enum p2m_kind kind,
            enum p2m_access access)
{
    if (gfn.n >> 9 * LEVELS)
        return -XEN_EINVAL;
    return order ? put_large(d, gfn, mfn, order, kind, access)
                 : put(d, gfn, mfn, 0, kind, access);
}

static int unmap(struct domain *d, gfn_t gfn, bool flush)
{
    u32 level;
    u64 *e, old;

    if (gfn.n >> 9 * LEVELS)
        return -XEN_ENOENT;
    spin_lock(&d->p2m_lock);
    e = find(d, gfn, &level);
    old = *e;
    if (old && level)
        e = reach(d, gfn, 0);
    if (!old || !e) {
        spin_unlock(&d->p2m_lock);
        return old ? -XEN_ENOMEM : -XEN_ENOENT;
    }
    old = *e;
    __atomic_store_n(e, 0, __ATOMIC_RELEASE);
    if (is_noted(d, gfn)) /* most grants that go were never a hypercall's argument */
        p2m_changed(d);
    spin_unlock(&d->p2m_lock);
    if (old & PRESENT) {
        if (flush)
            virt_flush(d);
        p2m_release(old, 0);
    }
    return 0;
}

int p2m_unmap(struct domain *d, gfn_t gfn)
{
    return unmap(d, gfn, true);
}

int p2m_unmap_lazily(struct domain *d, gfn_t gfn)
{
    return unmap(d, gfn, false);
}

enum p2m_kind p2m_look(struct domain *d, gfn_t gfn, mfn_t *mfn, enum p2m_access *access)
{
    enum p2m_kind kind;
    u32 level;
    u64 e;

    *mfn = MFN_NONE;
    *access = P2M_NONE;
    if (gfn.n >> 9 * LEVELS)
        return P2M_HOLE;
    spin_lock(&d->p2m_lock);
    e = *find(d, gfn, &level);
    kind = kind_of(e);
    *access = access_of(e);
    if (e & PRESENT)
        *mfn = frame_in(e, level, gfn);
    spin_unlock(&d->p2m_lock);
    return kind;
}

void *p2m_peek(struct domain *d, gfn_t gfn, enum p2m_access access)
{
    u32 level;
    u64 e;

    if (gfn.n >> 9 * LEVELS)
        return NULL;
    e = *find(d, gfn, &level);
    if (!(e & PRESENT) || access & ~access_of(e) || kind_of(e) == P2M_DEVICE || is_void(e) ||
        (kind_of(e) == P2M_COPY && access & 2))
        return NULL;
    return frame_map(frame_in(e, level, gfn));
}

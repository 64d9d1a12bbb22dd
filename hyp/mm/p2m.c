/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested page tables: the long-mode format (AMD APM vol. 2, 15.25.3), four levels. The
 * kind of each entry, present or not, stands in the three bits the processor leaves to us.
 * A promise of RAM is a non-present entry, at any level, so that promising costs nothing.
 */
#include "hyp/mm/p2m.h"
#include "base/memory.h"
#include "hyp/abi/xen.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/x86.h"
#include "hyp/dom/domain.h"
#include "hyp/virt/virt.h"

#define PRESENT  0x001ull
#define WRITE    0x002ull
#define USER     0x004ull /* nested walks are user accesses: 15.25.5 */
#define UNCACHED 0x018ull /* PWT | PCD */
#define LARGE    0x080ull
#define KIND     0xe00ull
#define NO_EXEC  0x8000000000000000ull
#define ADDRESS  0x000ffffffffff000ull
#define TABLE    (PRESENT | WRITE | USER)

enum { KIND_SHIFT = 9, LEVELS = 4, LARGEST = 2 /* 1 GiB */, DESTROY_STEPS = 64 };
enum { AROUND = 8 /* pages that come together, where memory is reserved anyhow */ };
enum { BIG_DOMAIN = 16384 /* frames: from 64 MiB on, memory comes in 2 MiB pieces */ };

static enum p2m_kind kind_of(u64 entry)
{
    return (enum p2m_kind)((entry & KIND) >> KIND_SHIFT);
}

static u64 entry_make(u64 machine, enum p2m_kind kind, enum p2m_access access)
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

static enum p2m_access access_of(u64 entry)
{
    u32 a = 0;

    if (!(entry & PRESENT))
        return kind_of(entry) == P2M_PROMISED ? P2M_RWX : P2M_NONE;
    a = entry & WRITE || kind_of(entry) == P2M_COPY ? P2M_RW : P2M_R;
    return (enum p2m_access)(a | (entry & NO_EXEC ? 0 : 4));
}

static bool is_void(u64 entry)
{
    return entry & PRESENT && kind_of(entry) == P2M_HOLE;
}

static bool is_table(u64 entry, u32 level)
{
    return level && (entry & (PRESENT | LARGE)) == PRESENT;
}

static u64 *table_at(u64 entry)
{
    return frame_map(MFN((entry & ADDRESS) >> PAGE_SHIFT));
}

static u32 index_at(gfn_t gfn, u32 level)
{
    return (u32)(gfn.n >> (9 * level) & 511);
}

static __attribute__((noinline)) u64 *find_from_root(struct domain *d, gfn_t gfn, u32 *level)
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

/* The entry that decides gfn, and its level (0: one page). The lowest tables found last are
 * kept, since tables stay where they are until the domain goes. The lock is held. */
static inline u64 *find(struct domain *d, gfn_t gfn, u32 *level)
{
    u64 group = gfn.n >> 9;
    u32 place = group % P2M_LAST_KEPT;

    if (d->p2m_last[place].group != group || !d->p2m_last[place].table)
        return find_from_root(d, gfn, level);
    *level = 0;
    return &d->p2m_last[place].table[gfn.n & 511];
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

static __attribute__((noinline)) u64 *reach_by_splitting(struct domain *d, gfn_t gfn, u32 level)
{
    u64 *e;
    u32 l;

    for (e = find(d, gfn, &l); l > level; e = find(d, gfn, &l))
        if (!split(d, e, l))
            return NULL;
    return l == level ? e : NULL;
}

/* The entry for gfn at exactly `level`, splitting what is larger; NULL without memory or
 * where smaller pieces are in the way. */
static inline u64 *reach(struct domain *d, gfn_t gfn, u32 level)
{
    u32 l;
    u64 *e = find(d, gfn, &l);

    return l == level ? e : reach_by_splitting(d, gfn, level);
}

static void changed(struct domain *d)
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

/* The references an entry held go. */
static void release(u64 entry, u32 level)
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
            release(table[i], level);
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
    changed(d);
    release(old, 0);
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
        changed(d);
    spin_unlock(&d->p2m_lock);
    if (old & PRESENT) {
        virt_flush(d);
        release(old, level);
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
        changed(d);
    spin_unlock(&d->p2m_lock);
    if (old & PRESENT) {
        if (flush)
            virt_flush(d);
        release(old, 0);
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

static mfn_t frame_in(u64 entry, u32 level, gfn_t gfn)
{
    u64 base = (entry & ADDRESS & ~((PAGE_SIZE << 9 * level) - 1)) >> PAGE_SHIFT;

    return MFN(base + (gfn.n & ((1ull << 9 * level) - 1)));
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

/* The promised neighbours of a page that has just come: their faults are spared. */
static void populate_around(struct domain *d, u64 *entry, gfn_t gfn)
{
    u64 *first = entry - gfn.n % AROUND;

    for (u32 i = 0; i < AROUND; i++) {
        mfn_t m;

        if (kind_of(first[i]) != P2M_PROMISED || first[i] & PRESENT)
            continue;
        m = frame_alloc(d, 0, FRAME_RAM);
        if (!mfn_valid(m))
            return;
        __atomic_store_n(&first[i], entry_make(m.n << PAGE_SHIFT, P2M_RAM, P2M_RWX),
                         __ATOMIC_RELEASE);
    }
}

/* Keeps a promise: 2 MiB at once for large domains, where there is such a piece, else one
 * page, or a few where that takes nothing from others. The lock is held. */
static int populate(struct domain *d, gfn_t gfn, u32 level)
{
    mfn_t m = MFN_NONE;
    u64 *e;

    if (level >= 1 && !d->overcommit && d->frames_max >= BIG_DOMAIN && d->frames_max != ~0ull) {
        e = reach(d, gfn, 1);
        if (e)
            m = frame_alloc(d, 9, FRAME_RAM);
        if (mfn_valid(m)) {
            *e = entry_make(m.n << PAGE_SHIFT, P2M_RAM, P2M_RWX) | LARGE;
            return 0;
        }
    }
    e = reach(d, gfn, 0);
    if (e)
        m = frame_alloc(d, 0, FRAME_RAM);
    if (!mfn_valid(m))
        return -XEN_ENOMEM;
    *e = entry_make(m.n << PAGE_SHIFT, P2M_RAM, P2M_RWX);
    if (!d->overcommit)
        populate_around(d, e, gfn);
    return 0;
}

/* A private copy in place of a shared image's page. The lock is held; *old is the
 * reference that must go after a flush. */
static int unshare(struct domain *d, gfn_t gfn, u64 *old)
{
    u64 *e = reach(d, gfn, 0);
    mfn_t m = e ? frame_alloc(d, 0, FRAME_RAM) : MFN_NONE;

    if (!mfn_valid(m))
        return -XEN_ENOMEM;
    memcpy(frame_map(m), table_at(*e), PAGE_SIZE);
    *old = *e;
    __atomic_store_n(e, entry_make(m.n << PAGE_SHIFT, P2M_RAM, P2M_RWX), __ATOMIC_RELEASE);
    changed(d);
    return 0;
}

/* Nothing has to be populated or copied before `access`. */
static inline bool is_ready(u64 entry, enum p2m_access access)
{
    return entry & PRESENT && !(access & ~access_of(entry)) &&
           (kind_of(entry) != P2M_COPY || !(access & 2));
}

/* Makes gfn usable for `access`; on success *entry and *level say what stands there. The
 * lock is held. */
static int prepare(struct domain *d, gfn_t gfn, enum p2m_access access, u64 *entry, u32 *level,
                   u64 *old)
{
    u64 e = *find(d, gfn, level);
    int error = 0;

    *entry = e;
    if (is_ready(e, access))
        return 0;
    if (kind_of(e) == P2M_PROMISED)
        error = populate(d, gfn, *level);
    else if (kind_of(e) == P2M_COPY && (access & 2))
        error = unshare(d, gfn, old);
    if (error)
        return error;
    *entry = *find(d, gfn, level);
    if (!(*entry & PRESENT))
        return -XEN_EFAULT;
    if (access & ~access_of(*entry))
        return -XEN_EACCES;
    return 0;
}

/* Where something has to be done first; the rest is p2m_get's. */
static __attribute__((noinline)) int get_prepared(struct domain *d, gfn_t gfn,
                                                  enum p2m_access access, mfn_t *mfn)
{
    u64 entry = 0, old = 0;
    u32 level;
    int error;

    *mfn = MFN_NONE;
    spin_lock(&d->p2m_lock);
    error = prepare(d, gfn, access, &entry, &level, &old);
    if (is_void(entry))
        error = -XEN_EFAULT;
    if (!error) {
        *mfn = frame_in(entry, level, gfn);
        frame_get(*mfn);
    }
    spin_unlock(&d->p2m_lock);
    if (old) {
        virt_flush(d);
        release(old, 0);
    }
    return error;
}

int p2m_get(struct domain *d, gfn_t gfn, enum p2m_access access, mfn_t *mfn)
{
    u32 level;
    u64 e;

    *mfn = MFN_NONE;
    if (gfn.n >> 9 * LEVELS)
        return -XEN_EFAULT;
    spin_lock(&d->p2m_lock);
    e = *find(d, gfn, &level);
    if (!is_ready(e, access) || is_void(e)) {
        spin_unlock(&d->p2m_lock);
        return get_prepared(d, gfn, access, mfn);
    }
    *mfn = level ? frame_in(e, level, gfn) : MFN((e & ADDRESS) >> PAGE_SHIFT);
    frame_get(*mfn);
    spin_unlock(&d->p2m_lock);
    return 0;
}

/* The domain's page of ones: made when first needed. The lock is held. */
static mfn_t ones(struct domain *d)
{
    mfn_t m;

    if (d->p2m_void)
        return MFN(d->p2m_void);
    m = frame_alloc(d, 0, FRAME_TABLE);
    if (mfn_valid(m)) {
        memset(frame_map(m), 0xff, PAGE_SIZE);
        d->p2m_void = m.n;
    }
    return m;
}

int p2m_void(struct domain *d, gfn_t gfn)
{
    mfn_t m;
    u64 *e;

    if (gfn.n >> 9 * LEVELS)
        return -XEN_ENOMEM;
    spin_lock(&d->p2m_lock);
    m = ones(d);
    e = mfn_valid(m) ? reach(d, gfn, 0) : NULL;
    if (e && !*e) {
        frame_get(m);
        *e = entry_make(m.n << PAGE_SHIFT, P2M_HOLE, P2M_RX);
    }
    spin_unlock(&d->p2m_lock);
    return e ? 0 : -XEN_ENOMEM;
}

int p2m_fault(struct domain *d, u64 gpa, bool write)
{
    gfn_t gfn = GFN(gpa >> PAGE_SHIFT);
    u64 entry = 0, old = 0;
    u32 level;
    int error;

    if (gfn.n >> 9 * LEVELS)
        return -XEN_EFAULT;
    spin_lock(&d->p2m_lock);
    error = prepare(d, gfn, write ? P2M_RW : P2M_R, &entry, &level, &old);
    spin_unlock(&d->p2m_lock);
    if (old) {
        virt_flush(d);
        release(old, 0);
    }
    return error;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that comes when it is used: promises kept, shared images copied, by an access of ours
 * or by the guest's fault; and the page of ones that stands for what nobody backs.
 */
#include "hyp/mm/p2m_parts.h"
#include "base/memory.h"
#include "hyp/abi/xen.h"
#include "hyp/virt/virt.h"

enum { AROUND = 16 /* pages that come together, where memory is reserved anyhow */ };
enum { BIG_DOMAIN = 16384 /* frames: from 64 MiB on, memory comes in 2 MiB pieces */ };

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
    p2m_changed(d);
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
        p2m_release(old, 0);
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
        return -XEN_EFAULT;
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
        p2m_release(old, 0);
    }
    return error;
}

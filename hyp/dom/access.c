/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory, through a small direct-mapped cache of checked translations per vCPU.
 *
 * A hit is used under the domain's p2m_lock with the map's generation compared, so the frames
 * behind the pointers cannot have gone; a miss walks with references held. The cache is touched
 * only by the CPU that runs its vCPU.
 *
 * Within one stay in the hypervisor (v->world stands still) an entry is compared with the
 * guest's tables once: as in a processor's TLB, what another of its processors changes meanwhile
 * counts when this one has been back in the guest to acknowledge it.
 */
#include "base/memory.h"
#include "hyp/dom/access.h"
#include "hyp/dom/domain.h"
#include "hyp/mm/p2m.h"

enum { ENTRIES = 16, COPY_AT_ONCE = 64 };

struct access_entry {
    u64 page; /* linear page number + 1; 0: empty */
    struct paging paging;
    u64 generation;
    u8 *data;
    struct walk walk;
};
struct access_cache {
    u64 stay;    /* v->world when `checked` was begun: one stay in the hypervisor */
    u32 checked; /* entries compared in that stay, a bit each: no need to do it again */
    struct access_entry entry[ENTRIES];
};
_Static_assert(ENTRIES <= 32, "a bit for each entry");
_Static_assert(sizeof(struct access_cache) <= DOMAIN_ALLOC_MAX,
               "one object of a domain's heap");

struct access_cache *access_cache_create(struct domain *d)
{
    return domain_alloc(d, sizeof(struct access_cache));
}

/* Eight bytes at a time: most of what is copied are small structures. */
static inline void copy(void *to, const void *from, size_t len)
{
    u8 *t = to;
    const u8 *f = from;

    if (len >= COPY_AT_ONCE) {
        memcpy(to, from, len);
        return;
    }
    for (; len >= 8; len -= 8, t += 8, f += 8)
        __builtin_memcpy(t, f, 8);
    if (len >= 4) {
        __builtin_memcpy(t, f, 4);
        len -= 4, t += 4, f += 4;
    }
    for (; len; len--)
        *t++ = *f++;
}

static inline void get_paging(const struct vcpu *v, struct paging *p)
{
    *p = (struct paging){.cr0 = *v->paging.cr0,
                         .cr3 = *v->paging.cr3,
                         .cr4 = *v->paging.cr4,
                         .efer = *v->paging.efer};
}

/* One or two levels, narrow ones, or none: guests of 32 bits, or without paging. */
static __attribute__((noinline)) bool same_few(const struct walk *w)
{
    u32 i = 0;

    while (i < w->levels && walk_entry(w->entry[i], w->narrow) == w->value[i])
        i++;
    return i == w->levels;
}

/* The guest's tables still say what they said. The longest part of a short hypercall (P2, P3). */
static inline __attribute__((always_inline)) bool holds(const struct access_entry *e,
                                                        const struct vcpu *v)
{
    const struct walk *w = &e->walk;

    if (e->paging.cr3 != *v->paging.cr3 || e->paging.cr0 != *v->paging.cr0 ||
        e->paging.cr4 != *v->paging.cr4 || e->paging.efer != *v->paging.efer)
        return false;
    if (w->levels < 3)
        return same_few(w);
    return walk_entry(w->entry[2], false) == w->value[2] &&
           walk_entry(w->entry[1], false) == w->value[1] &&
           walk_entry(w->entry[0], false) == w->value[0] &&
           (w->levels == 3 || walk_entry(w->entry[3], false) == w->value[3]);
}

/* Where that byte is, by a translation that is cached; NULL when it is not. The caller holds
 * p2m_lock while it uses it. */
static inline __attribute__((always_inline)) u8 *cached(struct vcpu *v, u64 linear, bool write)
{
    struct access_cache *c = v->access;
    u32 place = (linear >> PAGE_SHIFT) % ENTRIES;
    const struct access_entry *e = &c->entry[place];

    if (e->page != (linear >> PAGE_SHIFT) + 1 || e->generation != v->domain->p2m_generation ||
        (write && !e->walk.writable))
        return NULL;
    if (c->stay != v->world) {
        c->stay = v->world;
        c->checked = 0;
    }
    if (!(c->checked >> place & 1)) {
        if (!holds(e, v))
            return NULL;
        c->checked |= 1u << place;
    }
    return e->data + (linear & (PAGE_SIZE - 1));
}

void guest_forget_stay(struct vcpu *v)
{
    v->access->checked = 0;
}

/* The frames a walk holds. */
struct held {
    struct domain *d;
    u32 count;
    mfn_t frame[WALK_LEVELS + 1];
};

static void *hold(void *context, u64 gfn)
{
    struct held *h = context;
    mfn_t mfn;

    /* A walk that has to start again holds on to no more than it needs. */
    while (h->count >= WALK_LEVELS)
        frame_put(h->frame[--h->count]);
    if (p2m_get(h->d, GFN(gfn), P2M_RW, &mfn))
        return NULL;
    h->frame[h->count++] = mfn;
    return frame_map(mfn);
}

static void let_go(struct held *h)
{
    while (h->count)
        frame_put(h->frame[--h->count]);
}

static void *peek(void *context, u64 gfn)
{
    p2m_note(context, GFN(gfn));
    return p2m_peek(context, GFN(gfn), P2M_RW);
}

/* A miss where everything is there already: the map is locked, so nothing need be held. */
static bool copy_locked(struct vcpu *v, struct access_entry *e, const struct paging *p,
                        u64 linear, void *ours, size_t len, bool write)
{
    struct domain *d = v->domain;
    struct walk w;
    u8 *data;

    if (walk_tables(p, linear, write, peek, d, &w))
        return false;
    data = p2m_peek(d, GFN(w.gpa >> PAGE_SHIFT), write ? P2M_RW : P2M_R);
    if (!data)
        return false;
    if (write)
        copy(data + (w.gpa & (PAGE_SIZE - 1)), ours, len);
    else
        copy(ours, data + (w.gpa & (PAGE_SIZE - 1)), len);
    p2m_note(d, GFN(w.gpa >> PAGE_SHIFT));
    /* An entry that may be written through was looked up for writing. */
    w.writable = w.writable && p2m_peek(d, GFN(w.gpa >> PAGE_SHIFT), P2M_RW);
    *e = (struct access_entry){(linear >> PAGE_SHIFT) + 1, *p, d->p2m_generation, data, w};
    return true;
}

/* A miss in general: walks and copies. What it has populated the next access finds there, and
 * caches. The piece lies within one page. */
static int copy_slowly(struct vcpu *v, const struct paging *p, u64 linear, void *ours,
                       size_t len, bool write)
{
    struct held h = {.d = v->domain};
    struct walk w;
    mfn_t mfn;
    int error = walk_tables(p, linear, write, hold, &h, &w);

    if (!error)
        error = p2m_get(v->domain, GFN(w.gpa >> PAGE_SHIFT), write ? P2M_RW : P2M_R, &mfn);
    if (!error) {
        u8 *data = frame_map(mfn);

        if (write)
            copy(data + (w.gpa & (PAGE_SIZE - 1)), ours, len);
        else
            copy(ours, data + (w.gpa & (PAGE_SIZE - 1)), len);
        frame_put(mfn);
    }
    let_go(&h);
    return error ? -XEN_EFAULT : 0;
}

/* A piece within a page by a translation that is cached: false when it is not. */
static inline __attribute__((always_inline)) bool
copy_cached(struct vcpu *v, u64 linear, void *ours, size_t len, bool write)
{
    struct domain *d = v->domain;
    u8 *at;

    spin_lock(&d->p2m_lock);
    at = cached(v, linear, write);
    if (at && write)
        copy(at, ours, len);
    else if (at)
        copy(ours, at, len);
    spin_unlock(&d->p2m_lock);
    return at;
}

static __attribute__((noinline)) int copy_piece(struct vcpu *v, u64 linear, void *ours,
                                                size_t len, bool write)
{
    struct access_entry *e = &v->access->entry[(linear >> PAGE_SHIFT) % ENTRIES];
    struct paging p;
    bool done;

    get_paging(v, &p);
    spin_lock(&v->domain->p2m_lock);
    done = copy_locked(v, e, &p, linear, ours, len, write);
    spin_unlock(&v->domain->p2m_lock);
    return done ? 0 : copy_slowly(v, &p, linear, ours, len, write);
}

const void *guest_open(struct vcpu *v, u64 linear, u32 len)
{
    const void *at = NULL;

    if (linear & 3 || (linear & (PAGE_SIZE - 1)) + len > PAGE_SIZE)
        return NULL;
    spin_lock(&v->domain->p2m_lock);
    at = cached(v, linear, false);
    if (!at)
        guest_close(v);
    return at;
}

/* Piece by piece, each within a page. */
static __attribute__((noinline)) int copy_pieces(struct vcpu *v, u64 linear, void *ours,
                                                 size_t len, bool write)
{
    while (len) {
        size_t piece = MIN(len, PAGE_SIZE - (linear & (PAGE_SIZE - 1)));

        if (!copy_cached(v, linear, ours, piece, write) &&
            copy_piece(v, linear, ours, piece, write))
            return -XEN_EFAULT;
        linear += piece;
        ours = (u8 *)ours + piece;
        len -= piece;
    }
    return 0;
}

/* Nearly always it is one piece, by a translation that is known. */
static inline __attribute__((always_inline)) int copy_linear(struct vcpu *v, u64 linear,
                                                             void *ours, size_t len, bool write)
{
    v->counters.copied_bytes += len;
    if (len && len <= PAGE_SIZE - (linear & (PAGE_SIZE - 1)) &&
        copy_cached(v, linear, ours, len, write))
        return 0;
    return copy_pieces(v, linear, ours, len, write);
}

int guest_read(struct vcpu *v, void *to, u64 linear, size_t len)
{
    return copy_linear(v, linear, to, len, false);
}

int guest_write(struct vcpu *v, u64 linear, const void *from, size_t len)
{
    return copy_linear(v, linear, (void *)(uintptr_t)from, len, true);
}

static int copy_phys(struct domain *d, u64 gpa, void *ours, size_t len, bool write)
{
    while (len) {
        size_t piece = MIN(len, PAGE_SIZE - (gpa & (PAGE_SIZE - 1)));
        mfn_t mfn;
        u8 *at;

        if (p2m_get(d, GFN(gpa >> PAGE_SHIFT), write ? P2M_RW : P2M_R, &mfn))
            return -XEN_EFAULT;
        at = (u8 *)frame_map(mfn) + (gpa & (PAGE_SIZE - 1));
        if (write)
            copy(at, ours, piece);
        else
            copy(ours, at, piece);
        frame_put(mfn);
        gpa += piece;
        ours = (u8 *)ours + piece;
        len -= piece;
    }
    return 0;
}

int guest_read_phys(struct domain *d, void *to, u64 gpa, size_t len)
{
    return copy_phys(d, gpa, to, len, false);
}

int guest_write_phys(struct domain *d, u64 gpa, const void *from, size_t len)
{
    return copy_phys(d, gpa, (void *)(uintptr_t)from, len, true);
}

int guest_translate(struct vcpu *v, u64 linear, bool write, u64 *gpa)
{
    struct held h = {.d = v->domain};
    struct paging p;
    struct walk w;
    int error;

    get_paging(v, &p);
    error = walk_tables(&p, linear, write, hold, &h, &w);
    let_go(&h);
    *gpa = error ? 0 : w.gpa;
    return error;
}

int guest_probe(struct vcpu *v, u64 linear, bool write, bool user, u32 *code)
{
    struct held h = {.d = v->domain};
    struct paging p;
    struct walk w;
    int error;

    get_paging(v, &p);
    error = walk_tables(&p, linear, write, hold, &h, &w);
    let_go(&h);
    if (!error && user && !walk_is_users(&p, &w)) {
        w.fault = 1;
        error = -XEN_EFAULT;
    }
    *code = error ? w.fault | (write ? 2 : 0) | (user ? 4 : 0) : 0;
    return error;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The granter's side: shared frames, entries, what is in use.
 */
#include "hyp/dom/grant.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/inject.h"
#include "hyp/mm/p2m.h"

int grant_init(struct domain *d, u32 frames)
{
    struct grant_table *t = domain_alloc(d, sizeof(*t));

    if (!t)
        return -XEN_ENOMEM;
    t->limit = MIN(frames ? frames : (u32)GRANT_FRAMES_USUAL, (u32)GRANT_FRAMES_MOST);
    t->frame = domain_alloc(d, t->limit * sizeof(struct grant_frame *));
    if (!t->frame)
        return -XEN_ENOMEM;
    d->grant = t;
    return 0;
}

void grant_free(struct domain *d)
{
    for (u32 i = 0; d->grant && i < d->grant->frames; i++)
        frame_put(d->grant->frame[i]->frame);
}

bool grant_frames_mapped(const struct domain *d)
{
    for (u32 i = 0; d->grant && i < d->grant->frames; i++)
        if (frame_of(d->grant->frame[i]->frame)->refs > 1)
            return true;
    return false;
}

/* --- shared frames, under the lock ------------------------------------------------------- */

static int add_frame(struct domain *d)
{
    struct grant_table *t = d->grant;
    struct grant_frame *f = domain_alloc(d, sizeof(*f));
    mfn_t frame = f ? frame_alloc(d, 0, FRAME_TABLE) : MFN_NONE;

    if (!mfn_valid(frame)) {
        if (f)
            domain_free(d, f, sizeof(*f));
        return -XEN_ENOMEM;
    }
    f->frame = frame;
    f->entries = frame_map(frame);
    f->gfn = ~0ull;
    t->frame[t->frames] = f;
    t->frames++;
    return 0;
}

int grant_shared_frame(struct domain *d, u32 index, mfn_t *frame)
{
    struct grant_table *t = d->grant;
    int error = 0;

    if (index >= t->limit)
        return (int)fail(-XEN_EINVAL);
    spin_lock(&d->grant_lock);
    while (!error && t->frames <= index)
        error = add_frame(d);
    if (!error) {
        *frame = t->frame[index]->frame;
        frame_get(*frame);
    }
    spin_unlock(&d->grant_lock);
    return error;
}

void grant_frame_mapped(struct domain *d, u32 index, u64 gfn)
{
    spin_lock(&d->grant_lock);
    if (index < d->grant->frames)
        d->grant->frame[index]->gfn = gfn;
    spin_unlock(&d->grant_lock);
}

/* --- entries, under the lock --------------------------------------------------------------- */

static struct grant_entry_v1 *shared_entry(const struct domain *d, grant_ref_t ref)
{
    const struct grant_table *t = d->grant;

    if (ref / GRANT_PER_FRAME >= t->frames)
        return NULL;
    return &t->frame[ref / GRANT_PER_FRAME]->entries[ref % GRANT_PER_FRAME];
}

static struct grant_active **active_bucket(const struct domain *d, grant_ref_t ref)
{
    return &d->grant->frame[ref / GRANT_PER_FRAME]
                ->active[ref % GRANT_PER_FRAME / GRANT_ACTIVE_BUCKET];
}

static struct grant_active *active_of(struct domain *d, grant_ref_t ref)
{
    struct grant_active **bucket = active_bucket(d, ref);

    if (!*bucket)
        *bucket = domain_alloc(d, GRANT_ACTIVE_BUCKET * sizeof(**bucket));
    return *bucket ? &(*bucket)[ref % GRANT_ACTIVE_BUCKET] : NULL;
}

/* Flags and domid are one word to the granter's compare-and-exchange, so they are here. */
struct head {
    u16 flags;
    domid_t domid;
};
_Static_assert(offsetof(struct grant_entry_v1, domid) == offsetof(struct head, domid),
               "an entry begins with flags and domid");

/* Sets in-use bits in an entry that grants `user` what he asks for. */
static s16 set_in_use(struct grant_entry_v1 *e, domid_t user, bool readonly)
{
    u16 bits = readonly ? GTF_reading : GTF_reading | GTF_writing;
    u32 *word = (u32 *)e, now = __atomic_load_n(word, __ATOMIC_SEQ_CST);

    /* The granter may change it between our look and our exchange, a few times by chance,
     * for ever by malice. */
    for (u32 tries = 0; tries < 8; tries++) {
        u16 flags = (u16)now;

        if ((flags & GTF_type_mask) != GTF_permit_access || now >> 16 != user)
            return GNTST_general_error;
        if (!readonly && flags & GTF_readonly)
            return GNTST_general_error;
        if (__atomic_compare_exchange_n(word, &now, now | bits, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return GNTST_okay;
    }
    return GNTST_general_error;
}

static void clear_in_use(struct grant_entry_v1 *e, u16 bits)
{
    __atomic_and_fetch(&e->flags, (u16)~bits, __ATOMIC_SEQ_CST);
}

/* The bits that no use needs any more. */
static u16 unused_bits(const struct grant_active *a)
{
    u16 bits = a->writers ? 0 : GTF_writing;

    return a->readers || a->writers ? bits : bits | GTF_reading;
}

/* First use: finds the frame. Later uses are of the same frame, whatever the entry says
 * by now, and for writing it must be the frame that the granter's map has for writing. */
static s16 hold_frame(struct domain *granter, struct grant_entry_v1 *e, struct grant_active *a,
                      bool readonly)
{
    bool first = !a->readers && !a->writers;
    mfn_t frame;

    if (!first && (readonly || a->got_rw))
        return GNTST_okay;
    if (first)
        a->gfn = __atomic_load_n(&e->frame, __ATOMIC_ACQUIRE);
    if (p2m_get(granter, GFN(a->gfn), readonly ? P2M_R : P2M_RW, &frame))
        return GNTST_bad_page;
    if (!first) {
        frame_put(frame);
        if (frame.n != a->frame.n)
            return GNTST_general_error;
    }
    a->frame = frame;
    a->got_rw = !readonly;
    return GNTST_okay;
}

static s16 pin_locked(struct domain *granter, grant_ref_t ref, domid_t user, bool readonly,
                      mfn_t *frame)
{
    struct grant_entry_v1 *e = shared_entry(granter, ref);
    struct grant_active *a;
    s16 status;

    if (!e)
        return GNTST_bad_gntref;
    if (granter->state >= DOMAIN_DYING)
        return GNTST_bad_domain;
    a = inject_fires(OSM_POINT_fail_grant, granter) ? NULL : active_of(granter, ref);
    if (!a)
        return GNTST_no_space;
    if ((a->readers || a->writers) && a->domid != user)
        return GNTST_general_error;
    status = set_in_use(e, user, readonly);
    if (status != GNTST_okay)
        return status;
    status = hold_frame(granter, e, a, readonly);
    if (status != GNTST_okay) {
        clear_in_use(e, unused_bits(a));
        return status;
    }
    a->domid = user;
    *(readonly ? &a->readers : &a->writers) += 1;
    *frame = a->frame;
    return GNTST_okay;
}

s16 grant_pin(struct domain *granter, grant_ref_t ref, domid_t user, bool readonly,
              mfn_t *frame)
{
    s16 status;

    spin_lock(&granter->grant_lock);
    status = pin_locked(granter, ref, user, readonly, frame);
    spin_unlock(&granter->grant_lock);
    return status;
}

void grant_unpin(struct domain *granter, grant_ref_t ref, bool readonly)
{
    struct grant_entry_v1 *e;
    struct grant_active *a;
    mfn_t last = MFN_NONE;

    spin_lock(&granter->grant_lock);
    e = shared_entry(granter, ref);
    a = &(*active_bucket(granter, ref))[ref % GRANT_ACTIVE_BUCKET];
    *(readonly ? &a->readers : &a->writers) -= 1;
    clear_in_use(e, unused_bits(a));
    if (!a->readers && !a->writers) {
        last = a->frame;
        a->frame = MFN_NONE;
    }
    spin_unlock(&granter->grant_lock);
    if (mfn_valid(last))
        frame_put(last);
}

/* --- swapping ---------------------------------------------------------------------------- */

static bool in_use(const struct domain *d, grant_ref_t ref)
{
    const struct grant_active *bucket = *active_bucket(d, ref);
    const struct grant_active *a = bucket ? &bucket[ref % GRANT_ACTIVE_BUCKET] : NULL;

    return a && (a->readers || a->writers);
}

s16 grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b)
{
    struct grant_entry_v1 *ea, *eb, kept;
    s16 status = GNTST_okay;

    spin_lock(&d->grant_lock);
    ea = shared_entry(d, a);
    eb = shared_entry(d, b);
    if (a == b && a < GRANT_PER_FRAME) {
        status = GNTST_okay; /* nothing to do, even before there is a frame */
    } else if (!ea || !eb) {
        status = GNTST_bad_gntref;
    } else if (in_use(d, a) || in_use(d, b)) {
        status = GNTST_eagain;
    } else {
        kept = *ea;
        *ea = *eb;
        *eb = kept;
    }
    spin_unlock(&d->grant_lock);
    return status;
}

bool grant_any_active(struct domain *d)
{
    bool any = false;

    spin_lock(&d->grant_lock);
    for (grant_ref_t ref = 0; ref < d->grant->frames * GRANT_PER_FRAME && !any; ref++)
        any = in_use(d, ref);
    spin_unlock(&d->grant_lock);
    return any;
}

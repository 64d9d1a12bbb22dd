/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grant tables, version 1 (xen/grant_table.h): the shared entries of each domain, what is in
 * use of them, and the mappings that each domain holds of others' frames.
 *
 * A use ("pin") of an entry holds a reference to its frame; the entry's in-use bits are
 * cleared only when the last use of that kind is gone, mappings and their translations
 * included. Everything of one domain is under its grant_lock; no operation holds two.
 */
#ifndef HYP_DOM_GRANT_H
#define HYP_DOM_GRANT_H

#include "hyp/dom/domain.h"

enum {
    GRANT_FRAMES_MOST = 384,
    GRANT_FRAMES_USUAL = 64,
    GRANT_PER_FRAME = PAGE_SIZE / sizeof(struct grant_entry_v1),
    GRANT_ACTIVE_BUCKET = 64,
    GRANT_MAP_BUCKET = 64, /* powers of two: a handle's place is found often */
    GRANT_MAP_GROUP = 256,
    GRANT_MAP_GROUPS = 144,
};

/* An entry in use. */
struct grant_active {
    u32 readers, writers; /* uses of each kind */
    domid_t domid;        /* by whom */
    bool got_rw;          /* the frame was looked up for writing */
    mfn_t frame;          /* held while there are uses */
    u64 gfn;
};

/* A mapping that this domain holds. */
struct grant_map {
    struct domain *granter; /* referenced; NULL: free */
    u64 gfn;                /* where it is mapped */
    grant_ref_t ref;
    u32 next;   /* free handles are chained */
    u16 flags;  /* GNTMAP_host_map, _device_map, _readonly */
    bool going; /* being unmapped by somebody */
};

struct grant_frame {
    mfn_t frame;
    struct grant_entry_v1 *entries; /* what is in it */
    u64 gfn;                        /* where the guest mapped it, ~0: nowhere */
    struct grant_active *active[GRANT_PER_FRAME / GRANT_ACTIVE_BUCKET];
};

struct grant_table {
    u32 frames, limit;
    struct grant_frame **frame; /* `limit` places */
    struct grant_map ***maps;   /* groups of buckets; NULL until something is mapped */
    u32 map_room;               /* handles with memory behind them */
    u32 map_free;               /* first free handle + 1; 0: none */
    u32 map_count;
    u32 destroy_at;
};

int grant_init(struct domain *d, u32 frames);
/* Lets go of all mappings d holds, in bounded steps: 0 or -ERESTART. Uses of d's own
 * entries by others stay until those let go. */
int grant_destroy(struct domain *d);
/* Gives the shared frames back, when nobody refers to d any more. */
void grant_free(struct domain *d);
/* Whether somebody else maps one of them. */
bool grant_frames_mapped(const struct domain *d);

/* Shared frame number `index`, made if the limit allows; -EINVAL, -ENOMEM. */
int grant_shared_frame(struct domain *d, u32 index, mfn_t *frame);
/* The guest mapped it at gfn. */
void grant_frame_mapped(struct domain *d, u32 index, u64 gfn);

/* Uses an entry of `granter` for `user`: GNTST_okay with the frame, which stays held until
 * grant_unpin, or a GNTST error. */
s16 grant_pin(struct domain *granter, grant_ref_t ref, domid_t user, bool readonly,
              mfn_t *frame);
void grant_unpin(struct domain *granter, grant_ref_t ref, bool readonly);
/* GNTST_okay, _bad_gntref, _eagain when one is in use. */
s16 grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b);
bool grant_any_active(struct domain *d);

/* One end of a copy, held. */
struct grant_end {
    struct domain *granter; /* NULL: the guest's own frame */
    u64 what;               /* reference, or the guest's frame number */
    domid_t domid;
    bool held, by_ref, readonly;
    mfn_t frame;
};

/* What the items of one call have in common stays looked up from one to the next: the domain
 * that grants, the two ends of a copy. All zero at first. */
struct grant_batch {
    struct domain *granter; /* NULL: none yet */
    domid_t domid;          /* as it was named */
    struct grant_end from, to;
};
/* Everything it holds is let go. */
void grant_batch_end(struct grant_batch *b);

/* grant_map.c: the operations on one structure; status and outputs are filled in. */
void grant_map_one(struct domain *d, struct grant_batch *b, struct gnttab_map_grant_ref *m);
enum { GRANT_UNMAP_BATCH = 32 };
/* Unmaps a batch with one flush; statuses are filled in. */
void grant_unmap_batch(struct domain *d, struct gnttab_unmap_grant_ref *u, u32 count);
void grant_copy_one(struct vcpu *v, struct grant_batch *b, struct gnttab_copy *c);

#endif

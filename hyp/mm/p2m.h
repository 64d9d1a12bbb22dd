/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's guest-physical map: nested page tables, populated on demand, with read-only
 * images shared between domains until written. Holds d->p2m_lock inside.
 */
#ifndef HYP_MM_P2M_H
#define HYP_MM_P2M_H

#include "hyp/mm/frame.h"

struct domain;

/* Which frames cached translations went by, a bit for several each (access.c). */
enum { P2M_CACHED_WORDS = 8, P2M_LAST_KEPT = 4 };

enum p2m_access { P2M_NONE = 0, P2M_R = 1, P2M_RW = 3, P2M_RX = 5, P2M_RWX = 7 };
enum p2m_kind {
    P2M_HOLE,     /* nothing here; present where the page of all ones stands for it */
    P2M_PROMISED, /* RAM not yet populated */
    P2M_RAM,
    P2M_COPY,     /* shared image: copied when written */
    P2M_GRANT,    /* somebody else's frame, by grant */
    P2M_FOREIGN,  /* mapped by a privileged domain */
    P2M_DEVICE,   /* MMIO of an assigned device */
    P2M_EMULATED, /* the local APIC page */
};

int p2m_init(struct domain *d);
/* 0, or -ERESTART after bounded work: call again. Harmless when p2m_init failed. */
int p2m_destroy(struct domain *d);
int p2m_promise(struct domain *d, gfn_t first, u64 count);
/* Puts a frame there, in place of a hole, a promise or the domain's own RAM (which is let
 * go, with a flush); takes over the caller's reference to it. -EBUSY: a grant, in place of what
 * only its own interface may remove (grant, foreign, device, emulated); -ENOMEM. */
int p2m_map(struct domain *d, gfn_t gfn, mfn_t mfn, u32 order, enum p2m_kind kind,
            enum p2m_access access);
/* Removes the entry, flushes, and drops the reference it held; -ENOENT where nothing was. */
int p2m_unmap(struct domain *d, gfn_t gfn);
/* The same without the flush, for batches: the caller holds a reference of its own to the
 * frame until it has called virt_flush. */
int p2m_unmap_lazily(struct domain *d, gfn_t gfn);
enum p2m_kind p2m_look(struct domain *d, gfn_t gfn, mfn_t *mfn, enum p2m_access *access);
/* Populates or unshares as `access` needs and takes a reference on the frame. */
int p2m_get(struct domain *d, gfn_t gfn, enum p2m_access access, mfn_t *mfn);
/* The page at gfn if it is there and allows `access`, NULL otherwise: nothing is populated or
 * copied. The caller holds d->p2m_lock for as long as it uses the page. */
void *p2m_peek(struct domain *d, gfn_t gfn, enum p2m_access access);
/* A translation that goes by gfn is being cached: what ends it shall be heard. The caller holds
 * d->p2m_lock. */
void p2m_note(struct domain *d, gfn_t gfn);
/* Lets reads of the hole at gfn find all ones, by whatever instruction, and without an exit
 * from then on: for what the decoder does not know. To all else it stays a hole. -ENOMEM:
 * the domain's tables may not grow; -EFAULT: beyond what can be mapped. */
int p2m_void(struct domain *d, gfn_t gfn);
/* Serves a nested page fault: 0 retry, -EFAULT not backed (emulate or crash). */
int p2m_fault(struct domain *d, u64 gpa, bool write);

#endif

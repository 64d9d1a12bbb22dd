/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way to guest memory: by guest-linear address, through the checked translation
 * cache. An entry keeps the address and value of every page-table entry walked; a hit
 * re-reads and compares them, because the hypervisor sees neither INVLPG nor CR3 writes; once
 * in each stay in the hypervisor.
 * Copies once; nobody outside gets a pointer to guest memory but by frames they hold, or for the
 * length of one copy (guest_open).
 */
#ifndef HYP_DOM_ACCESS_H
#define HYP_DOM_ACCESS_H

#include "hyp/dom/domain.h"
#include "hyp/dom/walk.h"

/* 0, or -EFAULT and nothing is said about how much was copied. v is the current vCPU. */
int guest_read(struct vcpu *v, void *to, u64 linear, size_t len);
int guest_write(struct vcpu *v, u64 linear, const void *from, size_t len);
/* Where an aligned structure within a page is, when its translation is cached: to be copied once
 * and closed at once, for p2m_lock is held until then. NULL: it is not, read it in general. */
const void *guest_open(struct vcpu *v, u64 linear, u32 len);
static inline void guest_close(struct vcpu *v)
{
    spin_unlock(&v->domain->p2m_lock);
}
/* What follows is no part of the call in hand: v has been off its CPU since. */
void guest_forget_stay(struct vcpu *v);
/* By guest-physical address, for structures the guest registered. */
int guest_read_phys(struct domain *d, void *to, u64 gpa, size_t len);
int guest_write_phys(struct domain *d, u64 gpa, const void *from, size_t len);

/* Walks the guest's page tables without the cache: 0 with *gpa, or -EFAULT. For debugging,
 * instruction fetch and tests. */
int guest_translate(struct vcpu *v, u64 linear, bool write, u64 *gpa);
/* Whether a data access of this byte would be let through, by ring 0 or by ring 3: 0, or
 * -EFAULT with the page fault's error code. */
int guest_probe(struct vcpu *v, u64 linear, bool write, bool user, u32 *code);
struct access_cache *access_cache_create(struct domain *d);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way to guest memory: by guest-linear address, through the checked translation
 * cache. An entry keeps the address and value of every page-table entry walked; a hit
 * re-reads and compares them, because the hypervisor sees neither INVLPG nor CR3 writes.
 * Copies once; nobody outside gets a pointer to guest memory but by frames they hold.
 */
#ifndef HYP_DOM_ACCESS_H
#define HYP_DOM_ACCESS_H

#include "hyp/dom/walk.h"
#include "hyp/mm/frame.h"

struct vcpu;
struct domain;

/* 0, or -EFAULT and nothing is said about how much was copied. v is the current vCPU. */
int guest_read(struct vcpu *v, void *to, u64 linear, size_t len);
int guest_write(struct vcpu *v, u64 linear, const void *from, size_t len);
/* Aligned words within a page whose translation is cached; false: nothing was done, read them
 * in general. */
bool guest_peek(struct vcpu *v, u64 linear, void *to, u32 words);
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

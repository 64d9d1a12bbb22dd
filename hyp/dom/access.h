/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only way to guest memory: by guest-linear address, through the checked translation
 * cache (DESIGN: an entry keeps address and value of every page-table entry walked; a hit
 * re-reads and compares them). Copies once; never hands out a pointer to guest memory
 * except by access_pin, which holds a reference.
 */
#ifndef HYP_DOM_ACCESS_H
#define HYP_DOM_ACCESS_H

#include "hyp/mm/frame.h"

struct vcpu;
struct domain;

/* 0, or -EFAULT and nothing is said about how much was copied. */
int guest_read(struct vcpu *v, void *to, u64 linear, size_t len);
int guest_write(struct vcpu *v, u64 linear, const void *from, size_t len);
/* By guest-physical address, for structures the guest registered. */
int guest_read_phys(struct domain *d, void *to, u64 gpa, size_t len);
int guest_write_phys(struct domain *d, u64 gpa, const void *from, size_t len);

/* A 32-bit caller's structures are read by the compat layouts of hyp/dom/compat.h. */

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls that messages are made of, served before the general way is set up: those that
 * need nothing but registers, or one word whose translation is cached. The entry code calls
 * them for 64-bit callers in ring 0 only.
 */
#ifndef HYP_DOM_QUICK_H
#define HYP_DOM_QUICK_H

#include "hyp/dom/domain.h"

/* What a quick handler returns when the call is not for it after all: nothing was done. */
#ifndef QUICK_NO /* virt/svm/layout.h has them for the entry code */
#define QUICK_NO    -0x7ffffffe
#define QUICK_CALLS 64
#endif

/* By hypercall number, every place filled. Arguments are the caller's first two. */
typedef s64 quick_fn(struct vcpu *v, u64 a, u64 b);
extern quick_fn *const quick_calls[QUICK_CALLS];

#endif

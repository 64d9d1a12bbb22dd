/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests are told about their processor: the machine's answers less what they may not
 * use, Xen's leaves, and our own.
 */
#ifndef HYP_VIRT_CPUID_H
#define HYP_VIRT_CPUID_H

#include "hyp/cpu/x86.h"
#include "hyp/dom/domain.h"

/* What the vendor's half knows of the vCPU. */
struct cpuid_view {
    u64 xcr0; /* that the guest may enable */
    bool os_xsave, tsc_trapped, rdtscp;
};

struct cpuid cpuid_for(const struct vcpu *v, const struct cpuid_view *view, u32 leaf, u32 sub);
/* Fills the page at guest-physical `gpa` with hypercall stubs; false: #GP. */
bool hypercall_page_write(struct vcpu *v, u64 gpa);

#endif

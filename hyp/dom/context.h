/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's registers in the forms that domctl moves: the save records of xen/hvm/save.h (CPU
 * record) and struct vcpu_guest_context; and the hypercall page.
 */
#ifndef HYP_DOM_CONTEXT_H
#define HYP_DOM_CONTEXT_H

#include "hyp/dom/hypercall.h"

s64 context_get(struct call *c, struct domain *d, struct xen_domctl_hvmcontext *h);
s64 context_set(struct call *c, struct domain *d, const struct xen_domctl_hvmcontext *h);
s64 context_get_vcpu(struct call *c, struct domain *d, u32 vcpu, u64 at);
s64 context_set_vcpu(struct call *c, struct domain *d, u32 vcpu, u64 at);
s64 context_hypercall_page(struct call *c, struct domain *d, u64 gfn);

#endif

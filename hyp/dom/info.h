/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the control tools and the bench are told of a domain.
 */
#ifndef HYP_DOM_INFO_H
#define HYP_DOM_INFO_H

#include "hyp/dom/domain.h"

/* What the control tools see of a domain. */
void domain_info(const struct domain *d, struct xen_domctl_getdomaininfo *info);
/* One vCPU's counters added to *sum. */
void domain_add_counters(struct domain *d, u16 vcpu, struct osm_counters *sum);

#endif

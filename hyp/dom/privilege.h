/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may do what to whom. The only place that looks at `privileged`: everything the
 * control domain may do beyond others is one of these questions.
 */
#ifndef HYP_DOM_PRIVILEGE_H
#define HYP_DOM_PRIVILEGE_H

#include "hyp/dom/domain.h"

/* domctl, sysctl, vendor operations that concern the machine or other domains. */
bool may_control(const struct domain *d);
/* Act for `other` (event channels, HVM parameters, memory, grant tables): itself, or any
 * domain for the control domain, or its own target (XEN_DOMCTL_set_target). */
bool may_act_for(const struct domain *d, const struct domain *other);

/* Finds the domain that an operation is about, referenced. *error is -ESRCH or -EPERM when
 * it returns NULL. */
struct domain *domain_for(const struct domain *asks, domid_t id, s64 *error);

#endif

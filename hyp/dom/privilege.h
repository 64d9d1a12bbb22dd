/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may do what to whom: the list of what the control domain may do beyond others, and the
 * only place that looks at `privileged` (tests/ground/test_hygiene.py).
 */
#ifndef HYP_DOM_PRIVILEGE_H
#define HYP_DOM_PRIVILEGE_H

#include "hyp/dom/domain.h"

/* Rights that no other domain has. What it does for others in their name (their unbound ports,
 * HVM parameters, grant tables, reservations, and pages of theirs mapped into its own) is
 * may_act_for's. */
enum privilege {
    MAY_DOMCTL,
    MAY_SYSCTL,
    MAY_RUN_THE_MACHINE, /* what is SUBOP_PRIVILEGED: the vendor's plan, output, modules, faults,
                          * traces, ...; SCHEDOP_pin_override */
    MAY_COUNT_ALL,       /* the machine's counters, and which frames a domain has */
    MAY_ACT_FOR_ALL,     /* may_act_for anybody: the builder's right */
    MAY_DRAW_MEMORY_MAP, /* XENMEM_set_memory_map */
    MAY_OVERCOMMIT,      /* memory that is not set aside */
    MAY_TAKE_LARGE,      /* extents of more than a guest's order at once */
    MAY_SET_OWN_PARAMS,  /* HVM parameters that are the builder's, of its own domain, too */
    MAY_SHUT_OTHERS,     /* SCHEDOP_remote_shutdown */
    MAY_DRIVE_LINES,     /* physdev_op before it was given an interrupt */
    MAY_USE_CONSOLE,     /* the machine's: without a budget, as it is, and its input */
    MAY_SEE_MACHINE,     /* XENFEAT_dom0, the hypervisor's command line, build id */
    MAY_HEAR_DOMAINS,    /* VIRQ_DOM_EXC and other global VIRQs that have no handler */
    MAY_END_RUN          /* its end is the machine's */
};
bool may(const struct domain *d, enum privilege what);
/* Act for `other` (event channels, HVM parameters, memory, grant tables): itself, or any
 * domain for the control domain, or its own target (XEN_DOMCTL_set_target). */
bool may_act_for(const struct domain *d, const struct domain *other);

/* Finds the domain that an operation is about, referenced. *error is -ESRCH or -EPERM when
 * it returns NULL. */
struct domain *domain_for(const struct domain *asks, domid_t id, s64 *error);

#endif

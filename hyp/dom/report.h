/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reports in words and in structs: what a crashed domain was doing, and the dumps behind the
 * debug keys.
 */
#ifndef HYP_DOM_REPORT_H
#define HYP_DOM_REPORT_H

#include "hyp/dom/domain.h"

/* Registers and last exits of the current vCPU (or all of d's when it is not current). */
void report_crash(struct domain *d, const char *why);
void report_vcpu(const struct vcpu *v);
/* 0, or -ENOENT. */
int report_dump(const struct domain *d, struct osm_dump *out);
/* Debug keys: domains, event channels, grants. */
void report_domains(void);
void report_evtchns(void);
void report_grants(void);

#endif

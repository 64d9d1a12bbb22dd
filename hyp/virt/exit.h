/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor does about an exit, whatever the vendor.
 */
#ifndef HYP_VIRT_EXIT_H
#define HYP_VIRT_EXIT_H

#include "hyp/virt/virt.h"

/* The current vCPU came out with this; afterwards it can go in again, or wants attention. */
void exit_handle(struct vcpu *v, enum virt_exit exit, const struct virt_exit_info *x);

/* An access to a port that is not the domain's: done, and skipped, or a fault injected. */
void exit_port(struct vcpu *v, const struct virt_exit_info *x);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xen's public headers, as the hypervisor sees them: latest interface, tools' structures
 * included. Include this instead of <xen/...>, so that every file agrees on the version.
 */
#ifndef HYP_ABI_XEN_H
#define HYP_ABI_XEN_H

#define __XEN_TOOLS__ 1

#include "base/types.h"
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/errno.h> /* XEN_EINVAL and so on */
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/foreign/x86_32.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

/* Between functions only: there is more to do, call again (errno.h has it for Xen alone). */
#define XEN_ERESTART 85

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/dom/quick.h"
#include "hyp/dev/trace.h"

enum { VERSION = 4 << 16 | 17 }; /* as version_op.c answers */

/* XENVER_version: the call that guests use to see whether calls work at all. */
static s64 quick_version(struct vcpu *v, u64 command, u64 unused)
{
    (void)unused;
    if (command != XENVER_version || trace_classes)
        return QUICK_NO;
    v->counters.hypercalls++;
    return VERSION;
}

static s64 no(struct vcpu *v, u64 a, u64 b)
{
    (void)v, (void)a, (void)b;
    return QUICK_NO;
}

quick_fn *const quick_calls[QUICK_CALLS] = {
    [0 ... __HYPERVISOR_xen_version - 1] = no,
    [__HYPERVISOR_xen_version] = quick_version,
    [__HYPERVISOR_xen_version + 1 ... QUICK_CALLS - 1] = no,
};

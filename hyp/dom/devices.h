/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices given to driver domains: permission first, mapping second, as Xen's tools do it.
 * Memory that holds RAM of ours is never given.
 */
#ifndef HYP_DOM_DEVICES_H
#define HYP_DOM_DEVICES_H

#include "hyp/dom/domain.h"

s64 devices_permit_ports(struct domain *d, u64 first, u64 count, bool allow);
s64 devices_map_ports(struct domain *d, u64 first, u64 count, bool add);
s64 devices_permit_memory(struct domain *d, u64 first, u64 count, bool allow);
s64 devices_map_memory(struct domain *d, u64 gfn, u64 mfn, u64 count, bool add);
s64 devices_permit_irq(struct domain *d, u32 irq, bool allow);

#endif

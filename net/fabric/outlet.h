/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What leaves the fabric's domain: its trace records, and captures as a byte ring
 * (struct osm_ring_header) in its own memory. The trace ring is shown to Osmosis; where
 * the capture lies stands in the store at data/capture as "GFN PAGES", for the control
 * domain, which moves `consumed` on as it takes bytes.
 */
#ifndef NET_FABRIC_OUTLET_H
#define NET_FABRIC_OUTLET_H

#include "hyp/abi/osmosis.h"
#include "net/fabric/capture.h"

struct outlet {
    struct osm_ring_header *trace, *bytes;
    struct capture capture;
    u64 lost_blocks;
};

/* Rings of so many pages; 0: none. False: no memory, or not told to anybody. */
bool outlet_open(struct outlet *o, u32 trace_pages, u32 capture_pages);
void outlet_trace(struct outlet *o, u64 ns, u16 type, u32 who, u64 a, u64 b);

#endif

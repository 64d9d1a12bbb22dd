/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map registers: segment maps of 8 processes, whose entries name one of 16 page maps.
 * There are neither reference nor dirty bits; the kernel processor writes entries through
 * an index register and a data register.
 */
#include "z8000/node/node.h"

enum { VALID = 0x8000, WRITABLE = 0x4000 };

u8 node_translate(const struct node *n, u8 segment, u16 offset, bool write, u32 *physical)
{
    u16 entry = n->segment_map[n->process][segment & (NODE_SEGMENTS - 1)];
    u32 page = (u32)offset >> n->page_bits;
    u16 flags;

    if (!(entry & VALID))
        return NODE_FAULT_SEGMENT;
    flags = n->page_map[entry & (NODE_PAGE_MAPS - 1)][page].flags;
    if (!(flags & VALID))
        return NODE_FAULT_PAGE;
    if (write && !(entry & flags & WRITABLE))
        return NODE_FAULT_WRITE;
    *physical = (u32)n->page_map[entry & (NODE_PAGE_MAPS - 1)][page].frame << n->page_bits |
                (offset & ((1u << n->page_bits) - 1));
    return *physical < n->memory_bytes ? 0 : NODE_FAULT_PAGE;
}

void node_map_write(struct node *n, u16 reg, u16 value)
{
    unsigned map, at;

    switch (reg) {
    case NODE_R_SEGMENT: n->segment_index = value; break;
    case NODE_R_SEGMENT_ENTRY:
        map = n->segment_index / NODE_SEGMENTS % NODE_SEGMENT_MAPS;
        n->segment_map[map][n->segment_index % NODE_SEGMENTS] = value;
        n->map_loads++;
        break;
    case NODE_R_PAGE: n->page_index = value; break;
    case NODE_R_FRAME: n->frame = value; break;
    case NODE_R_PAGE_ENTRY:
        map = n->page_index / NODE_PAGES_MOST % NODE_PAGE_MAPS;
        at = n->page_index % NODE_PAGES_MOST;
        n->page_map[map][at].frame = n->frame;
        n->page_map[map][at].flags = value;
        n->map_loads++;
        break;
    case NODE_R_PROCESS: n->process = value % NODE_SEGMENT_MAPS; break;
    default: break;
    }
}

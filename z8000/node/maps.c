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

/* Shows the fast way what a page of a segment is now. */
static void show_page(struct node *n, u8 segment, u32 page)
{
    u32 bytes = 1u << n->page_bits, at;

    for (u32 offset = page * bytes; offset < (page + 1) * bytes; offset += Z8000_FAST_PAGE) {
        u32 number = (u32)segment << 7 | offset / Z8000_FAST_PAGE;
        u8 *read = NULL, *write = NULL;

        if (node_translate(n, segment, (u16)offset, false, &at) == 0)
            read = n->memory + at;
        if (read && node_translate(n, segment, (u16)offset, true, &at) == 0)
            write = read;
        z8000_fast_map(n->fast, number, read, write);
    }
}

static void show_segment(struct node *n, u8 segment)
{
    for (u32 page = 0; n->fast && page < 0x10000u >> n->page_bits; page++)
        show_page(n, segment, page);
}

static void show_map(struct node *n, unsigned map, u32 page)
{
    for (u8 s = 0; n->fast && s < NODE_SEGMENTS; s++) {
        u16 entry = n->segment_map[n->process][s];

        if ((entry & VALID) && (entry & (NODE_PAGE_MAPS - 1)) == map)
            show_page(n, s, page);
    }
}

static void choose_process(struct node *n, u8 process)
{
    const u16 *before = n->segment_map[n->process], *now = n->segment_map[process];

    n->process = process;
    for (u8 s = 0; before != now && s < NODE_SEGMENTS; s++)
        if ((before[s] | now[s]) & VALID)
            show_segment(n, s);
}

static void loaded(struct node *n)
{
    n->map_loads++;
    node_set_signal(n, NODE_S_MAP, true);
    node_set_signal(n, NODE_S_MAP, false);
}

void node_map_write(struct node *n, u16 reg, u16 value)
{
    unsigned map, at;

    switch (reg) {
    case NODE_R_SEGMENT: n->segment_index = value; break;
    case NODE_R_SEGMENT_ENTRY:
        map = n->segment_index / NODE_SEGMENTS % NODE_SEGMENT_MAPS;
        n->segment_map[map][n->segment_index % NODE_SEGMENTS] = value;
        loaded(n);
        if (map == n->process)
            show_segment(n, n->segment_index % NODE_SEGMENTS);
        break;
    case NODE_R_PAGE: n->page_index = value; break;
    case NODE_R_FRAME: n->frame = value; break;
    case NODE_R_PAGE_ENTRY:
        map = n->page_index / NODE_PAGES_MOST % NODE_PAGE_MAPS;
        at = n->page_index % NODE_PAGES_MOST;
        n->page_map[map][at].frame = n->frame;
        n->page_map[map][at].flags = value;
        loaded(n);
        if (at < 0x10000u >> n->page_bits)
            show_map(n, map, at);
        break;
    case NODE_R_PROCESS: choose_process(n, value % NODE_SEGMENT_MAPS); break;
    default: break;
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map registers: 8 segment maps for processes, 16 page maps for their segments. With no
 * reference bits the kernel knows of use only what it does itself, so the one that was
 * chosen (a process) or loaded (a segment) longest ago makes room.
 */
#include "guest/machine/z8000/z8000.h"

static void set_segment(struct z_machine *m, u8 slot, u8 segment, u16 entry)
{
    board_out(m->board, BOARD_SEGMENT, (u16)(slot * BOARD_SEGMENTS + segment));
    board_out(m->board, BOARD_SEGMENT_ENTRY, entry);
}

static void set_page(struct z_machine *m, u32 map, u32 page, u16 frame, u16 flags)
{
    board_out(m->board, BOARD_PAGE, (u16)(map * 128 + page));
    board_out(m->board, BOARD_FRAME, frame);
    board_out(m->board, BOARD_PAGE_ENTRY, flags);
}

static u32 pages(const struct z_machine *m)
{
    return 0x10000u >> m->page_bits;
}

static void drop_map(struct z_machine *m, u32 map)
{
    struct z_task *t = m->maps.map[map].task;

    if (t && t->slot != Z_NONE)
        set_segment(m, t->slot, m->maps.map[map].segment, 0);
    m->maps.map[map].task = NULL;
}

void z_maps_forget(struct z_machine *m, struct z_task *t)
{
    for (u32 map = 0; map < BOARD_PAGE_MAPS; map++)
        if (m->maps.map[map].task == t)
            drop_map(m, map);
    if (t->slot != Z_NONE)
        m->maps.slot[t->slot].task = NULL;
    t->slot = Z_NONE;
}

void z_maps_choose(struct z_machine *m, struct task *task)
{
    struct z_task *t = z_task(task);
    struct z_maps *maps = &m->maps;
    u8 oldest = 0;

    for (u8 i = 1; t->slot == Z_NONE && i < BOARD_SEGMENT_MAPS; i++)
        if (maps->slot[oldest].task &&
            (!maps->slot[i].task || maps->slot[i].used < maps->slot[oldest].used))
            oldest = i;
    if (t->slot == Z_NONE) {
        if (maps->slot[oldest].task)
            z_maps_forget(m, maps->slot[oldest].task);
        maps->slot[oldest].task = t;
        t->slot = oldest;
    }
    maps->slot[t->slot].used = ++maps->turn;
    board_out(m->board, BOARD_PROCESS, t->slot);
}

static void load_page(struct z_machine *m, u32 map, struct task *t, u8 segment, u32 page)
{
    const struct z_page *pages = z_task(t)->pages[segment];
    u64 va = z_address((u32)segment << 24 | page << m->page_bits);
    const struct region *r = task_region(t, va);
    u16 flags = pages && r ? z_page_rights(&pages[page], r) : 0;

    set_page(m, map, page, flags ? pages[page].frame : 0, flags);
}

static u32 map_of(const struct z_machine *m, const struct z_task *t, u8 segment)
{
    u32 map = 0;

    while (map < BOARD_PAGE_MAPS &&
           (m->maps.map[map].task != t || m->maps.map[map].segment != segment))
        map++;
    return map;
}

void z_maps_page(struct z_machine *m, struct task *t, u8 segment, u32 page)
{
    u32 map = map_of(m, z_task(t), segment);

    if (map < BOARD_PAGE_MAPS)
        load_page(m, map, t, segment, page);
}

void z_maps_segment(struct z_machine *m, struct task *t, u8 segment)
{
    u32 oldest = 0;

    for (u32 i = 1; i < BOARD_PAGE_MAPS; i++)
        if (m->maps.map[oldest].task &&
            (!m->maps.map[i].task || m->maps.map[i].used < m->maps.map[oldest].used))
            oldest = i;
    m->maps.evictions += m->maps.map[oldest].task != NULL;
    m->maps.loads++;
    drop_map(m, oldest);
    m->maps.map[oldest].task = z_task(t);
    m->maps.map[oldest].segment = segment;
    m->maps.map[oldest].used = ++m->maps.turn;
    for (u32 page = 0; page < pages(m); page++)
        load_page(m, oldest, t, segment, page);
    set_segment(m, z_task(t)->slot, segment, (u16)(BOARD_VALID | BOARD_WRITABLE | oldest));
}

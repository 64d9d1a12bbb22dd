/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory half of guest/kernel/machine.h: pages by segment, zeroed on first touch or the
 * core's (page.h); copies go straight to the board's memory. Moves between processes are
 * copies.
 */
#include "base/memory.h"
#include "guest/machine/z8000/z8000.h"

enum { SEGMENT = 0x10000 };

u64 z_address(u32 pointer)
{
    u32 segment = pointer >> 24 & 0x7f, offset = pointer & 0xffff;

    if (segment == Z_START_SEGMENT)
        return DEMOS_START_PAGE + offset;
    return (u64)segment << 16 | offset;
}

bool z_place(u64 va, u8 *segment, u16 *offset)
{
    if (va - DEMOS_START_PAGE < SEGMENT)
        va = (u64)Z_START_SEGMENT << 16 | (va - DEMOS_START_PAGE);
    else if (va < SEGMENT || va >= (u64)Z_START_SEGMENT << 16)
        return false;
    *segment = (u8)(va >> 16);
    *offset = (u16)va;
    return true;
}

static u32 segment_pages(const struct z_machine *m)
{
    return (u32)SEGMENT >> m->page_bits;
}

static size_t table_bytes(const struct z_machine *m)
{
    return segment_pages(m) * sizeof(struct z_page);
}

static bool allowed(const struct region *r, u32 access)
{
    u32 need = access & REGION_WRITE ? REGION_WRITE : REGION_READ | REGION_EXECUTE;

    return r && ((access & Z_FORCE) || (r->protection & need));
}

u16 z_page_rights(const struct z_page *page, const struct region *r)
{
    bool waits = page->flags & Z_COPY || (page->flags & (Z_KEPT | Z_OWNED)) == Z_KEPT;

    if (!page->frame || !r->protection)
        return 0;
    return (u16)(BOARD_VALID | (r->protection & REGION_WRITE && !waits ? BOARD_WRITABLE : 0));
}

struct z_page *z_page_entry(struct z_machine *m, const struct task *t, u64 va, bool make)
{
    struct z_task *z = z_task(t);
    u16 offset;
    u8 segment;

    if (!z_place(va, &segment, &offset))
        return NULL;
    if (!z->pages[segment] && make)
        z->pages[segment] = heap_alloc(node_heap(m->node), table_bytes(m));
    return z->pages[segment] ? &z->pages[segment][offset >> m->page_bits] : NULL;
}

void z_page_changed(struct z_machine *m, struct task *t, u64 va)
{
    u16 offset = 0;
    u8 segment = 0;

    if (z_place(va, &segment, &offset))
        z_maps_page(m, t, segment, (u32)offset >> m->page_bits);
}

u8 *z_frame_bytes(const struct z_machine *m, u32 frame)
{
    return board_memory(m->board, frame << m->page_bits);
}

void z_frame_filled(struct z_machine *m, u32 frame)
{
    for (u32 i = 0; i < z_page_bytes(m); i += 512)
        board_changed(m->board, (frame << m->page_bits) + i);
}

static bool bring_zero(struct z_machine *m, struct task *t, u64 va, struct z_page *e)
{
    u32 frame = frame_alloc(&m->frames);

    if (!frame)
        return false;
    memset(z_frame_bytes(m, frame), 0, z_page_bytes(m));
    z_frame_filled(m, frame);
    *e = (struct z_page){(u16)frame, 0};
    z_page_changed(m, t, va);
    return true;
}

/* Gives the page a frame of its own; the last holder of a shared one keeps it. */
static bool unshare(struct z_machine *m, struct task *t, u64 va, struct z_page *e)
{
    u32 frame = e->frame;

    if (m->frames.refs[frame] > 1) {
        frame = frame_alloc(&m->frames);
        if (!frame)
            return false;
        memcpy(z_frame_bytes(m, frame), z_frame_bytes(m, e->frame), z_page_bytes(m));
        z_frame_filled(m, frame);
        frame_drop(&m->frames, e->frame);
    }
    *e = (struct z_page){(u16)frame, 0};
    z_page_changed(m, t, va);
    return true;
}

static enum machine_result later(struct z_machine *m, struct task *t, u64 va, u32 access)
{
    m->miss = (struct machine_miss){t, va, access};
    return MACHINE_LATER;
}

/* A page of the core's is there as the core last said, or not yet. */
static bool kept_ready(const struct z_page *e, u32 access)
{
    return e && e->frame && (!(access & REGION_WRITE) || e->flags & Z_OWNED);
}

enum machine_result z_touch(struct z_machine *m, struct task *t, u64 va, u32 access, u32 *at)
{
    const struct region *r = task_region(t, va);
    struct z_page *e;

    if (!r && t->grows)
        return later(m, t, va, access); /* the core knows whether it grows that far */
    if (!allowed(r, access) || !z_place(va, &(u8){0}, &(u16){0}))
        return MACHINE_FAULT;
    e = z_page_entry(m, t, va, !r->object);
    if (r->object && !kept_ready(e, access))
        return later(m, t, va, access);
    if (!e || (!e->frame && !bring_zero(m, t, va, e)))
        return MACHINE_MEMORY;
    if ((access & REGION_WRITE) && (e->flags & Z_COPY) && !unshare(m, t, va, e))
        return MACHINE_MEMORY;
    *at = (u32)e->frame << m->page_bits | (u32)(va & (z_page_bytes(m) - 1));
    return MACHINE_OK;
}

/* Bytes from `va` that lie in one piece of 512, the unit in which changes are told. */
static size_t piece(u64 va, size_t len)
{
    return MIN(len, (size_t)(512 - va % 512));
}

static enum machine_result write_out(struct node *n, struct task *t, u64 to, const void *from,
                                     size_t len, u32 access)
{
    struct z_machine *m = z_machine(n);
    const u8 *source = from;

    while (len > 0) {
        size_t part = piece(to, len);
        u32 at;
        enum machine_result r = z_touch(m, t, to, access, &at);

        if (r != MACHINE_OK)
            return r;
        memcpy(board_memory(m->board, at), source, part);
        board_changed(m->board, at);
        source += part, to += part, len -= part;
    }
    return MACHINE_OK;
}

static bool is_info(const struct task *t, u64 at, size_t len)
{
    return z_task(t)->info == at && at && len == sizeof(struct demos_info);
}

enum machine_result machine_copy_in(struct node *n, struct task *t, void *to, u64 from,
                                    size_t len)
{
    struct z_machine *m = z_machine(n);
    bool info = is_info(t, from, len);
    u8 *into = to;

    while (len > 0) {
        size_t part = piece(from, len);
        u32 at;
        enum machine_result r = z_touch(m, t, from, REGION_READ, &at);

        if (r != MACHINE_OK)
            return r;
        memcpy(into, board_memory(m->board, at), part);
        into += part, from += part, len -= part;
    }
    if (info)
        z_swap_info(to);
    return MACHINE_OK;
}

enum machine_result machine_copy_out(struct node *n, struct task *t, u64 to, const void *from,
                                     size_t len)
{
    struct demos_info info;

    if (is_info(t, to, len)) {
        memcpy(&info, from, sizeof info);
        z_swap_info(&info);
        from = &info;
    }
    return write_out(n, t, to, from, len, REGION_WRITE);
}

enum machine_result machine_load(struct node *n, struct task *t, u64 to, const void *from,
                                 size_t len)
{
    struct demos_start start;

    if (to == DEMOS_START_PAGE && len == sizeof start && t->state == DEMOS_NEW) {
        memcpy(&start, from, sizeof start);
        z_swap_start(&start);
        from = &start;
    }
    return write_out(n, t, to, from, len, REGION_WRITE | Z_FORCE);
}

enum machine_result machine_copy(struct node *n, struct task *to, u64 to_address,
                                 struct task *from, u64 from_address, size_t len)
{
    struct z_machine *m = z_machine(n);

    while (len > 0) {
        size_t part = piece(to_address, piece(from_address, len));
        u32 source, target;
        enum machine_result r = z_touch(m, from, from_address, REGION_READ, &source);

        if (r == MACHINE_OK)
            r = z_touch(m, to, to_address, REGION_WRITE, &target);
        if (r != MACHINE_OK)
            return r;
        memmove(board_memory(m->board, target), board_memory(m->board, source), part);
        board_changed(m->board, target);
        to_address += part, from_address += part, len -= part;
    }
    return MACHINE_OK;
}

/* What the kernel writes there goes through machine_copy_out, which knows its byte order. */
void *machine_reach(struct node *n, struct task *t, u64 address, size_t len)
{
    (void)n, (void)t, (void)address, (void)len;
    return NULL;
}

/* Whether the core keeps any page there, which `from` may then show, too. */
static bool keeps(struct node *n, struct task *t, u64 va, size_t len)
{
    struct z_machine *m = z_machine(n);

    for (u64 at = ALIGN_DOWN(va, (u64)z_page_bytes(m)); at < va + len; at += z_page_bytes(m)) {
        const struct region *r = task_region(t, at);

        if (r && r->object)
            return true;
    }
    return false;
}

bool machine_hand(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, size_t len)
{
    return !keeps(n, to, to_address, len) &&
           machine_copy(n, to, to_address, from, from_address, len) == MACHINE_OK;
}

u64 machine_share(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, u64 len)
{
    (void)n, (void)to, (void)to_address, (void)from, (void)from_address, (void)len;
    return 0;
}

u32 machine_page_size(struct node *n)
{
    return z_page_bytes(z_machine(n));
}

enum machine_result machine_space_create(struct node *n, struct task *t)
{
    struct z_task *z = heap_alloc(node_heap(n), sizeof *z);

    if (!z)
        return MACHINE_MEMORY;
    z->slot = Z_NONE;
    t->machine = z;
    return MACHINE_OK;
}

void z_page_free(struct z_machine *m, struct z_page *e)
{
    if (e->frame && !(e->flags & Z_KEPT))
        frame_drop(&m->frames, e->frame);
    *e = (struct z_page){0};
}

void machine_space_destroy(struct node *n, struct task *t)
{
    struct z_machine *m = z_machine(n);
    struct z_task *z = z_task(t);

    z_maps_forget(m, z);
    for (u32 s = 0; s < BOARD_SEGMENTS; s++) {
        for (u32 page = 0; z->pages[s] && page < segment_pages(m); page++)
            z_page_free(m, &z->pages[s][page]);
        heap_free(node_heap(n), z->pages[s], table_bytes(m));
    }
    heap_free(node_heap(n), z, sizeof *z);
    t->machine = NULL;
}

/* The whole region must be in a process's reach. */
enum machine_result machine_map(struct node *n, struct task *t, const struct region *r)
{
    u8 first, last;
    u16 offset;

    (void)n, (void)t;
    return z_place(r->base, &first, &offset) &&
                   z_place(r->base + r->length - 1, &last, &offset) &&
                   (first == Z_START_SEGMENT) == (last == Z_START_SEGMENT)
               ? MACHINE_OK
               : MACHINE_FAULT;
}

void machine_unmap(struct node *n, struct task *t, const struct region *r)
{
    struct z_machine *m = z_machine(n);

    for (u64 va = r->base; t->machine && va < r->base + r->length; va += z_page_bytes(m)) {
        struct z_page *e = z_page_entry(m, t, va, false);

        if (!e || !e->frame)
            continue;
        z_page_free(m, e);
        z_page_changed(m, t, va);
    }
}

void machine_protect(struct node *n, struct task *t, const struct region *r)
{
    struct z_machine *m = z_machine(n);

    for (u64 va = r->base; va < r->base + r->length; va += z_page_bytes(m))
        z_page_changed(m, t, va);
}

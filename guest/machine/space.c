/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking, filling and emptying the tables of a space. A table is freed when its last
 * entry goes, so that a process cannot pile up empty ones.
 */
#include "guest/machine/space.h"
#include "base/memory.h"

enum { LEVELS = 4, ENTRIES = 512, INDEX_BITS = 9 };
#define USER_ENTRIES (ENTRIES / 2) /* of the top table; the rest is the machine's */
#define NO_LEAF      (~(u64)0)
#define STATE        (ENTRY_COPY | ENTRY_KEPT | ENTRY_OWNED)
#define HARDWARE     (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER)

static u64 *table_at(const struct space *s, u64 entry)
{
    return frame_at(s->frames, entry_frame(s, entry));
}

static u64 address_of(const struct space *s, u32 frame)
{
    return s->frames->address + ((u64)frame << FRAME_SHIFT);
}

static u32 index_of(u64 va, u32 level)
{
    return (u32)(va >> (FRAME_SHIFT + INDEX_BITS * level)) & (ENTRIES - 1);
}

/* The table of level 0 for `va`, or NULL when it is absent and not to be made. */
static u64 *walk(struct space *s, u64 va, bool make)
{
    u64 *table = frame_at(s->frames, s->root);
    struct space_leaf *l = space_leaf(s, va);

    if (va >> 21 == l->of)
        return l->table;
    for (u32 level = LEVELS - 1; level > 0; level--) {
        u64 *e = &table[index_of(va, level)];

        if (!(*e & ENTRY_PRESENT)) {
            u32 frame = make ? frame_alloc_zero(s->frames) : 0;

            if (!frame)
                return NULL;
            s->tables++;
            *e = address_of(s, frame) | HARDWARE;
        }
        table = table_at(s, *e);
    }
    l->of = va >> 21;
    l->table = table;
    return table;
}

u64 *space_find(struct space *s, u64 va)
{
    u64 *table = walk(s, va, false);

    return table ? &table[index_of(va, 0)] : NULL;
}

void *space_far(struct space *s, u64 va, size_t len, u64 bar)
{
    bool whole = va < DEMOS_GLOBAL_END && va % FRAME_SIZE + len <= FRAME_SIZE;
    const u64 *e = whole ? space_find(s, va) : NULL;

    return e ? space_written(s, *e, va, bar) : NULL;
}

/* What is not there yet may turn out to be that frame. */
static bool may_show(struct space *s, u64 va, u64 len, u32 frame)
{
    for (u64 at = ALIGN_DOWN(va, (u64)FRAME_SIZE); at < va + len; at += FRAME_SIZE) {
        const u64 *e = space_entry(s, at);

        if (!e || !(*e & ENTRY_FRAME) || entry_frame(s, *e) == frame)
            return true;
    }
    return false;
}

bool space_meet(struct space *to, u64 to_va, struct space *from, u64 from_va, u64 len)
{
    u64 highest = DEMOS_GLOBAL_END - len;

    if (to_va > highest || from_va > highest)
        return true;
    for (u64 at = ALIGN_DOWN(to_va, (u64)FRAME_SIZE); at < to_va + len; at += FRAME_SIZE) {
        const u64 *e = space_entry(to, at);

        if (e && *e & ENTRY_KEPT && may_show(from, from_va, len, entry_frame(to, *e)))
            return true;
    }
    return false;
}

bool space_create(struct space *s, struct frames *frames)
{
    *s = (struct space){
        .frames = frames, .leaves = {{NO_LEAF, NULL}, {NO_LEAF, NULL}}, .tables = 1};
    s->root = frame_alloc_zero(frames);
    return s->root != 0;
}

static void set(struct space *s, u64 va, u64 *e, u64 now)
{
    u64 old = *e;

    *e = now;
    space_changed(s, va, old, now);
}

static void release(struct space *s, u64 va, u64 *e)
{
    u64 old = *e;

    if (!(old & ENTRY_FRAME))
        return;
    set(s, va, e, 0);
    if (old & ENTRY_KEPT)
        return;
    frame_drop(s->frames, entry_frame(s, old));
    s->pages--;
}

static bool empty(const u64 *table, u32 entries)
{
    for (u32 i = 0; i < entries; i++)
        if (table[i])
            return false;
    return true;
}

/* Frees the tables on the way to `va` that have become empty, lowest first. */
static void prune(struct space *s, u64 va)
{
    u64 *path[LEVELS]; /* path[n]: the entry of level n that leads down to `va` */
    u64 *table = frame_at(s->frames, s->root);
    u32 level = LEVELS;

    while (--level > 0) {
        path[level] = &table[index_of(va, level)];
        if (!(*path[level] & ENTRY_PRESENT))
            break;
        table = table_at(s, *path[level]);
    }
    space_leaf(s, va)->of = NO_LEAF;
    for (level++; level < LEVELS; level++) {
        u64 entry = *path[level];

        if (!empty(table_at(s, entry), ENTRIES))
            break;
        *path[level] = 0;
        frame_drop(s->frames, entry_frame(s, entry));
        s->tables--;
    }
}

/* How far the table that is missing on the way to `va` would have reached. */
static u64 skip_hole(const struct space *s, u64 va)
{
    u64 *table = frame_at(s->frames, s->root);

    for (u32 level = LEVELS - 1; level > 0; level--) {
        u64 e = table[index_of(va, level)];
        u64 span = (u64)1 << (FRAME_SHIFT + INDEX_BITS * level);

        if (!(e & ENTRY_PRESENT))
            return ALIGN_DOWN(va, span) + span;
        table = table_at(s, e);
    }
    return va;
}

void space_unmap(struct space *s, u64 base, u64 len)
{
    u64 end = base + len;

    while (base < end) {
        u64 *table = walk(s, base, false);
        u64 stop = MIN(end, ALIGN_DOWN(base, 1ull << 21) + (1ull << 21));

        if (!table) {
            base = skip_hole(s, base);
            continue;
        }
        for (u64 va = base; va < stop; va += FRAME_SIZE)
            release(s, va, &table[index_of(va, 0)]);
        prune(s, base);
        base = stop;
    }
}

void space_destroy(struct space *s)
{
    if (!s->root)
        return;
    space_unmap(s, 0, (u64)USER_ENTRIES << (FRAME_SHIFT + INDEX_BITS * (LEVELS - 1)));
    frame_drop(s->frames, s->root);
    s->root = 0;
}

bool space_place(struct space *s, u64 va, u32 frame)
{
    u64 *table = walk(s, va, true);

    if (!table)
        return false;
    frame_ref(s->frames, frame);
    s->pages++;
    set(s, va, &table[index_of(va, 0)],
        address_of(s, frame) | ENTRY_PRESENT | ENTRY_USER | ENTRY_FRAME | ENTRY_COPY);
    return true;
}

/* What may be executed is not written, whatever the region says. */
static bool writable(const struct region *r)
{
    return (r->protection & (REGION_WRITE | REGION_EXECUTE)) == REGION_WRITE;
}

static bool allowed(const struct region *r, u32 access)
{
    if (access & SPACE_FORCE)
        return true;
    if (!r->protection || ((access & REGION_WRITE) && !writable(r)))
        return false;
    return !(access & REGION_EXECUTE) || (r->protection & REGION_EXECUTE);
}

/* The hardware's bits for a page of the region; writing waits for a copy while shared, and
 * for the core's word where the page is its. */
static u64 bits_for(const struct region *r, u64 state)
{
    u64 bits = ENTRY_FRAME | state;
    bool waits = state & ENTRY_COPY || (state & (ENTRY_KEPT | ENTRY_OWNED)) == ENTRY_KEPT;

    if (r->protection)
        bits |= ENTRY_PRESENT | ENTRY_USER;
    if (writable(r) && !waits)
        bits |= ENTRY_WRITE;
    if (!(r->protection & REGION_EXECUTE))
        bits |= ENTRY_NO_EXECUTE;
    return bits;
}

void space_protect(struct space *s, const struct region *r)
{
    for (u64 va = r->base; va < r->base + r->length; va += FRAME_SIZE) {
        u64 *e = space_entry(s, va);

        if (!e)
            va = skip_hole(s, va) - FRAME_SIZE;
        else if (*e & ENTRY_FRAME)
            set(s, va, e, (*e & ENTRY_ADDRESS) | bits_for(r, *e & STATE));
    }
}

/* Gives the page a frame of its own; the last holder of a shared one keeps it. */
static bool unshare(struct space *s, const struct region *r, u64 va, u64 *e)
{
    u32 frame = entry_frame(s, *e);

    if (s->frames->refs[frame] > 1) {
        u32 copy = frame_alloc(s->frames);

        if (!copy)
            return false;
        memcpy(frame_at(s->frames, copy), frame_at(s->frames, frame), FRAME_SIZE);
        frame_drop(s->frames, frame);
        frame = copy;
    }
    set(s, va, e, address_of(s, frame) | bits_for(r, 0));
    return true;
}

static bool bring(struct space *s, const struct region *r, u64 va, u64 *e, bool zero)
{
    u32 frame = zero ? frame_alloc_zero(s->frames) : frame_alloc(s->frames);

    if (!frame)
        return false;
    s->pages++;
    set(s, va, e, address_of(s, frame) | bits_for(r, 0));
    return true;
}

/* A page of the core's is there as the core last said, or not yet. */
static enum machine_result kept(struct space *s, u64 va, u32 access, u64 **entry)
{
    u64 need = ENTRY_FRAME | (access & REGION_WRITE ? ENTRY_OWNED : 0);

    *entry = space_entry(s, va);
    return *entry && (**entry & need) == need ? MACHINE_OK : MACHINE_LATER;
}

bool space_show(struct space *s, const struct region *r, u64 va, u32 frame, bool write)
{
    u64 *table = walk(s, va, true), state = ENTRY_KEPT | (write ? ENTRY_OWNED : 0);

    if (!table)
        return false;
    set(s, va, &table[index_of(va, 0)], address_of(s, frame) | bits_for(r, state));
    return true;
}

void space_hide(struct space *s, u64 va)
{
    u64 *e = space_entry(s, va);

    if (!e || !*e)
        return;
    release(s, va, e);
    prune(s, va);
}

u32 space_lend(struct space *s, const struct region *r, u64 va)
{
    u64 *e = space_entry(s, va);

    if (!e || !(*e & ENTRY_FRAME))
        return 0;
    frame_ref(s->frames, entry_frame(s, *e));
    if (!(*e & ENTRY_COPY))
        set(s, va, e, (*e & ENTRY_ADDRESS) | bits_for(r, ENTRY_COPY));
    return entry_frame(s, *e);
}

enum machine_result space_touch(struct space *s, const struct task *t, u64 va, u32 access,
                                u64 **entry)
{
    const struct region *r = task_region(t, va);
    u64 *table;

    if (!r && t->grows)
        return MACHINE_LATER; /* the core knows whether it grows that far */
    if (!r || !allowed(r, access))
        return MACHINE_FAULT;
    if (r->object)
        return kept(s, va, access, entry);
    table = walk(s, va, true);
    if (!table)
        return MACHINE_MEMORY;
    *entry = &table[index_of(va, 0)];
    va = ALIGN_DOWN(va, (u64)FRAME_SIZE);
    if (!(**entry & ENTRY_FRAME) && !bring(s, r, va, *entry, !(access & SPACE_WHOLE)))
        return MACHINE_MEMORY;
    if ((access & REGION_WRITE) && (**entry & ENTRY_COPY) && !unshare(s, r, va, *entry))
        return MACHINE_MEMORY;
    return MACHINE_OK;
}

bool space_hold(struct space *s, const struct task *t, u64 va, u32 frame)
{
    const struct region *r = task_region(t, va);
    u64 *table = r && !r->object ? walk(s, va, true) : NULL, *e;

    if (!table)
        return false;
    e = &table[index_of(va, 0)];
    if (*e & ENTRY_FRAME)
        return false;
    frame_ref(s->frames, frame);
    s->pages++;
    set(s, va, e, address_of(s, frame) | bits_for(r, ENTRY_COPY));
    return true;
}

bool space_share(struct space *to, const struct task *to_task, u64 to_va, struct space *from,
                 const struct task *from_task, u64 from_va)
{
    const struct region *source = task_region(from_task, from_va);
    const struct region *target = task_region(to_task, to_va);
    u64 *table, *e = space_entry(from, from_va), *into;
    u32 frame;

    if (!source || !target || !allowed(source, REGION_READ) || source->object || target->object)
        return false;
    table = walk(to, to_va, true);
    if (!table)
        return false;
    into = &table[index_of(to_va, 0)];
    if (e == into)
        return true;
    if (!e || !(*e & ENTRY_FRAME)) {
        release(to, to_va, into); /* zero on first touch, there as here */
        return true;
    }
    frame = entry_frame(from, *e);
    frame_ref(from->frames, frame);
    if (!(*e & ENTRY_COPY))
        set(from, from_va, e, (*e & ENTRY_ADDRESS) | bits_for(source, ENTRY_COPY));
    release(to, to_va, into);
    to->pages++;
    set(to, to_va, into, address_of(to, frame) | bits_for(target, ENTRY_COPY));
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address space of one process: four levels of tables in the x86-64 format, which the
 * hardware walks on x86 and only we walk on the hosted machine. Owns the frames below it.
 *
 * Pages come zeroed on first touch, are shared copy-on-write between spaces, and keep
 * their frame while a protection hides them. What is allowed is the regions' word
 * (guest/kernel/task.h); an entry only ever allows less.
 */
#ifndef GUEST_MACHINE_SPACE_H
#define GUEST_MACHINE_SPACE_H

#include "guest/kernel/machine.h"
#include "guest/machine/frames.h"

/* AMD APM volume 2, 5.3; bits 9 to 11 and 52 to 58 are software's. */
#define ENTRY_PRESENT    0x001ull
#define ENTRY_WRITE      0x002ull
#define ENTRY_USER       0x004ull
#define ENTRY_ACCESSED   0x020ull
#define ENTRY_DIRTY      0x040ull
#define ENTRY_COPY       0x200ull /* others may hold this frame: copy before a write */
#define ENTRY_FRAME      0x400ull /* there is a frame, present or not */
#define ENTRY_OWNED      0x800ull /* the core's page: it may be written, where allowed */
#define ENTRY_KEPT       0x10000000000000ull /* the core's page: it holds the frame, not we */
#define ENTRY_NO_EXECUTE 0x8000000000000000ull
#define ENTRY_ADDRESS    0x000ffffffffff000ull

struct space {
    struct frames *frames;
    u32 root;   /* frame of the top table */
    u32 tables; /* frames used by tables, the top one included */
    u32 pages;  /* frames of pages, shared ones counted by each holder */
    /* The last tables walked to: of images and the heap, and of the stack. */
    struct space_leaf {
        u64 of; /* address >> 21, ~0: none */
        u64 *table;
    } leaves[2];
};

static inline struct space_leaf *space_leaf(struct space *s, u64 va)
{
    return &s->leaves[va >> 43 & 1];
}

/* Access beside REGION_READ, _WRITE, _EXECUTE: the kernel's own, whatever the protection
 * (the region must exist, and what is shared is still copied first). */
enum { SPACE_FORCE = MACHINE_FORCE };
/* All of the page is written before anybody sees it: a frame for it need not be zero. */
enum { SPACE_WHOLE = 2 * MACHINE_FORCE };

/* False: out of frames. */
bool space_create(struct space *s, struct frames *frames);
void space_destroy(struct space *s);
/* Puts a frame of the machine's own (the entry page) at `va`, readable and executable. */
bool space_place(struct space *s, u64 va, u32 frame);
/*
 * Makes the page of `va` fit for `access`, as the fault handler and the copies need it:
 * looks at the region, brings a zero page, copies a shared one. MACHINE_OK: *entry is its
 * entry, and space_changed has been told.
 */
enum machine_result space_touch(struct space *s, const struct task *t, u64 va, u32 access,
                                u64 **entry);
/* Shows a frame of the core's, as machine_page_map says; false: no frame for a table. */
bool space_show(struct space *s, const struct region *r, u64 va, u32 frame, bool write);
void space_hide(struct space *s, u64 va);
/* The frame at `va` with one more holder, copied before a write; 0: none. */
u32 space_lend(struct space *s, const struct region *r, u64 va);
/* Gives up the pages of [base, base + len), and tables that became empty. */
void space_unmap(struct space *s, u64 base, u64 len);
/* Brings the entries of a region in line with its protection. */
void space_protect(struct space *s, const struct region *r);
/* One whole page from one space into another, copy-on-write. False: copy it instead.
 * Whether the target may be written is not asked. */
bool space_share(struct space *to, const struct task *to_task, u64 to_va, struct space *from,
                 const struct task *from_task, u64 from_va);

/* A frame of the machine's where there is none yet, copied before a write. False: it is to be
 * copied at once. */
bool space_hold(struct space *s, const struct task *t, u64 va, u32 frame);

/* By a walk; see space_entry. */
u64 *space_find(struct space *s, u64 va);

/* The entry of `va`, or NULL where there is no table. */
static inline u64 *space_entry(struct space *s, u64 va)
{
    const struct space_leaf *l = space_leaf(s, va);

    if (va >> 21 == l->of)
        return &l->table[va >> FRAME_SHIFT & 511];
    return space_find(s, va);
}

static inline u32 entry_frame(const struct space *s, u64 entry)
{
    return (u32)(((entry & ENTRY_ADDRESS) - s->frames->address) >> FRAME_SHIFT);
}

static inline void *space_written(const struct space *s, u64 entry, u64 va, u64 bar)
{
    u64 need = ENTRY_PRESENT | ENTRY_USER | ENTRY_WRITE;

    if ((entry & (need | bar)) != need)
        return NULL;
    return s->frames->base + ((entry & ENTRY_ADDRESS) - s->frames->address) + va % FRAME_SIZE;
}

/* Where the kernel itself may write [va, +len), if that is one piece, there, may be
 * written, and its entry has none of the bits of `bar`. By a table walked to before, if
 * there is one; and by a walk. */
static inline void *space_near(struct space *s, u64 va, size_t len, u64 bar)
{
    const struct space_leaf *l = space_leaf(s, va);

    if (va % FRAME_SIZE + len > FRAME_SIZE || va >> 21 != l->of)
        return NULL;
    return space_written(s, l->table[va >> FRAME_SHIFT & 511], va, bar);
}
void *space_far(struct space *s, u64 va, size_t len, u64 bar);
static inline void *space_reach(struct space *s, u64 va, size_t len, u64 bar)
{
    void *at = space_near(s, va, len, bar);

    return at ? at : space_far(s, va, len, bar);
}

/* Whether what is written to [to_va, +len) of one space may be read at [from_va, +len) of
 * the other: what the core keeps can be shown by both. */
bool space_meet(struct space *to, u64 to_va, struct space *from, u64 from_va, u64 len);

/* Calls of the space, found by the linker: the entry of `va` was `old` and is `now`. */
void space_changed(struct space *s, u64 va, u64 old, u64 now);
/* memory.c: machine_copy_in and _out through the tables of the process's space, which may be
 * any; a machine that has a shorter way to the current one tries that first. */
enum machine_result memory_copy_in(struct node *n, struct task *t, void *to, u64 from,
                                   size_t len);
enum machine_result memory_copy_out(struct node *n, struct task *t, u64 to, const void *from,
                                    size_t len);

#endif

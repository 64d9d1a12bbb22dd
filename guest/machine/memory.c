/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory half of guest/kernel/machine.h, for machines whose task->machine begins with
 * a struct space: copies between kernel and processes go through the tables and the
 * node's own view of its frames, page by page, with the fault handler's own rules.
 */
#include "guest/machine/space.h"
#include "base/memory.h"
#include "base/wide.h"
#include "guest/machine/place.h"

static struct space *space_of(const struct task *t)
{
    return t->machine;
}

/* The bytes at `va`, fit for `access`; the page ends where the next one begins. */
static inline enum machine_result reach(struct node *n, struct task *t, u64 va, u32 access,
                                        u8 **bytes)
{
    struct space *s = space_of(t);
    u64 need = ENTRY_PRESENT | ENTRY_USER | (access & REGION_WRITE ? ENTRY_WRITE : 0);
    u64 *e;

    if (va >= DEMOS_GLOBAL_END)
        return MACHINE_FAULT;
    e = space_entry(s, va);
    if (!e || (*e & need) != need || (access & SPACE_FORCE)) {
        enum machine_result r = space_touch(s, t, va, access, &e);

        if (r == MACHINE_LATER)
            *place_miss(n) = (struct machine_miss){t, va, access & ~(u32)SPACE_WHOLE};
        if (r != MACHINE_OK)
            return r;
    }
    *bytes = (u8 *)frame_at(s->frames, entry_frame(s, *e)) + va % FRAME_SIZE;
    return MACHINE_OK;
}

static size_t to_page_end(u64 va, size_t len)
{
    return MIN(len, FRAME_SIZE - va % FRAME_SIZE);
}

enum machine_result memory_copy_in(struct node *n, struct task *t, void *to, u64 from,
                                   size_t len)
{
    u8 *into = to;

    while (len > 0) {
        u8 *bytes;
        size_t part = to_page_end(from, len);
        enum machine_result r = reach(n, t, from, REGION_READ, &bytes);

        if (r != MACHINE_OK)
            return r;
        copy_wide(into, bytes, part);
        into += part, from += part, len -= part;
    }
    return MACHINE_OK;
}

static enum machine_result write_out(struct node *n, struct task *t, u64 to, const void *from,
                                     size_t len, u32 access)
{
    const u8 *source = from;

    while (len > 0) {
        u8 *bytes;
        size_t part = to_page_end(to, len);
        u32 whole = part == FRAME_SIZE ? SPACE_WHOLE : 0;
        enum machine_result r = reach(n, t, to, access | whole, &bytes);

        if (r != MACHINE_OK)
            return r;
        copy_wide(bytes, source, part);
        source += part, to += part, len -= part;
    }
    return MACHINE_OK;
}

enum machine_result memory_copy_out(struct node *n, struct task *t, u64 to, const void *from,
                                    size_t len)
{
    return write_out(n, t, to, from, len, REGION_WRITE);
}

/* Whole pages of what the machine holds anyway, a boot module's, are shown: how many bytes. */
static size_t show(struct task *t, u64 to, const void *from, size_t len)
{
    struct space *s = space_of(t);
    u64 at = (u64)from - (u64)s->frames->base;
    size_t done = 0;

    if ((to | at) % FRAME_SIZE || at < FRAME_SIZE)
        return 0;
    while (len - done >= FRAME_SIZE && (at + done) / FRAME_SIZE < s->frames->held &&
           space_hold(s, t, to + done, (u32)((at + done) / FRAME_SIZE)))
        done += FRAME_SIZE;
    return done;
}

enum machine_result machine_load(struct node *n, struct task *t, u64 to, const void *from,
                                 size_t len)
{
    size_t shown = show(t, to, from, len);

    return write_out(n, t, to + shown, (const u8 *)from + shown, len - shown,
                     REGION_WRITE | SPACE_FORCE);
}

enum machine_result machine_copy(struct node *n, struct task *to, u64 to_address,
                                 struct task *from, u64 from_address, size_t len)
{
    while (len > 0) {
        size_t part = to_page_end(to_address, to_page_end(from_address, len));
        u8 *source, *target;
        enum machine_result r = reach(n, to, to_address, REGION_WRITE, &target);

        if (r == MACHINE_OK)
            r = reach(n, from, from_address, REGION_READ, &source);
        if (r != MACHINE_OK)
            return r;
        if ((u64)target - (u64)source >= part)
            copy_wide(target, source, part);
        else
            memmove(target, source, part);
        to_address += part, from_address += part, len -= part;
    }
    return MACHINE_OK;
}

void *machine_reach(struct node *n, struct task *t, u64 address, size_t len)
{
    (void)n;
    return address % 8 ? NULL : space_reach(space_of(t), address, len, 0);
}

u64 machine_share(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, u64 len)
{
    u64 done = 0;

    (void)n;
    if ((to_address | from_address) % FRAME_SIZE)
        return 0;
    while (len - done >= FRAME_SIZE && space_share(space_of(to), to, to_address + done,
                                                   space_of(from), from, from_address + done))
        done += FRAME_SIZE;
    return done;
}

u32 machine_page_size(struct node *n)
{
    (void)n;
    return FRAME_SIZE;
}

/* W^X: a region that is to be both is refused. Pages come on first touch. */
enum machine_result machine_map(struct node *n, struct task *t, const struct region *r)
{
    u32 both = REGION_WRITE | REGION_EXECUTE;

    (void)n, (void)t;
    return (r->protection & both) == both ? MACHINE_FAULT : MACHINE_OK;
}

void machine_unmap(struct node *n, struct task *t, const struct region *r)
{
    (void)n;
    space_unmap(space_of(t), r->base, r->length);
}

void machine_protect(struct node *n, struct task *t, const struct region *r)
{
    (void)n;
    space_protect(space_of(t), r);
}

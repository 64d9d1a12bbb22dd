/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MOVEDATA within a node: straight from one address space into the other, whole pages by
 * mapping them copy-on-write where both ends are aligned. Long moves go in steps, so that
 * nobody waits for them.
 */
#include "guest/kernel/core.h"

enum { MOVE_STEP = 1 << 20, SHARE_STEP = 16 << 20 };

s64 area_check(const struct link *l, u32 direction, u64 offset, u64 len)
{
    u32 right = direction == DEMOS_MOVE_READ ? DEMOS_AREA_READ : DEMOS_AREA_WRITE;

    if (!(l->attr & (DEMOS_AREA_READ | DEMOS_AREA_WRITE)))
        return DEMOS_E_AREA;
    if (!(l->attr & right))
        return DEMOS_E_ALLOWED;
    return offset > l->len || len > l->len - offset ? DEMOS_E_AREA : 0;
}

struct ends {
    struct task *to, *from;
    u64 to_address, from_address;
};

/* Whole pages by mapping: how many bytes from the front that did. */
static u64 share(struct node *n, const struct ends *e, u64 len)
{
    u64 mask = machine_page_size(n) - 1;

    if (n->config.flags & NODE_NO_SHARE || e->to == e->from)
        return 0;
    if (e->to_address & mask || e->from_address & mask || len <= mask)
        return 0;
    len = MIN(len & ~mask, (u64)SHARE_STEP);
    if (!region_usable(e->to, e->to_address, len, REGION_WRITE))
        return 0; /* not any more: the copy says so */
    return page_share(n, e->to, e->to_address, e->from, e->from_address, len);
}

/* One step of a move; adds what it did to *moved. */
static s64 step(struct node *n, struct task *self, const struct ends *e, u64 len, u64 *moved)
{
    u64 left = len - *moved, done;
    struct ends now = {e->to, e->from, e->to_address + *moved, e->from_address + *moved};

    done = share(n, &now, left);
    self->count.mapped_bytes += done;
    if (!done) {
        enum machine_result copied;

        done = MIN(left, (u64)MOVE_STEP);
        copied = machine_copy(n, now.to, now.to_address, now.from, now.from_address, done);
        if (copied != MACHINE_OK)
            return access_error(copied);
    }
    *moved += done;
    self->count.moved_bytes += done;
    return *moved < len ? (s64)CALL_STEP : 0;
}

s64 call_move(struct node *n, struct thread *t, const u64 *args)
{
    struct task *self = t->task, *owner;
    struct link_slot *slot = link_find(&self->links, (s64)args[0]);
    u64 direction = args[1], offset = args[2], len = args[4];
    struct ends e;
    s64 said;

    if (!slot)
        return DEMOS_E_LINK;
    if (direction > DEMOS_MOVE_WRITE)
        return DEMOS_E_ARGUMENT;
    said = area_check(&slot->link, (u32)direction, offset, len);
    if (said || !len)
        return said;
    owner = node_find(n, &slot->link.to);
    if (!owner && link_to_kernel(n, &slot->link))
        return keeper_move(n, t, args, &slot->link);
    if (!owner)
        return bulk_start(n, t, args, &slot->link);
    e = direction == DEMOS_MOVE_READ
            ? (struct ends){self, owner, args[3], slot->link.base + offset}
            : (struct ends){owner, self, slot->link.base + offset, args[3]};
    if (!t->progress && !(region_reach(n, e.to, e.to_address, len, REGION_WRITE) &&
                          region_reach(n, e.from, e.from_address, len, REGION_READ)))
        return DEMOS_E_ADDRESS; /* all of it or none, however it is done */
    for (u64 until = t->progress + MOVE_STEP;;) {
        said = step(n, self, &e, len, &t->progress);
        if (!said)
            break;
        if (said != CALL_STEP || t->progress >= until)
            return said;
    }
    t->progress = 0;
    trace_by(n, KERNEL_T_move, &self->id, len, direction);
    input(n, self, (s64)len);
    return (s64)len;
}

/* Kernel processes move in pieces of a few kilobytes, so these are not stepped. */
s64 area_read(struct node *n, const struct link *l, u64 offset, void *to, size_t len)
{
    struct task *owner = node_find(n, &l->to);
    s64 error = area_check(l, DEMOS_MOVE_READ, offset, len);
    enum machine_result got;

    if (error)
        return error;
    if (!owner)
        return DEMOS_E_DEAD;
    got = machine_copy_in(n, owner, to, l->base + offset, len);
    return got == MACHINE_OK ? 0 : access_error(got);
}

s64 area_write(struct node *n, const struct link *l, u64 offset, const void *from, size_t len)
{
    struct task *owner = node_find(n, &l->to);
    s64 error = area_check(l, DEMOS_MOVE_WRITE, offset, len);
    enum machine_result got;

    if (error)
        return error;
    if (!owner)
        return DEMOS_E_DEAD;
    got = machine_copy_out(n, owner, l->base + offset, from, len);
    return got == MACHINE_OK ? 0 : access_error(got);
}

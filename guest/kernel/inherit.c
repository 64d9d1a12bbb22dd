/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that two processes have between them: inherited by a new process as the regions of
 * another say, and moved by MOVEDATA without copying where there are objects.
 *
 * A region that is copied leaves its object as it is, shadowed by two new ones: one for all
 * who showed it before, one for the copy. Pages go up from the shadow as they are touched. What
 * a user's keeper keeps cannot be frozen so: a copy of it holds what it shows when it is
 * touched first.
 */
#include "guest/kernel/core.h"

/* Pages of `o` with the frames that the region has; false: no memory for all of them. */
static bool adopt(struct node *n, struct object *o, const struct region *r)
{
    u32 size = machine_page_size(n);

    for (u64 at = 0; at < r->length; at += size) {
        u32 frame = machine_page_lend(n, r->task, r, r->base + at);
        struct page *p = frame ? page_enter(n, o, (r->offset + at) / size, frame) : NULL;

        if (frame && !p) {
            machine_frame_drop(n, frame);
            return false;
        }
        if (!p)
            continue;
        p->state = PAGE_HERE;
        p->dirty = true;
        page_queue(n, p);
    }
    return true;
}

int region_objectify(struct node *n, struct region *r)
{
    struct object *o = r->object ? NULL : object_make(n);
    bool done;

    if (r->object)
        return 0;
    if (!o)
        return DEMOS_E_MEMORY;
    o->references++; /* while it is not shown */
    done = object_reach(n, o, (r->offset + r->length) / machine_page_size(n)) && adopt(n, o, r);
    if (done) {
        machine_unmap(n, r->task, r); /* the pages hold the frames now */
        done = object_show(n, o, r) && machine_map(n, r->task, r) == MACHINE_OK;
        if (!done)
            machine_stop(n, "a region that was there cannot be shown again");
    }
    while (!done && !list_empty(&o->pages))
        page_remove(n, list_entry(o->pages.next, struct page, peers));
    o->references--;
    object_check(n, o);
    return done ? 0 : DEMOS_E_MEMORY;
}

/* A new object that shadows `o`, shown by nobody yet. */
static struct object *shadow_of(struct node *n, struct object *o)
{
    struct object *s = object_make(n);

    if (!s)
        return NULL;
    if (!object_reach(n, s, o->length)) {
        object_check(n, s);
        return NULL;
    }
    s->shadow = o;
    o->references++;
    return s;
}

/* All who show `o` show `s` instead. */
static void stand_in(struct node *n, struct object *o, struct object *s)
{
    list_for_each(node, &o->pages) page_unmap(n, list_entry(node, struct page, peers));
    while (!list_empty(&o->regions)) {
        struct region *r = list_entry(o->regions.next, struct region, views);

        list_remove(&r->views);
        list_push_back(&s->regions, &r->views);
        r->object = s;
        s->references++;
        o->references--; /* the shadow's own is left */
    }
}

static int copy(struct node *n, struct task *to, struct region *r)
{
    struct object *o = r->object, *theirs = shadow_of(n, o), *ours = NULL;
    int error;

    if (!theirs)
        return DEMOS_E_MEMORY;
    theirs->references++; /* while it is not shown */
    error = region_show(n, to, r->base, r->length, theirs, r);
    theirs->references--;
    object_check(n, theirs);
    if (error || o->keeper.kind != DEMOS_KINDS)
        return error;
    ours = shadow_of(n, o);
    if (!ours)
        return DEMOS_E_MEMORY;
    stand_in(n, o, ours);
    return 0;
}

int inherit(struct node *n, struct task *to, struct task *from)
{
    int error = 0;

    if (to == from || to->state != DEMOS_NEW)
        return DEMOS_E_STATE;
    if (!machine_frames(n, &(u32){0}))
        return DEMOS_E_CALL;
    for (struct region *r = from->regions; r && !error; r = r->next) {
        if (r->inheritance == REGION_NONE)
            continue;
        error = region_objectify(n, r);
        if (!error && r->inheritance == REGION_SHARE)
            error = region_show(n, to, r->base, r->length, r->object, r);
        else if (!error)
            error = copy(n, to, r);
        to->grows |= r->grows != REGION_STAYS;
    }
    return error;
}

/* --- moves -------------------------------------------------------------------------- */

/* The frame behind a page that may be read, with one more holder. False: not to be had
 * without waiting. 0: it reads as zero. */
static bool lend(struct node *n, struct task *from, u64 va, u32 *frame)
{
    const struct region *r = task_region(from, va);
    u64 index;

    if (!r || !(r->protection & REGION_READ))
        return false;
    if (!r->object) {
        *frame = machine_page_lend(n, from, r, va);
        return *frame != 0;
    }
    index = (r->offset + (va - r->base)) / machine_page_size(n);
    for (const struct object *o = r->object; o; o = o->shadow) {
        struct page *p = page_find(n, o, index);

        if (!p && o->keeper.kind == DEMOS_KINDS && !o->failed && !object_away(o, index))
            continue;
        if (!p || p->state != PAGE_HERE || p->lock)
            return false;
        page_unmap(n, p); /* who writes there copies first, now */
        machine_frame_hold(n, p->frame);
        *frame = p->frame;
        return true;
    }
    return false;
}

/* The frame becomes the page of `va`; false: it cannot now. */
static bool put(struct node *n, struct task *to, u64 va, u32 frame)
{
    const struct region *r = task_region(to, va);
    u64 index = (r->offset + (va - r->base)) / machine_page_size(n);
    struct page *p = page_find(n, r->object, index);

    if (p && (p->state != PAGE_HERE || p->lock))
        return false;
    if (p) {
        page_unmap(n, p);
        machine_frame_drop(n, p->frame);
        p->frame = frame;
        p->dirty = true;
        return true;
    }
    if (r->object->keeper.kind != DEMOS_KINDS || r->object->failed)
        return false; /* its keeper may hold a right back */
    p = page_enter(n, r->object, index, frame);
    if (!p)
        return false;
    p->state = PAGE_HERE;
    p->dirty = true;
    page_queue(n, p);
    return true;
}

u64 page_share(struct node *n, struct task *to, u64 to_address, struct task *from,
               u64 from_address, u64 len)
{
    const struct region *r = task_region(to, to_address);
    u32 size = machine_page_size(n), frame;
    u64 done = 0;

    if (r && !r->object)
        return machine_share(n, to, to_address, from, from_address, len);
    for (; done < len; done += size) {
        r = task_region(to, to_address + done);
        if (!r || !r->object || !lend(n, from, from_address + done, &frame))
            break;
        if (!put(n, to, to_address + done, frame)) {
            machine_frame_drop(n, frame);
            break;
        }
    }
    return done;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of simulated processes: a sorted array of mapped pages per process, pages shared
 * copy-on-write by counting. Slow and obvious; what real machines do is compared with it.
 */
#include "guest/machine/sim/space.h"
#include <stdlib.h>
#include <string.h>

static u32 place(const struct sim_space *s, u64 page)
{
    u32 low = 0, high = s->count;

    while (low < high) {
        u32 middle = (low + high) / 2;

        if (s->slots[middle].page < page)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Pages of one region lie side by side, so the last one found says where the next one is. */
static struct sim_slot *find(struct sim_space *s, u64 page)
{
    u64 near = s->recent < s->count ? s->recent + page - s->slots[s->recent].page : s->count;

    if (near >= s->count || s->slots[near].page != page)
        near = place(s, page);
    s->recent = (u32)near;
    return near < s->count && s->slots[near].page == page ? &s->slots[near] : NULL;
}

struct sim_frame *sim_frame_new(struct sim *sim)
{
    struct sim_frame *f = calloc(1, sizeof(*f));

    f->references = 1;
    sim->pages++;
    return f;
}

void sim_frame_drop(struct sim *sim, struct sim_frame *f)
{
    if (!f || --f->references)
        return;
    sim->pages--;
    free(f);
}

struct sim_space *sim_space_new(struct sim *sim)
{
    struct sim_space *s = calloc(1, sizeof(*s));

    s->sim = sim;
    return s;
}

static void forget(struct sim_space *s, struct sim_slot *slot)
{
    if (!slot->kept)
        sim_frame_drop(s->sim, slot->frame);
}

void sim_space_free(struct sim_space *s)
{
    for (u32 i = 0; i < s->count; i++)
        forget(s, &s->slots[i]);
    free(s->slots);
    free(s);
}

void sim_space_map(struct sim_space *s, u64 base, u64 len, u32 protection, bool kept)
{
    u32 pages = (u32)(len / SIM_PAGE), at = place(s, base / SIM_PAGE);

    s->slots = realloc(s->slots, (s->count + pages) * sizeof(*s->slots));
    memmove(s->slots + at + pages, s->slots + at, (s->count - at) * sizeof(*s->slots));
    for (u32 i = 0; i < pages; i++)
        s->slots[at + i] = (struct sim_slot){base / SIM_PAGE + i, NULL, protection, kept,
                                             false};
    s->count += pages;
}

void sim_space_unmap(struct sim_space *s, u64 base, u64 len)
{
    u32 from = place(s, base / SIM_PAGE), to = place(s, (base + len) / SIM_PAGE);

    for (u32 i = from; i < to; i++)
        forget(s, &s->slots[i]);
    memmove(s->slots + from, s->slots + to, (s->count - to) * sizeof(*s->slots));
    s->count -= to - from;
}

void sim_space_protect(struct sim_space *s, u64 base, u64 len, u32 protection)
{
    u32 to = place(s, (base + len) / SIM_PAGE);

    for (u32 i = place(s, base / SIM_PAGE); i < to; i++)
        s->slots[i].protection = protection;
}

/* A frame of its own for a page about to be written. */
static struct sim_frame *own(struct sim_space *s, struct sim_slot *slot)
{
    struct sim_frame *old = slot->frame;

    if (old && (old->references == 1 || slot->kept))
        return old;
    slot->frame = sim_frame_new(s->sim);
    if (old) {
        memcpy(slot->frame->bytes, old->bytes, SIM_PAGE);
        sim_frame_drop(s->sim, old);
        s->sim->copies++;
    }
    return slot->frame;
}

static bool usable(struct sim_space *s, u64 address, size_t len, u32 right)
{
    if (len > ~address)
        return false;
    for (u64 page = address / SIM_PAGE; len && page <= (address + len - 1) / SIM_PAGE; page++) {
        const struct sim_slot *slot = find(s, page);

        if (!slot || (right && !(slot->protection & right)))
            return false;
    }
    return true;
}

u64 sim_space_missing(struct sim_space *s, u64 address, size_t len, u32 right, bool write,
                      bool grows)
{
    for (u64 page = address / SIM_PAGE; len && page <= (address + len - 1) / SIM_PAGE; page++) {
        const struct sim_slot *slot = find(s, page);

        if (!slot)
            return grows ? page * SIM_PAGE : 0;
        if (right && !(slot->protection & right))
            return 0;
        if (slot->kept && (!slot->frame || (write && !slot->write)))
            return page * SIM_PAGE;
    }
    return 0;
}

void sim_space_show(struct sim_space *s, u64 address, struct sim_frame *frame, bool write)
{
    struct sim_slot *slot = find(s, address / SIM_PAGE);

    if (!slot)
        return;
    slot->frame = frame;
    slot->write = write;
}

struct sim_frame *sim_space_lend(struct sim_space *s, u64 address)
{
    struct sim_slot *slot = find(s, address / SIM_PAGE);

    if (slot && slot->frame)
        slot->frame->references++;
    return slot ? slot->frame : NULL;
}

bool sim_space_there(struct sim_space *s, u64 address)
{
    const struct sim_slot *slot = find(s, address / SIM_PAGE);

    return slot && slot->frame;
}

u8 *sim_space_at(struct sim_space *s, u64 address, size_t len, u32 right, bool write)
{
    struct sim_slot *slot = find(s, address / SIM_PAGE);
    size_t at = address % SIM_PAGE;

    if (!slot || !slot->frame || len > SIM_PAGE - at || (right && !(slot->protection & right)))
        return NULL;
    if (write && !(slot->kept ? slot->write : slot->frame->references == 1))
        return NULL;
    return slot->frame->bytes + at;
}

bool sim_space_access(struct sim_space *s, u64 address, void *bytes, size_t len, u32 right,
                      bool write)
{
    if (!usable(s, address, len, right))
        return false;
    while (len) {
        struct sim_slot *slot = find(s, address / SIM_PAGE);
        size_t at = address % SIM_PAGE, piece = MIN(len, SIM_PAGE - at);

        if (write)
            memcpy(own(s, slot)->bytes + at, bytes, piece);
        else if (slot->frame)
            memcpy(bytes, slot->frame->bytes + at, piece);
        else
            memset(bytes, 0, piece);
        bytes = (u8 *)bytes + piece;
        address += piece;
        len -= piece;
    }
    return true;
}

void *sim_space_reach(struct sim_space *s, u64 address, size_t len)
{
    struct sim_slot *slot = find(s, address / SIM_PAGE);
    size_t at = address % SIM_PAGE;

    if (!slot || !slot->frame || at % 8 || at > SIM_PAGE - len ||
        !(slot->protection & REGION_WRITE) || (slot->kept && !slot->write) ||
        (!slot->kept && slot->frame->references > 1))
        return NULL;
    return slot->frame->bytes + at;
}

u64 sim_space_share(struct sim_space *to, u64 to_address, struct sim_space *from,
                    u64 from_address, u64 len)
{
    u64 done = 0;

    for (; done < len; done += SIM_PAGE) {
        struct sim_slot *source = find(from, (from_address + done) / SIM_PAGE);
        struct sim_slot *target = find(to, (to_address + done) / SIM_PAGE);

        if (!source || !target || !(source->protection & REGION_READ) || source->kept ||
            target->kept)
            break;
        if (source->frame)
            source->frame->references++;
        sim_frame_drop(to->sim, target->frame);
        target->frame = source->frame;
    }
    return done;
}

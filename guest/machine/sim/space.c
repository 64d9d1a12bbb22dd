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

static struct sim_slot *find(const struct sim_space *s, u64 page)
{
    u32 at = place(s, page);

    return at < s->count && s->slots[at].page == page ? &s->slots[at] : NULL;
}

static struct sim_frame *frame_new(struct sim *sim)
{
    struct sim_frame *f = calloc(1, sizeof(*f));

    f->references = 1;
    sim->pages++;
    return f;
}

static void frame_drop(struct sim *sim, struct sim_frame *f)
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

void sim_space_free(struct sim_space *s)
{
    for (u32 i = 0; i < s->count; i++)
        frame_drop(s->sim, s->slots[i].frame);
    free(s->slots);
    free(s);
}

void sim_space_map(struct sim_space *s, u64 base, u64 len, u32 protection)
{
    u32 pages = (u32)(len / SIM_PAGE), at = place(s, base / SIM_PAGE);

    s->slots = realloc(s->slots, (s->count + pages) * sizeof(*s->slots));
    memmove(s->slots + at + pages, s->slots + at, (s->count - at) * sizeof(*s->slots));
    for (u32 i = 0; i < pages; i++)
        s->slots[at + i] = (struct sim_slot){base / SIM_PAGE + i, NULL, protection};
    s->count += pages;
}

void sim_space_unmap(struct sim_space *s, u64 base, u64 len)
{
    u32 from = place(s, base / SIM_PAGE), to = place(s, (base + len) / SIM_PAGE);

    for (u32 i = from; i < to; i++)
        frame_drop(s->sim, s->slots[i].frame);
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

    if (old && old->references == 1)
        return old;
    slot->frame = frame_new(s->sim);
    if (old) {
        memcpy(slot->frame->bytes, old->bytes, SIM_PAGE);
        frame_drop(s->sim, old);
        s->sim->copies++;
    }
    return slot->frame;
}

static bool usable(const struct sim_space *s, u64 address, size_t len, u32 right)
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

u64 sim_space_share(struct sim_space *to, u64 to_address, struct sim_space *from,
                    u64 from_address, u64 len)
{
    u64 done = 0;

    for (; done < len; done += SIM_PAGE) {
        struct sim_slot *source = find(from, (from_address + done) / SIM_PAGE);
        struct sim_slot *target = find(to, (to_address + done) / SIM_PAGE);

        if (!source || !target || !(source->protection & REGION_READ) ||
            !(target->protection & REGION_WRITE))
            break;
        if (source->frame)
            source->frame->references++;
        frame_drop(to->sim, target->frame);
        target->frame = source->frame;
    }
    return done;
}

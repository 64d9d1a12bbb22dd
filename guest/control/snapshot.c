/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshots as they are kept. See snapshot.h.
 */
#include "guest/control/snapshot.h"
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/mix.h"
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"

static struct list all = {&all, &all};
static u32 count;

struct snapshot *snapshot_find(const char *key)
{
    list_for_each(at, &all)
    {
        struct snapshot *s = list_entry(at, struct snapshot, link);

        if (strcmp(s->key, key) == 0)
            return s;
    }
    return NULL;
}

void snapshot_drop(struct snapshot *s)
{
    list_remove(&s->link);
    count--;
    for (u32 i = 0; i < s->frames; i++)
        if (s->frame[i])
            rt_frames_free(s->frame[i], 1);
    rt_free(s->frame, s->frames * sizeof(*s->frame));
    rt_free(s, sizeof(*s));
}

struct snapshot *snapshot_new(const char *key, u32 frames)
{
    struct snapshot *s = snapshot_find(key);

    if (s)
        snapshot_drop(s);
    if (count == SNAPSHOTS_MOST || !frames || frames > rt_frames_left())
        return NULL;
    s = rt_alloc(sizeof(*s));
    if (!s)
        return NULL;
    *s = (struct snapshot){.frames = frames, .frame = rt_alloc(frames * sizeof(*s->frame))};
    memcpy(s->key, key, MIN(strlen(key), sizeof(s->key) - 1));
    list_push_back(&all, &s->link);
    count++;
    if (!s->frame) {
        s->frames = 0;
        snapshot_drop(s);
        return NULL;
    }
    memset(s->frame, 0, frames * sizeof(*s->frame));
    for (u32 i = 0; i < frames; i++) {
        s->frame[i] = rt_frames(1);
        if (!s->frame[i]) {
            snapshot_drop(s);
            return NULL;
        }
    }
    return s;
}

static struct snapshot_head *head_of(const struct snapshot *s)
{
    return (struct snapshot_head *)s->frame[0];
}

const struct snapshot_head *snapshot_head(const struct snapshot *s)
{
    return head_of(s);
}

/* With what its head says of it as 0. */
static u64 sum(const struct snapshot *s)
{
    struct snapshot_head *h = head_of(s);
    u64 said = h->sum, digest = 0;

    h->sum = 0;
    for (u32 i = 0; i < s->frames; i++)
        for (u32 k = 0; k < SNAPSHOT_PAGE / 8; k++)
            digest = mix(digest, ((const u64 *)s->frame[i])[k]);
    h->sum = said;
    return digest;
}

void snapshot_seal(struct snapshot *s)
{
    head_of(s)->sum = sum(s);
    s->whole = true;
}

static bool refuse(char *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool refuse(char *why, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vformat(why, WHY, fmt, args);
    va_end(args);
    return false;
}

/* Once: nobody but us writes it after that. */
static bool check_whole(struct snapshot *s, char *why)
{
    const struct snapshot_head *h = head_of(s);

    if (h->magic != SNAPSHOT_MAGIC)
        return refuse(why, "that is no snapshot");
    if (h->version != SNAPSHOT_VERSION)
        return refuse(why, "the snapshot has version %u, not %u", h->version, SNAPSHOT_VERSION);
    if (h->frames != s->frames)
        return refuse(why, "the snapshot is cut: of %u pages there are %u", h->frames,
                      s->frames);
    if (h->sum != sum(s))
        return refuse(why, "the snapshot is damaged: its checksum is wrong");
    if (snapshot_data_at(h) + (u64)h->pages != h->frames ||
        strnlen(h->name, sizeof(h->name)) == sizeof(h->name) ||
        strnlen(h->image, sizeof(h->image)) == sizeof(h->image))
        return refuse(why, "the snapshot is not one of ours: its parts do not fit");
    s->whole = true;
    return true;
}

bool snapshot_check(struct snapshot *s, const struct guest *g, char *why)
{
    const struct snapshot_head *h = head_of(s);

    if (!s->whole && !check_whole(s, why))
        return false;
    if (strcmp(h->name, g->name) != 0)
        return refuse(why, "the snapshot is of %s, not of %s", h->name, g->name);
    if (strcmp(h->image, g->recipe.image) != 0)
        return refuse(why, "the snapshot is of a domain of image %s, not %s", h->image,
                      g->recipe.image);
    if (h->memory != g->recipe.memory)
        return refuse(why, "the snapshot is of a domain of %lu KiB, %s has %lu",
                      h->memory >> 10, g->name, g->recipe.memory >> 10);
    return h->vcpus == g->recipe.vcpus ||
           refuse(why, "the snapshot is of a domain of %u vCPUs, %s has %u", h->vcpus, g->name,
                  g->recipe.vcpus);
}

bool snapshot_go_on(struct snapshot *s)
{
    bool first = false, known = false;

    list_for_each(at, &all)
    {
        struct snapshot *other = list_entry(at, struct snapshot, link);

        if (!other->whole || head_of(other)->life != head_of(s)->life)
            continue;
        known |= other->ours;
        first |= other->ours && !other->gone_on;
        other->gone_on = true;
    }
    return known && first;
}

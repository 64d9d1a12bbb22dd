/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks in memory, delays, and faults. A request's number decides what befalls it, so that
 * taking one fault away changes no other.
 */
#include "base/keyed.h"
#include "splitdrv/disks/disk.h"

enum { KEY_ERROR, KEY_TORN, KEY_LOST, KEY_WHERE, KEY_STRAY, KEY_STALE, KEYS };

void disk_init(struct disk *d, const char *id, const char *name, u64 seed)
{
    *d = (struct disk){.seed = seed};
    memcpy(d->id, id, MIN(strlen(id), sizeof(d->id) - 1));
    memcpy(d->name, name, MIN(strlen(name), sizeof(d->name) - 1));
    for (u32 i = 0; d->name[i]; i++)
        d->object = keyed_mix(d->object ^ (u8)d->name[i]);
}

static bool happens(const struct disk *d, u32 what, u64 parts)
{
    return parts && keyed_chance(d->seed, d->object, d->count * KEYS + what, (u32)parts);
}

static void perform(struct disk *d, const struct blk_job *j)
{
    u8 *at = d->bytes + j->sector * BLK_SECTOR;
    u64 bytes = j->sectors * BLK_SECTOR;

    if (d->past && (j->op == BLKIF_OP_WRITE || j->op == BLKIF_OP_DISCARD))
        past_keep(d->past, j->sector, at, MIN(j->sectors, (u64)PAST_SECTORS));
    if (j->op == BLKIF_OP_READ)
        memcpy(j->data, at, bytes);
    else if (j->op == BLKIF_OP_WRITE)
        memcpy(at, j->data, bytes);
    else if (j->op == BLKIF_OP_DISCARD)
        memset(at, 0, bytes);
    else if (d->past)
        d->durable = d->past->next;
    if (d->cached && j->op == BLKIF_OP_WRITE)
        disk_up_struck(d, DISK_WHY_CACHED);
}

u64 disk_cache(struct disk *d, bool on)
{
    u64 lost = 0;

    if (on && !d->cached)
        d->durable = d->past->next;
    else if (!on && d->cached)
        lost = past_undo(d->past, d->durable, d->bytes);
    d->cached = on;
    return lost;
}

void disk_done(struct blk_job *j, int error)
{
    disk_up_answer(j, j->error ? j->error : error);
}

/* Memory keeps what it was told: a flush makes it last when the power is to fail, and has nothing to do
 * otherwise. */
static void carry_out(struct disk *d, struct blk_job *j, u64 sectors, int error)
{
    j->error = error;
    j->sectors = sectors;
    if (d->device) {
        disk_down_begin(d->device, j);
        return;
    }
    perform(d, j);
    disk_done(j, 0);
}

/* What befalls the next request, or -1. */
static int strike(const struct disk *d, bool write)
{
    if (happens(d, KEY_ERROR, d->faults.error))
        return DISK_WHY_ERROR;
    if (!write)
        return d->past && happens(d, KEY_STALE, d->faults.stale) ? DISK_WHY_STALE : -1;
    if (d->faults.full)
        return DISK_WHY_FULL;
    if (happens(d, KEY_LOST, d->faults.lost))
        return DISK_WHY_LOST;
    if (happens(d, KEY_TORN, d->faults.torn))
        return DISK_WHY_TORN;
    return happens(d, KEY_STRAY, d->faults.stray) ? DISK_WHY_STRAY : -1;
}

/* To any other place at which there is room for it. */
static void write_elsewhere(struct disk *d, struct blk_job *j, u64 draw)
{
    u64 places = d->sectors - j->sectors + 1;

    if (places > 1)
        j->sector = (j->sector + 1 + draw % (places - 1)) % places;
    carry_out(d, j, j->sectors, 0);
}

static void read_past(struct disk *d, struct blk_job *j)
{
    perform(d, j);
    for (u64 i = 0; i < j->sectors; i++) {
        const u8 *was = past_of(d->past, j->sector + i);

        if (was)
            memcpy(j->data + i * BLK_SECTOR, was, BLK_SECTOR);
    }
    disk_up_answer(j, 0);
}

/* How much of the job is done, and how it is answered. */
static void suffer(struct disk *d, struct blk_job *j)
{
    int why = strike(d, j->op == BLKIF_OP_WRITE);
    u64 where = d->count * KEYS + KEY_WHERE;
    u64 part = keyed_below(d->seed, d->object, where, j->sectors);

    if (why >= 0)
        disk_up_struck(d, (enum disk_why)why);
    d->count++;
    if (why < 0)
        carry_out(d, j, j->sectors, 0);
    else if (why == DISK_WHY_TORN && part)
        carry_out(d, j, part, -XEN_EIO);
    else if (why == DISK_WHY_STRAY)
        write_elsewhere(d, j, keyed_random(d->seed, d->object, where));
    else if (why == DISK_WHY_STALE)
        read_past(d, j);
    else
        disk_up_answer(j, why == DISK_WHY_LOST ? 0 : -XEN_EIO);
}

static void wait(struct disk *d, struct blk_job *j, u64 due)
{
    struct blk_job **at = &d->waiting;

    while (*at && (*at)->due_ns <= due)
        at = &(*at)->next;
    j->due_ns = due;
    j->next = *at;
    *at = j;
}

void disk_begin(struct disk *d, struct blk_job *j, u64 now)
{
    if (d->faults.delay_ns)
        disk_up_struck(d, DISK_WHY_LATE);
    if (d->faults.delay_ns || d->waiting)
        wait(d, j, now + d->faults.delay_ns);
    else
        suffer(d, j);
}

void disk_run(struct disk *d, u64 now)
{
    struct blk_job *j;

    while ((j = d->waiting) && j->due_ns <= now) {
        d->waiting = j->next;
        suffer(d, j);
    }
}

u64 disk_deadline(const struct disk *d)
{
    return d->waiting ? d->waiting->due_ns : ~0ull;
}

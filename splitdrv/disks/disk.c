/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks in memory, delays, and faults. A request's number decides what befalls it, so that
 * taking one fault away changes no other.
 */
#include "base/keyed.h"
#include "splitdrv/disks/disk.h"

enum { KEY_ERROR, KEY_TORN, KEY_LOST, KEY_WHERE, KEYS };

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

static void perform(const struct disk *d, const struct blk_job *j)
{
    u8 *at = d->bytes + j->sector * BLK_SECTOR;
    u64 bytes = j->sectors * BLK_SECTOR;

    if (j->op == BLKIF_OP_READ)
        memcpy(j->data, at, bytes);
    else if (j->op == BLKIF_OP_WRITE)
        memcpy(at, j->data, bytes);
    else if (j->op == BLKIF_OP_DISCARD)
        memset(at, 0, bytes);
}

void disk_done(struct blk_job *j, int error)
{
    disk_up_answer(j, j->error ? j->error : error);
}

/* Memory keeps what it was told: a flush has nothing left to do. */
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
        return -1;
    if (d->faults.full)
        return DISK_WHY_FULL;
    if (happens(d, KEY_LOST, d->faults.lost))
        return DISK_WHY_LOST;
    return happens(d, KEY_TORN, d->faults.torn) ? DISK_WHY_TORN : -1;
}

/* How much of the job is done, and how it is answered. */
static void suffer(struct disk *d, struct blk_job *j)
{
    int why = strike(d, j->op == BLKIF_OP_WRITE);
    u64 part = keyed_below(d->seed, d->object, d->count * KEYS + KEY_WHERE, j->sectors);

    if (why >= 0)
        disk_up_struck(d, (enum disk_why)why);
    d->count++;
    if (why < 0)
        carry_out(d, j, j->sectors, 0);
    else if (why == DISK_WHY_TORN && part)
        carry_out(d, j, part, -XEN_EIO);
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

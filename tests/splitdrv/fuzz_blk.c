/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Either end of the block driver against random ring contents (F18-F20, F22), as
 * fuzz_net.c. The disk is checked by the sanitizer: a request outside it is found out.
 */
#include <stdlib.h>
#include "splitdrv/blk.h"
#include "tests/splitdrv/world.h"

enum { PAGES = 12, SECTORS = 64 };

static u8 *ring, *disk;
static const u8 *left;
static size_t left_size;

static struct blk_job *kept;
static bool slow;

static void answer(struct blk_job *j)
{
    u8 *at = disk + j->sector * BLK_SECTOR;
    size_t bytes = j->sectors * BLK_SECTOR;

    if (j->op == BLKIF_OP_READ)
        memcpy(j->data, at, bytes);
    else if (j->op == BLKIF_OP_WRITE)
        memcpy(at, j->data, bytes);
    else if (j->op == BLKIF_OP_DISCARD)
        memset(at, 0, bytes);
    blkback_answer(j, 0);
}

/* A slow disk answers the last first, some time. */
void split_disk_begin(void *d, struct blk_job *j)
{
    (void)d;
    if (!slow) {
        answer(j);
        return;
    }
    j->next = kept;
    kept = j;
}

static void answer_some(u32 most)
{
    while (kept && most--) {
        struct blk_job *j = kept;

        kept = j->next;
        answer(j);
    }
}

static void scribble(void)
{
    u32 at;

    if (left_size < 4)
        return;
    at = left[0] & 2 ? (left[1] & 15) : 64u + (left[1] | (left[0] & 4u) << 6) % 360u;
    ring[at] = left[2];
    ring[at + 1] = left[3];
    left += 4;
    left_size -= 4;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    u8 *memory, *buffers;
    struct blkfront *f;
    struct blkback *b;

    if (size < 1)
        return 0;
    world_reset();
    memory = aligned_alloc(SPLIT_PAGE, (PAGES + 1) * SPLIT_PAGE);
    memset(memory, 0, (PAGES + 1) * SPLIT_PAGE);
    disk = calloc(SECTORS, BLK_SECTOR);
    buffers = aligned_alloc(SPLIT_PAGE, BLK_JOBS * BLK_JOB_BYTES);
    f = malloc(sizeof(*f));
    b = malloc(sizeof(*b));
    ring = memory;
    left = data + 1;
    left_size = size - 1;
    world.meddle = data[0] & 4 ? scribble : NULL;
    world.fail_every = data[0] & 8 ? 3 : 0;
    if (!blkfront_open(f, 1, ring, 1, memory + SPLIT_PAGE, PAGES))
        abort();
    blkback_open(b, 2, ring, 2, data[0] & 32 ? BLK_LAYOUT_32 : BLK_LAYOUT_64, data[0] & 2,
                 &(struct blk_disk){disk, SECTORS, data[0] & 64}, buffers);
    slow = data[0] & 16;
    kept = NULL;
    while (left_size >= 4) {
        static u8 buffer[BLK_RING][SPLIT_PAGE];
        u32 op = left[0] >> 2;
        void *cookie;
        s16 status;

        if (data[0] & 1 || op & 1)
            scribble();
        else
            left += 4, left_size -= 4;
        switch (op % 4) {
        case 0:
            blkfront_begin(f, op & 8 ? BLKIF_OP_WRITE : BLKIF_OP_READ, op & 63,
                           buffer[op % BLK_RING], 512 * (op % 9), NULL);
            break;
        case 1:
            blkfront_flush(f);
            blkfront_idle(f);
            break;
        case 2:
            blkback_run(b, 40);
            answer_some(op & 15);
            blkback_flush(b);
            blkback_idle(b);
            break;
        default: blkfront_end(f, &cookie, &status); break;
        }
    }
    blkback_close(b);
    if (!blkfront_close(f) || world_held())
        abort();
    answer_some(BLK_JOBS);
    if (b->busy)
        abort();
    free(buffers);
    free(b);
    free(f);
    free(disk);
    free(memory);
    return 0;
}

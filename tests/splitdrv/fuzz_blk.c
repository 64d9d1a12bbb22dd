/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Either end of the block driver against random ring contents (F18-F20, F22), as
 * fuzz_net.c. The disk is checked by the sanitizer: a request outside it is found out.
 */
#include <stdlib.h>
#include "splitdrv/blk.h"
#include "tests/splitdrv/world.h"

enum { PAGES = 12, SECTORS = 64 };

static u8 *ring;
static const u8 *left;
static size_t left_size;

int split_disk_read(void *d, u64 sector, void *buffer, u32 bytes)
{
    memcpy(buffer, (u8 *)d + sector * BLK_SECTOR, bytes);
    return 0;
}

int split_disk_write(void *d, u64 sector, const void *buffer, u32 bytes)
{
    memcpy((u8 *)d + sector * BLK_SECTOR, buffer, bytes);
    return 0;
}

int split_disk_flush(void *d)
{
    (void)d;
    return 0;
}

int split_disk_discard(void *d, u64 sector, u64 sectors)
{
    memset((u8 *)d + sector * BLK_SECTOR, 0, sectors * BLK_SECTOR);
    return 0;
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
    u8 *memory, *disk;
    struct blkfront *f;
    struct blkback *b;

    if (size < 1)
        return 0;
    world_reset();
    memory = aligned_alloc(SPLIT_PAGE, (PAGES + 1) * SPLIT_PAGE);
    memset(memory, 0, (PAGES + 1) * SPLIT_PAGE);
    disk = calloc(SECTORS, BLK_SECTOR);
    f = malloc(sizeof(*f));
    b = malloc(sizeof(*b));
    ring = memory;
    left = data + 1;
    left_size = size - 1;
    world.meddle = data[0] & 4 ? scribble : NULL;
    world.fail_every = data[0] & 8 ? 3 : 0;
    if (!blkfront_open(f, 1, ring, 1, memory + SPLIT_PAGE, PAGES))
        abort();
    blkback_open(b, 2, ring, 2, data[0] & 2, disk, SECTORS, false);
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
            blkback_flush(b);
            blkback_idle(b);
            break;
        default: blkfront_end(f, &cookie, &status); break;
        }
    }
    blkback_close(b);
    if (!blkfront_close(f) || world_held())
        abort();
    free(b);
    free(f);
    free(disk);
    free(memory);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated pager's disk: the disk domain's own (splitdrv/disks/disk.h), whose every request can be
 * told to go wrong, behind the check that disk interfaces make (guest/servers/files/verify.h).
 */
#ifndef TESTS_VM_MEDIUM_H
#define TESTS_VM_MEDIUM_H

#include "guest/kernel/abi.h"
#include "guest/machine/sim/sim.h"
#include "guest/servers/files/verify.h"
#include "splitdrv/disks/disk.h"
#include "tests/check.h"

enum { MEDIUM_PAGES = 1024, MEDIUM_BLOCKS = SIM_PAGE / BLK_SECTOR };
#define MEDIUM_ALWAYS 0xffffffffull

static u8 medium_bytes[MEDIUM_PAGES * SIM_PAGE];
static struct past medium_past;
static struct disk medium;
static u64 medium_struck[DISK_WHY_STALE + 1];
static bool medium_spares_writes; /* only reads go wrong */
static bool medium_once;          /* one request goes wrong, no more */
static int medium_error;

void disk_up_answer(struct blk_job *j, int error)
{
    (void)j;
    medium_error = error;
}

void disk_down_begin(void *device, struct blk_job *j)
{
    (void)device, (void)j;
    CHECK(false); /* it is memory */
}

void disk_up_struck(const struct disk *d, enum disk_why why)
{
    (void)d;
    medium_struck[why]++;
    if (medium_once)
        medium.faults = (struct disk_faults){0};
}

static void medium_reset(void)
{
    disk_init(&medium, "0", "pages", 1);
    medium.bytes = medium_bytes;
    medium.sectors = sizeof(medium_bytes) / BLK_SECTOR;
    medium.past = &medium_past;
    medium_past.next = 0;
    medium_spares_writes = medium_once = false;
    memset(medium_bytes, 0, sizeof(medium_bytes));
    memset(medium_struck, 0, sizeof(medium_struck));
}

static s64 medium_request(u8 op, u64 block, u64 count, u8 *data)
{
    struct blk_job j = {.op = op, .sector = block, .sectors = count, .data = data};
    struct disk_faults faults = medium.faults;
    bool spared = op == BLKIF_OP_WRITE && medium_spares_writes;

    if (spared)
        medium.faults = (struct disk_faults){0};
    disk_begin(&medium, &j, 0);
    if (spared)
        medium.faults = faults;
    return medium_error ? DEMOS_E_REFUSED : 0;
}

s64 verify_down_read(u64 block, u64 count, const u8 **bytes)
{
    static u8 page[SIM_PAGE];

    CHECK_EQ(count, MEDIUM_BLOCKS);
    *bytes = page;
    return medium_request(BLKIF_OP_READ, block, count, page);
}

#endif

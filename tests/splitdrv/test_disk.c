/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disk domain's memory disks and their faults (F24): what is told to fail fails, in the
 * way it was told to and by the seed alone; delays keep the order; devices get what is left.
 */
#include "base/keyed.h"
#include "splitdrv/disks/disk.h"
#include "tests/check.h"

enum { SECTORS = 64, JOBS = 400 };
#define ALWAYS 0xffffffffull
#define HALF   0x80000000ull

static u8 bytes[SECTORS * BLK_SECTOR];
static u8 data[8 * BLK_SECTOR];
static struct disk disk;
static u32 answers, errors;
static struct blk_job *order[JOBS];
static struct blk_job *given;
static u32 struck[DISK_WHY_LATE + 1];

void disk_up_answer(struct blk_job *j, int error)
{
    order[answers++ % JOBS] = j;
    errors += error != 0;
}

void disk_down_begin(void *device, struct blk_job *j)
{
    CHECK(device == &given);
    given = j;
}

void disk_up_struck(const struct disk *d, enum disk_why why)
{
    CHECK(d == &disk);
    struck[why]++;
}

static void fresh(u64 seed)
{
    disk_init(&disk, "0", "a-0", seed);
    disk.bytes = bytes;
    disk.sectors = SECTORS;
    memset(bytes, 0, sizeof(bytes));
    answers = errors = 0;
    memset(struck, 0, sizeof(struck));
}

static struct blk_job job(u8 op, u64 sector, u64 sectors, u8 fill)
{
    memset(data, fill, sizeof(data));
    return (struct blk_job){.op = op, .sector = sector, .sectors = sectors, .data = data};
}

static void test_memory(void)
{
    struct blk_job j = job(BLKIF_OP_WRITE, 3, 2, 7);

    fresh(1);
    disk_begin(&disk, &j, 0);
    CHECK(bytes[3 * 512] == 7 && bytes[5 * 512 - 1] == 7 && !bytes[5 * 512] && !bytes[1535]);
    j = job(BLKIF_OP_READ, 4, 1, 9);
    disk_begin(&disk, &j, 0);
    CHECK(data[0] == 7 && data[511] == 7 && data[512] == 9);
    j = job(BLKIF_OP_DISCARD, 4, 1, 0);
    disk_begin(&disk, &j, 0);
    CHECK(bytes[3 * 512] == 7 && !bytes[4 * 512]);
    j = job(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0);
    disk_begin(&disk, &j, 0);
    CHECK_EQ(answers, 4);
    CHECK_EQ(errors, 0);
    CHECK_EQ(disk_deadline(&disk), ~0ull);
}

/* Errors, full and lost writes leave the disk as it was; a torn one leaves a beginning. */
static void test_faults(void)
{
    struct blk_job j = job(BLKIF_OP_WRITE, 0, 8, 7);
    u32 parts = 0;

    fresh(1);
    disk.faults.error = ALWAYS;
    disk_begin(&disk, &j, 0);
    CHECK_EQ(errors, 1);
    disk.faults = (struct disk_faults){.full = 1};
    disk_begin(&disk, &j, 0);
    CHECK_EQ(errors, 2);
    disk.faults = (struct disk_faults){.lost = ALWAYS};
    disk_begin(&disk, &j, 0);
    CHECK(errors == 2 && answers == 3 && !bytes[0]);
    disk.faults = (struct disk_faults){.full = 1, .lost = ALWAYS, .torn = ALWAYS};
    j.op = BLKIF_OP_READ;
    disk_begin(&disk, &j, 0);
    CHECK_EQ(errors, 2); /* reads are not writes */
    disk.faults = (struct disk_faults){.torn = ALWAYS};
    for (u32 i = 0; i < 100; i++) {
        u32 whole = 0;

        j = job(BLKIF_OP_WRITE, 0, 8, 7);
        memset(bytes, 0, sizeof(bytes));
        disk_begin(&disk, &j, 0);
        while (whole < 8 && bytes[whole * 512] == 7 && bytes[whole * 512 + 511] == 7)
            whole++;
        for (u32 k = whole * 512; k < sizeof(bytes); k++)
            CHECK(!bytes[k]);
        CHECK(whole < 8);
        parts |= 1u << whole;
    }
    CHECK_EQ(parts, 0xff); /* every length, none and seven sectors included */
    CHECK_EQ(errors, 102);
    CHECK(struck[DISK_WHY_ERROR] == 1 && struck[DISK_WHY_FULL] == 1 &&
          struck[DISK_WHY_LOST] == 1 && struck[DISK_WHY_TORN] == 100);
}

/* What befalls a request depends on seed, disk and its number, not on other faults. */
static void test_decided_by_the_seed(void)
{
    u8 failed[2][JOBS];
    u32 differ = 0;

    for (u64 seed = 1; seed <= 2; seed++) {
        for (u32 round = 0; round < 2; round++) {
            fresh(seed);
            for (u32 i = 0; i < JOBS; i++) {
                struct blk_job j = job(BLKIF_OP_WRITE, 0, 1, 7);
                u32 before = errors;

                disk.faults = (struct disk_faults){.error = HALF, .lost = round ? HALF : 0};
                disk_begin(&disk, &j, 0);
                if (round || seed == 2)
                    differ += failed[0][i] != (errors != before);
                if (round == 0 && seed == 1)
                    failed[0][i] = errors != before;
            }
            CHECK(errors > JOBS / 3 && errors < 2 * JOBS / 3);
            if (seed == 1)
                CHECK_EQ(differ, 0);
        }
    }
    CHECK(differ > JOBS / 4);
}

static void test_delay_keeps_order(void)
{
    static struct blk_job j[3];

    fresh(1);
    disk.faults.delay_ns = 100;
    for (u32 i = 0; i < 3; i++) {
        j[i] = job(BLKIF_OP_READ, i, 1, 0);
        disk_begin(&disk, &j[i], 10 * i);
    }
    CHECK_EQ(disk_deadline(&disk), 100);
    CHECK_EQ(struck[DISK_WHY_LATE], 3);
    disk.faults.delay_ns = 0; /* those under way stay late, and nobody overtakes them */
    disk_run(&disk, 99);
    CHECK_EQ(answers, 0);
    disk_run(&disk, 110);
    CHECK(answers == 2 && order[0] == &j[0] && order[1] == &j[1]);
    CHECK_EQ(disk_deadline(&disk), 120);
    disk_begin(&disk, &j[0], 119);
    disk_run(&disk, 119);
    disk_run(&disk, 120);
    CHECK(answers == 4 && order[2] == &j[0] && order[3] == &j[2]);
}

/* What was written is at one other place, wholly, and never at its own. */
static void test_misdirected(void)
{
    for (u32 i = 0; i < 200; i++) {
        struct blk_job j = job(BLKIF_OP_WRITE, i % 57, 8, 7);
        u32 first = SECTORS, count = 0;

        fresh(i);
        disk.faults.stray = ALWAYS;
        disk_begin(&disk, &j, 0);
        for (u32 s = 0; s < SECTORS; s++) {
            if (bytes[s * 512] == 7 && bytes[s * 512 + 511] == 7) {
                first = MIN(first, s);
                count++;
            }
        }
        CHECK_EQ(count, 8);
        CHECK(first != i % 57);
        CHECK(errors == 0 && answers == 1 && struck[DISK_WHY_STRAY] == 1);
    }
}

/* Of what was written while it looks, a stale read brings what was there before the last write. */
static void test_stale(void)
{
    static struct past past;
    struct blk_job j;

    fresh(1);
    past = (struct past){0};
    disk.faults.stale = ALWAYS;
    j = job(BLKIF_OP_WRITE, 3, 2, 5);
    disk_begin(&disk, &j, 0); /* before it was looked for */
    disk.past = &past;
    for (u8 fill = 6; fill < 8; fill++) {
        j = job(BLKIF_OP_WRITE, 4, 2, fill);
        disk_begin(&disk, &j, 0);
    }
    j = job(BLKIF_OP_READ, 3, 4, 9);
    disk_begin(&disk, &j, 0);
    CHECK(data[0] == 5 && data[512] == 6 && data[1024 + 511] == 6 && data[1536] == 0);
    CHECK(errors == 0 && struck[DISK_WHY_STALE] == 1);
    disk.faults.stale = 0;
    disk_begin(&disk, &j, 0);
    CHECK(data[0] == 5 && data[512] == 7 && data[1536] == 0);
    for (u32 i = 0; i < PAST_SECTORS; i++) {
        j = job(BLKIF_OP_WRITE, 40, 1, (u8)i);
        disk_begin(&disk, &j, 0);
    }
    CHECK(!past_of(&past, 4) && past_of(&past, 40)[0] == (u8)(PAST_SECTORS - 2));
}

static void ask(u8 op, u64 sector, u64 sectors, u8 fill)
{
    struct blk_job j = job(op, sector, sectors, fill);

    disk_begin(&disk, &j, 0);
}

/* H17: what was flushed outlives the power, what was not is as it was before, also what was written or
 * discarded more than once; of more than the cache holds the oldest are on the disk. */
static void test_power_cut(void)
{
    static struct past past;

    fresh(1);
    past = (struct past){0};
    ask(BLKIF_OP_WRITE, 0, 8, 1); /* before the cache there was */
    disk.past = &past;
    ask(BLKIF_OP_WRITE, 1, 1, 2);
    CHECK_EQ(disk_cache(&disk, true), 0);
    ask(BLKIF_OP_WRITE, 2, 2, 3);
    ask(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0);
    ask(BLKIF_OP_WRITE, 3, 2, 4);
    ask(BLKIF_OP_WRITE, 4, 2, 5);
    ask(BLKIF_OP_DISCARD, 0, 1, 0);
    CHECK(bytes[3 * 512] == 4 && bytes[4 * 512] == 5 && bytes[5 * 512] == 5 && !bytes[0]);
    CHECK_EQ(disk_cache(&disk, false), 5);
    for (u32 i = 0; i < 8; i++)
        CHECK_EQ(bytes[i * 512], i == 1 ? 2 : i == 2 || i == 3 ? 3 : 1);
    CHECK(!errors && struck[DISK_WHY_CACHED] == 3);
    CHECK_EQ(disk_cache(&disk, false), 0); /* it fails but once */
    CHECK_EQ(disk_cache(&disk, true), 0);
    for (u32 i = 0; i < PAST_SECTORS + 10; i++)
        ask(BLKIF_OP_WRITE, i % SECTORS, 1, (u8)(100 + i / SECTORS));
    CHECK_EQ(disk_cache(&disk, false), PAST_SECTORS);
    for (u32 i = 0; i < SECTORS; i++)
        CHECK_EQ(bytes[i * 512], i < 10 ? 100 : i == 1 ? 2 : i < 8 ? bytes[i * 512] : 0);
}

/* A device gets the part of a torn write that is done, and its answer is a failure. */
static void test_device(void)
{
    struct blk_job j = job(BLKIF_OP_WRITE, 0, 8, 7);

    fresh(1);
    disk.device = &given;
    disk_begin(&disk, &j, 0);
    CHECK(given == &j && j.sectors == 8 && !answers);
    disk_done(&j, 0);
    CHECK(answers == 1 && !errors);
    disk.faults.torn = ALWAYS;
    for (u32 i = 0; i < 20; i++) {
        given = NULL;
        j.sectors = 8;
        disk_begin(&disk, &j, 0);
        CHECK(!given || (j.sectors && j.sectors < 8));
        if (given)
            disk_done(&j, 0);
    }
    CHECK_EQ(errors, 20);
}

TESTS(CASE(test_memory), CASE(test_faults), CASE(test_decided_by_the_seed),
      CASE(test_delay_keeps_order), CASE(test_misdirected), CASE(test_stale),
      CASE(test_power_cut), CASE(test_device))

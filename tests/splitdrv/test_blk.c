/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blkfront and blkback (H17): random reads and writes against a shadow disk, with and
 * without persistent grants; flush and discard; indirect requests; a slow disk that answers
 * in any order, or after the front end has gone; 32-bit front ends; every malformed request
 * is refused and touches nothing (F18-F20, F22); a hostile back end is found out.
 */
#include "base/keyed.h"
#include "splitdrv/blk.h"
#include "tests/check.h"
#include "tests/splitdrv/world.h"

enum { SECTORS = 1024, PAGES = 32 };

static u8 disk[SECTORS * BLK_SECTOR], shadow[SECTORS * BLK_SECTOR];
static u32 flushes, fail_disk, slow_disk, kept_count;
static struct blk_job *kept[BLK_JOBS];
static const struct blk_disk whole = {disk, SECTORS, false};
static struct blkfront front;
static struct blkback back;
static u8 *memory, *jobs;

static int perform(u8 *d, struct blk_job *j)
{
    u8 *at = d + j->sector * BLK_SECTOR;
    size_t bytes = j->sectors * BLK_SECTOR;

    switch (j->op) {
    case BLKIF_OP_READ: memcpy(j->data, at, bytes); break;
    case BLKIF_OP_WRITE: memcpy(at, j->data, bytes); break;
    case BLKIF_OP_DISCARD: memset(at, 0, bytes); break;
    default: flushes++; break;
    }
    return 0;
}

/* Answers at once, or keeps the job when the test wants to answer later. */
void split_disk_begin(void *d, struct blk_job *j)
{
    if (fail_disk) {
        blkback_answer(j, -XEN_EIO);
    } else if (slow_disk) {
        kept[kept_count++] = j;
    } else {
        blkback_answer(j, perform(d, j));
    }
}

static void open_both(bool persistent)
{
    world_reset();
    memory = aligned_alloc(SPLIT_PAGE, (1 + PAGES) * SPLIT_PAGE);
    memset(memory, 0x5a, (1 + PAGES) * SPLIT_PAGE);
    CHECK(blkfront_open(&front, 1, memory, 1, memory + SPLIT_PAGE, PAGES));
    jobs = aligned_alloc(SPLIT_PAGE, BLK_JOBS * BLK_JOB_BYTES);
    blkback_open(&back, 2, memory, 2, BLK_LAYOUT_64, persistent, &whole, jobs);
}

/* The same a lap before 2^32. */
static void open_late(bool persistent)
{
    open_both(persistent);
    front.ring.req_prod_pvt -= BLK_RING;
    front.ring.rsp_cons -= BLK_RING;
    front.ring.sring->req_prod -= BLK_RING;
    front.ring.sring->rsp_prod -= BLK_RING;
    front.ring.sring->req_event -= BLK_RING;
    front.ring.sring->rsp_event -= BLK_RING;
    back.ring.req_cons -= BLK_RING;
    back.ring.rsp_prod_pvt -= BLK_RING;
}

static void close_both(void)
{
    blkback_close(&back);
    CHECK(blkfront_close(&front));
    CHECK_EQ(world_held(), 0);
    free(memory);
    free(jobs);
}

static s16 one(u8 op, u64 sector, void *buffer, u32 bytes)
{
    void *cookie;
    s16 status = 99;

    CHECK(blkfront_begin(&front, op, sector, buffer, bytes, buffer));
    blkfront_flush(&front);
    blkback_run(&back, 100);
    blkback_flush(&back);
    CHECK(blkfront_end(&front, &cookie, &status));
    CHECK(cookie == buffer);
    return status;
}

static void test_random(void)
{
    static u8 buffer[BLK_SEGMENTS * SPLIT_PAGE];

    for (u32 persistent = 0; persistent < 2; persistent++) {
        open_late(persistent);
        memset(disk, 0, sizeof(disk));
        memset(shadow, 0, sizeof(shadow));
        for (u32 i = 0; i < 3000; i++) {
            u32 sectors = 1 + (u32)keyed_below(1, i, 1, BLK_SEGMENTS * 8);
            u64 sector = keyed_below(1, i, 2, SECTORS - sectors + 1);
            u32 bytes = sectors * BLK_SECTOR;

            if (keyed_random(1, i, 3) & 1) {
                memset(buffer, (int)i, bytes);
                memcpy(shadow + sector * BLK_SECTOR, buffer, bytes);
                CHECK_EQ(one(BLKIF_OP_WRITE, sector, buffer, bytes), BLKIF_RSP_OKAY);
            } else {
                memset(buffer, 0xee, bytes);
                CHECK_EQ(one(BLKIF_OP_READ, sector, buffer, bytes), BLKIF_RSP_OKAY);
                CHECK(memcmp(buffer, shadow + sector * BLK_SECTOR, bytes) == 0);
            }
        }
        CHECK(memcmp(disk, shadow, sizeof(disk)) == 0);
        flushes = 0;
        CHECK_EQ(one(BLKIF_OP_FLUSH_DISKCACHE, 0, buffer, 0), BLKIF_RSP_OKAY);
        CHECK_EQ(flushes, 1);
        CHECK_EQ(one(BLKIF_OP_READ, SECTORS, buffer, 512), BLKIF_RSP_ERROR);
        CHECK_EQ(one(BLKIF_OP_READ, ~0ull, buffer, 1024), BLKIF_RSP_ERROR);
        CHECK_EQ(one(BLKIF_OP_WRITE_BARRIER, 0, buffer, 512), BLKIF_RSP_EOPNOTSUPP);
        fail_disk = 1;
        CHECK_EQ(one(BLKIF_OP_READ, 0, buffer, 512), BLKIF_RSP_ERROR);
        fail_disk = 0;
        CHECK(!blkfront_begin(&front, BLKIF_OP_READ, 0, buffer, 100, NULL));
        CHECK(persistent ? !world.copy_calls : !world.map_calls);
        CHECK(front.ring.rsp_cons < 4000 && !front.broken && !back.broken); /* past 2^32 */
        close_both();
    }
}

static void test_batch(void)
{
    static u8 buffers[BLK_RING][512];
    void *cookie;
    s16 status;
    u32 begun = 0, ended = 0;

    open_both(true);
    CHECK(blkback_idle(&back));
    while (blkfront_begin(&front, BLKIF_OP_READ, begun, buffers[begun % BLK_RING], 512, NULL))
        begun++;
    CHECK_EQ(begun, BLK_RING);
    blkfront_flush(&front);
    CHECK_EQ(world.kicks[1], 1);
    while (blkback_run(&back, 5))
        ;
    blkback_flush(&back);
    CHECK_EQ(world.kicks[2], 1);
    while (blkfront_end(&front, &cookie, &status))
        ended++;
    CHECK_EQ(ended, begun);
    close_both();
}

/* F10: a request whose event was lost is told of again, an answered one is not. */
static void test_lost_kick(void)
{
    static u8 buffer[512];
    void *cookie;
    s16 status;

    open_both(true);
    CHECK(blkback_idle(&back));
    CHECK(blkfront_begin(&front, BLKIF_OP_READ, 0, buffer, 512, NULL));
    blkfront_flush(&front);
    blkfront_prompt(&front);
    CHECK_EQ(world.kicks[1], 1);
    blkfront_prompt(&front);
    CHECK_EQ(world.kicks[1], 2);
    CHECK_EQ(front.again, 1);
    blkback_run(&back, 5);
    blkback_flush(&back);
    CHECK(blkfront_end(&front, &cookie, &status));
    blkfront_prompt(&front);
    blkfront_prompt(&front);
    CHECK_EQ(world.kicks[1], 2);
    close_both();
}

/* A hand-made request's answer. */
static s16 raw(const void *request)
{
    static u32 at;
    struct blkif_response *r;

    at = front.ring.sring->req_prod;
    memcpy(RING_GET_REQUEST(&front.ring, at), request, sizeof(struct blkif_request));
    front.ring.sring->req_prod = at + 1;
    blkback_run(&back, 10);
    blkback_flush(&back);
    r = RING_GET_RESPONSE(&front.ring, at);
    CHECK_EQ(r->id, 77);
    return r->status;
}

static void test_malformed(void)
{
    struct blkif_request good = {.operation = BLKIF_OP_WRITE, .nr_segments = 1, .id = 77};
    struct blkif_request r;

    for (u32 persistent = 0; persistent < 2; persistent++) {
        open_both(persistent);
        memset(disk, 0, sizeof(disk));
        good.seg[0] = (struct blkif_request_segment){front.pool.ref[0], 0, 7};
        r = good;
        r.nr_segments = 0;
        CHECK_EQ(raw(&r), BLKIF_RSP_ERROR);
        r.nr_segments = 12;
        CHECK_EQ(raw(&r), BLKIF_RSP_ERROR);
        r.nr_segments = 255;
        CHECK_EQ(raw(&r), BLKIF_RSP_ERROR);
        r = good;
        r.seg[0].last_sect = 8;
        CHECK_EQ(raw(&r), BLKIF_RSP_ERROR);
        r.seg[0].first_sect = 5;
        r.seg[0].last_sect = 4;
        CHECK_EQ(raw(&r), BLKIF_RSP_ERROR);
        r = good;
        r.seg[0].gref = 0xfffffff;
        CHECK_EQ(raw(&r), BLKIF_RSP_ERROR);
        r = good;
        r.sector_number = SECTORS - 7;
        CHECK_EQ(raw(&r), BLKIF_RSP_ERROR);
        r.sector_number = ~0ull - 3;
        CHECK_EQ(raw(&r), BLKIF_RSP_ERROR);
        r = good;
        r.operation = 200;
        CHECK_EQ(raw(&r), BLKIF_RSP_EOPNOTSUPP);
        back.disk.readonly = true;
        CHECK_EQ(raw(&good), BLKIF_RSP_ERROR);
        back.disk.readonly = false;
        for (u32 i = 0; i < sizeof(disk); i++) {
            if (disk[i]) {
                CHECK(false);
                break;
            }
        }
        CHECK_EQ(raw(&good), BLKIF_RSP_OKAY);
        CHECK_EQ(disk[0], 0x5a);
        close_both();
    }
}

static void test_indirect_and_discard(void)
{
    struct blkif_request_indirect r = {.operation = BLKIF_OP_INDIRECT,
                                       .indirect_op = BLKIF_OP_WRITE,
                                       .nr_segments = 20,
                                       .id = 77,
                                       .sector_number = 8};
    struct blkif_request_discard d = {
        .operation = BLKIF_OP_DISCARD, .id = 77, .sector_number = 0, .nr_sectors = 16};
    struct blkif_request_segment *seg;
    u8 raw_request[sizeof(struct blkif_request)] = {0};

    open_both(true);
    memset(disk, 1, sizeof(disk));
    seg = (struct blkif_request_segment *)(void *)pool_page(&front.pool, 31);
    for (u32 i = 0; i < 20; i++)
        seg[i] = (struct blkif_request_segment){front.pool.ref[i], 0, 7};
    r.indirect_grefs[0] = front.pool.ref[31];
    memcpy(raw_request, &r, sizeof(r));
    CHECK_EQ(raw(raw_request), BLKIF_RSP_OKAY);
    CHECK_EQ(RING_GET_RESPONSE(&front.ring, 0)->operation, BLKIF_OP_WRITE);
    CHECK_EQ(disk[8 * 512], 0x5a);
    CHECK_EQ(disk[8 * 512 + 20 * 4096 - 1], 0x5a);
    CHECK_EQ(disk[8 * 512 + 20 * 4096], 1);
    r.nr_segments = 33;
    memcpy(raw_request, &r, sizeof(r));
    CHECK_EQ(raw(raw_request), BLKIF_RSP_ERROR);
    r.nr_segments = 20;
    r.indirect_op = BLKIF_OP_INDIRECT;
    memcpy(raw_request, &r, sizeof(r));
    CHECK_EQ(raw(raw_request), BLKIF_RSP_ERROR);
    memcpy(raw_request, &d, sizeof(d));
    CHECK_EQ(raw(raw_request), BLKIF_RSP_OKAY);
    CHECK_EQ(disk[15 * 512], 0);
    back.disk.readonly = true;
    CHECK_EQ(raw(raw_request), BLKIF_RSP_ERROR);
    back.disk.readonly = false;
    d.nr_sectors = ~0ull;
    memcpy(raw_request, &d, sizeof(d));
    CHECK_EQ(raw(raw_request), BLKIF_RSP_ERROR);
    close_both();
}

/* Indexes that go beyond the ring or back (F18), and answers that were not asked for. */
static void test_hostile_ends(void)
{
    static const u32 jumps[] = {BLK_RING + 1, 1000, 0x80000000u, 0xffffff00u, 0xffffffffu};
    void *cookie;
    s16 status;
    u8 buffer[512];

    for (u32 i = 0; i < ARRAY_SIZE(jumps); i++) {
        open_both(true);
        front.ring.sring->req_prod = jumps[i];
        CHECK(!blkback_run(&back, 100));
        CHECK(back.broken && blkback_idle(&back) && !back.stats.errors);
        close_both();

        open_both(true);
        CHECK(blkfront_begin(&front, BLKIF_OP_READ, 0, buffer, 512, NULL));
        front.ring.sring->rsp_prod = jumps[i];
        CHECK(!blkfront_end(&front, &cookie, &status));
        CHECK(front.broken);
        CHECK(!blkfront_begin(&front, BLKIF_OP_READ, 0, buffer, 512, NULL));
        close_both();
    }
    for (u32 i = 0; i < 2; i++) {
        struct blkif_response *r;

        open_both(true);
        CHECK(blkfront_begin(&front, BLKIF_OP_READ, 0, buffer, 512, NULL));
        r = RING_GET_RESPONSE(&front.ring, 0);
        *r = (struct blkif_response){i == 0 ? 5u : 0u, i == 1 ? BLKIF_OP_WRITE : BLKIF_OP_READ,
                                     0};
        front.ring.sring->rsp_prod = 1;
        CHECK(!blkfront_end(&front, &cookie, &status));
        CHECK(front.broken);
        close_both();
    }
}

/* While the disk has requests, the places between the oldest answer and the newest request are
 * not to be taken once more. */
static void test_index_goes_back(void)
{
    u8 buffer[3][512] = {{0}};

    open_both(true);
    slow_disk = 1;
    for (u32 i = 0; i < 3; i++)
        CHECK(blkfront_begin(&front, BLKIF_OP_READ, i, buffer[i], 512, NULL));
    blkfront_flush(&front);
    CHECK(!blkback_run(&back, 100));
    CHECK_EQ(back.busy, 3);
    front.ring.sring->req_prod = 2;
    CHECK(!blkback_run(&back, 100));
    CHECK(back.broken && back.busy == 3 && !back.stats.errors);
    while (kept_count)
        blkback_answer(kept[--kept_count], 0);
    CHECK_EQ(front.ring.sring->rsp_prod, 0);
    slow_disk = 0;
    close_both();
}

/* An answer said twice, also when its request is another by then. */
static void test_replayed_answers(void)
{
    u8 buffer[2][512];
    void *cookie;
    s16 status;

    for (u32 again = 0; again < 2; again++) {
        open_both(true);
        memset(buffer, 7, sizeof(buffer));
        CHECK(blkfront_begin(&front, BLKIF_OP_WRITE, 0, buffer[0], 512, buffer[0]));
        CHECK(blkfront_begin(&front, BLKIF_OP_READ, 0, buffer[1], 512, buffer[1]));
        for (u32 i = 0; i < 2; i++)
            *RING_GET_RESPONSE(&front.ring,
                               i) = (struct blkif_response){.operation = BLKIF_OP_WRITE};
        front.ring.sring->rsp_prod = 1 + !again;
        CHECK(blkfront_end(&front, &cookie, &status) && cookie == buffer[0]);
        if (again) { /* the same number, and now it is a read */
            CHECK(blkfront_begin(&front, BLKIF_OP_READ, 0, buffer[0], 512, buffer[0]));
            front.ring.sring->rsp_prod = 2;
        }
        CHECK(!blkfront_end(&front, &cookie, &status));
        CHECK(front.broken && buffer[1][0] == 7 && buffer[0][0] == 7);
        close_both();
    }
}

static grant_ref_t indirect_page;
static u32 accesses;

/* A request becomes another one when its first page is asked for; an indirect page does once it
 * has been read (F19, XSA-155). */
static void rewrite(void)
{
    struct blkif_request *r = RING_GET_REQUEST(&front.ring, 0);

    if (indirect_page && !accesses++)
        return;
    memset((u8 *)r + 1, 0xff, sizeof(*r) - 1);
    r->operation = BLKIF_OP_DISCARD;
    if (indirect_page)
        memset(world.grant[indirect_page].page, 0xff, SPLIT_PAGE);
}

static void test_double_fetch(void)
{
    for (u32 kind = 0; kind < 4; kind++) {
        struct blkif_request r = {
            .operation = BLKIF_OP_WRITE, .nr_segments = 2, .id = 77, .sector_number = 8};
        struct blkif_request_indirect n = {.operation = BLKIF_OP_INDIRECT,
                                           .indirect_op = BLKIF_OP_WRITE,
                                           .nr_segments = 2,
                                           .id = 77,
                                           .sector_number = 8};
        struct blkif_request_segment *seg = r.seg;

        open_both(kind & 1);
        memset(disk, 1, sizeof(disk));
        indirect_page = kind & 2 ? front.pool.ref[31] : 0;
        accesses = 0;
        if (indirect_page)
            seg = (struct blkif_request_segment *)(void *)pool_page(&front.pool, 31);
        for (u32 i = 0; i < 2; i++) /* parts of one page, which overlap */
            seg[i] = (struct blkif_request_segment){front.pool.ref[0], (u8)i, (u8)(2 + i)};
        for (u32 i = 0; i < 8; i++)
            memset(pool_page(&front.pool, 0) + i * BLK_SECTOR, (int)i + 10, BLK_SECTOR);
        n.indirect_grefs[0] = indirect_page;
        if (indirect_page)
            memcpy(&r, &n, sizeof(n));
        world.meddle = rewrite;
        CHECK_EQ(raw(&r), BLKIF_RSP_OKAY);
        world.meddle = NULL;
        CHECK_EQ(RING_GET_RESPONSE(&front.ring, 0)->operation, BLKIF_OP_WRITE);
        for (u32 i = 0; i < SECTORS; i++) {
            u8 want = i < 8 || i >= 14 ? 1 : (u8)(i < 11 ? i + 2 : i);

            CHECK(disk[i * BLK_SECTOR] == want && disk[(i + 1) * BLK_SECTOR - 1] == want);
        }
        close_both();
    }
}

/* A disk that takes its time gets no more than it can hold, answers in any order, and what
 * a front end rewrites meanwhile is not what is written (F19). */
static void test_slow_disk(void)
{
    static u8 buffer[BLK_RING][512];
    void *cookie;
    s16 status;
    u32 ended = 0;

    open_both(false);
    memset(disk, 0, sizeof(disk));
    slow_disk = 1;
    for (u32 i = 0; i < 20; i++) {
        memset(buffer[i], (int)i + 1, 512);
        CHECK(blkfront_begin(&front, BLKIF_OP_WRITE, i, buffer[i], 512, buffer[i]));
    }
    blkfront_flush(&front);
    for (u32 round = 0; ended < 20; round++) {
        CHECK(!blkback_run(&back, 100));
        CHECK(back.busy <= BLK_JOBS && back.busy == kept_count && kept_count);
        CHECK(round || blkback_idle(&back));
        memset(memory + SPLIT_PAGE, 0x99, PAGES * SPLIT_PAGE);
        while (kept_count) {
            u32 pick = (u32)keyed_below(3, round, kept_count, kept_count);
            struct blk_job *j = kept[pick];

            kept[pick] = kept[--kept_count];
            blkback_answer(j, perform(disk, j));
        }
        blkback_flush(&back);
        while (blkfront_end(&front, &cookie, &status)) {
            CHECK_EQ(status, BLKIF_RSP_OKAY);
            ended++;
        }
        /* What has not been taken yet is the front end's to change. */
        for (u32 i = 0; i < 20; i++)
            if (front.request[i].used)
                memset(pool_page(&front.pool, front.request[i].page[0]), (int)i + 1, 512);
    }
    for (u32 i = 0; i < 20; i++)
        CHECK(disk[i * 512] == i + 1 && disk[i * 512 + 511] == i + 1);
    slow_disk = 0;
    close_both();
}

/* The front end goes while the disk has its requests: the answers go nowhere. */
static void test_gone_meanwhile(void)
{
    u8 buffer[512] = {0};

    for (u32 persistent = 0; persistent < 2; persistent++) {
        open_both(persistent);
        slow_disk = 1;
        CHECK(blkfront_begin(&front, BLKIF_OP_READ, 0, buffer, 512, NULL));
        blkfront_flush(&front);
        blkback_run(&back, 100);
        CHECK_EQ(back.busy, 1);
        blkback_close(&back);
        CHECK(blkfront_close(&front));
        memset(memory, 0xaa, (1 + PAGES) * SPLIT_PAGE);
        blkback_answer(kept[--kept_count], 0);
        CHECK_EQ(back.busy, 0);
        for (u32 i = 0; i < (1 + PAGES) * SPLIT_PAGE; i++)
            if (memory[i] != 0xaa)
                CHECK(false);
        slow_disk = 0;
        close_both();
    }
}

/* Requests of a 32-bit front end (xen/io/blkif.h, "x86_32-abi"): packed by 4. */
static void test_packed_layout(void)
{
    struct PACKED {
        u8 op, count;
        u16 handle;
        u64 id, sector;
        struct blkif_request_segment seg[BLK_SEGMENTS];
    } r = {BLKIF_OP_WRITE, 1, 0, 77, 3, {{0}}}, *at;
    struct PACKED {
        u8 op, flag;
        u16 handle;
        u64 id, sector, sectors;
    } d = {BLKIF_OP_DISCARD, 0, 0, 78, 3, 1};
    struct PACKED {
        u8 op, indirect;
        u16 count;
        u64 id, sector;
        u16 handle, pad;
        u32 refs[8];
    } n = {BLKIF_OP_INDIRECT, BLKIF_OP_WRITE, 1, 79, 9, 0, 0, {0}};
    struct blkif_request_segment *seg;

    open_both(false);
    blkback_open(&back, 2, memory, 2, BLK_LAYOUT_32, false, &whole, jobs);
    memset(disk, 0, sizeof(disk));
    r.seg[0] = (struct blkif_request_segment){front.pool.ref[0], 2, 2};
    seg = (struct blkif_request_segment *)(void *)pool_page(&front.pool, 31);
    *seg = (struct blkif_request_segment){front.pool.ref[1], 7, 7};
    n.refs[0] = front.pool.ref[31];
    at = (void *)(memory + 64);
    at[0] = r;
    memcpy(&at[1], &n, sizeof(n));
    front.ring.sring->req_prod = 2;
    blkback_run(&back, 10);
    CHECK_EQ(disk[3 * 512], 0x5a);
    CHECK_EQ(disk[4 * 512], 0);
    CHECK_EQ(disk[9 * 512], 0x5a);
    memcpy(&at[2], &d, sizeof(d));
    front.ring.sring->req_prod = 3;
    blkback_run(&back, 10);
    blkback_flush(&back);
    CHECK_EQ(front.ring.sring->rsp_prod, 3);
    CHECK_EQ(disk[3 * 512], 0);
    for (u32 i = 0; i < 3; i++) {
        struct blkif_response answer;

        memcpy(&answer, &at[i], sizeof(answer));
        CHECK_EQ(answer.id, i == 0 ? 77u : i == 1 ? 79u : 78u);
        CHECK_EQ(answer.status, BLKIF_RSP_OKAY);
    }
    close_both();
}

TESTS(CASE(test_random), CASE(test_batch), CASE(test_lost_kick), CASE(test_malformed),
      CASE(test_indirect_and_discard), CASE(test_slow_disk), CASE(test_gone_meanwhile),
      CASE(test_packed_layout), CASE(test_hostile_ends), CASE(test_index_goes_back),
      CASE(test_replayed_answers), CASE(test_double_fetch))

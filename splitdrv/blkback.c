/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back end of the block driver: each request is copied once, decoded without side
 * effects into a list of checked pieces, then carried out.
 */
#include "splitdrv/blk.h"

/* A request as it will be done. */
struct job {
    u8 op; /* BLKIF_OP_* as answered */
    bool write;
    u64 id, sector;
    u32 count, sectors;
    struct blkif_request_segment seg[BLK_INDIRECT];
};

void blkback_open(struct blkback *b, domid_t peer, void *ring, u32 port, bool persistent,
                  void *disk, u64 sectors, bool readonly)
{
    *b = (struct blkback){.peer = peer,
                          .port = port,
                          .persistent = persistent,
                          .disk = disk,
                          .sectors = sectors,
                          .readonly = readonly};
    RING_OPEN_BACK(&b->ring, blkif, ring);
    b->cache.peer = peer;
}

void blkback_close(struct blkback *b)
{
    cache_drop(&b->cache);
    if (!b->broken)
        b->broken = "closed";
}

static u32 waiting(struct blkback *b)
{
    RING_IDX prod = ring_peer(&b->ring.sring->req_prod);

    if (RING_REQUEST_PROD_OVERFLOW(&b->ring, prod)) {
        b->broken = "request index is out of the ring";
        return 0;
    }
    return prod - b->ring.req_cons;
}

/* Adds up the segments; false: one is not within a page, or all not within the disk. */
static bool fits(const struct blkback *b, struct job *j)
{
    for (u32 i = 0; i < j->count; i++) {
        if (j->seg[i].first_sect > j->seg[i].last_sect || j->seg[i].last_sect > 7)
            return false;
        j->sectors += (u32)(j->seg[i].last_sect - j->seg[i].first_sect) + 1;
    }
    return j->count && j->sector <= b->sectors && j->sectors <= b->sectors - j->sector &&
           !(j->write && b->readonly);
}

static bool decode_direct(struct blkback *b, const struct blkif_request *r, struct job *j)
{
    if (r->nr_segments > BLK_SEGMENTS)
        return false;
    j->write = r->operation == BLKIF_OP_WRITE;
    j->sector = r->sector_number;
    j->count = r->nr_segments;
    memcpy(j->seg, r->seg, j->count * sizeof(j->seg[0]));
    return fits(b, j);
}

static bool decode_indirect(struct blkback *b, const struct blkif_request *raw, struct job *j)
{
    struct blkif_request_indirect r;
    struct split_copy c;

    memcpy(&r, raw, sizeof(r));
    if (r.nr_segments > BLK_INDIRECT ||
        (r.indirect_op != BLKIF_OP_READ && r.indirect_op != BLKIF_OP_WRITE))
        return false;
    j->write = r.indirect_op == BLKIF_OP_WRITE;
    j->sector = r.sector_number;
    j->count = r.nr_segments;
    c = (struct split_copy){j->seg, r.indirect_grefs[0], 0, (u16)(j->count * sizeof(j->seg[0])),
                            -1};
    split_copy(b->peer, false, &c, 1);
    return !c.status && fits(b, j);
}

_Static_assert(BLK_INDIRECT * sizeof(struct blkif_request_segment) <= SPLIT_PAGE,
               "the segments of an indirect request lie in its first page");
_Static_assert(sizeof(struct blkif_request_indirect) <= sizeof(struct blkif_request) &&
                   sizeof(struct blkif_request_discard) <= sizeof(struct blkif_request),
               "every request fits a place of the ring");

/* One segment by way of a buffer of ours, copied by the hypervisor. */
static int move_copied(struct blkback *b, const struct job *j, u32 i, u64 sector, u32 bytes)
{
    u8 buffer[SPLIT_PAGE] __attribute__((aligned(SPLIT_PAGE)));
    struct split_copy c = {buffer, j->seg[i].gref, (u16)(j->seg[i].first_sect * BLK_SECTOR),
                           (u16)bytes, -1};
    int error = 0;

    if (!j->write)
        error = split_disk_read(b->disk, sector, buffer, bytes);
    if (error)
        return error;
    split_copy(b->peer, !j->write, &c, 1);
    if (c.status)
        return -XEN_EFAULT;
    return j->write ? split_disk_write(b->disk, sector, buffer, bytes) : 0;
}

static int move(struct blkback *b, const struct job *j)
{
    u64 sector = j->sector;
    int error = 0;

    for (u32 i = 0; i < j->count && !error; i++) {
        u32 sectors = (u32)(j->seg[i].last_sect - j->seg[i].first_sect) + 1;
        u32 bytes = sectors * BLK_SECTOR;
        u8 *page = b->persistent ? cache_page(&b->cache, j->seg[i].gref) : NULL;

        page = page ? page + j->seg[i].first_sect * BLK_SECTOR : NULL;
        if (!page)
            error = move_copied(b, j, i, sector, bytes);
        else if (j->write)
            error = split_disk_write(b->disk, sector, page, bytes);
        else
            error = split_disk_read(b->disk, sector, page, bytes);
        sector += sectors;
    }
    b->stats.bytes += (u64)j->sectors * BLK_SECTOR;
    b->stats.reads += !j->write;
    b->stats.writes += j->write;
    return error;
}

static int discard(struct blkback *b, const struct blkif_request *raw)
{
    struct blkif_request_discard r;

    memcpy(&r, raw, sizeof(r));
    if (b->readonly || r.sector_number > b->sectors ||
        r.nr_sectors > b->sectors - r.sector_number)
        return -XEN_EINVAL;
    b->stats.discards++;
    return split_disk_discard(b->disk, r.sector_number, r.nr_sectors);
}

static int perform(struct blkback *b, const struct blkif_request *r)
{
    struct job j = {.op = r->operation};

    switch (r->operation) {
    case BLKIF_OP_READ:
    case BLKIF_OP_WRITE: return decode_direct(b, r, &j) ? move(b, &j) : -XEN_EINVAL;
    case BLKIF_OP_INDIRECT: return decode_indirect(b, r, &j) ? move(b, &j) : -XEN_EINVAL;
    case BLKIF_OP_FLUSH_DISKCACHE: b->stats.flushes++; return split_disk_flush(b->disk);
    case BLKIF_OP_DISCARD: return discard(b, r);
    default: return -XEN_EOPNOTSUPP;
    }
}

/* Where the id lies depends on the operation, by the header's layout. */
static u64 id_of(const struct blkif_request *raw)
{
    struct blkif_request_indirect i;

    if (raw->operation != BLKIF_OP_INDIRECT)
        return raw->id;
    memcpy(&i, raw, sizeof(i));
    return i.id;
}

bool blkback_run(struct blkback *b, u32 most)
{
    while (!b->broken && most-- && waiting(b)) {
        struct blkif_request r;
        struct blkif_response *answer;
        u8 op;
        int error;

        RING_COPY_REQUEST(&b->ring, b->ring.req_cons, &r);
        b->ring.req_cons++;
        error = perform(b, &r);
        op = r.operation;
        b->stats.errors += error != 0;
        answer = RING_GET_RESPONSE(&b->ring, b->ring.rsp_prod_pvt);
        answer->id = id_of(&r);
        answer->operation = op;
        answer->status = (s16)(error == -XEN_EOPNOTSUPP ? BLKIF_RSP_EOPNOTSUPP
                               : error                  ? BLKIF_RSP_ERROR
                                                        : BLKIF_RSP_OKAY);
        b->ring.rsp_prod_pvt++;
        b->dirty = true;
    }
    return !b->broken && waiting(b) != 0;
}

void blkback_flush(struct blkback *b)
{
    bool kick = false;

    if (b->broken || !b->dirty)
        return;
    RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&b->ring, kick);
    b->dirty = false;
    if (kick) {
        b->stats.kicks++;
        split_notify(b->port);
    }
}

bool blkback_idle(struct blkback *b)
{
    if (b->broken)
        return true;
    b->ring.sring->req_event = b->ring.req_cons + 1;
    xen_mb();
    return !waiting(b);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back end of the block driver: each request is copied once, decoded without side
 * effects into a job of checked pieces, given to the disk, and answered when that is done.
 */
#include "splitdrv/blk.h"

enum {
    RING_HEADER = 64, /* ring.h: four indexes, and room up to the first place */
    STRIDE_64 = sizeof(union blkif_sring_entry),
    STRIDE_32 = STRIDE_64 - 4, /* the id follows at once there, and shifts all behind it */
    SHIFT = 4,
    COPIES = 20,   /* the hypervisor copies at a time */
    RESPONSE = 12, /* bytes of one, without the padding behind it */
};

_Static_assert(STRIDE_64 == 112 && offsetof(struct blkif_request, id) == 8 &&
                   offsetof(struct blkif_request_indirect, id) == 8 &&
                   offsetof(struct blkif_request_discard, id) == 8,
               "in every kind of request the id comes at 8, and at 4 in the 32-bit layout");
_Static_assert(offsetof(struct blkif_response, status) == 10,
               "responses are the same in both layouts");
_Static_assert(BLK_INDIRECT * sizeof(struct blkif_request_segment) <= SPLIT_PAGE,
               "the segments of an indirect request lie in its first page");

void blkback_open(struct blkback *b, domid_t peer, void *ring, u32 port, enum blk_layout layout,
                  bool persistent, const struct blk_disk *disk, u8 *buffers)
{
    *b = (struct blkback){.peer = peer,
                          .port = port,
                          .persistent = persistent,
                          .disk = *disk,
                          .stride = layout == BLK_LAYOUT_32 ? STRIDE_32 : STRIDE_64};
    RING_OPEN_BACK(&b->ring, blkif, ring);
    b->cache.peer = peer;
    for (u32 i = 0; i < BLK_JOBS; i++) {
        b->job[i].owner = b;
        b->job[i].data = buffers + (size_t)i * BLK_JOB_BYTES;
    }
}

void blkback_close(struct blkback *b)
{
    cache_drop(&b->cache);
    if (!b->broken)
        b->broken = "closed";
}

static void *place(struct blkback *b, RING_IDX at)
{
    return (u8 *)b->ring.sring + RING_HEADER + (at & (b->ring.nr_ents - 1)) * b->stride;
}

/* ring.h's own check lets the index go back as far as there are requests under way, which would
 * then be taken once more. */
static u32 waiting(struct blkback *b)
{
    RING_IDX more = ring_peer(&b->ring.sring->req_prod) - b->ring.req_cons;

    if (more > b->ring.nr_ents - (b->ring.req_cons - b->ring.rsp_prod_pvt)) {
        b->broken = "request index is out of the ring";
        return 0;
    }
    return more;
}

/* The next request, copied once, in the 64-bit layout. */
static void take(struct blkback *b, struct blkif_request *r)
{
    u8 raw[STRIDE_64] = {0};

    memcpy(raw, place(b, b->ring.req_cons++), b->stride);
    *r = (struct blkif_request){0};
    if (b->stride == STRIDE_64) {
        memcpy(r, raw, sizeof(*r));
        return;
    }
    memcpy(r, raw, 4);
    memcpy((u8 *)r + 4 + SHIFT, raw + 4, sizeof(*r) - 4 - SHIFT);
}

/* --- decoding ------------------------------------------------------------------------------- */

static bool in_disk(const struct blkback *b, const struct blk_job *j)
{
    return j->sector <= b->disk.sectors && j->sectors <= b->disk.sectors - j->sector &&
           !(b->disk.readonly && j->op != BLKIF_OP_READ);
}

/* Adds up the segments; false: one is not within a page, or all not within the disk. */
static bool fits(const struct blkback *b, struct blk_job *j)
{
    j->sectors = 0;
    for (u32 i = 0; i < j->count; i++) {
        if (j->seg[i].first_sect > j->seg[i].last_sect || j->seg[i].last_sect > 7)
            return false;
        j->sectors += (u32)(j->seg[i].last_sect - j->seg[i].first_sect) + 1;
    }
    return j->count && in_disk(b, j);
}

static int decode_direct(struct blkback *b, const struct blkif_request *r, struct blk_job *j)
{
    if (r->nr_segments > BLK_SEGMENTS)
        return -XEN_EINVAL;
    j->op = r->operation;
    j->sector = r->sector_number;
    j->count = r->nr_segments;
    memcpy(j->seg, r->seg, j->count * sizeof(j->seg[0]));
    return fits(b, j) ? 0 : -XEN_EINVAL;
}

static int decode_indirect(struct blkback *b, const struct blkif_request *raw,
                           struct blk_job *j)
{
    struct blkif_request_indirect r;
    struct split_copy c;

    memcpy(&r, raw, sizeof(r));
    j->asked = r.indirect_op; /* front ends look for the operation they think of */
    if (r.nr_segments > BLK_INDIRECT ||
        (r.indirect_op != BLKIF_OP_READ && r.indirect_op != BLKIF_OP_WRITE))
        return -XEN_EINVAL;
    j->op = r.indirect_op;
    j->sector = r.sector_number;
    j->count = r.nr_segments;
    c = (struct split_copy){j->seg, r.indirect_grefs[0], 0, (u16)(j->count * sizeof(j->seg[0])),
                            -1};
    split_copy(b->peer, false, &c, 1);
    return !c.status && fits(b, j) ? 0 : -XEN_EINVAL;
}

static int decode_discard(struct blkback *b, const struct blkif_request *raw, struct blk_job *j)
{
    struct blkif_request_discard r;

    memcpy(&r, raw, sizeof(r));
    j->op = BLKIF_OP_DISCARD;
    j->sector = r.sector_number;
    j->sectors = r.nr_sectors;
    return in_disk(b, j) ? 0 : -XEN_EINVAL;
}

/* A flush that carries bytes would be a barrier, which is not offered. */
static int decode_flush(struct blkback *b, const struct blkif_request *r, struct blk_job *j)
{
    (void)b;
    j->op = BLKIF_OP_FLUSH_DISKCACHE;
    j->sector = j->sectors = 0;
    return r->nr_segments ? -XEN_EINVAL : 0;
}

static int decode(struct blkback *b, const struct blkif_request *r, struct blk_job *j)
{
    j->id = r->id;
    j->asked = r->operation;
    j->count = 0;
    switch (r->operation) {
    case BLKIF_OP_READ:
    case BLKIF_OP_WRITE: return decode_direct(b, r, j);
    case BLKIF_OP_INDIRECT: return decode_indirect(b, r, j);
    case BLKIF_OP_FLUSH_DISKCACHE: return decode_flush(b, r, j);
    case BLKIF_OP_DISCARD: return decode_discard(b, r, j);
    default: return -XEN_EOPNOTSUPP;
    }
}

/* --- the front end's pages ------------------------------------------------------------------ */

static int copy_some(struct blkback *b, bool to_peer, struct split_copy *copies, u32 count)
{
    split_copy(b->peer, to_peer, copies, count);
    for (u32 i = 0; i < count; i++)
        if (copies[i].status)
            return -XEN_EFAULT;
    return 0;
}

/* Between the job's buffer and the front end's pages: those lent for good are mapped here,
 * the others are copied by the hypervisor, many by one call. */
static int move(struct blkback *b, const struct blk_job *j, bool to_peer)
{
    struct split_copy copies[COPIES];
    u32 count = 0;
    u8 *at = j->data;

    for (u32 i = 0; i < j->count; i++) {
        u32 from = j->seg[i].first_sect * (u32)BLK_SECTOR;
        u32 len = (j->seg[i].last_sect + 1u) * BLK_SECTOR - from;
        u8 *page = b->persistent ? cache_page(&b->cache, j->seg[i].gref) : NULL;

        if (page && to_peer)
            memcpy(page + from, at, len);
        else if (page)
            memcpy(at, page + from, len);
        else
            copies[count++] = (struct split_copy){at, j->seg[i].gref, (u16)from, (u16)len, -1};
        at += len;
        if (count == COPIES) {
            if (copy_some(b, to_peer, copies, count))
                return -XEN_EFAULT;
            count = 0;
        }
    }
    return count ? copy_some(b, to_peer, copies, count) : 0;
}

/* --- carrying out --------------------------------------------------------------------------- */

static void respond(struct blkback *b, const struct blk_job *j, int error)
{
    struct blkif_response r = {.id = j->id, .operation = j->asked};

    r.status = (s16)(error == -XEN_EOPNOTSUPP ? BLKIF_RSP_EOPNOTSUPP
                     : error                  ? BLKIF_RSP_ERROR
                                              : BLKIF_RSP_OKAY);
    memcpy(place(b, b->ring.rsp_prod_pvt++), &r, RESPONSE);
    b->stats.errors += error != 0;
    b->dirty = true;
}

static void count(struct blkback *b, const struct blk_job *j)
{
    b->stats.reads += j->op == BLKIF_OP_READ;
    b->stats.writes += j->op == BLKIF_OP_WRITE;
    b->stats.flushes += j->op == BLKIF_OP_FLUSH_DISKCACHE;
    b->stats.discards += j->op == BLKIF_OP_DISCARD;
    b->stats.bytes += j->op == BLKIF_OP_DISCARD ? 0 : j->sectors * BLK_SECTOR;
}

void blkback_answer(struct blk_job *j, int error)
{
    struct blkback *b = j->owner;

    j->used = false;
    b->busy--;
    if (b->broken)
        return;
    if (!error)
        count(b, j);
    if (!error && j->op == BLKIF_OP_READ)
        error = move(b, j, true);
    respond(b, j, error);
}

static struct blk_job *free_job(struct blkback *b)
{
    for (u32 i = 0; i < BLK_JOBS; i++)
        if (!b->job[i].used)
            return &b->job[i];
    return NULL;
}

bool blkback_run(struct blkback *b, u32 most)
{
    struct blk_job *j;

    while (!b->broken && most-- && (j = free_job(b)) && waiting(b)) {
        struct blkif_request r;
        int error;

        take(b, &r);
        error = decode(b, &r, j);
        if (!error && j->op == BLKIF_OP_WRITE)
            error = move(b, j, false);
        if (error) {
            respond(b, j, error);
            continue;
        }
        j->used = true;
        b->busy++;
        split_disk_begin(b->disk.disk, j);
    }
    return !b->broken && b->busy < BLK_JOBS && waiting(b) != 0;
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
    if (b->broken || b->busy == BLK_JOBS)
        return true;
    b->ring.sring->req_event = b->ring.req_cons + 1;
    xen_mb();
    return !waiting(b);
}

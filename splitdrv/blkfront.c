/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front end of the block driver, over pages lent once. An answer is believed if it is
 * for a request of ours that is under way, and says what that was.
 */
#include "splitdrv/blk.h"

bool blkfront_open(struct blkfront *f, domid_t peer, void *ring, u32 port, void *pages,
                   u32 count)
{
    *f = (struct blkfront){.peer = peer, .port = port};
    RING_OPEN_FRONT(&f->ring, blkif, ring);
    return pool_open(&f->pool, peer, pages, count, false);
}

bool blkfront_close(struct blkfront *f)
{
    if (!f->broken)
        f->broken = "closed";
    return pool_close(&f->pool);
}

static u32 free_request(const struct blkfront *f)
{
    u32 id = 0;

    while (id < BLK_RING && f->request[id].used)
        id++;
    return id;
}

bool blkfront_begin(struct blkfront *f, u8 op, u64 sector, void *buffer, u32 bytes,
                    void *cookie)
{
    u32 pages = (bytes + SPLIT_PAGE - 1) / SPLIT_PAGE, id = free_request(f);
    struct blkif_request *r;

    if (f->broken || id == BLK_RING || RING_FULL(&f->ring) || pages > f->pool.free ||
        pages > BLK_SEGMENTS || bytes % BLK_SECTOR)
        return false;
    f->request[id].used = true;
    f->request[id].op = op;
    f->request[id].pages = (u8)pages;
    f->request[id].buffer = buffer;
    f->request[id].bytes = bytes;
    f->request[id].cookie = cookie;
    r = RING_GET_REQUEST(&f->ring, f->ring.req_prod_pvt);
    memset(r, 0, sizeof(*r));
    r->operation = op;
    r->nr_segments = (u8)pages;
    r->id = id;
    r->sector_number = sector;
    for (u32 i = 0; i < pages; i++) {
        u32 page = pool_take(&f->pool), part = MIN(bytes - i * SPLIT_PAGE, (u32)SPLIT_PAGE);

        f->request[id].page[i] = (u8)page;
        if (op == BLKIF_OP_WRITE)
            memcpy(pool_page(&f->pool, page), (u8 *)buffer + i * SPLIT_PAGE, part);
        r->seg[i].gref = f->pool.ref[page];
        r->seg[i].last_sect = (u8)(part / BLK_SECTOR - 1);
    }
    f->ring.req_prod_pvt++;
    f->dirty = true;
    return true;
}

_Static_assert(POOL_MAX <= 256, "page numbers fit a byte");

static void finish(struct blkfront *f, u32 id, bool good)
{
    u32 bytes = f->request[id].bytes;

    for (u32 i = 0; i < f->request[id].pages; i++) {
        u32 page = f->request[id].page[i];

        if (good && f->request[id].op == BLKIF_OP_READ)
            memcpy(f->request[id].buffer + i * SPLIT_PAGE, pool_page(&f->pool, page),
                   MIN(bytes - i * SPLIT_PAGE, (u32)SPLIT_PAGE));
        pool_back(&f->pool, page);
    }
    f->request[id].used = false;
}

static u32 answered(struct blkfront *f)
{
    RING_IDX prod = ring_peer(&f->ring.sring->rsp_prod);

    if (prod - f->ring.rsp_cons > f->ring.req_prod_pvt - f->ring.rsp_cons) {
        f->broken = "response index is out of the ring";
        return 0;
    }
    return prod - f->ring.rsp_cons;
}

bool blkfront_end(struct blkfront *f, void **cookie, s16 *status)
{
    struct blkif_response r;

    if (f->broken || !answered(f))
        return false;
    RING_COPY_RESPONSE(&f->ring, f->ring.rsp_cons, &r);
    if (r.id >= BLK_RING || !f->request[r.id].used || f->request[r.id].op != r.operation) {
        f->broken = "response to a request that was not made";
        return false;
    }
    f->ring.rsp_cons++;
    *cookie = f->request[r.id].cookie;
    *status = r.status;
    finish(f, (u32)r.id, r.status == BLKIF_RSP_OKAY);
    return true;
}

void blkfront_flush(struct blkfront *f)
{
    bool kick = false;

    if (f->broken || !f->dirty)
        return;
    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&f->ring, kick);
    f->dirty = false;
    if (kick) {
        f->kicks++;
        split_notify(f->port);
    }
}

bool blkfront_idle(struct blkfront *f)
{
    if (f->broken)
        return true;
    f->ring.sring->rsp_event = f->ring.rsp_cons + 1;
    xen_mb();
    return !answered(f);
}

void blkfront_prompt(struct blkfront *f)
{
    if (f->broken ||
        !ring_overdue(ring_peer(&f->ring.sring->rsp_prod), &f->due, f->ring.req_prod_pvt))
        return;
    f->again++;
    f->kicks++;
    split_notify(f->port);
}

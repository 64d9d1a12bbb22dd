/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front end's life over the store, and requests that outlive a connection.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/grant.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "splitdrv/vbd.h"

enum { NAMES = 1024, INFO_READONLY = 4 };

static void on_event(void *arg, u32 port)
{
    struct vbd *v = arg;

    (void)port;
    v->struck = true;
}

static void let_go(struct split_device *d)
{
    struct vbd *v = d->owner;

    if (v->port)
        rt_event_close(v->port);
    v->port = 0;
    v->up = false;
    for (struct vbd_request *r = v->first; r; r = r->next)
        r->sent = false;
    if (!v->ref)
        return;
    /* Pages a back end that died still has mapped are never lent or used again. */
    if (!blkfront_close(&v->front) || !rt_grant_end(v->ref))
        v->ring = v->buffers = NULL;
    v->ref = 0;
}

static bool lend(struct split_device *d)
{
    struct vbd *v = d->owner;
    char protocol[SPLIT_PATH + 16];
    long port;

    format(protocol, sizeof(protocol), "%s/protocol", d->own);
    v->ring = v->ring ? v->ring : rt_frames(1);
    v->buffers = v->buffers ? v->buffers : rt_frames(VBD_PAGES);
    port = rt_event_alloc_unbound(d->peer, on_event, v);
    if (!v->ring || !v->buffers || port < 0)
        return false;
    v->port = (u32)port;
    v->ref = split_grant(d->peer, v->ring, false);
    if (!v->ref || !blkfront_open(&v->front, d->peer, v->ring, v->port, v->buffers, VBD_PAGES))
        return false;
    return split_renew(d->own, "ring-ref", v->ref) &&
           split_renew(d->own, "event-channel", v->port) &&
           split_renew(d->own, "feature-persistent", 1) &&
           rt_store_printf(0, protocol, "%s", XEN_IO_PROTO_ABI_X86_64) >= 0;
}

/* What the back end says of its disk, in sectors of ours whatever its own are. */
static void run(struct split_device *d)
{
    struct vbd *v = d->owner;
    u64 info = 0, flush = 0;

    split_number(d->other, "sectors", &v->sectors);
    split_number(d->other, "info", &info);
    split_number(d->other, "feature-flush-cache", &flush);
    v->readonly = info & INFO_READONLY;
    v->flushes = flush != 0;
    v->up = true;
    v->struck = true;
}

static const struct split_driver driver = {.lend = lend, .run = run, .stop = let_go};

/* The name of the n-th device, by its number: the store's order may be any. */
static bool name_of(u32 n, char path[SPLIT_PATH])
{
    static char names[NAMES];
    long got = rt_store_directory(0, "device/vbd", names, sizeof(names));
    u64 least = 0;

    for (u32 i = 0; i <= n; i++) {
        u64 next = ~0ull;

        for (long at = 0; at < got; at += (long)strlen(names + at) + 1) {
            u64 id = 0;

            for (const char *c = names + at; *c >= '0' && *c <= '9' && id < 1u << 28; c++)
                id = id * 10 + (u64)(*c - '0');
            if (id >= least)
                next = MIN(next, id);
        }
        if (next == ~0ull)
            return false;
        format(path, SPLIT_PATH, "device/vbd/%lu", next);
        least = next + 1;
    }
    return true;
}

bool vbd_open(struct vbd *v, u32 n, u64 wait_ns)
{
    char path[SPLIT_PATH];
    u64 end = rt_now_ns() + wait_ns;

    *v = (struct vbd){.sectors = 0};
    v->last = &v->first;
    v->done_last = &v->done;
    if (!name_of(n, path) || !split_device_open(&v->bus, BUS_FRONT, path, &driver, v))
        return false;
    while (!v->up && rt_now_ns() < end) {
        if (!rt_store_poll() && !v->bus.changed)
            rt_wait_until(end);
        split_device_poll(&v->bus);
    }
    return true;
}

static void finish(struct vbd *v, struct vbd_request *r, s16 status)
{
    struct vbd_request **at = &v->first;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (v->last == &r->next)
        v->last = at;
    r->status = status;
    r->next = NULL;
    *v->done_last = r;
    v->done_last = &r->next;
}

/* Sends what has not been sent, in order, as far as there is room. A back end that is awake,
 * or was kicked and has not looked yet, gets no kick. */
static void send(struct vbd *v)
{
    struct vbd_request *next;

    for (struct vbd_request *r = v->first; r && v->up; r = next) {
        next = r->next;
        if (r->sent)
            continue;
        if (r->op == BLKIF_OP_FLUSH_DISKCACHE && !v->flushes)
            finish(v, r, BLKIF_RSP_OKAY); /* without a cache all is durable */
        else if (blkfront_begin(&v->front, r->op, r->sector, r->data, r->bytes, r))
            r->sent = true;
        else
            break;
    }
    if (v->up)
        blkfront_flush(&v->front);
}

void vbd_begin(struct vbd *v, struct vbd_request *r)
{
    r->next = NULL;
    r->sent = false;
    *v->last = r;
    v->last = &r->next;
    send(v);
}

struct vbd_request *vbd_end(struct vbd *v)
{
    struct vbd_request *r = v->done;

    if (!r)
        return NULL;
    v->done = r->next;
    if (!v->done)
        v->done_last = &v->done;
    return r;
}

bool vbd_wants(const struct vbd *v)
{
    return v->struck || v->done || v->bus.changed;
}

/* Such times are the same for all that begins about then, so that timers are seldom set anew. */
u64 vbd_deadline(const struct vbd *v)
{
    return v->up && v->first ? (rt_now_ns() / VBD_LOOK_NS + 1) * VBD_LOOK_NS : ~0ull;
}

static void look(struct vbd *v)
{
    u64 now = rt_now_ns() / VBD_LOOK_NS;

    if (v->look == now)
        return;
    v->look = now;
    blkfront_prompt(&v->front);
}

void vbd_poll(struct vbd *v)
{
    void *request;
    s16 status;

    v->struck = false;
    split_device_poll(&v->bus);
    while (v->up && blkfront_end(&v->front, &request, &status))
        finish(v, request, status);
    if (v->up && v->front.broken) { /* the back end misbehaved: start over with it */
        let_go(&v->bus);
        v->bus.state = XenbusStateInitialising;
        split_write(v->bus.own, "state", XenbusStateInitialising);
        v->bus.changed = true;
    }
    send(v);
    if (v->up && v->first)
        look(v);
}

bool vbd_rest(struct vbd *v)
{
    if (v->up && !blkfront_idle(&v->front))
        v->struck = true;
    return !vbd_wants(v);
}

void vbd_leave(struct vbd *v)
{
    split_device_leave(&v->bus);
}

bool vbd_alone(const struct vbd *v)
{
    return split_device_alone(&v->bus);
}

/* What was answered before the other end let go is done. */
void vbd_suspend(struct vbd *v)
{
    void *request;
    s16 status;

    while (v->up && blkfront_end(&v->front, &request, &status))
        finish(v, request, status);
    split_device_suspend(&v->bus);
}

void vbd_resume(struct vbd *v)
{
    split_device_resume(&v->bus);
    v->struck = true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vifs of a domain, and the network over them.
 */
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "splitdrv/wire.h"

enum { TURNS = 4 }; /* then others have theirs, whatever comes */

u32 wire_open(struct wire *w, struct net *net, u64 wait_ns)
{
    *w = (struct wire){.net = net};
    net_poll(net, rt_now_ns());
    if (!rt_store_present())
        return 0;
    while (w->count < WIRE_VIFS) {
        struct vif *v = rt_alloc(sizeof(*v));

        if (!v)
            break;
        if (!vif_open(v, w->count, wait_ns) || net_attach(net, &v->device) != NET_OK) {
            rt_free(v, sizeof(*v));
            break;
        }
        w->vif[w->count++] = v;
    }
    return w->count;
}

bool wire_wants(const struct wire *w)
{
    for (u32 i = 0; i < w->count; i++) {
        if (w->vif[i]->interrupts)
            return true;
    }
    return false;
}

void wire_poll(struct wire *w)
{
    rt_store_poll();
    for (u32 i = 0; i < w->count; i++)
        vif_poll(w->vif[i]);
    net_poll(w->net, rt_now_ns());
    wire_flush(w);
}

void wire_attend(struct wire *w)
{
    for (u32 turn = 0; turn < TURNS; turn++) {
        bool quiet = true;

        for (u32 i = 0; i < w->count; i++)
            quiet = vif_listen(w->vif[i]) && quiet;
        if (quiet)
            return;
        wire_poll(w);
    }
}

void wire_flush(struct wire *w)
{
    for (u32 i = 0; i < w->count; i++) {
        if (w->vif[i]->up)
            netfront_flush(&w->vif[i]->front);
    }
}

bool wire_rest(struct wire *w)
{
    bool quiet = true;

    for (u32 i = 0; i < w->count; i++)
        quiet = vif_rest(w->vif[i]) && !w->vif[i]->bus.changed && quiet;
    /* A handshake's questions to the store may have brought changes along. */
    return quiet && !rt_store_poll();
}

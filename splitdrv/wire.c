/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vifs of a domain, and the network over them.
 */
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "splitdrv/backends.h"
#include "splitdrv/wire.h"

enum { TURNS = 4 }; /* then others have theirs, whatever comes */

static void on_change(void *arg, const char *path)
{
    (void)path;
    *(bool *)arg = true;
}

/* A direct medium's other node may have been built anew: its device takes the old one's place. */
static void take_back(void *arg, u32 domain, u32 handle)
{
    struct wire *w = arg;
    struct vif *v;

    for (u32 i = 0; i < w->count; i++) {
        if (vif_is_back_of(w->vif[i], domain, handle))
            return;
    }
    for (u32 i = 0; i < w->count; i++) {
        if (vif_back_is_gone(w->vif[i])) {
            vif_back_again(w->vif[i], domain, handle);
            return;
        }
    }
    v = w->count < WIRE_VIFS ? vif_back_open(domain, handle) : NULL;
    if (v)
        w->vif[w->count++] = v;
}

static void open_all(struct wire *w)
{
    struct vif *v;

    while (w->count < WIRE_VIFS && (v = vif_front_open(w->count)))
        w->vif[w->count++] = v;
    if (split_backends("vif", take_back, w))
        rt_store_watch(&w->watch, "backend/vif", on_change, &w->backs_changed);
}

/* One that the network has no memory for is left alone. */
static void attach_new(struct wire *w)
{
    while (w->attached < w->count) {
        struct vif *v = w->vif[w->attached];

        if (net_attach(w->net, &v->device) == NET_OK) {
            vif_attached(v);
            w->attached++;
        } else {
            if (v->bus.driver)
                split_device_close(&v->bus);
            w->vif[w->attached] = w->vif[--w->count];
        }
    }
}

/* True if there was anything to follow. */
static bool follow_store(struct wire *w)
{
    bool any = rt_store_poll() || w->backs_changed;

    if (w->backs_changed) {
        w->backs_changed = false;
        for (u32 i = 0; i < w->count; i++)
            vif_back_drop(w->vif[i]);
        split_backends("vif", take_back, w);
    }
    for (u32 i = 0; i < w->count; i++) {
        any |= w->vif[i]->bus.changed;
        vif_poll(w->vif[i]);
    }
    return any;
}

static bool all_up(const struct wire *w)
{
    for (u32 i = 0; i < w->count; i++) {
        if (!w->vif[i]->up)
            return false;
    }
    return true;
}

void wire_init(struct wire *w, struct net *net)
{
    *w = (struct wire){.net = net};
    net_poll(net, rt_now_ns());
}

void wire_add(struct wire *w, struct vif *v)
{
    w->vif[w->count++] = v;
}

void wire_begin_again(struct wire *w, struct net *net)
{
    w->net = net;
    w->attached = 0;
    net_poll(net, rt_now_ns());
    attach_new(w);
}

static void connect_all(struct wire *w, u64 end)
{
    open_all(w);
    while (!all_up(w) && rt_now_ns() < end) {
        if (!follow_store(w))
            rt_wait_until(end);
    }
}

u32 wire_open(struct wire *w, u64 wait_ns)
{
    if (rt_store_present())
        connect_all(w, rt_now_ns() + wait_ns);
    attach_new(w);
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

static void prompt(struct wire *w)
{
    for (u32 i = 0; i < w->count; i++)
        vif_prompt(w->vif[i]);
}

void wire_poll(struct wire *w)
{
    follow_store(w);
    attach_new(w);
    net_poll(w->net, rt_now_ns());
    if (net_overdue(w->net))
        prompt(w);
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

static void settle(struct wire *w)
{
    if (net_unsettled(w->net))
        net_settle(w->net, rt_now_ns());
}

void wire_flush(struct wire *w)
{
    settle(w);
    for (u32 i = 0; i < w->count; i++)
        vif_flush(w->vif[i]);
}

bool wire_rest(struct wire *w)
{
    bool quiet = !w->backs_changed;

    settle(w);
    for (u32 i = 0; i < w->count; i++)
        quiet = vif_rest(w->vif[i]) && !w->vif[i]->bus.changed && quiet;
    /* A handshake's questions to the store may have brought changes along. */
    return quiet && !rt_store_poll();
}

void wire_leave(struct wire *w)
{
    wire_flush(w);
    for (u32 i = 0; i < w->count; i++)
        vif_leave(w->vif[i]);
}

bool wire_alone(const struct wire *w)
{
    for (u32 i = 0; i < w->count; i++) {
        if (!vif_alone(w->vif[i]))
            return false;
    }
    return true;
}

void wire_suspend(struct wire *w)
{
    for (u32 i = 0; i < w->count; i++)
        vif_suspend(w->vif[i]);
}

/* Where we are a back end, our directory may name other front ends now. */
void wire_resume(struct wire *w)
{
    for (u32 i = 0; i < w->count; i++)
        vif_resume(w->vif[i]);
    w->backs_changed = true;
}

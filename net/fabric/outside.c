/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A few virtio network devices, each a port. The device has one interrupt line, which it may share:
 * all of them are looked at whenever one strikes.
 */
#include "base/memory.h"
#include "guest/virtio/net.h"
#include "net/fabric/outside.h"

enum { WORD = 64 };

_Static_assert(2 * VIRTIO_NET_SLOTS * (VIRTIO_NET_PAGES + 1) + 16 < OUTSIDE_FRAMES, "as said");

static struct outside {
    struct virtio_net net;
    struct fabric_port *port;
} outside[OUTSIDE_MOST];
static u32 count;
static bool struck;
static u8 frame[VIRTIO_NET_FRAME];

static void on_interrupt(void *arg, u32 port)
{
    (void)arg;
    (void)port;
    struck = true;
}

/* Devices may share a line, which is bound once. */
static bool bind_line(u64 irq)
{
    for (u32 i = 0; i < count; i++)
        if (outside[i].net.device.at.irq == irq)
            return true;
    return virtio_irq_bind(irq, on_interrupt, NULL);
}

static const char *take_word(const char *s, char word[WORD])
{
    u32 len = 0;

    while (*s && *s != ' ' && len < WORD - 1)
        word[len++] = *s++;
    word[len] = 0;
    while (*s == ' ')
        s++;
    return s;
}

const char *outside_open(struct fabric *f, const char *words)
{
    char function[WORD], medium[WORD], port[WORD];
    struct outside *o = &outside[count];
    struct virtio_place place;

    take_word(take_word(take_word(words, function), medium), port);
    if (count == OUTSIDE_MOST)
        return "too many ways out";
    if (!virtio_place_read(&place, function) || place.type != VIRTIO_ID_NET ||
        !bind_line(place.irq))
        return "the function is no network device of ours";
    if (!virtio_net_open(&o->net, &place, VIRTIO_NET_FRAME))
        return o->net.device.why;
    o->port = fabric_attach_outside(f, medium, port);
    if (!o->port)
        return "no such medium, or it has no place left";
    count++;
    struck = true;
    return NULL;
}

/* A line is quiet when all its devices have been asked, and may strike again from then on. */
static void quieten(void)
{
    struck = false;
    for (u32 i = 0; i < count; i++)
        virtio_interrupted(&outside[i].net.device);
    for (u32 i = 0; i < count; i++)
        virtio_irq_done(outside[i].net.device.at.irq);
}

/* What finds the device full is lost, as on any network. */
static void serve(struct outside *o, u64 now)
{
    const struct fabric_frame *f;
    u32 len;

    while ((len = virtio_net_take(&o->net, frame, sizeof(frame))))
        fabric_take(o->port, frame, len, 0, now);
    while ((f = fabric_next(o->port))) {
        virtio_net_put(&o->net, f->bytes, (u32)f->len);
        fabric_given(o->port);
    }
    virtio_net_flush(&o->net);
}

void outside_turn(u64 now)
{
    if (struck)
        quieten();
    for (u32 i = 0; i < count; i++)
        serve(&outside[i], now);
}

bool outside_idle(void)
{
    return !struck;
}

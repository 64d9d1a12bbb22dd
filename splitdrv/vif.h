/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vif as a DEMOS network device: either end of its rings behind the four device functions.
 * Of most vifs we are the front end, and the fabric is the back end; of a direct medium one node is
 * the front, the other the back. It finds its vif in the store, connects, and connects again after
 * the other end was away.
 */
#ifndef SPLITDRV_VIF_H
#define SPLITDRV_VIF_H

#include "net/net.h"
#include "splitdrv/device.h"
#include "splitdrv/net.h"

struct vif;

/* What differs between the ends. */
struct vif_end {
    bool (*put)(struct vif *v, const void *block, size_t len);
    size_t (*take)(struct vif *v, void *block, size_t room); /* sets device.checked */
    bool (*room)(struct vif *v, size_t len); /* false: an event will say when there is */
    void (*flush)(struct vif *v);
    void (*prompt)(struct vif *v);
    bool (*idle)(struct vif *v);          /* true: nothing to take; an event will say when */
    const char *(*broken)(struct vif *v); /* what the other end did that cannot be */
    const struct split_net_stats *(*stats)(struct vif *v);
    /* Tells the other end that this group is wanted; false: no room now. Where device.groups is. */
    bool (*group)(struct vif *v, const u8 address[6]);
    /* True: it has pages again that the other end had kept. Of the front end; others have none. */
    bool (*regain)(struct vif *v);
    XenbusState anew; /* the state to begin in again when it was broken */
};

struct vif {
    struct net_device device;
    struct split_device bus;
    const struct vif_end *end;
    bool opened, up, refused;
    u32 interrupts;         /* enum net_interrupt, not yet taken */
    struct net_groups told; /* of the groups wanted, those that the other end knows of */
};

/* The vif number `n` of this domain, its handshake begun, or NULL: there is none, or no memory
 * for it. */
struct vif *vif_front_open(u32 n);
/* The back end of a direct vif, device `handle` of `domain`. The key `address` of its directory
 * is our own Ethernet address there; without it NULL. */
struct vif *vif_back_open(u32 domain, u32 handle);
/* Whether it is the back end of that device. */
bool vif_is_back_of(const struct vif *v, u32 domain, u32 handle);
/* A back end whose device the toolstack has taken away; such a one can be another's. */
bool vif_back_is_gone(const struct vif *v);
void vif_back_drop(struct vif *v);
bool vif_back_again(struct vif *v, u32 domain, u32 handle);

/* Somebody has attached the device: it is not to change its size any more. */
void vif_attached(struct vif *v);
/* Goes on with the handshake: call after rt_store_poll, before net_poll. */
void vif_poll(struct vif *v);
/* From now on the other end tells of what arrives. False: something has already. */
bool vif_listen(struct vif *v);
/* Sends what write_block has queued, with one kick. */
void vif_flush(struct vif *v);
/* The same before sleeping. False: something has arrived in between, do not sleep. */
bool vif_rest(struct vif *v);
/* Answers are overdue: the other end is told again of what it has not taken. */
void vif_prompt(struct vif *v);
/* Of the connection there is now. */
const struct split_net_stats *vif_stats(struct vif *v);

/* splitdrv/device.h, for what is a split device. */
void vif_leave(struct vif *v);
bool vif_alone(const struct vif *v);
void vif_suspend(struct vif *v);
void vif_resume(struct vif *v);

/* For the two ends: what they begin with, their event handler, and that they came up or went. */
void vif_init(struct vif *v, const struct vif_end *end);
void vif_event(void *arg, u32 port);
void vif_is_up(struct vif *v);
void vif_is_down(struct vif *v);

#endif

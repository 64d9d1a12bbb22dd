/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One end of a split device in a domain: carries the handshake of bus.h out over the
 * xenstore, and calls its driver. Works for front and back ends of any class.
 */
#ifndef SPLITDRV_DEVICE_H
#define SPLITDRV_DEVICE_H

#include "guest/rt/store.h"
#include "splitdrv/bus.h"

enum { SPLIT_PATH = 96 };

struct split_device;

/* The driver's part. False: it could not be done; the device then closes, or, where
 * nothing was offered yet, waits for `changed`. */
struct split_driver {
    bool (*offer)(struct split_device *d);   /* back: write the features */
    bool (*lend)(struct split_device *d);    /* front */
    bool (*connect)(struct split_device *d); /* back */
    void (*run)(struct split_device *d);
    void (*stop)(struct split_device *d);
    bool eager; /* front: bus_said */
};

struct split_device {
    enum bus_side side;
    char own[SPLIT_PATH], other[SPLIT_PATH];
    domid_t peer;
    XenbusState state;
    bool online;
    u32 failures;          /* to connect, in a row */
    volatile bool changed; /* set by the watch, looked at by split_device_poll */
    const struct split_driver *driver;
    void *owner;
    void (*has_news)(struct split_device *d); /* called when `changed` is set, if anything */
    struct rt_store_watch watch, own_watch;
};

/* Begins the handshake for the device at `own`, an absolute or relative path. False: the
 * store does not know such a device. */
bool split_device_open(struct split_device *d, enum bus_side side, const char *own,
                       const struct split_driver *driver, void *owner);
/* What it has waited for may be there by now. */
void split_device_news(struct split_device *d);
/* Goes on with the handshake; call after rt_store_poll. True if the state changed. */
bool split_device_poll(struct split_device *d);
/* Lets go of the connection and stops watching. */
void split_device_close(struct split_device *d);
/*
 * A domain that is to be suspended first tells all other ends (split_device_leave), waits until they
 * have let go (split_device_alone) or too long, and then lets go itself. What they still have then
 * is theirs. Afterwards, in this domain or in another, the handshake begins anew; false: there is no
 * such device any more.
 */
void split_device_leave(struct split_device *d);
bool split_device_alone(const struct split_device *d);
void split_device_suspend(struct split_device *d);
bool split_device_resume(struct split_device *d);
/* Values below our own node and the other side's; negative: not there or no number. */
long split_read(const char *base, const char *key, char *value, size_t room);
bool split_number(const char *base, const char *key, u64 *value);
/* An Ethernet address. */
bool split_mac(const char *base, const char *key, u8 mac[6]);
bool split_write(const char *base, const char *key, u64 value);
/* Takes a node away, if there is one. */
void split_forget(const char *base, const char *key);
/* As split_write, but a node left by an earlier connection goes first, with its
 * permissions: they named whom we were connected to then. */
bool split_renew(const char *base, const char *key, u64 value);

#endif

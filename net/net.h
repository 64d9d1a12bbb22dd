/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DEMOS network of one node: what its kernel calls, and what it calls back.
 *
 * Pure: all state in struct net, memory from the heap it is given, time passed in, frames
 * in and out through devices with four functions. Machines are the only names here;
 * processes and links are the kernel's business, and messages are bytes.
 *
 * Guaranteed messages between two machines arrive once and in order, whatever the media
 * do, as long as some path exists. Unguaranteed ones bypass all of that but the CRC.
 * The net_up_* functions are the kernel's (or a test's), found by the linker.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/heap.h"
#include "base/types.h"

struct net;
struct net_device;

typedef u32 machine_t; /* 0 is nobody, NET_EVERYBODY all neighbours and beyond */
#define NET_EVERYBODY 0xffffffffu

enum net_class { NET_GUARANTEED, NET_UNGUARANTEED };

enum net_result {
    NET_OK = 0,
    NET_FULL = -1,        /* this peer's queue is full; net_up_room follows */
    NET_UNREACHABLE = -2, /* no path known (unguaranteed class, bulk of a dead epoch) */
    NET_TOO_LONG = -3,
    NET_NO_MEMORY = -4,
    NET_BAD = -5,
};

enum {
    NET_MESSAGE_MAX = 65536 + 512, /* guaranteed */
    NET_UNGUARANTEED_MAX = 1024,   /* one block on every medium: nobody joins pieces of it */
    NET_ANNOUNCE_MAX = 64,
    NET_HEADER = 64,                   /* Ethernet's and ours together, always */
    NET_BLOCK_MIN = NET_HEADER + 1024, /* every device carries at least this */
    NET_BLOCK_MAX = 65535,
};

struct net_config {
    machine_t self;
    u32 epoch;       /* of this boot of the machine; grows */
    u64 seed;        /* for jitter of timers, keyed */
    u32 window;      /* messages in flight per peer, 0 = default */
    u32 queue_bytes; /* memory bound per peer and direction, 0 = default */
    bool has_crc32c; /* the processor has the SSE4.2 instruction: whoever starts us looked */
};

/* Counters of one node's network since net_create. */
struct net_stats {
    u64 sent, delivered;       /* guaranteed messages */
    u64 sent_plain, got_plain; /* unguaranteed messages */
    u64 blocks_out, blocks_in; /* frames of every kind */
    u64 bytes_out, bytes_in;
    u64 corrupt;                 /* discarded: CRC, length or version wrong */
    u64 misdirected;             /* discarded: not for this machine or this boot of it */
    u64 duplicate, out_of_order; /* pieces of guaranteed messages */
    u64 retransmits, timeouts;
    u64 acks_out;                /* frames that were nothing but an acknowledgement */
    u64 forwarded, through_lost; /* store-and-forward: passed on, dropped for want of room */
    u64 routing_out;             /* frames of the routing protocol */
    u64 bulk_out, bulk_in;       /* blocks of bulk data */
    u64 bulk_acks, bulk_asks;    /* received by the sender: final ones, requests to repeat */
    u64 no_memory;
};

/*
 * A device, by exactly four functions (DN08). Blocks are Ethernet frames with the DEMOS
 * EtherType; a device with a smaller unit splits and joins below this line.
 */
struct net_device_ops {
    /* Takes a whole block or refuses it (false: no room now, an interrupt will follow). */
    bool (*write_block)(struct net_device *d, const void *block, size_t len);
    /* Copies the next received block out; 0 when there is none. */
    size_t (*read_block)(struct net_device *d, void *block, size_t room);
    /* Bits of enum net_status. */
    u32 (*status)(struct net_device *d);
    /* Takes (and clears) the set of pending interrupts, bits of enum net_interrupt. */
    u32 (*pending)(struct net_device *d);
};
/* CAN_WRITE: it takes the largest block; without it an interrupt will follow when it does. */
enum net_status { NET_STATUS_UP = 1, NET_STATUS_BROADCAST = 2, NET_STATUS_CAN_WRITE = 4 };
enum net_interrupt { NET_INT_RECEIVED = 1, NET_INT_WRITTEN = 2, NET_INT_STATUS = 4 };

/*
 * What all have to hear who have to do with one machine goes to that machine's group of Ethernet
 * addresses, where the medium knows who wants which; where it does not, to everybody. Several machines
 * may have one group, and nobody minds what he did not ask for.
 */
enum { NET_GROUPS = 1024 };
struct net_groups {
    u64 bit[NET_GROUPS / 64];
    bool all;    /* whatever else is wanted */
    u32 changes; /* how often any of this has changed */
};

static const u8 frame_everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static inline bool net_group_in(const u64 *bits, u32 group)
{
    return bits[group / 64] >> group % 64 & 1;
}

static inline void net_group_put(u64 *bits, u32 group)
{
    bits[group / 64] |= 1ull << group % 64;
}

static inline void net_group_address(u8 address[6], u32 group)
{
    const u8 of_group[6] = {3, 5, 0, 0, (u8)(group >> 8), (u8)group};

    __builtin_memcpy(address, of_group, 6);
}

/* The group that any multicast address belongs to. */
static inline u32 net_group_of(const u8 address[6])
{
    return ((u32)address[4] << 8 ^ (u32)address[2] << 8 ^ address[5] ^ address[3]) % NET_GROUPS;
}

struct net_device {
    const struct net_device_ops *ops;
    u8 address[6];
    u16 block_max;        /* largest frame, header included */
    u64 bytes_per_second; /* of the medium, for timers; 0 = unknown and fast */
    bool checked;  /* the block read last is as it was sent: its CRC need not be looked at */
    bool own_only; /* takes no frames of others from a node that has no other device */
    bool groups;   /* its medium knows who wants which group */
    const struct net_groups *wants; /* which of them this node wants; once it is attached */
    void *owner;                    /* the driver's own */
};

/*
 * Calls of the kernel. None blocks; none calls net_up_* for the message it is given.
 * From inside a net_up_* function everything but net_destroy, net_attach, net_detach and
 * net_poll may be called.
 */
struct net *net_create(struct heap *heap, const struct net_config *config);
void net_destroy(struct net *n);
enum net_result net_attach(struct net *n, struct net_device *d);
void net_detach(struct net *n, struct net_device *d);

/* Sends head followed by body as one message; both are copied before it returns. A
 * guaranteed message to a machine without a known path waits until there is one; it is for
 * the boot (epoch) of that machine that the path then shows, or already shows. */
enum net_result net_send(struct net *n, machine_t to, enum net_class class, const void *head,
                         size_t head_len, const void *body, size_t body_len);

/* What rides on every routing broadcast of this node (the switchboard's location). */
void net_announce(struct net *n, const void *bytes, size_t len);

/*
 * Bulk: `len` bytes to machine `to`, in blocks labelled with their offset, any order, one
 * acknowledgement at the end. `transfer` is the kernel's name for it, the same at both
 * ends; the receiver must have opened it. The data is pulled by net_up_bulk_read.
 */
enum net_result net_bulk_send(struct net *n, machine_t to, u64 transfer, u64 len);
enum net_result net_bulk_expect(struct net *n, machine_t from, u64 transfer, u64 len);
/* After net_up_bulk_read or _write said "not now": go on. */
void net_bulk_resume(struct net *n, u64 transfer);
void net_bulk_cancel(struct net *n, u64 transfer);

/* The membership authority has declared an epoch of a machine dead: drop its state, and
 * what waits for that boot; frames that still come from it are discarded. */
void net_declare_dead(struct net *n, machine_t machine, u32 epoch);

/* The scanner's turn: reads interrupts, runs the NFSMs, fires timers up to `now_ns`. */
void net_poll(struct net *n, u64 now_ns);
/* True once after the time for an answer has run out. */
bool net_overdue(struct net *n);
/* What was sent since the last net_poll was sent now: its timers are set, so that nothing wants
 * a net_poll for having been sent. net_unsettled: there is such. */
bool net_unsettled(const struct net *n);
void net_settle(struct net *n, u64 now_ns);
/* When net_poll wants to be called next even if nothing arrives; ~0 for never. */
u64 net_deadline(const struct net *n);

/* Calls of the network. `message` lives until the call returns. */
void net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                    const void *message, size_t len);
/* A queue that was NET_FULL has room again. */
void net_up_room(struct net *n, machine_t to);
/* Reports only: nobody is declared dead by a timer. A new `epoch` says that the machine
 * came up again: what the old one had not acknowledged is gone, its order starts anew. */
void net_up_reachable(struct net *n, machine_t machine, u32 epoch, bool reachable);
/* Another machine's announcement is new or changed. */
void net_up_announce(struct net *n, machine_t from, const void *bytes, size_t len);
/* Source and target of bulk bytes; false: not now (a page is missing), resume later.
 * From inside these two nothing of the bulk calls may be called, nor net_declare_dead. */
bool net_up_bulk_read(struct net *n, u64 transfer, u64 offset, void *buffer, size_t len);
bool net_up_bulk_write(struct net *n, u64 transfer, u64 offset, const void *data, size_t len);
/* The transfer is complete (0), or failed (enum net_result), at this end. */
void net_up_bulk_done(struct net *n, u64 transfer, int result);
/* A one-line trace event for the invariant checker; types in net/trace.h. */
void net_up_trace(struct net *n, u16 type, u32 who, u64 a, u64 b);
/* Whether it is called at all; so it is at first. */
void net_set_trace(struct net *n, bool on);
const struct net_stats *net_stats(const struct net *n);
/* The kernel's own pointer, kept for it. */
void net_set_owner(struct net *n, void *owner);
void *net_owner(const struct net *n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one header of the DEMOS network: 64 bytes, Ethernet's 14 included, the same for
 * every kind of frame, big-endian, followed by `body` bytes. The CRC covers every byte of
 * the frame (its own field taken as zero). Whatever lies behind the body is a medium's
 * padding and is ignored.
 *
 * A guaranteed message of up to NET_MESSAGE_MAX bytes travels in pieces that start at
 * multiples of 1,024 bytes (sections). Any node may cut a piece further where its next
 * medium is narrower; only the receiver joins, by section numbers, in any order.
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include "base/bytes.h"
#include "net/net.h"

/* IEEE 802 "Local Experimental Ethertype 1". */
#define FRAME_ETHERTYPE 0x88b5u

enum { FRAME_VERSION = 1, FRAME_HOPS_MAX = 64, SECTION = 1024, SECTIONS_MAX = 65 };

/* Where each field starts. */
enum frame_field {
    FRAME_TO = 0,         /* 6: Ethernet address of the next node, or all ones */
    FRAME_FROM = 6,       /* 6: Ethernet address of the last node */
    FRAME_TYPE = 12,      /* 2: FRAME_ETHERTYPE */
    FRAME_VER = 14,       /* 1: FRAME_VERSION */
    FRAME_KIND = 15,      /* 1: enum frame_kind */
    FRAME_FLAGS = 16,     /* 1: enum frame_flags */
    FRAME_HOPS = 17,      /* 1: nodes passed so far */
    FRAME_SRC = 18,       /* 4: machine that made the frame */
    FRAME_DST = 22,       /* 4: machine it is for, or NET_EVERYBODY */
    FRAME_SRC_EPOCH = 26, /* 4: its boot of the source */
    FRAME_DST_EPOCH = 30, /* 4: the boot it is for; 0 where any will do */
    FRAME_BODY = 34,      /* 2: bytes behind the header */
    FRAME_SECTION = 36,   /* 2: DATA: number of the first section of this piece */
    FRAME_SEQ = 38,       /* 4: DATA: message; ROUTE, REPLY, DATAGRAM: of the source */
    FRAME_LENGTH = 42,    /* 4: DATA: of the whole message; ROUTE, REPLY: cost so far */
    FRAME_ACK = 46,       /* 4: DATA, ACK: all messages before this one have arrived;
                              ROUTE, REPLY: slowest medium so far, bytes/s, 0 fast;
                              ERROR: the machine that could not be reached;
                              REPLY_ACK: the machine that the reply is for;
                              WHERE, THERE: the machine in question */
    FRAME_BITS = 50,      /* 4: DATA, ACK: bit i: message ack + 1 + i has arrived;
                              ROUTE, REPLY: smallest block so far */
    FRAME_ATTEMPT = 54,   /* 2: DATA: how often this message was begun */
    FRAME_SPARE = 56,     /* 4: zero (a recorder's mark, later) */
    FRAME_CRC = 60,       /* 4: CRC-32C */

    FRAME_TRANSFER = FRAME_SEQ, /* 8: BULK, BULK_ASK, BULK_DONE */
    FRAME_OFFSET = FRAME_ACK,   /* 8: BULK: of the body in the area */
};

enum frame_kind {
    FRAME_DATA = 1,  /* a piece of a guaranteed message, acknowledging as it goes */
    FRAME_ACKS,      /* an acknowledgement alone; body: struct of enum ack_item, repeated */
    FRAME_DATAGRAM,  /* an unguaranteed message */
    FRAME_ROUTE,     /* flooded: I exist, and who is `dst`? body: the announcement */
    FRAME_REPLY,     /* to `dst`: I am here; body: the announcement */
    FRAME_REPLY_ACK, /* to a neighbour: reply `seq` of machine `dst` has arrived */
    FRAME_ERROR,     /* a node on the way knows no path to machine `ack` */
    FRAME_BULK,      /* bulk data, labelled with its offset */
    FRAME_BULK_ASK,  /* body: ranges still missing, u64 from, u64 to each */
    FRAME_BULK_DONE, /* the one acknowledgement of a transfer */
    FRAME_WHERE,     /* to a neighbour: do you know machine `ack`, as a neighbour too? */
    FRAME_THERE,     /* machine `ack`; body: its Ethernet address, nothing: not known */
    FRAME_KINDS,
};

enum frame_flags {
    FRAME_END = 1,  /* DATA, BULK: the last piece of this attempt: say what is missing */
    FRAME_WIDE = 2, /* ROUTE: pass on even to the medium it came from */
    FRAME_MORE = 4, /* ROUTE: whoever has an announcement shall reply */
};

/* An unfinished message in the body of FRAME_ACKS. */
enum ack_item {
    ACK_SEQ = 0,     /* 4 */
    ACK_ATTEMPT = 4, /* 2: the attempt whose end has been seen, 0 for none */
    ACK_PAD = 6,     /* 2: zero */
    ACK_HAVE = 8,    /* 8: bit i: section i is here */
    ACK_LAST = 16,   /* 8: bit 0: section 64 is here */
    ACK_ITEM = 24,
};

/* Ethernet addresses, six bytes in two words. */
static inline void address_copy(u8 *to, const u8 *from)
{
    __builtin_memcpy(to, from, 4);
    __builtin_memcpy(to + 4, from + 4, 2);
}

static inline bool address_equal(const u8 *a, const u8 *b)
{
    u32 first, other;
    u16 rest, others;

    __builtin_memcpy(&first, a, 4);
    __builtin_memcpy(&other, b, 4);
    __builtin_memcpy(&rest, a + 4, 2);
    __builtin_memcpy(&others, b + 4, 2);
    return first == other && rest == others;
}

static inline size_t frame_length(const u8 *f)
{
    return (size_t)NET_HEADER + be16_get(f + FRAME_BODY);
}

/* Serial-number comparison: negative if a comes before b. */
static inline s32 seq_diff(u32 a, u32 b)
{
    return (s32)(a - b);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message: one header, the same between two processes of a node and between two machines,
 * the links it carries, and a body. Owns the pools messages come from and the wire form.
 *
 * Wire form, version 1, big-endian, MESSAGE_HEADER bytes:
 *    0 version u8, class u8, kind u8, notice u8
 *    4 length u32 (bytes of body here)
 *    8 sender id: creating machine u32, epoch u32, serial u64
 *   24 sender incarnation u32, machine the sender is on u32
 *   32 target id: as sender id
 *   48 target incarnation u32, flags u8, links u8, attr u16
 *   56 sequence u64, 64 sequence of the sender's previous message to this target u64 (0: unknown)
 *   72 channel u32, whole length u32
 *   80 code u64, 88 check u64
 *   96 bytes set aside for it at the target (replies) u32, 100 zero u32
 * then the reply link (if MESSAGE_HAS_REPLY) and the links, LINK_WIRE bytes each, then the body.
 */
#ifndef GUEST_KERNEL_MESSAGE_H
#define GUEST_KERNEL_MESSAGE_H

#include "base/list.h"
#include "guest/kernel/link.h"

struct node;

enum {
    MESSAGE_VERSION = 1,
    MESSAGE_HEADER = 104,
    MESSAGE_HEAD_MAX = MESSAGE_HEADER + 5 * LINK_WIRE
};

enum message_class {
    MESSAGE_USER,   /* guaranteed */
    MESSAGE_TIMELY, /* unguaranteed */
    MESSAGE_KERNEL, /* between kernels: kind is enum kernel_message */
};

enum message_flags {
    MESSAGE_HAS_REPLY = 1,
    MESSAGE_BOUNCED = 2,     /* BUSY: comes back to its sender's kernel */
    MESSAGE_FORWARDED = 4,   /* passed a forwarding address on its way */
    MESSAGE_RESERVED = 8,    /* its room at the target was set aside by the reply link */
    MESSAGE_IN_CALL = 16,    /* a CALL's request, or the reply to one */
    MESSAGE_LINKS_LOST = 32, /* here only: the receiver's table was full */
};

/* Between kernels, routed by target id like any message. */
enum kernel_message {
    KERNEL_MSG_FENCE = 1, /* "tell me when all before this has arrived and there is room" */
    KERNEL_MSG_FENCED,    /* the answer, from where the process is */
    KERNEL_MSG_UPDATE,    /* link update: target process is now at body's machine */
    KERNEL_MSG_LOCATE,    /* who has it? (locate.c) */
    KERNEL_MSG_HERE,      /* answer to LOCATE: I have it; or where it went; or I do not know */
    KERNEL_MSG_GONE,      /* answer to a FENCE: the process is dead */
    KERNEL_MSG_MOVE,      /* MOVEDATA request: see bulk.c */
    KERNEL_MSG_MOVE_GO,
    KERNEL_MSG_MOVE_AT, /* the request was passed on, to there */
    KERNEL_MSG_MOVE_FAILED,
    KERNEL_MSG_MIGRATION, /* see migrate.h */
    KERNEL_MSG_REJECTING, /* a machine whose messages to a moving process bounce */
    KERNEL_MSG_HELD,      /* a reply link of the process is at another machine now (asked.c) */
    KERNEL_MSG_ENDED,     /* the process is dead: its forwarding address is of no more use */
    KERNEL_MSG_PAST,      /* boots of the sender before this one are over (past.c) */
    KERNEL_MSGS
};

struct message {
    struct list queue;
    struct process_id sender;
    struct process_id target;
    u64 sequence, previous;
    u64 code, check;
    u32 sender_incarnation, target_incarnation;
    u32 sender_machine;
    u32 channel;
    u32 length; /* of body */
    u32 whole;  /* what the sender wanted to say, >= length */
    union {
        struct {
            u8 class, kind, notice, flags;
            u8 link_count, unused;
            u16 attr; /* of the link it travels over */
        };
        u64 marks; /* all of these at once, for straight paths (hot.h) */
    };
    u32 room;     /* body bytes allocated */
    u32 via;      /* here only: the machine it came from last; 0: none */
    u32 reserved; /* bytes set aside for it at the target */
    u32 pool;     /* which pool it goes back to */
    struct link reply;
    struct link *links; /* link_count of them, behind the body */
    u8 body[];
};

/* A message with room for `length` bytes and `links` links; fields are not initialised
 * beyond those about itself. `urgent` may use the node's reserve. NULL: no memory. */
struct message *message_alloc(struct node *n, u32 length, u32 links, bool urgent);
/* The same for a process's message to whom nothing waits: half of the reserve may be used. */
struct message *message_alloc_first(struct node *n, u32 length, u32 links);
/* Gives the memory back; the links in it are the caller's to have dealt with. */
void message_free(struct node *n, struct message *m);
/* What a message costs the queue of its receiver. */
static inline u32 message_cost(u32 length, u32 links)
{
    return (u32)sizeof(struct message) + (u32)ALIGN_UP(length, 16u) +
           links * (u32)sizeof(struct link);
}

/* Writes header and links; the body is sent from where it is. Returns bytes written. */
size_t message_encode(const struct message *m, u8 head[MESSAGE_HEAD_MAX]);
/* A message from received bytes, or NULL with *error = 0 when they make no sense, or a
 * demos_error when there is no memory. */
struct message *message_decode(struct node *n, const u8 *bytes, size_t len, int *error);

#endif

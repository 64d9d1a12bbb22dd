/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a DEMOS program and its kernel agree on: call numbers and arguments, errors, what
 * RECEIVE tells, the start record, the user layout. The same on every machine: fixed-width
 * integers, 64-bit numbers. Included by the kernel, by every machine and by libdemos.
 *
 * A call carries its number and up to six words, all in registers, and answers one signed
 * word: zero or more is success, less than zero is an enum demos_error. How the words
 * travel is the machine's affair: programs call the entry page (DEMOS_ENTRY_PAGE), never
 * a hard-wired instruction. On x86-64: number in rax, words in rdi rsi rdx r10 r8 r9,
 * `call *entry`, answer in rax; rcx and r11 are lost.
 */
#ifndef GUEST_KERNEL_ABI_H
#define GUEST_KERNEL_ABI_H

#include "base/types.h"

/*
 * The calls. `info` is the address of a struct demos_info or 0; `timeout` is enum
 * demos_timeout or nanoseconds from now.
 */
enum demos_call {
    DEMOS_NULL,        /* () -> 0 */
    DEMOS_CREATELINK,  /* (demos_spec(kind, attr, channel), code, base, len) -> link to me */
    DEMOS_DESTROYLINK, /* (link) */
    DEMOS_DUPLINK,     /* (link) -> another link, if DEMOS_DUP */
    DEMOS_SEND,        /* (link, body, len, info, timeout); info gives links to pass */
    DEMOS_REQUEST,     /* (link, body, len, info, timeout, demos_lens(room, channel)): as SEND,
                        * with a reply link to `channel` whose code is info->code */
    DEMOS_REPLY,       /* (reply link, body, len, info, timeout): uses the link up */
    DEMOS_RECEIVE,     /* (channel set, buffer, room, info, timeout) -> bytes in buffer */
    DEMOS_CALL,        /* (link, body, demos_lens(len, room), buffer, info, timeout) -> bytes;
                        * info gives the links to pass and then tells of the reply */
    DEMOS_MOVEDATA,    /* (link, enum demos_move, offset in area, address, len) -> bytes */
    DEMOS_YIELD,       /* () */
    DEMOS_EXIT,        /* (status) never returns */
    /* (reply link, body, demos_lens(len, room), buffer, info, channel set) -> bytes in buffer: REPLY,
     * then RECEIVE without a time limit; what is wrong with the reply is said before that */
    DEMOS_ANSWER,
    DEMOS_CALLS
};

enum demos_timeout {
    DEMOS_NOW = 0, /* do not wait: DEMOS_E_FULL or DEMOS_E_TIMEOUT instead */
};
#define DEMOS_FOREVER (~(u64)0)

/* Results below zero. */
enum demos_error {
    DEMOS_E_CALL = -1,     /* no such kernel call or operation */
    DEMOS_E_LINK = -2,     /* no such link: never made, closed, given away, used up, forged */
    DEMOS_E_ALLOWED = -3,  /* the link's creator does not allow that */
    DEMOS_E_KIND = -4,     /* wrong kind of link for this call */
    DEMOS_E_ADDRESS = -5,  /* memory that is not the caller's to use so */
    DEMOS_E_ARGUMENT = -6, /* a number out of range */
    DEMOS_E_LONG = -7,     /* message longer than DEMOS_BODY_MAX */
    DEMOS_E_FULL = -8,     /* the receiver has no room now (timeout DEMOS_NOW) */
    DEMOS_E_TIMEOUT = -9,  /* nothing came, or no room, in time */
    DEMOS_E_DEAD = -10,    /* the process behind the link is no more */
    DEMOS_E_DROPPED = -11, /* the reply link was destroyed unused: no answer will come */
    DEMOS_E_LINKS = -12,   /* my link table is as large as it may be */
    DEMOS_E_MEMORY = -13,  /* a limit on memory, mine or the node's */
    DEMOS_E_AREA = -14,    /* outside the link's data area, or it has none */
    DEMOS_E_STATE = -15,   /* the process is not in a state for that */
    DEMOS_E_REFUSED = -16, /* another node or server said no */
    DEMOS_E_LOST = -17,    /* bytes that were to be moved cannot be had: a page, or the way */
};

enum { DEMOS_BODY_MAX = 65536, DEMOS_LINKS_MAX = 4, DEMOS_CHANNELS = 64 };

/* Channels are 0 to 63, a channel set has bit n for channel n. */
#define DEMOS_CHANNEL(n)  ((u64)1 << (n))
#define DEMOS_ANY_CHANNEL (~(u64)0)

/* Link kinds. Requests must go over REQUEST or RESOURCE links by REQUEST or CALL; SEND is
 * for GENERAL links (and RESOURCE ones, which take both); REPLY links take one REPLY. */
enum demos_kind {
    DEMOS_GENERAL,
    DEMOS_REQUEST_LINK,
    DEMOS_RESOURCE,
    DEMOS_REPLY_LINK,
    DEMOS_KINDS
};

/* What its creator lets the holder of a link do, and what the creator is told. */
enum demos_attr {
    DEMOS_DUP = 1 << 0,       /* may be duplicated; passing it on passes a copy */
    DEMOS_GIVE = 1 << 1,      /* may be passed on */
    DEMOS_ONCE = 1 << 2,      /* one message, then it is gone */
    DEMOS_TELLDEST = 1 << 3,  /* a notice to me when it is destroyed, or (no DUP) its machine */
    DEMOS_TELLGIVE = 1 << 4,  /* a notice to me when it is passed on */
    DEMOS_AREA_READ = 1 << 5, /* the holder may MOVEDATA out of the area */
    DEMOS_AREA_WRITE = 1 << 6,  /* ... into it */
    DEMOS_TOKERNEL = 1 << 7,    /* DELIVERTOKERNEL: only kernels make these */
    DEMOS_SWITCHBOARD = 1 << 8, /* whichever switchboard is nearest: only kernels make these */
    DEMOS_TIMELY = 1 << 9,      /* unguaranteed: may be lost rather than late */
    /* What CREATELINK accepts. */
    DEMOS_ATTR_USER = DEMOS_DUP | DEMOS_GIVE | DEMOS_ONCE | DEMOS_TELLDEST | DEMOS_TELLGIVE |
                      DEMOS_AREA_READ | DEMOS_AREA_WRITE | DEMOS_TIMELY
};

static inline u64 demos_spec(u32 kind, u32 attr, u32 channel)
{
    return (u64)channel << 32 | (u64)attr << 8 | kind;
}

static inline u64 demos_lens(u64 low, u64 high)
{
    return high << 32 | (u32)low;
}

enum demos_move { DEMOS_MOVE_READ, DEMOS_MOVE_WRITE }; /* out of the area; into it */

/* The kind of a received message. */
enum demos_message_kind {
    DEMOS_MSG_GENERAL,
    DEMOS_MSG_REQUEST,
    DEMOS_MSG_REPLY,
    DEMOS_MSG_NOTICE /* from a kernel: `notice` says what, code and channel are the link's */
};

enum demos_notice {
    DEMOS_NOTICE_NONE,
    DEMOS_NOTICE_DEAD,      /* the request went to a process that is no more */
    DEMOS_NOTICE_DROPPED,   /* a reply link was destroyed unused */
    DEMOS_NOTICE_DESTROYED, /* TELLDEST */
    DEMOS_NOTICE_GIVEN,     /* TELLGIVE */
    DEMOS_NOTICE_EXIT       /* a watched process ended; body: enum demos_end, status */
};

enum demos_info_flags {
    DEMOS_TRUNCATED = 1,  /* length > room: the rest of the body is gone */
    DEMOS_LINKS_LOST = 2, /* links of this reply did not fit in my table and are destroyed */
};

/*
 * In: `count` and `links` are passed with the message (SEND, REQUEST, REPLY, CALL); `code`
 * is what the reply will carry (REQUEST). Out (RECEIVE, CALL): all of it. A link passed
 * is gone from the sender's table unless it has DEMOS_DUP. Link numbers are never 0.
 */
struct demos_info {
    u64 code; /* of the link the message came over */
    u32 channel;
    u8 kind;    /* enum demos_message_kind */
    u8 flags;   /* enum demos_info_flags */
    u8 notice;  /* enum demos_notice */
    u8 count;   /* of links */
    u32 length; /* of the whole body, also when truncated */
    u32 spare;
    s64 reply; /* link to answer by, or 0 */
    s64 links[DEMOS_LINKS_MAX];
};
_Static_assert(sizeof(struct demos_info) == 64, "written by every RECEIVE: one cache line");

/* How a process ended (first word of an exit notice, big-endian; the second is its status,
 * the exception's reason, or 0; the third the address of the fault). */
enum demos_end { DEMOS_END_EXIT, DEMOS_END_KILLED, DEMOS_END_EXCEPTION, DEMOS_END_NODE };

/*
 * User layout, the same on every 64-bit machine and node. Images lie below 4 GiB, private
 * memory below DEMOS_PRIVATE_END; from DEMOS_GLOBAL to DEMOS_GLOBAL_END is reserved for
 * objects that have one address everywhere.
 */
#define DEMOS_USER_START  0x10000ull
#define DEMOS_IMAGE_END   0x100000000ull
#define DEMOS_BUNDLE      0x100000000ull /* where the first process finds its programs */
#define DEMOS_STACK_TOP   0x0fffffe00000ull
#define DEMOS_START_PAGE  0x0ffffff00000ull /* struct demos_start, read-only to the program */
#define DEMOS_START_ROOM  0x10000ull
#define DEMOS_ENTRY_PAGE  0x0fffffff0000ull /* the machine's entry code */
#define DEMOS_PRIVATE_END 0x100000000000ull
#define DEMOS_GLOBAL      0x100000000000ull
#define DEMOS_GLOBAL_END  0x600000000000ull

/*
 * Memory that grows by being touched (REGION_UP, REGION_DOWN): what an image may write, by a
 * heap behind it; the stack. Both within the process's limit.
 */
#define DEMOS_HEAP_MOST   0x4000000ull
#define DEMOS_STACK_MOST  0x100000ull

/*
 * The start record: what a program is born with. Native byte order. The kernel writes it
 * to DEMOS_START_PAGE; a new thread starts at the image's entry with the record's address
 * as its first argument and its stack pointer aligned as after a call.
 */
#define DEMOS_START_MAGIC 0x44454d4fu
enum { DEMOS_NAME_MAX = 24, DEMOS_START_LINKS = 16 };

struct demos_start_link {
    char name[DEMOS_NAME_MAX]; /* NUL-padded: "kernel", "self", "switchboard", ... */
    s64 link;
};

struct demos_start {
    u32 magic;
    u32 version; /* 1 */
    u32 page_size;
    u32 machine_kind; /* enum demos_machine, for curiosity only */
    u32 argc;
    u32 args; /* offset from the record: argc NUL-terminated strings */
    u32 args_len;
    u32 link_count;
    struct demos_start_link links[DEMOS_START_LINKS];
};

#endif

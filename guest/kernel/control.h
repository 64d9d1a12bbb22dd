/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to kernels, all of them messages: bodies are big-endian 64-bit words, word 0
 * being the operation; answers begin with a signed word, 0 or an enum demos_error.
 *
 * Two addresses. The node's process-and-memory kernel process (a link named "kernel" in
 * the first process's start record) makes processes and lists them. Everything about one
 * process goes over its control link, a DELIVERTOKERNEL request link, to whichever kernel
 * has it. Each line says: words after the operation, then links that travel -> words after
 * the result, then links of the answer.
 */
#ifndef GUEST_KERNEL_CONTROL_H
#define GUEST_KERNEL_CONTROL_H

#include "guest/kernel/abi.h"

/* Kernel channels: which kernel process a link to a node's kernel means. */
enum kernel_channel {
    KERNEL_PROCESS = 1, /* process and memory */
    KERNEL_CLOCK = 2,   /* time as messages */
    KERNEL_CONSOLE = 3, /* the node's console */
    KERNEL_MACHINE = 4, /* the machine's own (frames, devices), handled by machine_message */
    KERNEL_KEEPING = 5, /* objects, for their keepers (keeper.h): request links */
    KERNEL_FRAME = 6,   /* frames on their way, for the same */
    KERNEL_OBJECT = 7,  /* objects' names */
    KERNEL_DISK = 8,    /* the machine's disks, by machine_message, too */
    KERNEL_CHANNELS = 9
};

/* To KERNEL_PROCESS. */
enum kernel_op {
    /* flags, limit words (struct demos_limits order, 0 = default), name as 3 words;
     * [watch: general or reply link for the exit notice] -> ; control link. Who holds a reply
     * link is known: when the child's machine is declared dead, its asker gets NOTICE_DEAD */
    KERNEL_OP_CREATE = 1,
    /* index of the first wanted -> total, then 8 words each: see struct demos_listing */
    KERNEL_OP_LIST = 2,
    /* -> machine, epoch, processes, heap bytes in use, heap high, heap total, messages
     * queued, kernel entries, threads that compute or would, messages that the processes here
     * have sent, how many of these inside CALL or as a reply to one */
    KERNEL_OP_NODE = 3,
    /* scope -> ; a link to the switchboard: of this node, else of the cluster, wherever it is
     * used (SWITCHBOARD_NEAREST), or always of the cluster (SWITCHBOARD_CLUSTER). A request
     * over it waits until there is one; alone on a machine it is DEMOS_E_DEAD. */
    KERNEL_OP_SWITCHBOARD = 4,
    /* scope, flags; [request link with DUP] ->: it is this node's switchboard (NEAREST; without
     * a link there is none), or the cluster's. DEMOS_E_STATE: there is one, and flags do not
     * say to replace it. For processes of this node. */
    KERNEL_OP_REGISTER = 5,
    /* policy; [general link] ->: who keeps the pages of processes started from now on when
     * frames are scarce (enum paging_policy). Once, for processes of this node; what was
     * started before keeps its frames. */
    KERNEL_OP_PAGER = 6,
    /* -> words of struct paging_counters */
    KERNEL_OP_PAGING = 7,
    /* flags, then per machine: number << 32 | epoch, 1: lives, 0: that boot is dead ->. The
     * membership authority's word: who waits for the dead is told. MEMBERS_ALL: no machine
     * is left out, so that searches need not look for others. */
    KERNEL_OP_MEMBERS = 8,
    /* row of a listing, name as 3 words -> ; its control link. DEMOS_E_DEAD: there is none of
     * that name in that row. Whoever holds the link "kernel" owns the node. */
    KERNEL_OP_CONTROL = 9,
    /* -> KERNEL_LISTING_WORDS for each kernel process: name as 3 words, its channel (0: what
     * kernels tell each other), messages handled so far, bytes of the node's state that are its */
    KERNEL_OP_KERNELS = 10,
    /* -> what has left this node by its network: guaranteed and unguaranteed messages, frames of
     * the routing protocol, frames of all kinds, bytes in these */
    KERNEL_OP_TRAFFIC = 11,
    /* control link of the sender itself is not to be had this way: a parent gives it */
    KERNEL_OPS
};
enum { KERNEL_LISTING_WORDS = 6 };

/* How pages are chosen that have to go. */
enum paging_policy {
    PAGING_QUEUES, /* active and inactive; what is used while inactive stays */
    PAGING_FIFO,   /* the one that came first */
    PAGING_SAMPLE, /* least recently used, by samples of what is used */
    PAGING_POLICIES
};

enum members_flags { MEMBERS_ALL = 1 };
enum switchboard_scope { SWITCHBOARD_NEAREST, SWITCHBOARD_CLUSTER };
enum switchboard_register_flags { SWITCHBOARD_REPLACE = 1 };

enum demos_create_flags {
    DEMOS_CREATE_WITH_PARENT = 1, /* is killed when its creator ends */
};

/* Of regions. */
enum region_protection { REGION_READ = 1, REGION_WRITE = 2, REGION_EXECUTE = 4 };
enum region_inheritance { REGION_NONE, REGION_COPY, REGION_SHARE, REGION_INHERITANCES };
/* A touch of the page beside it makes it longer, downwards or upwards. */
enum region_growth { REGION_STAYS, REGION_DOWN, REGION_UP, REGION_GROWTHS };

/* Over a control link. */
enum control_op {
    /* base, len, protection, maximum protection, growth (enum region_growth), most: zero-filled
     * memory; it grows by being touched, to `most` bytes and the process's limit */
    CONTROL_MAP = 0x101,
    CONTROL_UNMAP = 0x102, /* base, len */
    CONTROL_LOAD = 0x103,  /* address, len; [link with a readable area of len bytes] */
    CONTROL_GIVE = 0x104,  /* name as 3 words; [link] -> : a link for the start record */
    CONTROL_START = 0x105, /* entry, stack top, argc, then argc NUL-terminated strings */
    CONTROL_STOP = 0x106,  /* not scheduled until RESUME */
    CONTROL_RESUME = 0x107,
    CONTROL_KILL = 0x108,   /* -> when it is gone */
    CONTROL_READ = 0x109,   /* address, len; [link with a writable area] -> bytes */
    CONTROL_STATE = 0x10a,  /* -> the process's state (state.c), while stopped or new */
    CONTROL_SET = 0x10b,    /* registers, as the machine exports them; while stopped or new */
    CONTROL_LIMITS = 0x10c, /* limit words, 0 = leave -> limit words now in force */
    CONTROL_INFO = 0x10d,   /* -> listing words, counter words (struct demos_counters) */
    CONTROL_WATCH = 0x10f, /* [general or reply link]: gets the exit notice, not the last one */
    CONTROL_EXCEPTION = 0x110, /* [request link]: exceptions become requests over it */
    CONTROL_PROTECT = 0x111,   /* base, len, protection (within the maximum) */
    CONTROL_PRIORITY = 0x112,  /* 0 (first) to 7 */
    CONTROL_MIGRATE = 0x113,   /* machine, as a word or as 32 bits */
    /* base, len, protection, maximum, offset, silence (enum keeper_silence), ns of patience;
     * [general link of the keeper, who need not know]: its object from `offset` on */
    CONTROL_KEEP = 0x114,
    CONTROL_INHERIT = 0x115, /* base, len, enum region_inheritance: what COPY does with it */
    /* [control link of a process here]: its memory, as its regions say, in this new one */
    CONTROL_COPY = 0x116,
    /* address -> base, len, protection, maximum, inheritance, offset, object's number (0: none),
     * 1 if somebody keeps it, of the region there or next, DEMOS_E_ADDRESS behind the last */
    CONTROL_REGION = 0x117,
    /* base, silence, ns of patience; [general link of a keeper]: the whole region that begins
     * there is kept by that from now on, by its own offsets; what it held is forgotten */
    CONTROL_LEAVE = 0x118,
    CONTROL_OPS_END
};

/* What a process may use. In this order in CREATE and LIMITS. */
struct demos_limits {
    u64 links;        /* slots of its table */
    u64 queue_bytes;  /* of messages waiting for it, kernel overhead included */
    u64 memory_bytes; /* of its regions */
};

enum demos_process_state {
    DEMOS_NEW,     /* created, not started */
    DEMOS_READY,   /* has or wants the processor */
    DEMOS_WAITING, /* in RECEIVE, CALL, or for room */
    DEMOS_STOPPED,
    DEMOS_MIGRATING,
};

/* What a listing says of a process, all words. No process id: a row number is all a reader gets. */
struct demos_listing {
    u64 row;
    u64 parent_row; /* ~0: none here */
    u64 state;      /* enum demos_process_state */
    u64 cpu_ns;
    u64 memory_bytes;
    u64 links_used;
    u64 queued; /* messages */
    u64 priority;
    struct demos_limits limits; /* in force */
    char name[DEMOS_NAME_MAX];  /* three words, as bytes */
};
enum { DEMOS_LISTING_WORDS = 14 };
_Static_assert(sizeof(struct demos_listing) == 8 * DEMOS_LISTING_WORDS, "all of it");

/* Counted from birth, all of them words. */
struct demos_counters {
    u64 entries; /* kernel calls */
    u64 sent;
    u64 sent_in_call; /* of these, inside CALL or as a reply to one */
    u64 received;
    u64 sent_bytes;
    u64 received_bytes;
    u64 moved_bytes;
    u64 mapped_bytes; /* of these, by mapping pages */
    u64 links_high;   /* most slots ever in use */
    u64 queue_high;   /* most bytes ever queued */
    u64 fast;         /* calls that took the straight path */
    u64 notices;
};

#endif

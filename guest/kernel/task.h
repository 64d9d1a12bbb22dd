/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process: the task (address space, links, identity, queues, family) and its threads
 * (registers, wait state). One thread per task for now; nothing assumes it but task_start.
 *
 * Machines may read all of this; they own the two `machine` pointers, and write the words of a
 * call they are about to make. Only the core writes the rest.
 */
#ifndef GUEST_KERNEL_TASK_H
#define GUEST_KERNEL_TASK_H

#include "guest/kernel/control.h"
#include "guest/kernel/message.h"

/* Why a thread may not take a straight path. Any bit set: the general path. */
enum slow {
    SLOW_TRACE = 1,        /* the node records messages */
    SLOW_METER = 2,        /* records of this process go over its meter link */
    SLOW_PUBLISH = 4,      /* inputs and messages are published; delivery may be held */
    SLOW_STOP = 8,         /* stopped, or about to be */
    SLOW_SIGNAL = 16,      /* something is to be delivered when it next leaves the kernel */
    SLOW_PERSONALITY = 32, /* not a DEMOS program: its calls go to the exception link */
    SLOW_GATE = 64,        /* may_use() has an opinion */
    SLOW_MIGRATING = 128,
    SLOW_PATHS = 256, /* straight paths are switched off (for comparison) */
};

enum thread_state {
    THREAD_NEW,
    THREAD_READY,   /* in a run queue */
    THREAD_RUNNING, /* the machine has it */
    THREAD_WAITING, /* for what `wait` says */
    THREAD_STOPPED, /* by an exception, until its handler answers */
};

enum wait {
    WAIT_NOTHING,
    WAIT_MESSAGE, /* RECEIVE: a message on `wait_set` */
    WAIT_REPLY,   /* CALL: the reply `wait_serial` */
    WAIT_ROOM,    /* queue room at a target, or in the network: the call is tried again */
    WAIT_MOVE,    /* a transfer to or from another machine */
    WAIT_PAGE,    /* memory that is being fetched: the call is tried again */
    WAIT_FAULT,   /* an exception handler's answer */
};

struct thread {
    struct task *task;
    u32 slow; /* enum slow; tested once by every straight path */
    u8 state; /* enum thread_state */
    u8 wait;  /* enum wait */
    u8 priority;
    bool pending;              /* a kernel call is to be finished by node_resume */
    u64 wait_set;              /* channels */
    u64 wait_serial;           /* of the CALL or transfer in progress */
    u32 wait_machine;          /* where its answer is to come from, as far as known */
    u32 wait_epoch;            /* of that machine's boot, 0: unknown */
    u8 wait_hops;              /* of the reply link when it was last heard of */
    u32 wait_cost;             /* of the message it wants room for */
    struct message *delivered; /* what ended the wait, not yet copied out */
    u32 call;                  /* the call in progress, enum demos_call */
    s32 wait_error;            /* ended the wait instead of a message; 0: none */
    u64 args[6];
    u64 progress;      /* of a call done in steps: bytes moved so far */
    u64 deadline;      /* ns, ~0 = none */
    u64 call_deadline; /* the same, while it waits for memory */
    u32 timer;         /* index + 1 in the node's timer heap, 0: not in it */
    struct list run;   /* in a run queue, or in the waiters of what it waits for */
    struct list peers; /* threads of the task */
    void *machine;     /* the machine's */
};

/* Memory of a process. Objects (who keeps the pages) are apart from regions. */
struct object; /* page.h */

struct region {
    struct region *next;   /* by address */
    u64 base, length;      /* whole pages */
    struct object *object; /* NULL: the machine's own zero fill, which stays */
    u64 offset;            /* of base within the object */
    u8 protection, max_protection, inheritance;
    u8 grows;        /* enum region_growth */
    u8 silence;      /* enum keeper_silence */
    u64 patience_ns; /* of that */
    u64 most;        /* how long it may become */
    struct task *task;
    struct list views; /* of the object */
};

/* The sequence of the last message to a few recent targets (the header's `previous`). Their size
 * is a power of two, so that finding one is a shift. */
enum { TASK_RECENT = 8 };

struct task {
    struct process_id id;
    u32 incarnation;
    u32 moves;  /* from machine to machine, since it was made */
    u32 *trail; /* machines that keep a forwarding address of it, trail_count of them */
    u32 trail_count;
    u8 state;      /* enum demos_process_state without READY/WAITING, which are the thread's */
    bool arriving; /* senders here wait until what they sent another way has come */
    bool held;     /* new messages wait until a replay ends */
    u8 inherit_flags; /* enum demos_create_flags */
    u32 row;          /* in the node's table, +1 */
    u64 key;          /* for link checks, 0 = unused */

    struct link_table links;
    struct list queue; /* messages, oldest first */
    u32 queued;        /* how many */
    u64 queued_bytes, reserved_bytes, queue_limit;
    struct list senders;  /* threads waiting for room here */
    struct list fences;   /* machines waiting for room here */
    bool awaited;         /* set with the two above, cleared when both are found empty */
    struct list rejected; /* machines whose messages bounce until their FENCE */
    struct list asked;    /* REQUESTs that are not answered */

    u64 sequence; /* of the last message sent */
    struct {
        struct process_id to;
        u64 sequence, unused;
    } recent[TASK_RECENT];
    u64 calls;         /* serial of the last CALL */
    u64 inputs;        /* number of the last input */
    u64 discard_until; /* replay: output up to this sequence is dropped */
    struct list feed;  /* replay: inputs to be given instead of fresh ones */

    struct list threads;
    struct task *bucket; /* next with the same hash */
    struct task *parent; /* NULL: none here */
    struct list children, siblings;
    struct link watch; /* exit notice; kind DEMOS_KINDS: none */
    struct link exception, meter;

    struct region *regions;
    u64 memory_bytes, memory_limit;
    bool grows;                /* some region of it may */
    bool pageable;             /* its regions have objects: the node's pager may keep them */
    struct demos_start *start; /* being collected before START; NULL after */

    struct demos_counters count;
    u64 cpu_ns; /* kept by the machine */
    char name[DEMOS_NAME_MAX];
    void *machine; /* the machine's */
};

static inline struct thread *task_thread(const struct task *t)
{
    return list_empty(&t->threads) ? NULL : list_entry(t->threads.next, struct thread, peers);
}

/* The region that holds `address`, or NULL. */
const struct region *task_region(const struct task *t, u64 address);

#endif

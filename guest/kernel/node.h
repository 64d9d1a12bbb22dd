/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DEMOS kernel of one node, as its machine sees it.
 *
 * All state of a node is in struct node; nothing here blocks, waits, or knows the time. A
 * machine gives it memory, enters it for kernel calls, faults, timers and the network, and
 * runs the threads it names. One node is entered by one processor at a time.
 *
 * The loop of every machine:
 *
 *     for (;;) {
 *         struct thread *t = node_next(n);
 *         if (!t) { wait for an interrupt or node_deadline(n); node_timer(n); continue; }
 *     run:
 *         switch to t's address space;
 *         switch (node_resume(n, t, &result)) {
 *         case NODE_DONE: t's result register = result; break;   // a call is finished
 *         case NODE_RUN: break;                                  // as it was, or new
 *         case NODE_BLOCKED: continue;
 *         case NODE_SWITCH:
 *         case NODE_HANDOVER: t = node_switch_target(n); goto run;
 *         }
 *         run t in user mode until a call, a fault, or the end of its time slice:
 *             call: the outcomes of node_call, as above (NODE_DONE: back to user mode)
 *             fault: node_exception
 *             slice: node_preempt(n, t)
 *     }
 *
 * After any but NODE_DONE and NODE_RUN the thread may be gone (machine_thread_destroy was
 * called then); do not touch it.
 */
#ifndef GUEST_KERNEL_NODE_H
#define GUEST_KERNEL_NODE_H

#include "base/heap.h"
#include "guest/kernel/task.h"

struct net;

enum outcome {
    NODE_DONE,    /* the call is over, *result is its answer */
    NODE_RUN,     /* go on as before */
    NODE_BLOCKED, /* choose another thread */
    NODE_SWITCH,  /* go straight to node_switch_target() */
    /* The same, whose call is over; nothing else has changed: no deadline, nothing to be sent. */
    NODE_HANDOVER,
};

struct node_config {
    u32 machine;                /* this node's number, 1 and up */
    u32 epoch;                  /* of this boot; grows */
    u64 seed;                   /* for link check keys */
    u32 flags;                  /* enum node_flags */
    u32 reserve;                /* heap bytes kept for kernels' messages, 0 = a sixteenth */
    struct demos_limits limits; /* of processes that ask for none; 0 = built-in values */
};
enum node_flags {
    NODE_NO_SHARE = 1,    /* MOVEDATA always copies */
    NODE_NO_FAST = 2,     /* every call takes the general path */
    NODE_CHECK_LINKS = 4, /* links carry keyed checks */
    NODE_TRACE = 8,       /* machine_trace from the start */
};

/* A node in memory of `heap`; net may be NULL (alone). NULL: not enough memory. */
struct node *node_create(struct heap *heap, const struct node_config *config, struct net *net,
                         void *owner);
/* Ends every process without notice to other nodes and gives all memory back. */
void node_destroy(struct node *n);
void *node_owner(const struct node *n);
struct heap *node_heap(const struct node *n);
const struct node_config *node_config(const struct node *n);
void node_set_trace(struct node *n, bool on);

/* A kernel call of the running thread, whose words the machine has put into `args`. */
enum outcome node_call(struct node *n, struct thread *t, s64 *result, u64 number);
/* Before a thread goes on: finishes the call it was in, in its own address space. */
enum outcome node_resume(struct node *n, struct thread *t, s64 *result);
/* After NODE_HANDOVER, instead of node_resume: the result of that thread's call. */
static inline s64 node_handed(struct thread *t)
{
    t->pending = false;
    return (s64)t->args[0];
}
/* After NODE_SWITCH or NODE_HANDOVER: the thread to run now; it counts as chosen. */
struct thread *node_switch_target(struct node *n);

/* The thread to run next (highest priority, then longest waiting), now RUNNING; NULL: none. */
struct thread *node_next(struct node *n);
/* The running thread's slice is over, or it was interrupted and others should run. */
void node_preempt(struct node *n, struct thread *t);
/* A ready thread of higher priority than `t` exists (ask after interrupts). */
bool node_should_preempt(const struct node *n, const struct thread *t);

/* Fires what is due by machine_now(). */
void node_timer(struct node *n);
/* When node_timer wants to be called, ns; ~0: never. */
u64 node_deadline(const struct node *n);
/* A page a MACHINE_LATER was about has come: the thread tries again. */
void node_page_ready(struct node *n, struct thread *t);

/*
 * A fault, trap or foreign system call of the running thread. Without an exception link
 * the process ends, and its watcher is told `reason` and `address`.
 */
enum exception_reason {
    EXCEPTION_ADDRESS = 1, /* no such memory */
    EXCEPTION_PROTECTION,
    EXCEPTION_INSTRUCTION,
    EXCEPTION_ARITHMETIC,
    EXCEPTION_BREAKPOINT,
    EXCEPTION_FOREIGN, /* a system call that is not ours */
    EXCEPTION_PAGER,   /* who keeps the memory does not give it */
    EXCEPTION_MEMORY,  /* the node is out of frames */
};
struct exception {
    u32 reason;  /* enum exception_reason */
    u32 code;    /* the machine's own */
    u64 address; /* touched */
    u64 at;      /* instruction */
};
/* Requests over an exception link: words reason, code, address, at, then the registers as
 * machine_thread_export wrote them. Answers: one word of this, then registers (CHANGE). */
enum exception_answer { EXCEPTION_CONTINUE, EXCEPTION_CHANGE, EXCEPTION_RETRY, EXCEPTION_KILL };
enum outcome node_exception(struct node *n, struct thread *t, const struct exception *e);

/*
 * The running thread touched memory that the machine answers MACHINE_LATER or _MEMORY about;
 * `e` is what it becomes if there is no such memory. NODE_RUN: the instruction again.
 */
enum outcome node_fault(struct node *n, struct thread *t, u32 access,
                        const struct exception *e);
/*
 * The same for a machine that cannot leave the instruction, or is making `t`: nobody waits in
 * the core. NODE_RUN: the memory is there; NODE_BLOCKED: ask `again` when something has come;
 * NODE_DONE: it never will be, for *reason.
 */
enum outcome node_fault_held(struct node *n, struct task *t, u64 address, u32 access,
                             bool again, u32 *reason);

/*
 * The first process, made by the machine rather than by a message. node_process gives an
 * empty one; node_load_elf maps and fills the segments of a static ELF program, those that it may
 * write with room for a heap behind them; node_grant
 * puts a link to a kernel process of this node (`channel`, KERNEL_PROCESS and so on; 0: a
 * control link to the process itself) into its table and start record under `name`;
 * node_start lets it go. All answer 0 or a demos_error.
 */
struct task *node_process(struct node *n, const char *name, const struct demos_limits *limits);
int node_load_elf(struct node *n, struct task *t, const void *file, size_t len, u64 *entry);
s64 node_grant(struct node *n, struct task *t, const char *name, u32 channel);
int node_map(struct node *n, struct task *t, u64 base, u64 len, u32 protection, u32 maximum);
int node_start(struct node *n, struct task *t, u64 entry, u64 stack, u32 argc, const char *args,
               size_t args_len);
/* Ends a process from outside (the machine's console, a shutdown). */
void node_kill(struct node *n, struct task *t);

/*
 * Memory that the machine takes away while the node runs, and gives back: how many of the `wanted`
 * frames it may take now, all of them free (what can be paged out begins to go, so that asking
 * again later gives more); and that it has given some.
 */
u32 node_spare(struct node *n, u32 wanted);
void node_more(struct node *n);

/* All processes here, in table order: the first with row > `row`. */
struct task *node_task(const struct node *n, u32 row);

/* Declared by the membership authority, not guessed: everything of that epoch (and older
 * ones) of a machine is dead; who waits for it is told. */
void node_declare_dead(struct node *n, u32 machine, u32 epoch);

/*
 * The node has the memory of an earlier moment, from which its machine has lived on once before
 * (past.c): from now on it is in a new boot, `epoch`, with a network of its own, and the old one's
 * is of no more use.
 */
void node_from_past(struct node *n, u32 epoch, struct net *net);

/*
 * Replay, for a recorder: a process made again under its own id (NULL if it lives or there
 * is no room), inputs in the order of their numbers, its messages up to `sequence` dropped
 * as sent in an earlier life, and what arrives held from it. A KERNEL_T_input record, with
 * the process's counters at the time, is what node_feed wants back.
 */
struct node_input {
    u64 number;
    u64 received; /* messages read before it */
    u64 sequence; /* of the last message sent before it */
    s64 value;
};
struct task *node_recreate(struct node *n, const struct process_id *id, const char *name,
                           const struct demos_limits *limits);
int node_feed(struct node *n, struct task *t, const struct node_input *input);
void node_discard(struct node *n, struct task *t, u64 sequence);
void node_hold(struct node *n, struct task *t, bool hold);

/* Another machine's announcement (net_up_announce): where the cluster's switchboard is. */
void node_announced(struct node *n, const void *bytes, size_t len);

/* Links to this node's kernel processes, for other nodes (an announcement's content). */
void node_kernel_link(const struct node *n, u32 channel, struct link *l);

/* For answers of the machine that come later: takes the request's reply link (false: it wants
 * none); answers over it, once, between two calls into the core. */
struct message;
bool node_keep_reply(struct message *request, struct link *reply);
void node_answer(struct node *n, const struct link *reply, const void *bytes, u32 len);

/* What the node has done, for ps and figures. */
struct node_counters {
    u64 entries;
    u64 forwarded, bounced, updates, dropped;
    u64 processes_created, processes, moved_in;
};
const struct node_counters *node_counters(const struct node *n);

#endif

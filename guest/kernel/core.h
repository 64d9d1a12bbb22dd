/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the kernel: struct node and what its files call of each other. Nothing outside
 * guest/kernel includes this (tests of the inside do).
 */
#ifndef GUEST_KERNEL_CORE_H
#define GUEST_KERNEL_CORE_H

#include "base/memory.h"
#include "guest/kernel/machine.h"
#include "guest/kernel/page.h"
#include "guest/kernel/trace.h"
#include "net/net.h"

enum { NODE_PRIORITIES = 8, NODE_PRIORITY_DEFAULT = 4, MESSAGE_POOLS = 3 };
#define NO_MACHINE 0u

/* A machine we have exchanged messages with. */
struct peer {
    struct list all;
    u32 machine;
    u32 epoch;       /* last heard of */
    u32 dead_epoch;  /* this one and older are dead; 0: none */
    u32 dead_before; /* past.c's, as is `untold` */
    bool untold;
    struct list backlog; /* messages the network had no room for */
    struct list waiters; /* threads that wait for that */
};

/* Messages to one process that may not go out yet: it has no room, or it has moved and
 * what went the old way must arrive first. Ends with the answer to our FENCE. */
struct park {
    struct list all;
    struct process_id id;
    u32 hint;            /* where it is now, as far as known */
    u32 by;              /* the way our FENCE goes first */
    u32 serial;          /* of that FENCE: its answer names it */
    bool moved;          /* else: no room */
    bool transit;        /* what other machines send this way is held too */
    struct list bounced; /* came back, in their order; go out first */
    struct list held;    /* came after */
    struct list waiters;
};

/* A REQUEST that is not answered yet, and who has its reply link as far as is known; or a link
 * that tells when it is destroyed, of which there is one, and that is on another machine. */
struct asked {
    struct list all;
    u64 code, reserved;
    u32 channel;
    u32 machine, epoch; /* of the boot; 0: unknown */
    u8 hops;            /* of the link then */
    bool tells;         /* it is no reply link */
};

/* Where a process was said to be. Of two such words the one with more moves is later. */
struct place {
    u32 machine, epoch; /* of its boot; 0: unknown */
    u32 moves;
};

/* What is left here of a process that moved away: where to. */
struct forward {
    struct list all;
    struct process_id id;
    struct place at;     /* messages go there */
    struct place latest; /* known since; the way there is shortened when messages come */
};

/* A machine that a task owes something: FENCE answers, or bounces until its FENCE. */
struct owed {
    struct list all;
    u32 machine;
    u32 cost;   /* bytes of room its FENCE asks for, 0: order only */
    u32 serial; /* of the FENCE */
};

enum { NODE_GONE = 64 }; /* processes that were searched for in vain, remembered */

/* The switchboards a node knows (switchboard.c); no machine in a link: none. */
struct switchboards {
    struct link local, global;
    u32 number;          /* of the registration of `global`, or of the last one heard of */
    bool announces;      /* this node has announced one */
    struct list waiters; /* threads whose message waits for a switchboard */
};

struct node {
    struct heap *heap;
    struct net *net;
    void *owner;
    struct node_config config;
    struct node_counters count;
    u32 reserve;
    u32 born; /* of a node from the past: the boot in which its memory began; 0: this one */
    bool draining;

    struct task **buckets; /* by process id */
    u32 bucket_mask;
    struct task **rows;
    u32 row_count, row_room, free_row; /* no row below free_row is free */
    u64 serial;                        /* of the last process made */
    u64 transfer;                      /* number of the last bulk transfer */

    struct list ready[NODE_PRIORITIES];
    u32 ready_mask;
    struct thread *current; /* whose call is being concluded; NULL once it is gone */
    struct thread *chosen;  /* by NODE_SWITCH: for node_switch_target */
    struct thread *handoff; /* woken by a CALL or REPLY: next, if nobody is more urgent */

    struct thread **timers; /* a heap by deadline */
    u32 timer_count, timer_room;

    struct list work; /* messages for kernel processes */
    u64 handled[KERNEL_CHANNELS];
    struct message *pool[MESSAGE_POOLS];

    struct list peers, parks, forwards, searches, moves, migrations;
    u32 timed;    /* searches, migrations, and moves whose bytes are lost: node_timer looks */
    u32 fences;   /* sent: the last one's serial */
    bool members; /* the membership authority has named all machines */
    struct process_id gone[NODE_GONE];
    u32 gone_next;
    struct switchboards switchboards;
    struct paging paging;
    u64 attempts; /* to move a process away, so far */
};

/* node.c */
static inline u32 node_bucket(const struct node *n, const struct process_id *id)
{
    return ((u32)id->serial ^ id->machine * 0x9e3779b1u) & n->bucket_mask;
}

/* The process, if it is here. */
static inline struct task *node_find(const struct node *n, const struct process_id *id)
{
    struct task *t = n->buckets[node_bucket(n, id)];

    while (t && !process_id_equal(&t->id, id))
        t = t->bucket;
    return t;
}

/* What was made in that boot of this machine, this node has made, or it never was. */
static inline bool boot_is_ours(const struct node *n, u32 epoch)
{
    return epoch == n->config.epoch || (n->born && epoch >= n->born && epoch < n->config.epoch);
}

int node_enter(struct node *n, struct task *t);
void node_leave_out(struct node *n, struct task *t);
/* The key of link checks for a process made here; 0 when they are not used. */
u64 node_key(const struct node *n, u64 serial);
void *node_alloc(struct node *n, size_t size, bool urgent);
static inline void node_free(struct node *n, void *block, size_t size)
{
    heap_free(n->heap, block, size);
}
static inline void trace(struct node *n, enum kernel_trace type, u64 who, u64 a, u64 b)
{
    if (n->config.flags & NODE_TRACE)
        machine_trace(n, (u16)type, (u32)who, a, b);
}

/* What a process does here, which may have been made elsewhere. */
void trace_act(struct node *n, enum kernel_trace type, const struct process_id *id, u64 a,
               u64 b);
static inline void trace_by(struct node *n, enum kernel_trace type, const struct process_id *id,
                            u64 a, u64 b)
{
    if (n->config.flags & NODE_TRACE)
        trace_act(n, type, id, a, b);
}
static inline void trace_create(struct node *n, const struct task *t)
{
    trace_by(n, KERNEL_T_create, &t->id, t->id.serial, (u64)t->id.machine << 32 | t->id.epoch);
}

/* sched.c */
void thread_ready(struct node *n, struct thread *t);   /* WAITING or RUNNING to READY */
void thread_unready(struct node *n, struct thread *t); /* out of any queue */
void thread_wait(struct node *n, struct thread *t, enum wait why, u64 timeout);
void thread_wake(struct node *n, struct thread *t); /* its wait is over, look again */
void thread_wake_error(struct node *n, struct thread *t, s32 error);
void threads_wake(struct node *n, struct list *waiters);
/* A waiting thread with a time limit, put together elsewhere. */
void thread_wait_again(struct node *n, struct thread *t);
/* Room for one more time limit: 0 or an error. */
int timer_room(struct node *n);
void timer_forget(struct node *n, struct thread *t);
enum outcome node_leave(struct node *n);

/* task.c */
struct task *task_create(struct node *n, const struct process_id *id, const char *name,
                         const struct demos_limits *limits);
/* Ends a process: its links are destroyed, its messages answered, its watcher told. */
void task_end(struct node *n, struct task *t, enum demos_end how, u64 status, u64 address);
/* A process that is not entered yet: made for one that arrives, and given up again. */
struct task *task_make(struct node *n, const struct process_id *id, const char *name,
                       const struct demos_limits *limits);
void task_discard(struct node *n, struct task *t);
/* It lives on another machine now: nothing of it is answered here. */
void task_depart(struct node *n, struct task *t, u32 machine);
void task_slow(struct node *n, struct task *t, u32 bit, bool on);

/* region.c */
int region_map(struct node *n, struct task *t, u64 base, u64 len, u32 prot, u32 max);
/* The same with an object that a keeper or another task has a part in: `like` says from which
 * offset on, and all else but base and length. */
int region_show(struct node *n, struct task *t, u64 base, u64 len, struct object *o,
                const struct region *like);
/* What the region shows is kept by a user's keeper from now on; takes the link. */
int region_leave(struct node *n, struct region *r, const struct link *keeper);
/* The same as region_map with the object of a user's keeper; takes the link. */
int region_keep(struct node *n, struct task *t, u64 base, u64 len, const struct link *keeper,
                const struct region *like);
int region_map_growing(struct node *n, struct task *t, const u64 *range, u32 prot, u32 max,
                       u64 growth, u64 most);
int region_inherit(struct node *n, struct task *t, u64 base, u64 len, u64 inheritance);
int region_unmap(struct node *n, struct task *t, u64 base, u64 len);
int region_protect(struct node *n, struct task *t, u64 base, u64 len, u32 prot);
/* All of a range is memory with this right. */
bool region_usable(const struct task *t, u64 base, u64 len, u32 right);
/* The same once regions that grow by being touched have grown over both ends of it. */
bool region_touch(struct node *n, struct task *t, u64 base, u64 len, u32 right);
/* Memory that somebody is about to move from or to. */
static inline bool region_reach(struct node *n, struct task *t, u64 base, u64 len, u32 right)
{
    return region_usable(t, base, len, right) ||
           (t->grows && region_touch(n, t, base, len, right));
}
void regions_free(struct node *n, struct task *t);
/* The region that a touch of `address` makes long enough, or NULL. */
const struct region *region_grow(struct node *n, struct task *t, u64 address);
/* Whatever of it is the machine's own becomes an object's, which others can be shown. */
int region_objectify(struct node *n, struct region *r);

/* queue.c */
static inline bool queue_has_room(const struct task *t, u32 cost)
{
    return !t->queued || t->queued_bytes + t->reserved_bytes + cost <= t->queue_limit;
}

/* A message reaches a process or kernel process of this node. */
void deliver(struct node *n, struct task *t, struct message *m);
/* The oldest message on the channels of `set`, still queued; NULL: none. */
static inline struct message *queue_first(const struct task *t, u64 set)
{
    list_for_each(node, &t->queue)
    {
        struct message *m = list_entry(node, struct message, queue);

        if (set & DEMOS_CHANNEL(m->channel))
            return m;
    }
    return NULL;
}
void queue_take(struct task *t, struct message *m);
void queue_shrunk(struct node *n, struct task *t);
/* The one gate of delivery: what waits at `t` may be read now. */
static inline bool may_use(const struct node *n, const struct task *t)
{
    (void)n;
    return !t->held && t->state != DEMOS_MIGRATING;
}

/* send.c */
s64 call_send(struct node *n, struct thread *t, const u64 *args);
/* Addresses a message as sent over `l`; as sent by `t` (NULL: the kernel itself). */
void message_to_link(struct message *m, const struct link *l);
void message_from(struct node *n, struct task *t, struct message *m);
/* Sends a complete message on its way, here or elsewhere; never fails, never waits. */
void route(struct node *n, struct message *m, u32 hint);

/* fast.c: the same calls on straight lines, for threads whose `slow` is 0; what is not usual
 * they leave to call_general. */
enum outcome fast_send(struct node *n, struct thread *t, s64 *result);
enum outcome fast_reply(struct node *n, struct thread *t, s64 *result);
enum outcome fast_receive(struct node *n, struct thread *t, s64 *result);
/* The halves of an ANSWER. False: nothing is done. */
bool straight_reply(struct node *n, struct thread *t, s64 reply, u64 body, u64 length);
enum outcome straight_next(struct node *n, struct thread *t, s64 *result);
/* A thread goes on with the message that was handed to it. */
enum outcome fast_finish(struct node *n, struct thread *t, s64 *result);

/* handover.c: a CALL and an ANSWER to a thread that waits for it and runs next. */
enum outcome fast_call(struct node *n, struct thread *t, s64 *result);
enum outcome fast_answer(struct node *n, struct thread *t, s64 *result);

/* call.c: the call that `t` has just made, or waits in, on the general path. */
enum outcome call_general(struct node *n, struct thread *t, s64 *result);
enum outcome call_go_on(struct node *n, struct thread *t, s64 *result);
/* Turns what a call function said into what the machine is to do. */
enum outcome call_conclude(struct node *n, struct thread *t, s64 said, s64 *result);

/* notice.c */
void notice(struct node *n, const struct link *l, enum demos_notice what, const u64 *words,
            u32 count);
/* A link copy ceases to exist: reply links and TELLDEST tell their creator. */
void link_drop(struct node *n, const struct link *l);
/* Links carried by a message that nobody will get. */
void message_drop_links(struct node *n, struct message *m);
/* A message whose target is no more: answers if it can be answered, and frees it. */
void message_dead(struct node *n, struct message *m);

/* receive.c */
s64 call_receive(struct node *n, struct thread *t, const u64 *args);
s64 finish_call(struct node *n, struct thread *t);
/* A result that the messages a process reads do not imply: numbered, and on record. */
void input(struct node *n, struct task *t, s64 value);
/* In a replay: the result this call had, if it was an input. */
bool input_fed(struct node *n, struct task *t, s64 *value);
void replay_settle(struct node *n, struct task *t);
void input_free(struct node *n, struct task *t);

/* move.c */
s64 call_move(struct node *n, struct thread *t, const u64 *args);
/* Bytes between an area and kernel memory, for kernel processes: 0 or an error. */
s64 area_read(struct node *n, const struct link *l, u64 offset, void *to, size_t len);
s64 area_write(struct node *n, const struct link *l, u64 offset, const void *from, size_t len);
/* It leads to this node's own kernel processes. */
static inline bool link_to_kernel(const struct node *n, const struct link *l)
{
    return !l->to.serial && l->to.machine == n->config.machine && boot_is_ours(n, l->to.epoch);
}
/* 0 when `l` has such an area. */
s64 area_check(const struct link *l, u32 direction, u64 offset, u64 len);

/* kernel.c: kernel processes */
void kernel_work(struct node *n);
/* Sends the answer to a request made to a kernel, with at most one link. */
void answer_words(struct node *n, struct message *request, const u64 *words, u32 count,
                  const struct link *l);
void answer_bytes(struct node *n, struct message *request, const void *bytes, u32 len);
void control_link(const struct task *t, u32 machine, struct link *l);
/* Parts of a request: word `index` (0 beyond its end), a name, a link (kind DEMOS_KINDS
 * when there is none), which then is the taker's. */
u64 request_word(const struct message *m, u32 index);
void request_name(const struct message *m, u32 index, char name[DEMOS_NAME_MAX]);
struct link request_take_link(struct message *m, u32 index);

/* switchboard.c: the one that a link with that attribute means now, NULL: none known */
const struct link *switchboard_of(const struct node *n, const struct link *l);
void switchboard_link(const struct node *n, u64 scope, struct link *l);
s64 switchboard_register(struct node *n, struct message *m);
/* How many hints were wrong. */
u32 switchboard_update(struct node *n, const struct process_id *id, u32 machine);
void switchboard_ended(struct node *n, const struct process_id *id);
void switchboard_machine_dead(struct node *n, u32 machine);
/* The network is another one, which has heard nothing. */
void switchboard_again(struct node *n);

/* control.c: what goes over control links */
/* False: it waits for memory, and will come again. */
bool control_message(struct node *n, struct task *t, struct message *m);
/* start.c */
s64 start_give(struct node *n, struct task *t, const char *name, const struct link *l);
/* exception.c: the handler's answer */
void exception_answered(struct node *n, struct task *t, struct message *m);
/* depart.c: MIGRATE, and a thread to be moved that has stopped running */
s64 migrate_begin(struct node *n, struct task *t, struct message *m);
void migrate_offer(struct node *n, struct task *t);
void migrate_forget(struct node *n, struct task *t);
/* Moves that have waited long enough, or cannot be carried out, are given up. */
void migrate_timer(struct node *n);
/* When one has to be, or `next` if that is sooner. */
u64 migrate_deadline(const struct node *n, u64 next);
/* state.c; the first STATE_RESIDENT bytes are what a machine needs to know at once. */
enum { STATE_RESIDENT = 256, STATE_MAX = 64 << 20 };
size_t state_export(struct node *n, struct task *t, u8 *image, size_t room);
int state_import(struct node *n, struct task *t, const u8 *image, size_t len);
void listing_words(const struct node *n, const struct task *t, u64 words[DEMOS_LISTING_WORDS]);

/* remote.c */
/* True if a message may leave for `to` now; else what to wait on. */
bool remote_ready(struct node *n, const struct process_id *to, u32 hint, bool reply,
                  struct list **waiters);
/* For a process that has just come: true if the message has to wait for earlier ones. */
bool hold_back(struct node *n, struct message *m);
/* asked.c: requests of `t`, remembered until answered, and given back with it. */
struct asked *asked_add(struct node *n, struct task *t, const struct link *reply);
/* The answer has come, or the word that a link is destroyed. */
void asked_answered(struct node *n, struct task *t, const struct message *m);
void asked_free(struct node *n, struct task *t);
/* forward.c */
void trail_free(struct node *n, struct task *t);
/* locate.c */
void locate_timer(struct node *n);
u64 locate_deadline(const struct node *n, u64 next); /* the same for locate_timer */
void locate_free(struct node *n);
/* A message to a process that is not here. */
void remote_unknown(struct node *n, struct message *m, u32 hint);
/* A message between kernels; `t` is the process it is about, if that is here. */
void kernel_message(struct node *n, struct task *t, struct message *m);
void fences_answer(struct node *n, struct task *t);
void remote_task_depart(struct node *n, struct task *t, u32 machine);
void remote_task_end(struct node *n, struct task *t);
void remote_free(struct node *n);
/* KERNEL_OP_MEMBERS. */
s64 remote_members(struct node *n, const struct message *m);

/* A page has come: transfers that waited for one go on. */
void bulk_resume(struct node *n);
void migrate_resume(struct node *n);
/* Something of the object has reached its keeper: who waits for that to move may. */
void migrate_cleaned(struct node *n, const struct object *o);

/* bulk.c: MOVEDATA with an area on another machine */
s64 bulk_start(struct node *n, struct thread *t, const u64 *args, const struct link *l);
s64 bulk_finish(struct node *n, struct thread *t);
/* Between a process here and the area of a request's first link, for the kernel itself. The
 * request is answered when it is over, unless this answers an error at once. */
s64 bulk_load(struct node *n, struct task *t, struct message *request, u64 address, u64 len,
              bool read);
void bulk_forget(struct node *n, struct thread *t);
/* Moves that found a page lost are ended. */
void bulk_lost(struct node *n);
void bulk_free(struct node *n);

/* Answers of call functions that are no results. */
enum {
    CALL_WAIT = -1000,  /* the thread waits */
    CALL_AGAIN = -1001, /* try again when a page has come */
    CALL_STEP = -1002,  /* more to do, others first */
    CALL_GONE = -1003,  /* the thread is no more */
};
static inline s64 access_error(enum machine_result r)
{
    return r == MACHINE_MEMORY  ? DEMOS_E_MEMORY
           : r == MACHINE_LATER ? (s64)CALL_AGAIN
                                : (s64)DEMOS_E_ADDRESS;
}

#endif

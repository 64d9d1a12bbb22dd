/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is kept: objects, their pages that are here, and who keeps the rest.
 *
 * A region without an object is the machine's alone: zero fill that stays. A region with one
 * shows a piece of it. An object is kept by the process its mapper named, or was made by this
 * kernel; those go to the node's default keeper when frames are scarce. The machine maps what
 * it is told to map (machine.h); a page is known to be written, or used, by the fault that
 * the first such access takes, so no reference or dirty bits are asked for.
 */
#ifndef GUEST_KERNEL_PAGE_H
#define GUEST_KERNEL_PAGE_H

#include "guest/kernel/keeper.h"
#include "guest/kernel/task.h"

enum page_state {
    PAGE_ASKED,   /* its keeper has the link to the empty frame */
    PAGE_HERE,    /* may be mapped */
    PAGE_WRITING, /* its keeper has a link to read it by; mapped for reading at most */
};

struct page {
    struct page *next;    /* with the same hash */
    struct list order;    /* the queue of the policy, or in transit */
    struct list peers;    /* the pages of its object */
    struct list waiters;  /* threads */
    struct list messages; /* requests to kernels that need it */
    struct object *object;
    u64 index;  /* offset in the object, in pages */
    u64 ticket; /* code of the frame's link that is out; 0: none */
    u64 since;  /* when that link left, ns */
    u32 frame;
    u32 filled;  /* bytes that have come */
    u8 state;    /* enum page_state */
    u8 lock;     /* rights that its keeper has not given */
    u8 unlocked; /* of these, what it has been asked for */
    u8 age;      /* of the sampling policy */
    bool dirty, active;
    bool used;  /* since the last sampling */
    bool drop;  /* once it is written */
    bool busy;  /* not to go just now */
    bool error; /* asked for: its keeper will not give it */
};

struct object {
    struct list all;     /* of the node */
    struct list regions; /* that show it (region.views) */
    struct list pages;
    u64 number;
    u32 references;        /* regions and objects that shadow this one */
    u32 writes;            /* of its pages under way */
    struct link keeper;    /* the process that keeps it; kind DEMOS_KINDS: made here */
    struct object *shadow; /* where pages come from that were not changed here */
    u64 length;            /* in pages, as far as regions have shown it */
    u64 *away;             /* made here: pages that the default keeper has, a bit each */
    bool begun;            /* INIT has been sent */
    bool failed;           /* its keeper is no more, or has forfeited it: what it had is lost */
    bool cached;           /* may stay when nobody maps it */
    bool ending;           /* nobody maps it: waits for its last writes */
};

struct paging {
    struct list objects;
    struct page **buckets; /* by object and index; made with the first object */
    u32 bucket_count;
    u32 frames, reserve, target; /* frames that only kernels' needs may take; to be kept free */
    struct list active, inactive, transit;
    u32 active_count, inactive_count;
    struct list hungry;  /* threads that wait for a frame */
    struct list starved; /* requests to kernels that do */
    u64 objects_made, tickets;
    struct link keeper; /* the node's default; kind DEMOS_KINDS: none */
    u32 policy;
    u32 writes;   /* under way */
    u32 samples;  /* faults until the next sample */
    bool stalled; /* a transfer between machines waits for a page */
    struct paging_counters count;
};

struct node;

/* object.c */
void paging_init(struct node *n);
void paging_free(struct node *n);
/* An object of this kernel's own. NULL: no memory. */
struct object *object_make(struct node *n);
/* The object that `l` leads to: the one it was mapped by before, or a new one. */
struct object *object_kept(struct node *n, const struct link *l);
struct object *object_numbered(const struct node *n, u64 number);
/* A region shows [offset, offset + length) of it; false: no memory. */
bool object_show(struct node *n, struct object *o, struct region *r);
/* It has at least so many pages; false: no memory. */
bool object_reach(struct node *n, struct object *o, u64 pages);
/* The region shows it no more; pages are unmapped. */
void object_hide(struct node *n, struct region *r);
void object_release(struct node *n, struct object *o);
/* Whether a page of a kernel's own object is with the default keeper. */
bool object_away(const struct object *o, u64 index);
void object_set_away(struct object *o, u64 index, bool away);
/* Gives up what nobody needs once its last page is gone. */
void object_check(struct node *n, struct object *o);
/* Its keeper is no more, or has forfeited it: who waits is told. */
void object_fail(struct node *n, struct object *o);

/* page.c */
struct page *page_find(const struct node *n, const struct object *o, u64 index);
/* A page with this frame, in no queue. NULL: no memory; the frame stays the caller's. */
struct page *page_enter(struct node *n, struct object *o, u64 index, u32 frame);
/* The object, and so its pages, are found by another number from now on. */
void page_renumber(struct node *n, struct object *o, u64 number);
/* Gives up page and frame; who waited looks again. */
void page_remove(struct node *n, struct page *p);
/* It is here now: in a queue, and who waited looks again. */
void page_arrived(struct node *n, struct page *p);
void page_wake(struct node *n, struct page *p);
/* No space shows it any more; the next access faults. */
void page_unmap(struct node *n, struct page *p);
/* How many frames are left, after some have been made free where these were few. */
u32 page_room(struct node *n);
/* A frame for a process: 0 when only the reserve is left. */
u32 page_frame(struct node *n, bool zero);
void page_queue(struct node *n, struct page *p);
void page_unqueue(struct node *n, struct page *p);
/* Whose frame's link has this code; NULL: none (any more). */
struct page *page_ticket(const struct node *n, u64 ticket);

/* fault.c */
enum fault {
    FAULT_DONE,   /* try again */
    FAULT_WAITS,  /* `fault_waiters` says where */
    FAULT_BAD,    /* no such memory, or not to be used so */
    FAULT_FAILED, /* its keeper does not give it */
    FAULT_MEMORY, /* out of memory for good */
    FAULT_AGAIN,  /* within the handler: things have changed, from the start */
};
struct fault_wait {
    struct page *page; /* NULL: for a frame */
    u64 patience_ns;
};
enum fault fault_serve(struct node *n, struct task *t, u64 address, u32 access,
                       struct fault_wait *wait);
/* The call of `th` met memory that is not there: waits for it, or the call's result. */
s64 fault_in_call(struct node *n, struct thread *th);
/* A request to a kernel met such memory: it is handled again when that is there. False: it
 * never will be. */
bool fault_in_request(struct node *n, struct message *m);
/* As a thread that waited for a page goes on. */
void fault_waited(struct thread *th);
/* The page of a transfer between machines; FAULT_WAITS: it will be resumed. */
enum fault fault_in_transfer(struct node *n);

/* pageout.c */
/* Makes room as far as it is scarce. */
void pageout(struct node *n);
/* The keeper has the page's bytes, or has given it up. */
void pageout_written(struct node *n, struct page *p, bool kept);
/* A process used the page. */
void pageout_used(struct node *n, struct page *p);
/* Sends the page to its keeper; false: it cannot be sent now. */
bool pageout_write(struct node *n, struct page *p, bool drop);
/* Writes out what has changed in the kept objects that only `t` maps; true: all is out. */
bool pageout_clean(struct node *n, struct task *t);
/* Forfeits an object whose keeper sits on pages while others want frames: true. */
bool pageout_overdue(struct node *n);

/* keeper.c */
void keeper_begin(struct node *n, struct object *o);
void keeper_request(struct node *n, struct page *p, u32 access);
void keeper_write(struct node *n, struct page *p);
void keeper_unlock(struct node *n, struct page *p, u32 access);
void keeper_end(struct node *n, struct object *o);
/* What comes over the links that keepers got. */
void keeper_message(struct node *n, struct message *m);
void keeper_name_message(struct node *n, struct message *m);
void keeper_frame_message(struct node *n, struct message *m);
s64 keeper_register(struct node *n, struct message *m);
/* MOVEDATA with a frame of this node, by a process here; by another machine's in pieces. */
s64 keeper_move(struct node *n, struct thread *th, const u64 *args, const struct link *l);
s64 keeper_area(struct node *n, const struct link *l, bool read, u64 offset, u64 len);
bool keeper_bytes(struct node *n, u64 ticket, u64 offset, void *out, const void *in,
                  size_t len);
void keeper_update(struct node *n, const struct process_id *id, u32 machine);
void keeper_machine_dead(struct node *n, u32 machine);

/* inherit.c */
/* A copy of a process's memory in another's, as its regions say; 0 or an error. */
int inherit(struct node *n, struct task *to, struct task *from);
/* Pages of one region shown in another, copied when either side writes; bytes done. Whether the
 * target may be written is the caller's to know. */
u64 page_share(struct node *n, struct task *to, u64 to_address, struct task *from,
               u64 from_address, u64 len);

#endif

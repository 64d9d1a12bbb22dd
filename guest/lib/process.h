/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and steering processes, all of it by messages over links: "kernel" (makes
 * processes on this node), "programs" (hands out program files), and the control link
 * that every creator gets of its child. Operations: guest/kernel/control.h.
 */
#ifndef GUEST_LIB_PROCESS_H
#define GUEST_LIB_PROCESS_H

#include "guest/kernel/control.h"
#include "guest/lib/words.h"

/* A link for the child's start record. One with DEMOS_DUP stays ours too. */
struct demos_gift {
    const char *name;
    s64 link;
};

enum { DEMOS_GIFTS_MAX = 12, DEMOS_STACK_BYTES = 64 * 1024 /* at first */ };

/* How to start a program. Zero means the usual: no arguments beside the name, default
 * limits, default stack, no watch. */
struct demos_spawn {
    const char *program;
    const char *const *args; /* behind the program's name */
    u32 arg_count;
    u32 gift_count;
    const struct demos_gift *gifts;
    struct demos_limits limits;
    u32 flags;            /* enum demos_create_flags */
    bool own;             /* the child gets its own control link, as "self" */
    u32 stack_bytes;      /* that it may grow to: 0 is DEMOS_STACK_MOST */
    s64 watch;            /* link for its exit notice; given away */
    s64 kernel, programs; /* 0: the links of those names */
    u64 place;            /* for a process manager as `kernel` (guest/lib/manager.h) */
};

/* A program as it is to be loaded. Segments with bytes in the file have a link to read
 * them by, which loading gives away. */
struct demos_segment {
    u64 address, memory_len, file_len, protection;
    s64 link;
};
struct demos_program {
    u64 entry;
    u32 count;
    struct demos_segment segments[DEMOS_LINKS_MAX];
};

/* The child's control link, or an error; nothing is left behind then. */
s64 demos_spawn(const struct demos_spawn *s);
/* The same for a program that the caller has already. */
s64 demos_spawn_program(const struct demos_spawn *s, const struct demos_program *p);

/* One operation over a control link with up to three words; the result word. */
s64 process_control(s64 control, enum control_op op, u64 a, u64 b, u64 c);
int process_kill(s64 control);
/* Moves this program to that machine, by its own control link "self" (`own`; `+self` in a boot list).
 * 0: it goes on there. An error: it goes on where it was, and the machine there has nothing of it. */
s64 process_move(u64 machine);
/* The lines of `ps`: listing and, where `counters` is not NULL, counters of one process. */
int process_info(s64 control, struct demos_listing *listing, struct demos_counters *counters);
/* One process of a listing (KERNEL_OP_LIST, CONTROL_INFO): the next words of `w`. */
void process_listing_read(struct words *w, struct demos_listing *listing);

/* How a process ended, from the message that came for its watch; false: it says nothing of that. */
struct process_end {
    u64 how; /* enum demos_end */
    s64 status;
    u64 address;
};
bool process_end_read(const struct demos_info *info, const void *body, size_t len,
                      struct process_end *end);
/* A link for demos_spawn.watch: the notice will come on `channel` with `code`; also when the
 * machine that has the child is declared dead (DEMOS_END_NODE). */
s64 process_watch(u32 channel, u64 code);

/* Waits for the next exit notice on the channel; anything else that comes there is dropped. */
int process_wait(u32 channel, struct process_end *end);
/* Starts a program and waits for its end, which comes on `channel`: its status, or 100 and how
 * it ended otherwise. Ends this program when it cannot be started. */
int process_run(const struct demos_spawn *s, u32 channel);

/*
 * A server for its creator: the child gets a link "boss" and hands back, by demos_offer, a
 * link to its service. DEMOS_OFFER_CHANNEL is used for that while it starts. Answers the
 * control link; *service is the offered link, 0 when the child ended without offering.
 */
enum { DEMOS_OFFER_CHANNEL = 63, DEMOS_WATCH_CHANNEL = 62 };
s64 demos_spawn_server(const struct demos_spawn *s, s64 *service);
/* In the child: gives the creator `link`. */
int demos_offer(s64 link);
/* The same with a second link, which a boot list gives only to those it names (init.c). */
int demos_offer_owner(s64 link, s64 owner);

/*
 * The "programs" link. PROGRAMS_OPEN: name as 3 words -> entry, number of segments, then
 * for each: address, bytes in memory, bytes in the file, protection; and a link to read
 * each segment that has bytes in the file, in order.
 */
enum programs_op { PROGRAMS_OPEN = 1 };

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a DEMOS program uses. A program is `int main(int argc, char **argv)`; what it may
 * do is the links it was born with, found by name. A link is an s64: above zero it is one
 * of ours, below zero it is an enum demos_error. Functions that answer s64 or int answer
 * zero or more when all went well, and an enum demos_error otherwise.
 *
 *     s64 counter = demos_link("counter");
 *     u64 value;
 *     if (demos_call(counter, "up", 2, &value, sizeof value) < 0) ...
 */
#ifndef GUEST_LIB_DEMOS_H
#define GUEST_LIB_DEMOS_H

#include "base/format.h"
#include "base/memory.h"
#include "guest/lib/calls.h"

/* The program's own. Its result is the status its watcher is told. */
int main(int argc, char **argv);

/* --- links ------------------------------------------------------------------------- */

/* The link of that name in the start record, or DEMOS_E_LINK. */
s64 demos_link(const char *name);
/* A link to myself: messages over it arrive on `channel` and carry `code`. */
s64 demos_link_make(enum demos_kind kind, u32 attr, u32 channel, u64 code);
/* The same with a data area that the holder may MOVEDATA as `attr` says. */
s64 demos_link_area(u32 attr, const void *base, size_t len);
s64 demos_link_dup(s64 link);
int demos_link_drop(s64 link);

/* --- messages ---------------------------------------------------------------------- */

/* Sends and goes on; waits only for room at the receiver. */
int demos_send(s64 link, const void *body, size_t len);
/* Sends with links to pass on. */
int demos_send_links(s64 link, const void *body, size_t len, const s64 *links, u32 count);
/* Sends a request whose answer, of at most `room` bytes, will arrive on `channel` with
 * `code`. Room for it is set aside in my queue at once; waits while there is none. */
int demos_request(s64 link, const void *body, size_t len, size_t room, u32 channel, u64 code);
/* Answers a request: uses the reply link up. */
int demos_reply(s64 reply, const void *body, size_t len);
int demos_reply_links(s64 reply, const void *body, size_t len, const s64 *links, u32 count);
/* Answers a request and waits for the next message, at the price of one kernel call: as
 * demos_reply, then demos_receive. An error of the reply is told before anything is received. */
s64 demos_answer(s64 reply, const void *body, size_t len, u64 channels, void *buffer,
                 size_t room, struct demos_info *info);
/* The oldest message on any channel of the set; waits for one. `info` may be NULL. The
 * answer is the number of bytes put into `buffer`. */
s64 demos_receive(u64 channels, void *buffer, size_t room, struct demos_info *info);
/* The same, waiting at most `ns` (DEMOS_NOW: not at all): DEMOS_E_TIMEOUT. */
s64 demos_receive_within(u64 ns, u64 channels, void *buffer, size_t room,
                         struct demos_info *info);
/* A request and its answer in one: the bytes of the answer. */
s64 demos_call(s64 link, const void *body, size_t len, void *answer, size_t room);
/* The same with links: info gives those to pass, then tells of the answer. */
s64 demos_call_info(s64 link, const void *body, size_t len, void *answer, size_t room,
                    struct demos_info *info);

/* --- bulk -------------------------------------------------------------------------- */

/* From the link's data area into my memory, and the other way. All of it or an error. */
int demos_move_from(s64 link, u64 offset, void *to, size_t len);
int demos_move_to(s64 link, u64 offset, const void *from, size_t len);

/* --- the rest ---------------------------------------------------------------------- */

/* Prints by way of the link "console", whole lines at a time. */
void demos_print(const char *fmt, ...) PRINTF_LIKE(1, 2);
void demos_flush(void);
/* From now on to another link that takes what a console takes (guest/lib/input.h); 0: back. */
void demos_print_to(s64 link);
/* The error's name, "E_LINK" and so on; "ok" for zero and more. */
const char *demos_error(s64 error);
/* Nanoseconds since the node started, by a message to "clock"; 0 without that link. */
u64 demos_time_ns(void);
void demos_sleep_ns(u64 ns);
void demos_yield(void);
NORETURN void demos_exit(int status);
/* Ends with a message and status 1 when something that must hold does not. */
NORETURN void demos_die(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Zeroed memory of the program's heap, or NULL; the size must be said again to free. The heap
 * grows to DEMOS_HEAP_MOST bytes, or to the process's limit on memory, and never shrinks. */
void *demos_alloc(size_t size);
void demos_free(void *block, size_t size);

/* The start record, for the curious. */
const struct demos_start *demos_started(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conformance suite: one process that checks what abi.h and control.h promise, with
 * children in the roles it needs. Prints a line per check, the same bytes on every
 * machine (no times, no addresses), and a verdict last.
 */
#ifndef GUEST_PROGRAMS_CONFORMANCE_H
#define GUEST_PROGRAMS_CONFORMANCE_H

#include "guest/lib/process.h"

enum { CHANNEL_A = 1, CHANNEL_B = 2, CHANNEL_ENDS = 5, PAGE = 4096 };

/* One check: prints `what` and whether `got` is `wanted`. */
void expect(const char *what, s64 got, s64 wanted);
void expect_true(const char *what, bool holds);
/* A heading. */
void chapter(const char *name);

/* Starts this program in a role with an argument (may be NULL) and watches its end. */
s64 start_role(const char *role, const char *argument, s64 *service);
/* The same, waiting for the end of a role that offers nothing. */
struct process_end run_role(const char *role, const char *argument);
/* The next exit notice. */
struct process_end await_end(void);
/* What a child does in a role; its exit status. */
int play_role(const char *role, const char *argument);
int play_fault(const char *name);
int play_float(u64 seed);
int play_twin(const char *argument);
int play_descent(const char *depth);
int play_heap(void);
int play_stumble(void);
int play_waiting(void);

/* What the roles "count" and "urgent" count in: at this address in each of them. */
extern u64 counted[PAGE / 8];

void check_links(void);
void check_messages(void);
void check_calls(void);
void check_moves(void);
void check_processes(void);
void check_faults(void);
void check_floats(void);
void check_twins(void);
void check_growth(void);
void check_exceptions(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains that the first domain makes of its own image: a child starts like its parent and
 * finds its part in `child_task`; a parent's is 0.
 */
#ifndef TESTS_HYP_GUESTS_CHILD_H
#define TESTS_HYP_GUESTS_CHILD_H

#include "tests/hyp/guests/guest.h"

struct child_task {
    u32 part; /* 0: the parent; others are the test's own */
    u32 port; /* an unbound port of the parent's; 0: none */
};
extern struct child_task child_task;

/* Reads of its own TSC at a child's first instruction. */
extern volatile u64 child_first;

/* Makes a domain and starts it; negative errno, or its number. */
s64 child_start(const struct child_task *task);
/* The same, and it waits to be unpaused. */
s64 child_start_paused(const struct child_task *task);
/* The pieces: an empty domain with `pages` pages from address 0 on; 0 or an errno. */
s64 child_create(u16 *domid, u32 pages);
s64 child_destroy(u16 domid);
/* How many pages it may have. */
s64 child_limit(u16 domid, u64 pages);
s64 child_command(u16 domid, u32 command);
/* Pages that child_start gives. */
u32 child_pages(void);
/* A quad of the child's, at the address that it has in our own image. */
u64 child_peek(u16 domid, const volatile void *at);
/* Blocks for so many ns of system time, with nothing to do. */
void sleep_ns(u64 ns);
/* A shared_info page and a grant table in these places of the caller's own map. */
s64 place_page(u32 space, void *at);

#endif

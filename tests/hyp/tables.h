/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second page walker, written from the manual for clarity alone (AMD APM vol. 2, figures
 * 5-9 to 5-26), to hold the hypervisor's against; and random page tables for it.
 */
#ifndef TESTS_HYP_TABLES_H
#define TESTS_HYP_TABLES_H

#include "base/keyed.h"
#include "hyp/dom/walk.h"

enum { TABLE_PAGES = 32 };
extern u64 table_page[TABLE_PAGES][512];

struct wanted {
    bool ok;
    u64 gpa;
};
/* What a supervisor's read or write of `linear` must come to. Changes no bits. */
struct wanted tables_expect(const struct paging *p, u64 linear, bool write);
/* Fills the pages with entries that mostly lead on to other pages. */
void tables_random(u64 seed, bool narrow);
/* A random mode: 0 none, 1 two levels, 2 PAE, 3 four levels. */
struct paging tables_mode(u64 seed, u32 mode);
/* walk_find over table_page. */
void *tables_find(void *context, u64 gfn);

#endif

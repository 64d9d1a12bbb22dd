/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links to processes on other machines, by the link "names" (guest/kernel/control.h): a
 * process posts one of its own on its machine; others find it by machine and name.
 */
#ifndef GUEST_LIB_NAMES_H
#define GUEST_LIB_NAMES_H

#include "guest/lib/words.h"

/* Posts a copy of `link`, which must have DUP, on this machine: 0 or an error. */
int names_post(const char *name, s64 link);
/* The link posted as `name` on that machine; waits until it is there. */
s64 names_find(u64 machine, const char *name);

#endif

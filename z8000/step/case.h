/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case of z8000-step: a processor, its world, how long it runs and what is printed.
 */
#ifndef Z8000_STEP_CASE_H
#define Z8000_STEP_CASE_H

#include "z8000/step/world.h"

enum { CASE_NAME = 200, CASE_STEPS_MOST = 1000000 };

struct settings {
    bool trace, bus, coalesce;
};

struct test {
    char name[CASE_NAME];
    struct z8000 cpu;
    struct world world;
    const struct z8000_table *table;
    struct settings settings, defaults;
    bool started; /* a `new` has been seen */
    bool until_halt;
    u64 steps; /* to make at most */
};

void test_new(struct test *t, const char *name);
void test_set_cpu(struct test *t, bool z8002);
/* Runs and prints the case. */
void test_run(struct test *t);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a C test needs: CHECK, a table of cases, and a last line in words.
 *
 *   static void test_name(void) { CHECK(1 + 1 == 2); CHECK_EQ(f(3), 9); }
 *   TESTS(CASE(test_name), ...)
 *
 * `test_x NAME` runs one case; OSMOSIS_LONG=1 in the environment asks for full lengths.
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/types.h"

struct test_case {
    const char *name;
    void (*run)(void);
};

static int checks_failed;

#define CHECK(cond)                                                         \
    do {                                                                    \
        if (!(cond)) {                                                      \
            printf("%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #cond); \
            checks_failed++;                                                \
        }                                                                   \
    } while (0)

#define CHECK_EQ(a, b)                                                                  \
    do {                                                                                \
        long long check_a = (long long)(a), check_b = (long long)(b);                   \
        if (check_a != check_b) {                                                       \
            printf("%s:%d: %s is %lld (%#llx), expected %s = %lld (%#llx)\n", __FILE__, \
                   __LINE__, #a, check_a, (unsigned long long)check_a, #b, check_b,     \
                   (unsigned long long)check_b);                                        \
            checks_failed++;                                                            \
        }                                                                               \
    } while (0)

/* `normal` in make test, `full` in make test-long. */
static inline u64 test_length(u64 normal, u64 full)
{
    const char *say = getenv("OSMOSIS_LONG");

    return say && *say == '1' ? full : normal;
}

static inline int run_tests(const struct test_case *cases, size_t count, const char *only)
{
    int passed = 0, failed = 0;

    for (size_t i = 0; i < count; i++) {
        int before = checks_failed;

        if (only && strcmp(only, cases[i].name) != 0)
            continue;
        cases[i].run();
        if (checks_failed == before) {
            passed++;
        } else {
            printf("FAILED %s\n", cases[i].name);
            failed++;
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed;
}

#define CASE(fn) \
    {            \
#fn, fn  \
    }
#define TESTS(...)                                                             \
    int main(int argc, char **argv)                                            \
    {                                                                          \
        static const struct test_case cases[] = {__VA_ARGS__};                 \
        return run_tests(cases, ARRAY_SIZE(cases), argc > 1 ? argv[1] : NULL); \
    }

#endif

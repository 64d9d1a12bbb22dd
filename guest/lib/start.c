/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program's first instruction and its last: reads the start record (guest/kernel/abi.h),
 * calls main, flushes what was printed, exits. Nothing in the record is trusted further
 * than its own bounds, because a program may be started by anybody.
 */
#include "guest/lib/demos.h"

enum { ARGS_MAX = 64 };

void demos_begin(const struct demos_start *start);

static const struct demos_start *record;
static char *args[ARGS_MAX + 1];

const struct demos_start *demos_started(void)
{
    return record;
}

static int split_args(void)
{
    char *at = (char *)(uintptr_t)record + record->args;
    char *end = at + record->args_len;
    u32 count = 0;

    while (count < MIN(record->argc, (u32)ARGS_MAX) && at < end) {
        args[count++] = at;
        at += strnlen(at, (size_t)(end - at)) + 1;
    }
    return (int)count;
}

/* The image's entry: the machine starts the thread here. */
void demos_begin(const struct demos_start *start)
{
    record = start;
    if (start->magic != DEMOS_START_MAGIC)
        call_exit(DEMOS_E_ARGUMENT);
    demos_exit(main(split_args(), args));
}

s64 demos_link(const char *name)
{
    u32 count = MIN(record->link_count, (u32)DEMOS_START_LINKS);

    for (u32 i = 0; i < count; i++)
        if (strncmp(record->links[i].name, name, DEMOS_NAME_MAX) == 0)
            return record->links[i].link;
    return DEMOS_E_LINK;
}

void demos_exit(int status)
{
    demos_flush();
    call_exit(status);
}

void demos_yield(void)
{
    call_yield();
}

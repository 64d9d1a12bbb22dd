/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Getting a process going: links and arguments gathered into its start record, program
 * segments loaded, the thread let go. Used by control links and by machines, which make a
 * node's first process.
 */
#include "guest/kernel/core.h"

s64 start_give(struct node *n, struct task *t, const char *name, const struct link *l)
{
    struct demos_start_link *given;
    s64 number;

    if (t->state != DEMOS_NEW)
        return DEMOS_E_STATE;
    if (!t->start)
        t->start = node_alloc(n, sizeof(*t->start), false);
    if (!t->start)
        return DEMOS_E_MEMORY;
    if (t->start->link_count == DEMOS_START_LINKS)
        return DEMOS_E_LINKS;
    number = link_insert(n, &t->links, l);
    if (number < 0)
        return number;
    given = &t->start->links[t->start->link_count++];
    memcpy(given->name, name, strnlen(name, DEMOS_NAME_MAX - 1));
    given->link = number;
    return number;
}

s64 node_grant(struct node *n, struct task *t, const char *name, u32 channel)
{
    struct link l;

    if (channel)
        node_kernel_link(n, channel, &l);
    else
        control_link(t, n->config.machine, &l);
    return start_give(n, t, name, &l);
}

struct task *node_process(struct node *n, const char *name, const struct demos_limits *limits)
{
    return task_create(n, NULL, name, limits);
}

int node_map(struct node *n, struct task *t, u64 base, u64 len, u32 protection, u32 maximum)
{
    return region_map(n, t, base, len, protection, maximum);
}

/* `argc` strings, each ended by a NUL, and nothing behind them. */
static bool arguments_valid(u32 argc, const char *args, size_t len)
{
    if (len && args[len - 1])
        return false;
    for (size_t i = 0; i < len; i++)
        argc -= !args[i];
    return argc == 0;
}

static int write_record(struct node *n, struct task *t, u32 argc, const char *args, size_t len)
{
    struct demos_start record = {0};
    u32 page = machine_page_size(n);
    enum machine_result put;
    int error;

    if (t->start)
        record = *t->start;
    record.magic = DEMOS_START_MAGIC;
    record.version = 1;
    record.page_size = page;
    record.argc = argc;
    record.args = sizeof(record);
    record.args_len = (u32)len;
    if (!task_region(t, DEMOS_START_PAGE)) { /* else it had to wait for a page */
        error = region_map(n, t, DEMOS_START_PAGE, ALIGN_UP(sizeof(record) + len, (u64)page),
                           REGION_READ, REGION_READ);
        if (error)
            return error;
    }
    put = machine_load(n, t, DEMOS_START_PAGE, &record, sizeof(record));
    if (put == MACHINE_OK && len)
        put = machine_load(n, t, DEMOS_START_PAGE + sizeof(record), args, len);
    return put == MACHINE_FAULT ? DEMOS_E_MEMORY
           : put == MACHINE_OK  ? 0
                                : (int)access_error(put);
}

int node_start(struct node *n, struct task *t, u64 entry, u64 stack, u32 argc, const char *args,
               size_t args_len)
{
    struct thread *th = task_thread(t);
    int error;

    if (t->state != DEMOS_NEW)
        return DEMOS_E_STATE;
    if (args_len > DEMOS_START_ROOM - sizeof(struct demos_start) ||
        !arguments_valid(argc, args, args_len))
        return DEMOS_E_ARGUMENT;
    error = write_record(n, t, argc, args, args_len);
    if (error)
        return error;
    node_free(n, t->start, sizeof(*t->start));
    t->start = NULL;
    t->state = DEMOS_READY;
    machine_thread_start(n, th, entry, stack, DEMOS_START_PAGE);
    thread_ready(n, th);
    return 0;
}

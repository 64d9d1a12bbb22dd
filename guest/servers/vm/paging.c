/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `paging [PAGES [POLICY]]`: has this node's kernel page to the pager behind the link "pager",
 * here or on another machine, and says what it has done when asked with `paging state`. Needs
 * the link "kernel". What was started before keeps its frames: the pager itself, if it is here.
 */
#include "guest/lib/keeper.h"
#include "guest/lib/process.h"
#include "guest/programs/number.h"
#include "guest/servers/vm/pager.h"

static const char *const policies[PAGING_POLICIES] = {
    [PAGING_QUEUES] = "queues", [PAGING_FIFO] = "fifo", [PAGING_SAMPLE] = "sample"};

static u64 policy_named(const char *name)
{
    u64 p = 0;

    while (p < PAGING_POLICIES && strcmp(policies[p], name) != 0)
        p++;
    if (p == PAGING_POLICIES)
        demos_die("paging: no policy %s: queues, fifo or sample", name);
    return p;
}

static int state(void)
{
    static const char *const names[] = {"frames",  "free",        "active",  "inactive",
                                        "faults",  "lookups",     "copies",  "zeros",
                                        "mapped",  "requests",    "filled",  "writes",
                                        "evicted", "reactivated", "overdue", "forfeited"};
    struct words w;
    s64 result;

    words_start(&w, KERNEL_OP_PAGING);
    result = words_call(demos_link("kernel"), &w, NULL, 0, NULL);
    if (result < 0)
        demos_die("paging: %s", demos_error(result));
    for (u32 i = 0; i < ARRAY_SIZE(names); i++)
        demos_print("%-12s%llu\n", names[i], (unsigned long long)words_get(&w));
    return 0;
}

int main(int argc, char **argv)
{
    u64 pages = argc > 1 ? number(argv[1]) : 4096;
    s64 link = 0, result;
    struct words w;

    if (argc > 1 && strcmp(argv[1], "state") == 0)
        return state();
    words_start(&w, PAGER_OPEN);
    words_put(&w, pages);
    result = words_call(demos_link("pager"), &w, NULL, 0, &link);
    if (result < 0)
        demos_die("paging: the pager has no %llu pages: %s", (unsigned long long)pages,
                  demos_error(result));
    words_start(&w, KERNEL_OP_PAGER);
    words_put(&w, policy_named(argc > 2 ? argv[2] : policies[PAGING_QUEUES]));
    result = words_call(demos_link("kernel"), &w, &link, 1, NULL);
    if (result < 0)
        demos_die("paging: the kernel: %s", demos_error(result));
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `ps`: the processes of this node, as its process-and-memory kernel process lists them.
 * There are no process numbers: the first column is a row of the list.
 */
#include "guest/lib/process.h"

static const char *const states[] = {"new", "ready", "waiting", "stopped", "migrating"};

static void line(const struct demos_listing *l)
{
    char parent[24] = "-";

    if (l->parent_row != ~(u64)0)
        format(parent, sizeof parent, "%llu", (unsigned long long)l->parent_row);
    demos_print("%4llu %6s %-9s %9llu %8llu %6llu %6llu %3llu %.24s\n",
                (unsigned long long)l->row, parent,
                l->state < ARRAY_SIZE(states) ? states[l->state] : "?",
                (unsigned long long)(l->cpu_ns / 1000000),
                (unsigned long long)(l->memory_bytes / 1024), (unsigned long long)l->links_used,
                (unsigned long long)l->queued, (unsigned long long)l->priority, l->name);
}

int main(int argc, char **argv)
{
    u64 next = 0, before;
    struct words w;

    (void)argc, (void)argv;
    demos_print(" row parent state       cpu ms      KiB  links queued pri name\n");
    do {
        words_start(&w, KERNEL_OP_LIST);
        words_put(&w, next);
        if (words_call(demos_link("kernel"), &w, NULL, 0, NULL) < 0)
            demos_die("ps: no link to the kernel (started with +kernel?)");
        words_get(&w); /* how many there are in all */
        before = next;
        while (w.at + DEMOS_LISTING_WORDS <= w.count) {
            struct demos_listing l;

            process_listing_read(&w, &l);
            line(&l);
            next = l.row + 1;
        }
    } while (next > before);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `ps`: the processes of this node, as its process-and-memory kernel process lists them.
 * There are no process numbers: the first column is a row of the list. `ps -M` lists the
 * threads of each, too (one each so far), `ps -l` what each has of what it may have, `ps -k` the
 * kernel's own processes and the share of messages that CALLs make, and with a link to the machine
 * what of its processor's the node has switched on.
 */
#include "guest/lib/process.h"
#include "guest/machine/protocol.h"

static const char *const states[] = {"new", "ready", "waiting", "stopped", "migrating"};

static const char *state(const struct demos_listing *l)
{
    return l->state < ARRAY_SIZE(states) ? states[l->state] : "?";
}

static void line(const struct demos_listing *l)
{
    char parent[24] = "-";

    if (l->parent_row != ~(u64)0)
        format(parent, sizeof parent, "%llu", (unsigned long long)l->parent_row);
    demos_print("%4llu %6s %-9s %9llu %8llu %6llu %6llu %3llu %.24s\n",
                (unsigned long long)l->row, parent, state(l),
                (unsigned long long)(l->cpu_ns / 1000000),
                (unsigned long long)(l->memory_bytes / 1024), (unsigned long long)l->links_used,
                (unsigned long long)l->queued, (unsigned long long)l->priority, l->name);
}

/* What it has of each thing that is limited, and the limit. */
static void limits(const struct demos_listing *l)
{
    demos_print("%4llu %6llu %7llu %7llu %9llu %8llu %11llu %.24s\n",
                (unsigned long long)l->row, (unsigned long long)l->links_used,
                (unsigned long long)l->limits.links, (unsigned long long)l->queued,
                (unsigned long long)(l->limits.queue_bytes / 1024),
                (unsigned long long)(l->memory_bytes / 1024),
                (unsigned long long)(l->limits.memory_bytes / 1024), l->name);
}

static void ask(struct words *w)
{
    if (words_call(demos_link("kernel"), w, NULL, 0, NULL) < 0)
        demos_die("ps: no link to the kernel (started with +kernel?)");
}

/* How much of what is said is CALLs and their answers. */
static void traffic(void)
{
    struct words w;
    u64 sent, in_call;

    words_start(&w, KERNEL_OP_NODE);
    ask(&w);
    for (u32 i = 1; i < 10; i++)
        words_get(&w);
    sent = words_get(&w);
    in_call = words_get(&w);
    demos_print("%llu messages sent by processes, %llu %% of them in CALLs\n",
                (unsigned long long)sent,
                (unsigned long long)(sent ? 100 * in_call / sent : 0));
}

static void processor(void)
{
    static const char *const names[] = {[MACHINE_SMEP] = "smep",
                                        [MACHINE_SMAP] = "smap",
                                        [MACHINE_UMIP] = "umip",
                                        [MACHINE_PCID] = "pcid",
                                        [MACHINE_AVX] = "avx"};
    struct words w;
    u64 on;

    words_start(&w, MACHINE_FEATURES);
    if (words_call(demos_link("machine"), &w, NULL, 0, NULL) < 0)
        return; /* not given one */
    on = words_get(&w);
    demos_print("processor:");
    for (u32 i = 0; i < ARRAY_SIZE(names); i++)
        if (on >> i & 1)
            demos_print(" %s", names[i]);
    demos_print("\n");
}

static int kernel_processes(void)
{
    struct words w;

    words_start(&w, KERNEL_OP_KERNELS);
    ask(&w);
    demos_print("channel  messages  bytes name\n");
    while (w.at + KERNEL_LISTING_WORDS <= w.count) {
        char name[DEMOS_NAME_MAX + 1];
        u64 channel, messages;

        words_get_name(&w, name);
        channel = words_get(&w);
        messages = words_get(&w);
        demos_print("%7llu %9llu %6llu %s\n", (unsigned long long)channel,
                    (unsigned long long)messages, (unsigned long long)words_get(&w), name);
    }
    traffic();
    processor();
    return 0;
}

int main(int argc, char **argv)
{
    bool threads = argc > 1 && strcmp(argv[1], "-M") == 0;
    bool limited = argc > 1 && strcmp(argv[1], "-l") == 0;
    u64 next = 0, before;
    struct words w;

    if (argc > 1 && strcmp(argv[1], "-k") == 0)
        return kernel_processes();
    if (argc > 1 && !threads && !limited)
        demos_die("usage: ps [-M | -l | -k]");
    demos_print(limited ? " row  links at most  queued KiB room      KiB     at most name\n"
                        : " row parent state       cpu ms      KiB  links queued pri name\n");
    do {
        words_start(&w, KERNEL_OP_LIST);
        words_put(&w, next);
        ask(&w);
        words_get(&w); /* how many there are in all */
        before = next;
        while (w.at + DEMOS_LISTING_WORDS <= w.count) {
            struct demos_listing l;

            process_listing_read(&w, &l);
            if (limited)
                limits(&l);
            else
                line(&l);
            if (threads)
                demos_print("            thread 1: %s, priority %llu\n", state(&l),
                            (unsigned long long)l.priority);
            next = l.row + 1;
        }
    } while (next > before);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first process. It is the only one made without a message, and the only one that is
 * given everything; from there on rights are handed down by links.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/kernel/machine.h"
#include "guest/machine/bundle.h"
#include "guest/machine/place.h"

enum { STACK_BYTES = 256 * 1024 };

static const struct {
    const char *name;
    u32 channel;
} links[] = {
    {"self", 0},
    {"kernel", KERNEL_PROCESS},
    {"clock", KERNEL_CLOCK},
    {"console", KERNEL_CONSOLE},
    {"machine", KERNEL_MACHINE},
    {"disks", KERNEL_DISK},
};

static const char *fill(struct node *n, struct task *t, const struct bundle_file *init,
                        const void *bundle, size_t len)
{
    u64 room = ALIGN_UP((u64)len, (u64)FRAME_SIZE), entry;
    char args[64];
    size_t args_len;

    if (node_load_elf(n, t, init->data, init->len, &entry) < 0)
        return "init is not a program that can be loaded";
    if (node_map(n, t, DEMOS_STACK_TOP - STACK_BYTES, STACK_BYTES, REGION_READ | REGION_WRITE,
                 REGION_READ | REGION_WRITE) < 0 ||
        node_map(n, t, DEMOS_BUNDLE, room, REGION_READ, REGION_READ) < 0 ||
        machine_load(n, t, DEMOS_BUNDLE, bundle, len) != MACHINE_OK)
        return "not enough memory for the bundle";
    for (u32 i = 0; i < ARRAY_SIZE(links); i++)
        if (node_grant(n, t, links[i].name, links[i].channel) < 0)
            return "the first process cannot be given its links";
    args_len = format(args, sizeof args, "init%c%llu%c%llu", 0, DEMOS_BUNDLE, 0,
                      (unsigned long long)len) +
               1;
    if (node_start(n, t, entry, DEMOS_STACK_TOP, 3, args, args_len) < 0)
        return "the first process cannot be started";
    return NULL;
}

const char *boot_first(struct node *n, const void *bundle, size_t len)
{
    static const struct demos_limits limits = {
        .links = 65536, .queue_bytes = 1 << 20, .memory_bytes = 1ull << 32};
    struct bundle b = {bundle, len};
    struct bundle_file init;
    struct task *t;
    const char *why;

    if (!bundle_find(&b, "init", &init))
        return "the bundle has no program named init";
    t = node_process(n, "init", &limits);
    if (!t)
        return "not enough memory for the first process";
    why = fill(n, t, &init, bundle, len);
    if (why)
        node_kill(n, t);
    return why;
}

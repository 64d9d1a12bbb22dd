/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads: what the kernel starts, ends, and takes from one node to another.
 */
#include "guest/machine/sim/inside.h"
#include "base/bytes.h"
#include <stdlib.h>
#include <string.h>

enum machine_result machine_thread_create(struct node *n, struct thread *th)
{
    struct sim_process *p = calloc(1, sizeof(*p));

    p->node = sim_owner(n);
    p->task = th->task;
    p->thread = th;
    th->machine = p;
    return MACHINE_OK;
}

void machine_thread_destroy(struct node *n, struct thread *th)
{
    if (sim_owner(n)->running == th)
        sim_owner(n)->running = NULL;
    free(th->machine);
    th->machine = NULL;
}

void machine_thread_start(struct node *n, struct thread *th, u64 entry, u64 stack, u64 argument)
{
    struct sim_process *p = th->machine;

    (void)n;
    p->program = entry;
    p->stack = stack;
    p->start = argument;
    p->fresh = true;
}

enum { IMAGE = 8 * (SIM_WORDS + 6) };
#define IMAGE_MAGIC 0x73696d7265677331ull

size_t machine_thread_export(struct node *n, struct thread *th, void *image, size_t room)
{
    const struct sim_process *p = th->machine;
    u64 words[SIM_WORDS + 6] = {IMAGE_MAGIC, p->program, p->stack,
                                p->start,    p->fresh,   (u64)p->result};

    (void)n;
    memcpy(words + 6, p->self, sizeof(p->self));
    for (u32 i = 0; room >= IMAGE && i < SIM_WORDS + 6; i++)
        be64_put((u8 *)image + 8 * i, words[i]);
    return IMAGE;
}

bool machine_thread_import(struct node *n, struct thread *th, const void *image, size_t len)
{
    struct sim_process *p = th->machine;
    const u8 *at = image;

    (void)n;
    if (len != IMAGE || be64_get(at) != IMAGE_MAGIC)
        return false;
    p->program = be64_get(at + 8);
    p->stack = be64_get(at + 16);
    p->start = be64_get(at + 24);
    p->fresh = be64_get(at + 32);
    p->result = (s64)be64_get(at + 40);
    for (u32 i = 0; i < SIM_WORDS; i++)
        p->self[i] = be64_get(at + 48 + 8 * i);
    return true;
}

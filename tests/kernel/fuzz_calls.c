/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile programs: the input is what three processes ask of the kernel, word by word, on
 * two nodes joined by the real network, control links and kernel processes in reach. The
 * node must live, every heap must be empty at the end, and nobody may sleep on a full
 * processor.
 */
#include "base/bytes.h"
#include "guest/machine/sim/sim.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
    const u8 *at;
    size_t left;
};

static struct input input;

static u64 byte(void)
{
    if (!input.left)
        return 0;
    input.left--;
    return *input.at++;
}

static u64 bytes(u32 count)
{
    u64 x = 0;

    while (count--)
        x = x << 8 | byte();
    return x;
}

/* A word near something that matters, or any word. */
static u64 word(struct sim_process *p)
{
    const struct link_table *t = &p->task->links;
    u64 how = byte();

    switch (how % 12) {
    case 0: return byte() % 16;
    case 1: return SIM_DATA + byte() * 16;
    case 2: return SIM_DATA + 8 * SIM_PAGE - byte();
    case 3: return bytes(8);
    case 4: return ~(u64)0 - byte();
    case 5: return SIM_DATA;
    case 6: return demos_lens(byte(), byte() * 16);
    case 7: return demos_spec((u32)byte() % 5, (u32)bytes(2), (u32)byte() % 70);
    case 8: return DEMOS_FOREVER;
    case 9: return (u64)1 << byte() % 64;
    default: return t->fresh ? (u64)t->slots[byte() % t->fresh].number : 1;
    }
}

/* Memory gets things that look like requests, infos and names. */
static void scribble(struct sim_process *p)
{
    u64 where = SIM_DATA + byte() * 16;
    struct demos_info info = {.code = byte(), .count = (u8)byte() % 6};
    u8 request[64];

    for (u32 i = 0; i < 8; i++)
        be64_put(request + 8 * i, byte() % 4 ? word(p) : byte());
    if (byte() % 2)
        be64_put(request, 0x100 + byte() % 24);
    for (u32 i = 0; i < DEMOS_LINKS_MAX; i++)
        info.links[i] = (s64)word(p);
    sim_poke(p, where, request, sizeof(request));
    sim_poke(p, SIM_DATA + byte() * 16, &info, sizeof(info));
}

static struct sim_call hostile(struct sim_process *p, s64 result)
{
    u64 what = byte();
    u64 a[6];
    u32 number;

    (void)result;
    if (!input.left)
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
    if (what % 4 == 0)
        scribble(p);
    if (what == 251)
        return sim_call(SIM_FAULT, byte() << 12, 0, 0, 0, 0, 0);
    if (what == 252)
        return sim_call(DEMOS_EXIT, byte(), 0, 0, 0, 0, 0);
    for (u32 i = 0; i < 6; i++)
        a[i] = word(p);
    number = what > 248 ? (u32)bytes(4) : (u32)(what / 4) % DEMOS_CALLS;
    return sim_call(number == DEMOS_EXIT ? DEMOS_NULL : number, a[0], a[1], a[2], a[3], a[4],
                    a[5]);
}

static void populate(struct sim *s)
{
    struct sim_process *p[3];

    for (u32 i = 0; i < 3; i++)
        p[i] = sim_spawn(&s->nodes[i % s->count], 1, 8);
    for (u32 i = 0; i < 3; i++) {
        for (u32 k = 0; k < 3; k++) {
            u32 attr = DEMOS_DUP | DEMOS_GIVE | DEMOS_AREA_READ | DEMOS_AREA_WRITE;
            s64 number = sim_link(p[i], p[k], DEMOS_RESOURCE, attr, k, i);
            struct link_slot *slot = link_find(&p[i]->task->links, number);

            slot->link.base = SIM_DATA;
            slot->link.len = 8 * SIM_PAGE;
            sim_link(p[i], p[k], DEMOS_REQUEST_LINK, DEMOS_TOKERNEL | DEMOS_DUP | DEMOS_GIVE, 0,
                     0);
        }
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct demos_limits limits = {.links = 64, .queue_bytes = 4096, .memory_bytes = 1 << 20};
    struct sim *s;
    u64 flags;

    input = (struct input){data, size};
    flags = byte();
    s = sim_create_limits(flags & 16 ? 2 : 1, 2 << 20, flags & 15, flags & 16, &limits);
    s->programs[1] = hostile;
    s->absent = flags & 32;
    for (u32 i = 2; i < SIM_PROGRAMS; i++)
        s->programs[i] = hostile;
    s->programs[0] = hostile;
    populate(s);
    sim_run(s, 4000);
    for (u32 i = 0; i < s->count; i++) {
        if (node_heap(s->nodes[i].node)->in_use > 2 << 20)
            abort();
    }
    sim_destroy(s);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's kernel processes: console, machine, and disks, which are disk.c's
 * (guest/machine/protocol.h). Each runs to completion on a message and never waits.
 */
#include "base/bytes.h"
#include "base/memory.h"
#include "guest/kernel/machine.h"
#include "guest/machine/disk.h"
#include "guest/machine/place.h"
#include "guest/machine/protocol.h"

struct request {
    struct node *n;
    const u8 *body;
    u32 len;
    u8 *answer;
    size_t room;
};

typedef size_t service_fn(const struct request *r);

static u64 word(const struct request *r, u32 index)
{
    return 8 * (index + 1) <= r->len ? be64_get(r->body + 8 * index) : 0;
}

/* An answer of `count` words, as far as there is room. */
static size_t answer(const struct request *r, const u64 *words, u32 count)
{
    u32 fit = (u32)MIN(count, r->room / 8);

    for (u32 i = 0; i < fit; i++)
        be64_put(r->answer + 8 * i, words[i]);
    return 8 * fit;
}

static size_t console_write(const struct request *r)
{
    u64 len = r->len - 8;

    place_write(r->n, r->body + 8, len);
    return answer(r, &len, 1);
}

static size_t console_read(const struct request *r)
{
    u64 most = MIN(word(r, 1), (u64)r->room - 8);
    u64 got = place_read(r->n, r->answer + 8, most);

    answer(r, &got, 1);
    return 8 + got;
}

static size_t machine_frame_counts(const struct request *r)
{
    struct frames *f = place_frames(r->n);
    u64 words[] = {0, f->count, f->available};

    return answer(r, words, ARRAY_SIZE(words));
}

static size_t machine_cycles(const struct request *r)
{
    u64 words[3] = {0};

    words[1] = place_cycles(r->n, &words[2]);
    return answer(r, words, ARRAY_SIZE(words));
}

static size_t machine_counts(const struct request *r)
{
    u64 words[4] = {0}, refused = (u64)DEMOS_E_REFUSED;

    if (!place_counts(r->n, &words[1]))
        return answer(r, &refused, 1);
    return answer(r, words, ARRAY_SIZE(words));
}

static size_t machine_features(const struct request *r)
{
    u64 words[] = {0, place_features(r->n)};

    return answer(r, words, ARRAY_SIZE(words));
}

static size_t machine_halt(const struct request *r)
{
    u64 ok = 0;

    place_halt(r->n, (s64)word(r, 1));
    return answer(r, &ok, 1);
}

static service_fn *const console[] = {
    [CONSOLE_WRITE] = console_write,
    [CONSOLE_READ] = console_read,
};

static service_fn *const machine[] = {
    [MACHINE_FRAMES] = machine_frame_counts, [MACHINE_CYCLES] = machine_cycles,
    [MACHINE_HALT] = machine_halt,           [MACHINE_COUNTS] = machine_counts,
    [MACHINE_FEATURES] = machine_features,
};

size_t machine_message(struct node *n, u32 channel, struct message *m, u8 *bytes, size_t room)
{
    struct request r = {n, m->body, m->length, bytes, room};
    u64 op = word(&r, 0), unknown = (u64)DEMOS_E_CALL;
    service_fn *fn = NULL;

    if (room < 8)
        return 0;
    if (channel == KERNEL_DISK)
        return disk_message(n, m, bytes);
    if (channel == KERNEL_CONSOLE && op < ARRAY_SIZE(console))
        fn = console[op];
    if (channel == KERNEL_MACHINE && op < ARRAY_SIZE(machine))
        fn = machine[op];
    return fn ? fn(&r) : answer(&r, &unknown, 1);
}

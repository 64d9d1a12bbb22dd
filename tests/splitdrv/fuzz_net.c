/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Either end of the network driver against random ring contents, indexes, references and
 * page contents that change under it (F18-F22). The first byte says which end is under
 * attack; then each record writes bytes somewhere into the shared pages and calls an
 * operation. Nothing may crash or overrun, and all is let go at the end.
 */
#include <stdlib.h>
#include "splitdrv/net.h"
#include "tests/splitdrv/world.h"

enum { PAGES = 16 };

static u8 *ring[2];
static const u8 *left;
static size_t left_size;

/* Takes a few bytes of the input for a write into a shared ring. */
static void scribble(void)
{
    u8 *page;
    u32 at;

    if (left_size < 4)
        return;
    page = ring[left[0] & 1];
    /* Indexes, or one of the first entries. */
    at = left[0] & 2 ? (left[1] & 15) : 64u + left[1] % 96u;
    page[at] = left[2];
    page[(at + 1) % SPLIT_PAGE] = left[3];
    left += 4;
    left_size -= 4;
}

static void attack_back(u8 *memory, bool persistent)
{
    static u8 frame[NET_FRAME_MAX];
    struct netback *b = calloc(1, sizeof(*b));
    struct pool pool;
    u32 checksum;

    if (!pool_open(&pool, 1, memory, PAGES, false))
        abort();
    netback_open(b, 2, ring[0], ring[1], 1, 2, persistent);
    while (left_size >= 4) {
        u32 op = left[0] >> 2;

        scribble();
        switch (op % 4) {
        case 0: netback_take(b, frame, sizeof(frame), &checksum); break;
        case 1: netback_put(b, frame, 1 + op * 1000u, op & 3); break;
        case 2: netback_flush(b); break;
        default:
            netback_idle(b);
            netback_room(b, 60000);
            break;
        }
    }
    netback_close(b);
    if (!pool_close(&pool))
        abort();
    free(b);
}

static void attack_front(u8 *memory)
{
    static u8 frame[NET_FRAME_MAX];
    struct netfront *f = malloc(sizeof(*f));
    u32 checksum;

    if (!netfront_open(f, 1, ring[0], ring[1], 1, 2, memory, PAGES / 2,
                       memory + PAGES / 2 * SPLIT_PAGE, PAGES / 2))
        abort();
    while (left_size >= 4) {
        u32 op = left[0] >> 2;

        scribble();
        switch (op % 4) {
        case 0: netfront_take(f, frame, sizeof(frame), &checksum); break;
        case 1: netfront_put(f, frame, 1 + op * 1000u, op & 3); break;
        case 2: netfront_flush(f); break;
        default:
            netfront_idle(f);
            netfront_room(f, 20000);
            break;
        }
    }
    if (!netfront_close(f))
        abort();
    free(f);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    u8 *memory;

    if (size < 1)
        return 0;
    world_reset();
    memory = aligned_alloc(SPLIT_PAGE, (PAGES + 2) * SPLIT_PAGE);
    memset(memory, 0, (PAGES + 2) * SPLIT_PAGE);
    ring[0] = memory + PAGES * SPLIT_PAGE;
    ring[1] = ring[0] + SPLIT_PAGE;
    left = data + 1;
    left_size = size - 1;
    world.meddle = data[0] & 4 ? scribble : NULL;
    world.fail_every = data[0] & 8 ? 3 : 0;
    if (data[0] & 1)
        attack_front(memory);
    else
        attack_back(memory, data[0] & 2);
    if (world_held())
        abort();
    free(memory);
    return 0;
}

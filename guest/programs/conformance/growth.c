/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that grows by being touched: a stack by the program or by the kernel on its behalf, the
 * heap behind the image; both to a limit.
 */
#include "guest/programs/conformance/conformance.h"
#include "guest/programs/number.h"

enum { FRAME = 4000, FAR = 200 * 1024, MIB = 1 << 20 };

/* Every call takes a page of the stack, nearly. */
static __attribute__((noinline)) u64 descend(u64 depth)
{
    volatile u8 frame[FRAME];
    u64 below;

    frame[depth % FRAME] = (u8)depth;
    below = depth ? descend(depth - 1) : 0;
    return below + (frame[depth % FRAME] == (u8)depth);
}

int play_descent(const char *depth)
{
    return descend(number(depth)) == number(depth) + 1 ? 0 : 1;
}

/* Requests for so many bytes, answered by whether they were had, zero, and fit to be written. */
int play_heap(void)
{
    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL_A, 0));
    for (;;) {
        struct demos_info info = {0};
        u8 word[8];
        u64 size;
        u8 *block;

        if (demos_receive(DEMOS_CHANNEL(CHANNEL_A), word, sizeof word, &info) < 0)
            return 1;
        size = be64_get(word);
        block = demos_alloc(size);
        be64_put(word, block != NULL);
        for (u64 at = 0; block && at < size; at += 512) {
            if (block[at])
                be64_put(word, 2);
            block[at] = 1;
        }
        demos_reply(info.reply, word, sizeof word);
    }
}

static s64 ask(s64 heap, u64 size)
{
    u8 word[8];

    be64_put(word, size);
    return demos_call(heap, word, sizeof word, word, sizeof word) == 8 ? (s64)be64_get(word)
                                                                       : DEMOS_E_REFUSED;
}

/* What the kernel writes to the stack makes it longer, too, as deep as our own has never been. */
static __attribute__((noinline)) bool written_far_down(void)
{
    s64 self = demos_link_make(DEMOS_GENERAL, 0, CHANNEL_B, 0);
    s64 area = demos_link_area(DEMOS_AREA_READ, "moved", 6);
    volatile u8 page[FAR];
    bool good = demos_send(self, "received", 9) == 0;
    void *first = (void *)&page[PAGE], *second = (void *)&page[0];

    good &= demos_receive(DEMOS_CHANNEL(CHANNEL_B), first, 9, NULL) == 9;
    good &= demos_move_from(area, 0, second, 6) >= 0;
    good &= strcmp(first, "received") == 0 && strcmp(second, "moved") == 0;
    demos_link_drop(self);
    demos_link_drop(area);
    return good;
}

static s64 limits(s64 control, u64 memory, struct demos_limits *now)
{
    struct words w;
    s64 result;

    words_start(&w, CONTROL_LIMITS);
    words_put(&w, 0);
    words_put(&w, 0);
    words_put(&w, memory);
    result = words_call(control, &w, NULL, 0, NULL);
    now->links = words_get(&w);
    now->queue_bytes = words_get(&w);
    now->memory_bytes = words_get(&w);
    return result;
}

static void check_heap(void)
{
    s64 heap, control = start_role("heap", NULL, &heap);
    struct demos_limits now;
    struct demos_listing l;

    expect("an allocation of 100 bytes", ask(heap, 100), 1);
    expect("of 3 MiB", ask(heap, 3 * MIB), 1);
    expect("LIMITS", limits(control, 5 * MIB, &now), 0);
    expect("says what is in force", (s64)now.memory_bytes, 5 * MIB);
    expect_true("also what was not changed", now.links > 100 && now.queue_bytes > 4096);
    expect("of 2 MiB more, beyond the limit", ask(heap, 2 * MIB), 0);
    limits(control, 32 * MIB, &now);
    expect("and with another limit", ask(heap, 2 * MIB), 1);
    expect("of more than any heap may have", ask(heap, DEMOS_HEAP_MOST + 1), 0);
    expect("of 100 bytes after that", ask(heap, 100), 1);
    process_info(control, &l, NULL);
    expect_true("the process has what it took", l.memory_bytes > 5 * MIB);
    expect("and a listing has its limit", (s64)l.limits.memory_bytes, 32 * MIB);
    process_kill(control);
    await_end();
    demos_link_drop(control);
    demos_link_drop(heap);
}

void check_growth(void)
{
    chapter("growth");
    expect("a stack of 800 KB", run_role("descent", "200").status, 0);
    expect("one of 1,600", (s64)run_role("descent", "400").how, DEMOS_END_EXCEPTION);
    expect_true("messages and moves to where a stack has not been", written_far_down());
    check_heap();
}

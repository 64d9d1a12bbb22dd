/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MOVEDATA (rows DL11, DL19, DL20): rights, bounds one byte to either side, aligned and
 * odd, what either side writes afterwards stays its own, the area of the dead.
 */
#include "guest/programs/conformance/conformance.h"

enum { AREA = 4 * PAGE };

static u8 memory[2 * AREA] __attribute__((aligned(PAGE)));

static u64 sum(const u8 *at)
{
    u64 total = 0;

    for (u32 i = 0; i < AREA; i++)
        total = total * 31 + at[i];
    return total;
}

static u64 remote_sum(s64 owner, struct demos_info *info)
{
    u8 word[8] = {0};

    demos_call_info(owner, NULL, 0, word, 8, info);
    return be64_get(word);
}

static void check_rights(const s64 *links)
{
    expect("read without an area", demos_move_from(links[0], 0, memory, 1), DEMOS_E_AREA);
    expect("read what may only be written", demos_move_from(links[2], 0, memory, 1),
           DEMOS_E_ALLOWED);
    expect("write what may only be read", demos_move_to(links[1], 0, memory, 1),
           DEMOS_E_ALLOWED);
    expect("read all of it", demos_move_from(links[1], 0, memory, AREA), 0);
    expect("read one byte too many", demos_move_from(links[1], 0, memory, AREA + 1),
           DEMOS_E_AREA);
    expect("read from beyond", demos_move_from(links[1], AREA, memory, 1), DEMOS_E_AREA);
    expect("read the last byte", demos_move_from(links[1], AREA - 1, memory, 1), 0);
    expect("read from offset -1", demos_move_from(links[1], ~(u64)0, memory, 2), DEMOS_E_AREA);
    expect("read nothing at the end", demos_move_from(links[1], AREA, memory, 0), 0);
    expect("read into nowhere", demos_move_from(links[1], 0, (void *)0x1000, 16),
           DEMOS_E_ADDRESS);
    expect("write from nowhere", demos_move_to(links[2], 0, (void *)0x1000, 16),
           DEMOS_E_ADDRESS);
}

static void check_bytes(s64 owner, const s64 *links)
{
    struct demos_info info = {0};
    u64 before = remote_sum(owner, &info);

    demos_move_from(links[3], 0, memory, AREA);
    expect_true("aligned: the same bytes", sum(memory) == before);
    memset(memory, 0x55, PAGE + 1);
    expect_true("writing here changes nothing there", remote_sum(owner, &info) == before);
    demos_move_from(links[3], 0, memory + 1, AREA);
    expect_true("odd: the same bytes", sum(memory + 1) == before);
    for (u32 i = 0; i < AREA; i++)
        memory[AREA + i] = (u8)(i ^ 0xa5);
    demos_move_to(links[3], 0, memory + AREA, AREA);
    expect_true("written there", remote_sum(owner, &info) == sum(memory + AREA));
    before = sum(memory + AREA);
    memory[AREA] ^= 1;
    expect_true("writing here afterwards changes nothing there",
                remote_sum(owner, &info) == before);
    memory[AREA] ^= 1;
    for (u32 i = 0; i < 100; i++) {
        u64 at = i * 997 % (AREA - 700), len = 1 + i * 131 % 700;

        for (u64 j = 0; j < len; j++)
            memory[AREA + at + j] = (u8)(i + j);
        demos_move_to(links[2], at, memory + AREA + at, len);
    }
    expect_true("a hundred odd pieces", remote_sum(owner, &info) == sum(memory + AREA));
}

void check_moves(void)
{
    s64 owner, control;
    struct demos_info info = {0};

    chapter("moves");
    control = start_role("area", NULL, &owner);
    remote_sum(owner, &info);
    expect("four links to areas", info.count, 4);
    check_rights(info.links);
    check_bytes(owner, info.links);
    process_kill(control);
    await_end();
    expect("the area of the dead", demos_move_from(info.links[1], 0, memory, 1), DEMOS_E_DEAD);
    for (u32 i = 0; i < 4; i++)
        demos_link_drop(info.links[i]);
    demos_link_drop(control);
    demos_link_drop(owner);
}

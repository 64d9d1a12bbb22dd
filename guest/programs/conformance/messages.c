/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEND and RECEIVE: bodies of all sizes, order, channels, time limits, room.
 */
#include "guest/programs/conformance/conformance.h"

static u8 out[DEMOS_BODY_MAX + 1], in[DEMOS_BODY_MAX];

static bool travels(s64 link, u32 len)
{
    struct demos_info info = {0};

    for (u32 i = 0; i < len; i++)
        out[i] = (u8)(i * 13 + len);
    if (demos_send(link, out, len) != 0)
        return false;
    memset(in, 0, len);
    return demos_receive(DEMOS_CHANNEL(CHANNEL_A), in, sizeof in, &info) == len &&
           memcmp(in, out, len) == 0 && info.length == len && info.code == 77 &&
           info.channel == CHANNEL_A && info.kind == DEMOS_MSG_GENERAL;
}

static void check_bodies(s64 link)
{
    static const u32 sizes[] = {0, 1, 7, 8, 63, 64, 65, 1024, 4095, 4096, 4097, 16384};
    struct demos_info info = {0};
    bool all = true;

    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
        all &= travels(link, sizes[i]);
    expect_true("bodies of many sizes arrive whole", all);
    expect("a body that is too long", demos_send(link, out, sizeof out), DEMOS_E_LONG);
    expect("a body that is not mine", demos_send(link, (void *)0x1000, 8), DEMOS_E_ADDRESS);
    expect("a body of the kernel's", demos_send(link, (void *)0xffffffff80100000, 8),
           DEMOS_E_ADDRESS);
    demos_send(link, "truncated", 9);
    expect("a short buffer takes what fits",
           demos_receive(DEMOS_CHANNEL(CHANNEL_A), in, 5, &info), 5);
    expect_true("and says so", (info.flags & DEMOS_TRUNCATED) && info.length == 9);
    demos_send(link, "again", 5);
    expect("a buffer that is not mine",
           demos_receive(DEMOS_CHANNEL(CHANNEL_A), (void *)0x1000, 5, NULL), DEMOS_E_ADDRESS);
    expect("leaves the message", demos_receive(DEMOS_CHANNEL(CHANNEL_A), in, 5, NULL), 5);
    demos_send(link, "again", 5);
    expect("a buffer that is only read",
           demos_receive(DEMOS_CHANNEL(CHANNEL_A), (void *)(u64) "read only", 5, NULL),
           DEMOS_E_ADDRESS);
    demos_receive(DEMOS_CHANNEL(CHANNEL_A), in, 5, NULL);
}

static void check_order(s64 a)
{
    s64 b = demos_link_make(DEMOS_GENERAL, 0, CHANNEL_B, 78);
    bool ordered = true;

    for (u8 i = 0; i < 20; i++)
        demos_send(i % 2 ? b : a, &i, 1);
    demos_receive(DEMOS_CHANNEL(CHANNEL_B), in, 1, NULL);
    expect("a channel set overtakes the rest", in[0], 1);
    for (u8 i = 0; i < 10; i++) {
        demos_receive(DEMOS_CHANNEL(CHANNEL_A), in, 1, NULL);
        ordered &= in[0] == 2 * i;
    }
    for (u8 i = 1; i < 10; i++) {
        demos_receive(DEMOS_ANY_CHANNEL, in, 1, NULL);
        ordered &= in[0] == 2 * i + 1;
    }
    expect_true("within a channel, the order of sending", ordered);
    demos_link_drop(b);
}

static void check_waiting(void)
{
    expect("nothing there, do not wait",
           demos_receive_within(DEMOS_NOW, DEMOS_ANY_CHANNEL, in, 1, NULL), DEMOS_E_TIMEOUT);
    expect("nothing there, wait a little",
           demos_receive_within(2000000, DEMOS_ANY_CHANNEL, in, 1, NULL), DEMOS_E_TIMEOUT);
    expect("no channel at all", demos_receive_within(1000000, 0, in, 1, NULL), DEMOS_E_TIMEOUT);
}

/* A receiver that does not listen: the sender is told, or waits as long as it said. */
static void check_room(void)
{
    s64 link, control = start_role("deaf", NULL, &link), result = 0;
    u32 count = 0;

    while (count < 100000 && (result = call_send(link, out, 1024, NULL, DEMOS_NOW)) == 0)
        count++;
    expect("a full queue", result, DEMOS_E_FULL);
    expect_true("is full after more than one message", count > 1);
    expect("waiting for room in vain", call_send(link, out, 1024, NULL, 2000000),
           DEMOS_E_TIMEOUT);
    expect("and its end is killing", process_kill(control), 0);
    await_end();
    expect("a message to the dead goes nowhere", demos_send(link, out, 1), 0);
    demos_link_drop(link);
    demos_link_drop(control);
}

void check_messages(void)
{
    s64 link = demos_link_make(DEMOS_GENERAL, 0, CHANNEL_A, 77);

    chapter("messages");
    check_bodies(link);
    check_order(link);
    check_waiting();
    check_room();
    demos_link_drop(link);
}

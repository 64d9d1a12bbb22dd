/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk moves: a child shows a megabyte through a link's data area; its creator reads it,
 * turns every byte over, writes it back and asks the child for the sum. Done at aligned
 * and at odd addresses: mapped or copied, the bytes are the same.
 */
#include "guest/lib/process.h"

enum { LEN = 1 << 20, PAGE = 4096, CHANNEL = 1 };

static u8 memory[LEN + PAGE] __attribute__((aligned(PAGE)));

static u64 sum(const u8 *at)
{
    u64 total = 0;

    for (u64 i = 0; i < LEN; i++)
        total = total * 31 + at[i];
    return total;
}

/* Offers the area, then answers each request with the sum of what is in it now. */
static int show(u64 shift)
{
    s64 links[2] = {
        demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL, 0),
        demos_link_area(DEMOS_GIVE | DEMOS_AREA_READ | DEMOS_AREA_WRITE, memory + shift, LEN)};
    struct demos_info info;
    u8 body[8];

    for (u64 i = 0; i < LEN; i++)
        memory[shift + i] = (u8)(i * 7 + i / PAGE);
    demos_offer(links[0]);
    while (demos_receive(DEMOS_CHANNEL(CHANNEL), NULL, 0, &info) >= 0) {
        be64_put(body, sum(memory + shift));
        demos_reply_links(info.reply, body, 8, &links[1], links[1] > 0);
        links[1] = 0;
    }
    return 1;
}

static u64 ask(s64 child, s64 *area)
{
    struct demos_info info = {0};
    u8 body[8];

    if (demos_call_info(child, NULL, 0, body, 8, &info) != 8)
        demos_die("mover: no answer");
    if (area)
        *area = info.links[0];
    return be64_get(body);
}

static void turn(const char *role, u64 shift)
{
    const char *args[] = {role};
    struct demos_spawn s = {
        .program = "mover", .args = args, .arg_count = 1, .flags = DEMOS_CREATE_WITH_PARENT};
    s64 child, area, control = demos_spawn_server(&s, &child);
    u64 expected = ask(child, &area);

    if (control < 0 || demos_move_from(area, 0, memory + shift, LEN) < 0)
        demos_die("mover: cannot read");
    if (sum(memory + shift) != expected)
        demos_die("mover: read something else");
    for (u64 i = 0; i < LEN; i++)
        memory[shift + i] = (u8)~memory[shift + i];
    if (demos_move_to(area, 0, memory + shift, LEN) < 0)
        demos_die("mover: cannot write");
    if (ask(child, NULL) != sum(memory + shift))
        demos_die("mover: wrote something else");
    demos_print("mover: %s, a megabyte each way\n", role);
    process_kill(control);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return show(strcmp(argv[1], "odd") == 0 ? 13 : 0);
    turn("aligned", 0);
    turn("odd", 13);
    turn("aligned", 13);
    return 0;
}

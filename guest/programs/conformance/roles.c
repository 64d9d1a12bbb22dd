/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the suite's children do.
 */
#include "guest/programs/conformance/conformance.h"
#include "guest/programs/number.h"

enum { AREA = 4 * PAGE };

static u8 body[DEMOS_BODY_MAX];
static u8 area[AREA] __attribute__((aligned(PAGE)));

/* Answers each request with its own body and links. */
static int echo(void)
{
    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL_A, 0));
    for (;;) {
        struct demos_info info = {0};
        s64 len = demos_receive(DEMOS_CHANNEL(CHANNEL_A), body, sizeof body, &info);

        if (len < 0)
            return (int)len;
        demos_reply_links(info.reply, body, (size_t)len, info.links, info.count);
    }
}

/* Answers each request with its own body, and takes the next one in the same call. */
static int turn(void)
{
    struct demos_info info = {0};
    s64 len;

    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL_A, 0));
    len = demos_receive(DEMOS_CHANNEL(CHANNEL_A), body, sizeof body, &info);
    while (len >= 0)
        len = demos_answer(info.reply, body, (size_t)len, DEMOS_CHANNEL(CHANNEL_A), body,
                           sizeof body, &info);
    return (int)len;
}

/* Takes requests; the first word says what becomes of the reply link: 0 drops it, 1 ends
 * the process with it, 2 uses it twice and says in the second what the third got. */
static int careless(void)
{
    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL_A, 0));
    for (;;) {
        struct demos_info info = {0};
        u8 word[8] = {0};

        demos_receive(DEMOS_CHANNEL(CHANNEL_A), word, sizeof word, &info);
        if (be64_get(word) == 1)
            return 11;
        if (be64_get(word) == 0)
            demos_link_drop(info.reply);
        else
            demos_reply(info.reply, word, 8);
        if (be64_get(word) == 2) {
            s64 again = demos_reply(info.reply, word, 8);

            demos_receive(DEMOS_CHANNEL(CHANNEL_A), word, sizeof word, &info);
            be64_put(word, (u64)again);
            demos_reply(info.reply, word, 8);
        }
    }
}

/* Answers with links to its area: none, read, write, both. Later requests get the sum. */
static NORETURN void show_area(void)
{
    static const u32 rights[] = {0, DEMOS_AREA_READ, DEMOS_AREA_WRITE,
                                 DEMOS_AREA_READ | DEMOS_AREA_WRITE};
    s64 links[4];
    u32 count = 4;

    for (u32 i = 0; i < 4; i++)
        links[i] = demos_link_area(DEMOS_GIVE | rights[i], rights[i] ? area : NULL,
                                   rights[i] ? sizeof area : 0);
    for (u32 i = 0; i < sizeof area; i++)
        area[i] = (u8)(i * 3 + i / PAGE);
    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL_A, 0));
    for (;;) {
        struct demos_info info = {0};
        u8 word[8];
        u64 sum = 0;

        demos_receive(DEMOS_CHANNEL(CHANNEL_A), NULL, 0, &info);
        for (u32 i = 0; i < sizeof area; i++)
            sum = sum * 31 + area[i];
        be64_put(word, sum);
        demos_reply_links(info.reply, word, 8, links, count);
        count = 0;
    }
}

static NORETURN void spin(void)
{
    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL_A, 0));
    for (;;)
        asm volatile("" : : : "memory");
}

u64 counted[PAGE / 8] __attribute__((aligned(PAGE)));

/* Counts as fast as it can, where its creator can look. */
static NORETURN void count(void)
{
    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL_A, 0));
    for (;;)
        (*(volatile u64 *)counted)++;
}

/* Counts messages there. */
static int urgent(void)
{
    demos_offer(demos_link_make(DEMOS_GENERAL, DEMOS_GIVE, CHANNEL_A, 0));
    while (demos_receive(DEMOS_CHANNEL(CHANNEL_A), NULL, 0, NULL) >= 0)
        (*(volatile u64 *)counted)++;
    return 1;
}

/* Receives nothing; its queue fills. */
static int deaf(void)
{
    demos_offer(demos_link_make(DEMOS_GENERAL, DEMOS_GIVE, CHANNEL_A, 0));
    demos_receive(DEMOS_CHANNEL(CHANNEL_B), NULL, 0, NULL);
    return 0;
}

/* Counts what it was born with: links it knows by name. */
static int links(void)
{
    return (int)demos_started()->link_count;
}

static int arguments(const char *argument)
{
    return strcmp(argument, "one argument") == 0 && demos_started()->argc == 3 ? 0 : 1;
}

int play_role(const char *role, const char *argument)
{
    if (strcmp(role, "echo") == 0)
        return echo();
    if (strcmp(role, "turn") == 0)
        return turn();
    if (strcmp(role, "careless") == 0)
        return careless();
    if (strcmp(role, "area") == 0)
        show_area();
    if (strcmp(role, "spin") == 0)
        spin();
    if (strcmp(role, "deaf") == 0)
        return deaf();
    if (strcmp(role, "links") == 0)
        return links();
    if (strcmp(role, "arguments") == 0)
        return arguments(argument);
    if (strcmp(role, "exit") == 0)
        return (int)number(argument);
    if (strcmp(role, "fault") == 0)
        return play_fault(argument);
    if (strcmp(role, "float") == 0)
        return play_float(number(argument));
    if (strcmp(role, "twin") == 0)
        return play_twin(argument);
    if (strcmp(role, "descent") == 0)
        return play_descent(argument);
    if (strcmp(role, "heap") == 0)
        return play_heap();
    if (strcmp(role, "stumble") == 0)
        return play_stumble();
    if (strcmp(role, "waiting") == 0)
        return play_waiting();
    if (strcmp(role, "count") == 0)
        count();
    if (strcmp(role, "urgent") == 0)
        return urgent();
    return 99;
}

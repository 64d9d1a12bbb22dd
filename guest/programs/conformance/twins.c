/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CALL and ANSWER between two processes that show the same pages (U24), with bodies and
 * buffers that lie over each other there: what arrives is what was said, whichever way the
 * kernel takes. One of the two is a copy of the other, made of its memory with CONTROL_COPY.
 */
#include "guest/programs/conformance/conformance.h"

enum { PAGES = 5, BYTES = PAGES * PAGE };

/* Offsets in what both have: where a request lies and is wanted, the same of its answer. */
static const struct turn {
    u32 said, heard, answered, taken, len;
} turns[] = {
    {0, 8, 8, 0, 100},
    {8, 0, 0, 8, 100},
    {64, 80, 80, 112, 31},
    {0, 16, 16, 24, 3000},
    {16, 0, 24, 16, 3000},
    {100, 1000, 1000, 500, 6000},
    {1000, 100, 500, 1000, 6000},
    {0, PAGE, PAGE, 64, 3 * PAGE},
    {PAGE, 0, 64, PAGE, 3 * PAGE},
    {4000, 4096, 4000, 4096, 200},
    {0, 3 * PAGE, 3 * PAGE, 0, PAGE},
};

/* The program's first instruction (guest/lib/start.c). */
void demos_begin(const struct demos_start *start);

static u8 common[BYTES] __attribute__((aligned(PAGE)));
static u8 wanted[BYTES];

enum { ALL = 2 * ARRAY_SIZE(turns) }; /* the second time, both have touched all pages */

static const struct turn *turn(u32 i)
{
    return &turns[i % ARRAY_SIZE(turns)];
}

/* What a turn is to leave in the common pages. */
static void expected(const struct turn *t)
{
    for (u32 i = 0; i < BYTES; i++)
        wanted[i] = (u8)(i * 7 + i / 251 + t->len);
    memcpy(common, wanted, BYTES);
    memmove(wanted + t->heard, wanted + t->said, t->len);
    memmove(wanted + t->taken, wanted + t->answered, t->len);
}

/* The copy: the number of turns that came out wrong. */
static int ask(void)
{
    s64 server = demos_link("twin");
    int wrong = 0;

    for (u32 i = 0; i < ALL; i++) {
        const struct turn *t = turn(i);
        s64 got;

        expected(t);
        got = demos_call(server, common + t->said, t->len, common + t->taken, t->len);
        wrong += got != t->len || memcmp(common, wanted, BYTES) != 0;
    }
    return wrong;
}

/* A copy of this process, not started, which has a link to us; an error below zero. */
static s64 copy_of_me(s64 self)
{
    s64 server = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL_A, 0), control = 0;
    s64 watch = process_watch(CHANNEL_ENDS, 0), result;
    struct words w;

    words_start(&w, KERNEL_OP_CREATE);
    for (u32 i = 0; i < 4; i++)
        words_put(&w, 0);
    words_put_name(&w, "twin");
    result = words_call(demos_link("kernel"), &w, &watch, 1, &control);
    if (result >= 0)
        result = process_control(self, CONTROL_INHERIT, (u64)common, BYTES, REGION_SHARE);
    words_start(&w, CONTROL_COPY);
    if (result >= 0)
        result = words_call(control, &w, &self, 1, NULL);
    words_start(&w, CONTROL_GIVE);
    words_put_name(&w, "twin");
    if (result >= 0)
        result = words_call(control, &w, &server, 1, NULL);
    return result < 0 ? result : control;
}

static s64 start_copy(s64 control)
{
    static const char args[] = "conformance\0twin\0ask";
    u8 body[32 + sizeof args], answer[8];

    be64_put(body, CONTROL_START);
    be64_put(body + 8, (u64)demos_begin);
    be64_put(body + 16, DEMOS_STACK_TOP);
    be64_put(body + 24, 3);
    memcpy(body + 32, args, sizeof args);
    return demos_call(control, body, sizeof body, answer, sizeof answer) == 8
               ? (s64)be64_get(answer)
               : DEMOS_E_REFUSED;
}

/* Answers turn by turn, until the copy's end: its status. */
static int answer_all(void)
{
    u64 channels = DEMOS_CHANNEL(CHANNEL_A) | DEMOS_CHANNEL(CHANNEL_ENDS);
    struct demos_info info = {0};
    struct process_end end = {.how = ~(u64)0};
    s64 len = demos_receive(channels, common + turns[0].heard, turns[0].len, &info);

    for (u32 i = 0; i < ALL && info.kind == DEMOS_MSG_REQUEST; i++) {
        const struct turn *now = turn(i), *next = turn(i + 1);

        len = demos_answer(info.reply, common + now->answered, (size_t)len, channels,
                           common + next->heard, BYTES - next->heard, &info);
    }
    process_end_read(&info, common + turn(ALL)->heard, (size_t)len, &end);
    return end.how == DEMOS_END_EXIT ? (int)end.status : 97;
}

int play_twin(const char *argument)
{
    s64 control;

    if (strcmp(argument, "ask") == 0)
        return ask();
    control = copy_of_me(demos_link("self"));
    if (control < 0 || start_copy(control) < 0)
        return 98;
    return answer_all();
}

void check_twins(void)
{
    struct process_end end;

    chapter("twins");
    end = run_role("twin", "answer");
    expect("turns that went wrong, bodies and buffers over each other", end.status, 0);
}

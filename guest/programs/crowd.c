/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `crowd COUNT MS PROGRAM [ARGUMENT]...`: starts so many of a program, MS milliseconds apart,
 * by the link "manager", waits for all, and says how many of them were made elsewhere.
 */
#include "guest/lib/manager.h"
#include "guest/lib/process.h"

enum { CHANNEL_ENDS = 1 };

static u64 number(const char *digits)
{
    u64 value = 0;

    for (; *digits >= '0' && *digits <= '9'; digits++)
        value = 10 * value + (u64)(*digits - '0');
    return value;
}

static s64 start(char **words, u32 count)
{
    const struct demos_gift gifts[] = {{"console", demos_link("console")},
                                       {"clock", demos_link("clock")}};
    struct demos_spawn s = {.program = words[0],
                            .args = (const char *const *)words + 1,
                            .arg_count = count - 1,
                            .gifts = gifts,
                            .gift_count = ARRAY_SIZE(gifts),
                            .kernel = demos_link("manager")};

    s.watch = process_watch(CHANNEL_ENDS, 0);
    return demos_spawn(&s);
}

/* What our manager has sent away so far. */
static u64 elsewhere(void)
{
    struct words w;

    words_start(&w, MANAGER_STATE);
    if (words_call(demos_link("manager"), &w, NULL, 0, NULL) < 0)
        return 0;
    for (u32 i = 0; i < 3; i++)
        words_get(&w); /* machine, load, made here */
    return words_get(&w);
}

int main(int argc, char **argv)
{
    u64 count = argc > 3 ? number(argv[1]) : 0, ms, started = 0, well = 0, before;
    struct process_end end;

    if (!count || demos_link("manager") <= 0)
        demos_die("usage: crowd COUNT MS PROGRAM [ARGUMENT]... (with a link \"manager\")");
    ms = number(argv[2]);
    before = elsewhere();
    for (u64 i = 0; i < count; i++) {
        s64 control = start(argv + 3, (u32)argc - 3);

        if (control < 0)
            demos_print("crowd: %s: %s\n", argv[3], demos_error(control));
        else
            demos_link_drop(control);
        started += control >= 0;
        demos_sleep_ns(ms * 1000000);
    }
    for (u64 i = 0; i < started; i++)
        well += process_wait(CHANNEL_ENDS, &end) == 0 && end.how == DEMOS_END_EXIT &&
                !end.status;
    demos_print("crowd: %llu of %llu ended well, %llu of them made elsewhere\n",
                (unsigned long long)well, (unsigned long long)count,
                (unsigned long long)(elsewhere() - before));
    return well == count ? 0 : 1;
}

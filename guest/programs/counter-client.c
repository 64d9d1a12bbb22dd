/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `counter-client [TIMES [PAUSE]]`: a client of the counter server. It starts one when it was
 * not given a link to one, opens two counters and shows that they are two, PAUSE milliseconds
 * between one step and the next; then it also says how long calls took.
 */
#include "guest/lib/process.h"
#include "guest/programs/counter.h"
#include "guest/programs/delays.h"
#include "guest/programs/number.h"

enum { PROGRESS = 10 }; /* steps, where there is time to look */

static s64 service(void)
{
    struct demos_gift gifts[] = {{"console", demos_link("console")}};
    struct demos_spawn s = {.program = "counter-server",
                            .gifts = gifts,
                            .gift_count = ARRAY_SIZE(gifts),
                            .flags = DEMOS_CREATE_WITH_PARENT};
    s64 link = demos_link("counter"), control;

    if (link > 0)
        return link;
    control = demos_spawn_server(&s, &link);
    if (control < 0 || link <= 0)
        demos_die("counter-client: no server: %s", demos_error(control));
    return link;
}

static s64 open_counter(s64 server)
{
    struct words w;
    s64 link;

    words_start(&w, COUNTER_OPEN);
    if (words_call(server, &w, NULL, 0, &link) < 0 || link <= 0)
        demos_die("counter-client: cannot open a counter");
    return link;
}

static u64 up(s64 counter, u64 by)
{
    struct words w;

    words_start(&w, COUNTER_UP);
    words_put(&w, by);
    if (words_call(counter, &w, NULL, 0, NULL) < 0)
        demos_die("counter-client: cannot count");
    return words_get(&w);
}

static struct delays delays;

static u64 timed_up(s64 counter, u64 by, bool timed)
{
    u64 before = timed ? demos_time_ns() : 0, value = up(counter, by);

    if (timed)
        delays_add(&delays, demos_time_ns() - before);
    return value;
}

static void progress(u64 steps)
{
    demos_print(
        "counter: %llu steps, all counted; a call %llu us, %llu late, at most %llu us\n",
        (unsigned long long)steps, (unsigned long long)(delays_usual(&delays) / 1000),
        (unsigned long long)delays_late(&delays), (unsigned long long)(delays.longest / 1000));
}

int main(int argc, char **argv)
{
    s64 server = service(), first = open_counter(server), second = open_counter(server);
    u64 times = argc > 1 ? number(argv[1]) : 10, pause = argc > 2 ? number(argv[2]) : 0;
    u64 a = 0, b = 0;

    for (u64 i = 1; i <= times; i++) {
        a = timed_up(first, 1, pause);
        b = timed_up(second, i, pause);
        if (a != i || b != i * (i + 1) / 2)
            demos_die("counter: step %llu gave %llu and %llu", (unsigned long long)i,
                      (unsigned long long)a, (unsigned long long)b);
        if (!pause)
            continue;
        demos_sleep_ns(pause * 1000000);
        if (i % PROGRESS == 0)
            progress(i);
    }
    demos_print("counter: first %llu, second %llu\n", (unsigned long long)a,
                (unsigned long long)b);
    return 0;
}

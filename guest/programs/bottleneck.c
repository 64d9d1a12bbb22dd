/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `bottleneck SERVERS CPU DISK HITS`: how many requests a second so many servers answer, where
 * each request takes CPU microseconds of one processor and, unless it is among the HITS in a
 * hundred that a cache has, DISK microseconds of one disk. Processor and disk are processes
 * that serve one at a time and take that long; there is always another request. Wants a clock
 * by which messages take no time (`event`), and then is exact.
 */
#include "guest/lib/process.h"
#include "guest/programs/number.h"

enum { CHANNEL = 1, ENDS = 2, REQUESTS = 1000 };

static s64 must(s64 result, const char *what)
{
    if (result < 0)
        demos_die("bottleneck: %s: %s", what, demos_error(result));
    return result;
}

/* Processor or disk: one request after the other, each as long as it says. */
static NORETURN void resource(void)
{
    u8 body[8];

    must(demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL, 0)),
         "offer");
    for (;;) {
        struct demos_info info = {0};

        must(demos_receive(DEMOS_CHANNEL(CHANNEL), body, sizeof body, &info), "receive");
        demos_sleep_ns(be64_get(body));
        demos_reply(info.reply, NULL, 0);
    }
}

static void use(const char *name, u64 us)
{
    u8 body[8];

    be64_put(body, us * 1000);
    must(demos_call(demos_link(name), body, sizeof body, NULL, 0), name);
}

/* One of the servers: its share of the requests. Misses are spread evenly. */
static int serve(u64 requests, u64 cpu, u64 disk, u64 hits)
{
    u64 missed = 0;

    for (u64 i = 0; i < requests; i++) {
        missed += 100 - hits;
        use("cpu", cpu);
        if (missed >= 100) {
            missed -= 100;
            use("disk", disk);
        }
    }
    return 0;
}

static s64 start_resource(void)
{
    const char *args[] = {"resource"};
    struct demos_gift gifts[] = {{"clock", demos_link("clock")}};
    struct demos_spawn s = {.program = "bottleneck",
                            .args = args,
                            .arg_count = 1,
                            .gifts = gifts,
                            .gift_count = 1,
                            .flags = DEMOS_CREATE_WITH_PARENT};
    s64 link;

    must(demos_spawn_server(&s, &link), "start");
    return link;
}

static void run(u64 servers, char **argv)
{
    const char *args[] = {"serve", NULL, argv[2], argv[3], argv[4]};
    struct demos_gift gifts[] = {{"console", demos_link("console")},
                                 {"cpu", start_resource()},
                                 {"disk", start_resource()}};
    char share[16];
    struct demos_spawn s = {.program = "bottleneck",
                            .args = args,
                            .arg_count = ARRAY_SIZE(args),
                            .gifts = gifts,
                            .gift_count = ARRAY_SIZE(gifts)};
    struct process_end end;

    format(share, sizeof share, "%llu", (unsigned long long)(REQUESTS / servers));
    args[1] = share;
    for (u64 i = 0; i < servers; i++) {
        s.watch = process_watch(ENDS, i);
        must(demos_spawn(&s), "start");
    }
    for (u64 i = 0; i < servers; i++)
        process_wait(ENDS, &end);
}

int main(int argc, char **argv)
{
    u64 servers, begun, ns;

    if (argc > 1 && strcmp(argv[1], "resource") == 0)
        resource();
    if (argc > 5)
        return serve(number(argv[2]), number(argv[3]), number(argv[4]), number(argv[5]));
    if (argc < 5)
        demos_die("bottleneck SERVERS CPU DISK HITS");
    servers = MAX(number(argv[1]), 1ull);
    begun = demos_time_ns();
    run(servers, argv);
    ns = MAX(demos_time_ns() - begun, 1ull);
    demos_print("bottleneck: %llu servers, %llu requests a second\n",
                (unsigned long long)servers,
                (unsigned long long)(REQUESTS / servers * servers * 1000000000ull / ns));
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clusters in the simulator: the same seed is the same run whatever ran before it, other seeds are
 * others, faults strike, nodes come and go, and lines that are wrong are refused. H20.
 */
#include "guest/machine/campaign/world.h"
#include <stdio.h>
#include <string.h>
#include "tests/check.h"

static const char *say(struct world *w, const char *line)
{
    char text[2 * WORLD_LINE];

    snprintf(text, sizeof(text), "%s", line);
    return world_line(w, text);
}

static void describe(struct world *w, const char *const *lines, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        const char *wrong = say(w, lines[i]);

        if (wrong)
            printf("%s: %s\n", lines[i], wrong);
        CHECK(!wrong);
    }
}

static const char *const cluster[] = {
    "medium name=net kind=ether",
    "node a net=02:05:00:00:00:01",
    "node host net=02:05:00:00:00:02",
    "node b net=02:05:00:00:00:03",
    "node c net=02:05:00:00:00:04",
    "program a +kernel switchboard global",
    "program a +kernel tour counter counter-server 2 10 6",
    "program host +kernel with counter counter-client 10000 20",
    "program b +kernel with counter counter-client 30 2",
    "program c +kernel with counter counter-client 30 2",
    "expect output b counter: first 30, second 465",
    "expect output c counter: first 30, second 465",
    "expect exit c poweroff",
    "end 3000000000",
    "heal 1000000000",
    "calm 400000000",
    "at 20000000 fault net loss 0.2",
    "at 300000000 fault net loss off",
    "at 60000000 pause b",
    "at 90000000 unpause b",
    "at 100000000 unplug vif c 0",
    "at 130000000 plug vif c 0",
    "at 10000000 clock b rate=-400000",
    "at 15000000 clock c step=3s",
    "own",
};

static bool good(const struct world *w)
{
    u64 broken = w->missed;

    for (u32 i = 0; i < INVARIANTS; i++) {
        broken += w->ledger.verdicts[i].broken;
        CHECK(w->ledger.verdicts[i].checked);
    }
    if (w->wrong || broken)
        printf("seed %llu: %s %s\n", (unsigned long long)w->seed, w->wrong ? w->wrong : "",
               w->first_missed);
    return !w->wrong && !broken;
}

static void runs(void)
{
    struct world w;
    u64 digests[6];

    world_init(&w);
    describe(&w, cluster, ARRAY_SIZE(cluster));
    for (u64 seed = 0; seed < ARRAY_SIZE(digests); seed++) {
        world_run(&w, seed);
        CHECK(good(&w));
        digests[seed] = w.digest;
        CHECK(!seed || digests[seed] != digests[seed - 1]);
    }
    for (u64 seed = ARRAY_SIZE(digests); seed-- > 0;) { /* the other way round */
        world_run(&w, seed);
        CHECK(w.digest == digests[seed]);
    }
    CHECK(!say(&w, "at 1000000 fault net loss 1"));
    CHECK(!say(&w, "at 50000000 reboot b"));
    world_run(&w, 3);
    CHECK(w.digest != digests[3]);
    world_forget(&w); /* that was of that run alone */
    world_run(&w, 3);
    CHECK(w.digest == digests[3]);
    world_free(&w);
}

/* What is expected and does not come is missed. */
static void misses(void)
{
    struct world w;

    world_init(&w);
    describe(&w, cluster, ARRAY_SIZE(cluster));
    describe(&w, (const char *const[]){"at 50000000 destroy b"}, 1);
    world_run(&w, 1);
    CHECK(w.missed == 1 && strstr(w.first_missed, "b: counter"));
    CHECK(strcmp(w.node[2].ended, "destroyed") == 0);
    world_forget(&w);
    describe(&w, (const char *const[]){"at 50000000 kill c counter-client"}, 1);
    world_run(&w, 1);
    CHECK(w.missed == 2 && strcmp(w.node[3].ended, "crash") == 0);
    world_forget(&w);
    describe(&w, (const char *const[]){"until c", "end 9000000000"}, 2);
    world_run(&w, 1);
    CHECK(w.node[3].ended && w.sim->now < 2000000000);
    world_free(&w);
}

static void refuses(void)
{
    static const char *const wrong[] = {
        "what is this",
        "node a net=02:05:00:00:00:01",
        "node d net",
        "node d net=nonsense",
        "program nobody ring of 3 at here 1",
        "program a shell",
        "program a counter-client 3",
        "program a with counter counter-server",
        "program a switchboard local",
        "program a tour counter shell 3 10 4",
        "program a ring",
        "program a",
        "program a a b c d e f g h i j k l m n o p q",
        "expect joy a text",
        "expect exit nobody text",
        "at soon pause a",
        "end soon",
        "until nobody",
    };
    static const char *const commands[] = {
        "fault nowhere loss 1", "fault net joy",        "pause nobody",   "clock a 3",
        "clock a step=long",    "clock a rate=-999999", "unplug vif a 3", "slow a",
        "kill a ring x",
    };
    struct world w;

    world_init(&w);
    describe(&w, cluster, ARRAY_SIZE(cluster));
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++)
        CHECK(say(&w, wrong[i]));
    world_free(&w);
    world_init(&w);
    describe(&w, cluster, ARRAY_SIZE(cluster));
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
        char line[WORLD_LINE];

        snprintf(line, sizeof(line), "at 5000000 %s", commands[i]);
        CHECK(!say(&w, line));
        world_run(&w, 1);
        CHECK(w.wrong);
        world_forget(&w);
    }
    world_run(&w, 1);
    CHECK(good(&w));
    CHECK(say(&w, "node late net=02:05:00:00:00:09"));
    world_free(&w);
}

TESTS(CASE(runs), CASE(misses), CASE(refuses))

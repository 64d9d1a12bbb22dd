/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * z8000-node: the figures of the 1983 node, as JSON on standard output.
 *
 *   z8000-node table            Table 1, and with a faster clock, a faster line, one processor
 *   z8000-node noise EVERY      messages over a line on which one byte in EVERY is wrong
 *   z8000-node vcd FILE         the handshake of faults and null calls as a signal trace
 *   z8000-node maps             map loads and evictions of a process with more segments
 *                               than there are page maps
 *   z8000-node lru              evictions of page maps after a known string of references
 *   z8000-node paging [SECONDS [KB]]
 *                               share of time the user processor computes, over memory (or
 *                               with KB alone), page size, clock, paging device, replacement
 *   z8000-node speed ENTRY CLOCKS fast|exact
 *                               a program of load.s (hexadecimal place) without throttle
 */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include "z8000/bench/paging.h"
#include "z8000/bench/speed.h"
#include "z8000/bench/table.h"

static int table(struct rig *r)
{
    static const struct {
        const char *name;
        struct rig_machine machine;
    } tables[] = {
        {"table1", {.hz = 2000000, .bytes_per_second = 5000}},
        {"clock_10_mhz", {.hz = 10000000, .bytes_per_second = 5000}},
        {"line_1250000_bytes_per_second", {.hz = 2000000, .bytes_per_second = 1250000}},
        {"one_processor", {.hz = 2000000, .bytes_per_second = 5000, .one_processor = true}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        printf("%s\n", i ? "," : "{");
        if (!table_print(r, tables[i].name, tables[i].machine, i == 0))
            return 1;
    }
    printf("\n}\n");
    return 0;
}

static int noise(struct rig *r, u32 every)
{
    enum { MESSAGES = 12 };
    struct rig_time time;

    r->machine.wrong_every = every;
    r->answer = RIG_MESSAGE_MOST;
    if (!rig_run(r, RIG_REMOTE, MESSAGES, RIG_MESSAGE_MOST, 2, &time))
        return 1;
    printf("{\"messages\": %d, \"wrong_every\": %u, \"resent\": %llu, \"intact\": %s,"
           " \"measured_ms\": %.3f}\n",
           2 * MESSAGES, every, (unsigned long long)time.resent, time.intact ? "true" : "false",
           (double)time.user * 1000 / NODE_HZ);
    return 0;
}

static int vcd(struct rig *r, const char *path)
{
    static const char *const names[] = {"user_wait",     "fault",   "release",
                                        "to_kernel",     "to_user", "user_halted",
                                        "kernel_halted", "map_set"};
    struct rig_time time;
    bool done;

    r->vcd = fopen(path, "w");
    if (!r->vcd) {
        perror(path);
        return 1;
    }
    fprintf(r->vcd, "$timescale 1 ns $end\n$scope module node $end\n");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        fprintf(r->vcd, "$var wire 1 %c %s $end\n", "wfrkuhim"[i], names[i]);
    fprintf(r->vcd, "$upscope $end\n$enddefinitions $end\n#0\n");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        fprintf(r->vcd, "0%c\n", "wfrkuhim"[i]);
    done = rig_run(r, RIG_NULL, 3, 0, 1, &time);
    fclose(r->vcd);
    return done ? 0 : 1;
}

static int maps(struct rig *r)
{
    printf("[\n");
    for (u16 segments = 8; segments <= 24; segments = (u16)(segments + 4)) {
        struct rig_time few, many;

        if (!rig_run(r, RIG_TOUCH, 2, segments, 1, &few) ||
            !rig_run(r, RIG_TOUCH, 12, segments, 1, &many))
            return 1;
        printf("  {\"segments\": %u, \"faults_per_round\": %.1f, \"evictions_per_round\": %.1f,"
               " \"clocks_per_round\": %.1f}%s\n",
               segments, (double)(many.faults - few.faults) / 10,
               (double)(many.evictions - few.evictions) / 10,
               (double)(many.user - few.user) / 10, segments < 24 ? "," : "");
    }
    printf("]\n");
    return 0;
}

/* By the segment that is referred to last. */
static int lru(struct rig *r)
{
    enum { FIRST = 3, LAST = 6 };

    for (unsigned segment = FIRST; segment <= LAST; segment++) {
        struct rig_time time;

        if (!rig_run(r, RIG_LRU, 1, (u16)(0x8000 | segment << 8), 1, &time))
            return 1;
        printf("%s\"%u\": %llu", segment == FIRST ? "{" : ", ", segment,
               (unsigned long long)time.evictions);
    }
    printf("}\n");
    return 0;
}

enum { PAGING_SECONDS = 60 };

/* Memory for the processes, from too little to nearly all they touch. */
static const u32 memories[] = {64, 80, 96, 104, 106, 108, 112};

static const struct {
    const char *name;
    struct paging_machine machine;
} studies[] = {
    {"1983, pages of 512", {2000000, 512, 0, 5000, 8.33, false, false}},
    {"1983, pages of 1024", {2000000, 1024, 0, 5000, 8.33, false, false}},
    {"1983, pages of 2048", {2000000, 2048, 0, 5000, 8.33, false, false}},
    {"processor at 10 MHz", {10000000, 512, 0, 5000, 8.33, false, false}},
    {"remote paging, 280 ms for 1024 bytes", {2000000, 512, 0, 4700, 63, false, false}},
    {"paging device of 50,000 bytes/s", {2000000, 512, 0, 50000, 8.33, false, false}},
    {"processor that restarts", {2000000, 512, 0, 5000, 8.33, true, false}},
    {"1983, a second chance", {2000000, 512, 0, 5000, 8.33, false, true}},
};

static void paging_point(struct rig *r, size_t study, u32 memory_kb, unsigned seconds)
{
    struct paging_machine m = studies[study].machine;
    struct paging_share share;

    m.memory_bytes = memory_kb << 10;
    share = paging_run(r->table, r->load.bytes, r->load.length, &m, seconds);
    printf("  {\"study\": \"%s\", \"hz\": %u, \"page_bytes\": %u, \"memory_kb\": %u,"
           " \"bytes_per_second\": %u, \"device_ms\": %g, \"restartable\": %s,"
           " \"second_chance\": %s, \"busy\": %.3f, \"faults_per_second\": %.2f,"
           " \"writes_per_second\": %.2f}",
           studies[study].name, m.hz, m.page_bytes, memory_kb, m.bytes_per_second, m.device_ms,
           m.restartable ? "true" : "false", m.second_chance ? "true" : "false", share.busy,
           share.faults_per_second, share.writes_per_second);
}

/* All memories, or the one of `only_kb`. */
static int paging(struct rig *r, unsigned seconds, u32 only_kb)
{
    bool first = true;

    printf("{\"paper_busy\": [0.65, 0.68], \"processes\": %d, \"seconds\": %u,\n \"rows\": [\n",
           PAGING_PROCESSES, seconds);
    for (size_t s = 0; s < ARRAY_SIZE(studies); s++)
        for (size_t i = 0; i < (only_kb ? 1 : ARRAY_SIZE(memories)); i++) {
            printf("%s", first ? "" : ",\n");
            paging_point(r, s, only_kb ? only_kb : memories[i], seconds);
            first = false;
        }
    printf("\n ]}\n");
    return 0;
}

static int speed(struct rig *r, char **arguments)
{
    struct speed s = speed_run(
        r->table, r->load.bytes, r->load.length, (u16)strtoul(arguments[0], NULL, 16),
        strtoull(arguments[1], NULL, 10), strcmp(arguments[2], "fast") == 0);

    printf("{\"clocks\": %llu, \"instructions\": %llu, \"check\": %u}\n",
           (unsigned long long)s.clocks, (unsigned long long)s.instructions, s.check);
    return 0;
}

int main(int argc, char **argv)
{
    struct rig *r = calloc(1, sizeof *r);
    const char *what = argc > 1 ? argv[1] : "";
    int status = 2;

    if (!r || !rig_open(r, dirname(strdup(argv[0]))))
        return 1;
    if (strcmp(what, "table") == 0 && argc == 2)
        status = table(r);
    else if (strcmp(what, "noise") == 0 && argc == 3)
        status = noise(r, (u32)strtoul(argv[2], NULL, 10));
    else if (strcmp(what, "vcd") == 0 && argc == 3)
        status = vcd(r, argv[2]);
    else if (strcmp(what, "maps") == 0 && argc == 2)
        status = maps(r);
    else if (strcmp(what, "lru") == 0 && argc == 2)
        status = lru(r);
    else if (strcmp(what, "paging") == 0 && argc <= 4)
        status = paging(r, argc >= 3 ? (unsigned)strtoul(argv[2], NULL, 10) : PAGING_SECONDS,
                        argc == 4 ? (u32)strtoul(argv[3], NULL, 10) : 0);
    else if (strcmp(what, "speed") == 0 && argc == 5)
        status = speed(r, argv + 2);
    else
        fprintf(stderr,
                "usage: z8000-node table | noise EVERY | vcd FILE | maps | lru | paging "
                "[SECONDS [KB]] | speed "
                "ENTRY CLOCKS fast|exact\n");
    rig_close(r);
    free(r);
    return status;
}

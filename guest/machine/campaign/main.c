/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign: reads a cluster and its plan by lines (plan.c) from the standard input, and runs
 *
 *   run SEED [LAST]      each seed from SEED to LAST; then events of the run's own are forgotten
 *   trace SEED           the same for one, with every record of its trace (harness/osmo/simulate.py)
 *   consoles             what the nodes' consoles showed in the last run
 *
 * For each run one line: `run SEED NS RECORDS SENT DIGEST NAME=CHECKED/BROKEN... MISSED`, and before it
 * lines `why SEED ...` that say in words what is wrong. Ends with status 0 when the input ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guest/machine/campaign/world.h"

/* In words what failed. */
static void say_why(const struct world *w)
{
    unsigned long long seed = w->seed;

    if (w->wrong)
        printf("why %llu stopped %s\n", seed, w->wrong);
    for (u32 i = 0; i < INVARIANTS; i++)
        if (w->ledger.verdicts[i].broken)
            printf("why %llu %s %s\n", seed, invariant_names[i], w->ledger.verdicts[i].first);
    if (w->missed)
        printf("why %llu expected %s\n", seed, w->first_missed);
}

static void run(struct world *w, u64 seed)
{
    world_run(w, seed);
    say_why(w);
    printf("run %llu %llu %llu %u %016llx", (unsigned long long)seed,
           (unsigned long long)w->sim->now, (unsigned long long)w->records, w->ledger.count,
           (unsigned long long)w->digest);
    for (u32 i = 0; i < INVARIANTS; i++)
        printf(" %s=%llu/%llu", invariant_names[i],
               (unsigned long long)w->ledger.verdicts[i].checked,
               (unsigned long long)w->ledger.verdicts[i].broken);
    printf(" %llu\n", (unsigned long long)w->missed);
}

static void consoles(const struct world *w)
{
    for (u32 i = 0; i < w->nodes; i++) {
        printf("console %s %s %zu\n", w->node[i].name,
               w->node[i].ended ? w->node[i].ended : "running", w->node[i].console_len);
        fwrite(w->node[i].console, 1, w->node[i].console_len, stdout);
    }
}

static const char *line(struct world *w, char *text)
{
    unsigned long long first, last;
    int numbers = sscanf(text, "run %llu %llu", &first, &last);

    w->tracing = sscanf(text, "trace %llu", &first) == 1;
    if (strcmp(text, "consoles") == 0)
        consoles(w);
    else if (numbers > 0 || w->tracing) {
        if (!w->nodes)
            return "there are no nodes";
        for (last = numbers == 2 ? last : first; first <= last; first++)
            run(w, first);
        world_forget(w);
    } else
        return world_line(w, text);
    fflush(stdout);
    return NULL;
}

int main(void)
{
    static struct world w;
    char text[2 * WORLD_LINE], whole[2 * WORLD_LINE];
    u32 number = 0;

    world_init(&w);
    while (fgets(text, sizeof(text), stdin)) {
        const char *wrong;

        text[strcspn(text, "\n")] = 0;
        memcpy(whole, text, sizeof(whole)); /* a line is cut up as it is read */
        number++;
        wrong = *text && *text != '#' ? line(&w, text) : NULL;
        if (wrong) {
            fprintf(stderr, "line %u: %s: %s\n", number, whole, wrong);
            return 2;
        }
    }
    world_free(&w);
    return 0;
}

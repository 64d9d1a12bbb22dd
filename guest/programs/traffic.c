/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `traffic tell [MS]` reports every so often what has left its node by the network; `traffic gather
 * [SECONDS]` collects the reports for so long and says whose they are, and how much of it all was
 * unguaranteed. The reports are unguaranteed themselves: the next one says all that a lost one said.
 */
#include "guest/kernel/control.h"
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"
#include "guest/programs/number.h"

enum { CHANNEL = 1, MACHINES = 64, TELL_MS = 100, GATHER_S = 1 };
enum { MESSAGES, PLAIN, ROUTING, FRAMES, BYTES, FIGURES };
#define MS 1000000ull

static struct row {
    u64 machine, came, told; /* reports: how many came, the last one's number */
    u64 figure[FIGURES];
} rows[MACHINES];
static u32 row_count;

static u64 number_or(const char *word, u64 otherwise)
{
    u64 value = word ? number(word) : otherwise;

    if (!value)
        demos_die("traffic: %s is no number above 0", word);
    return value;
}

static void ask(struct words *w, u64 op)
{
    words_start(w, op);
    if (words_call(demos_link("kernel"), w, NULL, 0, NULL) < 0)
        demos_die("traffic: no link to the kernel (started with +kernel?)");
}

/* A report that cannot leave is as good as one that was lost. */
static int tell(u64 pause)
{
    s64 link = demos_find("traffic", SWITCHBOARD_GLOBAL | SWITCHBOARD_WAIT);
    struct words w, report;
    u64 machine;

    if (link < 0)
        demos_die("traffic: nobody gathers: %s", demos_error(link));
    ask(&w, KERNEL_OP_NODE);
    machine = words_get(&w);
    for (u64 told = 1;; told++) {
        ask(&w, KERNEL_OP_TRAFFIC);
        words_start(&report, machine);
        words_put(&report, told);
        for (u32 i = 0; i < FIGURES; i++)
            words_put(&report, words_get(&w));
        demos_send(link, report.bytes, 8 * report.count);
        demos_sleep_ns(pause);
    }
}

static struct row *row_of(u64 machine)
{
    for (u32 i = 0; i < row_count; i++)
        if (rows[i].machine == machine)
            return &rows[i];
    if (row_count == MACHINES)
        return NULL;
    rows[row_count].machine = machine;
    return &rows[row_count++];
}

/* One that was overtaken says less than is known. */
static void note(struct words *w)
{
    struct row *r = row_of(words_get(w));
    u64 told = words_get(w);

    if (!r)
        return;
    r->came++;
    if (told <= r->told)
        return;
    r->told = told;
    for (u32 i = 0; i < FIGURES; i++)
        r->figure[i] = words_get(w);
}

static u64 share(const u64 *figure)
{
    u64 loose = figure[PLAIN] + figure[ROUTING], all = figure[MESSAGES] + loose;

    return all ? (100 * loose + all / 2) / all : 0;
}

static void say(const char *whose, const u64 *figure)
{
    demos_print("%-10s %8llu %12llu %8llu %8llu %10llu %3llu %%\n", whose,
                (unsigned long long)figure[MESSAGES], (unsigned long long)figure[PLAIN],
                (unsigned long long)figure[ROUTING], (unsigned long long)figure[FRAMES],
                (unsigned long long)figure[BYTES], (unsigned long long)share(figure));
}

static void say_all(void)
{
    u64 sum[FIGURES] = {0}, told = 0, came = 0;
    char whose[24];

    demos_print("machine    messages unguaranteed  routing   frames      bytes share\n");
    for (u32 i = 0; i < row_count; i++) {
        format(whose, sizeof whose, "%llu", (unsigned long long)rows[i].machine);
        say(whose, rows[i].figure);
        for (u32 k = 0; k < FIGURES; k++)
            sum[k] += rows[i].figure[k];
        told += rows[i].told;
        came += rows[i].came;
    }
    say("all", sum);
    demos_print("traffic: %u machines, %llu of %llu reports came, unguaranteed %llu %%\n",
                row_count, (unsigned long long)came, (unsigned long long)told,
                (unsigned long long)share(sum));
}

static int gather(u64 ns)
{
    s64 link = demos_link_make(DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE | DEMOS_TIMELY, CHANNEL,
                               0);
    u64 now = demos_time_ns(), end = now + ns;

    if (demos_announce("traffic", link, SWITCHBOARD_GLOBAL) < 0)
        demos_die("traffic: cannot be announced");
    for (; now < end; now = demos_time_ns()) {
        struct words w;
        s64 len = demos_receive_within(end - now, DEMOS_CHANNEL(CHANNEL), w.bytes,
                                       sizeof w.bytes, NULL);

        if (len >= 0) {
            words_read(&w, w.bytes, (size_t)len);
            note(&w);
        }
    }
    say_all();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && argc < 4 && strcmp(argv[1], "tell") == 0)
        return tell(number_or(argv[2], TELL_MS) * MS);
    if (argc > 1 && argc < 4 && strcmp(argv[1], "gather") == 0)
        return gather(number_or(argv[2], GATHER_S) * 1000 * MS);
    demos_die("usage: traffic tell [MS] | traffic gather [SECONDS]");
}

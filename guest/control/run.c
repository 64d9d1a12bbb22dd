/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run: the plan's lines in the order they fall due, and how a run ends.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/control.h"
#include "guest/control/ctl.h"
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"

static struct words words;
static char answer_text[COMMAND_ANSWER];

void run_finish(u32 status, const char *text)
{
    struct osm_finish f = {.status = status, .len = (u32)strlen(text), .text = (u64)text};
    struct json j;

    trace_all();
    disks_tell();
    holdings_end();
    result_begin(&j, "finish");
    json_number(&j, "trace_lost", control.trace_lost);
    json_number(&j, "status", status);
    json_text(&j, "text", text);
    result_end(&j);
    hypercall_osmosis(OSM_OP_finish, &f);
    rt_shutdown(RT_POWEROFF);
}

static char *keep(const char *text)
{
    char *copy;

    if (!text)
        return NULL;
    copy = rt_alloc(strlen(text) + 1);
    if (!copy)
        rt_panic("no memory for the plan");
    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

static void drop(char *text)
{
    if (text)
        rt_free(text, strlen(text) + 1);
}

/* Lines with a time stand in its order, those of one time in the plan's; others behind. */
static void insert(struct waiting *w)
{
    struct list *at = control.waiting.prev;

    while (at != &control.waiting) {
        const struct waiting *before = list_entry(at, struct waiting, link);

        if (w->kind == STEP_AT && (before->kind != STEP_AT || before->at_ns > w->at_ns))
            at = at->prev;
        else
            break;
    }
    list_insert(at, &w->link);
}

bool plan_add(const struct step *s, const struct words *w, const char *text, u32 line)
{
    struct waiting *n = rt_alloc(sizeof(*n));

    (void)w;
    if (!n)
        return false;
    n->line = line;
    n->kind = s->kind == STEP_NOW ? STEP_AT : s->kind;
    n->at_ns = s->at_ns;
    n->record = s->record;
    n->object = keep(s->object);
    n->value = keep(s->value);
    n->command = keep(text);
    insert(n);
    return true;
}

static void failed(const struct waiting *n, const char *why)
{
    struct json j;

    result_begin(&j, "error");
    json_number(&j, "line", n->line);
    json_text(&j, "command", n->command);
    json_text(&j, "error", why);
    result_end(&j);
}

/* When a line without a time fell due, which nothing else in the results says. */
static void tell_fired(const struct waiting *n)
{
    struct json j;

    result_begin(&j, "fired");
    json_number(&j, "line", n->line);
    json_text(&j, "command", n->command);
    result_end(&j);
}

/* What is left of a line waits for its next condition. */
static void wait_again(const struct waiting *n, u32 from)
{
    const char *rest = n->command + words.at[from], *problem = "no memory";
    struct step s;

    if (!words_split(&words, rest, strlen(rest), &problem) ||
        !step_read(&s, &words, &problem) || !plan_add(&s, &words, rest, n->line))
        failed(n, problem);
}

/* The line is taken out first: a command may add or fire others. */
static void fire(struct waiting *n)
{
    const char *problem;
    char why[WHY];
    struct step s;
    struct json answer;

    list_remove(&n->link);
    if (n->kind != STEP_AT)
        tell_fired(n);
    json_begin(&answer, answer_text, sizeof(answer_text));
    if (!words_split(&words, n->command, strlen(n->command), &problem) ||
        !step_read(&s, &words, &problem))
        failed(n, problem);
    else if (step_waits(&words, s.first))
        wait_again(n, s.first);
    else if (!command_run(&words, s.first, &answer, why))
        failed(n, why);
    else if (answer.len > 1) {
        result_line(answer_text, json_end(&answer));
    }
    drop(n->object);
    drop(n->value);
    drop(n->command);
    rt_free(n, sizeof(*n));
}

/* The first line that has been marked by a condition, or is due. */
static struct waiting *next_due(u64 now)
{
    list_for_each(at, &control.waiting)
    {
        struct waiting *n = list_entry(at, struct waiting, link);

        if (n->fired || (n->kind == STEP_AT && n->at_ns <= now))
            return n;
    }
    return NULL;
}

static void check_store(void)
{
    list_for_each(at, &control.waiting)
    {
        struct waiting *n = list_entry(at, struct waiting, link);
        char path[1024], value[1024], why[WHY];

        if (n->kind == STEP_STORE && !n->fired && expand(n->object, path, sizeof(path), why) &&
            !self_read(path, value, sizeof(value)) && strcmp(value, n->value) == 0)
            n->fired = true;
    }
}

void plan_on_exit(const struct guest *g)
{
    list_for_each(at, &control.waiting)
    {
        struct waiting *n = list_entry(at, struct waiting, link);

        if (n->kind == STEP_EXIT && strcmp(n->object, g->name) == 0)
            n->fired = true;
    }
}

static bool contains(const char *text, size_t len, const char *part)
{
    size_t want = strlen(part);

    for (size_t i = 0; i + want <= len; i++)
        if (memcmp(text + i, part, want) == 0)
            return true;
    return false;
}

void plan_on_output(struct guest *g, const char *line, size_t len)
{
    list_for_each(at, &control.waiting)
    {
        struct waiting *n = list_entry(at, struct waiting, link);

        if (n->kind == STEP_OUTPUT && strcmp(n->object, g->name) == 0 &&
            contains(line, len, n->value))
            n->fired = true;
    }
}

static bool waits_for(const struct waiting *n, const struct guest *g)
{
    return n->kind == STEP_TRACE && !n->fired && strcmp(n->object, g->name) == 0;
}

bool plan_watches(const struct guest *g)
{
    list_for_each(at, &control.waiting)
    {
        if (waits_for(list_entry(at, struct waiting, link), g))
            return true;
    }
    return false;
}

void plan_on_record(struct guest *g, const struct osm_record *r)
{
    list_for_each(at, &control.waiting)
    {
        struct waiting *n = list_entry(at, struct waiting, link);

        if (!waits_for(n, g) || n->record.type != r->type ||
            !(n->record.any_a || n->record.a == r->a) || --n->record.left)
            continue;
        n->fired = true;
        if (!g->stopped && !ctl_pause(g->domid)) {
            g->stopped = control.stopped = true;
            ctl_wait_off(g->domid);
        }
    }
}

static void release_stopped(void)
{
    if (!control.stopped)
        return;
    control.stopped = false;
    list_for_each(at, &control.guests)
    {
        struct guest *g = list_entry(at, struct guest, link);

        if (g->stopped && g->built)
            ctl_unpause(g->domid);
        g->stopped = false;
    }
}

u64 plan_due(void)
{
    struct waiting *n;
    u64 deadline = RT_NEVER;
    bool times = false;

    check_store();
    while ((n = next_due(rt_now_ns()))) {
        fire(n);
        check_store();
    }
    release_stopped();
    list_for_each(at, &control.waiting)
    {
        n = list_entry(at, struct waiting, link);
        if (n->kind != STEP_AT)
            continue;
        times = true;
        deadline = MIN(deadline, n->at_ns);
    }
    if (control.plan_done && !control.attended && control.had_guests && !control.guest_count &&
        !times)
        run_finish(control.crashed ? 1 : 0, control.crashed ? "a domain crashed" : "all ended");
    return deadline;
}

/* --- the plan's text ----------------------------------------------------------------------------- */

static void take_line(const char *line, size_t len, u32 number)
{
    static char text[WORDS_LINE + 1];
    const char *why;
    char reason[WHY];
    struct step s;

    if (words_split(&words, line, len, &why) && !words.count)
        return;
    if (len > WORDS_LINE || !words_split(&words, line, len, &why) ||
        !step_read(&s, &words, &why)) {
        format(reason, sizeof(reason), "line %u of the plan: %s", number, why);
        run_finish(2, reason);
    }
    memcpy(text, line, len);
    text[len] = 0;
    if (!plan_add(&s, &words, text, number))
        run_finish(2, "no memory for the plan");
}

static void take_text(const char *text, size_t size)
{
    u32 number = 1;

    for (size_t at = 0; at < size; number++) {
        size_t len = 0;

        while (at + len < size && text[at + len] != '\n')
            len++;
        take_line(text + at, len, number);
        at += len + 1;
    }
}

void plan_load(void)
{
    struct osm_plan p = {0};
    struct osm_clock_info clock;
    u32 frames;
    char *text;

    holdings_begin();
    control.seeded = !hypercall_osmosis(OSM_OP_clock, &clock) && clock.clock != OSM_CLOCK_REAL;
    if (hypercall_osmosis(OSM_OP_plan, &p) || !p.size)
        return;
    control.seed = p.seed;
    self_printf("/osmosis/seed", "%lu", p.seed);
    frames = (p.size + 4095) / 4096;
    text = rt_frames(frames);
    if (!text)
        run_finish(2, "no memory for the plan");
    p = (struct osm_plan){.buffer = (u64)text, .len = p.size};
    if (hypercall_osmosis(OSM_OP_plan, &p))
        run_finish(2, "the plan cannot be read");
    take_text(text, p.len);
    rt_frames_free(text, frames);
    control.plan_done = true;
}

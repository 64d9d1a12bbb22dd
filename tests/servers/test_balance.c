/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * L14-L18: the policies of process managers, twenty machines in a model of processors, queues
 * and messages: each serves one process at a time; a message costs both ends some of their
 * processor's time, a process that goes elsewhere more. The same policies are compared on the
 * same processes; what is asserted is who wins, and that nothing is lost.
 */
#include "base/keyed.h"
#include "guest/servers/process/balance.h"
#include "guest/servers/process/loads.h"
#include "tests/check.h"

enum { MACHINES = 20, GROUPS = 4, QUEUE = 4096, EVENTS = 65536 };
/* In thousandths of a process's mean need. */
enum { NEED = 1000, MESSAGE = 10, LATENCY = 5, TRANSFER = 50, IDLE_AGAIN = 500 };
enum { TOP = 1000 };

enum kind { ARRIVE, DONE, ENTER, QUESTION, ANSWER, PULLED, IDLE, TO_LOADS, FROM_LOADS };

struct event {
    u64 at, order;
    enum kind kind;
    u64 to, from, value, message;
    u64 process;
    struct balance_job job;
    bool pull;
};

struct machine {
    struct balancer b;
    u64 queue[QUEUE]; /* processes; the first is being served */
    u32 first, count;
    u64 done_at;
    bool serving, asleep;
};

struct world {
    struct event heap[EVENTS];
    u32 events;
    u64 now, order, messages, moves, finished, total, ends, waited, seed;
    u64 *born, *need;
    struct machine machine[MACHINES + 1];
    struct loads loads[GROUPS + 1]; /* the last: the superior */
    bool tree;
};

static struct world w;

static bool before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct event e, u64 delay)
{
    u32 i = w.events++;

    CHECK(w.events < EVENTS);
    e.at = w.now + delay;
    e.order = w.order++;
    for (; i && before(&e, &w.heap[(i - 1) / 2]); i = (i - 1) / 2)
        w.heap[i] = w.heap[(i - 1) / 2];
    w.heap[i] = e;
}

static struct event pop(void)
{
    struct event top = w.heap[0], last = w.heap[--w.events];
    u32 i = 0;

    for (u32 child; (child = 2 * i + 1) < w.events; i = child) {
        if (child + 1 < w.events && before(&w.heap[child + 1], &w.heap[child]))
            child++;
        if (before(&last, &w.heap[child]))
            break;
        w.heap[i] = w.heap[child];
    }
    w.heap[i] = last;
    return top;
}

/* Work of the machine itself: what it serves is done later. */
static void costs(u64 machine, u64 time)
{
    if (machine <= MACHINES && w.machine[machine].serving)
        w.machine[machine].done_at += time;
}

static void send(struct event e, u64 sender)
{
    w.messages++;
    costs(sender, MESSAGE);
    e.from = sender;
    push(e, LATENCY);
}

static void carry_out(u64 at, struct event e, struct balance_action a)
{
    switch (a.deed) {
    case BALANCE_PLACE:
        e.kind = ENTER;
        e.to = a.machine;
        e.from = at;
        if (a.machine != at) {
            w.messages += 2; /* made there: question and answer */
            w.moves++;
            costs(at, TRANSFER);
        }
        push(e, a.machine == at ? 0 : LATENCY);
        break;
    case BALANCE_ASK:
    case BALANCE_TELL:
        e.kind = a.machine ? QUESTION : TO_LOADS;
        e.to = a.machine;
        e.message = a.message;
        e.value = a.value;
        send(e, at);
        break;
    default: break;
    }
}

static void changed(u64 at)
{
    struct machine *m = &w.machine[at];

    carry_out(at, (struct event){.process = ~(u64)0}, balance_loaded(&m->b, m->count));
    if (!m->count && !m->asleep && m->b.policy.initiative & BALANCE_PULL) {
        m->asleep = true;
        push((struct event){.kind = IDLE, .to = at}, 0);
    }
}

static void serve(u64 at)
{
    struct machine *m = &w.machine[at];

    m->serving = m->count > 0;
    if (!m->serving)
        return;
    m->done_at = w.now + w.need[m->queue[m->first % QUEUE]];
    push((struct event){.kind = DONE, .to = at}, m->done_at - w.now);
}

static void enter(const struct event *e)
{
    struct machine *m = &w.machine[e->to];

    CHECK(m->count < QUEUE);
    m->queue[(m->first + m->count++) % QUEUE] = e->process;
    if (e->from != e->to) {
        balance_received(&m->b);
        costs(e->to, TRANSFER);
    }
    if (!m->serving)
        serve(e->to);
    changed(e->to);
}

static void done(const struct event *e)
{
    struct machine *m = &w.machine[e->to];
    u64 process;

    if (m->done_at > w.now) { /* messages came between */
        push((struct event){.kind = DONE, .to = e->to}, m->done_at - w.now);
        return;
    }
    process = m->queue[m->first++ % QUEUE];
    m->count--;
    w.finished++;
    w.waited += w.now - w.born[process];
    w.ends = w.now;
    w.born[process] = ~(u64)0; /* ends once */
    serve(e->to);
    changed(e->to);
}

/* A process that waits goes to another machine. */
static bool give(u64 at, u64 to)
{
    struct machine *m = &w.machine[at];
    struct event e = {.kind = ENTER, .to = to, .from = at};

    if (m->count < 2)
        return false;
    e.process = m->queue[(m->first + --m->count) % QUEUE];
    w.moves++;
    w.messages += 2;
    costs(at, TRANSFER);
    push(e, LATENCY);
    changed(at);
    return true;
}

static void question(struct event e)
{
    struct balance_action also;
    u64 at = e.to;

    costs(at, MESSAGE);
    e.value = balance_question(&w.machine[at].b, (u32)e.message, e.from, e.value, &also);
    if (also.deed == BALANCE_GIVE && !give(at, also.machine))
        e.value = 0;
    e.kind = e.message == BALANCE_WANT ? PULLED : ANSWER;
    e.to = e.from;
    send(e, at);
}

/* The managers of loads run beside the machines: their messages count, their time does not. */
static void to_loads(struct event e)
{
    u32 group = w.tree ? (u32)(e.from % GROUPS) : 0;
    struct loads *l = &w.loads[group], *top = &w.loads[GROUPS];
    u64 load = e.value;

    if (e.message == BALANCE_REPORT)
        loads_report(l, e.from, e.from, load);
    else if (e.message == BALANCE_IDLEST)
        e.value = loads_take(l, e.from, load);
    else
        e.value = loads_give(l, e.from, load);
    if (w.tree && e.message == BALANCE_IDLEST && !e.value) {
        w.messages += 2;
        e.value = loads_take(top, e.from, load);
    }
    if (w.tree && loads_changed(l)) {
        w.messages++;
        loads_report(top, TOP + group, loads_idlest(l)->machine, loads_idlest(l)->load);
    }
    if (e.message == BALANCE_REPORT)
        return;
    e.pull = e.message == BALANCE_BUSIEST;
    e.kind = FROM_LOADS;
    e.to = e.from;
    send(e, TOP);
}

static void idle(struct event e)
{
    struct machine *m = &w.machine[e.to];

    m->asleep = false;
    if (m->count)
        return;
    carry_out(e.to, e, balance_idle(&m->b, &e.job));
    if (w.finished < w.total) {
        m->asleep = true;
        push((struct event){.kind = IDLE, .to = e.to},
             (u64)IDLE_AGAIN * balance_patience(&m->b));
    }
}

static void happen(struct event e)
{
    struct balancer *b = &w.machine[e.to % (MACHINES + 1)].b;
    u64 at = e.to;

    if (e.kind == ARRIVE)
        carry_out(at, e, balance_arrival(b, &e.job));
    else if (e.kind == DONE)
        done(&e);
    else if (e.kind == ENTER)
        enter(&e);
    else if (e.kind == QUESTION)
        question(e);
    else if (e.kind == IDLE)
        idle(e);
    else if (e.kind == TO_LOADS)
        to_loads(e);
    else { /* an answer */
        costs(at, MESSAGE);
        if (e.kind == PULLED || e.pull)
            carry_out(at, e, balance_pulled(b, &e.job, e.value, false));
        else
            carry_out(at, e, balance_answered(b, &e.job, e.value, false));
    }
}

/* Exponentially distributed with mean 1: the logarithm of a number below 1. */
static double exponential(u64 seed, u64 object, u64 number)
{
    double x = (double)((keyed_random(seed, object, number) >> 11) + 1) / 9007199254740992.0;
    double sum = 0, y, power;

    while (x < 0.5) {
        sum += 0.69314718055994531;
        x *= 2;
    }
    y = (1 - x) / (1 + x); /* -log x = 2 (y + y^3/3 + y^5/5 ...), y below 1/3 */
    power = y;
    for (u32 i = 1; i < 24; i += 2) {
        sum += 2 * power / i;
        power *= y * y;
    }
    return sum;
}

struct outcome {
    double response, messages; /* per process */
    u64 ends;                  /* when the last one did */
};

/* `total` processes; `rate`: of all processors, in percent, that they need; 0: all at once on
 * machine 1. */
static struct outcome play(const struct balance_policy *policy, bool tree, u64 total, u32 rate,
                           u64 seed)
{
    u64 peers[MACHINES];
    double at = 0;
    struct outcome o;

    memset(&w, 0, sizeof w);
    w.tree = tree;
    w.total = total;
    w.born = calloc(total, sizeof(u64));
    w.need = calloc(total, sizeof(u64));
    for (u64 i = 1; i <= MACHINES; i++)
        peers[i - 1] = i;
    for (u64 i = 1; i <= MACHINES; i++) {
        balance_init(&w.machine[i].b, policy, i, seed);
        balance_peers(&w.machine[i].b, peers, MACHINES);
        loads_report(&w.loads[tree ? i % GROUPS : 0], i, i, 0);
    }
    for (u32 g = 0; tree && g < GROUPS; g++)
        loads_report(&w.loads[GROUPS], TOP + g, loads_idlest(&w.loads[g])->machine, 0);
    for (u64 i = 0; i < total; i++) {
        w.need[i] = 1 + (u64)(exponential(seed, 2, i) * NEED);
        at += rate ? exponential(seed, 1, i) * NEED * 100 / (rate * MACHINES) : 20;
        w.born[i] = (u64)at;
        push((struct event){.kind = ARRIVE,
                            .to = rate ? 1 + keyed_below(seed, 3, i, MACHINES) : 1,
                            .process = i},
             (u64)at);
    }
    while (w.events && w.finished < total) {
        struct event e = pop();

        w.now = e.at;
        happen(e);
    }
    CHECK_EQ(w.finished, total);
    o = (struct outcome){(double)w.waited / (double)total / NEED,
                         (double)w.messages / (double)total, w.ends};
    free(w.born);
    free(w.need);
    return o;
}

static const struct balance_policy alone = {BALANCE_STAY, BALANCE_PEERS, BALANCE_PUSH, 0, 3};
static const struct balance_policy push_peers = {BALANCE_STATIC, BALANCE_PEERS, BALANCE_PUSH, 1,
                                                 3};
static const struct balance_policy pull_peers = {BALANCE_STAY, BALANCE_PEERS, BALANCE_PULL, 0,
                                                 3};
static const struct balance_policy adaptive = {BALANCE_ADAPTIVE, BALANCE_PEERS, BALANCE_PUSH, 0,
                                               3};
static const struct balance_policy central = {BALANCE_STATIC, BALANCE_LOADS, BALANCE_PUSH, 1,
                                              0};

static void say(const char *who, u32 rate, struct outcome o)
{
    printf("%-10s at %2u %%: response %6.2f, messages %5.2f a process\n", who, rate, o.response,
           o.messages);
}

/* L14, L17: pushing wins while most are idle, pulling when most are busy.
 * Then questions of the busy to the busy take more time than what they find saves. */
static void test_push_and_pull(void)
{
    static const u32 rates[] = {30, 50, 70, 80, 90, 95, 98};
    struct outcome push[ARRAY_SIZE(rates)], pull[ARRAY_SIZE(rates)];

    for (u32 i = 0; i < ARRAY_SIZE(rates); i++) {
        struct outcome stay = play(&alone, false, 20000, rates[i], 7);

        push[i] = play(&push_peers, false, 20000, rates[i], 7);
        pull[i] = play(&pull_peers, false, 20000, rates[i], 7);
        say("stay", rates[i], stay);
        say("push", rates[i], push[i]);
        say("pull", rates[i], pull[i]);
        CHECK(pull[i].response < stay.response);
        CHECK(rates[i] > 80 || push[i].response < stay.response);
    }
    CHECK(push[1].response < pull[1].response);
    CHECK(pull[6].response < push[6].response);
}

/* L15: a fixed limit is as good as the one for whom it was chosen. Many processes on one
 * machine: above the limit everybody is the same to it, and most stay where they began. */
static void test_static_and_adaptive(void)
{
    struct outcome fixed = play(&push_peers, false, 400, 0, 3);
    struct outcome follows = play(&adaptive, false, 400, 0, 3);

    printf("400 at once on one of %u: fixed limit ends at %.1f, adaptive at %.1f\n", MACHINES,
           (double)fixed.ends / NEED, (double)follows.ends / NEED);
    CHECK(2 * follows.ends < fixed.ends);
}

/* L16: what each way of knowing costs, and gives: peers are cheap while most are idle, who is
 * told everything finds better places when few are; groups cost more, and no one hears all. */
static void test_who_knows(void)
{
    static const u32 rates[] = {20, 80};
    struct outcome peers[2], one[2], groups[2];

    for (u32 i = 0; i < 2; i++) {
        peers[i] = play(&push_peers, false, 20000, rates[i], 5);
        one[i] = play(&central, false, 20000, rates[i], 5);
        groups[i] = play(&central, true, 20000, rates[i], 5);
        say("peers", rates[i], peers[i]);
        say("central", rates[i], one[i]);
        say("groups", rates[i], groups[i]);
        CHECK(groups[i].response < 1.25 * one[i].response);
        CHECK(groups[i].messages > one[i].messages);
    }
    CHECK(2 * peers[0].messages < one[0].messages);
    CHECK(one[1].response < peers[1].response);
}

/* A machine that is gone: the process is made here, or the next one is asked. */
static void test_silence(void)
{
    struct balance_policy policy = {BALANCE_STATIC, BALANCE_PEERS, BALANCE_PUSH, 1, 4};
    struct balance_job job;
    struct balance_action a;
    struct balancer b;

    balance_init(&b, &policy, 1, 9);
    balance_loaded(&b, 5);
    a = balance_arrival(&b, &job);
    CHECK(a.deed == BALANCE_PLACE && a.machine == 1); /* there is nobody to ask */
    balance_peers(&b, (u64[]){1, 2, 3}, 3);
    a = balance_arrival(&b, &job);
    CHECK(a.deed == BALANCE_ASK && a.message == BALANCE_PROBE);
    a = balance_answered(&b, &job, 0, true);
    CHECK(a.deed == BALANCE_ASK && a.machine != job.tried[0] && a.machine != 1);
    a = balance_answered(&b, &job, 2 * 7, false);
    CHECK(a.deed == BALANCE_PLACE && a.machine == 1);
    b.policy.location = BALANCE_LOADS;
    a = balance_arrival(&b, &job);
    CHECK(a.deed == BALANCE_ASK && a.machine == 0 && a.message == BALANCE_IDLEST);
    CHECK_EQ(balance_answered(&b, &job, 0, true).machine, 1);
    CHECK_EQ(balance_answered(&b, &job, 3, false).machine, 3);
}

/* What is promised counts: of ten that ask at once, only so many are taken. */
static void test_promises(void)
{
    struct balance_policy policy = {BALANCE_STATIC, BALANCE_PEERS, BALANCE_PUSH, 2, 3};
    struct balance_action also;
    struct balancer b;
    u64 taken = 0;

    balance_init(&b, &policy, 1, 9);
    for (u64 i = 0; i < 10; i++)
        taken += balance_question(&b, BALANCE_PROBE, 2 + i, 5, &also) & 1;
    CHECK_EQ(taken, 2);
    balance_received(&b);
    balance_loaded(&b, 1);
    CHECK_EQ(balance_question(&b, BALANCE_PROBE, 9, 5, &also) & 1, 0);
    CHECK_EQ(balance_question(&b, BALANCE_WANT, 9, 1, &also), 0);
    balance_loaded(&b, 3);
    CHECK_EQ(balance_question(&b, BALANCE_WANT, 9, 1, &also), 1);
    CHECK(also.deed == BALANCE_GIVE && also.machine == 9);
    CHECK_EQ(balance_question(&b, 77, 9, 1, &also), 0);
}

static void test_loads(void)
{
    struct loads l = {0};

    CHECK_EQ(loads_take(&l, 1, 9), 0);
    CHECK(!loads_changed(&l));
    loads_report(&l, 1, 1, 3);
    loads_report(&l, 2, 2, 1);
    CHECK(loads_changed(&l) && !loads_changed(&l));
    loads_report(&l, 1, 1, 4); /* not the idlest: nobody above cares */
    CHECK(!loads_changed(&l));
    CHECK_EQ(loads_take(&l, 1, 4), 2);
    CHECK(loads_changed(&l));
    CHECK_EQ(loads_take(&l, 2, 4), 0); /* who asks is the idlest itself */
    CHECK_EQ(loads_take(&l, 1, 2), 0);
    CHECK_EQ(loads_give(&l, 2, 2), 1);
    CHECK_EQ(loads_give(&l, 2, 2), 0);
    loads_report(&l, 2, 2, 1ull << 32); /* gone */
    CHECK_EQ(loads_idlest(&l)->machine, 1);
}

TESTS(CASE(test_push_and_pull), CASE(test_static_and_adaptive), CASE(test_who_knows),
      CASE(test_silence), CASE(test_promises), CASE(test_loads))

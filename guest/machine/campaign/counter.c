/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `counter-server` and `counter-client [TIMES [PAUSE]]`, as guest/programs has them. The server's
 * counters are in its memory, and so go where it goes.
 */
#include <stdio.h>
#include "base/bytes.h"
#include "guest/kernel/control.h"
#include "guest/lib/switchboard.h"
#include "guest/machine/campaign/script.h"
#include "guest/programs/counter.h"

enum { CHANNEL = 1, COUNTERS = 32 };

struct counter {
    u64 open, value;
};

static struct counter counter(struct sim_process *p, u64 code)
{
    struct counter c = {0};

    sim_peek(p, SCRIPT_OWN + code * sizeof(c), &c, sizeof(c));
    return c;
}

static void set(struct sim_process *p, u64 code, struct counter c)
{
    sim_poke(p, SCRIPT_OWN + code * sizeof(c), &c, sizeof(c));
}

enum { SERVE, SERVED, OPENED };
enum { REPLY = SCRIPT_SELF };

static struct sim_call answer(struct sim_process *p, s64 result, u64 value, s64 link)
{
    struct script_message m = {.words = {(u64)result, value}, .count = 2, .link = link};

    return script_reply(p, (s64)p->self[REPLY], &m, SERVE);
}

static struct sim_call open_counter(struct sim_process *p)
{
    for (u64 code = 1; code <= COUNTERS; code++) {
        if (counter(p, code).open)
            continue;
        set(p, code, (struct counter){1, 0});
        return script_make_link(p, DEMOS_REQUEST_LINK, DEMOS_GIVE | DEMOS_TELLDEST, CHANNEL,
                                code, OPENED);
    }
    return answer(p, DEMOS_E_REFUSED, 0, 0);
}

static struct sim_call serve(struct sim_process *p)
{
    struct script_came came = script_came(p);
    struct demos_info info = came.info;
    u64 op = script_word(&came, 0), code = info.code;
    struct counter c = counter(p, code <= COUNTERS ? code : 0);

    p->self[REPLY] = (u64)info.reply;
    if (info.kind == DEMOS_MSG_NOTICE && code && code <= COUNTERS)
        set(p, code, (struct counter){0, 0});
    if (info.kind != DEMOS_MSG_REQUEST)
        return script_receive(p, DEMOS_CHANNEL(CHANNEL), DEMOS_FOREVER, SERVED);
    if (op == COUNTER_OPEN && !code)
        return open_counter(p);
    if (!code || code > COUNTERS || (op != COUNTER_UP && op != COUNTER_GET))
        return answer(p, DEMOS_E_CALL, 0, 0);
    c.value += op == COUNTER_UP ? script_word(&came, 1) : 0;
    set(p, code, c);
    return answer(p, 0, c.value, 0);
}

struct sim_call script_counter_server(struct sim_process *p, s64 result)
{
    switch (p->self[STEP]) {
    case SERVED: return result < 0 ? script_exit(1) : serve(p);
    case OPENED: return answer(p, result < 0 ? result : 0, 0, result);
    default: return script_receive(p, DEMOS_CHANNEL(CHANNEL), DEMOS_FOREVER, SERVED);
    }
}

enum {
    FIND,
    OPEN_FIRST = FIND + SCRIPT_ASKING,
    OPEN_SECOND,
    OPEN_BOTH,
    UP_FIRST,
    UP_SECOND,
    REST,
    SAID,
};
enum { FIRST = SCRIPT_SELF, SECOND, TURN, A, B, TIMES, PAUSE };

static struct sim_call open(struct sim_process *p, u64 next)
{
    struct script_message m = {.words = {COUNTER_OPEN}, .count = 1};

    return script_call(p, (s64)p->self[FOUND], &m, next);
}

static struct sim_call up(struct sim_process *p, u32 which, u64 by, u64 next)
{
    struct script_message m = {.words = {COUNTER_UP, by}, .count = 2};

    return script_call(p, (s64)p->self[which], &m, next);
}

static struct sim_call die(struct sim_process *p, const char *why)
{
    p->self[TURN] = ~(u64)0; /* the status */
    return script_print(p, why, SAID);
}

/* A counter has answered: what it shows. */
static u64 shown(const struct script_came *c, s64 result)
{
    return result < 16 || script_word(c, 0) ? ~(u64)0 : script_word(c, 1);
}

static struct sim_call counted(struct sim_process *p)
{
    u64 times = p->self[TIMES], pause = p->self[PAUSE], i = p->self[TURN];
    char line[128];

    if (p->self[A] != i || p->self[B] != i * (i + 1) / 2) {
        snprintf(line, sizeof(line), "counter: step %llu gave %llu and %llu",
                 (unsigned long long)i, (unsigned long long)p->self[A],
                 (unsigned long long)p->self[B]);
        return die(p, line);
    }
    if (i && pause && p->self[STEP] != REST)
        return script_receive(p, 0, pause * 1000000, REST);
    if (i == times) {
        snprintf(line, sizeof(line), "counter: first %llu, second %llu",
                 (unsigned long long)p->self[A], (unsigned long long)p->self[B]);
        return script_print(p, line, SAID);
    }
    p->self[TURN]++;
    return up(p, FIRST, 1, UP_FIRST);
}

/* The name of the service comes last among the arguments, behind an @: `with` has put it there. */
static struct sim_call find(struct sim_process *p, s64 result)
{
    char name[64];
    u32 last = 0;

    while (script_argument(p, last + 1, name, sizeof(name)))
        last++;
    script_argument(p, last, name, sizeof(name));
    return script_ask_board(p, result, FIND, SWITCHBOARD_FIND, name + 1, 0);
}

struct sim_call script_counter_client(struct sim_process *p, s64 result)
{
    struct script_came c = script_came(p);
    struct demos_info info = c.info;

    switch (p->self[STEP]) {
    case OPEN_FIRST:
        if (result < 0 || !info.count)
            return die(p, "with: nothing was found");
        p->self[TIMES] = script_number(p, 1, 10);
        p->self[PAUSE] = script_number(p, 2, 0);
        p->self[FOUND] = (u64)info.links[0];
        return open(p, OPEN_SECOND);
    case OPEN_SECOND:
        p->self[FIRST] = (u64)info.links[0];
        return result < 0 || !info.count ? die(p, "counter-client: cannot open a counter")
                                         : open(p, OPEN_BOTH);
    case OPEN_BOTH:
        p->self[SECOND] = (u64)info.links[0];
        return result < 0 || !info.count ? die(p, "counter-client: cannot open a counter")
                                         : counted(p);
    case UP_FIRST:
        p->self[A] = shown(&c, result);
        return p->self[A] == ~(u64)0 ? die(p, "counter-client: cannot count")
                                     : up(p, SECOND, p->self[TURN], UP_SECOND);
    case UP_SECOND:
        p->self[B] = shown(&c, result);
        return p->self[B] == ~(u64)0 ? die(p, "counter-client: cannot count") : counted(p);
    case REST: return counted(p);
    case SAID: return script_exit(p->self[TURN] == ~(u64)0);
    default: return find(p, result);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs for clusters of simulated nodes: senders, receivers, echoes, callers, movers,
 * and one that makes a control request. What they remember is in self[], which moves with them.
 */
#ifndef TESTS_KERNEL_PROGRAMS_H
#define TESTS_KERNEL_PROGRAMS_H

#include "base/bytes.h"
#include "guest/machine/sim/sim.h"
#include "tests/check.h"

enum { SENDER = 1, RECEIVER, ECHO, CALLER, MOVER, IDLER, CONTROLLER };

/* Programs. self[0]: where it is; self[1]: a link; the rest as each says. */

/* Sends self[2] numbered messages over its link, then exits with how many went. */
static struct sim_call sender(struct sim_process *p, s64 result)
{
    u64 number;

    if (p->fresh)
        p->self[0] = 0;
    else if (result < 0)
        return sim_call(DEMOS_EXIT, 1000 + (u64)-result, 0, 0, 0, 0, 0);
    if (p->self[0] == p->self[2])
        return sim_call(DEMOS_EXIT, 0, 0, 0, 0, 0, 0);
    number = p->self[0]++;
    sim_poke(p, SIM_DATA, &number, sizeof(number));
    return sim_call(DEMOS_SEND, p->self[1], SIM_DATA, sizeof(number) + number % 200, 0,
                    DEMOS_FOREVER, 0);
}

/* Receives for ever; self[2] counts, self[3] counts what was out of order per code. */
static struct sim_call receiver(struct sim_process *p, s64 result)
{
    struct demos_info info;
    u64 number;

    if (!p->fresh && result >= 8) {
        sim_peek(p, SIM_DATA, &number, sizeof(number));
        sim_peek(p, SIM_DATA + 2048, &info, sizeof(info));
        if (number != p->self[8 + info.code % 8]++ || info.length != 8 + number % 200)
            p->self[3]++;
        p->self[2]++;
    }
    return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA, 1024, SIM_DATA + 2048,
                    DEMOS_FOREVER, 0);
}

/* Answers every request with its own bytes: by REPLY and RECEIVE, by ANSWER, in turn. */
static struct sim_call echo(struct sim_process *p, s64 result)
{
    struct demos_info info;

    if (!p->fresh && p->self[0] == 0 && result >= 0) {
        sim_peek(p, SIM_DATA + 2048, &info, sizeof(info));
        if (++p->self[2] % 2)
            return sim_call(DEMOS_ANSWER, (u64)info.reply, SIM_DATA,
                            demos_lens((u64)result, 2048), SIM_DATA, SIM_DATA + 2048,
                            DEMOS_ANY_CHANNEL);
        p->self[0] = 1;
        return sim_call(DEMOS_REPLY, (u64)info.reply, SIM_DATA, (u64)result, 0, DEMOS_FOREVER,
                        0);
    }
    p->self[0] = 0;
    return sim_call(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA, 2048, SIM_DATA + 2048,
                    DEMOS_FOREVER, 0);
}

/* CALLs self[2] times, checks the echo, then waits; self[3]: good ones, self[4]: last error. */
static struct sim_call caller(struct sim_process *p, s64 result)
{
    u64 number = p->self[0], back = 0;

    if (!p->fresh) {
        sim_peek(p, SIM_DATA + 512, &back, sizeof(back));
        if (result == 8 && back == number)
            p->self[3]++;
        else if (result != DEMOS_E_TIMEOUT) /* that is how a test wakes it */
            p->self[4] = (u64)result;
    }
    if (number == p->self[2])
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
    number = ++p->self[0];
    sim_poke(p, SIM_DATA, &number, sizeof(number));
    return sim_call(DEMOS_CALL, p->self[1], SIM_DATA, demos_lens(8, 64), SIM_DATA + 512, 0,
                    DEMOS_FOREVER);
}

/* One MOVEDATA: link self[1], direction self[2], offset self[3], length self[4]; the
 * result in self[5]. */
static struct sim_call mover(struct sim_process *p, s64 result)
{
    if (p->fresh)
        return sim_call(DEMOS_MOVEDATA, p->self[1], p->self[2], p->self[3], SIM_DATA,
                        p->self[4], 0);
    if (p->self[0]++ == 0)
        p->self[5] = (u64)result;
    return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
}

static struct sim_call idler(struct sim_process *p, s64 result)
{
    (void)p;
    (void)result;
    return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
}

/* One control request: link self[1], words self[8..]; the answer's first word in self[5]. */
static struct sim_call controller(struct sim_process *p, s64 result)
{
    u8 words[32];

    if (p->fresh) {
        for (u32 i = 0; i < 4; i++)
            be64_put(words + 8 * i, p->self[8 + i]);
        sim_poke(p, SIM_DATA, words, sizeof(words));
        return sim_call(DEMOS_CALL, p->self[1], SIM_DATA, demos_lens(32, 256), SIM_DATA + 512,
                        SIM_DATA + 1024, DEMOS_FOREVER);
    }
    if (p->self[0]++ == 0) {
        sim_peek(p, SIM_DATA + 512, words, 8);
        p->self[4] = (u64)result;
        p->self[5] = be64_get(words);
    }
    return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
}

static inline struct sim *cluster(u32 nodes, const struct demos_limits *limits)
{
    struct sim *s = sim_create_limits(nodes, 4 << 20, 0, true, limits);

    s->programs[SENDER] = sender;
    s->programs[RECEIVER] = receiver;
    s->programs[ECHO] = echo;
    s->programs[CALLER] = caller;
    s->programs[MOVER] = mover;
    s->programs[IDLER] = idler;
    s->programs[CONTROLLER] = controller;
    return s;
}

#endif

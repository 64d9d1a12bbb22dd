/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that makes the kernel calls a test tells it to, one at a time, and waits in
 * between: kernel calls as if they were functions of the test.
 */
#ifndef TESTS_KERNEL_PUPPET_H
#define TESTS_KERNEL_PUPPET_H

#include "base/bytes.h"
#include "guest/kernel/core.h"
#include "guest/machine/sim/sim.h"
#include "tests/check.h"

enum { PUPPET = 1 };
#define TEXT   (SIM_DATA)        /* where bodies to send lie */
#define BUFFER (SIM_DATA + 4096) /* where received ones go */
#define INFO   (SIM_DATA + 8192)

static struct sim_call puppet_next;
static struct sim_process *puppet_of;
static s64 puppet_result;
static bool puppet_done;

static struct sim_call puppet(struct sim_process *p, s64 result)
{
    struct sim_call rest = sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);

    if (p->self[0] == 1) { /* the call it was told to make is over */
        p->self[0] = 0;
        p->self[1] = (u64)result;
        if (puppet_of == p) {
            puppet_result = result;
            puppet_done = true;
        }
        return rest;
    }
    if (puppet_of != p || puppet_done || puppet_next.number == ~0u)
        return rest;
    p->self[0] = 1;
    rest = puppet_next;
    puppet_next.number = ~0u;
    return rest;
}

/* Starts a call; it may wait. */
static inline void begin_call(struct sim_process *p, u32 number, u64 a, u64 b, u64 c, u64 d,
                              u64 e, u64 f)
{
    puppet_next = sim_call(number, a, b, c, d, e, f);
    puppet_of = p;
    puppet_done = false;
    thread_wake_error(p->node->node, p->thread, DEMOS_E_TIMEOUT);
    sim_run(p->node->sim, 20000);
    puppet_of = NULL;
}

#define STILL_WAITS (-9999)

static inline s64 kcall(struct sim_process *p, u32 number, u64 a, u64 b, u64 c, u64 d, u64 e,
                        u64 f)
{
    begin_call(p, number, a, b, c, d, e, f);
    return puppet_done ? puppet_result : STILL_WAITS;
}

static inline struct sim *puppets(u32 nodes, u32 flags, const struct demos_limits *limits)
{
    struct sim *s = sim_create_limits(nodes, 16 << 20, flags, nodes > 1, limits);

    s->programs[PUPPET] = puppet;
    return s;
}

static inline struct sim_process *puppet_on(struct sim *s, u32 node)
{
    struct sim_process *p = sim_spawn(&s->nodes[node], PUPPET, 16);

    sim_run(s, 1000);
    return p;
}

/* A control or kernel request: words, then an answer's words. Result of the CALL. */
static inline s64 request(struct sim_process *p, s64 link, const u64 *words, u32 count,
                          s64 pass, u64 *answer, u32 room, s64 *got)
{
    struct demos_info info = {.count = pass ? 1 : 0, .links = {pass}};
    u8 bytes[512];
    s64 len;

    for (u32 i = 0; i < count; i++)
        be64_put(bytes + 8 * i, words[i]);
    sim_poke(p, TEXT, bytes, 8 * count);
    sim_poke(p, INFO, &info, sizeof(info));
    len = kcall(p, DEMOS_CALL, (u64)link, TEXT, demos_lens(8 * count, 4096), BUFFER, INFO,
                DEMOS_FOREVER);
    sim_peek(p, INFO, &info, sizeof(info));
    for (u32 i = 0; len >= 0 && i < room && 8 * i < (u64)len; i++) {
        sim_peek(p, BUFFER + 8 * i, bytes, 8);
        answer[i] = be64_get(bytes);
    }
    if (got)
        *got = len >= 0 && info.count ? info.links[0] : 0;
    return len;
}

/* The first word of the answer: what a request without more to say comes to. */
static inline s64 order(struct sim_process *p, s64 link, u64 op, u64 a, u64 b, u64 c, u64 d,
                        s64 pass)
{
    u64 words[5] = {op, a, b, c, d}, answer[1] = {0};
    s64 len = request(p, link, words, 5, pass, answer, 1, NULL);

    return len < 0 ? len : (s64)answer[0];
}

/* The two links every simulated process is born with. */
enum { LINK_KERNEL = 1 << 24 | 1, LINK_SELF = 1 << 24 | 2 };

/* A child of `p`; its control link. */
static inline s64 create(struct sim_process *p, u64 flags, s64 watch)
{
    u64 words[8] = {KERNEL_OP_CREATE, flags, 0, 0, 0, 0x6368696c64000000ull};
    u64 answer[1] = {1};
    s64 control = 0;

    CHECK(request(p, LINK_KERNEL, words, 8, watch, answer, 1, &control) == 8);
    CHECK_EQ(answer[0], 0);
    CHECK(control > 0);
    return control;
}

static inline s64 own_link(struct sim_process *p, u32 kind, u32 attr, u32 channel, u64 code)
{
    return kcall(p, DEMOS_CREATELINK, demos_spec(kind, attr, channel), code, 0, 0, 0, 0);
}

#endif

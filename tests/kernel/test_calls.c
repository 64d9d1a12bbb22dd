/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls one by one, in the simulator. DL01 one-way, DL02 forged and stale numbers,
 * DL03, DL07 one-use reply links, DL08 entries 3 against 1, DL26, DL27 passing, DL25.
 */
#include "guest/machine/sim/sim.h"
#include "tests/check.h"

/* A process that does what the test put into its queue of calls, and keeps the results. */
struct script {
    struct sim_call calls[32];
    s64 results[32];
    u32 count, next;
};

static struct sim_call scripted(struct sim_process *p, s64 result)
{
    struct script *s = p->data;

    if (!s)
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
    if (s->next)
        s->results[s->next - 1] = result;
    if (s->next == s->count) /* nothing to do: wait for nothing, for ever */
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
    return s->calls[s->next++];
}

static struct sim *one_node(u32 flags)
{
    struct sim *s = sim_create(1, 4 << 20, flags, false);

    s->programs[1] = scripted;
    return s;
}

static struct sim_process *spawn(struct sim *s, u32 node, struct script *script)
{
    struct sim_process *p = sim_spawn(&s->nodes[node], 1, 4);

    p->data = script;
    return p;
}

static void say(struct script *s, u32 call, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    s->calls[s->count++] = sim_call(call, a, b, c, d, e, f);
}

static void test_send_to_self(void)
{
    struct sim *s = one_node(0);
    struct script script = {0};
    struct sim_process *p = spawn(s, 0, &script);
    struct demos_info info;
    char text[16] = {0};
    s64 link = sim_link(p, p, DEMOS_GENERAL, 0, 5, 0x1234);

    sim_poke(p, SIM_DATA, "hello", 6);
    say(&script, DEMOS_NULL, 0, 0, 0, 0, 0, 0);
    say(&script, DEMOS_SEND, (u64)link, SIM_DATA, 6, 0, DEMOS_NOW, 0);
    say(&script, DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA + 100, 100, SIM_DATA + 512, 0, 0);
    say(&script, DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, SIM_DATA + 100, 100, 0, DEMOS_NOW, 0);
    say(&script, 99, 0, 0, 0, 0, 0, 0);
    CHECK(sim_run(s, 1000));
    CHECK_EQ(script.results[0], 0);
    CHECK_EQ(script.results[1], 0);
    CHECK_EQ(script.results[2], 6);
    CHECK_EQ(script.results[3], DEMOS_E_TIMEOUT);
    CHECK_EQ(script.results[4], DEMOS_E_CALL);
    CHECK(sim_peek(p, SIM_DATA + 100, text, 6) && strcmp(text, "hello") == 0);
    CHECK(sim_peek(p, SIM_DATA + 512, &info, sizeof(info)));
    CHECK_EQ(info.code, 0x1234);
    CHECK_EQ(info.channel, 5);
    CHECK_EQ(info.kind, DEMOS_MSG_GENERAL);
    CHECK_EQ(info.length, 6);
    CHECK_EQ(info.reply, 0);
    sim_destroy(s);
}

TESTS(CASE(test_send_to_self))

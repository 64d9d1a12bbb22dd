/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CALL, REQUEST, REPLY and ANSWER (rows DL07, DL08): answers, links both ways, reply links that
 * are used once, servers that forget and servers that die.
 */
#include "guest/programs/conformance/conformance.h"

static u8 out[DEMOS_BODY_MAX], in[DEMOS_BODY_MAX];

static bool all_come_back(s64 echo)
{
    bool all = true;

    for (u32 len = 0; len <= 5000; len += 500) {
        for (u32 i = 0; i < len; i++)
            out[i] = (u8)(i + len);
        all &= demos_call(echo, out, len, in, sizeof in) == len && memcmp(in, out, len) == 0;
    }
    return all;
}

static void check_echo(s64 echo)
{
    struct demos_info info = {0};
    s64 mine;

    expect_true("CALL brings back what it took", all_come_back(echo));
    expect("an answer longer than its buffer is cut", demos_call(echo, out, 100, in, 10), 10);
    mine = demos_link_make(DEMOS_GENERAL, DEMOS_GIVE, CHANNEL_B, 5);
    info.count = 1;
    info.links[0] = mine;
    expect("CALL with a link", demos_call_info(echo, out, 1, in, 1, &info), 1);
    expect("which comes back", info.count, 1);
    expect("as a link to me", demos_send(info.links[0], "x", 1), 0);
    expect("by its code",
           demos_receive(DEMOS_CHANNEL(CHANNEL_B), in, 1, &info) == 1 ? (s64)info.code : -1, 5);
}

static void check_request(s64 echo)
{
    struct demos_info info = {0};

    expect("REQUEST does not wait", demos_request(echo, "abc", 3, 64, CHANNEL_B, 42), 0);
    expect("its answer comes", demos_receive(DEMOS_CHANNEL(CHANNEL_B), in, sizeof in, &info),
           3);
    expect_true("as a reply with my code", info.kind == DEMOS_MSG_REPLY && info.code == 42);
    for (u32 i = 0; i < 5; i++)
        demos_request(echo, &i, sizeof i, 64, CHANNEL_B, i);
    for (u32 i = 0; i < 5; i++) {
        demos_receive(DEMOS_CHANNEL(CHANNEL_B), in, sizeof in, &info);
        if (info.code != i)
            expect("answers in order", (s64)info.code, i);
    }
    expect_true("five at a time", true);
}

static void check_answer(void)
{
    s64 server, control = start_role("turn", NULL, &server), mine;
    struct demos_info info = {0};

    expect_true("ANSWER after ANSWER", all_come_back(server));
    for (u32 i = 0; i < 5; i++)
        demos_request(server, &i, sizeof i, 64, CHANNEL_B, i);
    for (u32 i = 0; i < 5; i++) {
        demos_receive(DEMOS_CHANNEL(CHANNEL_B), in, sizeof in, &info);
        if (info.code != i)
            expect("answers in order", (s64)info.code, i);
    }
    expect_true("also to those that wait in its queue", all_come_back(server));
    process_kill(control);
    await_end();
    demos_link_drop(control);
    demos_link_drop(server);
    mine = demos_link_make(DEMOS_GENERAL, 0, CHANNEL_B, 6);
    demos_send(mine, "kept", 4);
    expect("ANSWER without a reply link",
           demos_answer(12345, "x", 1, DEMOS_CHANNEL(CHANNEL_B), in, 4, NULL), DEMOS_E_LINK);
    expect("ANSWER over another kind of link",
           demos_answer(mine, "x", 1, DEMOS_CHANNEL(CHANNEL_B), in, 4, NULL), DEMOS_E_KIND);
    expect("which receives nothing", demos_receive(DEMOS_CHANNEL(CHANNEL_B), in, 4, NULL), 4);
    demos_link_drop(mine);
}

static void check_careless(void)
{
    u8 word[8];
    s64 server, control = start_role("careless", NULL, &server), result;

    be64_put(word, 0);
    expect("a reply link thrown away", demos_call(server, word, 8, in, 8), DEMOS_E_DROPPED);
    be64_put(word, 2);
    expect("a reply link used", demos_call(server, word, 8, in, 8), 8);
    be64_put(word, 3);
    demos_call(server, word, 8, in, 8);
    expect("cannot be used again", (s64)be64_get(in), DEMOS_E_LINK);
    be64_put(word, 1);
    result = demos_call(server, word, 8, in, 8);
    expect_true("a server that dies with the reply link answers by it",
                result == DEMOS_E_DROPPED || result == DEMOS_E_DEAD);
    expect("and tells its status", await_end().status, 11);
    expect("a call to the dead", demos_call(server, word, 8, in, 8), DEMOS_E_DEAD);
    demos_link_drop(control);
    demos_link_drop(server);
}

/* One kernel entry for a CALL, three for its parts. */
static void check_entries(s64 echo)
{
    struct demos_counters before, after;
    struct demos_listing l;
    s64 self = demos_link("self");

    if (self < 0)
        return;
    process_info(self, &l, &before);
    demos_call(echo, out, 0, in, 0);
    process_info(self, &l, &after);
    expect("a CALL enters the kernel once", (s64)(after.entries - before.entries) - 1, 1);
}

void check_calls(void)
{
    s64 echo, control;

    chapter("calls");
    control = start_role("echo", NULL, &echo);
    check_echo(echo);
    check_request(echo);
    check_entries(echo);
    process_kill(control);
    await_end();
    demos_link_drop(control);
    demos_link_drop(echo);
    check_answer();
    check_careless();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `ring of MACHINES at N|here [ROUNDS [FIRST]]`: a token goes round so many machines from FIRST (1) and
 * is counted by all but the first, which starts it.
 */
#include <stdio.h>
#include <string.h>
#include "base/bytes.h"
#include "guest/lib/switchboard.h"
#include "guest/machine/campaign/script.h"

enum { CHANNEL = 1 };
enum {
    BEGIN,
    POST,
    POSTED = POST + SCRIPT_ASKING,
    FIND,
    FOUND_NEXT = FIND + SCRIPT_ASKING,
    SENT,
    GOT,
    SAID
};
enum { OWN = SCRIPT_SELF, HERE, TURN, HOPS };

static struct sim_call about(struct sim_process *p, s64 result, u64 first, u64 op, u64 machine,
                             s64 link)
{
    char name[DEMOS_NAME_MAX];

    snprintf(name, sizeof(name), "ring-%u", (u32)machine);
    return script_ask_board(p, result, first, op, name, link);
}

static struct sim_call pass(struct sim_process *p, u64 token)
{
    struct demos_info none = {0};
    u8 body[8];

    be64_put(body, token);
    sim_poke(p, SCRIPT_TEXT, body, sizeof(body));
    sim_poke(p, SCRIPT_INFO, &none, sizeof(none));
    p->self[STEP] = SENT;
    return sim_call(DEMOS_SEND, p->self[FOUND], SCRIPT_TEXT, sizeof(body), SCRIPT_INFO,
                    DEMOS_FOREVER, 0);
}

/* The token is here again: once round to be sure that all are there, then for the count. */
static struct sim_call came(struct sim_process *p)
{
    u64 rounds = script_number(p, 5, 10), machines = script_number(p, 2, 1);
    struct script_came c = script_came(p);
    char line[96];

    if (p->self[HERE] != 1)
        return pass(p, script_word(&c, 0) + 1);
    p->self[HOPS] = script_word(&c, 0);
    if (p->self[TURN]++ < rounds)
        return pass(p, p->self[TURN] == 1 ? 0 : p->self[HOPS]);
    snprintf(line, sizeof(line), "ring: %llu machines, %llu rounds, %llu hops",
             (unsigned long long)machines, (unsigned long long)rounds,
             (unsigned long long)p->self[HOPS]);
    return script_print(p, line, SAID);
}

struct sim_call script_ring(struct sim_process *p, s64 result)
{
    struct demos_info info = script_came(p).info;
    u64 machines = script_number(p, 2, 1), step = p->self[STEP];
    char at[16];

    if (step == BEGIN) {
        p->self[HERE] = script_argument(p, 4, at, sizeof(at)) && strcmp(at, "here") == 0
                            ? p->node->index + 1
                            : script_number(p, 4, 1);
        p->self[HERE] -= script_number(p, 6, 1) - 1;
        return script_make_link(p, DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, CHANNEL, 0, POST);
    }
    if (step == POST)
        p->self[OWN] = (u64)result;
    if (step < POSTED)
        return about(p, result, POST, SWITCHBOARD_POST, p->self[HERE], (s64)p->self[OWN]);
    if (step == POSTED)
        p->self[STEP] = FIND;
    if (step < FOUND_NEXT)
        return about(p, result, FIND, SWITCHBOARD_FIND, p->self[HERE] % machines + 1, 0);
    if (result < 0)
        return script_exit(1);
    if (step == FOUND_NEXT) {
        p->self[FOUND] = (u64)info.links[0];
        if (p->self[HERE] == 1)
            return pass(p, 0);
    }
    if (step == SAID)
        return script_exit(p->self[HOPS] != (machines - 1) * script_number(p, 5, 10));
    return step == GOT ? came(p)
                       : script_receive(p, DEMOS_CHANNEL(CHANNEL), DEMOS_FOREVER, GOT);
}

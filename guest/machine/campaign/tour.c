/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `tour NAME PROGRAM MACHINES PAUSE [ROUNDS]`: announces a server as NAME and moves it round the
 * machines while others call it; then stays as long as the node does.
 */
#include <stdio.h>
#include "guest/kernel/control.h"
#include "guest/lib/switchboard.h"
#include "guest/machine/campaign/script.h"

enum { ASK, ANNOUNCED = ASK + SCRIPT_ASKING, GO, MOVED, SAID, STAY };
enum { AT = SCRIPT_SELF, TURN, MOVES };

static struct sim_call rest(struct sim_process *p)
{
    u64 machines = script_number(p, 3, 1), pause = script_number(p, 4, 1);
    char line[96];

    if (p->self[TURN] < script_number(p, 5, 1) * machines)
        return script_receive(p, 0, pause * 1000000, GO);
    snprintf(line, sizeof(line), "tour: %llu moves, %llu refused",
             (unsigned long long)p->self[MOVES],
             (unsigned long long)(p->self[TURN] - p->self[MOVES]));
    return script_print(p, line, STAY);
}

static u64 following(struct sim_process *p)
{
    return p->self[AT] % script_number(p, 3, 1) + 1;
}

static struct sim_call go(struct sim_process *p)
{
    struct script_message m = {.words = {CONTROL_MIGRATE, following(p)}, .count = 2};

    p->self[TURN]++;
    return script_call(p, script_link(p, "server"), &m, MOVED);
}

static struct sim_call moved(struct sim_process *p, s64 result)
{
    struct script_came c = script_came(p);
    char line[96], name[64] = "";

    script_argument(p, 1, name, sizeof(name));
    if (result >= 8 && (s64)script_word(&c, 0) >= 0) {
        p->self[AT] = following(p);
        p->self[MOVES]++;
        snprintf(line, sizeof(line), "tour: %s is on machine %llu", name,
                 (unsigned long long)p->self[AT]);
    } else {
        snprintf(line, sizeof(line), "tour: machine %llu: refused",
                 (unsigned long long)following(p));
    }
    return script_print(p, line, SAID);
}

struct sim_call script_tour(struct sim_process *p, s64 result)
{
    char name[64];

    switch (p->self[STEP]) {
    case ANNOUNCED:
        p->self[AT] = p->node->index + 1;
        return result < 0 ? script_exit(1) : rest(p);
    case GO: return go(p);
    case MOVED: return moved(p, result);
    case SAID: return rest(p);
    case STAY: return script_receive(p, 0, DEMOS_FOREVER, STAY);
    default:
        if (!script_argument(p, 1, name, sizeof(name)))
            return script_exit(1);
        return script_ask_board(p, result, ASK, SWITCHBOARD_ANNOUNCE, name,
                                script_link(p, name));
    }
}

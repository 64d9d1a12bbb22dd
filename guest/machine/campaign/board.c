/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `switchboard global`, and `announce NAME`: names for links, by the words of
 * guest/lib/switchboard.h. Rows are in the process's memory: names announced or posted, and those who
 * wait for one. A name that is announced again has the newer link.
 */
#include <string.h>
#include "base/bytes.h"
#include "guest/kernel/control.h"
#include "guest/lib/switchboard.h"
#include "guest/machine/campaign/script.h"

enum { CHANNEL = 1, ROWS = 2048 };
enum { BEGIN, MADE, SERVE, SERVED, SATISFY };
enum { REPLY = SCRIPT_SELF, ROW, USED }; /* rows from USED on have never been */

struct row {
    u64 kind; /* 0 or enum switchboard_row */
    s64 link; /* of a wanted one the reply link */
    char name[DEMOS_NAME_MAX];
};
_Static_assert(ROWS * sizeof(struct row) <= (SCRIPT_PAGES_BOARD - 1) * SIM_PAGE,
               "rows have room");

static struct row row(struct sim_process *p, u64 index)
{
    struct row r = {0};

    sim_peek(p, SCRIPT_OWN + index * sizeof(r), &r, sizeof(r));
    return r;
}

static void set(struct sim_process *p, u64 index, const struct row *r)
{
    sim_poke(p, SCRIPT_OWN + index * sizeof(*r), r, sizeof(*r));
}

/* The first row from `from` on of that name that is offered (or else wanted); ROWS: none. */
static u64 search(struct sim_process *p, const char *name, bool offered, u64 from)
{
    for (u64 i = from; i < p->self[USED]; i++) {
        struct row r = row(p, i);

        if (r.kind && (r.kind != SWITCHBOARD_WANTED) == offered &&
            memcmp(r.name, name, DEMOS_NAME_MAX) == 0)
            return i;
    }
    return ROWS;
}

static bool enter(struct sim_process *p, u64 kind, s64 link, const char *name)
{
    struct row r = {.kind = kind, .link = link};
    u64 at = kind == SWITCHBOARD_ANNOUNCED ? search(p, name, true, 0) : (u64)ROWS;

    memcpy(r.name, name, DEMOS_NAME_MAX);
    for (u64 i = 0; at == ROWS && i < p->self[USED]; i++)
        at = row(p, i).kind ? at : i;
    if (at == ROWS && p->self[USED] == ROWS)
        return false;
    at = at == ROWS ? p->self[USED]++ : at;
    set(p, at, &r);
    p->self[ROW] = at;
    return true;
}

static struct sim_call answer(struct sim_process *p, s64 reply, s64 result, s64 link, u64 next)
{
    struct script_message m = {.words = {(u64)result}, .count = 1, .link = link};

    return script_reply(p, reply, &m, next);
}

/* Gives an offered row to a reply link; what was posted is gone with that. */
static struct sim_call give(struct sim_process *p, u64 index, s64 reply, u64 next)
{
    struct row r = row(p, index);

    if (r.kind == SWITCHBOARD_POSTED)
        set(p, index, &(struct row){0});
    return answer(p, reply, 0, r.link, next);
}

static struct sim_call find(struct sim_process *p, const char *name, s64 reply)
{
    u64 at = search(p, name, true, 0);

    if (at < ROWS)
        return give(p, at, reply, SERVE);
    if (!enter(p, SWITCHBOARD_WANTED, reply, name))
        return answer(p, reply, DEMOS_E_MEMORY, 0, SERVE);
    return script_receive(p, DEMOS_CHANNEL(CHANNEL), DEMOS_FOREVER, SERVED);
}

static struct sim_call serve(struct sim_process *p)
{
    struct script_came came = script_came(p);
    struct demos_info info = came.info;
    u64 op = script_word(&came, 0);
    char name[DEMOS_NAME_MAX];

    for (u32 i = 0; i < DEMOS_NAME_MAX / 8; i++)
        be64_put(name + 8 * i, script_word(&came, 1 + i));
    if (info.kind != DEMOS_MSG_REQUEST)
        return script_receive(p, DEMOS_CHANNEL(CHANNEL), DEMOS_FOREVER, SERVED);
    if (op == SWITCHBOARD_FIND)
        return find(p, name, info.reply);
    if (!info.count ||
        !enter(p, op == SWITCHBOARD_POST ? SWITCHBOARD_POSTED : SWITCHBOARD_ANNOUNCED,
               info.links[0], name))
        return answer(p, info.reply, DEMOS_E_MEMORY, 0, SERVE);
    return answer(p, info.reply, 0, 0, SATISFY);
}

/* Whoever waited for the row that was entered last. */
static struct sim_call satisfy(struct sim_process *p)
{
    struct row offered = row(p, p->self[ROW]), wanted;
    u64 at = offered.kind ? search(p, offered.name, false, 0) : (u64)ROWS;

    if (at == ROWS)
        return script_receive(p, DEMOS_CHANNEL(CHANNEL), DEMOS_FOREVER, SERVED);
    wanted = row(p, at);
    set(p, at, &(struct row){0});
    return give(p, p->self[ROW], wanted.link, SATISFY);
}

static struct sim_call be_the_clusters(struct sim_process *p, s64 link)
{
    struct script_message m = {
        .words = {KERNEL_OP_REGISTER, SWITCHBOARD_CLUSTER, 0}, .count = 3, .link = link};

    return script_call(p, script_link(p, "kernel"), &m, SERVE);
}

struct sim_call script_board(struct sim_process *p, s64 result)
{
    switch (p->self[STEP]) {
    case BEGIN:
        return script_make_link(p, DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL, 0,
                                MADE);
    case MADE: return be_the_clusters(p, result);
    case SERVED: return result < 0 ? script_exit(1) : serve(p);
    case SATISFY: return satisfy(p);
    default: return script_receive(p, DEMOS_CHANNEL(CHANNEL), DEMOS_FOREVER, SERVED);
    }
}

enum { ASK, WAIT = ASK + SCRIPT_ASKING, ASLEEP };

/* `announce NAME`, with the link that it was given under that name. */
struct sim_call script_announce(struct sim_process *p, s64 result)
{
    char name[64];

    if (p->self[STEP] == ASLEEP)
        return script_exit(1);
    if (p->self[STEP] == WAIT)
        return result < 0 ? script_exit(1) : script_receive(p, 0, DEMOS_FOREVER, ASLEEP);
    if (!script_argument(p, 1, name, sizeof(name)))
        return script_exit(1);
    return script_ask_board(p, result, ASK, SWITCHBOARD_ANNOUNCE, name, script_link(p, name));
}

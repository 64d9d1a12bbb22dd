/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `ring [PROCESSES [ROUNDS]]`: processes in a ring, each holding one link to the next; a
 * token goes round and is counted by all.
 *
 * `ring of MACHINES at N [ROUNDS [FIRST]]`, one on each of so many machines from FIRST (1): the ring
 * goes round them, and the one on the first starts it. They find each other by the cluster's
 * switchboard, where each posts itself for the one before it. `at here` asks the link "kernel"
 * for the machine's number, so that all machines can have the same boot list.
 */
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"
#include "guest/programs/number.h"

enum { CHANNEL = 1, MOST = 256 };
#define POST_AGAIN_NS 5000000ull

/* Passes tokens on for ever. */
static int relay(s64 next)
{
    u8 body[8];

    while (demos_receive(DEMOS_CHANNEL(CHANNEL), body, 8, NULL) == 8) {
        be64_put(body, be64_get(body) + 1);
        demos_send(next, body, 8);
    }
    return 1;
}

/* A member: offers a link to itself, is sent the link to the next. */
static int member(void)
{
    struct demos_info info = {0};

    demos_offer(demos_link_make(DEMOS_GENERAL, DEMOS_GIVE, CHANNEL, 0));
    if (demos_receive(DEMOS_CHANNEL(CHANNEL), NULL, 0, &info) < 0 || info.count != 1)
        return 1;
    return relay(info.links[0]);
}

/* Sends the token round: how often it was counted. */
static u64 turn(s64 next, u64 rounds)
{
    u8 body[8] = {0};

    for (u64 i = 0; i < rounds; i++)
        if (demos_send(next, body, 8) < 0 ||
            demos_receive(DEMOS_CHANNEL(CHANNEL), body, 8, NULL) != 8)
            demos_die("ring: the token is lost");
    return be64_get(body);
}

/* The number of this machine: as `text` says, or from its kernel. */
static u64 this_machine(const char *text)
{
    struct words w;

    if (strcmp(text, "here") != 0)
        return number(text);
    words_start(&w, KERNEL_OP_NODE);
    if (words_call(demos_link("kernel"), &w, NULL, 0, NULL) < 0)
        demos_die("ring: the kernel does not say where we are");
    return words_get(&w);
}

/* Posts a link to this machine's member, for the one before it to take. A switchboard that is
 * full has room again as soon as others are taken. */
static void post(u64 here)
{
    s64 link = demos_link_make(DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, CHANNEL, 0), entry;
    char name[DEMOS_NAME_MAX];

    format(name, sizeof name, "ring-%llu", (unsigned long long)here);
    while ((entry = demos_post(name, link, SWITCHBOARD_GLOBAL)) == DEMOS_E_MEMORY)
        demos_sleep_ns(POST_AGAIN_NS);
    if (entry < 0)
        demos_die("ring: cannot be found by others: %s", demos_error(entry));
    demos_link_drop(link);
}

/* Member `here`, from 1, of so many machines. */
static int of_machines(u64 machines, u64 here, u64 rounds)
{
    s64 next;
    u64 hops, began;
    char name[DEMOS_NAME_MAX];

    post(here);
    format(name, sizeof name, "ring-%llu", (unsigned long long)(here % machines + 1));
    next = demos_find(name, SWITCHBOARD_GLOBAL | SWITCHBOARD_WAIT);
    if (next < 0)
        demos_die("ring: no next machine: %s", demos_error(next));
    if (here != 1)
        return relay(next);
    turn(next, 1); /* by then all others have found their next */
    began = demos_time_ns();
    hops = turn(next, rounds);
    demos_print("ring: %llu machines, %llu rounds, %llu hops, %llu ns each\n",
                (unsigned long long)machines, (unsigned long long)rounds,
                (unsigned long long)hops,
                (unsigned long long)((demos_time_ns() - began) / (machines * rounds)));
    return hops == (machines - 1) * rounds ? 0 : 1;
}

static s64 start_member(void)
{
    const char *args[] = {"member"};
    struct demos_spawn s = {
        .program = "ring", .args = args, .arg_count = 1, .flags = DEMOS_CREATE_WITH_PARENT};
    s64 link, control = demos_spawn_server(&s, &link);

    if (control < 0 || link <= 0)
        demos_die("ring: cannot start a member: %s", demos_error(control));
    return link;
}

int main(int argc, char **argv)
{
    u64 members = argc > 1 ? number(argv[1]) : 8, rounds = argc > 2 ? number(argv[2]) : 10;
    s64 next = demos_link_make(DEMOS_GENERAL, DEMOS_GIVE, CHANNEL, 0);
    u64 hops;

    if (argc > 1 && strcmp(argv[1], "member") == 0)
        return member();
    if (argc > 4 && strcmp(argv[1], "of") == 0)
        return of_machines(number(argv[2]),
                           this_machine(argv[4]) - (argc > 6 ? number(argv[6]) - 1 : 0),
                           argc > 5 ? number(argv[5]) : 10);
    members = MIN(members, (u64)MOST);
    for (u64 i = 0; i < members; i++) { /* from the last to the first */
        s64 link = start_member();

        if (demos_send_links(link, NULL, 0, &next, 1) < 0)
            demos_die("ring: cannot join");
        next = link;
    }
    hops = turn(next, rounds);
    demos_print("ring: %llu processes, %llu rounds, %llu hops\n", (unsigned long long)members,
                (unsigned long long)rounds, (unsigned long long)hops);
    return hops == members * rounds ? 0 : 1;
}

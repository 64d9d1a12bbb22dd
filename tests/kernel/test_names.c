/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of a node: what is posted on one machine is found from another and works as a link;
 * only the node's own processes post; what is posted is bounded, replaced and withdrawn.
 * The first link between two machines (DN01, DL27).
 */
#include "guest/kernel/control.h"
#include "tests/kernel/puppet.h"

static s64 names_of(struct sim_process *p)
{
    struct link l;

    node_kernel_link(p->node->node, KERNEL_NAMES, &l);
    return link_insert(p->node->node, &p->task->links, &l);
}

static s64 service(struct sim_process *p, u32 attr, u64 code)
{
    return kcall(p, DEMOS_CREATELINK, demos_spec(DEMOS_REQUEST_LINK, attr, 3), code, 0, 0, 0,
                 0);
}

static s64 other(struct sim_process *p, s64 names, u64 machine, s64 *link)
{
    u64 words[] = {NAMES_OTHER, machine}, answer[1] = {1};

    CHECK_EQ(request(p, names, words, 2, 0, answer, 1, link), 8);
    return (s64)answer[0];
}

static s64 find(struct sim_process *p, s64 names, u64 name, s64 *link)
{
    u64 words[] = {NAMES_FIND, name, 0, 0}, answer[1] = {1};

    CHECK_EQ(request(p, names, words, 4, 0, answer, 1, link), 8);
    return (s64)answer[0];
}

/* The code of a question sent over `link` as `to` sees it. */
static u64 reaches(struct sim_process *from, s64 link, struct sim_process *to)
{
    struct demos_info info;

    info = (struct demos_info){0};
    sim_poke(from, INFO, &info, sizeof(info));
    CHECK_EQ(
        kcall(from, DEMOS_REQUEST, (u64)link, TEXT, 8, INFO, DEMOS_FOREVER, demos_lens(64, 5)),
        0);
    CHECK(kcall(to, DEMOS_RECEIVE, DEMOS_CHANNEL(3), BUFFER, 64, INFO, DEMOS_NOW, 0) >= 0);
    sim_peek(to, INFO, &info, sizeof(info));
    CHECK_EQ(kcall(to, DEMOS_REPLY, (u64)info.reply, TEXT, 8, 0, DEMOS_FOREVER, 0), 0);
    return info.code;
}

static void test_found_from_another_machine(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *here = puppet_on(s, 0), *there = puppet_on(s, 1);
    s64 mine = names_of(here), theirs = names_of(there), far, link;

    CHECK_EQ(other(here, mine, 2, &far), 0);
    CHECK_EQ(find(here, far, 77, &link), DEMOS_E_REFUSED);
    CHECK_EQ(order(there, theirs, NAMES_POST, 77, 0, 0, 0,
                   service(there, DEMOS_DUP | DEMOS_GIVE, 100)),
             0);
    CHECK_EQ(find(here, far, 77, &link), 0);
    CHECK_EQ(reaches(here, link, there), 100);
    CHECK_EQ(find(here, mine, 77, &link), DEMOS_E_REFUSED); /* each machine has its own */
    CHECK_EQ(order(there, theirs, NAMES_POST, 77, 0, 0, 0,
                   service(there, DEMOS_DUP | DEMOS_GIVE, 200)),
             0);
    CHECK_EQ(find(here, far, 77, &link), 0);
    CHECK_EQ(reaches(here, link, there), 200);
    CHECK_EQ(order(there, theirs, NAMES_POST, 77, 0, 0, 0, 0), 0);
    CHECK_EQ(find(here, far, 77, &link), DEMOS_E_REFUSED);
    sim_destroy(s);
}

static void test_refused(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p = puppet_on(s, 0);
    s64 mine = names_of(p), far, link;

    CHECK_EQ(other(p, mine, 0, &far), DEMOS_E_ARGUMENT);
    CHECK_EQ(other(p, mine, 1ull << 32, &far), DEMOS_E_ARGUMENT);
    CHECK_EQ(other(p, mine, 2, &far), 0);
    CHECK_EQ(other(p, far, 1, &link), DEMOS_E_REFUSED);
    CHECK_EQ(order(p, far, NAMES_POST, 1, 0, 0, 0, service(p, DEMOS_DUP | DEMOS_GIVE, 1)),
             DEMOS_E_REFUSED);
    CHECK_EQ(order(p, mine, NAMES_POST, 1, 0, 0, 0, service(p, DEMOS_GIVE, 1)), DEMOS_E_KIND);
    CHECK_EQ(order(p, mine, 99, 1, 0, 0, 0, 0), DEMOS_E_CALL);
    sim_destroy(s);
}

static void test_bounded(void)
{
    struct sim *s = puppets(1, 0, NULL);
    struct sim_process *p = puppet_on(s, 0);
    s64 mine = names_of(p), link = service(p, DEMOS_DUP | DEMOS_GIVE, 1), got;
    u64 posted = 0;

    while (posted < 1000 && order(p, mine, NAMES_POST, posted + 1, 0, 0, 0, link) == 0)
        posted++;
    CHECK_EQ(posted, 64);
    CHECK_EQ(order(p, mine, NAMES_POST, 1, 0, 0, 0, link), 0); /* in place of the last */
    CHECK_EQ(order(p, mine, NAMES_POST, 2, 0, 0, 0, 0), 0);
    CHECK_EQ(order(p, mine, NAMES_POST, 500, 0, 0, 0, link), 0);
    CHECK_EQ(find(p, mine, 500, &got), 0);
    sim_destroy(s);
}

TESTS(CASE(test_found_from_another_machine), CASE(test_refused), CASE(test_bounded))

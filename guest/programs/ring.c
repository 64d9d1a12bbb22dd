/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `ring [PROCESSES [ROUNDS]]`: processes in a ring, each holding one link to the next; a
 * token goes round and is counted by all.
 */
#include "guest/lib/process.h"
#include "guest/programs/number.h"

enum { CHANNEL = 1, MOST = 256 };

/* A member: offers a link to itself, is sent the link to the next, passes tokens on. */
static int member(void)
{
    struct demos_info info = {0};
    u8 body[8];
    s64 next;

    demos_offer(demos_link_make(DEMOS_GENERAL, DEMOS_GIVE, CHANNEL, 0));
    if (demos_receive(DEMOS_CHANNEL(CHANNEL), NULL, 0, &info) < 0 || info.count != 1)
        return 1;
    next = info.links[0];
    while (demos_receive(DEMOS_CHANNEL(CHANNEL), body, 8, &info) == 8) {
        be64_put(body, be64_get(body) + 1);
        demos_send(next, body, 8);
    }
    return 1;
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
    u8 body[8] = {0};

    if (argc > 1 && strcmp(argv[1], "member") == 0)
        return member();
    members = MIN(members, (u64)MOST);
    for (u64 i = 0; i < members; i++) { /* from the last to the first */
        s64 link = start_member();

        if (demos_send_links(link, NULL, 0, &next, 1) < 0)
            demos_die("ring: cannot join");
        next = link;
    }
    for (u64 i = 0; i < rounds; i++)
        if (demos_send(next, body, 8) < 0 ||
            demos_receive(DEMOS_CHANNEL(CHANNEL), body, 8, NULL) != 8)
            demos_die("ring: the token is lost");
    demos_print("ring: %llu processes, %llu rounds, %llu hops\n", (unsigned long long)members,
                (unsigned long long)rounds, (unsigned long long)be64_get(body));
    return be64_get(body) == members * rounds ? 0 : 1;
}

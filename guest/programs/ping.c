/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Round trips between two processes: `ping [COUNT]` starts its other half, the same
 * program with the argument `pong`, and calls it.
 */
#include "guest/lib/process.h"
#include "guest/programs/number.h"

static int pong(void)
{
    struct demos_info info;
    u8 body[64];
    s64 len;

    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, 1, 0));
    while ((len = demos_receive(DEMOS_CHANNEL(1), body, sizeof body, &info)) >= 0)
        if (info.kind == DEMOS_MSG_REQUEST)
            demos_reply(info.reply, body, (size_t)len);
    return 1;
}

int main(int argc, char **argv)
{
    const char *role[] = {"pong"};
    struct demos_spawn s = {
        .program = "ping", .args = role, .arg_count = 1, .flags = DEMOS_CREATE_WITH_PARENT};
    u64 count = argc > 1 ? number(argv[1]) : 100;
    s64 other;

    if (argc > 1 && strcmp(argv[1], "pong") == 0)
        return pong();
    if (demos_spawn_server(&s, &other) < 0 || other <= 0)
        demos_die("ping: cannot start pong (started with +kernel?)");
    for (u64 i = 0; i < count; i++) {
        u8 out[8], in[8];

        be64_put(out, i);
        if (demos_call(other, out, 8, in, 8) != 8 || be64_get(in) != i)
            demos_die("ping: answer %llu is wrong", (unsigned long long)i);
    }
    demos_print("ping: %llu round trips\n", (unsigned long long)count);
    return 0;
}

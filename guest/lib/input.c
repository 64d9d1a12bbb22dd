/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text from other programs (input.h).
 */
#include "guest/lib/input.h"
#include "guest/machine/protocol.h"

enum { HEAD = 8 };

int input_offer(void)
{
    s64 link = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, INPUT_CHANNEL, 0);

    return link < 0 ? (int)link : demos_offer(link);
}

s64 input_read(u8 text[INPUT_MAX])
{
    static u8 body[HEAD + INPUT_MAX];

    for (;;) {
        struct demos_info info = {0};
        s64 len = demos_receive(DEMOS_CHANNEL(INPUT_CHANNEL), body, sizeof body, &info);
        u64 op = len >= HEAD ? be64_get(body) : 0;
        s64 got = op == CONSOLE_WRITE ? len - HEAD : op == INPUT_END ? 0 : DEMOS_E_CALL;

        if (len < 0)
            return len;
        for (u32 i = 0; i < info.count; i++)
            demos_link_drop(info.links[i]);
        if (info.reply <= 0)
            continue;
        if (got > 0)
            memcpy(text, body + HEAD, (size_t)got);
        be64_put(body, (u64)got);
        if (demos_reply(info.reply, body, HEAD) < 0)
            demos_link_drop(info.reply);
        if (got > 0 || op == INPUT_END)
            return got;
    }
}

void input_end(s64 link)
{
    u8 body[HEAD], answer[HEAD];

    be64_put(body, INPUT_END);
    demos_call(link, body, sizeof body, answer, sizeof answer);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server with state: each client opens a counter of its own and gets a link whose code
 * says which one it is. The server holds no link to its clients but the reply link, and
 * that only until it answers. When a counter's link is destroyed, so is the counter.
 */
#include "guest/lib/process.h"
#include "guest/programs/counter.h"

enum { CHANNEL = 1, COUNTERS = 32, SERVICE_CODE = 0 };

static struct {
    bool open;
    u64 value;
} counters[COUNTERS + 1]; /* by code, from 1 */

/* A link to a fresh counter, or an error. */
static s64 open_counter(void)
{
    for (u64 code = 1; code <= COUNTERS; code++) {
        if (counters[code].open)
            continue;
        counters[code].open = true;
        counters[code].value = 0;
        return demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE | DEMOS_TELLDEST, CHANNEL, code);
    }
    return DEMOS_E_REFUSED;
}

static void answer(s64 reply, s64 result, u64 value, s64 link)
{
    u8 body[16];

    be64_put(body, (u64)result);
    be64_put(body + 8, value);
    demos_reply_links(reply, body, sizeof body, &link, link > 0);
}

static void serve(const struct demos_info *info, struct words *request)
{
    u64 op = words_get(request), code = info->code;
    s64 link;

    if (op == COUNTER_OPEN && code == SERVICE_CODE) {
        link = open_counter();
        answer(info->reply, link < 0 ? link : 0, 0, link);
    } else if (code == SERVICE_CODE || code > COUNTERS) {
        answer(info->reply, DEMOS_E_CALL, 0, 0);
    } else if (op == COUNTER_UP) {
        counters[code].value += words_get(request);
        answer(info->reply, 0, counters[code].value, 0);
    } else if (op == COUNTER_GET) {
        answer(info->reply, 0, counters[code].value, 0);
    } else {
        answer(info->reply, DEMOS_E_CALL, 0, 0);
    }
}

int main(int argc, char **argv)
{
    struct words request;

    (void)argc, (void)argv;
    demos_offer(
        demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL, SERVICE_CODE));
    for (;;) {
        struct demos_info info = {0};
        s64 len = demos_receive(DEMOS_CHANNEL(CHANNEL), request.bytes, sizeof request.bytes,
                                &info);

        if (len < 0)
            return 1;
        for (u32 i = 0; i < info.count; i++)
            demos_link_drop(info.links[i]);
        if (info.kind == DEMOS_MSG_NOTICE && info.code && info.code <= COUNTERS)
            counters[info.code].open = false;
        if (info.kind != DEMOS_MSG_REQUEST)
            continue;
        words_read(&request, request.bytes, (size_t)len);
        serve(&info, &request);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `loads [NAME [SUPERIOR]]`: a manager of loads, announced as NAME ("loads"); managers of
 * processes that name it report to it and ask it. With a SUPERIOR, the name of another one,
 * it is one group of several.
 */
#include "guest/lib/manager.h"
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"
#include "guest/servers/process/balance.h"
#include "guest/servers/process/loads.h"

enum { CHANNEL_SERVICE = 1, CHANNEL_ABOVE = 2, CHANNEL_TOLD = 3, ASKED_MAX = 64 };

static struct loads loads;
static s64 asked[ASKED_MAX]; /* reply links of those whose question went up, by its code */
static const char *superior;
static s64 above;
static u64 ourselves; /* among the superior's rows; no machine has such a number */

static u64 number_of(const char *name)
{
    u64 number = 0xcbf29ce484222325ull; /* FNV-1a */

    for (; *name; name++)
        number = (number ^ (u8)*name) * 0x100000001b3ull;
    return number | (u64)1 << 63;
}

static bool ask_above(u64 message, u64 machine, u64 value, u32 channel, u64 code)
{
    struct words w;

    if (superior && above <= 0)
        above = demos_find(superior, SWITCHBOARD_GLOBAL);
    if (above <= 0)
        return false;
    words_start(&w, MANAGER_ASK);
    words_put(&w, message);
    words_put(&w, machine);
    words_put(&w, value);
    words_put(&w, ourselves);
    return demos_request(above, w.bytes, 8 * w.count, 16, channel, code) >= 0;
}

static void answer(s64 reply, u64 value)
{
    struct words w;

    words_start(&w, 0);
    words_put(&w, value);
    demos_reply(reply, w.bytes, 8 * w.count);
}

/* Nobody of ours: the superior may know somebody of others. True: it is asked. */
static bool pass_up(s64 reply, u64 machine, u64 load)
{
    for (u32 i = 0; i < ASKED_MAX; i++) {
        if (asked[i])
            continue;
        if (!ask_above(BALANCE_IDLEST, machine, load, CHANNEL_ABOVE, i))
            return false;
        asked[i] = reply;
        return true;
    }
    return false;
}

/* What reports is a machine, or a manager of loads, which reports another's load. */
static void serve(s64 reply, struct words *w)
{
    u64 message = words_get(w), machine = words_get(w), load = words_get(w), value = 0;
    u64 from = words_get(w);

    if (message == BALANCE_REPORT)
        loads_report(&loads, from ? from : machine, machine, load);
    else if (message == BALANCE_IDLEST)
        value = loads_take(&loads, machine, load);
    else if (message == BALANCE_BUSIEST)
        value = loads_give(&loads, machine, load);
    if (message != BALANCE_IDLEST || value || !pass_up(reply, machine, load))
        answer(reply, value);
    if (superior && loads_changed(&loads)) {
        const struct load_row *r = loads_idlest(&loads);

        ask_above(BALANCE_REPORT, r->machine, r->load, CHANNEL_TOLD, 0);
    }
}

static void from_above(const struct demos_info *info, struct words *w)
{
    bool good = info->kind == DEMOS_MSG_REPLY && !words_get(w);

    if (!good && above > 0) {
        demos_link_drop(above);
        above = 0;
    }
    if (info->code < ASKED_MAX && asked[info->code]) {
        answer(asked[info->code], good ? words_get(w) : 0);
        asked[info->code] = 0;
    }
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "loads";
    s64 link = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL_SERVICE, 0);

    ourselves = number_of(name);
    superior = argc > 2 ? argv[2] : NULL;
    if (demos_announce(name, link, SWITCHBOARD_GLOBAL) < 0)
        demos_die("loads: cannot be announced as %s", name);
    if (demos_link("boss") > 0)
        demos_offer(link);
    for (;;) {
        struct demos_info info = {0};
        struct words w;
        s64 len = demos_receive(DEMOS_ANY_CHANNEL, w.bytes, sizeof w.bytes, &info);

        for (u32 i = 0; len >= 0 && i < info.count; i++)
            demos_link_drop(info.links[i]);
        if (len < 0)
            continue;
        words_read(&w, w.bytes, (size_t)len);
        if (info.channel == CHANNEL_ABOVE)
            from_above(&info, &w);
        else if (info.channel == CHANNEL_SERVICE && info.reply > 0 &&
                 words_get(&w) == MANAGER_ASK)
            serve(info.reply, &w);
        else if (info.reply > 0)
            demos_link_drop(info.reply);
    }
}

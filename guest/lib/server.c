/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Creators and the children that serve them: the first link of a new server, and the last
 * word of any child.
 */
#include "guest/lib/process.h"

int process_wait(u32 channel, struct process_end *end)
{
    u8 body[64];

    for (;;) {
        struct demos_info info = {0};
        s64 len = demos_receive(DEMOS_CHANNEL(channel), body, sizeof body, &info);

        if (len < 0)
            return (int)len;
        for (u32 i = 0; i < info.count; i++)
            demos_link_drop(info.links[i]);
        if (process_end_read(&info, body, (size_t)len, end))
            return 0;
    }
}

int process_run(const struct demos_spawn *s, u32 channel)
{
    struct demos_spawn watched = *s;
    struct process_end end = {.how = ~(u64)0};

    watched.watch = process_watch(channel, 0);
    if (demos_spawn(&watched) < 0 || process_wait(channel, &end) < 0)
        demos_die("%s: cannot run", s->program);
    return end.how == DEMOS_END_EXIT ? (int)end.status : 100 + (int)end.how;
}

int demos_offer(s64 link)
{
    return demos_send_links(demos_link("boss"), NULL, 0, &link, 1);
}

int demos_offer_owner(s64 link, s64 owner)
{
    s64 links[] = {link, owner};

    return demos_send_links(demos_link("boss"), NULL, 0, links, ARRAY_SIZE(links));
}

/* The offer; or the notice that the boss link went with the child. */
static s64 await_offer(void)
{
    struct demos_info info = {0};

    if (demos_receive(DEMOS_CHANNEL(DEMOS_OFFER_CHANNEL), NULL, 0, &info) < 0)
        return 0;
    for (u32 i = 1; i < info.count; i++)
        demos_link_drop(info.links[i]);
    return info.count ? info.links[0] : 0;
}

s64 demos_spawn_server(const struct demos_spawn *s, s64 *service)
{
    struct demos_gift gifts[DEMOS_GIFTS_MAX];
    struct demos_spawn with = *s;
    s64 control;

    *service = 0;
    if (s->gift_count == DEMOS_GIFTS_MAX)
        return DEMOS_E_ARGUMENT;
    for (u32 i = 0; i < s->gift_count; i++)
        gifts[i] = s->gifts[i];
    gifts[with.gift_count++] = (struct demos_gift){
        "boss", demos_link_make(DEMOS_GENERAL, DEMOS_GIVE | DEMOS_ONCE | DEMOS_TELLDEST,
                                DEMOS_OFFER_CHANNEL, 0)};
    with.gifts = gifts;
    control = demos_spawn(&with);
    if (control > 0)
        *service = await_offer();
    return control;
}

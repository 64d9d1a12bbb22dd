/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links and messages in their common shapes: wait for ever, pass no links.
 */
#include "guest/lib/demos.h"

s64 demos_link_make(enum demos_kind kind, u32 attr, u32 channel, u64 code)
{
    return call_createlink(demos_spec(kind, attr, channel), code, NULL, 0);
}

s64 demos_link_area(u32 attr, const void *base, size_t len)
{
    return call_createlink(demos_spec(DEMOS_GENERAL, attr, 0), 0, base, len);
}

s64 demos_link_dup(s64 link)
{
    return call_duplink(link);
}

int demos_link_drop(s64 link)
{
    return (int)call_destroylink(link);
}

/* An info that passes `links`; false when there are too many. */
static bool passing(struct demos_info *info, const s64 *links, u32 count)
{
    if (count > DEMOS_LINKS_MAX)
        return false;
    *info = (struct demos_info){.count = (u8)count};
    for (u32 i = 0; i < count; i++)
        info->links[i] = links[i];
    return true;
}

int demos_send(s64 link, const void *body, size_t len)
{
    return (int)call_send(link, body, len, NULL, DEMOS_FOREVER);
}

int demos_send_links(s64 link, const void *body, size_t len, const s64 *links, u32 count)
{
    struct demos_info info;

    if (!passing(&info, links, count))
        return DEMOS_E_ARGUMENT;
    return (int)call_send(link, body, len, &info, DEMOS_FOREVER);
}

int demos_request(s64 link, const void *body, size_t len, size_t room, u32 channel, u64 code)
{
    struct demos_info info = {.code = code};

    return (int)call_request(link, body, len, &info, DEMOS_FOREVER,
                             (u32)MIN(room, (size_t)DEMOS_BODY_MAX), channel);
}

int demos_reply(s64 reply, const void *body, size_t len)
{
    return (int)call_reply(reply, body, len, NULL, DEMOS_FOREVER);
}

int demos_reply_links(s64 reply, const void *body, size_t len, const s64 *links, u32 count)
{
    struct demos_info info;

    if (!passing(&info, links, count))
        return DEMOS_E_ARGUMENT;
    return (int)call_reply(reply, body, len, &info, DEMOS_FOREVER);
}

s64 demos_answer(s64 reply, const void *body, size_t len, u64 channels, void *buffer,
                 size_t room, struct demos_info *info)
{
    if (len > DEMOS_BODY_MAX)
        return DEMOS_E_LONG;
    return call_answer(reply, body, (u32)len, channels, buffer,
                       (u32)MIN(room, (size_t)DEMOS_BODY_MAX), info);
}

s64 demos_receive(u64 channels, void *buffer, size_t room, struct demos_info *info)
{
    return call_receive(channels, buffer, room, info, DEMOS_FOREVER);
}

s64 demos_receive_within(u64 ns, u64 channels, void *buffer, size_t room,
                         struct demos_info *info)
{
    return call_receive(channels, buffer, room, info, ns);
}

s64 demos_call(s64 link, const void *body, size_t len, void *answer, size_t room)
{
    return call_call(link, body, (u32)MIN(len, 0xffffffffu), answer,
                     (u32)MIN(room, (size_t)DEMOS_BODY_MAX), NULL, DEMOS_FOREVER);
}

s64 demos_call_info(s64 link, const void *body, size_t len, void *answer, size_t room,
                    struct demos_info *info)
{
    return call_call(link, body, (u32)MIN(len, 0xffffffffu), answer,
                     (u32)MIN(room, (size_t)DEMOS_BODY_MAX), info, DEMOS_FOREVER);
}

static int moved(s64 result, size_t len)
{
    if (result < 0)
        return (int)result;
    return (u64)result == len ? 0 : DEMOS_E_AREA;
}

int demos_move_from(s64 link, u64 offset, void *to, size_t len)
{
    return moved(call_movedata(link, DEMOS_MOVE_READ, offset, to, len), len);
}

int demos_move_to(s64 link, u64 offset, const void *from, size_t len)
{
    return moved(call_movedata(link, DEMOS_MOVE_WRITE, offset, from, len), len);
}

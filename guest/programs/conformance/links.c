/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links: made, refused, duplicated, destroyed, used up, told of (rows DL02, DL03, DL07,
 * DL26).
 */
#include "guest/programs/conformance/conformance.h"

static s64 notice_on(u32 channel)
{
    struct demos_info info = {0};
    s64 len = demos_receive_within(1000000000, DEMOS_CHANNEL(channel), NULL, 0, &info);

    for (u32 i = 0; i < info.count; i++)
        demos_link_drop(info.links[i]);
    return len < 0 ? len : info.kind == DEMOS_MSG_NOTICE ? info.notice : 0;
}

static void check_numbers(void)
{
    s64 link = demos_link_make(DEMOS_GENERAL, DEMOS_DUP, CHANNEL_A, 1), other;

    expect_true("a link has a number above zero", link > 0);
    expect("a link that never was", demos_send(0x123456, NULL, 0), DEMOS_E_LINK);
    expect("link zero", demos_send(0, NULL, 0), DEMOS_E_LINK);
    expect("a link below zero", demos_send(-5, NULL, 0), DEMOS_E_LINK);
    expect("destroy", demos_link_drop(link), 0);
    expect("destroy again", demos_link_drop(link), DEMOS_E_LINK);
    other = demos_link_make(DEMOS_GENERAL, DEMOS_DUP, CHANNEL_A, 1);
    expect_true("a slot used again has another number", other != link);
    expect("the old number stays closed", demos_send(link, NULL, 0), DEMOS_E_LINK);
    demos_link_drop(other);
}

static void check_kinds(void)
{
    s64 request = demos_link_make(DEMOS_REQUEST_LINK, 0, CHANNEL_A, 0);
    s64 general = demos_link_make(DEMOS_GENERAL, 0, CHANNEL_A, 0);

    expect("SEND over a request link", demos_send(request, NULL, 0), DEMOS_E_KIND);
    expect("REQUEST over a general link", demos_request(general, NULL, 0, 0, CHANNEL_B, 0),
           DEMOS_E_KIND);
    expect("REPLY over a general link", demos_reply(general, NULL, 0), DEMOS_E_KIND);
    expect("a reply link cannot be made",
           call_createlink(demos_spec(DEMOS_REPLY_LINK, 0, 1), 0, NULL, 0), DEMOS_E_KIND);
    expect("no such kind", call_createlink(demos_spec(9, 0, 1), 0, NULL, 0), DEMOS_E_ARGUMENT);
    expect("no such channel", call_createlink(demos_spec(DEMOS_GENERAL, 0, 64), 0, NULL, 0),
           DEMOS_E_ARGUMENT);
    expect("DELIVERTOKERNEL is not for programs",
           call_createlink(demos_spec(DEMOS_GENERAL, DEMOS_TOKERNEL, 1), 0, NULL, 0),
           DEMOS_E_ARGUMENT);
    demos_link_drop(request);
    demos_link_drop(general);
}

static void check_rights(void)
{
    s64 plain = demos_link_make(DEMOS_GENERAL, 0, CHANNEL_A, 0), copy;
    s64 dup = demos_link_make(DEMOS_GENERAL, DEMOS_DUP, CHANNEL_A, 0);
    s64 once = demos_link_make(DEMOS_GENERAL, DEMOS_ONCE, CHANNEL_A, 3);

    expect("DUPLINK without the right", demos_link_dup(plain), DEMOS_E_ALLOWED);
    copy = demos_link_dup(dup);
    expect_true("DUPLINK gives another number", copy > 0 && copy != dup);
    expect("give away without the right", demos_send_links(dup, NULL, 0, &plain, 1),
           DEMOS_E_ALLOWED);
    expect("ONCE: the first message goes", demos_send(once, NULL, 0), 0);
    expect("ONCE: the second does not", demos_send(once, NULL, 0), DEMOS_E_LINK);
    demos_receive(DEMOS_CHANNEL(CHANNEL_A), NULL, 0, NULL);
    demos_link_drop(plain);
    demos_link_drop(dup);
    demos_link_drop(copy);
}

static void check_telling(void)
{
    u32 attr = DEMOS_GIVE | DEMOS_TELLDEST | DEMOS_TELLGIVE;
    s64 told = demos_link_make(DEMOS_GENERAL, attr, CHANNEL_A, 4);
    s64 me = demos_link_make(DEMOS_GENERAL, 0, CHANNEL_B, 0);
    struct demos_info info = {0};

    demos_send_links(me, NULL, 0, &told, 1);
    expect("TELLGIVE tells", notice_on(CHANNEL_A), DEMOS_NOTICE_GIVEN);
    expect("a link passed on is gone here", demos_send(told, NULL, 0), DEMOS_E_LINK);
    demos_receive(DEMOS_CHANNEL(CHANNEL_B), NULL, 0, &info);
    expect("and arrives", info.count, 1);
    demos_link_drop(info.links[0]);
    expect("TELLDEST tells", notice_on(CHANNEL_A), DEMOS_NOTICE_DESTROYED);
    demos_link_drop(me);
}

/* A thousand made and destroyed leave the table as it was. */
static void check_leaks(void)
{
    s64 first = 0, last = 0;

    for (u32 i = 0; i < 1000 && first >= 0; i++) {
        s64 link = demos_link_make(DEMOS_GENERAL, 0, CHANNEL_A, i);

        if (link < 0 || demos_link_drop(link) < 0)
            first = DEMOS_E_LINKS;
        last = link;
    }
    expect_true("a thousand links made and destroyed", first == 0 && last > 0);
}

void check_links(void)
{
    chapter("links");
    check_numbers();
    check_kinds();
    check_rights();
    check_telling();
    check_leaks();
}

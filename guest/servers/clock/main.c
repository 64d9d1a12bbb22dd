/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock server: the time of day, the same on every machine. `calendar source [SECONDS]`
 * has it, counted from when it started, and announces itself as "calendar"; it may be set by
 * whoever has the owner's link. `calendar` alone finds a source and follows it: it asks when
 * somebody asks it and what it knows has grown vague. Questions and answers between the two
 * are unguaranteed messages (a late answer is worth nothing), so each is asked until answered.
 *
 * A follower introduces itself over the source's link with a link of its own, and gets one to
 * ask over; both are TIMELY.
 */
#include "guest/kernel/control.h"
#include "guest/lib/calendar.h"
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"
#include "guest/servers/clock/estimate.h"

enum { CHANNEL_SERVICE = 1, CHANNEL_FOLLOWERS, CHANNEL_SOURCE, CHANNEL_MET };
enum { CODE_PLAIN = 1, CODE_OWNER, CODE_FIRST = 16 };
enum { FOLLOWERS = 256, WAITERS = 64 };
#define MS         1000000ull
#define AGAIN_NS   (20 * MS)
#define PRECISE_NS (5 * MS) /* vaguer than that, and the source is asked */
#define TRIES      10

static bool source;
static u64 offset;            /* source: to add to this machine's clock */
static s64 ticks[FOLLOWERS];  /* source: links to followers, by code */
static u64 introduced;        /* source: how many there have been */
static struct estimate known; /* follower: of the source's clock */
static s64 ask_link;          /* follower: TIMELY, to the source */
static s64 meeting;           /* follower: the source's link, while it is introduced there */
static u64 asked_ns;          /* follower: the last question */
static u32 tries;             /* follower: questions since the last answer */
static s64 waiters[WAITERS];  /* follower: reply links of those who wait for it */
static u32 waiting;

static void answer(s64 reply, s64 result, u64 time, u64 error)
{
    struct words w;

    words_start(&w, (u64)result);
    words_put(&w, time);
    words_put(&w, error);
    demos_reply(reply, w.bytes, 8 * w.count);
}

/* --- a source ---------------------------------------------------------------------- */

/* Somebody will follow: what it asks comes with this code, the answers go over its link. */
static void introduce(s64 reply, s64 link)
{
    u64 at = introduced++ % FOLLOWERS;
    s64 mine = demos_link_make(DEMOS_GENERAL, DEMOS_GIVE | DEMOS_TIMELY, CHANNEL_FOLLOWERS,
                               CODE_FIRST + at);
    struct words w;

    if (ticks[at] > 0)
        demos_link_drop(ticks[at]);
    ticks[at] = link;
    words_start(&w, 0);
    demos_reply_links(reply, w.bytes, 8, &mine, 1);
}

/* The question comes back with the time. */
static void tick(u64 code, struct words *w)
{
    u64 at = code - CODE_FIRST;

    if (at >= FOLLOWERS || ticks[at] <= 0)
        return;
    words_put(w, demos_time_ns() + offset);
    call_send(ticks[at], w->bytes, 8 * w->count, NULL, DEMOS_NOW);
}

/* --- a follower -------------------------------------------------------------------- */

static void give_up(void)
{
    while (waiting)
        answer(waiters[--waiting], DEMOS_E_DEAD, 0, 0);
    tries = 0;
    if (ask_link > 0)
        demos_link_drop(ask_link);
    ask_link = 0;
}

/* Finds a source and introduces us. */
static void meet(void)
{
    s64 link = demos_find("calendar", SWITCHBOARD_GLOBAL);
    struct demos_info info = {.count = 1};
    struct words w;

    if (link <= 0)
        return;
    words_start(&w, CALENDAR_FOLLOW);
    info.links[0] = demos_link_make(DEMOS_GENERAL, DEMOS_GIVE | DEMOS_TIMELY, CHANNEL_SOURCE,
                                    0);
    if (call_request(link, w.bytes, 8, &info, DEMOS_NOW, 64, CHANNEL_MET) >= 0) {
        meeting = link;
        return;
    }
    demos_link_drop(info.links[0]);
    demos_link_drop(link);
}

static void ask_source(u64 now)
{
    struct words w;

    if (tries++ == TRIES)
        give_up();
    if (ask_link <= 0) {
        if (!meeting)
            meet();
        return;
    }
    words_start(&w, now);
    asked_ns = now;
    call_send(ask_link, w.bytes, 8, NULL, DEMOS_NOW);
}

static void met(const struct demos_info *info)
{
    demos_link_drop(meeting);
    meeting = 0;
    ask_link = info->kind == DEMOS_MSG_REPLY && info->count ? info->links[0] : 0;
    if (ask_link > 0)
        ask_source(demos_time_ns());
}

static void from_source(struct words *w)
{
    u64 now = demos_time_ns(), asked = words_get(w), theirs = words_get(w), error;

    if (!theirs)
        return;
    estimate_take(&known, asked, theirs, now);
    tries = 0;
    while (waiting) {
        u64 time = estimate_now(&known, now, &error);

        answer(waiters[--waiting], 0, time, error);
    }
}

static void tell(s64 reply)
{
    u64 now = demos_time_ns(), error;

    if (source) {
        answer(reply, 0, now + offset, 0);
    } else if (known.known && estimate_error(&known, now) <= PRECISE_NS) {
        u64 time = estimate_now(&known, now, &error);

        answer(reply, 0, time, error);
    } else if (waiting == WAITERS) {
        answer(reply, DEMOS_E_FULL, 0, 0);
    } else {
        waiters[waiting++] = reply;
        ask_source(now);
    }
}

/* --- both -------------------------------------------------------------------------- */

/* True if the first link of the request is kept. */
static bool serve(const struct demos_info *info, struct words *w)
{
    u64 op = words_get(w);

    if (op == CALENDAR_NOW) {
        tell(info->reply);
    } else if (op == CALENDAR_FOLLOW && source && info->count) {
        introduce(info->reply, info->links[0]);
        return true;
    } else if (op == CALENDAR_SET && source && info->code == CODE_OWNER) {
        offset = words_get(w) - demos_time_ns();
        answer(info->reply, 0, 0, 0);
    } else {
        answer(info->reply, op == CALENDAR_SET ? DEMOS_E_ALLOWED : DEMOS_E_CALL, 0, 0);
    }
    return false;
}

static void message(const struct demos_info *info, struct words *w)
{
    bool kept = false;

    if (info->channel == CHANNEL_SERVICE && info->reply > 0) {
        kept = serve(info, w);
    } else if (info->channel == CHANNEL_FOLLOWERS) {
        tick(info->code, w);
    } else if (info->channel == CHANNEL_SOURCE) {
        from_source(w);
    } else if (info->channel == CHANNEL_MET) {
        met(info);
        kept = ask_link > 0;
    }
    for (u32 i = kept; i < info->count; i++)
        demos_link_drop(info->links[i]);
}

static void begin(int argc, char **argv)
{
    u32 attr = DEMOS_DUP | DEMOS_GIVE;
    s64 plain = demos_link_make(DEMOS_REQUEST_LINK, attr, CHANNEL_SERVICE, CODE_PLAIN);
    s64 owner = demos_link_make(DEMOS_REQUEST_LINK, attr, CHANNEL_SERVICE, CODE_OWNER);
    u64 seconds = 0;

    source = argc > 1 && strcmp(argv[1], "source") == 0;
    for (const char *c = argc > 2 ? argv[2] : ""; *c >= '0' && *c <= '9'; c++)
        seconds = 10 * seconds + (u64)(*c - '0');
    offset = seconds * 1000 * MS;
    if (source && demos_announce("calendar", plain, SWITCHBOARD_GLOBAL) < 0)
        demos_die("calendar: cannot be announced");
    if (demos_link("boss") > 0)
        demos_offer_owner(plain, owner);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    for (;;) {
        struct demos_info info = {0};
        struct words w;
        s64 len = demos_receive_within(waiting ? AGAIN_NS : DEMOS_FOREVER, DEMOS_ANY_CHANNEL,
                                       w.bytes, sizeof w.bytes, &info);

        if (len >= 0) {
            words_read(&w, w.bytes, (size_t)len);
            message(&info, &w);
        }
        if (waiting && demos_time_ns() - asked_ns >= AGAIN_NS)
            ask_source(demos_time_ns());
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handshake as it is carried out over the store (H10, H11, F09): while both ends talk, the back end's
 * domain dies and another is built for it, whose keys the toolstack writes at once or one by one. Between
 * whatever calls of either end that happens, both find each other again. So they do when the device was
 * unplugged while the front end lent, and plugged in again before that looked.
 */
#include <stdarg.h>
#include "guest/rt/console.h"
#include "splitdrv/device.h"
#include "tests/check.h"

enum { KEYS = 64, WATCHES = 8, ROOM = 64, PATH = 128, SIDES = 2, TURNS_MOST = 400, QUEUE = 64 };

static struct {
    char path[PATH], value[ROOM];
} keys[KEYS];
static struct rt_store_watch *watches[WATCHES];
static struct rt_store_watch *fired[QUEUE]; /* in order; NULL: unwatched since */
static u32 fired_count;

/* --- the store -------------------------------------------------------------------------- */

static char *find(const char *path)
{
    for (u32 i = 0; i < KEYS; i++)
        if (strcmp(keys[i].path, path) == 0)
            return keys[i].value;
    return NULL;
}

static void fire(struct rt_store_watch *w)
{
    CHECK(fired_count < QUEUE);
    if (fired_count < QUEUE)
        fired[fired_count++] = w;
}

static void changed(const char *path)
{
    for (u32 i = 0; i < WATCHES; i++)
        if (watches[i] && strcmp(watches[i]->path, path) == 0)
            fire(watches[i]);
}

static void put(const char *path, const char *value)
{
    char *at = find(path);

    for (u32 i = 0; !at && i < KEYS; i++) {
        if (!keys[i].path[0]) {
            snprintf(keys[i].path, PATH, "%s", path);
            at = keys[i].value;
        }
    }
    CHECK(at);
    if (at)
        snprintf(at, ROOM, "%s", value);
    changed(path);
}

/* With all below it. */
static void drop(const char *path)
{
    size_t len = strlen(path);
    char was[PATH];

    for (u32 i = 0; i < KEYS; i++) {
        if (strncmp(keys[i].path, path, len) != 0 ||
            (keys[i].path[len] && keys[i].path[len] != '/'))
            continue;
        memcpy(was, keys[i].path, PATH);
        keys[i].path[0] = 0;
        changed(was);
    }
}

/* --- who is there ----------------------------------------------------------------------- */

static struct end {
    struct split_device bus;
    u32 domain;
    u32 peer; /* whom its rings are lent to, or are mapped from; 0: none */
    char path[SPLIT_PATH];
} end[SIDES];

enum { WRITES = 8 };

/* The toolstack's writes for a new back end, made at calls number `from`, `from` + `apart`, ... */
static u32 calls, from, apart, done;

static bool lend_fails;

/* In the order of guest/control/devices.c, and of libxl: `state` comes last. */
static void toolstack(u32 step)
{
    static const struct {
        enum bus_side whose;
        const char *key;
    } keys_of[WRITES] = {[1] = {BUS_BACK, "frontend"},    [2] = {BUS_BACK, "frontend-id"},
                         [3] = {BUS_BACK, "online"},      [4] = {BUS_FRONT, "backend"},
                         [5] = {BUS_FRONT, "backend-id"}, [6] = {BUS_BACK, "state"},
                         [7] = {BUS_FRONT, "state"}};
    const struct end *front = &end[BUS_FRONT], *back = &end[BUS_BACK];
    u32 numbers[WRITES] = {[2] = front->domain, 1, [5] = back->domain, 1, 1};
    char path[PATH], value[ROOM];

    if (!step) {
        drop(back->path);
        end[BUS_BACK].domain++;
        snprintf(end[BUS_BACK].path, SPLIT_PATH, "/local/domain/%u/backend/x/%u/0",
                 back->domain, front->domain);
        return;
    }
    snprintf(path, PATH, "%s/%s", end[keys_of[step].whose].path, keys_of[step].key);
    snprintf(value, ROOM, "%u", numbers[step]);
    put(path, step == 1 ? front->path : step == 4 ? back->path : value);
}

static void turn(void)
{
    while (done < WRITES && calls >= from + done * apart)
        toolstack(done++);
    calls++;
}

long rt_store_read(u32 transaction, const char *path, char *value, size_t room)
{
    const char *have;

    (void)transaction;
    turn();
    have = find(path);
    return have ? snprintf(value, room, "%s", have) : -2;
}

long rt_store_number(u32 transaction, const char *path, u64 *value)
{
    char text[ROOM];
    long got = rt_store_read(transaction, path, text, ROOM);

    if (got >= 0)
        *value = strtoull(text, NULL, 10);
    return got;
}

long rt_store_printf(u32 transaction, const char *path, const char *fmt, ...)
{
    char value[ROOM];
    va_list args;

    (void)transaction;
    va_start(args, fmt);
    vsnprintf(value, ROOM, fmt, args);
    va_end(args);
    turn();
    put(path, value);
    return 0;
}

long rt_store_remove(u32 transaction, const char *path)
{
    (void)transaction;
    turn();
    drop(path);
    return 0;
}

long rt_store_watch(struct rt_store_watch *w, const char *path, rt_store_watch_fn *fn,
                    void *arg)
{
    u32 i = 0;

    turn();
    while (i < WATCHES && watches[i])
        i++;
    CHECK(i < WATCHES);
    w->fn = fn;
    w->arg = arg;
    snprintf(w->path, sizeof(w->path), "%s", path);
    watches[i % WATCHES] = w;
    fire(w);
    return 0;
}

static void forget(const struct rt_store_watch *w)
{
    for (u32 i = 0; i < WATCHES; i++)
        if (watches[i] == w)
            watches[i] = NULL;
    for (u32 i = 0; i < fired_count; i++)
        if (fired[i] == w)
            fired[i] = NULL;
}

long rt_store_unwatch(struct rt_store_watch *w)
{
    turn();
    forget(w);
    return 0;
}

void rt_printf(const char *fmt, ...)
{
    (void)fmt;
}

/* --- the drivers ------------------------------------------------------------------------ */

static bool offer(struct split_device *d)
{
    return split_write(d->own, "feature", 1);
}

static bool lend(struct split_device *d)
{
    struct end *e = d->owner;

    if (lend_fails)
        return false;
    e->peer = d->peer;
    return split_renew(d->own, "ring-ref", d->peer);
}

/* A ring can be mapped by whom it was lent to. */
static bool take(struct split_device *d)
{
    struct end *e = d->owner;
    u64 lent_to;

    if (!split_number(d->other, "ring-ref", &lent_to) || lent_to != e->domain)
        return false;
    e->peer = d->peer;
    return true;
}

static void run(struct split_device *d)
{
    (void)d;
}

static void stop(struct split_device *d)
{
    ((struct end *)d->owner)->peer = 0;
}

static const struct split_driver drivers[SIDES] = {
    [BUS_FRONT] = {.lend = lend, .run = run, .stop = stop},
    [BUS_BACK] = {.offer = offer, .connect = take, .stop = stop}};

/* --- the play --------------------------------------------------------------------------- */

static void begin(enum bus_side side)
{
    struct end *e = &end[side];

    forget(&e->bus.watch);
    forget(&e->bus.own_watch);
    e->peer = 0;
    CHECK(split_device_open(&e->bus, side, e->path, &drivers[side], e));
}

static void deliver(void)
{
    u32 count = fired_count;

    for (u32 i = 0; i < count; i++)
        if (fired[i])
            fired[i]->fn(fired[i]->arg, fired[i]->path);
    memmove(fired, fired + count, (fired_count - count) * sizeof(fired[0]));
    fired_count -= count;
}

/* Between its toolstack's first and last write there is no back end. */
static void back_turn(void)
{
    struct end *back = &end[BUS_BACK];

    if (done == WRITES && strcmp(back->bus.own, back->path) != 0)
        begin(BUS_BACK);
    if (!done || done == WRITES)
        split_device_poll(&back->bus);
}

/* Until nothing happens any more; the toolstack goes on when both wait for it. */
static void settle(void)
{
    for (u32 quiet = 0, turns = 0; quiet < 2 && turns < TURNS_MOST; turns++) {
        split_device_poll(&end[BUS_FRONT].bus);
        back_turn();
        quiet = fired_count ? 0 : quiet + 1;
        deliver();
        if (quiet && done && done < WRITES)
            toolstack(done++), quiet = 0;
    }
}

/* The back end is replaced at that call, if the handshake has so many; true: it had. */
static bool play(u32 call, u32 calls_apart)
{
    memset(keys, 0, sizeof(keys));
    memset(watches, 0, sizeof(watches));
    memset(end, 0, sizeof(end));
    fired_count = calls = 0;
    end[BUS_FRONT].domain = 10;
    end[BUS_BACK].domain = 20;
    snprintf(end[BUS_FRONT].path, SPLIT_PATH, "/local/domain/10/device/x/0");
    for (done = 0; done < WRITES; done++)
        toolstack(done);
    begin(BUS_BACK);
    begin(BUS_FRONT);
    calls = done = 0;
    from = call;
    apart = calls_apart;
    settle();
    return done != 0;
}

static bool connected(enum bus_side side)
{
    const struct end *e = &end[side];
    char path[PATH];
    const char *state;

    snprintf(path, PATH, "%s/state", e->path);
    state = find(path);
    return e->bus.state == XenbusStateConnected && e->peer == end[1 - side].domain && state &&
           strtoul(state, NULL, 10) == XenbusStateConnected;
}

static void test_replaced_at_any_call(void)
{
    u32 plays = 0;

    for (u32 calls_apart = 0; calls_apart < 4; calls_apart++) {
        for (u32 call = 0; play(call, calls_apart); call++, plays++) {
            if (connected(BUS_FRONT) && connected(BUS_BACK))
                continue;
            CHECK(!"both ends are connected with each other");
            printf("replaced at call %u, keys written %u calls apart: front %s, back %s\n",
                   call, calls_apart, bus_state_name(end[BUS_FRONT].bus.state),
                   bus_state_name(end[BUS_BACK].bus.state));
        }
    }
    CHECK(plays > 80);
}

/* Both directories go and come, and the back end offers before the front end's next turn. */
static void plugged_again_unseen(void)
{
    struct end *back = &end[BUS_BACK];

    drop(back->path);
    drop(end[BUS_FRONT].path);
    split_device_close(&back->bus);
    done = 1;
    while (done < WRITES)
        toolstack(done++);
    begin(BUS_BACK);
    split_device_poll(&back->bus);
    CHECK_EQ(back->bus.state, XenbusStateInitWait);
    deliver();
}

/* A front end that could not lend is Closing, and the back end waits: it tries again. Once for each
 * change, so that what lasts is not used up at once. */
static void test_unplugged_while_lending(void)
{
    lend_fails = true;
    play(TURNS_MOST * KEYS, 0);
    CHECK_EQ(end[BUS_FRONT].bus.state, XenbusStateClosing);
    CHECK_EQ(end[BUS_FRONT].bus.failures, 1);
    plugged_again_unseen();
    split_device_poll(&end[BUS_FRONT].bus);
    CHECK_EQ(end[BUS_FRONT].bus.failures, 2);
    plugged_again_unseen();
    lend_fails = false;
    settle();
    CHECK(connected(BUS_FRONT) && connected(BUS_BACK));
    CHECK_EQ(end[BUS_FRONT].bus.failures, 0);
}

TESTS(CASE(test_replaced_at_any_call), CASE(test_unplugged_while_lending))

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `meter`: a keeper that counts what kernels ask of it. Its objects are METER_PAGES pages of
 * its own memory; it can be told to fall silent, so that one sees what its clients then do.
 */
#include "guest/lib/keeper.h"
#include "guest/lib/process.h"
#include "guest/programs/keepers/meter.h"

enum { CHANNEL_SERVICE = 1, CHANNEL_PAGES = 2, PAGE = 4096, OBJECTS = 4, HELD = 16 };

static u8 kept[OBJECTS + 1][METER_PAGES][PAGE] __attribute__((aligned(PAGE)));
static u64 objects, heard[KEEPER_END + 1];
static bool silent;
static s64 held[HELD]; /* frames whose requests are not answered */
static u32 held_count;

static u8 *page_at(u64 code, u64 offset, u64 length)
{
    u64 page = offset / PAGE;

    return code <= OBJECTS && page < METER_PAGES && length == PAGE ? kept[code][page] : NULL;
}

static bool get(struct keeper *k, u64 code, u64 offset, u8 *page, u64 length)
{
    const u8 *from = page_at(code, offset, length);

    (void)k;
    if (from)
        memcpy(page, from, length);
    return from != NULL;
}

static void put(struct keeper *k, u64 code, u64 offset, const u8 *page, u64 length)
{
    u8 *to = page_at(code, offset, length);

    (void)k;
    if (to)
        memcpy(to, page, length);
}

static void serve_kernel(const void *body, size_t len, const struct demos_info *info)
{
    static struct keeper keeper = {get, put};
    struct keeper_word w;

    keeper_read(&w, body, len, info);
    if (w.op <= KEEPER_END)
        heard[w.op]++;
    if (silent && w.op == KEEPER_REQUEST && held_count < HELD)
        held[held_count++] = w.frame;
    else
        keeper_serve(&keeper, body, len, info);
}

static void fall_silent(bool now)
{
    silent = now;
    while (!silent && held_count) /* as if they had never come: who still waits is told */
        demos_link_drop(held[--held_count]);
}

static void serve_user(struct words *w, const struct demos_info *info)
{
    u64 op = words_get(w), argument = words_get(w);
    s64 link = 0;

    words_start(w, (u64)(s64)(op == METER_OBJECT && objects == OBJECTS ? DEMOS_E_MEMORY : 0));
    if (op == METER_OBJECT && objects < OBJECTS)
        link = demos_link_make(DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, CHANNEL_PAGES, ++objects);
    if (op == METER_SILENT)
        fall_silent(argument != 0);
    words_put(w, heard[KEEPER_INIT]);
    words_put(w, heard[KEEPER_REQUEST]);
    words_put(w, heard[KEEPER_WRITE]);
    words_put(w, heard[KEEPER_END]);
    demos_reply_links(info->reply, w->bytes, 8 * w->count, &link, link > 0);
}

int main(int argc, char **argv)
{
    (void)argc, (void)argv;
    return keeper_run(CHANNEL_SERVICE, CHANNEL_PAGES, serve_user, serve_kernel);
}

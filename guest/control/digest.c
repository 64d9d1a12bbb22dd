/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a domain's memory holds, in a word. Two runs in which it had to do with nobody are to say the
 * same of it, whatever befell others. A page that was never touched counts as one of zeros, and takes
 * no frame.
 */
#include "guest/control/command.h"
#include "guest/control/ctl.h"
#include "guest/control/mix.h"
#include "guest/rt/map.h"

enum { PAGE = 4096, WORDS = PAGE / 8, BATCH = 64 };

/* A page of zeros leaves the digest as it is. */
static u64 add_page(u64 digest, u64 gfn, const u64 *page)
{
    for (u32 i = 0; i < WORDS; i++)
        if (page[i])
            digest = mix(mix(digest, gfn * WORDS + i), page[i]);
    return digest;
}

/* False: the hypervisor does not show it all. */
static bool digest_of(const struct guest *g, u64 here, u64 *digest)
{
    u64 frame[BATCH], pages = g->recipe.memory / PAGE;

    *digest = 0;
    for (u64 gfn = 0; gfn < pages; gfn++) {
        if (gfn % BATCH == 0 &&
            ctl_frames(g->domid, gfn, (u32)MIN(pages - gfn, (u64)BATCH), frame))
            return false;
        if (frame[gfn % BATCH] == OSM_NO_FRAME)
            continue;
        if (ctl_map(g->domid, gfn, here))
            return false;
        *digest = add_page(*digest, gfn, rt_at(here << 12));
        ctl_unmap(here);
    }
    return true;
}

/* The domain stands still meanwhile, and all that its trace ring has is taken: how far that had been
 * read, which stands in the ring, is ours and not its. */
static bool look(struct guest *g, u64 *digest)
{
    u64 here = rt_window_alloc(1);
    bool stops = !g->paused && g->started, seen = false;

    if (here && (!stops || !ctl_pause(g->domid))) {
        ctl_wait_off(g->domid);
        trace_guest(g);
        seen = digest_of(g, here, digest);
        if (stops)
            ctl_unpause(g->domid);
    }
    if (here)
        rt_window_free(here, 1);
    return seen;
}

bool do_digest(struct command *c)
{
    struct guest *g = command_guest(c, 0);
    struct json j;
    u64 digest;

    if (!g)
        return false;
    if (!g->built || g->ended)
        return command_refuse(c, "%s is not running", g->name);
    if (!look(g, &digest))
        return command_refuse(c, "the hypervisor does not show its memory");
    result_begin(&j, "digest");
    json_text(&j, "name", g->name);
    json_number(&j, "digest", digest);
    result_end(&j);
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks that are memory outlive their run: where they lie in the machine goes out when it
 * ends. The domain whose name stands at /osmosis/disks publishes each of its disks at
 * data/disk/<n> as "GFN BYTES NAME". What it says is bounded by the memory it has.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/control.h"
#include "guest/control/ctl.h"

enum { DISKS_MOST = 256, PAGE = 4096 };

static bool number(const char **text, u64 *value)
{
    const char *p = *text;

    for (*value = 0; *p >= '0' && *p <= '9' && *value < 1ull << 50; p++)
        *value = *value * 10 + (u64)(*p - '0');
    if (p == *text || *p != ' ')
        return false;
    *text = p + 1;
    return true;
}

static void tell(const struct guest *g, const char *name, u64 gfn, u64 bytes)
{
    static struct osm_disk_piece piece;
    u64 pages = (bytes + PAGE - 1) / PAGE;

    piece = (struct osm_disk_piece){.bytes = bytes};
    memcpy(piece.name, name, MIN(strlen(name), sizeof(piece.name) - 1));
    for (u64 at = 0; at < pages; at += piece.count) {
        piece.first = (u32)at;
        piece.count = (u32)MIN(pages - at, (u64)OSM_DISK_FRAMES);
        if (ctl_frames(g->domid, gfn + at, piece.count, piece.frame))
            return;
        output(OSM_STREAM_DISK, &piece,
               offsetof(struct osm_disk_piece, frame) + piece.count * sizeof(piece.frame[0]));
    }
}

void disks_tell(void)
{
    char path[64], value[128];
    const struct guest *g;

    if (self_read("/osmosis/disks", value, sizeof(value)) || !(g = guest_find(value)))
        return;
    for (u32 n = 0; n < DISKS_MOST; n++) {
        const char *text = value;
        u64 gfn, bytes;

        format(path, sizeof(path), "/local/domain/%u/data/disk/%u", g->domid, n);
        if (self_read(path, value, sizeof(value)) || !number(&text, &gfn) ||
            !number(&text, &bytes) || bytes > g->recipe.memory)
            return;
        tell(g, text, gfn, bytes);
    }
}

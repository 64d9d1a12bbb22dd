/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands about snapshots: taking one, going on from one, and its pages for whoever carries
 * them out of the machine, or into it; what was carried in can be typed on a console, too.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/command.h"
#include "guest/control/ctl.h"
#include "guest/control/snapshot.h"
#include "guest/rt/map.h"

enum { FRAMES_SAID = 256 };

static bool can_suspend(const struct guest *g)
{
    char path[64], value[8];

    format(path, sizeof(path), "/local/domain/%u/control/feature-suspend", g->domid);
    return !self_read(path, value, sizeof(value)) && strcmp(value, "1") == 0;
}

/* The domain is asked; guest_suspended does the rest. */
bool do_snapshot(struct command *c)
{
    struct guest *g = command_guest(c, 0);
    const char *key = words_option(c->w, "as"), *then = words_option(c->w, "then");
    char path[64];

    if (!g)
        return false;
    key = key ? key : g->name;
    if (!words_name(key))
        return command_refuse(c, "a snapshot's name is letters, digits, - _ and .");
    if (then && strcmp(then, "resume") != 0 && strcmp(then, "destroy") != 0)
        return command_refuse(c, "then=%s: say resume or destroy", then);
    if (!g->built || !g->started || g->paused || g->ended)
        return command_refuse(c, "%s is not running", g->name);
    if (g->snapshot[0])
        return command_refuse(c, "a snapshot of %s is being taken", g->name);
    if (g->recipe.device_count)
        return command_refuse(c, "%s has a device of the machine's", g->name);
    if (!can_suspend(g))
        return command_refuse(c, "%s cannot be suspended", g->name);
    memcpy(g->snapshot, key, strlen(key) + 1);
    g->snapshot_ends = then && strcmp(then, "destroy") == 0;
    format(path, sizeof(path), "/local/domain/%u/control/shutdown", g->domid);
    return !self_write(path, "suspend") || command_refuse(c, "the store refused");
}

static void tell_error(const struct guest *g, const char *why)
{
    struct json j;

    result_begin(&j, "error");
    json_text(&j, "name", g->name);
    json_text(&j, "error", why);
    result_end(&j);
}

static void tell_taken(const struct guest *g, const struct snapshot *s)
{
    struct json j;

    result_begin(&j, "snapshot");
    json_text(&j, "name", g->name);
    json_text(&j, "key", s->key);
    json_number(&j, "pages", snapshot_head(s)->pages);
    json_number(&j, "bytes", (u64)s->frames * SNAPSHOT_PAGE);
    result_end(&j);
}

void snapshot_suspended(struct guest *g)
{
    char key[NAME_MOST + 1], why[WHY];
    struct snapshot *s;

    if (!g->snapshot[0])
        return;
    memcpy(key, g->snapshot, sizeof(key));
    g->snapshot[0] = 0;
    s = snapshot_take(g, key, why);
    if (s)
        tell_taken(g, s);
    else
        tell_error(g, why);
    if (s && g->snapshot_ends) {
        guest_destroy(g);
        g->started = false;
        return;
    }
    if (!guest_resume(g, why))
        tell_error(g, why);
    else if (s)
        snapshot_go_on(s);
}

bool do_restore(struct command *c)
{
    struct guest *g = command_guest(c, 0);
    const char *key = words_option(c->w, "from");
    struct snapshot *s;

    if (!g)
        return false;
    s = snapshot_find(key ? key : g->name);
    if (!s)
        return command_refuse(c, "there is no snapshot %s", key ? key : g->name);
    if (!snapshot_check(s, g, c->why))
        return false;
    guest_destroy(g);
    if (guest_restore(g, s, c->why))
        return true;
    guest_forget(g);
    return false;
}

/* One that is to be written from outside: two who do so at a time spoil each other's, but nobody's
 * pages go while he may still write them. */
static struct snapshot *image_of(const char *key, u32 frames)
{
    struct snapshot *s = snapshot_find(key);

    return s && !s->whole && s->frames == frames ? s : snapshot_new(key, frames);
}

/* Where frames of the file lie in the machine, from `first` on. With bytes=, a new one of that
 * size, to be written from outside. */
bool do_image(struct command *c)
{
    u64 bytes = 0, first = 0, at;
    struct snapshot *s;

    if (!command_number(c, "bytes", &bytes) || !command_number(c, "first", &first))
        return false;
    if (bytes % SNAPSHOT_PAGE || bytes / SNAPSHOT_PAGE > SNAPSHOT_FRAMES_MOST)
        return command_refuse(c, "a snapshot is whole pages, not %lu bytes: it is cut", bytes);
    if (bytes && !words_name(c->argument[0]))
        return command_refuse(c, "a snapshot's name is letters, digits, - _ and .");
    s = bytes ? image_of(c->argument[0], (u32)(bytes / SNAPSHOT_PAGE))
              : snapshot_find(c->argument[0]);
    if (!s)
        return bytes ? command_refuse(c, "no memory for %lu KiB (dom0_mem=)", bytes >> 10)
                     : command_refuse(c, "there is no snapshot %s", c->argument[0]);
    json_number(c->answer, "bytes", (u64)s->frames * SNAPSHOT_PAGE);
    json_number(c->answer, "life", snapshot_head(s)->life);
    json_open(c->answer, "frames");
    for (u64 i = first; i < s->frames && i < first + FRAMES_SAID; i++) {
        if (ctl_frames(DOMID_SELF, rt_physical(s->frame[i]) >> 12, 1, &at))
            return command_refuse(c, "the hypervisor does not say where it is");
        json_item(c->answer);
        json_number(c->answer, "frame", at);
        json_item_end(c->answer);
    }
    json_close(c->answer);
    return true;
}

/* The first bytes of such a file on a console: the port is much slower than memory. */
bool do_type(struct command *c)
{
    struct guest *g = command_guest(c, 0);
    struct snapshot *s = snapshot_find(c->argument[1]);
    u64 bytes = 0;

    if (!g || !command_number(c, "bytes", &bytes))
        return false;
    if (!s || bytes > (u64)s->frames * SNAPSHOT_PAGE)
        return command_refuse(c, "there are no %lu bytes of %s", bytes, c->argument[1]);
    if (!rings_input_room(g, bytes, c->why))
        return false;
    for (u64 at = 0; at < bytes; at += SNAPSHOT_PAGE)
        rings_input(g, (const char *)s->frame[at / SNAPSHOT_PAGE],
                    MIN(bytes - at, (u64)SNAPSHOT_PAGE));
    json_number(c->answer, "waiting", g->input_len);
    return true;
}

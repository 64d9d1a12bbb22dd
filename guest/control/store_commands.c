/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands about the store, and the devices that are directories in it.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/command.h"
#include "guest/control/ctl.h"
#include "guest/rt/store_wire.h"

static bool store_refused(struct command *c, int error)
{
    return !error || command_refuse(c, "the store says %s", store_error_name(error));
}

bool do_read(struct command *c)
{
    char path[XENSTORE_ABS_PATH_MAX], value[COMMAND_VALUE];

    if (!expand(c->argument[0], path, sizeof(path), c->why) ||
        !store_refused(c, self_read(path, value, sizeof(value))))
        return false;
    json_text(c->answer, "value", value);
    return true;
}

bool do_write(struct command *c)
{
    char path[XENSTORE_ABS_PATH_MAX], value[COMMAND_VALUE];

    return expand(c->argument[0], path, sizeof(path), c->why) &&
           expand(c->argument[1], value, sizeof(value), c->why) &&
           store_refused(c, self_write(path, value));
}

bool do_ls(struct command *c)
{
    static char names[XENSTORE_PAYLOAD_MAX];
    char path[XENSTORE_ABS_PATH_MAX];
    u32 len;

    if (!expand(c->argument[0], path, sizeof(path), c->why) ||
        !store_refused(c, self_call(XS_DIRECTORY, path, (u32)strlen(path) + 1, names, &len)))
        return false;
    json_open(c->answer, "names");
    for (u32 at = 0; at < len; at += (u32)strlen(names + at) + 1) {
        json_item(c->answer);
        json_text(c->answer, "name", names + at);
        json_item_end(c->answer);
    }
    json_close(c->answer);
    return true;
}

bool do_rm(struct command *c)
{
    static char reply[XENSTORE_PAYLOAD_MAX];
    char path[XENSTORE_ABS_PATH_MAX];
    u32 len;

    return expand(c->argument[0], path, sizeof(path), c->why) &&
           store_refused(c, self_call(XS_RM, path, (u32)strlen(path) + 1, reply, &len));
}

bool do_perms(struct command *c)
{
    static char payload[XENSTORE_PAYLOAD_MAX], reply[XENSTORE_PAYLOAD_MAX];
    u32 len = 0, reply_len;

    for (u32 i = 0; i < c->count; i++) {
        char text[XENSTORE_ABS_PATH_MAX];

        if (!expand(c->argument[i], text, sizeof(text), c->why))
            return false;
        if (len + strlen(text) + 1 > sizeof(payload))
            return command_refuse(c, "too many permissions");
        memcpy(payload + len, text, strlen(text) + 1);
        len += (u32)strlen(text) + 1;
    }
    return store_refused(c, self_call(XS_SET_PERMS, payload, len, reply, &reply_len));
}

struct device {
    char front[96], back[96];
    char front_perm[2][8], back_perm[2][8];
    int error;
};

static void device_node(struct device *d, bool back, const char *key, const char *value)
{
    const char(*perm)[8] = back ? (const char(*)[8])d->back_perm
                                : (const char(*)[8])d->front_perm;
    char path[256];

    format(path, sizeof(path), "%s%s%s", back ? d->back : d->front, *key ? "/" : "", key);
    if (!d->error)
        d->error = self_write(path, value);
    if (!d->error)
        d->error = self_perms(path, perm[0], perm[1]);
}

static void device_paths(struct device *d, const char *kind, const struct guest *front,
                         const char *id, u32 back)
{
    *d = (struct device){0};
    format(d->front, sizeof(d->front), "/local/domain/%u/device/%s/%s", front->domid, kind, id);
    format(d->back, sizeof(d->back), "/local/domain/%u/backend/%s/%u/%s", back, kind,
           front->domid, id);
    format(d->front_perm[0], 8, "n%u", front->domid);
    format(d->front_perm[1], 8, "r%u", back);
    format(d->back_perm[0], 8, "n%u", back);
    format(d->back_perm[1], 8, "r%u", front->domid);
}

/* front.KEY and back.KEY go to one side, mac to both. */
static bool device_options(struct command *c, struct device *d)
{
    for (u32 i = 0; i < c->w->count; i++) {
        char key[64] = {0}, value[COMMAND_VALUE];
        bool front, back, mac;

        if (!c->w->value[i] || c->w->taken[i] || c->w->key_len[i] >= sizeof(key))
            continue;
        memcpy(key, c->w->word[i], c->w->key_len[i]);
        front = strncmp(key, "front.", 6) == 0;
        back = strncmp(key, "back.", 5) == 0;
        mac = strcmp(key, "mac") == 0;
        if (!front && !back && !mac)
            continue;
        if (!expand(c->w->value[i], value, sizeof(value), c->why))
            return false;
        c->w->taken[i] = true;
        if (front || mac)
            device_node(d, false, front ? key + 6 : key, value);
        if (back || mac)
            device_node(d, true, back ? key + 5 : key, value);
    }
    return true;
}

/* The back end's directory is complete before the front's `state` says so, and watchers of
 * a back end look at `state` too: both come last. */
bool do_device(struct command *c)
{
    const char *kind = c->argument[0], *id = c->argument[2];
    const char *back_name = words_option(c->w, "backend");
    struct guest *front = command_guest(c, 1), *back = back_name ? guest_find(back_name) : NULL;
    char number[16];
    struct device d;

    if (!front)
        return false;
    if (!back)
        return command_refuse(c, "say backend=DOMAIN, a domain that exists");
    if (strlen(kind) > 16 || strlen(id) > 8 || !words_name(kind) || !words_name(id))
        return command_refuse(c, "a device has a short kind and a number");
    device_paths(&d, kind, front, id, back->domid);
    device_node(&d, true, "", "");
    device_node(&d, false, "", "");
    device_node(&d, true, "frontend", d.front);
    format(number, sizeof(number), "%u", front->domid);
    device_node(&d, true, "frontend-id", number);
    device_node(&d, true, "online", "1");
    device_node(&d, true, "handle", id);
    device_node(&d, false, "backend", d.back);
    format(number, sizeof(number), "%u", back->domid);
    device_node(&d, false, "backend-id", number);
    device_node(&d, false, "handle", id);
    if (!device_options(c, &d))
        return false;
    device_node(&d, true, "state", "1");
    device_node(&d, false, "state", "1");
    return store_refused(c, d.error);
}

bool do_undevice(struct command *c)
{
    struct guest *front = command_guest(c, 1);
    char path[160], back[128];
    static char reply[XENSTORE_PAYLOAD_MAX];
    u32 len;

    if (!front)
        return false;
    format(path, sizeof(path), "/local/domain/%u/device/%s/%s/backend", front->domid,
           c->argument[0], c->argument[2]);
    if (self_read(path, back, sizeof(back)))
        return command_refuse(c, "%s has no such device", front->name);
    self_call(XS_RM, back, (u32)strlen(back) + 1, reply, &len);
    path[strlen(path) - strlen("/backend")] = 0;
    return store_refused(c, self_call(XS_RM, path, (u32)strlen(path) + 1, reply, &len));
}

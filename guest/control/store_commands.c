/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands about the store.
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

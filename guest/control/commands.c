/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of commands, and what all of them need.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/command.h"
#include "guest/rt/rt.h"

bool command_refuse(struct command *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vformat(c->why, WHY, fmt, args);
    va_end(args);
    return false;
}

bool expand(const char *text, char *to, size_t room, char *why)
{
    size_t len = 0;

    while (*text && len + 8 < room) {
        const char *end = *text == '{' ? strchr(text, '}') : NULL;
        char name[NAME_MOST + 1] = {0};
        struct guest *g;

        if (!end || (size_t)(end - text) > NAME_MOST) {
            to[len++] = *text++;
            continue;
        }
        memcpy(name, text + 1, (size_t)(end - text - 1));
        g = guest_find(name);
        if (strcmp(name, "self") != 0 && !(g && g->built)) {
            format(why, WHY, "there is no domain named %s", name);
            return false;
        }
        len += format(to + len, room - len, "%u", g ? g->domid : rt_started()->domid);
        text = end + 1;
    }
    to[len] = 0;
    if (*text)
        format(why, WHY, "a text is too long");
    return !*text;
}

struct guest *command_guest(struct command *c, u32 n)
{
    struct guest *g = guest_find(c->argument[n]);

    if (!g)
        command_refuse(c, "there is no domain named %s", c->argument[n]);
    return g;
}

bool command_number(struct command *c, const char *key, u64 *value)
{
    const char *text = words_option(c->w, key);

    return !text || words_number(text, value) ||
           command_refuse(c, "%s=%s is not a number", key, text);
}

bool command_all_taken(struct command *c)
{
    const char *left = words_left(c->w, 0);

    return !left || command_refuse(c, "%s is not understood here", left);
}

static bool do_version(struct command *c)
{
    json_number(c->answer, "osmosis", 1);
    return true;
}

static const struct {
    const char *name;
    bool (*fn)(struct command *c);
    u8 least, most; /* arguments */
} table[] = {
    {"create", do_create, 1, 1},
    {"start", do_start, 1, 1},
    {"pause", do_pause, 1, 1},
    {"unpause", do_unpause, 1, 1},
    {"shutdown", do_shutdown, 1, 1},
    {"memory", do_memory, 1, 2},
    {"destroy", do_destroy, 1, 1},
    {"reboot", do_reboot, 1, 1},
    {"resume", do_resume, 1, 1},
    {"snapshot", do_snapshot, 1, 1},
    {"restore", do_restore, 1, 1},
    {"image", do_image, 1, 1},
    {"sched", do_sched, 1, 1},
    {"list", do_list, 0, 0},
    {"modules", do_modules, 0, 0},
    {"input", do_input, 2, 2},
    {"type", do_type, 2, 2},
    {"console", do_console, 2, 2},
    {"dump", do_dump, 1, 1},
    {"counters", do_counters, 1, 1},
    {"churn", do_churn, 1, 1},
    {"digest", do_digest, 1, 1},
    {"read", do_read, 1, 1},
    {"write", do_write, 2, 2},
    {"ls", do_ls, 1, 1},
    {"rm", do_rm, 1, 1},
    {"perms", do_perms, 2, 8},
    {"device", do_device, 3, 3},
    {"undevice", do_undevice, 3, 3},
    {"clock", do_clock, 1, 1},
    {"unplug", do_unplug, 3, 3},
    {"plug", do_plug, 3, 3},
    {"sleep", do_sleep, 1, 1},
    {"inject", do_inject, 1, 1},
    {"store-fault", do_store_fault, 0, 0},
    {"fault", do_fault, 0, 8},
    {"trace", do_trace, 1, 1},
    {"keys", do_keys, 1, 1},
    {"log", do_log, 1, 1},
    {"finish", do_finish, 0, 1},
    {"osmosis", do_version, 0, 1},
};

/* Arguments are the words behind the verb that have no '='. For `write`, `log` and their
 * like the first ones are taken as they are. */
static void take_arguments(struct command *c, u32 first, u32 least)
{
    for (u32 i = first + 1; i < c->w->count && c->count < ARRAY_SIZE(c->argument); i++) {
        if (c->w->value[i] && c->count >= least)
            continue;
        c->argument[c->count++] = c->w->word[i];
        c->w->taken[i] = true;
    }
}

bool command_run(struct words *w, u32 first, struct json *answer, char *why)
{
    struct command c = {.w = w, .answer = answer, .why = why};

    why[0] = 0;
    for (u32 i = 0; i <= first; i++)
        w->taken[i] = true;
    for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
        if (strcmp(table[i].name, w->word[first]) != 0)
            continue;
        if (table[i].fn != do_fault)
            take_arguments(&c, first, table[i].least);
        if (c.count < table[i].least || c.count > table[i].most)
            return command_refuse(&c, "%s takes %u to %u words", table[i].name, table[i].least,
                                  table[i].most);
        return table[i].fn(&c) && command_all_taken(&c);
    }
    return command_refuse(&c, "there is no command %s", w->word[first]);
}

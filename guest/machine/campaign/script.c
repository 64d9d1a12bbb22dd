/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What scripts are written with: messages in the process's memory, the start record, and the
 * questions to a switchboard.
 */
#include "guest/machine/campaign/script.h"
#include <stdio.h>
#include <string.h>
#include "base/bytes.h"
#include "base/memory.h"
#include "guest/kernel/control.h"
#include "guest/lib/switchboard.h"
#include "guest/machine/protocol.h"

bool script_argument(struct sim_process *p, u32 index, char *text, size_t room)
{
    struct demos_start start;
    char args[512];
    const char *at = args;

    if (!sim_peek(p, DEMOS_START_PAGE, &start, sizeof(start)) || index >= start.argc ||
        start.args_len > sizeof(args) ||
        !sim_peek(p, DEMOS_START_PAGE + start.args, args, start.args_len))
        return false;
    while (index--)
        at += strlen(at) + 1;
    return (size_t)snprintf(text, room, "%s", at) < room;
}

u64 script_number(struct sim_process *p, u32 index, u64 otherwise)
{
    char text[32];
    u64 value = 0;

    if (!script_argument(p, index, text, sizeof(text)))
        return otherwise;
    for (const char *c = text; *c >= '0' && *c <= '9'; c++)
        value = value * 10 + (u64)(*c - '0');
    return value;
}

s64 script_link(struct sim_process *p, const char *name)
{
    struct demos_start start;

    if (!sim_peek(p, DEMOS_START_PAGE, &start, sizeof(start)))
        return 0;
    for (u32 i = 0; i < start.link_count; i++)
        if (strncmp(start.links[i].name, name, DEMOS_NAME_MAX) == 0)
            return start.links[i].link;
    return 0;
}

static void put(struct sim_process *p, const struct script_message *m)
{
    struct {
        u8 words[8 * SCRIPT_WORDS];
        struct demos_info info;
    } out = {.info = {.count = m->link > 0, .links = {m->link}}};
    u32 unused = 8 * (SCRIPT_WORDS - m->count);

    for (u32 i = 0; i < m->count; i++) /* up to the info */
        be64_put(out.words + unused + 8 * i, m->words[i]);
    sim_poke(p, SCRIPT_OUT + unused, out.words + unused, sizeof(out) - unused);
}

/* Where a message of so many words begins. */
static u64 begins(const struct script_message *m)
{
    return SCRIPT_INFO - 8 * m->count;
}

static struct sim_call ask(struct sim_process *p, s64 link, u64 at, size_t len, u64 next)
{
    p->self[STEP] = next;
    return sim_call(DEMOS_CALL, (u64)link, at, demos_lens(len, SCRIPT_ROOM), SCRIPT_IN,
                    SCRIPT_INFO, DEMOS_FOREVER);
}

struct sim_call script_call(struct sim_process *p, s64 link, const struct script_message *m,
                            u64 next)
{
    put(p, m);
    return ask(p, link, begins(m), 8 * m->count, next);
}

struct sim_call script_reply(struct sim_process *p, s64 link, const struct script_message *m,
                             u64 next)
{
    put(p, m);
    p->self[STEP] = next;
    return sim_call(DEMOS_REPLY, (u64)link, begins(m), 8 * m->count, SCRIPT_INFO, DEMOS_FOREVER,
                    0);
}

struct sim_call script_receive(struct sim_process *p, u64 channels, u64 timeout, u64 next)
{
    p->self[STEP] = next;
    return sim_call(DEMOS_RECEIVE, channels, SCRIPT_IN, SCRIPT_ROOM, SCRIPT_INFO, timeout, 0);
}

struct sim_call script_print(struct sim_process *p, const char *line, u64 next)
{
    u8 text[SCRIPT_ROOM];
    struct demos_info info = {0};
    size_t len = MIN(strlen(line), sizeof(text) - 9);

    be64_put(text, CONSOLE_WRITE);
    memcpy(text + 8, line, len);
    text[8 + len] = '\n';
    sim_poke(p, SCRIPT_TEXT, text, len + 9);
    sim_poke(p, SCRIPT_INFO, &info, sizeof(info));
    return ask(p, script_link(p, "console"), SCRIPT_TEXT, len + 9, next);
}

struct sim_call script_make_link(struct sim_process *p, u32 kind, u32 attr, u32 channel,
                                 u64 code, u64 next)
{
    p->self[STEP] = next;
    return sim_call(DEMOS_CREATELINK, demos_spec(kind, attr, channel), code, 0, 0, 0, 0);
}

struct sim_call script_exit(s64 status)
{
    return sim_call(DEMOS_EXIT, (u64)status, 0, 0, 0, 0, 0);
}

struct script_came script_came(struct sim_process *p)
{
    struct script_came c = {0};

    sim_peek(p, SCRIPT_INFO, &c, sizeof(c));
    return c;
}

u64 script_word(const struct script_came *c, u32 index)
{
    return index < SCRIPT_WORDS && 8 * (index + 1) <= c->info.length
               ? be64_get(c->body + 8 * index)
               : 0;
}

void script_put_name(struct script_message *m, const char *name)
{
    u8 padded[DEMOS_NAME_MAX] = {0};

    memcpy(padded, name, strnlen(name, sizeof(padded)));
    for (u32 i = 0; i < sizeof(padded); i += 8)
        m->words[m->count++] = be64_get(padded + i);
}

struct sim_call script_ask_board(struct sim_process *p, s64 result, u64 first, u64 op,
                                 const char *name, s64 link)
{
    struct script_message m = {.words = {KERNEL_OP_SWITCHBOARD, SWITCHBOARD_NEAREST},
                               .count = 2};
    struct script_came c;

    if (p->self[STEP] == first)
        return script_call(p, script_link(p, "kernel"), &m, first + 1);
    c = script_came(p);
    if (result < 0 || !c.info.count)
        return script_exit(1);
    m = (struct script_message){.words = {op}, .count = 1, .link = link};
    script_put_name(&m, name);
    m.words[m.count++] = SWITCHBOARD_GLOBAL | (op == SWITCHBOARD_FIND ? SWITCHBOARD_WAIT : 0);
    return script_call(p, c.info.links[0], &m, first + SCRIPT_ASKING);
}

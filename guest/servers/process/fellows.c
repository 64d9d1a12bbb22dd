/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other machines' managers, found by name at the cluster's switchboard ("manager.MACHINE");
 * which machines there are is the memory manager's to say.
 */
#include "guest/lib/members.h"
#include "guest/lib/switchboard.h"
#include "guest/servers/process/manager.h"

#define LOOK_AGAIN_NS 200000000ull

static struct fellow {
    u64 machine;
    s64 link;
} fellows[BALANCE_PEERS_MAX];
static u32 count;

static const char *loads_name;
static s64 loads, memory;
static u64 looked_ns, known[BALANCE_PEERS_MAX];
static u32 known_count;
static bool looking;

static s64 find(const char *name)
{
    s64 link = demos_find(name, SWITCHBOARD_GLOBAL);

    return link > 0 ? link : 0;
}

s64 fellow(u64 machine)
{
    char name[DEMOS_NAME_MAX];
    struct fellow *f;

    if (!machine) {
        if (loads <= 0 && loads_name)
            loads = find(loads_name);
        return loads;
    }
    for (u32 i = 0; i < count; i++)
        if (fellows[i].machine == machine)
            return fellows[i].link;
    if (count == BALANCE_PEERS_MAX)
        fellow_lost(fellows[0].machine);
    format(name, sizeof name, "manager.%llu", (unsigned long long)machine);
    f = &fellows[count];
    *f = (struct fellow){machine, find(name)};
    count += f->link > 0;
    return f->link;
}

void fellow_lost(u64 machine)
{
    if (!machine && loads > 0) {
        demos_link_drop(loads);
        loads = 0;
    }
    for (u32 i = 0; i < count; i++) {
        if (fellows[i].machine != machine)
            continue;
        demos_link_drop(fellows[i].link);
        fellows[i--] = fellows[--count];
    }
}

void fellows_loads(const char *name)
{
    loads_name = name;
}

static void ask(u64 first)
{
    struct words w;

    words_start(&w, MEMBERS_LIST);
    words_put(&w, first);
    looking = demos_request(memory, w.bytes, 8 * w.count, sizeof w.bytes, CHANNEL_MEMBERS,
                            first) >= 0;
}

void fellows_look(u64 now_ns)
{
    if (looking || (looked_ns && now_ns - looked_ns < LOOK_AGAIN_NS))
        return;
    looked_ns = now_ns;
    memory = demos_link("memory") > 0 ? demos_link("memory")
             : memory > 0             ? memory
                                      : find("memory");
    if (memory > 0) {
        known_count = 0;
        ask(0);
    }
}

void fellows_known(struct balancer *b, const struct demos_info *info, struct words *w)
{
    u64 total, at = info->code;

    looking = false;
    if (info->kind != DEMOS_MSG_REPLY || words_get(w)) {
        memory = 0;
        return;
    }
    total = words_get(w);
    for (; w->at + MEMBERS_WORDS <= w->count; at++) {
        u64 machine = words_get(w);

        words_get(w);
        if (words_get(w) && known_count < BALANCE_PEERS_MAX)
            known[known_count++] = machine;
        for (u32 i = 3; i < MEMBERS_WORDS; i++)
            words_get(w);
    }
    if (at < total && at > info->code)
        ask(at);
    else
        balance_peers(b, known, known_count);
}

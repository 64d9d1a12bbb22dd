/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other machines' managers, found by name at the cluster's switchboard ("manager.MACHINE");
 * which machines there are is the memory managers' to say, one after the other.
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

/* Memory managers: by the link "memory", if we have that and no names, else by name. */
enum { MEMORIES_MAX = 8 };
static struct {
    const char *name;
    s64 link;
} memories[MEMORIES_MAX] = {{"memory", 0}};
static u32 memory_count, asked;

static const char *loads_name;
static s64 loads;
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

bool fellows_over(const char *name)
{
    if (memory_count == MEMORIES_MAX)
        return false;
    memories[memory_count++].name = name;
    return true;
}

static s64 memory_link(u32 i)
{
    if (!memory_count && demos_link("memory") > 0)
        return demos_link("memory");
    if (memories[i].link <= 0)
        memories[i].link = find(memories[i].name);
    return memories[i].link;
}

/* The manager being asked lists its machines from `first` on; false: it cannot be asked. */
static bool ask(u64 first)
{
    s64 link = memory_link(asked);
    struct words w;

    words_start(&w, MEMBERS_LIST);
    words_put(&w, first);
    return link > 0 && demos_request(link, w.bytes, 8 * w.count, sizeof w.bytes,
                                     CHANNEL_MEMBERS, first) >= 0;
}

/* The next one that can be asked, from manager `from` on. */
static bool ask_on(u32 from)
{
    for (asked = from; asked < MAX(memory_count, 1u); asked++)
        if (ask(0))
            return true;
    return false;
}

void fellows_look(u64 now_ns)
{
    if (looking || (looked_ns && now_ns - looked_ns < LOOK_AGAIN_NS))
        return;
    looked_ns = now_ns;
    known_count = 0;
    looking = ask_on(0);
}

static void lost(void)
{
    if (memories[asked].link > 0)
        demos_link_drop(memories[asked].link);
    memories[asked].link = 0;
}

/* Rows of a list from row `at` on: the first that was not among them. */
static u64 take_rows(struct words *w, u64 at)
{
    for (; w->at + MEMBERS_WORDS <= w->count; at++) {
        u64 machine = words_get(w);

        words_get(w);
        if (words_get(w) && known_count < BALANCE_PEERS_MAX)
            known[known_count++] = machine;
        for (u32 i = 3; i < MEMBERS_WORDS; i++)
            words_get(w);
    }
    return at;
}

void fellows_known(struct balancer *b, const struct demos_info *info, struct words *w)
{
    if (info->kind != DEMOS_MSG_REPLY || words_get(w)) {
        lost();
    } else {
        u64 total = words_get(w), at = take_rows(w, info->code);

        if (at < total && at > info->code && ask(at))
            return;
    }
    looking = ask_on(asked + 1);
    if (!looking && known_count)
        balance_peers(b, known, known_count);
}

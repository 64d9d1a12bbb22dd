/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the switchboard is. A link with the SWITCHBOARD attribute leads to none in
 * particular: each message over it goes to the one registered on the sender's node, else to
 * the cluster's, whose location travels with the network's announcements. Its code says
 * which of the two is meant (enum switchboard_scope).
 *
 * There is one cluster-wide switchboard. Each registration has a number, one more than the
 * last one heard of; the highest number counts, and of two that were made at the same time
 * the one of the lowest machine. Whoever announced one goes on announcing what counts.
 *
 * Announcement, big-endian: 0 version u8, kind u8, attr u16; 4 number u32; 8 id of the
 * process (u32, u32, u64); 24 code u64, 32 check u64; 40 machine u32, incarnation u32,
 * moves u16, channel u16.
 */
#include "base/bytes.h"
#include "guest/kernel/core.h"

enum { ANNOUNCE_BYTES = 52, ANNOUNCE_VERSION = 1 };
_Static_assert((u32)ANNOUNCE_BYTES <= (u32)NET_ANNOUNCE_MAX, "travels in one announcement");

static bool present(const struct link *l)
{
    return l->to.machine != NO_MACHINE;
}

/* A link that messages of others may be sent over in its place. */
static bool suitable(const struct link *l)
{
    return (l->kind == DEMOS_REQUEST_LINK || l->kind == DEMOS_RESOURCE) &&
           l->attr & DEMOS_DUP &&
           !(l->attr & (DEMOS_TOKERNEL | DEMOS_SWITCHBOARD | DEMOS_ONCE)) &&
           l->to.machine != NO_MACHINE && l->channel < DEMOS_CHANNELS;
}

const struct link *switchboard_of(const struct node *n, const struct link *l)
{
    const struct switchboards *s = &n->switchboards;

    if (l->code == SWITCHBOARD_NEAREST && present(&s->local))
        return &s->local;
    return present(&s->global) ? &s->global : NULL;
}

void switchboard_link(const struct node *n, u64 scope, struct link *l)
{
    node_kernel_link(n, KERNEL_PROCESS, l);
    l->attr |= DEMOS_SWITCHBOARD;
    l->code = scope;
}

static void announce(struct node *n)
{
    const struct link *l = &n->switchboards.global;
    u8 bytes[ANNOUNCE_BYTES] = {ANNOUNCE_VERSION, l->kind};

    if (!n->net || !n->switchboards.announces || !present(l))
        return;
    be16_put(bytes + 2, l->attr);
    be32_put(bytes + 4, n->switchboards.number);
    be32_put(bytes + 8, l->to.machine);
    be32_put(bytes + 12, l->to.epoch);
    be64_put(bytes + 16, l->to.serial);
    be64_put(bytes + 24, l->code);
    be64_put(bytes + 32, l->check);
    be32_put(bytes + 40, l->hint);
    be32_put(bytes + 44, l->incarnation);
    be16_put(bytes + 48, l->moves);
    be16_put(bytes + 50, l->channel);
    net_announce(n->net, bytes, sizeof(bytes));
}

void switchboard_again(struct node *n)
{
    announce(n);
}

static bool counts(const struct switchboards *s, u32 number, const struct link *l)
{
    if (number != s->number)
        return number > s->number;
    return present(&s->global) && l->to.machine < s->global.to.machine;
}

static void set_global(struct node *n, u32 number, const struct link *l)
{
    n->switchboards.global = *l;
    n->switchboards.number = number;
    threads_wake(n, &n->switchboards.waiters);
}

/* Others still know the one of our last life: the one of this life, if any, is newer. */
static void outlived(struct node *n, u32 number)
{
    struct switchboards *s = &n->switchboards;

    if (number < s->number)
        return;
    s->number = number + present(&s->global);
    announce(n);
}

void node_announced(struct node *n, const void *bytes, size_t len)
{
    const u8 *b = bytes;
    struct link l;
    u32 number;

    if (len != ANNOUNCE_BYTES || b[0] != ANNOUNCE_VERSION)
        return;
    number = be32_get(b + 4);
    l = (struct link){
        .to = {be32_get(b + 8), be32_get(b + 12), be64_get(b + 16)},
        .code = be64_get(b + 24),
        .check = be64_get(b + 32),
        .hint = be32_get(b + 40),
        .incarnation = be32_get(b + 44),
        .moves = be16_get(b + 48),
        .channel = be16_get(b + 50),
        .attr = be16_get(b + 2),
        .kind = b[1],
    };
    if (!suitable(&l))
        return;
    if (l.to.machine == n->config.machine && l.to.epoch < n->config.epoch) {
        outlived(n, number);
        return;
    }
    if (counts(&n->switchboards, number, &l)) {
        set_global(n, number, &l);
        announce(n);
    } else if (number < n->switchboards.number ||
               !process_id_equal(&l.to, &n->switchboards.global.to)) {
        announce(n); /* somebody has not heard of ours */
    }
    kernel_work(n);
}

static s64 register_global(struct node *n, struct link *l, bool replace)
{
    struct switchboards *s = &n->switchboards;

    if (present(&s->global) && !replace)
        return DEMOS_E_STATE;
    s->announces = true;
    set_global(n, s->number + 1, l);
    announce(n);
    return 0;
}

static void set_local(struct node *n, const struct link *l)
{
    struct link old = n->switchboards.local;

    n->switchboards.local = *l;
    if (present(&old))
        link_drop(n, &old);
    threads_wake(n, &n->switchboards.waiters);
}

s64 switchboard_register(struct node *n, struct message *m)
{
    static const struct link none = {.to = {NO_MACHINE, 0, 0}};
    u64 scope = request_word(m, 1);
    bool replace = request_word(m, 2) & SWITCHBOARD_REPLACE;
    struct link l;

    if (m->sender_machine != n->config.machine)
        return DEMOS_E_REFUSED;
    if (scope > SWITCHBOARD_CLUSTER || (scope == SWITCHBOARD_CLUSTER && !m->link_count))
        return DEMOS_E_ARGUMENT;
    if (m->link_count && !suitable(&m->links[0]))
        return DEMOS_E_KIND;
    if (scope == SWITCHBOARD_NEAREST && present(&n->switchboards.local) && m->link_count &&
        !replace)
        return DEMOS_E_STATE;
    if (scope == SWITCHBOARD_CLUSTER && present(&n->switchboards.global) && !replace)
        return DEMOS_E_STATE;
    l = m->link_count ? request_take_link(m, 0) : none;
    if (scope == SWITCHBOARD_CLUSTER)
        return register_global(n, &l, replace);
    set_local(n, &l);
    return 0;
}

u32 switchboard_update(struct node *n, const struct process_id *id, u32 machine)
{
    struct link *links[] = {&n->switchboards.local, &n->switchboards.global};
    u32 changed = 0;

    for (u32 i = 0; i < ARRAY_SIZE(links); i++) {
        if (!present(links[i]) || !process_id_equal(&links[i]->to, id))
            continue;
        changed += links[i]->hint != machine;
        links[i]->hint = machine;
    }
    return changed;
}

void switchboard_ended(struct node *n, const struct process_id *id)
{
    struct switchboards *s = &n->switchboards;

    if (process_id_equal(&s->local.to, id))
        s->local.to.machine = NO_MACHINE;
    if (process_id_equal(&s->global.to, id))
        s->global.to.machine = NO_MACHINE;
}

void switchboard_machine_dead(struct node *n, u32 machine)
{
    struct switchboards *s = &n->switchboards;

    if (s->local.hint == machine)
        s->local.to.machine = NO_MACHINE;
    if (s->global.hint == machine)
        s->global.to.machine = NO_MACHINE;
}

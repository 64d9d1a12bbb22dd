/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that leave this node or come to it. A process that is not here is looked for
 * where the link's hint says, then where it was made; forwarding addresses pass messages
 * on and tell the sender's kernel. Machines are all that the network knows of us.
 *
 * The network keeps messages between two machines in order and loses none; what it has no
 * room for waits in the peer's backlog, and senders wait until that is gone.
 */
#include "guest/kernel/park.h"

static struct peer *peer_find(const struct node *n, u32 machine)
{
    list_for_each(node, &n->peers)
    {
        struct peer *p = list_entry(node, struct peer, all);

        if (p->machine == machine)
            return p;
    }
    return NULL;
}

struct peer *remote_peer(struct node *n, u32 machine)
{
    struct peer *p = peer_find(n, machine);

    if (p && n->peers.next != &p->all) {
        list_remove(&p->all); /* those we talk to are found first */
        list_push_front(&n->peers, &p->all);
    }
    if (p)
        return p;
    p = node_alloc(n, sizeof(*p), true);
    if (!p)
        machine_stop(n, "no memory for another machine's state");
    p->machine = machine;
    list_init(&p->backlog);
    list_init(&p->waiters);
    list_push_front(&n->peers, &p->all);
    return p;
}

/* True when the network took it, or it can only be dropped. */
static bool send_now(struct node *n, struct message *m, u32 machine)
{
    enum net_class class = m->class == MESSAGE_TIMELY ? NET_UNGUARANTEED : NET_GUARANTEED;
    u8 head[MESSAGE_HEAD_MAX];
    size_t len = message_encode(m, head);
    enum net_result sent = net_send(n->net, machine, class, head, len, m->body, m->length);

    if (sent == NET_FULL || sent == NET_NO_MEMORY)
        return class == NET_UNGUARANTEED;
    return true;
}

bool peer_gone(const struct node *n, u32 machine, u32 epoch)
{
    const struct peer *p = machine == n->config.machine ? NULL : peer_find(n, machine);

    if (!p)
        return machine == n->config.machine && epoch && epoch < n->config.epoch &&
               !boot_is_ours(n, epoch);
    if (!epoch)
        return p->dead_epoch && p->dead_epoch >= p->epoch;
    return p->dead_epoch >= epoch || p->epoch > epoch;
}

u32 peer_boot(const struct node *n, u32 machine)
{
    const struct peer *p = machine == n->config.machine ? NULL : peer_find(n, machine);

    return p ? p->epoch : machine == n->config.machine ? n->config.epoch : 0;
}

void transmit_back(struct node *n, struct message *m, u32 machine)
{
    struct peer *p = remote_peer(n, machine);

    if (p->dead_epoch && p->dead_epoch >= p->epoch) {
        if (m->class == MESSAGE_KERNEL)
            message_free(n, m);
        else
            message_dead(n, m);
    } else if (list_empty(&p->backlog) && send_now(n, m, machine)) {
        message_free(n, m);
    } else {
        list_push_back(&p->backlog, &m->queue);
    }
}

void transmit(struct node *n, struct message *m, u32 machine)
{
    if (m->flags & MESSAGE_HAS_REPLY || m->link_count)
        replies_leave(n, m, machine);
    transmit_back(n, m, machine);
}

void kernel_about(struct message *m, const struct process_id *about)
{
    be64_put(m->body, (u64)about->machine << 32 | about->epoch);
    be64_put(m->body + 8, about->serial);
}

void kernel_fill(struct node *n, struct message *m, u32 machine, enum kernel_message kind,
                 const struct process_id *about, u64 a, u64 b, u64 c)
{
    message_from(n, NULL, m);
    m->class = MESSAGE_KERNEL;
    m->kind = (u8)kind;
    m->target = (struct process_id){machine, 0, 0};
    m->target_incarnation = 0;
    m->code = m->check = 0;
    m->channel = 0;
    kernel_about(m, about);
    be64_put(m->body + 16, a);
    be64_put(m->body + 24, b);
    be64_put(m->body + 32, c);
}

void kernel_send(struct node *n, u32 machine, enum kernel_message kind,
                 const struct process_id *about, u64 a, u64 b, u64 c)
{
    struct message *m = message_alloc(n, 40, 0, true);

    if (!m)
        machine_stop(n, "no memory for a message between kernels");
    kernel_fill(n, m, machine, kind, about, a, b, c);
    transmit(n, m, machine);
}

void kernel_place(struct node *n, u32 machine, enum kernel_message kind,
                  const struct process_id *about, const struct place *at, u64 c)
{
    kernel_send(n, machine, kind, about, at->machine, (u64)at->epoch << 32 | at->moves, c);
}

/* Whoever sent it, and the machine it came by, know no better than to send it here. */
static void correct(struct node *n, const struct place *at, const struct message *m)
{
    struct process_id transfer = {0, 0, m->length >= 8 ? be64_get(m->body) : 0};

    if (m->class == MESSAGE_KERNEL && m->kind == KERNEL_MSG_MOVE) {
        kernel_place(n, m->sender_machine, KERNEL_MSG_MOVE_AT, &transfer, at, 0);
        return;
    }
    if (m->class != MESSAGE_USER)
        return;
    if (m->sender_machine == n->config.machine)
        links_update(n, &m->target, at, n->config.machine);
    else
        kernel_place(n, m->sender_machine, KERNEL_MSG_UPDATE, &m->target, at, 0);
    if (m->via != NO_MACHINE && m->via != m->sender_machine)
        kernel_place(n, m->via, KERNEL_MSG_UPDATE, &m->target, at, 0);
}

void send_on(struct node *n, const struct place *at, struct message *m)
{
    struct place there = *at; /* links and addresses may change under `at` */

    n->count.forwarded++;
    trace(n, KERNEL_T_forward, m->target.serial, there.machine, m->sequence);
    correct(n, &there, m);
    m->flags |= MESSAGE_FORWARDED;
    transmit(n, m, there.machine);
}

void nobody(struct node *n, struct message *m)
{
    if (m->class != MESSAGE_KERNEL) {
        message_dead(n, m);
        return;
    }
    if (m->kind == KERNEL_MSG_FENCE)
        fence_gone(n, m->sender_machine, &m->target, (u32)be64_get(m->body + 24));
    else if (m->kind == KERNEL_MSG_MOVE)
        bulk_refuse(n, m, DEMOS_E_DEAD);
    message_free(n, m);
}

static bool usable(const struct node *n, u32 hint)
{
    return hint != n->config.machine && hint != NO_MACHINE && !peer_gone(n, hint, 0);
}

static u32 destination(const struct node *n, const struct process_id *to, u32 hint)
{
    return usable(n, hint) ? hint : to->machine;
}

bool remote_ready(struct node *n, const struct process_id *to, u32 hint, bool reply,
                  struct list **waiters)
{
    struct park *park = park_find(n, to);
    struct peer *p;

    if (park && (park->moved || !reply)) {
        *waiters = &park->waiters;
        return false;
    }
    *waiters = locate_waiters(n, to);
    if (*waiters && !reply)
        return false;
    p = peer_find(n, destination(n, to, hint));
    if (!p || list_empty(&p->backlog))
        return true;
    *waiters = &p->waiters;
    return false;
}

/* What passes through waits with all else that does. Of our own, the reply has a place at
 * its target and passes what found no room there, and what has been on its way already is
 * ahead of what waits. */
static bool waits(const struct node *n, const struct park *park, const struct message *m)
{
    if (m->sender_machine != n->config.machine)
        return park->transit;
    return m->class == MESSAGE_USER && !(m->flags & MESSAGE_FORWARDED) &&
           (park->moved || !(m->flags & MESSAGE_RESERVED || m->channel == LINK_CHANNEL_CALL));
}

/* By a forwarding address: made shorter first, where it is known to lead to another one.
 * False: what it leads to has died. */
static bool forwarded(struct node *n, struct forward *f, struct message *m, u32 hint)
{
    const struct place *at = forward_way(n, f);

    if (!at)
        return false;
    if (f->latest.machine != at->machine && m->class == MESSAGE_USER && !park_find(n, &f->id) &&
        !peer_gone(n, f->latest.machine, f->latest.epoch)) {
        park_transit(n, f);
        list_push_back(&park_find(n, &f->id)->held, &m->queue);
    } else if (m->sender_machine == n->config.machine && hint == at->machine) {
        m->flags |= MESSAGE_FORWARDED;
        transmit(n, m, hint);
    } else {
        send_on(n, at, m);
    }
    return true;
}

/* Where a message goes for which there is no forwarding address, or (`broken`) a bad one:
 * where its link says, then where its target was made, whose word is final. Our own
 * machine: nowhere, it is dead. NO_MACHINE: those who would know have died themselves. */
static u32 next_machine(const struct node *n, const struct message *m, u32 hint, bool broken)
{
    const struct process_id *to = &m->target;
    bool made_here = to->machine == n->config.machine && boot_is_ours(n, to->epoch);

    if (!to->serial)
        return peer_gone(n, to->machine, to->epoch) ? n->config.machine : to->machine;
    if (!(m->flags & MESSAGE_FORWARDED) && usable(n, hint))
        return hint;
    if ((made_here && !broken) || locate_gone(n, to))
        return n->config.machine;
    if (to->machine != n->config.machine && m->via != to->machine &&
        !peer_gone(n, to->machine, to->epoch))
        return to->machine;
    return NO_MACHINE;
}

void remote_unknown(struct node *n, struct message *m, u32 hint)
{
    struct forward *f = forward_find(n, &m->target);
    struct park *park = park_find(n, &m->target);
    u32 machine;

    if (park && waits(n, park, m)) {
        list_push_back(&park->held, &m->queue);
        return;
    }
    if (!n->net) {
        nobody(n, m);
        return;
    }
    if (locate_holds(n, m) || (f && forwarded(n, f, m, hint)))
        return;
    machine = next_machine(n, m, hint, f);
    if (machine == n->config.machine ||
        (machine == NO_MACHINE && m->class == MESSAGE_KERNEL && m->kind == KERNEL_MSG_HELD)) {
        nobody(n, m);
    } else if (machine == NO_MACHINE) {
        locate(n, m);
    } else {
        if (m->sender_machine != n->config.machine)
            m->flags |= MESSAGE_FORWARDED; /* sent to us by mistake: on to where it was made */
        transmit(n, m, machine);
    }
}

static bool forged(const struct task *t, const struct message *m)
{
    struct link l = {.channel = (u16)m->channel, .code = m->code};

    return t->key && m->check >> 32 != link_check(&l, t->key) >> 32;
}

static void arrive(struct node *n, struct message *m)
{
    struct task *t = m->target.serial ? node_find(n, &m->target) : NULL;
    bool to_kernel = m->class == MESSAGE_KERNEL &&
                     (m->kind == KERNEL_MSG_LOCATE || m->kind == KERNEL_MSG_MIGRATION ||
                      !m->target.serial);
    bool bounces = m->class == MESSAGE_USER && !(m->attr & DEMOS_TOKERNEL) &&
                   !(m->flags & MESSAGE_RESERVED) && m->channel != LINK_CHANNEL_CALL;

    if (to_kernel) {
        list_push_back(&n->work, &m->queue);
        return;
    }
    if (!t && !m->target.serial && m->target.machine == n->config.machine && !m->target.epoch)
        m->target.epoch = n->config.epoch; /* to the kernel of now, whichever boot it is */
    if (!t) {
        if (!migrate_keep(n, m))
            route(n, m, n->config.machine);
        return;
    }
    if (t->arriving && hold_back(n, m))
        return;
    if (m->class == MESSAGE_USER && m->kind != DEMOS_MSG_NOTICE && forged(t, m)) {
        message_dead(n, m);
        return;
    }
    if (m->class == MESSAGE_TIMELY &&
        !queue_has_room(t, message_cost(m->length, m->link_count)))
        message_dead(n, m);
    else if (bounces && must_bounce(n, t, m))
        bounce(n, t, m);
    else
        deliver(n, t, m);
}

void net_up_message(struct net *net, machine_t from, u32 epoch, enum net_class class,
                    const void *bytes, size_t len)
{
    struct node *n = net_owner(net);
    struct peer *p = remote_peer(n, from);
    struct message *m;
    int error;

    (void)class;
    if (p->dead_epoch >= epoch)
        return; /* an old life speaks */
    p->epoch = MAX(p->epoch, epoch);
    m = message_decode(n, bytes, len, &error);
    if (!m) {
        if (error)
            machine_stop(n, "no memory for an arriving message");
        return;
    }
    m->via = from;
    if (m->flags & MESSAGE_BOUNCED)
        came_back(n, m, from);
    else
        arrive(n, m);
    kernel_work(n);
}

void net_up_room(struct net *net, machine_t to)
{
    struct node *n = net_owner(net);
    struct peer *p = remote_peer(n, to);

    while (!list_empty(&p->backlog)) {
        struct message *m = list_entry(p->backlog.next, struct message, queue);

        if (!send_now(n, m, to))
            return;
        list_remove(&m->queue);
        message_free(n, m);
    }
    threads_wake(n, &p->waiters);
}

void net_up_reachable(struct net *net, machine_t machine, u32 epoch, bool reachable)
{
    struct peer *p = remote_peer(net_owner(net), machine);

    if (reachable) /* nobody is declared dead by a timer, but a new life may begin */
        p->epoch = MAX(p->epoch, epoch);
}

static void drop_all(struct node *n, struct list *messages)
{
    struct list *node;

    while ((node = list_pop_front(messages)) != NULL)
        message_dead(n, list_entry(node, struct message, queue));
}

/* What never left for a machine that is no more may find its target elsewhere. */
static void send_elsewhere(struct node *n, struct list *messages)
{
    struct list away, *node;

    list_init(&away);
    while ((node = list_pop_front(messages)) != NULL)
        list_push_back(&away, node);
    while ((node = list_pop_front(&away)) != NULL) {
        struct message *m = list_entry(node, struct message, queue);

        if (m->flags & MESSAGE_BOUNCED)
            message_dead(n, m);
        else if (!m->target.serial)
            nobody(n, m);
        else
            route(n, m, NO_MACHINE);
    }
}

static void declare_dead(struct node *n, u32 machine, u32 epoch)
{
    struct peer *p = remote_peer(n, machine);

    if (epoch <= p->dead_epoch || machine == n->config.machine)
        return;
    p->dead_epoch = epoch;
    if (n->net)
        net_declare_dead(n->net, machine, epoch);
    if (p->epoch <= epoch) {
        send_elsewhere(n, &p->backlog);
        switchboard_machine_dead(n, machine);
        keeper_machine_dead(n, machine);
    }
    parks_dead(n, machine);
    bulk_machine_dead(n);
    migrate_machine_dead(n);
    forwards_dead(n);
    asked_check_all(n);
    locate_dead(n);
    threads_wake(n, &p->waiters);
}

void node_declare_dead(struct node *n, u32 machine, u32 epoch)
{
    declare_dead(n, machine, epoch);
    kernel_work(n);
}

s64 remote_members(struct node *n, const struct message *m)
{
    for (u32 i = 2; request_word(m, i); i += 2) {
        u32 machine = (u32)(request_word(m, i) >> 32), epoch = (u32)request_word(m, i);

        if (machine == n->config.machine || machine >= NET_EVERYBODY || !epoch)
            continue;
        if (request_word(m, i + 1)) {
            struct peer *p = remote_peer(n, machine);

            p->epoch = MAX(p->epoch, epoch);
        } else {
            declare_dead(n, machine, epoch);
        }
    }
    n->members = n->members || request_word(m, 1) & MEMBERS_ALL;
    locate_dead(n);
    return 0;
}

void remote_forget(struct node *n)
{
    migrate_machine_dead(n);
    bulk_machine_dead(n);
    parks_free(n);
    locate_free(n);
    list_for_each(node, &n->peers)
    {
        struct peer *p = list_entry(node, struct peer, all);

        drop_all(n, &p->backlog);
        threads_wake(n, &p->waiters);
    }
}

void remote_free(struct node *n)
{
    struct list *node;

    migrate_free(n);
    bulk_free(n);
    parks_free(n);
    locate_free(n);
    forwards_free(n);
    while ((node = list_pop_front(&n->peers)) != NULL) {
        struct peer *p = list_entry(node, struct peer, all);

        drop_all(n, &p->backlog);
        node_free(n, p, sizeof(*p));
    }
}

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

    if (p) {
        list_remove(&p->all); /* those we talk to are found first */
        list_push_front(&n->peers, &p->all);
        return p;
    }
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

static void nobody(struct node *n, struct message *m);

void transmit(struct node *n, struct message *m, u32 machine)
{
    struct peer *p = remote_peer(n, machine);

    if (list_empty(&p->backlog) && send_now(n, m, machine))
        message_free(n, m);
    else
        list_push_back(&p->backlog, &m->queue);
}

static struct forward *forward_find(const struct node *n, const struct process_id *id)
{
    list_for_each(node, &n->forwards)
    {
        struct forward *f = list_entry(node, struct forward, all);

        if (process_id_equal(&f->id, id))
            return f;
    }
    return NULL;
}

bool forward_add(struct node *n, const struct process_id *id, u32 machine)
{
    struct forward *f = forward_find(n, id);

    if (!f) {
        f = node_alloc(n, sizeof(*f), true);
        if (!f)
            return false;
        f->id = *id;
        list_push_back(&n->forwards, &f->all);
    }
    f->machine = machine;
    return true;
}

void forward_remove(struct node *n, const struct process_id *id)
{
    struct forward *f = forward_find(n, id);

    if (!f)
        return;
    list_remove(&f->all);
    node_free(n, f, sizeof(*f));
}

void kernel_send(struct node *n, u32 machine, enum kernel_message kind,
                 const struct process_id *about, u64 word)
{
    struct message *m = message_alloc(n, 24, 0, true);

    if (!m)
        machine_stop(n, "no memory for a message between kernels");
    message_from(n, NULL, m);
    m->class = MESSAGE_KERNEL;
    m->kind = (u8)kind;
    m->target = (struct process_id){machine, 0, 0};
    m->target_incarnation = 0;
    m->code = m->check = 0;
    m->channel = 0;
    kernel_words(m, about, word);
    transmit(n, m, machine);
}

void kernel_words(struct message *m, const struct process_id *about, u64 word)
{
    be64_put(m->body, (u64)about->machine << 32 | about->epoch);
    be64_put(m->body + 8, about->serial);
    be64_put(m->body + 16, word);
}

/* To where it moved; who did not know so is told. */
static void pass_on(struct node *n, const struct forward *f, struct message *m, u32 hint)
{
    bool ours = m->sender_machine == n->config.machine;

    if (!ours || hint != f->machine) {
        n->count.forwarded++;
        trace(n, KERNEL_T_forward, f->id.serial, f->machine, m->sequence);
        if (m->class == MESSAGE_USER && !ours)
            kernel_send(n, m->sender_machine, KERNEL_MSG_UPDATE, &f->id, f->machine);
        else if (m->class == MESSAGE_USER)
            links_update(n, &f->id, f->machine);
    }
    m->flags |= MESSAGE_FORWARDED;
    transmit(n, m, f->machine);
}

/* Nobody has it: the answer is as final as one can be had. */
static void nobody(struct node *n, struct message *m)
{
    if (m->class != MESSAGE_KERNEL) {
        message_dead(n, m);
        return;
    }
    if (m->kind == KERNEL_MSG_FENCE)
        fence_gone(n, m->sender_machine, &m->target);
    else if (m->kind == KERNEL_MSG_MOVE)
        bulk_refuse(n, m, DEMOS_E_DEAD);
    message_free(n, m);
}

static u32 destination(const struct node *n, const struct process_id *to, u32 hint)
{
    return hint == n->config.machine || hint == NO_MACHINE ? to->machine : hint;
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
    p = peer_find(n, destination(n, to, hint));
    if (!p || list_empty(&p->backlog))
        return true;
    *waiters = &p->waiters;
    return false;
}

/* The reply has a place of its own at its target, so it passes what found no room there. */
static bool waits(const struct park *park, const struct message *m)
{
    return m->class == MESSAGE_USER &&
           (park->moved || !(m->flags & MESSAGE_RESERVED || m->channel == LINK_CHANNEL_CALL));
}

void remote_unknown(struct node *n, struct message *m, u32 hint)
{
    const struct forward *f = forward_find(n, &m->target);
    u32 machine = destination(n, &m->target, hint);
    struct park *park = park_find(n, &m->target);
    struct peer *p;

    if (park && waits(park, m) && m->sender_machine == n->config.machine) {
        list_push_back(&park->held, &m->queue);
        return;
    }
    if (f && n->net) {
        pass_on(n, f, m, hint);
        return;
    }
    p = peer_find(n, machine);
    if (!n->net || machine == n->config.machine || m->flags & MESSAGE_FORWARDED ||
        (p && m->target.epoch && p->dead_epoch >= m->target.epoch &&
         m->target.machine == machine)) {
        nobody(n, m);
        return;
    }
    if (m->sender_machine != n->config.machine)
        m->flags |= MESSAGE_FORWARDED; /* sent to us by mistake: on to where it was made */
    transmit(n, m, machine);
}

static bool forged(const struct task *t, const struct message *m)
{
    struct link l = {.channel = m->channel, .code = m->code};

    return t->key && m->check >> 32 != link_check(&l, t->key) >> 32;
}

static void arrive(struct node *n, struct message *m)
{
    struct task *t = m->target.serial ? node_find(n, &m->target) : NULL;
    bool bounces = m->class == MESSAGE_USER && !(m->attr & DEMOS_TOKERNEL) &&
                   !(m->flags & MESSAGE_RESERVED) && m->channel != LINK_CHANNEL_CALL;

    if (!t && !m->target.serial && m->target.machine == n->config.machine && !m->target.epoch)
        m->target.epoch = n->config.epoch; /* to the kernel of now, whichever boot it is */
    if (!t) {
        if (!migrate_keep(n, m))
            route(n, m, n->config.machine);
        return;
    }
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
    p->epoch = epoch;
    m = message_decode(n, bytes, len, &error);
    if (!m) {
        if (error)
            machine_stop(n, "no memory for an arriving message");
        return;
    }
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

bool asked_add(struct node *n, struct task *t, const struct link *reply, u32 machine)
{
    struct asked *a = node_alloc(n, sizeof(*a), true);

    if (!a)
        return false;
    a->code = reply->code;
    a->channel = reply->channel;
    a->reserved = reply->base;
    a->machine = machine;
    list_push_back(&t->asked, &a->all);
    return true;
}

void asked_answered(struct node *n, struct task *t, const struct message *m)
{
    list_for_each(node, &t->asked)
    {
        struct asked *a = list_entry(node, struct asked, all);

        if (a->code != m->code || a->channel != m->channel)
            continue;
        list_remove(node);
        node_free(n, a, sizeof(*a));
        return;
    }
}

void asked_free(struct node *n, struct task *t)
{
    struct list *node;

    while ((node = list_pop_front(&t->asked)) != NULL)
        node_free(n, list_entry(node, struct asked, all), sizeof(struct asked));
}

static const struct asked *asked_of(const struct task *t, u32 machine)
{
    list_for_each(node, &t->asked)
    {
        const struct asked *a = list_entry(node, struct asked, all);

        if (a->machine == machine)
            return a;
    }
    return NULL;
}

/* REQUESTs to a machine that is no more are answered for it. */
static void answer_asked(struct node *n, struct task *t, u32 machine)
{
    const struct asked *a;

    while ((a = asked_of(t, machine)) != NULL) {
        struct link reply = {.to = t->id,
                             .code = a->code,
                             .base = a->reserved,
                             .hint = n->config.machine,
                             .incarnation = t->incarnation,
                             .channel = a->channel,
                             .kind = DEMOS_REPLY_LINK};

        notice(n, &reply, DEMOS_NOTICE_DEAD, NULL, 0); /* its arrival takes `a` away */
    }
}

/* Who waits for an answer from a machine that is no more has waited long enough. */
static void answer_waiters(struct node *n, u32 machine)
{
    for (u32 row = 0; row < n->row_count; row++) {
        struct task *t = n->rows[row];
        struct thread *th = t ? task_thread(t) : NULL;

        if (t && t->state != DEMOS_MIGRATING)
            answer_asked(n, t, machine);
        if (th && th->wait == WAIT_REPLY && th->wait_machine == machine && !th->delivered)
            thread_wake_error(n, th, DEMOS_E_DEAD);
    }
}

void node_declare_dead(struct node *n, u32 machine, u32 epoch)
{
    struct peer *p = remote_peer(n, machine);

    p->dead_epoch = MAX(p->dead_epoch, epoch);
    if (n->net)
        net_declare_dead(n->net, machine, epoch);
    drop_all(n, &p->backlog);
    parks_dead(n, machine);
    bulk_machine_dead(n, machine);
    migrate_machine_dead(n, machine);
    answer_waiters(n, machine);
    switchboard_machine_dead(n, machine);
    keeper_machine_dead(n, machine);
    threads_wake(n, &p->waiters);
    kernel_work(n);
}

void remote_free(struct node *n)
{
    struct list *node;

    migrate_free(n);
    bulk_free(n);
    parks_free(n);
    while ((node = list_pop_front(&n->peers)) != NULL) {
        struct peer *p = list_entry(node, struct peer, all);

        drop_all(n, &p->backlog);
        node_free(n, p, sizeof(*p));
    }
    while ((node = list_pop_front(&n->forwards)) != NULL)
        node_free(n, list_entry(node, struct forward, all), sizeof(struct forward));
}

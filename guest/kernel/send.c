/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEND, REQUEST, REPLY and CALL, the general way: check everything, find room, copy the
 * body once, and only then change anything. Until the commit a call may be tried again
 * from the start, which is how waiting for room or for a page works.
 */
#include "guest/kernel/hot.h"

struct sending {
    struct thread *thread;
    const u64 *args;
    struct task *task;
    struct link_slot *slot;
    const struct link *link; /* the slot's, or the switchboard it means; NULL: none known */
    struct task *target;     /* here, or NULL */
    u64 body, info_at, timeout;
    u64 reserve;   /* to set aside in my queue for the reply */
    u32 len, room; /* of body; for the reply */
    u32 channel;   /* of the reply */
    bool reply_wanted;
    struct demos_info *info; /* that goes with the message */
};

/* Which kinds of link each call takes. */
static const u8 kinds_of[DEMOS_CALLS] = {
    [DEMOS_SEND] = 1 << DEMOS_GENERAL | 1 << DEMOS_RESOURCE,
    [DEMOS_REQUEST] = 1 << DEMOS_REQUEST_LINK | 1 << DEMOS_RESOURCE,
    [DEMOS_CALL] = 1 << DEMOS_REQUEST_LINK | 1 << DEMOS_RESOURCE,
    [DEMOS_REPLY] = 1 << DEMOS_REPLY_LINK,
};
static const u8 message_kind_of[DEMOS_CALLS] = {
    [DEMOS_SEND] = DEMOS_MSG_GENERAL,
    [DEMOS_REQUEST] = DEMOS_MSG_REQUEST,
    [DEMOS_CALL] = DEMOS_MSG_REQUEST,
    [DEMOS_REPLY] = DEMOS_MSG_REPLY,
};

static s64 decode(struct sending *s)
{
    const u64 *a = s->args;
    u32 call = s->thread->call;
    u64 len = a[2], room = 0;

    s->body = a[1];
    s->info_at = a[call == DEMOS_CALL ? 4 : 3];
    s->timeout = a[call == DEMOS_CALL ? 5 : 4];
    s->reply_wanted = call == DEMOS_CALL || call == DEMOS_REQUEST;
    s->channel = LINK_CHANNEL_CALL;
    if (call == DEMOS_CALL) {
        len = (u32)a[2];
        room = a[2] >> 32;
    } else if (call == DEMOS_REQUEST) {
        room = (u32)a[5];
        s->channel = (u32)(a[5] >> 32);
        if (s->channel >= DEMOS_CHANNELS)
            return DEMOS_E_ARGUMENT;
        s->reserve = message_cost((u32)MIN(room, (u64)DEMOS_BODY_MAX), DEMOS_LINKS_MAX);
    }
    if (len > DEMOS_BODY_MAX)
        return DEMOS_E_LONG;
    s->len = (u32)len;
    s->room = (u32)MIN(room, (u64)DEMOS_BODY_MAX);
    return 0;
}

static s64 check_link(struct node *n, struct sending *s)
{
    s->slot = link_find(&s->task->links, (s64)s->args[0]);
    if (!s->slot)
        return DEMOS_E_LINK;
    if (!(kinds_of[s->thread->call] & 1 << s->slot->link.kind))
        return DEMOS_E_KIND;
    s->link = &s->slot->link;
    if (s->link->attr & DEMOS_SWITCHBOARD)
        s->link = switchboard_of(n, s->link);
    if (!s->link && !n->net)
        return DEMOS_E_DEAD;            /* nobody can announce one */
    if (s->thread->call == DEMOS_REPLY) /* what the asker has no room for is cut off here */
        s->len = (u32)MIN((u64)s->len, s->slot->link.len);
    return 0;
}

static s64 check_passed(struct node *n, struct sending *s)
{
    enum machine_result got;

    if (!s->info_at) {
        *s->info = (struct demos_info){0};
        return 0;
    }
    got = machine_copy_in(n, s->task, s->info, s->info_at, sizeof(*s->info));
    if (got != MACHINE_OK)
        return access_error(got);
    if (s->info->count > DEMOS_LINKS_MAX)
        return DEMOS_E_ARGUMENT;
    for (u32 i = 0; i < s->info->count; i++) {
        struct link_slot *given = link_find(&s->task->links, s->info->links[i]);

        if (!given)
            return DEMOS_E_LINK;
        if (!(given->link.attr & DEMOS_GIVE) || s->slot->link.attr & DEMOS_TIMELY)
            return DEMOS_E_ALLOWED;
        if (given == s->slot && s->slot->link.attr & DEMOS_ONCE)
            return DEMOS_E_LINK; /* the message itself uses it up */
        if (given->link.attr & DEMOS_DUP)
            continue;
        for (u32 j = 0; j < i; j++) {
            if (s->info->links[j] == s->info->links[i])
                return DEMOS_E_LINK;
        }
    }
    return 0;
}

/* Waits on `waiters`, or says that there is no room, as the caller asked. */
static s64 no_room(struct node *n, struct sending *s, struct list *waiters)
{
    if (s->timeout == DEMOS_NOW || (s->thread->wait == WAIT_ROOM && s->thread->wait_error)) {
        s64 said = s->timeout == DEMOS_NOW ? (s64)DEMOS_E_FULL : s->thread->wait_error;

        input(n, s->task, said);
        return said;
    }
    if (s->timeout != DEMOS_FOREVER && timer_room(n))
        return DEMOS_E_MEMORY;
    s->thread->wait_cost = message_cost(s->len, s->info->count);
    thread_wait(n, s->thread, WAIT_ROOM, s->timeout);
    list_push_back(waiters, &s->thread->run);
    return CALL_WAIT;
}

static s64 check_room(struct node *n, struct sending *s)
{
    const struct link *l = s->link;
    struct task *self = s->task;
    struct list *waiters;

    if (s->reserve &&
        self->queued_bytes + self->reserved_bytes + s->reserve > self->queue_limit)
        return DEMOS_E_MEMORY;
    if (!l)
        return no_room(n, s, &n->switchboards.waiters);
    s->target = node_find(n, &l->to);
    if (s->target && s->target->arriving) {
        remote_ready(n, &l->to, l->hint, false, &waiters);
    } else if (s->target) {
        if (l->kind == DEMOS_REPLY_LINK || l->attr & DEMOS_TOKERNEL ||
            queue_has_room(s->target, message_cost(s->len, s->info->count)))
            return 0;
        waiters = &s->target->senders;
        s->target->awaited = true;
    } else if (remote_ready(n, &l->to, l->hint, l->kind == DEMOS_REPLY_LINK, &waiters)) {
        return 0;
    }
    return l->attr & DEMOS_TIMELY ? DEMOS_E_FULL : no_room(n, s, waiters);
}

void message_to_link(struct message *m, const struct link *l)
{
    m->target = l->to;
    m->target_incarnation = l->incarnation;
    m->code = l->code;
    m->check = l->check;
    m->channel = l->channel;
    m->attr = l->attr;
    if (l->kind == DEMOS_REPLY_LINK) {
        m->flags |= l->channel == LINK_CHANNEL_CALL ? MESSAGE_IN_CALL : MESSAGE_RESERVED;
        m->reserved = (u32)l->base;
    }
}

void message_from(struct node *n, struct task *t, struct message *m)
{
    m->sender_machine = n->config.machine;
    if (!t) {
        m->sender = (struct process_id){n->config.machine, n->config.epoch, 0};
        m->sender_incarnation = 0;
        m->sequence = m->previous = 0;
        return;
    }
    m->sender = t->id;
    m->sender_incarnation = t->incarnation;
    m->sequence = ++t->sequence;
    m->previous = previous(t, &m->target, m->sequence);
    t->count.sent++;
    t->count.sent_bytes += m->length;
    trace_by(n, KERNEL_T_send, &t->id, (u64)m->target.machine << 32 | (u32)m->target.serial,
             m->sequence);
}

static void add_reply_link(struct node *n, struct sending *s, struct message *m)
{
    struct task *t = s->task;
    bool call = s->thread->call == DEMOS_CALL;

    m->flags |= MESSAGE_HAS_REPLY;
    m->reply = (struct link){
        .to = t->id,
        .code = call ? ++t->calls : s->info->code,
        .base = s->reserve,
        .len = s->room,
        .hint = n->config.machine,
        .incarnation = t->incarnation,
        .channel = (u16)s->channel,
        .moves = (u16)t->moves,
        .attr = DEMOS_GIVE | DEMOS_ONCE,
        .kind = DEMOS_REPLY_LINK,
    };
    m->reply.check = link_check(&m->reply, t->key);
    t->reserved_bytes += s->reserve;
    if (call)
        m->flags |= MESSAGE_IN_CALL;
}

static void pass_links(struct node *n, struct sending *s, struct message *m)
{
    for (u32 i = 0; i < s->info->count; i++) {
        struct link_slot *given = link_find(&s->task->links, s->info->links[i]);

        m->links[i] = given->link;
        if (given->link.attr & DEMOS_TELLGIVE)
            notice(n, &given->link, DEMOS_NOTICE_GIVEN, NULL, 0);
        if (!(given->link.attr & DEMOS_DUP))
            link_remove(&s->task->links, given);
    }
}

/* Nothing waits where it goes, so the memory that messages take is not for this receiver's sake. */
static bool is_first(const struct node *n, const struct sending *s)
{
    const struct link *l = s->link;

    if (!s->target) /* a kernel process of this node reads at once */
        return !l->to.serial && l->to.machine == n->config.machine;
    return !s->target->queued || l->attr & DEMOS_TOKERNEL ||
           (l->kind == DEMOS_REPLY_LINK && l->channel == LINK_CHANNEL_CALL);
}

/* The message, its body copied, and nothing else changed yet. */
static s64 build(struct node *n, struct sending *s, struct message **built)
{
    struct message *m = message_alloc(n, s->len, s->info->count, false);
    enum machine_result got;

    if (!m && is_first(n, s))
        m = message_alloc_first(n, s->len, s->info->count);
    if (!m)
        return DEMOS_E_MEMORY;
    got = s->len ? machine_copy_in(n, s->task, m->body, s->body, s->len) : MACHINE_OK;
    if (got != MACHINE_OK) {
        message_free(n, m);
        return access_error(got);
    }
    *built = m;
    return 0;
}

static s64 commit(struct node *n, struct sending *s, struct message *m)
{
    struct link l = *s->link;
    struct thread *t = s->thread;
    u32 call = t->call;

    m->kind = message_kind_of[call];
    if (call == DEMOS_REPLY)
        m->whole = (u32)s->args[2];
    message_to_link(m, &l);
    if (l.attr & DEMOS_TIMELY)
        m->class = MESSAGE_TIMELY;
    message_from(n, s->task, m);
    if (m->flags & MESSAGE_IN_CALL || call == DEMOS_CALL)
        s->task->count.sent_in_call++;
    if (s->reply_wanted)
        add_reply_link(n, s, m);
    if (call == DEMOS_REQUEST && n->net)
        asked_add(n, s->task, &m->reply);
    if (l.kind == DEMOS_REPLY_LINK || l.attr & DEMOS_ONCE)
        link_remove(&s->task->links, s->slot);
    pass_links(n, s, m);
    if (call == DEMOS_CALL) {
        t->wait_serial = s->task->calls;
        t->wait_machine = NO_MACHINE; /* until it leaves for another one */
        t->wait_epoch = t->wait_hops = 0;
        thread_wait(n, t, WAIT_REPLY, s->timeout);
    }
    if (m->sequence > s->task->discard_until) {
        route(n, m, l.hint);
    } else { /* a replay: this one went out in an earlier life */
        message_free(n, m);
        replay_settle(n, s->task);
    }
    if (call == DEMOS_CALL && !list_empty(&s->task->feed))
        thread_wake(n, t); /* to look whether it ended without an answer */
    return call == DEMOS_CALL ? CALL_WAIT : 0;
}

static s64 send_once(struct node *n, struct sending *s)
{
    struct thread *t = s->thread;
    struct message *m = NULL;
    s64 error = decode(s);

    if (!error)
        error = check_link(n, s);
    if (!error)
        error = check_passed(n, s);
    if (!error && t->call == DEMOS_CALL && s->timeout != DEMOS_FOREVER)
        error = timer_room(n);
    if (!error && !input_fed(n, s->task, &error))
        error = check_room(n, s);
    if (!error)
        error = build(n, s, &m);
    if (error == DEMOS_E_FULL && s->slot->link.attr & DEMOS_TIMELY)
        return 0; /* may be lost, and is */
    return error ? error : commit(n, s, m);
}

s64 call_send(struct node *n, struct thread *t, const u64 *args)
{
    struct demos_info info; /* written whole once its link is found good */
    struct sending s = {.thread = t, .args = args, .task = t->task, .info = &info};
    bool again = t->wait == WAIT_ROOM;
    s64 said;

    said = send_once(n, &s);
    if (again && s.target && t->wait != WAIT_ROOM)
        queue_shrunk(n, s.target); /* used less than it was woken for, perhaps */
    return said;
}

void route(struct node *n, struct message *m, u32 hint)
{
    struct task *t;

    if (!m->target.serial && m->target.machine == n->config.machine) {
        if (boot_is_ours(n, m->target.epoch))
            list_push_back(&n->work, &m->queue);
        else
            message_dead(n, m);
        return;
    }
    t = node_find(n, &m->target);
    if (t && !(t->arriving && hold_back(n, m)))
        deliver(n, t, m);
    else if (!t)
        remote_unknown(n, m, hint);
}

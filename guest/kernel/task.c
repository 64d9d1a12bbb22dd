/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Birth and end of processes. At its end everything a process held is given up aloud:
 * links that must tell do, requests it had not answered are answered for it, its watcher
 * learns how it ended. Its children go to its own creator, or with it if they asked to.
 */
#include "guest/kernel/core.h"

static const struct link no_link = {.kind = DEMOS_KINDS};

static void set_limits(struct node *n, struct task *t, const struct demos_limits *l)
{
    const struct demos_limits *d = &n->config.limits;

    t->links.limit = (u32)(l && l->links ? MIN(l->links, (u64)LINK_INDEX_MAX) : d->links);
    t->queue_limit = l && l->queue_bytes ? l->queue_bytes : d->queue_bytes;
    t->memory_limit = l && l->memory_bytes ? l->memory_bytes : d->memory_bytes;
}

static struct thread *thread_create(struct node *n, struct task *t)
{
    struct thread *th = node_alloc(n, sizeof(*th), false);

    if (!th)
        return NULL;
    th->task = t;
    th->priority = NODE_PRIORITY_DEFAULT;
    th->state = THREAD_NEW;
    th->deadline = ~(u64)0;
    list_init(&th->run);
    th->slow = (n->config.flags & NODE_TRACE ? SLOW_TRACE : 0) |
               (n->config.flags & NODE_NO_FAST ? SLOW_PATHS : 0);
    list_push_back(&t->threads, &th->peers);
    return th;
}

static void lists_init(struct task *t)
{
    list_init(&t->queue);
    list_init(&t->senders);
    list_init(&t->fences);
    list_init(&t->rejected);
    list_init(&t->asked);
    list_init(&t->feed);
    list_init(&t->threads);
    list_init(&t->children);
    list_init(&t->siblings);
}

/* It was woken for room that it will not use: whoever else waits should. */
static void pass_room_on(struct node *n)
{
    for (u32 row = 0; row < n->row_count; row++) {
        if (n->rows[row])
            queue_shrunk(n, n->rows[row]);
    }
}

static void thread_free(struct node *n, struct thread *th)
{
    thread_unready(n, th);
    if (th->wait == WAIT_ROOM && th->state != THREAD_WAITING)
        pass_room_on(n);
    if (n->current == th)
        n->current = NULL;
    bulk_forget(n, th);
    timer_forget(n, th);
    if (th->machine)
        machine_thread_destroy(n, th);
    node_free(n, th, sizeof(*th));
}

/* Gives back a task that holds nothing any more. */
static void task_free(struct node *n, struct task *t)
{
    while (!list_empty(&t->threads)) {
        struct thread *th = list_entry(t->threads.next, struct thread, peers);

        list_remove(&th->peers);
        thread_free(n, th);
    }
    regions_free(n, t);
    asked_free(n, t);
    trail_free(n, t);
    input_free(n, t);
    if (t->machine)
        machine_space_destroy(n, t);
    link_table_free(n, &t->links);
    node_free(n, t->start, sizeof(*t->start));
    node_free(n, t, sizeof(*t));
}

void task_discard(struct node *n, struct task *t)
{
    task_free(n, t);
}

struct task *task_make(struct node *n, const struct process_id *id, const char *name,
                       const struct demos_limits *limits)
{
    struct task *t = node_alloc(n, sizeof(*t), false);
    struct thread *th;

    if (!t)
        return NULL;
    lists_init(t);
    t->id = id ? *id : (struct process_id){n->config.machine, n->config.epoch, n->serial + 1};
    t->state = DEMOS_NEW;
    t->key = node_key(n, t->id.serial);
    t->pageable = n->paging.keeper.kind != DEMOS_KINDS;
    t->watch = t->exception = t->meter = no_link;
    set_limits(n, t, limits);
    memcpy(t->name, name, strnlen(name, DEMOS_NAME_MAX - 1));
    th = thread_create(n, t);
    if (n->paging.buckets)
        page_room(n); /* for its tables */
    if (!th || machine_space_create(n, t) != MACHINE_OK ||
        machine_thread_create(n, th) != MACHINE_OK) {
        task_free(n, t);
        return NULL;
    }
    return t;
}

struct task *task_create(struct node *n, const struct process_id *id, const char *name,
                         const struct demos_limits *limits)
{
    struct task *t = task_make(n, id, name, limits);

    if (!t)
        return NULL;
    if (node_enter(n, t)) {
        task_free(n, t);
        return NULL;
    }
    if (!id)
        n->serial++;
    n->count.processes_created++;
    trace_create(n, t);
    return t;
}

void task_slow(struct node *n, struct task *t, u32 bit, bool on)
{
    (void)n;
    list_for_each(node, &t->threads)
    {
        struct thread *th = list_entry(node, struct thread, peers);

        th->slow = on ? th->slow | bit : th->slow & ~bit;
    }
}

/* Children that asked to go with their creator join `doomed`, the others move up. */
static void children_leave(struct task *t, struct list *doomed)
{
    while (!list_empty(&t->children)) {
        struct task *child = list_entry(t->children.next, struct task, siblings);

        list_remove(&child->siblings);
        child->parent = t->parent;
        if (child->inherit_flags & DEMOS_CREATE_WITH_PARENT) {
            child->parent = NULL;
            list_push_back(doomed, &child->siblings);
        } else if (t->parent) {
            list_push_back(&t->parent->children, &child->siblings);
        }
    }
}

void task_depart(struct node *n, struct task *t, u32 machine)
{
    node_leave_out(n, t);
    while (!list_empty(&t->children)) {
        struct task *child = list_entry(t->children.next, struct task, siblings);

        list_remove(&child->siblings);
        child->parent = NULL;
    }
    list_remove(&t->siblings);
    remote_task_depart(n, t, machine);
    threads_wake(n, &t->senders);
    task_free(n, t);
}

static void give_up_links(struct node *n, struct task *t)
{
    for (u32 i = 0; i < t->links.fresh; i++) {
        if (t->links.slots[i].number)
            link_drop(n, &t->links.slots[i].link);
    }
    t->links.fresh = t->links.used = 0;
    link_drop(n, &t->exception);
    link_drop(n, &t->meter);
}

static void give_up_messages(struct node *n, struct task *t)
{
    struct thread *th = task_thread(t);
    struct message *m;

    if (th && th->delivered) {
        message_dead(n, th->delivered);
        th->delivered = NULL;
    }
    while (!list_empty(&t->queue)) {
        m = list_entry(t->queue.next, struct message, queue);
        queue_take(t, m);
        message_dead(n, m);
    }
}

static void end_one(struct node *n, struct task *t, enum demos_end how, u64 status, u64 address,
                    struct list *doomed)
{
    u64 words[3] = {how, status, address};

    trace_by(n, KERNEL_T_end, &t->id, how, status);
    node_leave_out(n, t);
    migrate_forget(n, t);
    children_leave(t, doomed);
    list_remove(&t->siblings);
    give_up_links(n, t);
    give_up_messages(n, t);
    threads_wake(n, &t->senders);
    remote_task_end(n, t);
    switchboard_ended(n, &t->id);
    if (t->watch.kind != DEMOS_KINDS)
        notice(n, &t->watch, DEMOS_NOTICE_EXIT, words, ARRAY_SIZE(words));
    task_free(n, t);
}

void task_end(struct node *n, struct task *t, enum demos_end how, u64 status, u64 address)
{
    struct list doomed, *next;

    list_init(&doomed);
    end_one(n, t, how, status, address, &doomed);
    while ((next = list_pop_front(&doomed)) != NULL)
        end_one(n, list_entry(next, struct task, siblings), DEMOS_END_KILLED, 0, 0, &doomed);
}

void node_kill(struct node *n, struct task *t)
{
    task_end(n, t, DEMOS_END_KILLED, 0, 0);
    kernel_work(n);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel processes: handlers that run to completion, one per kernel message channel, with
 * no stack or locals of their own between messages. Messages for them, and those that
 * DELIVERTOKERNEL links bring, wait in the node's work list until the kernel is about to leave.
 */
#include "base/bytes.h"
#include "guest/kernel/core.h"

enum { ANSWER_MAX = 4096 };

void control_link(const struct task *t, u32 machine, struct link *l)
{
    *l = (struct link){
        .to = t->id,
        .hint = machine,
        .incarnation = t->incarnation,
        .moves = (u16)t->moves,
        .attr = DEMOS_TOKERNEL | DEMOS_DUP | DEMOS_GIVE,
        .kind = DEMOS_REQUEST_LINK,
    };
    l->check = link_check(l, t->key);
}

void node_kernel_link(const struct node *n, u32 channel, struct link *l)
{
    *l = (struct link){
        .to = {n->config.machine, n->config.epoch, 0},
        .hint = n->config.machine,
        .channel = (u16)channel,
        .attr = DEMOS_DUP | DEMOS_GIVE,
        .kind = DEMOS_REQUEST_LINK,
    };
}

/* The message that answers over `reply`, `length` bytes long as far as its asker has room. */
static struct message *answer_to(struct node *n, const struct link *reply, u32 length,
                                 u32 links)
{
    u32 room = (u32)MIN((u64)length, reply->len);
    struct message *m = message_alloc(n, room, links, true);

    if (!m)
        machine_stop(n, "no memory for an answer: the node's heap is too small for its limits");
    message_to_link(m, reply);
    message_from(n, NULL, m);
    m->kind = DEMOS_MSG_REPLY;
    m->whole = length;
    return m;
}

static struct message *answer_begin(struct node *n, struct message *request, u32 length,
                                    u32 links)
{
    request->flags &= (u8)~MESSAGE_HAS_REPLY;
    return answer_to(n, &request->reply, length, links);
}

bool node_keep_reply(struct message *request, struct link *reply)
{
    if (!(request->flags & MESSAGE_HAS_REPLY))
        return false;
    request->flags &= (u8)~MESSAGE_HAS_REPLY;
    *reply = request->reply;
    return true;
}

void node_answer(struct node *n, const struct link *reply, const void *bytes, u32 len)
{
    struct message *m = answer_to(n, reply, len, 0);

    memcpy(m->body, bytes, m->length);
    route(n, m, reply->hint);
    kernel_work(n);
}

void answer_words(struct node *n, struct message *request, const u64 *words, u32 count,
                  const struct link *l)
{
    struct message *m;

    if (!(request->flags & MESSAGE_HAS_REPLY)) {
        if (l)
            link_drop(n, l);
        return;
    }
    m = answer_begin(n, request, count * 8, l ? 1 : 0);
    for (u32 i = 0; i < m->length / 8; i++)
        be64_put(m->body + 8 * i, words[i]);
    m->length &= ~7u;
    if (l)
        m->links[0] = *l;
    route(n, m, request->reply.hint);
}

void answer_bytes(struct node *n, struct message *request, const void *bytes, u32 len)
{
    struct message *m;

    if (!(request->flags & MESSAGE_HAS_REPLY))
        return;
    m = answer_begin(n, request, len, 0);
    memcpy(m->body, bytes, m->length);
    route(n, m, request->reply.hint);
}

u64 request_word(const struct message *m, u32 index)
{
    return 8 * (index + 1) <= m->length ? be64_get(m->body + 8 * index) : 0;
}

void request_name(const struct message *m, u32 index, char name[DEMOS_NAME_MAX])
{
    u32 at = 8 * index;

    memset(name, 0, DEMOS_NAME_MAX);
    if (at < m->length)
        memcpy(name, m->body + at, MIN(m->length - at, (u32)DEMOS_NAME_MAX - 1));
}

struct link request_take_link(struct message *m, u32 index)
{
    static const struct link none = {.kind = DEMOS_KINDS};
    struct link l;

    if (index >= m->link_count)
        return none;
    l = m->links[index];
    m->links[index] = none;
    return l;
}

static u32 process_state(const struct task *t)
{
    const struct thread *th = task_thread(t);

    if (t->state != DEMOS_READY || !th)
        return t->state;
    return th->state == THREAD_WAITING ? DEMOS_WAITING : DEMOS_READY;
}

void listing_words(const struct node *n, const struct task *t, u64 words[DEMOS_LISTING_WORDS])
{
    const struct thread *th = task_thread(t);

    (void)n;
    words[0] = t->row - 1;
    words[1] = t->parent ? t->parent->row - 1 : ~(u64)0;
    words[2] = process_state(t);
    words[3] = t->cpu_ns;
    words[4] = t->memory_bytes;
    words[5] = t->links.used;
    words[6] = t->queued;
    words[7] = th ? th->priority : 0;
    words[8] = t->links.limit;
    words[9] = t->queue_limit;
    words[10] = t->memory_limit;
    for (u32 i = 0; i < DEMOS_NAME_MAX / 8; i++)
        words[11 + i] = be64_get(t->name + 8 * i);
}

static void op_create(struct node *n, struct message *m)
{
    struct demos_limits limits = {request_word(m, 2), request_word(m, 3), request_word(m, 4)};
    struct task *parent = node_find(n, &m->sender), *t;
    char name[DEMOS_NAME_MAX];
    u64 result = 0;
    struct link l;

    request_name(m, 5, name);
    t = task_create(n, NULL, name, &limits);
    if (!t) {
        result = (u64)(s64)DEMOS_E_MEMORY;
        answer_words(n, m, &result, 1, NULL);
        return;
    }
    t->inherit_flags = (u8)request_word(m, 1);
    t->watch = request_take_link(m, 0);
    t->parent = parent;
    if (parent)
        list_push_back(&parent->children, &t->siblings);
    control_link(t, n->config.machine, &l);
    answer_words(n, m, &result, 1, &l);
}

static void op_list(struct node *n, struct message *m)
{
    u64 words[2 + 32 * DEMOS_LISTING_WORDS] = {0, n->count.processes};
    u32 row = (u32)MIN(request_word(m, 1), (u64)n->row_count), count = 2;
    const struct task *t;

    while (count + DEMOS_LISTING_WORDS <= ARRAY_SIZE(words) &&
           (t = node_task(n, row)) != NULL) {
        listing_words(n, t, words + count);
        count += DEMOS_LISTING_WORDS;
        row = t->row;
    }
    answer_words(n, m, words, count, NULL);
}

/* Those that were computing when they last ran: whoever has just been woken from a call is
 * soon waiting again, usually, and whoever asks is in a CALL. */
static u64 busy_threads(const struct node *n)
{
    u64 count = 0;

    for (u32 row = 0; row < n->row_count; row++) {
        const struct thread *th = n->rows[row] ? task_thread(n->rows[row]) : NULL;

        count += th && !th->pending &&
                 (th->state == THREAD_READY || th->state == THREAD_RUNNING);
    }
    return count;
}

static void op_control(struct node *n, struct message *m)
{
    u64 row = request_word(m, 1), result = (u64)(s64)DEMOS_E_DEAD;
    const struct task *t = row < n->row_count ? n->rows[row] : NULL;
    char name[DEMOS_NAME_MAX];
    struct link l;

    request_name(m, 2, name);
    if (t && memcmp(t->name, name, DEMOS_NAME_MAX) == 0) {
        control_link(t, n->config.machine, &l);
        result = 0;
    }
    answer_words(n, m, &result, 1, result ? NULL : &l);
}

static void add_up(const struct node *n, u64 *queued, u64 *sent, u64 *in_call)
{
    for (u32 row = 0; row < n->row_count; row++) {
        const struct task *t = n->rows[row];

        *queued += t ? t->queued : 0;
        *sent += t ? t->count.sent : 0;
        *in_call += t ? t->count.sent_in_call : 0;
    }
}

static void op_node(struct node *n, struct message *m)
{
    u64 words[] = {0,
                   n->config.machine,
                   n->config.epoch,
                   n->count.processes,
                   n->heap->in_use,
                   n->heap->high,
                   n->heap->total,
                   0,
                   n->count.entries,
                   busy_threads(n),
                   0,
                   0};

    add_up(n, &words[7], &words[10], &words[11]);
    answer_words(n, m, words, ARRAY_SIZE(words), NULL);
}

static void op_switchboard(struct node *n, struct message *m)
{
    u64 scope = request_word(m, 1);
    u64 result = scope > SWITCHBOARD_CLUSTER ? (u64)(s64)DEMOS_E_ARGUMENT : 0;
    struct link l;

    switchboard_link(n, scope, &l);
    answer_words(n, m, &result, 1, result ? NULL : &l);
}

static void op_register(struct node *n, struct message *m)
{
    u64 result = (u64)switchboard_register(n, m);

    answer_words(n, m, &result, 1, NULL);
}

static void op_pager(struct node *n, struct message *m)
{
    u64 result = (u64)keeper_register(n, m);

    answer_words(n, m, &result, 1, NULL);
}

static void op_members(struct node *n, struct message *m)
{
    u64 result = (u64)remote_members(n, m);

    answer_words(n, m, &result, 1, NULL);
}

static void op_paging(struct node *n, struct message *m)
{
    struct paging *g = &n->paging;
    u64 words[1 + sizeof(g->count) / 8] = {0};
    u32 left, all = machine_frames(n, &left);

    g->count.frames = all;
    g->count.free = left;
    g->count.active = g->active_count;
    g->count.inactive = g->inactive_count;
    memcpy(words + 1, &g->count, sizeof(g->count));
    answer_words(n, m, words, ARRAY_SIZE(words), NULL);
}

/* What of the node's state is a kernel process's; machines keep that of theirs themselves. */
static u64 kept(const struct node *n, u32 channel)
{
    switch (channel) {
    case 0:
        return offsetof(struct node, switchboards) - offsetof(struct node, peers) +
               sizeof(n->switchboards);
    case KERNEL_PROCESS: return (n->bucket_mask + 1 + (u64)n->row_room) * sizeof(struct task *);
    case KERNEL_KEEPING: return sizeof(n->paging);
    default: return 0;
    }
}

static void op_kernels(struct node *n, struct message *m)
{
    static const char names[KERNEL_CHANNELS][DEMOS_NAME_MAX] = {
        [0] = "kernels",
        [KERNEL_PROCESS] = "process and memory",
        [KERNEL_CLOCK] = "clock",
        [KERNEL_CONSOLE] = "console",
        [KERNEL_MACHINE] = "machine",
        [KERNEL_KEEPING] = "paging",
        [KERNEL_FRAME] = "frames",
        [KERNEL_OBJECT] = "objects",
        [KERNEL_DISK] = "disks",
    };
    u64 words[1 + KERNEL_CHANNELS * KERNEL_LISTING_WORDS] = {0}, *to = words + 1;

    for (u32 channel = 0; channel < KERNEL_CHANNELS; channel++) {
        for (u32 i = 0; i < DEMOS_NAME_MAX / 8; i++)
            *to++ = be64_get(names[channel] + 8 * i);
        *to++ = channel;
        *to++ = n->handled[channel];
        *to++ = kept(n, channel);
    }
    answer_words(n, m, words, ARRAY_SIZE(words), NULL);
}

static void op_traffic(struct node *n, struct message *m)
{
    static const struct net_stats alone;
    const struct net_stats *s = n->net ? net_stats(n->net) : &alone;
    u64 words[] = {0, s->sent, s->sent_plain, s->routing_out, s->blocks_out, s->bytes_out};

    answer_words(n, m, words, ARRAY_SIZE(words), NULL);
}

static void unknown(struct node *n, struct message *m)
{
    u64 result = (u64)(s64)DEMOS_E_CALL;

    answer_words(n, m, &result, 1, NULL);
}

static void process_handler(struct node *n, struct message *m)
{
    static void (*const ops[KERNEL_OPS])(struct node *, struct message *) = {
        [0] = unknown,
        [KERNEL_OP_CREATE] = op_create,
        [KERNEL_OP_LIST] = op_list,
        [KERNEL_OP_NODE] = op_node,
        [KERNEL_OP_SWITCHBOARD] = op_switchboard,
        [KERNEL_OP_REGISTER] = op_register,
        [KERNEL_OP_PAGER] = op_pager,
        [KERNEL_OP_PAGING] = op_paging,
        [KERNEL_OP_MEMBERS] = op_members,
        [KERNEL_OP_CONTROL] = op_control,
        [KERNEL_OP_KERNELS] = op_kernels,
        [KERNEL_OP_TRAFFIC] = op_traffic,
    };
    u64 op = request_word(m, 0);

    (op < KERNEL_OPS ? ops[op] : unknown)(n, m);
}

/* Time as a message: whatever is asked, the answer is the time. */
static void clock_handler(struct node *n, struct message *m)
{
    u64 words[2] = {0, machine_now(n)};

    answer_words(n, m, words, ARRAY_SIZE(words), NULL);
}

static void machine_handler(struct node *n, struct message *m)
{
    u8 *answer = node_alloc(n, ANSWER_MAX, true);
    size_t len;

    if (!answer)
        return; /* the dropped reply link says so */
    len = machine_message(n, m->channel, m, answer, ANSWER_MAX);
    answer_bytes(n, m, answer, (u32)MIN(len, (size_t)ANSWER_MAX));
    node_free(n, answer, ANSWER_MAX);
}

static void (*const handlers[KERNEL_CHANNELS])(struct node *n, struct message *m) = {
    [0] = unknown,
    [KERNEL_PROCESS] = process_handler,
    [KERNEL_CLOCK] = clock_handler,
    [KERNEL_CONSOLE] = machine_handler,
    [KERNEL_MACHINE] = machine_handler,
    [KERNEL_KEEPING] = keeper_message,
    [KERNEL_FRAME] = keeper_frame_message,
    [KERNEL_OBJECT] = keeper_name_message,
    [KERNEL_DISK] = machine_handler,
};

static void handle(struct node *n, struct message *m)
{
    struct task *t = NULL;

    if (m->target.serial && !(m->class == MESSAGE_KERNEL && m->kind == KERNEL_MSG_MIGRATION)) {
        t = node_find(n, &m->target);
        if (!t || t->state == DEMOS_MIGRATING) {
            route(n, m, n->config.machine);
            return;
        }
    }
    if (m->class == MESSAGE_KERNEL) {
        n->handled[0]++;
        kernel_message(n, t, m);
    } else if (!t && m->channel < KERNEL_CHANNELS) {
        n->handled[m->channel]++;
        handlers[m->channel](n, m);
    } else if (!t) {
        unknown(n, m);
    } else {
        if (!control_message(n, t, m))
            return; /* its turn comes again */
        n->handled[KERNEL_PROCESS]++;
    }
    message_drop_links(n, m);
    message_free(n, m);
}

void kernel_work(struct node *n)
{
    struct list *node;

    if (n->draining)
        return;
    n->draining = true;
    while ((node = list_pop_front(&n->work)) != NULL)
        handle(n, list_entry(node, struct message, queue));
    n->draining = false;
}

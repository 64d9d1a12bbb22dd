/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each record means to the ledger, and the verdicts. Machines are numbered from 1; one
 * that starts anew has another life, and counts its messages from 1 again.
 */
#include "guest/machine/campaign/ledger.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "guest/kernel/trace.h"

const char *const invariant_names[INVARIANTS] = {
    "loss", "duplicate", "order", "one-copy", "isolation", "leak", "liveness"};

enum key { KEY_MESSAGE = 1, KEY_STRANGER, KEY_LAST, KEY_PROCESS };
#define NEVER (~(u64)0)

static struct table_key key(enum key kind, u64 high, u64 b, u64 c)
{
    return (struct table_key){(u64)kind << 56 | high, b, c};
}

static void breach(struct ledger *l, enum invariant i, u32 node, u64 ns, const char *what,
                   u64 a, u64 b)
{
    struct verdict *v = &l->verdicts[i];

    if (!v->broken++)
        snprintf(v->first, sizeof(v->first), "%llu ns, machine %u: %s (%llu/%llu, %llu)",
                 (unsigned long long)ns, node, what, (unsigned long long)(a >> 32),
                 (unsigned long long)(a & 0xffffffff), (unsigned long long)b);
}

static void *more(void *old, u32 *room, size_t size)
{
    void *bigger;

    *room = *room ? 2 * *room : 1024;
    bigger = realloc(old, *room * size);
    if (!bigger)
        abort();
    return bigger;
}

void ledger_begin(struct ledger *l, u32 nodes)
{
    if (l->nodes != nodes) {
        free(l->node);
        l->node = calloc(nodes + 1, sizeof(*l->node));
        l->nodes = nodes;
    }
    for (u32 i = 0; i <= nodes; i++)
        l->node[i] = (struct ledger_node){~0u, false, NEVER};
    l->count = l->process_count = 0;
    memset(l->verdicts, 0, sizeof(l->verdicts));
    memset(l->near, 0xff, sizeof(l->near));
    table_clear(&l->table);
}

void ledger_free(struct ledger *l)
{
    free(l->node);
    free(l->messages);
    free(l->processes);
    table_free(&l->table);
}

void ledger_start(struct ledger *l, u32 node)
{
    l->node[node].life++;
    l->verdicts[ISOLATION].checked++;
}

void ledger_stop(struct ledger *l, u32 node, u64 ns)
{
    l->node[node].stopped_ns = MIN(l->node[node].stopped_ns, ns);
}

/* The process that made a record, as machine << 32 | serial. Who was not made here is entered. */
static u64 process(const struct ledger *l, u32 node, u32 who)
{
    const u64 *stranger = l->node[node].strangers
                              ? table_get(&l->table,
                                          key(KEY_STRANGER,
                                              (u64)l->node[node].life << 32 | node, who, 0))
                              : NULL;

    return stranger ? *stranger : (u64)node << 32 | who;
}

static struct ledger_process *find(struct ledger *l, u64 id)
{
    struct ledger_near *near = &l->near[(id ^ id >> 32) % LEDGER_NEAR];
    const u64 *at = near->id == id ? NULL : table_get(&l->table, key(KEY_PROCESS, 0, id, 0));

    if (at)
        *near = (struct ledger_near){id, (u32)*at};
    return near->id == id ? &l->processes[near->at] : NULL;
}

static struct ledger_process *enter(struct ledger *l, u64 id)
{
    struct ledger_process *p = find(l, id);

    if (p)
        return p;
    if (l->process_count == l->process_room)
        l->processes = more(l->processes, &l->process_room, sizeof(*l->processes));
    *table_put(&l->table, key(KEY_PROCESS, 0, id, 0)) = l->process_count;
    p = &l->processes[l->process_count++];
    *p = (struct ledger_process){0};
    return p;
}

static struct table_key message_key(u64 sender, u32 life, u64 sequence)
{
    return key(KEY_MESSAGE, life, sender, sequence);
}

/* The newest send that a record speaks of. */
static struct ledger_message *sent(const struct ledger *l, u64 sender, u64 sequence, u32 *life)
{
    u32 machine = (u32)(sender >> 32);
    u32 lives = machine <= l->nodes ? l->node[machine].life + 1 : 0;

    for (u32 i = lives; i-- > 0;) {
        const u64 *at = table_get(&l->table, message_key(sender, i, sequence));

        *life = i;
        if (at)
            return &l->messages[*at];
    }
    return NULL;
}

/* A process that does something does it where it was made or has moved last. */
static void act(struct ledger *l, u32 node, u64 ns, u64 id)
{
    const struct ledger_process *p = find(l, id);

    l->verdicts[ONE_COPY].checked++;
    if (p && p->count &&
        (p->node[p->count - 1] != node || p->life[p->count - 1] != l->node[node].life))
        breach(l, ONE_COPY, node, ns, "a process acts here that lives elsewhere", id, 0);
}

static void on_send(struct ledger *l, u32 node, u64 ns, u64 id, u64 target, u64 sequence)
{
    u32 home = (u32)(id >> 32);

    act(l, node, ns, id);
    if (!sequence || home > l->nodes)
        return;
    if (l->count == l->room)
        l->messages = more(l->messages, &l->room, sizeof(*l->messages));
    *table_put(&l->table, message_key(id, l->node[home].life, sequence)) = l->count;
    l->messages[l->count++] = (struct ledger_message){.from = home,
                                                      .to = (u32)(target >> 32),
                                                      .sender = id,
                                                      .target = target,
                                                      .sequence = sequence,
                                                      .sent_ns = ns,
                                                      .delivered_ns = NEVER};
}

static void on_deliver(struct ledger *l, u32 node, u64 ns, u64 id, u64 sender, u64 sequence)
{
    u32 life;
    struct ledger_message *m;
    const struct ledger_process *p = find(l, id);
    u64 *last;

    if (!sequence)
        return;
    l->verdicts[ORDER].checked++;
    l->verdicts[ISOLATION].checked++;
    m = sent(l, sender, sequence, &life);
    if (!m) {
        breach(l, ISOLATION, node, ns, "a message that nobody sent", sender, sequence);
        return;
    }
    m->delivered_ns = MIN(m->delivered_ns, ns);
    /* What a process was sent is delivered afresh where it has moved to. */
    last = table_put(&l->table,
                     key(KEY_LAST, (u64)l->node[node].life << 40 | (u64)life << 20 | node,
                         sender, id * 64 + (p ? p->arrivals % 64 : 0)));
    if (sequence < *last)
        breach(l, ORDER, node, ns, "a message that comes after a later one", sender, sequence);
    *last = MAX(*last, sequence);
}

static void on_receive(struct ledger *l, u32 node, u64 ns, u64 id, u64 sender, u64 sequence)
{
    struct ledger_message *m;
    u32 life;

    act(l, node, ns, id);
    if (!sequence)
        return;
    l->verdicts[DUPLICATE].checked++;
    m = sent(l, sender, sequence, &life);
    if (!m)
        breach(l, ISOLATION, node, ns, "a message that nobody sent", sender, sequence);
    else if (m->received++)
        breach(l, DUPLICATE, node, ns, "a message that was received already", sender, sequence);
}

static void on_create(struct ledger *l, u32 node, u32 who, u64 id)
{
    struct ledger_process *p = enter(l, id);

    if (id >> 32 != node) {
        *table_put(&l->table,
                   key(KEY_STRANGER, (u64)l->node[node].life << 32 | node, who, 0)) = id;
        l->node[node].strangers = true;
    }
    p->arrivals++;
    if (p->count == LEDGER_HOMES) { /* the oldest tells nothing any more */
        memmove(p->node, p->node + 1, sizeof(p->node) - sizeof(p->node[0]));
        memmove(p->life, p->life + 1, sizeof(p->life) - sizeof(p->life[0]));
        p->count--;
    }
    p->node[p->count] = node;
    p->life[p->count++] = l->node[node].life;
}

static void on_end(struct ledger *l, u32 node, u64 id)
{
    struct ledger_process *p = find(l, id);
    u32 i = 0;

    if (!p)
        p = enter(l, id);
    while (i < p->count && (p->node[i] != node || p->life[i] != l->node[node].life))
        i++;
    if (i < p->count) {
        p->count--;
        for (; i < p->count; i++) {
            p->node[i] = p->node[i + 1];
            p->life[i] = p->life[i + 1];
        }
    }
    p->ended |= !p->count;
}

void ledger_record(struct ledger *l, u32 node, u64 ns, u16 type, u32 who, u64 a, u64 b)
{
    struct ledger_message *m;
    u32 life;

    switch (type) {
    case KERNEL_T_send: on_send(l, node, ns, process(l, node, who), a, b); break;
    case KERNEL_T_deliver: on_deliver(l, node, ns, process(l, node, who), a, b); break;
    case KERNEL_T_receive: on_receive(l, node, ns, process(l, node, who), a, b); break;
    case KERNEL_T_create: on_create(l, node, who, b >> 32 << 32 | (u32)a); break;
    case KERNEL_T_end: on_end(l, node, process(l, node, who)); break;
    case KERNEL_T_drop:
        m = b ? sent(l, a, b, &life) : NULL;
        if (m)
            m->dropped = true;
        break;
    default: break;
    }
}

void ledger_held(struct ledger *l, const char *what, u64 before, u64 after)
{
    l->verdicts[LEAK].checked++;
    if (before != after)
        breach(l, LEAK, 0, 0, what, before, after);
}

static u64 stopped(const struct ledger *l, u64 process)
{
    return process >> 32 <= l->nodes ? l->node[process >> 32].stopped_ns : NEVER;
}

/* Its target is no more, or one of the two machines stopped before its time was up. */
static bool excused(struct ledger *l, const struct ledger_message *m, u64 bound)
{
    const struct ledger_process *target = find(l, m->target);

    return m->dropped || !(u32)m->target || (target && target->ended) ||
           MIN(stopped(l, m->sender), stopped(l, m->target)) <= bound;
}

void ledger_conclude(struct ledger *l, u64 end_ns, u64 calm_ns, u64 heal_ns)
{
    for (u32 i = 0; i < l->count; i++) {
        const struct ledger_message *m = &l->messages[i];
        u64 bound = MAX(m->sent_ns, calm_ns) + heal_ns;
        bool arrived = m->delivered_ns != NEVER;

        if (!arrived && (bound > end_ns || excused(l, m, bound)))
            continue;
        l->verdicts[LOSS].checked++;
        l->verdicts[LIVENESS].checked++;
        if (!arrived)
            breach(l, LOSS, m->from, m->sent_ns, "a message sent then never arrived", m->sender,
                   m->sequence);
        if (m->delivered_ns > bound)
            breach(l, LIVENESS, m->from, m->sent_ns,
                   "a message sent then had not arrived in time", m->sender, m->sequence);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of messages, and their wire form. Freed messages of three common sizes wait in
 * pools, so that sending one neither searches nor clears memory. What user processes
 * send leaves a reserve of the heap to the kernels' own messages.
 */
#include "base/bytes.h"
#include "guest/kernel/core.h"

static const u32 pool_room[MESSAGE_POOLS] = {128, 1152, 4224};

static u32 pool_of(u32 room)
{
    for (u32 p = 0; p < MESSAGE_POOLS; p++) {
        if (room <= pool_room[p])
            return p;
    }
    return MESSAGE_POOLS;
}

static size_t block_size(u32 room)
{
    return sizeof(struct message) + room;
}

/* Until the heap has that much, what waits in the pools goes back to it, the largest first: a size
 * that was much used once keeps nothing from the others. */
static void pools_yield(struct node *n, size_t len)
{
    const struct heap *h = n->heap;

    for (u32 p = MESSAGE_POOLS; p-- > 0;) {
        while (h->in_use + len > h->total && n->pool[p]) {
            struct message *m = n->pool[p];

            n->pool[p] = *(struct message **)m;
            node_free(n, m, block_size(pool_room[p]));
        }
    }
}

/* One that leaves `spare` bytes of the heap. What has come from the reserve is given back to the
 * heap, not to a pool, where it would be anybody's. */
static struct message *fresh(struct node *n, u32 room, u32 pool, u32 spare)
{
    struct heap *h = n->heap;
    struct message *m;

    if (pool < MESSAGE_POOLS)
        room = pool_room[pool];
    pools_yield(n, heap_cost(block_size(room)) + spare);
    if (h->in_use + heap_cost(block_size(room)) + spare > h->total)
        return NULL;
    m = heap_alloc(h, block_size(room));
    if (!m)
        return NULL;
    m->room = room;
    m->pool = h->in_use + n->reserve > h->total ? MESSAGE_POOLS : pool;
    return m;
}

static struct message *alloc(struct node *n, u32 length, u32 links, u32 spare)
{
    u32 body = ALIGN_UP(length, 16u);
    u32 room = body + links * (u32)sizeof(struct link);
    u32 pool = pool_of(room);
    struct message *m;

    if (pool < MESSAGE_POOLS && n->pool[pool]) {
        m = n->pool[pool];
        n->pool[pool] = *(struct message **)m;
    } else {
        m = fresh(n, room, pool, spare);
        if (!m)
            return NULL;
    }
    m->length = m->whole = length;
    m->link_count = (u8)links;
    m->links = (struct link *)(void *)(m->body + body);
    m->class = MESSAGE_USER;
    m->notice = m->flags = 0;
    m->attr = 0;
    m->reserved = 0;
    m->via = NO_MACHINE;
    return m;
}

struct message *message_alloc(struct node *n, u32 length, u32 links, bool urgent)
{
    return alloc(n, length, links, urgent ? 0 : n->reserve);
}

struct message *message_alloc_first(struct node *n, u32 length, u32 links)
{
    return alloc(n, length, links, n->reserve / 2);
}

void message_free(struct node *n, struct message *m)
{
    if (m->pool < MESSAGE_POOLS) {
        *(struct message **)m = n->pool[m->pool];
        n->pool[m->pool] = m;
    } else {
        node_free(n, m, block_size(m->room));
    }
}

size_t message_encode(const struct message *m, u8 head[MESSAGE_HEAD_MAX])
{
    u8 *at = head + MESSAGE_HEADER;

    head[0] = MESSAGE_VERSION;
    head[1] = m->class;
    head[2] = m->kind;
    head[3] = m->notice;
    be32_put(head + 4, m->length);
    be32_put(head + 8, m->sender.machine);
    be32_put(head + 12, m->sender.epoch);
    be64_put(head + 16, m->sender.serial);
    be32_put(head + 24, m->sender_incarnation);
    be32_put(head + 28, m->sender_machine);
    be32_put(head + 32, m->target.machine);
    be32_put(head + 36, m->target.epoch);
    be64_put(head + 40, m->target.serial);
    be32_put(head + 48, m->target_incarnation);
    head[52] = m->flags;
    head[53] = m->link_count;
    be16_put(head + 54, m->attr);
    be64_put(head + 56, m->sequence);
    be64_put(head + 64, m->previous);
    be32_put(head + 72, m->channel);
    be32_put(head + 76, m->whole);
    be64_put(head + 80, m->code);
    be64_put(head + 88, m->check);
    be32_put(head + 96, m->reserved);
    be32_put(head + 100, 0);
    if (m->flags & MESSAGE_HAS_REPLY) {
        link_encode(&m->reply, at);
        at += LINK_WIRE;
    }
    for (u32 i = 0; i < m->link_count; i++, at += LINK_WIRE)
        link_encode(&m->links[i], at);
    return (size_t)(at - head);
}

static void decode_header(struct message *m, const u8 *head)
{
    m->class = head[1];
    m->kind = head[2];
    m->notice = head[3];
    m->sender = (struct process_id){be32_get(head + 8), be32_get(head + 12),
                                    be64_get(head + 16)};
    m->sender_incarnation = be32_get(head + 24);
    m->sender_machine = be32_get(head + 28);
    m->target = (struct process_id){be32_get(head + 32), be32_get(head + 36),
                                    be64_get(head + 40)};
    m->target_incarnation = be32_get(head + 48);
    m->flags = head[52];
    m->attr = be16_get(head + 54);
    m->sequence = be64_get(head + 56);
    m->previous = be64_get(head + 64);
    m->channel = be32_get(head + 72);
    m->whole = be32_get(head + 76);
    m->code = be64_get(head + 80);
    m->check = be64_get(head + 88);
    m->reserved = be32_get(head + 96);
}

static bool header_valid(const u8 *head, size_t len)
{
    u32 links, channel = be32_get(head + 72);

    if (head[0] != MESSAGE_VERSION || head[1] > MESSAGE_KERNEL || head[53] > DEMOS_LINKS_MAX)
        return false;
    if (head[1] != MESSAGE_KERNEL && head[2] > DEMOS_MSG_NOTICE)
        return false;
    if (channel >= DEMOS_CHANNELS && channel != LINK_CHANNEL_CALL)
        return false;
    links = head[53] + (head[52] & MESSAGE_HAS_REPLY ? 1u : 0u);
    return be32_get(head + 4) <= DEMOS_BODY_MAX &&
           len == MESSAGE_HEADER + links * LINK_WIRE + (size_t)be32_get(head + 4);
}

struct message *message_decode(struct node *n, const u8 *bytes, size_t len, int *error)
{
    const u8 *at = bytes + MESSAGE_HEADER;
    struct message *m;
    bool good = true;

    *error = 0;
    if (len < MESSAGE_HEADER || !header_valid(bytes, len))
        return NULL;
    m = message_alloc(n, be32_get(bytes + 4), bytes[53], true);
    if (!m) {
        *error = DEMOS_E_MEMORY;
        return NULL;
    }
    decode_header(m, bytes);
    if (m->flags & MESSAGE_HAS_REPLY) {
        good = link_decode(&m->reply, at);
        at += LINK_WIRE;
    }
    for (u32 i = 0; i < m->link_count; i++, at += LINK_WIRE)
        good = link_decode(&m->links[i], at) && good;
    if (!good) {
        message_free(n, m);
        return NULL;
    }
    memcpy(m->body, at, m->length);
    return m;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers in and out. The device reads what is put in only after the index that says so, and
 * is read only after its own.
 */
#include "guest/virtio/queue.h"

_Static_assert(QUEUE_SIZE * sizeof(struct vring_desc) <= QUEUE_AVAIL &&
                   QUEUE_AVAIL + 6 + 2 * QUEUE_SIZE <= QUEUE_USED &&
                   QUEUE_USED + 6 + 8 * QUEUE_SIZE <= QUEUE_PAGE,
               "a queue is one page");

void virtqueue_init(struct virtqueue *q, void *page, u16 size)
{
    u8 *at = page;

    *q = (struct virtqueue){.desc = (void *)(at + QUEUE_DESC),
                            .avail = (void *)(at + QUEUE_AVAIL),
                            .used = (void *)(at + QUEUE_USED),
                            .size = size};
    while (q->free_count < size) {
        q->free[q->free_count] = (u16)(size - 1 - q->free_count);
        q->free_count++;
    }
}

bool virtqueue_slot(struct virtqueue *q, u16 *slot)
{
    if (!q->free_count || q->broken)
        return false;
    *slot = q->free[q->free_count - 1];
    return true;
}

void virtqueue_put(struct virtqueue *q, u16 slot, u64 address, u32 len, u16 flags)
{
    q->free_count--;
    q->out[slot] = true;
    q->desc[slot] = (struct vring_desc){.addr = address, .len = len, .flags = flags};
    q->avail->ring[q->next_avail++ % q->size] = slot;
    __atomic_store_n(&q->avail->idx, q->next_avail, __ATOMIC_RELEASE);
}

bool virtqueue_take(struct virtqueue *q, u16 *slot, u32 *len)
{
    u16 done = __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE);
    struct vring_used_elem e;

    if (q->broken || done == q->last_used)
        return false;
    e = *(volatile struct vring_used_elem *)&q->used->ring[q->last_used % q->size];
    if ((u16)(done - q->last_used) > q->size || e.id >= q->size || !q->out[e.id]) {
        q->broken = "the device gives back what it does not have";
        return false;
    }
    q->last_used++;
    q->out[e.id] = false;
    q->free[q->free_count++] = (u16)e.id;
    *slot = (u16)e.id;
    *len = e.len;
    return true;
}

bool virtqueue_idle(const struct virtqueue *q)
{
    return q->broken || __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE) == q->last_used;
}

/* Who listens looks once more afterwards: what came before is not told of. */
void virtqueue_listen(struct virtqueue *q, bool on)
{
    q->avail->flags = on ? 0 : VRING_AVAIL_F_NO_INTERRUPT;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void virtqueue_flush(struct virtqueue *q)
{
    if (q->told == q->next_avail || q->broken)
        return;
    q->told = q->next_avail;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!(__atomic_load_n(&q->used->flags, __ATOMIC_ACQUIRE) & VRING_USED_F_NO_NOTIFY))
        virtio_kick(q);
}

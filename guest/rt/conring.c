/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two rings of bytes, out and in. See conring.h for whom it believes.
 */
#include "base/memory.h"
#include "guest/rt/conring.h"

size_t conring_put(struct xencons_interface *ring, const char *text, size_t len)
{
    u32 cons = __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE);
    u32 prod = __atomic_load_n(&ring->out_prod, __ATOMIC_RELAXED), used = prod - cons;

    if (used > sizeof(ring->out))
        return len;
    len = MIN(len, sizeof(ring->out) - used);
    for (size_t i = 0; i < len; i++)
        ring->out[MASK_XENCONS_IDX(prod++, ring->out)] = text[i];
    __atomic_store_n(&ring->out_prod, prod, __ATOMIC_RELEASE);
    return len;
}

size_t conring_take(struct xencons_interface *ring, char *text, size_t room)
{
    u32 prod = __atomic_load_n(&ring->in_prod, __ATOMIC_ACQUIRE);
    u32 cons = __atomic_load_n(&ring->in_cons, __ATOMIC_RELAXED), waiting = prod - cons;
    size_t len = MIN((size_t)waiting, room);

    if (waiting > sizeof(ring->in))
        return 0;
    for (size_t i = 0; i < len; i++)
        text[i] = ring->in[MASK_XENCONS_IDX(cons++, ring->in)];
    __atomic_store_n(&ring->in_cons, cons, __ATOMIC_RELEASE);
    return len;
}

bool conring_full(const struct xencons_interface *ring)
{
    u32 cons = __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE);

    return ring->out_prod - cons == sizeof(ring->out);
}

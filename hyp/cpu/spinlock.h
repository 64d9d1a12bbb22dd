/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket locks: fair, two words of state, and the spin pauses so that a deterministic
 * machine with one host thread makes progress. The hypervisor runs with interrupts off, so
 * no variant that disables them is needed.
 */
#ifndef HYP_CPU_SPINLOCK_H
#define HYP_CPU_SPINLOCK_H

#include "base/types.h"

struct spinlock {
    u32 next, now;
};

static inline void spin_lock(struct spinlock *l)
{
    u32 mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&l->now, __ATOMIC_ACQUIRE) != mine)
        __builtin_ia32_pause();
}

static inline void spin_unlock(struct spinlock *l)
{
    __atomic_store_n(&l->now, l->now + 1, __ATOMIC_RELEASE);
}

/* True when the lock was free and is now held. */
static inline bool spin_trylock(struct spinlock *l)
{
    u32 now = __atomic_load_n(&l->now, __ATOMIC_RELAXED);

    return __atomic_compare_exchange_n(&l->next, &now, now + 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

#endif

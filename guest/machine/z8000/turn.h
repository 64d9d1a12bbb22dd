/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose turn the board is, where the user processor has a processor of the host's to itself. The
 * board's state is one side's at a time: the user's while it computes, the kernel's once that
 * rests (held, halted, or its clocks are over) or has been asked for it, as by BUSRQ. One word
 * goes to and fro; what a side did before it gave the turn away, the other sees.
 *
 * Where there is no such processor (`apart` is false) the turn is always the kernel's.
 */
#ifndef GUEST_MACHINE_Z8000_TURN_H
#define GUEST_MACHINE_Z8000_TURN_H

#include "base/types.h"

enum turn_whose {
    TURN_KERNEL,
    TURN_USER,
    TURN_WANTED, /* the user's still, and the kernel's side waits for it */
};

struct turn {
    u32 whose; /* atomic */
    bool apart;
    void *place; /* for the place's two functions below */
};

/* --- the kernel's side ------------------------------------------------------------------- */

void turn_give(struct turn *t);
void turn_claim(struct turn *t);

static inline bool turn_is_kernels(const struct turn *t)
{
    return !t->apart || __atomic_load_n(&t->whose, __ATOMIC_ACQUIRE) == TURN_KERNEL;
}

/* The turn is ours when this returns, until we give it. */
static inline void turn_take(struct turn *t)
{
    if (__builtin_expect(!turn_is_kernels(t), 0))
        turn_claim(t);
}

/* --- the user processor's ------------------------------------------------------------------ */

void turn_await(struct turn *t);
void turn_back(struct turn *t);

static inline bool turn_is_wanted(const struct turn *t)
{
    return __atomic_load_n(&t->whose, __ATOMIC_RELAXED) == TURN_WANTED;
}

/* --- the place's --------------------------------------------------------------------------- */

/* Wakes a side (user or kernel) that sleeps in turn_sleep, or will next; and sleeps, as that
 * side, until it is woken. It may return for nothing. */
void turn_wake(struct turn *t, bool user);
void turn_sleep(struct turn *t, bool user);

#endif

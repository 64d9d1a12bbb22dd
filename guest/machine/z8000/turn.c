/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The turn goes to and fro. See turn.h.
 */
#include "guest/machine/z8000/turn.h"

/* A look is cheap and a sleep is not: most turns of the user processor are short, from one
 * kernel call or first use of a page to the next. */
enum { LOOKS = 0 };

static u32 whose(const struct turn *t)
{
    return __atomic_load_n(&t->whose, __ATOMIC_ACQUIRE);
}

void turn_give(struct turn *t)
{
    __atomic_store_n(&t->whose, TURN_USER, __ATOMIC_RELEASE);
    turn_wake(t, true);
}

/* The user processor may give it back by itself at any moment. */
void turn_claim(struct turn *t)
{
    u32 expected = TURN_USER;

    __atomic_compare_exchange_n(&t->whose, &expected, TURN_WANTED, false, __ATOMIC_ACQ_REL,
                                __ATOMIC_ACQUIRE);
    while (whose(t) != TURN_KERNEL)
        turn_sleep(t, false);
}

void turn_await(struct turn *t)
{
    while (whose(t) == TURN_KERNEL)
        turn_sleep(t, true);
}

void turn_back(struct turn *t)
{
    __atomic_store_n(&t->whose, TURN_KERNEL, __ATOMIC_RELEASE);
    turn_wake(t, false);
}

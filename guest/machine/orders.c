/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Orders from the store. The watch only notes that there is one: a change comes while the store is
 * looked at, which may be in the middle of something else.
 */
#include "guest/machine/orders.h"
#include "base/memory.h"
#include "guest/kernel/task.h"
#include "guest/rt/console.h"
#include "guest/rt/store.h"

enum { ORDER_MAX = DEMOS_NAME_MAX + 16 };

static const char path[] = "data/kill";
static bool heard, ordered;

/* The first call tells how things were when the watch was set. */
static void on_change(void *arg, const char *changed)
{
    (void)arg;
    (void)changed;
    ordered = heard;
    heard = true;
}

void orders_heed(void)
{
    static struct rt_store_watch watch;

    if (rt_store_present())
        rt_store_watch(&watch, path, on_change, NULL);
}

/* Cuts the number off, if there is one. */
static u32 number_of(char *order)
{
    char *at = order;
    u32 n = 0;

    while (*at && *at != ' ')
        at++;
    if (!*at)
        return 1;
    *at++ = 0;
    for (; *at >= '0' && *at <= '9' && n < 1u << 24; at++)
        n = n * 10 + (u32)(*at - '0');
    return n;
}

static struct task *find(struct node *n, const char *name, u32 number)
{
    struct task *t = node_task(n, 0);

    for (; t; t = node_task(n, t->row))
        if (strncmp(t->name, name, sizeof(t->name)) == 0 && --number == 0)
            return t;
    return NULL;
}

void orders_obey(struct node *n)
{
    char order[ORDER_MAX];
    struct task *t;
    u32 number;

    if (!ordered)
        return;
    ordered = false;
    if (rt_store_read(0, path, order, sizeof(order)) <= 0)
        return;
    number = number_of(order);
    t = find(n, order, number);
    rt_printf("node: %s %u is %s\n", order, number, t ? "killed" : "not there to be killed");
    if (t)
        node_kill(n, t);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user processor on a thread of the hosted node's. Each side sleeps on a counter of its own
 * (eventfd), which the kernel's side also polls beside its network.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "guest/machine/z8000/hosted.h"
#include "guest/machine/z8000/turn.h"

static struct z_hosted *hosted(const struct turn *t)
{
    return t->place;
}

void turn_wake(struct turn *t, bool user)
{
    eventfd_write(hosted(t)->wakes[user], 1);
}

void turn_sleep(struct turn *t, bool user)
{
    eventfd_t times;

    eventfd_read(hosted(t)->wakes[user], &times);
}

static void *user_processor(void *arg)
{
    struct z_hosted *h = arg;

    for (;;)
        board_serve(h->machine.board);
    return NULL;
}

bool z_hosted_apart(struct z_hosted *h)
{
    pthread_t thread;

    h->wakes[0] = eventfd(0, EFD_CLOEXEC);
    h->wakes[1] = eventfd(0, EFD_CLOEXEC);
    if (h->wakes[0] < 0 || h->wakes[1] < 0)
        return false;
    board_apart(h->machine.board, h);
    h->apart = true;
    return pthread_create(&thread, NULL, user_processor, h) == 0;
}

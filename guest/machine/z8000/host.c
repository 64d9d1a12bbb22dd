/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hosted Z8000 node has of its host: time, the trace as lines of text, waiting.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "guest/machine/z8000/hosted.h"

u64 z_host_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

static struct z_hosted *hosted(struct node *n)
{
    return container_of(z_machine(n), struct z_hosted, machine);
}

u64 machine_now(struct node *n)
{
    return z_host_ns() - hosted(n)->started_ns;
}

void machine_trace(struct node *n, u16 type, u32 who, u64 a, u64 b)
{
    struct z_hosted *h = hosted(n);

    if (h->trace)
        fprintf(h->trace, "%llu %04x %u %llx %llx\n", (unsigned long long)machine_now(n), type,
                who, (unsigned long long)a, (unsigned long long)b);
}

void z_poll(struct z_hosted *h)
{
    if (h->net)
        net_poll(h->net, z_host_ns());
    z_disk_work(&h->machine);
    node_timer(h->machine.node);
}

void z_attend(struct z_machine *m, u64 until_ns)
{
    struct z_hosted *h = container_of(m, struct z_hosted, machine);
    u64 deadline = MIN(node_deadline(m->node), until_ns), now = machine_now(m->node), ns;
    u64 net = h->net ? net_deadline(h->net) : ~0ull;
    struct pollfd p[] = {{.fd = h->net ? h->ether.socket : -1, .events = POLLIN},
                         {.fd = h->apart ? h->wakes[0] : -1, .events = POLLIN}};
    struct timespec t;

    if (net != ~0ull)
        deadline = MIN(deadline, net > h->started_ns ? net - h->started_ns : 0);
    deadline = MIN(deadline, z_disk_due(m));
    ns = deadline > now ? deadline - now : 0;
    t = (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    ppoll(p, ARRAY_SIZE(p), deadline == ~0ull ? NULL : &t, NULL);
    if (p[1].revents)
        eventfd_read(h->wakes[0], &(eventfd_t){0});
    z_poll(h);
}

void z_pass(struct z_machine *m, u64 until_ns)
{
    (void)m, (void)until_ns; /* the user processor computes as fast as it can */
}

void machine_stop(struct node *n, const char *why)
{
    (void)n;
    fflush(stdout);
    fprintf(stderr, "demos-z8000: %s\n", why);
    exit(2);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest/machine/place.h for the hosted Z8000 node: console on standard output and input,
 * time by the host's clock, trace as lines of text.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
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

void place_write(struct node *n, const void *text, size_t len)
{
    (void)n;
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

size_t place_read(struct node *n, void *text, size_t room)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t got = 0;

    (void)n;
    if (room > 0 && poll(&p, 1, 0) == 1)
        got = read(STDIN_FILENO, text, room);
    return got > 0 ? (size_t)got : 0;
}

struct frames *place_frames(struct node *n)
{
    return &z_machine(n)->frames;
}

struct announcement *place_announcement(struct node *n)
{
    return &z_machine(n)->announcement;
}

u64 place_cycles(struct node *n, u64 *per_ms)
{
    *per_ms = BOARD_HZ / 1000;
    return board_times(z_machine(n)->board).clocks;
}

bool place_counts(struct node *n, u64 counts[3])
{
    (void)n, (void)counts;
    return false;
}

void place_halt(struct node *n, s64 status)
{
    z_machine(n)->halted = true;
    z_machine(n)->status = status;
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
    node_timer(h->machine.node);
}

void z_attend(struct z_machine *m, u64 until_ns)
{
    struct z_hosted *h = container_of(m, struct z_hosted, machine);
    u64 deadline = MIN(node_deadline(m->node), until_ns), now = machine_now(m->node), ns;
    u64 net = h->net ? net_deadline(h->net) : ~0ull;
    struct pollfd p = {.fd = h->ether.socket, .events = POLLIN};
    struct timespec t;

    if (net != ~0ull)
        deadline = MIN(deadline, net > h->started_ns ? net - h->started_ns : 0);
    ns = deadline > now ? deadline - now : 0;
    t = (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    ppoll(&p, h->net ? 1 : 0, deadline == ~0ull ? NULL : &t, NULL);
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

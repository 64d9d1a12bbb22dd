/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Z8000 node as a Linux process: what the machine needs of its host.
 */
#ifndef GUEST_MACHINE_Z8000_HOSTED_H
#define GUEST_MACHINE_Z8000_HOSTED_H

#include <stdio.h>
#include "guest/machine/hosted/ether.h"
#include "guest/machine/z8000/z8000.h"

struct z_hosted {
    struct z_machine machine;
    struct net *net; /* NULL: alone */
    struct ether ether;
    u64 started_ns;
    FILE *trace; /* NULL: none */
    bool apart;  /* the user processor is a thread; what wakes the kernel's side, and it: */
    int wakes[2];
};

u64 z_host_ns(void);
/* What the network and the timers want now. */
void z_poll(struct z_hosted *h);
/* Gives the user processor a thread of its own; false: that cannot be had. */
bool z_hosted_apart(struct z_hosted *h);

#endif

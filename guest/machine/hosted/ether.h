/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network of hosted nodes: a directory in which each device has a datagram socket named
 * after its address. A frame goes to the socket of its destination, a broadcast to all of
 * them; as on any ether, what finds no room is lost. Nothing but the directory is shared,
 * so nodes come and go as they like.
 */
#ifndef GUEST_MACHINE_HOSTED_ETHER_H
#define GUEST_MACHINE_HOSTED_ETHER_H

#include <sys/un.h>
#include "net/net.h"

struct ether {
    struct net_device device;
    int socket;
    struct sockaddr_un own;
    char directory[80];
};

/* Joins the network in `directory` as machine `self`; false: errno says why. */
bool ether_open(struct ether *e, const char *directory, machine_t self);
void ether_close(struct ether *e);
/* Numbers a boot of this machine, higher than the last that was a millisecond ago or more: sooner
 * no node is up again. */
u32 ether_boot(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network interface of the host as a device of the DEMOS network: frames with our
 * EtherType come and go by a packet socket, everything else on the interface stays the
 * host's. The device has the interface's address and its largest frame; whether it is up is
 * asked when the host says that something about its links changed.
 */
#ifndef GUEST_MACHINE_HOSTED_PACKET_H
#define GUEST_MACHINE_HOSTED_PACKET_H

#include <net/if.h>
#include <poll.h>
#include "net/net.h"

enum { PACKET_FDS = 2 };

struct packet {
    struct net_device device;
    char interface[IFNAMSIZ];
    int socket, links; /* frames; news of the host's links (rtnetlink(7)) */
    bool refused;      /* a block found no room: whoever wrote it is to be told of some */
};

/* Opens an Ethernet interface; needs CAP_NET_RAW. False: errno says why. */
bool packet_open(struct packet *p, const char *interface);
void packet_close(struct packet *p);
/* What to sleep on. */
void packet_wait_for(const struct packet *p, struct pollfd fds[PACKET_FDS]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's four functions over AF_PACKET (packet(7)).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "guest/machine/hosted/packet.h"
#include "net/frame.h"

enum { ETHERNET = 14, ROOM = 1 << 20, SKIP_MOST = 64, NEWS = 8192 };

static struct packet *packet_of(struct net_device *d)
{
    return d->owner;
}

/* Only a full send buffer is worth trying again; what the interface cannot have now is lost,
 * as on any medium. */
static bool write_block(struct net_device *d, const void *block, size_t len)
{
    struct packet *p = packet_of(d);

    if (send(p->socket, block, len, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
        return true;
    p->refused = true;
    return false;
}

/* An interface that listens to everything brings what is for others, and more than fits. */
static size_t read_block(struct net_device *d, void *block, size_t room)
{
    for (u32 i = 0; i < SKIP_MOST; i++) {
        struct sockaddr_ll from = {0};
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(packet_of(d)->socket, block, room, MSG_DONTWAIT | MSG_TRUNC,
                               (struct sockaddr *)&from, &size);

        if (got <= 0)
            return 0;
        if ((size_t)got <= room && from.sll_pkttype != PACKET_OTHERHOST &&
            from.sll_pkttype != PACKET_OUTGOING)
            return (size_t)got;
    }
    return 0;
}

/* Asks the host about the interface. */
static bool ask(const struct packet *p, unsigned long what, struct ifreq *answer)
{
    *answer = (struct ifreq){0};
    memcpy(answer->ifr_name, p->interface, IFNAMSIZ);
    return ioctl(p->socket, what, answer) == 0;
}

static u32 status(struct net_device *d)
{
    const short up = IFF_UP | IFF_RUNNING;
    struct ifreq r;

    if (!ask(packet_of(d), SIOCGIFFLAGS, &r) || (r.ifr_flags & up) != up)
        return 0;
    return NET_STATUS_UP | NET_STATUS_BROADCAST | NET_STATUS_CAN_WRITE;
}

void packet_wait_for(const struct packet *p, struct pollfd fds[PACKET_FDS])
{
    fds[0] = (struct pollfd){.fd = p->socket, .events = POLLIN};
    if (p->refused)
        fds[0].events |= POLLOUT;
    fds[1] = (struct pollfd){.fd = p->links, .events = POLLIN};
}

/* What the news are is not looked at: status asks. */
static void forget_news(int socket)
{
    char news[NEWS];

    while (recv(socket, news, sizeof news, MSG_DONTWAIT) > 0 || errno == ENOBUFS)
        ;
}

static u32 pending(struct net_device *d)
{
    struct packet *p = packet_of(d);
    struct pollfd fds[PACKET_FDS];
    socklen_t size = sizeof(int);
    u32 found = 0;
    int error;

    packet_wait_for(p, fds);
    if (poll(fds, PACKET_FDS, 0) <= 0)
        return 0;
    if (fds[0].revents & POLLERR) /* the interface went down: taken note of */
        getsockopt(p->socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (fds[0].revents & POLLIN)
        found |= NET_INT_RECEIVED;
    if (fds[0].revents & POLLOUT) {
        found |= NET_INT_WRITTEN;
        p->refused = false;
    }
    if (fds[1].revents) {
        forget_news(p->links);
        found |= NET_INT_STATUS;
    }
    return found;
}

/* Address and largest frame. */
static bool learn(struct packet *p)
{
    struct ifreq r;

    if (!ask(p, SIOCGIFHWADDR, &r))
        return false;
    if (r.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
        errno = EPFNOSUPPORT;
        return false;
    }
    memcpy(p->device.address, r.ifr_hwaddr.sa_data, sizeof p->device.address);
    if (!ask(p, SIOCGIFMTU, &r))
        return false;
    if (r.ifr_mtu < NET_BLOCK_MIN - ETHERNET) {
        errno = EMSGSIZE;
        return false;
    }
    p->device.block_max = (u16)MIN(r.ifr_mtu + ETHERNET, (int)NET_BLOCK_MAX);
    return true;
}

static bool listen_to_links(struct packet *p)
{
    struct sockaddr_nl groups = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};

    p->links = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return p->links >= 0 && bind(p->links, (struct sockaddr *)&groups, sizeof groups) == 0;
}

/* From the first frame on only ours: the socket is of no protocol until it is bound. */
static bool listen_to_frames(struct packet *p)
{
    struct sockaddr_ll from = {.sll_family = AF_PACKET,
                               .sll_protocol = htons(FRAME_ETHERTYPE),
                               .sll_ifindex = (int)if_nametoindex(p->interface)};
    int room = ROOM;

    p->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (p->socket < 0 || !from.sll_ifindex)
        return false;
    setsockopt(p->socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return learn(p) && bind(p->socket, (struct sockaddr *)&from, sizeof from) == 0;
}

bool packet_open(struct packet *p, const char *interface)
{
    static const struct net_device_ops ops = {write_block, read_block, status, pending};
    int why;

    *p = (struct packet){.socket = -1, .links = -1};
    p->device = (struct net_device){.ops = &ops, .owner = p};
    if (strlen(interface) >= IFNAMSIZ) {
        errno = ENODEV;
        return false;
    }
    memcpy(p->interface, interface, strlen(interface));
    if (listen_to_links(p) && listen_to_frames(p))
        return true;
    why = errno;
    packet_close(p);
    errno = why;
    return false;
}

void packet_close(struct packet *p)
{
    if (p->socket >= 0)
        close(p->socket);
    if (p->links >= 0)
        close(p->links);
    p->socket = p->links = -1;
}

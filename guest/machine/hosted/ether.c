/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's four functions over AF_UNIX datagrams (unix(7)). A name that nobody reads
 * any more is what a node left that was killed: sending there fails, and it is removed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "guest/machine/hosted/ether.h"

enum { BLOCK_MAX = 16384, ROOM = 1 << 20, NAME_MAX_LEN = 20 };

static struct ether *ether_of(struct net_device *d)
{
    return d->owner;
}

static bool name_socket(struct sockaddr_un *to, const char *directory, const char *name)
{
    *to = (struct sockaddr_un){.sun_family = AF_UNIX};
    return (size_t)snprintf(to->sun_path, sizeof to->sun_path, "%s/%s", directory, name) <
           sizeof to->sun_path;
}

static void name_of(const u8 address[6], char name[NAME_MAX_LEN])
{
    snprintf(name, NAME_MAX_LEN, "%02x-%02x-%02x-%02x-%02x-%02x", address[0], address[1],
             address[2], address[3], address[4], address[5]);
}

static void send_to(const struct ether *e, const char *name, const void *block, size_t len)
{
    struct sockaddr_un to;

    if (!name_socket(&to, e->directory, name) || strcmp(to.sun_path, e->own.sun_path) == 0)
        return;
    if (sendto(e->socket, block, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to) < 0 &&
        errno == ECONNREFUSED)
        unlink(to.sun_path);
}

static void send_to_all(const struct ether *e, const void *block, size_t len)
{
    DIR *d = opendir(e->directory);
    struct dirent *entry;

    while (d && (entry = readdir(d)))
        if (strlen(entry->d_name) == 17 && entry->d_name[2] == '-')
            send_to(e, entry->d_name, block, len);
    if (d)
        closedir(d);
}

static bool write_block(struct net_device *d, const void *block, size_t len)
{
    const u8 *destination = block;
    char name[NAME_MAX_LEN];

    if (len < 14 || len > BLOCK_MAX)
        return true; /* nothing any medium would carry */
    if (destination[0] & 1) {
        send_to_all(ether_of(d), block, len);
    } else {
        name_of(destination, name);
        send_to(ether_of(d), name, block, len);
    }
    return true;
}

static size_t read_block(struct net_device *d, void *block, size_t room)
{
    ssize_t got = recv(ether_of(d)->socket, block, room, MSG_DONTWAIT);

    return got > 0 ? (size_t)got : 0;
}

static u32 status(struct net_device *d)
{
    (void)d;
    return NET_STATUS_UP | NET_STATUS_BROADCAST | NET_STATUS_CAN_WRITE;
}

static u32 pending(struct net_device *d)
{
    struct pollfd p = {.fd = ether_of(d)->socket, .events = POLLIN};

    return poll(&p, 1, 0) == 1 ? NET_INT_RECEIVED : 0;
}

bool ether_open(struct ether *e, const char *directory, machine_t self)
{
    static const struct net_device_ops ops = {write_block, read_block, status, pending};
    u8 address[6] = {2, 0, (u8)(self >> 24), (u8)(self >> 16), (u8)(self >> 8), (u8)self};
    char name[NAME_MAX_LEN];
    int room = ROOM;

    *e = (struct ether){.socket = -1};
    e->device = (struct net_device){.ops = &ops, .block_max = BLOCK_MAX, .owner = e};
    memcpy(e->device.address, address, sizeof address);
    name_of(address, name);
    if ((size_t)snprintf(e->directory, sizeof e->directory, "%s", directory) >=
            sizeof e->directory ||
        !name_socket(&e->own, directory, name)) {
        errno = ENAMETOOLONG;
        return false;
    }
    e->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (e->socket < 0)
        return false;
    setsockopt(e->socket, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    unlink(e->own.sun_path);
    if (bind(e->socket, (struct sockaddr *)&e->own, sizeof e->own) == 0)
        return true;
    close(e->socket);
    e->socket = -1;
    return false;
}

void ether_close(struct ether *e)
{
    if (e->socket < 0)
        return;
    unlink(e->own.sun_path);
    close(e->socket);
    e->socket = -1;
}

u32 ether_boot(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return 1 + (u32)(((u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec) >> 20);
}

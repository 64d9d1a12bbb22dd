/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is above the network where no kernel is: it hears nothing and has nothing to give. Each
 * function is weak, so that a program or a test on this library writes only those it wants to
 * hear by. Never linked below a kernel, which has all of them.
 */
#include "net/net.h"

#define WEAK __attribute__((weak))

WEAK void net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                         const void *message, size_t len)
{
    (void)n, (void)from, (void)epoch, (void)class, (void)message, (void)len;
}

WEAK void net_up_room(struct net *n, machine_t to)
{
    (void)n, (void)to;
}

WEAK void net_up_reachable(struct net *n, machine_t machine, u32 epoch, bool reachable)
{
    (void)n, (void)machine, (void)epoch, (void)reachable;
}

WEAK void net_up_announce(struct net *n, machine_t from, const void *bytes, size_t len)
{
    (void)n, (void)from, (void)bytes, (void)len;
}

WEAK bool net_up_bulk_read(struct net *n, u64 transfer, u64 offset, void *buffer, size_t len)
{
    (void)n, (void)transfer, (void)offset, (void)buffer, (void)len;
    return false;
}

WEAK bool net_up_bulk_write(struct net *n, u64 transfer, u64 offset, const void *data,
                            size_t len)
{
    (void)n, (void)transfer, (void)offset, (void)data, (void)len;
    return false;
}

WEAK void net_up_bulk_done(struct net *n, u64 transfer, int result)
{
    (void)n, (void)transfer, (void)result;
}

WEAK void net_up_trace(struct net *n, u16 type, u32 who, u64 a, u64 b)
{
    (void)n, (void)type, (void)who, (void)a, (void)b;
}

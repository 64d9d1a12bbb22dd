/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types of the trace events that the network hands to net_up_trace, and those of the
 * fabric. `who` is the other machine (or the medium); a and b as said at each.
 */
#ifndef NET_TRACE_H
#define NET_TRACE_H

enum net_trace {
    NET_T_SEND = 0x9000,    /* message taken: a = sequence, b = length */
    NET_T_DELIVER = 0x9001, /* message handed up: a = sequence, b = length */
    NET_T_RESEND = 0x9002,  /* a = sequence, b = tries so far */
    NET_T_DROP = 0x9003,    /* frame discarded: a = enum net_drop, b = frame kind */
    NET_T_ROUTE = 0x9004,   /* path chosen: a = device number << 32 | hops, b = cost */
    NET_T_REBIND = 0x9005,  /* conversation moved: a = old device, b = new device */
    NET_T_LOST = 0x9006,    /* no path answers: a = epoch */
    NET_T_REBOOT = 0x9007,  /* peer came up anew: a = old epoch, b = new epoch */
    NET_T_BULK = 0x9008,    /* a = transfer, b = result (as u64 of int) */
    NET_T_FORWARD = 0x9009, /* through traffic: a = source machine, b = destination */

    NET_T_MEDIUM_SEND = 0x9100, /* who = medium; a = port << 48 | event, b = length */
    NET_T_MEDIUM_DROP =
        0x9101, /* a = port << 48 | event, b = to port << 32 | enum medium_why */
    NET_T_MEDIUM_FAULT = 0x9102,   /* as DROP, but the frame goes on changed */
    NET_T_MEDIUM_DELIVER = 0x9103, /* a = port << 48 | event, b = length */
};

enum net_drop {
    NET_DROP_CORRUPT = 1,
    NET_DROP_EPOCH,
    NET_DROP_NOT_MINE,
    NET_DROP_NO_ROUTE,
    NET_DROP_HOPS,
    NET_DROP_NO_ROOM,
    NET_DROP_FORM,
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests may leave a frame's transport checksum blank (netif.h, csum_blank); it must be
 * there once the frame leaves the machine, is captured, or can be damaged on its way.
 */
#ifndef NET_FABRIC_CHECKSUM_H
#define NET_FABRIC_CHECKSUM_H

#include "base/types.h"

/* What is known of a frame's transport checksum; 0: whoever gets it must look. */
enum checksum {
    CHECKSUM_BLANK = 1, /* it is not computed */
    CHECKSUM_GOOD = 2,  /* it is right, or as if it were: nothing has touched the data since */
};

/* Computes the TCP or UDP checksum of an IPv4 or IPv6 frame in place. False: it is none of
 * these, or not whole; then nothing is changed. */
bool checksum_fill(u8 *frame, size_t len);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests may leave a frame's transport checksum blank (netif.h, csum_blank); it must be
 * there once the frame leaves the machine, is captured, or can be damaged on its way.
 */
#ifndef NET_FABRIC_CHECKSUM_H
#define NET_FABRIC_CHECKSUM_H

#include "base/types.h"

/* Computes the TCP or UDP checksum of an IPv4 or IPv6 frame in place. False: it is none of
 * these, or not whole; then nothing is changed. */
bool checksum_fill(u8 *frame, size_t len);

#endif

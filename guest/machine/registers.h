/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of an x86-64 thread as an image that any x86-64 machine of ours reads:
 * versioned, big-endian, without addresses of the machine's own. Both machines export and
 * import through it, so a process can move between a domain and a hosted node.
 */
#ifndef GUEST_MACHINE_REGISTERS_H
#define GUEST_MACHINE_REGISTERS_H

#include "base/types.h"

// clang-format off
enum registers_index {
    R_RAX, R_RBX, R_RCX, R_RDX, R_RSI, R_RDI, R_RBP, R_RSP,
    R_R8, R_R9, R_R10, R_R11, R_R12, R_R13, R_R14, R_R15,
    R_RIP, R_RFLAGS, R_FS_BASE, R_GS_BASE, REGISTERS
};
// clang-format on

/* FXSAVE's 512 bytes, then the upper halves of YMM0-15 (zero where there is no AVX). */
enum { FLOAT_LEGACY = 512, FLOAT_UPPER = 256, FLOAT_BYTES = FLOAT_LEGACY + FLOAT_UPPER };

struct registers {
    u64 r[REGISTERS];
    u8 fp[FLOAT_BYTES];
};

/* Words kind and version, the registers, then the floating-point bytes. */
enum { REGISTERS_IMAGE = 16 + 8 * REGISTERS + FLOAT_BYTES };

/* What a thread is born with: all zero but the flags and the floating-point control words. */
void registers_init(struct registers *r);
void registers_encode(const struct registers *r, u8 image[REGISTERS_IMAGE]);
/* Takes a hostile image: flags and control words are cut to what a process may have, and
 * addresses that are not canonical are refused. `has_upper`: this machine keeps upper halves;
 * one that does not refuses an image where they are not zero, for they would be lost. False:
 * not an image of this kind, or not one for this machine. */
bool registers_decode(struct registers *r, const void *image, size_t len, bool has_upper);

#endif

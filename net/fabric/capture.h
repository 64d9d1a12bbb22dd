/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures as pcapng: one interface per medium, time stamps in virtual nanoseconds, and a
 * comment for each thing that befell a frame. Pure; blocks leave by capture_up_bytes.
 */
#ifndef NET_FABRIC_CAPTURE_H
#define NET_FABRIC_CAPTURE_H

#include "base/types.h"

enum { CAPTURE_COMMENTS = 2048, CAPTURE_FRAME = 65536 };

struct capture {
    void *owner;
    u32 interfaces;
    u64 frames;
    bool open; /* a packet's block is begun: comments may follow */
    bool comments;
    u32 len; /* of the block so far */
    u8 block[CAPTURE_FRAME + CAPTURE_COMMENTS + 64];
};

/* Writes the file's first block. */
void capture_init(struct capture *c, void *owner);
/* Announces a medium; the number for capture_frame. */
u32 capture_interface(struct capture *c, const char *name, const char *description);
void capture_frame(struct capture *c, u32 interface, u64 ns, const void *frame, size_t len);
/* Adds to the frame just told of; what does not fit is left out. */
void capture_comment(struct capture *c, const char *text);
void capture_flush(struct capture *c);

/* The owner's: bytes for the file, whole blocks, in order. */
void capture_up_bytes(struct capture *c, const void *bytes, size_t len);

#endif

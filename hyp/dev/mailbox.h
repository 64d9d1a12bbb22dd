/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a run crosses QEMU: the mailbox page, the plan, and the output ring, as
 * hyp/abi/osmosis.h lays them out. QEMU's RAM is a shared file; the harness reads there.
 */
#ifndef HYP_DEV_MAILBOX_H
#define HYP_DEV_MAILBOX_H

#include "hyp/abi/osmosis.h"

void mailbox_init(void);
/* Waits, in host mode, until the harness (or the boot module "plan") has given a plan;
 * then system time is zero and the rings are empty. Returns at once when a plan was taken
 * before. */
void mailbox_ready(void);
/* The plan's bytes, its length and seed; NULL before mailbox_ready. */
const void *mailbox_plan(u32 *len, u64 *seed);
/* Ends the run: the reason goes to the log and the mailbox, and the machine stops. */
void mailbox_finish(u32 status, const char *reason) __attribute__((noreturn));
/* For panic: leaves word, and returns. */
void mailbox_panic(const char *reason);
/* Notes the time for onlookers. */
void mailbox_time(u64 now_ns);
/* Appends one frame to the output ring. Where there is no room: in `count` and `event`
 * ends the run with an error that says so, in `real` drops it and returns -ENOSPC. */
int output_frame(u32 stream, const void *bytes, u32 len);

#endif

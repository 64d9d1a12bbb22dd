/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text from other programs: a link of ours that stands for their "console", so that what they
 * print comes to us in messages. Who starts both says when there is no more (the shell, for
 * `ps | match counter`).
 */
#ifndef GUEST_LIB_INPUT_H
#define GUEST_LIB_INPUT_H

#include "guest/lib/process.h"

enum { INPUT_CHANNEL = 60, INPUT_MAX = 4096 };
enum input_op { INPUT_END = 3 }; /* beside CONSOLE_WRITE: nothing more comes */

/* In a program that reads: hands its creator such a link; 0 or an error. */
int input_offer(void);
/* What one of them has printed, at most INPUT_MAX bytes; 0: that was all. */
s64 input_read(u8 text[INPUT_MAX]);
/* For who started the reader: there is no more. */
void input_end(s64 link);

#endif

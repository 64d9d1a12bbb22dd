/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a domain's text goes: Xen's console ring when there is one, the hypervisor's
 * emergency console for the control domain, port 0xE9 under a hypervisor without either,
 * a 16550 at 0x3f8 on the bare machine.
 */
#ifndef GUEST_RT_CONSOLE_H
#define GUEST_RT_CONSOLE_H

#include "base/types.h"

struct rt_start;

void rt_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);
void rt_console_write(const char *text, size_t len);
/* Bytes of input taken, at most `room`; 0 when there are none. */
size_t rt_console_read(char *text, size_t room);
/* Called when input may be there (from rt_wait). */
void rt_console_on_input(void (*fn)(void *arg), void *arg);
/* Early: output only. */
void rt_console_init(const struct rt_start *start);
/* Once events work: the ring's own channel. */
void rt_console_connect(void);
/* suspend.c: in another domain. */
void rt_console_begin_again(void);

#endif

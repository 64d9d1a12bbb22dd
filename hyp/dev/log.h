/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's log: to the serial port, to a ring in memory that the control domain can
 * read back, and to the output ring's log stream. log_line and the console functions that
 * dom/ uses are declared in dom/platform.h.
 */
#ifndef HYP_DEV_LOG_H
#define HYP_DEV_LOG_H

#include <stdarg.h>
#include "hyp/dom/platform.h"

void log_vline(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));
/* A typed byte for whoever reads the emergency console; lost when its room is full. */
void console_input(char c);
/* From here on nobody else's lock is waited for: the caller is the last. */
void log_break_locks(void);

#endif

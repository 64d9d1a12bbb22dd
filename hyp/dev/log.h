/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's log: lines to the serial port and to the output ring's log stream.
 */
#ifndef HYP_DEV_LOG_H
#define HYP_DEV_LOG_H

#include "base/types.h"

/* One whole line at a time; the newline is added. Any CPU, any context. */
void log_line(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Raw bytes, as guests' console_io and port 0xE9 bring them. */
void log_bytes(const char *bytes, size_t len);

#endif

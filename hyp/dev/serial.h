/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * COM1, polled. Bytes never wait long: a port that does not answer is given up.
 */
#ifndef HYP_DEV_SERIAL_H
#define HYP_DEV_SERIAL_H

#include "base/types.h"

void serial_put(char c);
/* The next byte that was typed, or -1. */
int serial_get(void);
/* Bytes that arrive raise interrupt 4 from now on. */
void serial_listen(void);

enum { SERIAL_IRQ = 4 };

#endif

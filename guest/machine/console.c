/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A node's console in a domain: the runtime's (guest/machine/place.h).
 */
#include "guest/machine/place.h"
#include "guest/rt/console.h"

void place_write(struct node *n, const void *text, size_t len)
{
    (void)n;
    rt_console_write(text, len);
}

size_t place_read(struct node *n, void *text, size_t room)
{
    (void)n;
    return rt_console_read(text, room);
}

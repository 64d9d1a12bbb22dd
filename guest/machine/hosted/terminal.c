/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A node's console on the host: standard output and input (guest/machine/place.h).
 */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>
#include "guest/machine/place.h"

void place_write(struct node *n, const void *text, size_t len)
{
    (void)n;
    fwrite(text, 1, len, stdout);
    fflush(stdout);
}

size_t place_read(struct node *n, void *text, size_t room)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t got = 0;

    (void)n;
    if (room > 0 && poll(&p, 1, 0) == 1)
        got = read(STDIN_FILENO, text, room);
    return got > 0 ? (size_t)got : 0;
}

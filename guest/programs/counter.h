/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the counter server and its clients agree on. A request is one word, the answer two:
 * the result and the counter's value or, for OPEN, a link to a counter of one's own.
 */
#ifndef GUEST_PROGRAMS_COUNTER_H
#define GUEST_PROGRAMS_COUNTER_H

enum counter_op {
    COUNTER_OPEN = 1, /* over the service's link: -> ; link to a new counter */
    COUNTER_UP = 2,   /* over a counter's link, word 1: by how much -> value */
    COUNTER_GET = 3,  /* -> value */
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways out of the fabric: a medium's port that is a network device of the machine, given to this
 * domain. Whatever is on the medium leaves there, and what comes in is on the medium.
 */
#ifndef NET_FABRIC_OUTSIDE_H
#define NET_FABRIC_OUTSIDE_H

#include "net/fabric/fabric.h"

enum {
    OUTSIDE_MOST = 4,
    OUTSIDE_FRAMES = 640, /* pages that one takes */
};

/* From words "FUNCTION MEDIUM PORT" such as "6-0 net outside". NULL, or what is wrong. */
const char *outside_open(struct fabric *f, const char *words);
/* Moves frames both ways. */
void outside_turn(u64 now);
/* Whether nothing has come since. */
bool outside_idle(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a case of z8000-step runs in: 128 segments of memory, ports with prepared words,
 * requests that come at a given step, pages missing at first, and the record of all that
 * the processor did on its bus.
 */
#ifndef Z8000_STEP_WORLD_H
#define Z8000_STEP_WORLD_H

#include <stdio.h>
#include "z8000/z8000.h"

enum {
    WORLD_BYTES = 128 << 16,
    WORLD_PAGE = 256, /* the unit of `absent` */
    WORLD_PORTS = 64,
    WORLD_PORT_WORDS = 4096,
    WORLD_EVENTS = 4096,
};

struct port {
    u16 number, count, next;
    bool special;
    u16 words[WORLD_PORT_WORDS];
};

struct event {
    u64 step;
    u8 line; /* Z8000_NMI ... */
    u16 identifier;
    bool raised;
};

struct io_record {
    bool write, special, byte;
    u16 port, data;
};

struct world {
    u8 *memory;                        /* WORLD_BYTES */
    u8 written[WORLD_BYTES / 16];      /* a bit for each word */
    u8 used[WORLD_BYTES / WORLD_PAGE]; /* pages to clear for the next case */
    u8 absent[WORLD_BYTES / WORLD_PAGE];
    struct port ports[WORLD_PORTS];
    size_t port_count;
    struct event events[WORLD_EVENTS];
    size_t event_count;
    struct io_record *io; /* all of them, in order */
    size_t io_count, io_room;
    u16 identifier[8]; /* by acknowledge status */
    u64 odd;           /* word transactions at odd addresses */
    u32 missing;       /* the page that held the last transaction */
    bool trace_bus;
    FILE *out;
};

/* Forgets everything of the case before. */
void world_clear(struct world *w);
void world_put(struct world *w, u32 address, u8 byte);
/* False: too many ports or words. */
bool world_port(struct world *w, bool special, u16 number, u16 word);
/* The processor's bus: z8000_bus with a struct world. */
bool world_bus(void *owner, struct z8000_cycle *cycle);
/* Supplies the page that held the last transaction. */
void world_supply(struct world *w);
/* The W and IO lines. */
void world_report(const struct world *w);

#endif

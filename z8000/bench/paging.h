/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The share of time that the user processor computes under paging load: real programs on
 * the emulated processor, demand paging with no reference or dirty bits, the processor held
 * during every fault as in 1983, or, for comparison, switched to another process.
 */
#ifndef Z8000_BENCH_PAGING_H
#define Z8000_BENCH_PAGING_H

#include "z8000/z8000.h"

enum { PAGING_PROCESSES = 4, PAGING_SPACE = 1 << 17, PAGING_PAGES = PAGING_SPACE / 512 };

struct paging_machine {
    u32 hz;
    u32 page_bytes;
    u32 memory_bytes;     /* for the processes */
    u32 bytes_per_second; /* of the paging device */
    double device_ms;     /* before its first byte */
    bool restartable;     /* a fault lets another process run */
    bool second_chance;   /* else pages go in the order in which they came */
};

struct paging_share {
    double busy; /* of the time measured */
    double faults_per_second, writes_per_second;
};

/* Runs the four programs of load.s for `seconds` of emulated time after as many of warming
 * up. `table` and `code` are the decoder and the image. */
struct paging_share paging_run(const struct z8000_table *table, const u8 *code, size_t length,
                               const struct paging_machine *machine, double seconds);

#endif

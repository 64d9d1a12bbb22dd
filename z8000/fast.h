/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a processor in segmented normal mode from decoded instructions and host memory,
 * and leaves to z8000_step whatever it has no short way for: rare forms, traps, requests,
 * references to pages without host memory. It gives up before an instruction begins, never
 * inside one, so state, clocks and bus order are those of z8000_step.
 *
 * The owner says which pages are plain memory and takes them back when its maps change.
 * Writes to a page that has been decoded go by the bus, and drop what was decoded.
 */
#ifndef Z8000_FAST_H
#define Z8000_FAST_H

#include "z8000/z8000.h"

enum {
    Z8000_FAST_PAGE = 512,
    Z8000_FAST_SEGMENT_PAGES = 0x10000 / Z8000_FAST_PAGE,
    Z8000_FAST_PAGES = 128 * Z8000_FAST_SEGMENT_PAGES,
};

struct z8000_fast;

size_t z8000_fast_size(void);
/* Takes the processor's bus over (the owner's is still asked). `memory` is aligned as by
 * malloc and zeroed. */
struct z8000_fast *z8000_fast_init(void *memory, struct z8000 *c);
/* Page `number` (segment * 128 + offset / 512) in normal mode: where it is read and, at
 * the same place, written; NULL: by the bus. */
void z8000_fast_map(struct z8000_fast *f, u32 number, u8 *read, u8 *write);
/* Memory changed behind the processor's back. */
void z8000_fast_changed(struct z8000_fast *f, const u8 *page);
/* Steps until the clock has reached `until` (Z8000_DONE), a transaction is held, or the
 * processor is halted. Request lines must not change meanwhile. */
enum z8000_result z8000_fast_run(struct z8000_fast *f, u64 until);
/* The same, but a run may end some thousand clocks past `until`, which saves the exact steps
 * up to it. */
enum z8000_result z8000_fast_run_past(struct z8000_fast *f, u64 until);

#endif

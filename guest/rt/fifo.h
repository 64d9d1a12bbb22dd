/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FIFO event channels (event_channel.h, "FIFO ABI"), for event.c only.
 */
#ifndef GUEST_RT_FIFO_H
#define GUEST_RT_FIFO_H

#include "guest/rt/hypercall.h"

/* Called by fifo.c for each port that was pending; event.c's. */
void rt_event_call(u32 port);

bool fifo_init(void);
/* Makes the event array long enough for `port`. */
bool fifo_reach(u32 port);
void fifo_mask(u32 port);
/* True when the port is pending and the hypervisor must be asked. */
bool fifo_unmask(u32 port);
bool fifo_is_pending(u32 port);
void fifo_clear(u32 port);
void fifo_dispatch(void);

#endif

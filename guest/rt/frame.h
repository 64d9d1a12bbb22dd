/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain's own memory: frames from its memory map that neither the image, the start
 * information nor a module occupies, and a heap over them. Frames never touched are never
 * populated by the hypervisor, so nothing here walks memory.
 */
#ifndef GUEST_RT_FRAME_H
#define GUEST_RT_FRAME_H

#include "base/heap.h"

struct rt_start;

/* `count` zeroed frames in a row, reached through the direct map; NULL when there are none.
 * Frames come back zeroed however they were left. */
void *rt_frames(u32 count);
/* The same without touching them: whatever they hold, and populated only when used. */
void *rt_frames_untouched(u32 count);
/* How many the longest run has. */
u32 rt_frames_longest(void);
void rt_frames_free(void *at, u32 count);
/* Frames not handed out. */
u64 rt_frames_left(void);
/* Memory from a heap that grows frame by frame; the size must be said again to free. */
void *rt_alloc(size_t size);
void rt_free(void *at, size_t size);
void rt_frame_init(const struct rt_start *start);

#endif

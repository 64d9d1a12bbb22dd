/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The battery-backed clock: read once per run, for the wall clock at virtual time zero.
 */
#ifndef HYP_CPU_RTC_H
#define HYP_CPU_RTC_H

#include "base/types.h"

/* Seconds since 1970, UTC as the machine keeps it; 0 when there is no such clock. */
u64 rtc_seconds(void);

#endif

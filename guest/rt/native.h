/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the runtime needs from a machine without a hypervisor: a serial port, the local
 * APIC's timer, the rate of the TSC, and a way to stop.
 */
#ifndef GUEST_RT_NATIVE_H
#define GUEST_RT_NATIVE_H

#include "guest/rt/rt.h"

void native_serial_init(void);
void native_serial_write(const char *text, size_t len);
size_t native_serial_read(char *text, size_t room);
/* Measures the TSC (the result in kHz) and the APIC timer, and enables the APIC. */
u64 native_time_init(void (*on_alarm)(void));
void native_alarm_in(u64 ns);
/* Ends the interrupt that a handler is serving. */
void native_interrupt_done(void);
NORETURN void native_end(enum rt_end how);

#endif

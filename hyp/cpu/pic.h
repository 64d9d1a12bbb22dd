/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two 8259 interrupt controllers: everything masked, but for the serial port in
 * interactive runs and the lines that driver domains were given.
 */
#ifndef HYP_CPU_PIC_H
#define HYP_CPU_PIC_H

#include "base/types.h"

void pic_init(void);
/* Line `irq` (0-15) may interrupt the boot CPU, or not. */
void pic_unmask(u32 irq, bool on);
/* From the trap handler. A domain's line stays masked until pic_unmask (level triggered). */
void pic_interrupt(u32 irq);
/* Who hears about the lines: called with interrupts off on the boot CPU. */
void pic_set_handler(u32 irq, void (*handler)(u32 irq));

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/dev/serial.h"
#include "hyp/cpu/x86.h"

enum { COM1 = 0x3f8, INTERRUPTS = COM1 + 1, MODEM = COM1 + 4, STATUS = COM1 + 5 };
enum { RECEIVED = 1, ROOM = 0x20, TRIES = 100000 };

void serial_put(char c)
{
    for (u32 i = 0; i < TRIES && !(inb(STATUS) & ROOM); i++)
        __builtin_ia32_pause();
    outb(COM1, (u8)c);
}

int serial_get(void)
{
    u8 status = inb(STATUS);

    return status != 0xff && (status & RECEIVED) ? inb(COM1) : -1;
}

void serial_listen(void)
{
    outb(MODEM, 0x0b); /* DTR, RTS, and OUT2, which lets the interrupt out */
    outb(INTERRUPTS, 1);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/cpu/pic.h"
#include "hyp/boot/layout.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/cpu/x86.h"

enum { MASTER = 0x20, SLAVE = 0xa0, CASCADE = 2 };

static u16 masked = 0xffff;
static struct spinlock lock;
static void (*handlers[16])(u32 irq);

static void write_mask(void)
{
    outb(MASTER + 1, (u8)masked);
    outb(SLAVE + 1, (u8)(masked >> 8));
}

void pic_unmask(u32 irq, bool on)
{
    spin_lock(&lock);
    masked = (u16)(on ? masked & ~(1u << irq) : masked | 1u << irq);
    if ((masked >> 8) != 0xff)
        masked &= (u16) ~(1u << CASCADE);
    write_mask();
    spin_unlock(&lock);
}

/* Lines 7 and 15 also stand for "it was nothing": then they are not in service. */
static bool in_service(u32 irq)
{
    u16 port = irq < 8 ? MASTER : SLAVE;

    outb(port, 0x0b);
    return inb(port) >> (irq & 7) & 1;
}

void pic_interrupt(u32 irq)
{
    if ((irq & 7) == 7 && !in_service(irq)) {
        if (irq == 15)
            outb(MASTER, 0x20);
        return;
    }
    pic_unmask(irq, false);
    if (irq >= 8)
        outb(SLAVE, 0x20);
    outb(MASTER, 0x20);
    if (handlers[irq])
        handlers[irq](irq);
}

void pic_set_handler(u32 irq, void (*handler)(u32 irq))
{
    handlers[irq] = handler;
}

void pic_init(void)
{
    outb(MASTER, 0x11); /* begin; edge triggered, cascaded, four words */
    outb(SLAVE, 0x11);
    outb(MASTER + 1, VECTOR_PIC);
    outb(SLAVE + 1, VECTOR_PIC + 8);
    outb(MASTER + 1, 1u << CASCADE);
    outb(SLAVE + 1, CASCADE);
    outb(MASTER + 1, 1); /* 8086 mode */
    outb(SLAVE + 1, 1);
    write_mask();
}

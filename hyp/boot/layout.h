/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where things lie. Machine memory: the image from 1 MiB on, the mailbox and the start code
 * of secondary CPUs below it. Virtual memory: the image in the top 2 GiB, all RAM in the
 * direct map, the same in every CPU and unknown to guests.
 */
#ifndef HYP_BOOT_LAYOUT_H
#define HYP_BOOT_LAYOUT_H

#define IMAGE_BASE      0xffffffff80000000
#define DIRECT_BASE     0xffff800000000000
#define DIRECT_LIMIT    0x0000400000000000 /* bytes of machine memory the direct map can hold */

#define TRAMPOLINE      0x8000 /* one page: secondary CPUs start here in real mode */
#define MAILBOX         0x9000 /* one page: struct osm_mailbox */

#define SELECTOR_CODE32 0x08
#define SELECTOR_DATA   0x10
#define SELECTOR_CODE64 0x18

#define VECTOR_PIC      0x20 /* to 0x2f: the two 8259s */
#define VECTOR_TIMER    0xf0
#define VECTOR_KICK     0xf1
#define VECTOR_SPURIOUS 0xff

#endif

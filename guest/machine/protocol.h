/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine's own kernel processes are asked, beside guest/kernel/control.h: bodies
 * are big-endian 64-bit words, word 0 the operation; answers begin with a signed word, 0
 * or more, or an enum demos_error. Nothing here waits.
 */
#ifndef GUEST_MACHINE_PROTOCOL_H
#define GUEST_MACHINE_PROTOCOL_H

/* To KERNEL_CONSOLE. */
enum console_op {
    CONSOLE_WRITE = 1, /* then bytes -> bytes written */
    CONSOLE_READ = 2,  /* most -> bytes read (0: none now), then the bytes */
};

/* To KERNEL_MACHINE. */
enum machine_op {
    MACHINE_FRAMES = 1,   /* -> frames of the node, of these free */
    MACHINE_CYCLES = 2,   /* -> the processor's counter, its ticks per millisecond */
    MACHINE_HALT = 3,     /* status: ends the node, an orderly end when 0 */
    MACHINE_COUNTS = 4,   /* -> what the hypervisor did for this domain so far: world switches,
                           * TLB flushes, bytes copied; refused where nobody says */
    MACHINE_FEATURES = 5, /* -> what of its processor's the node has switched on, bit by bit of
                           * enum machine_feature; none where the processor is not the node's */
};
enum machine_feature { MACHINE_SMEP, MACHINE_SMAP, MACHINE_UMIP, MACHINE_PCID, MACHINE_AVX };

/* To KERNEL_DISK: the node's disks by number, from 0, in sectors of 512 bytes. Answers come when
 * the disk is done; DEMOS_E_MEMORY: too many requests under way. */
enum { DEVICE_SECTOR = 512, DEVICE_SECTORS_MOST = 64 };
enum device_op {
    DEVICE_SIZE = 1,  /* disk -> sectors, 1 if it is read-only */
    DEVICE_READ = 2,  /* disk, sector, count -> then the bytes */
    DEVICE_WRITE = 3, /* disk, sector, count, then the bytes -> */
    DEVICE_FLUSH = 4, /* disk -> : what was answered before lasts */
};

#endif

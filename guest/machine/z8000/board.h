/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hardware of a Z8000 node as the kernel's side sees it: memory, the kernel
 * processor's ports, and the user processor that runs until it interrupts. A seam of its
 * own, because the core and z8000/node both call their state struct node. What the kernel
 * knows of the user processor is what its trap entry (trap.s) has left in the mailbox.
 */
#ifndef GUEST_MACHINE_Z8000_BOARD_H
#define GUEST_MACHINE_Z8000_BOARD_H

#include "base/types.h"

/* Ports and causes are those of z8000/node/node.h; board.c holds them together. */
enum board_port {
    BOARD_FAULT = 0x02, /* segment of the held reference; bit 15: a write */
    BOARD_OFFSET = 0x04,
    BOARD_REASON = 0x06,
    BOARD_RELEASE = 0x08, /* 1: the reference is tried again; 2: segment trap */
    BOARD_TO_USER = 0x0a,
    BOARD_PROCESS = 0x0c,
    BOARD_SEGMENT = 0x10, /* choose map * 128 + segment, then its entry */
    BOARD_SEGMENT_ENTRY = 0x12,
    BOARD_PAGE = 0x14, /* choose map * 128 + page, then frame and entry */
    BOARD_FRAME = 0x16,
    BOARD_PAGE_ENTRY = 0x18,
};
enum { BOARD_VALID = 0x8000, BOARD_WRITABLE = 0x4000 };
enum board_cause { BOARD_CAUSE_FAULT = 1, BOARD_CAUSE_CALL = 2 };
enum board_fault { BOARD_FAULT_SEGMENT = 1, BOARD_FAULT_PAGE, BOARD_FAULT_WRITE };

enum board_trap { /* why the mailbox was filled */
                  BOARD_TRAP_EXTENDED = 1,
                  BOARD_TRAP_PRIVILEGED,
                  BOARD_TRAP_CALL,
                  BOARD_TRAP_SEGMENT,
                  BOARD_TRAP_NMI,
                  BOARD_TRAP_INTERRUPT,
};

/* A process's registers, in the order of the mailbox. */
enum board_register { REG_FCW = 16, REG_PC_SEG, REG_PC_OFF, REG_IDENT, BOARD_REGISTERS };

enum {
    BOARD_HZ = 2000000,
    BOARD_CLOCK_NS = 1000000000 / BOARD_HZ,
    BOARD_SEGMENT_MAPS = 8,
    BOARD_PAGE_MAPS = 16,
    BOARD_SEGMENTS = 128,
    BOARD_FRAMES_FROM = 0x4000, /* below: the trap entry, its mailbox and stack */
    BOARD_PAGE_MOST = 2048,
    BOARD_BLOCK = 512, /* of the disk */
    BOARD_BLOCKS_MOST = 0x10000,
};

struct board;

size_t board_size(void);
/* The node in `memory` (zeroed, of board_size()) with `ram_bytes` (a power of two, zeroed)
 * of its own memory, pages of 1 << page_bits (9 to 11) and the trap entry in place. */
struct board *board_init(void *memory, u8 *ram, u32 ram_bytes, unsigned page_bits,
                         const u8 *trap_entry, size_t trap_len);
/* Its memory. All functions but those of the user processor's turn have the board to
 * themselves: they wait until that processor stops between two instructions, or in a hold. */
u8 *board_memory(struct board *b, u32 at);
u16 board_in(struct board *b, u16 port);
void board_out(struct board *b, u16 port, u16 value);
/* Lets the user processor run for `clocks`, or until it is held or halts. It has when this
 * returns, unless it has a processor to itself: then it has when board_rests says so, or when
 * another of these functions has been called, maybe with clocks left. */
void board_begin(struct board *b, u64 clocks);
bool board_rests(const struct board *b);
/* The causes for which it has interrupted, now acknowledged. */
u8 board_causes(struct board *b);
/* From now on the user processor runs where board_serve is called, again and again: a call is a
 * turn, waited for and run. `place` is for turn_wake and turn_sleep (turn.h). */
void board_apart(struct board *b, void *place);
void board_serve(struct board *b);
/* Clocks of the user processor since reset, of these in holds; references held. */
struct board_times {
    u64 clocks, waited, faults;
};
struct board_times board_times(struct board *b);
/* So many clocks pass before the kernel releases the reference that is held. */
void board_wait(struct board *b, u64 clocks);
/* The kernel has written to the page of memory at `at`. */
void board_changed(struct board *b, u32 at);
/* The disk behind its parallel port; without, no block is known. */
void board_disk_attach(struct board *b, u8 *blocks, u32 count);
/* One block, read or written byte by byte through the port; the clocks that takes. */
u64 board_disk(struct board *b, bool write, u32 block, u8 bytes[BOARD_BLOCK]);
/* The mailbox: the registers of the process that trapped, and why; and the registers with
 * which the user processor goes on (in normal mode, whatever they say). */
enum board_trap board_mailbox(struct board *b, u16 registers[BOARD_REGISTERS]);
void board_go(struct board *b, const u16 registers[BOARD_REGISTERS]);

#endif

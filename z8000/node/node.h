/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The node of 1983: a user Z8001 behind map registers and a kernel Z8001 on bare memory,
 * both at 2 MHz, joined by a fault latch, WAIT and an interrupt each way; parallel ports
 * of 5,000 bytes/s, a serial line, a disk behind its parallel port, a clock. Pure: the
 * owner gives the memory and is told of signals; time is counted in clocks of 500 ns.
 *
 * The user processor's normal-mode references go through the maps, its system-mode ones
 * (the few instructions of its trap entry) and all of the kernel's are physical. Maps are
 * set through ports that only the kernel processor has.
 */
#ifndef Z8000_NODE_NODE_H
#define Z8000_NODE_NODE_H

#include "z8000/fast.h"
#include "z8000/z8000.h"

enum {
    NODE_HZ = 2000000,
    NODE_SEGMENT_MAPS = 8, /* processes */
    NODE_PAGE_MAPS = 16,   /* segments */
    NODE_SEGMENTS = 128,
    NODE_PAGES_MOST = 128, /* of a segment: 64 KB in pages of 512 bytes */
    NODE_MEMORY_MOST = 16 << 20,
    NODE_BLOCK = 512,
};

/* Ports of the kernel processor. */
enum node_register {
    NODE_R_CAUSE = 0x00, /* read: NODE_CAUSE_... now asserted */
    NODE_R_FAULT = 0x02, /* segment of the held reference; bit 15: a write */
    NODE_R_OFFSET = 0x04,
    NODE_R_REASON = 0x06,         /* NODE_FAULT_... */
    NODE_R_RELEASE = 0x08,        /* write 1: try again; 2: give up, segment trap */
    NODE_R_TO_USER = 0x0a,        /* write: interrupts the user processor */
    NODE_R_PROCESS = 0x0c,        /* the segment map in use */
    NODE_R_SEGMENT = 0x10,        /* choose map * 128 + segment */
    NODE_R_SEGMENT_ENTRY = 0x12,  /* bit 15 valid, 14 writable, 3-0 page map */
    NODE_R_PAGE = 0x14,           /* choose map * 128 + page */
    NODE_R_FRAME = 0x16,          /* the frame for the next line */
    NODE_R_PAGE_ENTRY = 0x18,     /* bit 15 valid, 14 writable */
    NODE_R_BANK = 0x1a,           /* the kernel's address line 23 */
    NODE_R_CLOCK = 0x1c,          /* write: ticks every n * 1000 clocks, 0 stops */
    NODE_R_NETWORK = 0x20,        /* byte ports: data */
    NODE_R_NETWORK_STATUS = 0x22, /* bit 7: a byte is in; bit 6: one can go out */
    NODE_R_DISK = 0x24,
    NODE_R_DISK_STATUS = 0x26,
    NODE_R_SERIAL = 0x28,
    NODE_R_SERIAL_STATUS = 0x2a,
};
/* The user processor's only port: a write interrupts the kernel processor. */
enum { NODE_R_TO_KERNEL = 0x00 };

enum {
    NODE_CAUSE_FAULT = 1,
    NODE_CAUSE_CALL = 2,
    NODE_CAUSE_NETWORK = 4,
    NODE_CAUSE_DISK = 8,
    NODE_CAUSE_SERIAL = 16,
    NODE_CAUSE_CLOCK = 32,
};

enum { NODE_FAULT_SEGMENT = 1, NODE_FAULT_PAGE, NODE_FAULT_WRITE };

enum node_signal { /* lines of the handshake, for a trace */
                   NODE_S_WAIT,
                   NODE_S_FAULT,
                   NODE_S_RELEASE,
                   NODE_S_TO_KERNEL,
                   NODE_S_TO_USER,
                   NODE_S_USER_HALTED,
                   NODE_S_KERNEL_HALTED,
                   NODE_S_MAP, /* an entry of a map is written */
                   NODE_S_COUNT,
};

enum { PORT_NETWORK, PORT_DISK, PORT_SERIAL, PORT_COUNT };

/* One byte each way at a time, at the pace of the line. */
struct node_port {
    u32 clocks_per_byte;
    u64 out_ready; /* when the byte that is leaving has left */
    u8 out;
    bool leaving, full; /* a byte is leaving; one has come in */
    u8 in;
    u32 wrong_every; /* one byte in so many comes out with a bit wrong; 0: none */
    u64 bytes_in, bytes_out;
};

struct node_disk {
    u8 *blocks;
    u32 block_count;
    u32 latency;   /* clocks from a command to its first byte */
    u64 ready;     /* when the next byte may go */
    u8 request[3]; /* R or W, block number */
    u16 got, sent, length;
    u8 buffer[NODE_BLOCK + 1];
    u64 reads, writes;
};

struct node {
    struct z8000 user, kernel;
    struct z8000_fast *fast; /* of the user processor; NULL: it makes single steps */
    u8 *memory;
    u32 memory_bytes;
    u8 page_bits;
    u8 process;
    bool bank;
    u16 segment_map[NODE_SEGMENT_MAPS][NODE_SEGMENTS];
    struct {
        u16 frame, flags;
    } page_map[NODE_PAGE_MAPS][NODE_PAGES_MOST];
    u16 segment_index, page_index, frame;

    bool waiting;     /* the user processor is held in a reference */
    bool giving_up;   /* it is let through, with nothing done, to the instruction's end */
    bool given_first; /* and the held reference itself is still to come */
    struct z8000_cycle fault;
    u8 reason;
    u8 causes;
    u64 skew; /* clocks that the user processor spent held */
    u64 waited_since, waited;
    u64 user_halted; /* clocks that it spent halted */
    u64 faults, map_loads, interrupts;
    u32 tick;
    u64 next_tick;

    struct node_port port[PORT_COUNT];
    struct node_disk disk;
    struct node *peer; /* at the other end of the network port */
    const char *crash; /* why the node has stopped, or NULL */
    u32 crash_address;
    u8 signals;
    void (*signal)(void *owner, u64 clock, enum node_signal which, bool value);
    void (*serial)(void *owner, u8 byte);
    void *owner;
};

/* A node with its processors before reset. `memory_bytes` is a power of two. */
void node_init(struct node *n, const struct z8000_table *table, u8 *memory, u32 memory_bytes,
               unsigned page_bits);
/* One step of the processor that is behind; devices first. False: the node has crashed. */
bool node_step(struct node *n);
u64 node_user_clock(const struct node *n);
u64 node_kernel_clock(const struct node *n);
/* Shows a line's level to the owner, if it changed. */
void node_set_signal(struct node *n, enum node_signal which, bool value);

/*
 * For a kernel side that is not the kernel processor: its ports, and the user processor
 * alone, run until its clock is `until`, it is held, or it halts. The kernel side's clock
 * follows; it takes no time but what passes meanwhile.
 */
u16 node_kernel_in(struct node *n, u16 reg);
void node_kernel_out(struct node *n, u16 reg, u16 value);
void node_run_user(struct node *n, u64 until);
/* From now on the user processor runs the fast way (z8000/fast.h: memory of
 * z8000_fast_size() zero bytes); node_step is not to be used. The owner says
 * z8000_fast_changed when it writes to memory itself. */
void node_use_fast(struct node *n, void *memory);

/* maps.c: physical address of a user reference, or the reason why there is none. */
u8 node_translate(const struct node *n, u8 segment, u16 offset, bool write, u32 *physical);
void node_map_write(struct node *n, u16 reg, u16 value);

/* ports.c: bytes in and out, and the disk. */
void node_ports_init(struct node *n);
void node_ports_run(struct node *n, u64 clock);
u16 node_port_read(struct node *n, u16 reg);
void node_port_write(struct node *n, u16 reg, u16 value, u64 clock);

#endif

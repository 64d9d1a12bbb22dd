/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Z8001 or Z8002 processor: registers, control registers, and every bus transaction in
 * the order the chip makes it, with its status code. Pure: no globals, nothing allocated,
 * any number in one process.
 *
 * The owner answers each transaction by a function. Answering "held" is the WAIT line: the
 * step stops where it is, its progress is plain data in `struct z8000_micro`, and the next
 * call of z8000_step presents the same transaction again and goes on from there. Nothing
 * that went before is repeated.
 */
#ifndef Z8000_Z8000_H
#define Z8000_Z8000_H

#include "base/types.h"

/* What the status lines ST3-ST0 say of a transaction. */
enum z8000_status {
    Z8000_ST_IO = 2,
    Z8000_ST_SPECIAL_IO = 3,
    Z8000_ST_SEGMENT_ACK = 4,
    Z8000_ST_NMI_ACK = 5,
    Z8000_ST_NVI_ACK = 6,
    Z8000_ST_VI_ACK = 7,
    Z8000_ST_DATA = 8,
    Z8000_ST_STACK = 9,
    Z8000_ST_EPU_DATA = 10,
    Z8000_ST_EPU_STACK = 11,
    Z8000_ST_PROGRAM = 12,
    Z8000_ST_FETCH = 13,
    Z8000_ST_EPU_TRANSFER = 14,
};

/* Flag and control word. */
enum {
    Z8000_SEG = 0x8000,
    Z8000_SYSTEM = 0x4000,
    Z8000_EPA = 0x2000,
    Z8000_VIE = 0x1000,
    Z8000_NVIE = 0x0800,
    Z8000_C = 0x80,
    Z8000_Z = 0x40,
    Z8000_S = 0x20,
    Z8000_V = 0x10,
    Z8000_DA = 0x08,
    Z8000_H = 0x04,
};

/* Request lines. NMI is an edge, the segment trap (Z8001) holds until acknowledged; VI and
 * NVI are levels which the owner takes away (the acknowledge transaction tells it when). */
enum {
    Z8000_NMI = 1,
    Z8000_SEGT = 2,
    Z8000_VI = 4,
    Z8000_NVI = 8,
};

struct z8000_cycle {
    u8 status;
    u8 segment; /* SN6-SN0; 0 for I/O and acknowledgements */
    u16 offset; /* address lines or port; bit 0 as the CPU drives it, also for words */
    u16 data;   /* in or out; a byte stands in the low half */
    bool write, byte;
    bool normal; /* the N/S line */
};

/* True: done, `data` is filled in for a read. False: held. */
typedef bool z8000_bus(void *owner, struct z8000_cycle *cycle);

/* Where an instruction or an exception sequence is. Plain data. */
struct z8000_micro {
    u8 stage; /* enum stage of engine.c; 0 is "between instructions" */
    u8 phase; /* transactions (or parts) of this stage already done */
    u8 count; /* instruction words to fetch in all */
    u8 fetched;
    u8 at_address; /* index in `word` of the address, if the form has one */
    u8 status;     /* status code of the operand's transactions */
    u8 segment;    /* of the operand */
    u8 repeating;  /* a block instruction between two iterations */
    u8 source;     /* which exception is being taken: enum exception of trap.c */
    u16 word[5];   /* instruction words */
    u16 offset;    /* of the operand */
    u16 start;     /* where the instruction began */
    u16 next;      /* where the next one begins, while `repeating` */
    u16 frame[4];  /* an exception's stack frame, or its new program status */
    u32 value;     /* operand read */
    u32 result;    /* operand to write */
    u32 saved;     /* a handler's own */
    u32 clocks;    /* of the step so far */
};

struct z8000_table;

struct z8000 {
    u16 r[16];
    u16 fcw;
    u16 pc;
    u8 segment; /* of the PC; 0 on a Z8002 */
    bool bare;  /* bit 15 of the word that brought it was clear, and is pushed so */
    bool z8002;
    bool halted;
    bool mi, mo;        /* multi-micro pins; true is asserted */
    u8 lines;           /* requests, Z8000_NMI ... */
    u16 nspseg, nspoff; /* R14, R15 of the mode that is not running */
    u16 psapseg, psapoff;
    u16 refresh;
    u64 clocks;     /* since reset */
    u32 iterations; /* of a block instruction in the last step */
    struct z8000_micro u;

    const struct z8000_table *table;
    z8000_bus *bus;
    void *owner;
};

enum z8000_result {
    Z8000_DONE,   /* one step more has been made */
    Z8000_HELD,   /* the owner held a transaction; call again to go on */
    Z8000_HALTED, /* HALT executed and no request accepted; three clocks passed */
};

/* Fills the decode table (shared by any number of processors, never written again). */
size_t z8000_table_size(void);
struct z8000_table *z8000_table_init(void *memory);

/* A processor before reset; registers zero. */
void z8000_init(struct z8000 *c, bool z8002, const struct z8000_table *table, z8000_bus *bus,
                void *owner);
/* The reset sequence: control registers cleared, then program status read from memory by
 * the next z8000_step calls like any other sequence. */
void z8000_reset(struct z8000 *c);
/* A step: an accepted request's sequence, if any, and one instruction (or one iteration of
 * a repeating one) with its own trap sequence. */
enum z8000_result z8000_step(struct z8000 *c);
/* True while a step is under way (it was held). */
bool z8000_busy(const struct z8000 *c);
/* True between two iterations of a repeating instruction. */
bool z8000_repeating(const struct z8000 *c);
/* Sets all of the FCW, exchanging stack pointers as a mode change does. Not while busy. */
void z8000_set_fcw(struct z8000 *c, u16 fcw);

/* Everything but table, bus and owner, versioned, big-endian, without pointers. */
enum { Z8000_IMAGE_BYTES = 128 };
void z8000_export(const struct z8000 *c, u8 image[Z8000_IMAGE_BYTES]);
/* False: not such an image, or one that no run could have led to; `c` is unchanged. */
bool z8000_import(struct z8000 *c, const u8 image[Z8000_IMAGE_BYTES]);

/* What the decoder knows of a first instruction word, for tests and tools. */
struct z8000_form {
    const char *name; /* as the assembler spells it */
    u8 words;         /* with a short address */
    bool address;     /* has an address, which may be long in segmented mode */
    bool privileged;
    u16 clocks[3]; /* nonsegmented, short, long; without what depends on data */
};
/* False: no instruction begins with this word. */
bool z8000_describe(const struct z8000_table *table, u16 word, struct z8000_form *form);

#endif

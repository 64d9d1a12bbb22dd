/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board: z8000/node with the kernel processor's place taken by our caller. See board.h.
 */
#include "guest/machine/z8000/board.h"
#include "base/bytes.h"
#include "base/memory.h"
#include "guest/machine/z8000/turn.h"
#include "z8000/node/node.h"

enum { PIECE = 2000 }; /* clocks, after which it is looked whether the turn is wanted */
enum { PORT_BYTE_IN = 0x80, PORT_CAN_SEND = 0x40, PORT_POLL = 59 }; /* clocks, as kernel.s */
enum { MAILBOX = 0x1000, REASON_AT = MAILBOX + 40, GO_AT = MAILBOX + 42, FLAGS = 0xfc };

_Static_assert((int)BOARD_FAULT == NODE_R_FAULT && (int)BOARD_OFFSET == NODE_R_OFFSET &&
                   (int)BOARD_REASON == NODE_R_REASON && (int)BOARD_RELEASE == NODE_R_RELEASE,
               "the fault latch");
_Static_assert((int)BOARD_TO_USER == NODE_R_TO_USER && (int)BOARD_PROCESS == NODE_R_PROCESS &&
                   (int)BOARD_SEGMENT == NODE_R_SEGMENT &&
                   (int)BOARD_SEGMENT_ENTRY == NODE_R_SEGMENT_ENTRY &&
                   (int)BOARD_PAGE == NODE_R_PAGE && (int)BOARD_FRAME == NODE_R_FRAME &&
                   (int)BOARD_PAGE_ENTRY == NODE_R_PAGE_ENTRY,
               "the maps");
_Static_assert((int)BOARD_CAUSE_FAULT == NODE_CAUSE_FAULT &&
                   (int)BOARD_CAUSE_CALL == NODE_CAUSE_CALL &&
                   (int)BOARD_FAULT_SEGMENT == NODE_FAULT_SEGMENT &&
                   (int)BOARD_FAULT_WRITE == NODE_FAULT_WRITE,
               "causes and reasons");
_Static_assert((int)BOARD_SEGMENT_MAPS == NODE_SEGMENT_MAPS &&
                   (int)BOARD_PAGE_MAPS == NODE_PAGE_MAPS &&
                   (int)BOARD_SEGMENTS == NODE_SEGMENTS && (int)BOARD_HZ == NODE_HZ,
               "sizes");
_Static_assert((int)BOARD_BLOCK == NODE_BLOCK, "the disk");

struct board {
    struct turn turn;
    u64 clocks; /* of the turn that the user processor has */
    struct node node;
    u64 port_clock; /* of what goes through the disk's port */
};

static size_t table_at(void)
{
    return ALIGN_UP(sizeof(struct board), (size_t)16);
}

static size_t fast_at(void)
{
    return table_at() + ALIGN_UP(z8000_table_size(), (size_t)16);
}

size_t board_size(void)
{
    return fast_at() + z8000_fast_size();
}

struct board *board_init(void *memory, u8 *ram, u32 ram_bytes, unsigned page_bits,
                         const u8 *trap_entry, size_t trap_len)
{
    struct board *b = memory;

    memcpy(ram, trap_entry, MIN(trap_len, (size_t)MAILBOX));
    node_init(&b->node, z8000_table_init((u8 *)memory + table_at()), ram, ram_bytes, page_bits);
    node_use_fast(&b->node, (u8 *)memory + fast_at());
    z8000_reset(&b->node.user);
    return b;
}

u8 *board_memory(struct board *b, u32 at)
{
    turn_take(&b->turn);
    return b->node.memory + at;
}

u16 board_in(struct board *b, u16 port)
{
    turn_take(&b->turn);
    return node_kernel_in(&b->node, port);
}

void board_out(struct board *b, u16 port, u16 value)
{
    turn_take(&b->turn);
    node_kernel_out(&b->node, port, value);
}

void board_begin(struct board *b, u64 clocks)
{
    turn_take(&b->turn);
    b->clocks = clocks;
    if (b->turn.apart)
        turn_give(&b->turn);
    else
        node_run_user(&b->node, node_user_clock(&b->node) + clocks);
}

bool board_rests(const struct board *b)
{
    return turn_is_kernels(&b->turn);
}

u8 board_causes(struct board *b)
{
    return (u8)board_in(b, NODE_R_CAUSE);
}

void board_apart(struct board *b, void *place)
{
    b->turn = (struct turn){.whose = TURN_KERNEL, .apart = true, .place = place};
}

/* The kernel's side waits, and a process runs: the few instructions of the trap entry are made in
 * one, for it must have halted before the kernel's side can go on. */
static bool gives_way(const struct board *b)
{
    return turn_is_wanted(&b->turn) && !(b->node.user.fcw & Z8000_SYSTEM);
}

/* Held or halted, it does not reach the end of a piece. */
void board_serve(struct board *b)
{
    u64 end, now, piece;

    turn_await(&b->turn);
    now = node_user_clock(&b->node);
    end = now + b->clocks;
    do {
        piece = MIN(end, now + PIECE);
        node_run_user(&b->node, piece);
        now = node_user_clock(&b->node);
    } while (now >= piece && now < end && !gives_way(b));
    turn_back(&b->turn);
}

void board_wait(struct board *b, u64 clocks)
{
    turn_take(&b->turn);
    b->node.kernel.clocks += clocks;
}

struct board_times board_times(struct board *b)
{
    turn_take(&b->turn);
    return (struct board_times){node_user_clock(&b->node), b->node.waited, b->node.faults};
}

void board_disk_attach(struct board *b, u8 *blocks, u32 count)
{
    b->node.disk.blocks = blocks;
    b->node.disk.block_count = count;
}

/* Looks at the port until it says so. */
static void port_wait(struct board *b, u16 bit)
{
    while (!(node_port_read(&b->node, NODE_R_DISK_STATUS) & bit)) {
        b->port_clock += PORT_POLL;
        node_ports_run(&b->node, b->port_clock);
    }
}

static void port_put(struct board *b, u8 byte)
{
    port_wait(b, PORT_CAN_SEND);
    node_port_write(&b->node, NODE_R_DISK, byte, b->port_clock);
}

static u8 port_get(struct board *b)
{
    port_wait(b, PORT_BYTE_IN);
    return (u8)node_port_read(&b->node, NODE_R_DISK);
}

u64 board_disk(struct board *b, bool write, u32 block, u8 bytes[BOARD_BLOCK])
{
    u64 began;

    turn_take(&b->turn);
    began = b->port_clock;
    port_put(b, write ? 'W' : 'R');
    port_put(b, (u8)(block >> 8));
    port_put(b, (u8)block);
    for (u32 i = 0; i < BOARD_BLOCK; i++)
        if (write)
            port_put(b, bytes[i]);
        else
            bytes[i] = port_get(b);
    port_get(b); /* how it went: the caller knows how many blocks there are */
    node_ports_run(&b->node, b->port_clock);
    return b->port_clock - began;
}

void board_changed(struct board *b, u32 at)
{
    turn_take(&b->turn);
    z8000_fast_changed(b->node.fast, b->node.memory + ALIGN_DOWN(at, (u32)Z8000_FAST_PAGE));
}

enum board_trap board_mailbox(struct board *b, u16 registers[BOARD_REGISTERS])
{
    turn_take(&b->turn);
    for (u32 i = 0; i < BOARD_REGISTERS; i++)
        registers[i] = be16_get(b->node.memory + MAILBOX + 2 * i);
    return (enum board_trap)be16_get(b->node.memory + REASON_AT);
}

void board_go(struct board *b, const u16 registers[BOARD_REGISTERS])
{
    u8 *mailbox = board_memory(b, MAILBOX);

    for (u32 i = 0; i < BOARD_REGISTERS; i++)
        be16_put(mailbox + 2 * i, registers[i]);
    be16_put(mailbox + 2 * REG_FCW,
             (u16)((registers[REG_FCW] & FLAGS) | Z8000_SEG | Z8000_NVIE));
    be16_put(b->node.memory + GO_AT, 1);
    board_out(b, BOARD_TO_USER, 1);
}

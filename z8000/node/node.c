/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two processors on one memory: whose turn it is, what each one's transactions mean, and
 * the handshake between them.
 */
#include "z8000/node/node.h"

enum { RELEASE_AGAIN = 1, RELEASE_GIVE_UP = 2, JUNK = 0xffff, TICK_UNIT = 1000 };

u64 node_user_clock(const struct node *n)
{
    return n->user.clocks + n->skew;
}

u64 node_kernel_clock(const struct node *n)
{
    return n->kernel.clocks;
}

void node_set_signal(struct node *n, enum node_signal which, bool value)
{
    u8 bit = (u8)(1 << which);
    u64 clock = MAX(node_kernel_clock(n), n->waiting ? 0 : node_user_clock(n));

    if (!(n->signals & bit) == !value)
        return;
    n->signals ^= bit;
    if (n->signal)
        n->signal(n->owner, clock, which, value);
}

static void pulse(struct node *n, enum node_signal which)
{
    node_set_signal(n, which, true);
    node_set_signal(n, which, false);
}

static void transfer(struct node *n, u32 at, struct z8000_cycle *c)
{
    u8 *m = n->memory;

    if (c->byte) {
        if (c->write)
            m[at] = (u8)c->data;
        else
            c->data = m[at];
        return;
    }
    at &= ~1u;
    if (c->write) {
        m[at] = (u8)(c->data >> 8);
        m[at + 1] = (u8)c->data;
    } else {
        c->data = (u16)(m[at] << 8 | m[at + 1]);
    }
}

static bool is_memory(const struct z8000_cycle *c)
{
    return c->status >= Z8000_ST_DATA && c->status != Z8000_ST_EPU_TRANSFER;
}

/* Latches the reference that the maps have no answer for; the processor stays in it. */
static bool hold(struct node *n, const struct z8000_cycle *c, u8 reason)
{
    if (!n->waiting) {
        n->fault = *c;
        n->reason = reason;
        n->faults++;
        n->waited_since = node_user_clock(n) + n->user.u.clocks;
        n->causes |= NODE_CAUSE_FAULT;
        node_set_signal(n, NODE_S_FAULT, true);
        node_set_signal(n, NODE_S_WAIT, true);
        n->waiting = true;
    }
    return false;
}

static bool user_memory(struct node *n, struct z8000_cycle *c)
{
    u32 at = (u32)c->segment << 16 | c->offset;
    u8 reason = 0;

    if (n->giving_up && c->status == Z8000_ST_FETCH && !n->given_first)
        n->giving_up = false;
    n->given_first = false;
    if (n->giving_up) {
        c->data = c->write ? c->data : JUNK;
        return true;
    }
    if (c->normal)
        reason = node_translate(n, c->segment, c->offset, c->write, &at);
    else if (at >= n->memory_bytes)
        reason = NODE_FAULT_PAGE;
    if (reason)
        return hold(n, c, reason);
    transfer(n, at, c);
    return true;
}

static bool is_acknowledge(const struct z8000_cycle *c)
{
    return c->status >= Z8000_ST_SEGMENT_ACK && c->status <= Z8000_ST_VI_ACK;
}

/* A frame that is pushed is real. An interrupt's acknowledge follows a fetch that nobody uses: if
 * that was given up, nothing has failed, and no trap is due. */
static void begin_frame(struct node *n, const struct z8000_cycle *c)
{
    n->interrupts++;
    n->giving_up = n->given_first = false;
    if (c->status != Z8000_ST_SEGMENT_ACK)
        n->user.lines &= (u8)~Z8000_SEGT;
}

static bool user_bus(void *owner, struct z8000_cycle *c)
{
    struct node *n = owner;

    if (is_memory(c))
        return user_memory(n, c);
    if (is_acknowledge(c))
        begin_frame(n, c);
    if (c->status == Z8000_ST_NVI_ACK) {
        n->user.lines &= (u8)~Z8000_NVI;
        node_set_signal(n, NODE_S_TO_USER, false);
    }
    if (c->write && c->status == Z8000_ST_IO && c->offset == NODE_R_TO_KERNEL) {
        n->causes |= NODE_CAUSE_CALL;
        n->interrupts++; /* the trap that led here */
        node_set_signal(n, NODE_S_TO_KERNEL, true);
    }
    if (!c->write)
        c->data = 0;
    return true;
}

/* Lets the held processor go: its time goes on from now. */
static void release(struct node *n, bool give_up)
{
    u64 now = node_kernel_clock(n);

    if (!n->waiting)
        return;
    pulse(n, NODE_S_RELEASE);
    node_set_signal(n, NODE_S_WAIT, false);
    n->waiting = false;
    if (now > n->waited_since) {
        n->skew += now - n->waited_since;
        n->waited += now - n->waited_since;
    }
    if (give_up) {
        n->giving_up = n->given_first = true;
        n->user.lines |= Z8000_SEGT;
    }
}

u16 node_kernel_in(struct node *n, u16 reg)
{
    u8 causes = n->causes;

    switch (reg) {
    case NODE_R_CAUSE:
        /* Reading acknowledges what is an edge; ports stay until their byte is taken. */
        n->causes &= (u8) ~(NODE_CAUSE_FAULT | NODE_CAUSE_CALL | NODE_CAUSE_CLOCK);
        node_set_signal(n, NODE_S_FAULT, false);
        node_set_signal(n, NODE_S_TO_KERNEL, false);
        return causes;
    case NODE_R_FAULT: return (u16)(n->fault.segment | (n->fault.write ? 0x8000 : 0));
    case NODE_R_OFFSET: return n->fault.offset;
    case NODE_R_REASON: return n->reason;
    default:
        return reg >= NODE_R_NETWORK && reg <= NODE_R_SERIAL_STATUS ? node_port_read(n, reg)
                                                                    : JUNK;
    }
}

void node_kernel_out(struct node *n, u16 reg, u16 value)
{
    switch (reg) {
    case NODE_R_RELEASE: release(n, value == RELEASE_GIVE_UP); break;
    case NODE_R_TO_USER:
        n->user.lines |= Z8000_NVI;
        node_set_signal(n, NODE_S_TO_USER, true);
        break;
    case NODE_R_BANK: n->bank = (value & 1) != 0; break;
    case NODE_R_CLOCK:
        n->tick = value * TICK_UNIT;
        n->next_tick = node_kernel_clock(n) + n->tick;
        break;
    default:
        if (reg >= NODE_R_NETWORK && reg <= NODE_R_SERIAL_STATUS)
            node_port_write(n, reg, value, node_kernel_clock(n) + n->kernel.u.clocks);
        else
            node_map_write(n, reg, value);
        break;
    }
}

/* The kernel processor is taken never to make a wrong reference: one stops the node. */
static bool kernel_bus(void *owner, struct z8000_cycle *c)
{
    struct node *n = owner;
    u32 at = (u32)c->segment << 16 | c->offset | (n->bank ? 1u << 23 : 0);

    if (c->status == Z8000_ST_IO) {
        if (c->write)
            node_kernel_out(n, c->offset, c->data);
        else
            c->data = node_kernel_in(n, c->offset);
        return true;
    }
    if (!is_memory(c)) {
        n->interrupts += is_acknowledge(c);
        c->data = c->write ? c->data : 0;
        return true;
    }
    if (at >= n->memory_bytes) {
        n->crash = "the kernel processor made a reference outside memory";
        n->crash_address = at;
        c->data = c->write ? c->data : JUNK;
        return true;
    }
    transfer(n, at, c);
    return true;
}

void node_init(struct node *n, const struct z8000_table *table, u8 *memory, u32 memory_bytes,
               unsigned page_bits)
{
    *n = (struct node){
        .memory = memory, .memory_bytes = memory_bytes, .page_bits = (u8)page_bits};
    node_ports_init(n);
    z8000_init(&n->user, false, table, user_bus, n);
    z8000_init(&n->kernel, false, table, kernel_bus, n);
}

static void devices(struct node *n, u64 clock)
{
    node_ports_run(n, clock);
    if (n->tick && clock >= n->next_tick) {
        n->next_tick += n->tick;
        n->causes |= NODE_CAUSE_CLOCK;
    }
    if (n->causes)
        n->kernel.lines |= Z8000_NVI;
    else
        n->kernel.lines &= (u8)~Z8000_NVI;
}

static void step_user(struct node *n)
{
    u64 before = n->user.clocks;
    enum z8000_result result = z8000_step(&n->user);

    if (result == Z8000_HALTED)
        n->user_halted += n->user.clocks - before;
    node_set_signal(n, NODE_S_USER_HALTED, n->user.halted);
}

bool node_step(struct node *n)
{
    if (n->crash)
        return false;
    if (!n->waiting && node_user_clock(n) <= node_kernel_clock(n)) {
        step_user(n);
    } else {
        devices(n, node_kernel_clock(n));
        z8000_step(&n->kernel);
        node_set_signal(n, NODE_S_KERNEL_HALTED, n->kernel.halted);
    }
    return n->crash == NULL;
}

void node_use_fast(struct node *n, void *memory)
{
    n->fast = z8000_fast_init(memory, &n->user);
}

/* The fast way stops at holds and at HALT, as stepping does: what interrupts the kernel
 * processor ends in one of them. */
void node_run_user(struct node *n, u64 until)
{
    enum z8000_result result = Z8000_DONE;

    while (!n->waiting && result != Z8000_HALTED && node_user_clock(n) < until)
        result = n->fast ? z8000_fast_run_past(n->fast, until - n->skew) : z8000_step(&n->user);
    n->kernel.clocks = MAX(n->kernel.clocks, node_user_clock(n));
}

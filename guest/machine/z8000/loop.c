/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Z8000 machine's loop (guest/kernel/node.h draws it), as the state machine of the two
 * processors has it: a process runs until its user processor is held in a reference (the
 * map is loaded and the same reference goes on) or halts in its trap entry; only then may
 * the kernel choose another process, never in a hold.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/machine/z8000/z8000.h"

enum {
    SLICE = BOARD_HZ / 100,
    SETTLE = 20000, /* clocks in which a trap entry has long come to its end */
};

static u16 *registers(struct thread *th)
{
    return ((struct z_thread *)th->machine)->registers;
}

static void set_result(struct thread *th, s64 result)
{
    for (u32 i = 0; i < 4; i++)
        registers(th)[i] = (u16)((u64)result >> (48 - 16 * i));
}

static enum outcome exception(struct z_machine *m, struct thread *th, u32 reason, u32 code,
                              u64 address)
{
    const u16 *r = registers(th);
    struct exception e = {reason, code, address,
                          z_address((u32)r[REG_PC_SEG] << 16 | r[REG_PC_OFF])};
    u64 before = node_counters(m->node)->processes;
    char line[128], name[DEMOS_NAME_MAX];
    enum outcome o;

    memcpy(name, th->task->name, sizeof name);
    o = node_exception(m->node, th, &e);
    if (node_counters(m->node)->processes < before) {
        m->worst = 1;
        place_write(m->node, line,
                    format(line, sizeof line,
                           "%.24s: ended by exception %u at 0x%llx, code 0x%llx\n", name,
                           reason, (unsigned long long)address, (unsigned long long)e.at));
    }
    return o;
}

/* What a trap of the running thread means. */
static enum outcome trapped(struct z_machine *m, struct thread *th, enum board_trap trap,
                            s64 *result)
{
    switch (trap) {
    case BOARD_TRAP_CALL: return z_call(m, th, result);
    case BOARD_TRAP_SEGMENT:
        return exception(m, th, m->fault_reason ? m->fault_reason : EXCEPTION_PROTECTION,
                         Z_FAULT_CODE, m->fault_address);
    case BOARD_TRAP_INTERRUPT: return NODE_RUN;
    default: return exception(m, th, EXCEPTION_INSTRUCTION, trap, 0);
    }
}

/* Lets the user processor run for `clocks`, or until it is held or halts; meanwhile, where it has a
 * processor to itself, the kernel's side goes on with network and timers. Its causes. What the
 * kernel's side did on the board may have stopped it before, with none. */
static u8 run_user(struct z_machine *m, u64 clocks)
{
    board_begin(m->board, clocks);
    while (!board_rests(m->board))
        z_attend(m, ~0ull);
    return board_causes(m->board);
}

/* Has the user processor run `th` until it is back in its trap entry, and the node's time
 * pass as far as its clocks say. What the kernel's side did meanwhile may have ended the
 * thread: then m->running is no longer it. */
static enum board_trap user_mode(struct z_machine *m, struct thread *th, u64 clocks)
{
    u64 started_ns = machine_now(m->node), used = 0;
    const struct board_times start = board_times(m->board);
    struct board_times now;
    u16 nobody[BOARD_REGISTERS];
    enum board_trap trap;
    bool asked = false;
    u8 causes = 0;

    z_maps_choose(m, th->task);
    board_go(m->board, registers(th));
    while (!(causes & BOARD_CAUSE_CALL)) {
        if (used >= clocks && !asked) {
            board_out(m->board, BOARD_TO_USER, 1);
            asked = true;
        }
        causes = run_user(m, asked ? SETTLE : clocks - used);
        used = board_times(m->board).clocks - start.clocks;
        if (causes & BOARD_CAUSE_FAULT)
            z_serve_hold(m, th, started_ns + used * BOARD_CLOCK_NS);
        used = board_times(m->board).clocks - start.clocks;
    }
    /* The trap entry has still to halt; an interrupt that crossed its call ends there. */
    run_user(m, SETTLE);
    trap = board_mailbox(m->board, m->running == th ? registers(th) : nobody);
    now = board_times(m->board);
    used = now.clocks - start.clocks;
    if (m->running == th)
        th->task->cpu_ns += (used - (now.waited - start.waited)) * BOARD_CLOCK_NS;
    z_pass(m, started_ns + used * BOARD_CLOCK_NS);
    return trap;
}

/* Runs a chosen thread, and those it hands over to, until another is to be chosen. */
static void run(struct z_machine *m, struct thread *th, u64 until)
{
    s64 result = 0;
    enum outcome o;

    m->running = th;
    o = node_resume(m->node, th, &result);
    for (;;) {
        u64 now = board_times(m->board).clocks;
        enum board_trap trap;

        if (o == NODE_SWITCH || o == NODE_HANDOVER) {
            th = node_switch_target(m->node);
            m->running = th;
            o = node_resume(m->node, th, &result);
            continue;
        }
        if (o == NODE_BLOCKED)
            break;
        if (o == NODE_DONE)
            set_result(th, result);
        if (m->halted || now >= until || node_should_preempt(m->node, th)) {
            node_preempt(m->node, th);
            break;
        }
        m->fault_reason = 0;
        m->fault_address = 0;
        trap = user_mode(m, th, until - now);
        if (m->running != th || m->halted)
            return;
        o = trapped(m, th, trap, &result);
    }
    m->running = NULL;
}

bool z_run(struct z_machine *m, u64 clocks)
{
    u64 until = board_times(m->board).clocks + clocks;
    bool any = false;

    while (!m->halted && board_times(m->board).clocks < until) {
        struct thread *th = node_next(m->node);

        if (!th)
            break;
        any = true;
        run(m, th, MIN(until, board_times(m->board).clocks + SLICE));
    }
    return any;
}

bool z_machine_init(struct z_machine *m, struct heap *heap, u8 *ram, u32 ram_bytes,
                    unsigned page_bits, const u8 *trap_entry, size_t trap_len)
{
    u32 count = ram_bytes >> page_bits, first = BOARD_FRAMES_FROM >> page_bits;
    void *board = heap_alloc(heap, board_size());
    u32 *refs = heap_alloc(heap, count * sizeof *refs);

    if (!board || !refs)
        return false;
    *m = (struct z_machine){.page_bits = page_bits};
    m->board = board_init(board, ram, ram_bytes, page_bits, trap_entry, trap_len);
    frames_init(&m->frames, ram, 0, refs, count);
    m->frames.fresh = first;
    m->frames.available = count - first;
    board_begin(m->board, SETTLE); /* from reset to where it waits for us */
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions as requests over a link, which another process answers: go on, go on with other
 * registers, do it again, end. And the registers of a process that is stopped.
 */
#include "guest/kernel/node.h"
#include "guest/machine/registers.h"
#include "guest/programs/conformance/conformance.h"

enum { HOLE = 0x20000, REPORT = 32, STATE_ROOM = 16384 };

/* A breakpoint, an instruction that there is not, memory that there is not: what is left in the
 * register, and what was in the memory. */
int play_stumble(void)
{
    u64 value = 5;

    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL_A, 0));
    demos_receive(DEMOS_CHANNEL(CHANNEL_A), NULL, 0, NULL); /* until somebody watches us */
    asm volatile("int3; ud2" : "+a"(value));
    return (int)(value + *(volatile u8 *)HOLE);
}

extern const u8 waiting_begin[], waiting_end[];

/* Until somebody gives the register another value. */
int play_waiting(void)
{
    u64 value = 0;

    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL_A, 0));
    asm volatile(".globl waiting_begin, waiting_end\n"
                 "waiting_begin: test %0, %0\n"
                 "jz waiting_begin\n"
                 "waiting_end:"
                 : "+a"(value));
    return (int)value;
}

static u8 said[REPORT + REGISTERS_IMAGE];

/* The next report's reason, and the link to answer it by. */
static s64 hear(s64 *reply)
{
    struct demos_info info = {0};
    s64 len = demos_receive_within(5000000000, DEMOS_CHANNEL(CHANNEL_B), said, sizeof said,
                                   &info);

    *reply = info.reply;
    return len == sizeof said ? (s64)be64_get(said) : -1000 + len;
}

static u64 reported(enum registers_index r)
{
    return be64_get(said + REPORT + 16 + 8 * r);
}

/* CHANGE is followed by what is in `said` behind the report. */
static void answer(s64 reply, enum exception_answer how)
{
    u8 *word = said + REPORT - 8;

    be64_put(word, how);
    demos_reply(reply, word, how == EXCEPTION_CHANGE ? 8 + REGISTERS_IMAGE : 8);
}

static s64 stumbler(void)
{
    s64 go, control = start_role("stumble", NULL, &go);
    s64 link = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL_B, 9);
    struct words w;

    words_start(&w, CONTROL_EXCEPTION);
    expect("EXCEPTION", words_call(control, &w, &link, 1, NULL), 0);
    demos_request(go, NULL, 0, 0, CHANNEL_A, 0);
    demos_link_drop(go);
    return control;
}

static s64 fill_hole(s64 control)
{
    struct words w;

    words_start(&w, CONTROL_MAP);
    words_put(&w, HOLE);
    words_put(&w, PAGE);
    words_put(&w, REGION_READ);
    words_put(&w, REGION_READ);
    return words_call(control, &w, NULL, 0, NULL);
}

static void check_answers(void)
{
    s64 control = stumbler(), reply;

    expect("a breakpoint is asked about", hear(&reply), EXCEPTION_BREAKPOINT);
    expect("with the registers", (s64)reported(R_RAX), 5);
    answer(reply, EXCEPTION_CONTINUE);
    expect("CONTINUE: to the next one", hear(&reply), EXCEPTION_INSTRUCTION);
    be64_put(said + REPORT + 16 + 8 * R_RAX, 42);
    be64_put(said + REPORT + 16 + 8 * R_RIP, reported(R_RIP) + 2);
    answer(reply, EXCEPTION_CHANGE);
    expect("CHANGE: over the instruction", hear(&reply), EXCEPTION_ADDRESS);
    expect("which says the address", (s64)be64_get(said + 16), HOLE);
    expect("MAP what was missing", fill_hole(control), 0);
    answer(reply, EXCEPTION_RETRY);
    expect("RETRY: with what CHANGE has put there", await_end().status, 42);
    demos_link_drop(control);
    control = stumbler();
    hear(&reply);
    answer(reply, EXCEPTION_KILL);
    expect("KILL", (s64)await_end().how, DEMOS_END_KILLED);
    demos_link_drop(control);
    control = stumbler();
    hear(&reply);
    demos_link_drop(reply);
    expect("no answer, ever", (s64)await_end().how, DEMOS_END_KILLED);
    demos_link_drop(control);
}

static u8 state[8 + STATE_ROOM];

/* The state's registers, which come last; NULL: none was had. */
static u8 *registers_of(s64 control)
{
    u8 op[8];
    s64 len;

    be64_put(op, CONTROL_STATE);
    len = demos_call(control, op, sizeof op, state, sizeof state);
    return len < 16 + REGISTERS_IMAGE ? NULL : state + len - REGISTERS_IMAGE;
}

static u64 at(const u8 *registers, enum registers_index r)
{
    return be64_get(registers + 16 + 8 * r);
}

/* Stopped where it waits, and its registers. */
static u8 *stop_waiting(s64 control)
{
    for (u32 tries = 0; tries < 1000; tries++) {
        u8 *r;

        process_control(control, CONTROL_STOP, 0, 0, 0);
        r = registers_of(control);
        if (r && at(r, R_RIP) >= (u64)waiting_begin && at(r, R_RIP) < (u64)waiting_end)
            return r;
        process_control(control, CONTROL_RESUME, 0, 0, 0);
        demos_sleep_ns(1000000);
    }
    return NULL;
}

static s64 set_registers(s64 control, const u8 *registers, size_t len)
{
    u8 body[8 + REGISTERS_IMAGE], word[8];

    be64_put(body, CONTROL_SET);
    memcpy(body + 8, registers, len);
    return demos_call(control, body, 8 + len, word, sizeof word) == 8 ? (s64)be64_get(word)
                                                                      : DEMOS_E_REFUSED;
}

static void check_registers(void)
{
    s64 link, control = start_role("waiting", NULL, &link);
    u8 *r;

    expect_true("STATE of a process that runs", !registers_of(control));
    r = stop_waiting(control);
    expect_true("STATE, while it is stopped", r != NULL);
    if (r) {
        expect("the register it waits for", (s64)at(r, R_RAX), 0);
        be64_put(r + 16 + 8 * R_RAX, 17);
        expect("SET", set_registers(control, r, REGISTERS_IMAGE), 0);
        expect("SET to what are no registers", set_registers(control, r, 64), DEMOS_E_ARGUMENT);
    }
    process_control(control, CONTROL_RESUME, 0, 0, 0);
    expect("and it goes on with that", await_end().status, 17);
    demos_link_drop(control);
    demos_link_drop(link);
}

void check_exceptions(void)
{
    chapter("exceptions");
    check_answers();
    check_registers();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes by their control links (rows DL16, DL17, DK07): born with what they were
 * given and nothing else, stopped, resumed, limited, killed, mourned.
 */
#include "guest/programs/conformance/conformance.h"

static u8 page[PAGE] __attribute__((aligned(PAGE)));

static void check_birth(void)
{
    expect("exit status 0", run_role("exit", "0").status, 0);
    expect("exit status 42", run_role("exit", "42").status, 42);
    expect("born with console and no more", run_role("links", NULL).status, 1);
    expect("its arguments", run_role("arguments", "one argument").status, 0);
    expect("a program that is not there",
           demos_spawn(&(struct demos_spawn){.program = "no-such-program"}), DEMOS_E_REFUSED);
}

static void check_stop(void)
{
    s64 echo, control = start_role("echo", NULL, &echo);
    u8 in[4];

    expect("STOP", process_control(control, CONTROL_STOP, 0, 0, 0), 0);
    expect("STOP twice", process_control(control, CONTROL_STOP, 0, 0, 0), DEMOS_E_STATE);
    expect("the stopped do not answer", call_call(echo, "x", 1, in, 4, NULL, 2000000),
           DEMOS_E_TIMEOUT);
    expect("RESUME", process_control(control, CONTROL_RESUME, 0, 0, 0), 0);
    expect("and do so again", demos_call(echo, "yz", 2, in, 4), 2);
    expect("KILL", process_kill(control), 0);
    expect("is told as such", (s64)await_end().how, DEMOS_END_KILLED);
    expect("control of the dead", process_control(control, CONTROL_STOP, 0, 0, 0),
           DEMOS_E_DEAD);
    demos_link_drop(control);
    demos_link_drop(echo);
}

/* One that never calls the kernel still lets others run, and can be ended. */
static void check_spinner(void)
{
    s64 link, control = start_role("spin", NULL, &link);
    struct demos_listing l;

    demos_sleep_ns(30000000);
    expect("a spinner does not keep others from running", process_info(control, &l, NULL), 0);
    expect("PRIORITY", process_control(control, CONTROL_PRIORITY, 7, 0, 0), 0);
    expect("no such priority", process_control(control, CONTROL_PRIORITY, 8, 0, 0),
           DEMOS_E_ARGUMENT);
    expect("and ends when told", process_kill(control), 0);
    await_end();
    demos_link_drop(control);
    demos_link_drop(link);
}

static s64 map(s64 control, u64 base, u64 len, u64 protection)
{
    struct words w;

    words_start(&w, CONTROL_MAP);
    words_put(&w, base);
    words_put(&w, len);
    words_put(&w, protection);
    words_put(&w, protection);
    return words_call(control, &w, NULL, 0, NULL);
}

static s64 transfer(s64 control, enum control_op op, u64 address, u64 len, u32 right)
{
    s64 area = demos_link_area(DEMOS_GIVE | right, page, sizeof page);
    struct words w;
    s64 result;

    words_start(&w, op);
    words_put(&w, address);
    words_put(&w, len);
    result = words_call(control, &w, &area, 1, NULL);
    return result;
}

/* What a process in one of the counting roles has come to. */
static u64 count_of(s64 control)
{
    u64 value;

    transfer(control, CONTROL_READ, (u64)counted, PAGE, DEMOS_AREA_WRITE);
    memcpy(&value, page, sizeof value);
    return value;
}

/* Two that compute share the processor; the one that is less urgent then gets nothing. */
static void check_sharing(void)
{
    s64 link[2], control[2];
    u64 before[2], now[2];

    for (u32 i = 0; i < 2; i++)
        control[i] = start_role("count", NULL, &link[i]);
    for (u32 i = 0; i < 2; i++)
        before[i] = count_of(control[i]);
    demos_sleep_ns(120000000);
    for (u32 i = 0; i < 2; i++)
        now[i] = count_of(control[i]) - before[i];
    expect_true("two that compute have like shares",
                now[0] / 4 < now[1] && now[1] / 4 < now[0]);
    for (u32 i = 0; i < 2; i++)
        process_control(control[i], CONTROL_PRIORITY, 5 + i, 0, 0);
    for (u32 i = 0; i < 2; i++)
        before[i] = count_of(control[i]);
    demos_sleep_ns(30000000);
    for (u32 i = 0; i < 2; i++)
        now[i] = count_of(control[i]) - before[i];
    expect_true("the urgent one computes", now[0] > 0);
    expect("the other waits for it", (s64)now[1], 0);
    for (u32 i = 0; i < 2; i++) {
        process_kill(control[i]);
        await_end();
        demos_link_drop(control[i]);
        demos_link_drop(link[i]);
    }
}

/* Who is more urgent runs as soon as it has a message, before its sender goes on. */
static void check_urgency(void)
{
    s64 link, control = start_role("urgent", NULL, &link);

    expect("PRIORITY, before its creator's",
           process_control(control, CONTROL_PRIORITY, 3, 0, 0), 0);
    demos_sleep_ns(1000000); /* until it waits */
    demos_send(link, NULL, 0);
    expect("the urgent one has had its message", (s64)count_of(control), 1);
    process_control(control, CONTROL_PRIORITY, 5, 0, 0);
    demos_sleep_ns(1000000);
    demos_send(link, NULL, 0);
    expect("one that is not, not yet", (s64)count_of(control), 1);
    process_kill(control);
    await_end();
    demos_link_drop(control);
    demos_link_drop(link);
}

static void check_memory(void)
{
    s64 link, control = start_role("deaf", NULL, &link);
    u64 base = 0x200000000;
    bool zero = true;

    expect("MAP", map(control, base, PAGE, 3), 0);
    expect("MAP over it", map(control, base, PAGE, 3), DEMOS_E_ADDRESS);
    expect("MAP off the page", map(control, base + 1, PAGE, 3), DEMOS_E_ARGUMENT);
    expect("MAP what is not the process's", map(control, 0x600000000000, PAGE, 3),
           DEMOS_E_ARGUMENT);
    expect("MAP writable code", map(control, base + PAGE, PAGE, 7), DEMOS_E_ALLOWED);
    memset(page, 1, sizeof page);
    expect("READ new memory", transfer(control, CONTROL_READ, base, PAGE, DEMOS_AREA_WRITE), 0);
    for (u32 i = 0; i < PAGE; i++)
        zero &= page[i] == 0;
    expect_true("which is zero", zero);
    memset(page, 9, sizeof page);
    expect("LOAD", transfer(control, CONTROL_LOAD, base, PAGE, DEMOS_AREA_READ), 0);
    memset(page, 1, sizeof page);
    transfer(control, CONTROL_READ, base, PAGE, DEMOS_AREA_WRITE);
    expect("and READ it back", page[PAGE - 1], 9);
    expect("LOAD where nothing is",
           transfer(control, CONTROL_LOAD, base + PAGE, PAGE, DEMOS_AREA_READ),
           DEMOS_E_ADDRESS);
    expect("UNMAP", process_control(control, CONTROL_UNMAP, base, PAGE, 0), 0);
    expect("READ it no more", transfer(control, CONTROL_READ, base, PAGE, DEMOS_AREA_WRITE),
           DEMOS_E_ADDRESS);
    process_kill(control);
    await_end();
    demos_link_drop(control);
    demos_link_drop(link);
}

void check_processes(void)
{
    chapter("processes");
    check_birth();
    check_stop();
    check_spinner();
    check_sharing();
    check_urgency();
    check_memory();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/cpu/watch.h"
#include "hyp/boot/option.h"
#include "hyp/cpu/clock.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/pic.h"
#include "hyp/cpu/trap.h"
#include "hyp/dev/log.h"
#include "hyp/dev/mailbox.h"
#include "hyp/dev/serial.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/report.h"
#include "hyp/mm/frame.h"

#define LOOK_NS 1000000000ull
#define SIGN_NS 500000000ull /* where nobody looks, but for the harness */
enum { WATCHDOG_SECONDS = 30 };

/* A CPU is stuck when it should have turned (its timer was set for the past) and has not
 * for this many looks of its neighbour; none: nobody looks. */
static u32 looks_stuck;

struct look {
    u64 next_ns;
    u32 heartbeat, missed;
};
static struct look looks[CPUS_MAX];

static bool watching(void)
{
    return looks_stuck && cpu_count() > 1;
}

void watch_tick(u64 now_ns)
{
    struct look *l = &looks[this_cpu()->id];
    struct cpu *other = cpu_of((this_cpu()->id + 1) % cpu_count());

    if (now_ns < l->next_ns)
        return;
    l->next_ns = now_ns + (watching() ? LOOK_NS : SIGN_NS);
    mailbox_time(now_ns); /* also where guests compute for minutes: this is no wedged machine */
    if (!watching())
        return;
    if (l->heartbeat != other->heartbeat) {
        l->heartbeat = other->heartbeat;
        l->missed = 0;
    } else if (++l->missed == looks_stuck) {
        panic("watchdog: CPU %u has not turned for %u seconds", other->id, looks_stuck);
    }
}

/* Looks that are due by the time of the boot would come at other instants of each boot's run, and
 * one that comes before a guest's deadline shifts it by what the look takes. */
void watch_restart(void)
{
    for (u32 i = 0; i < ARRAY_SIZE(looks); i++)
        looks[i].next_ns = 0;
}

/* The look itself makes every CPU turn once per LOOK_NS, so a still heartbeat means stuck. In
 * discrete-event time a deadline would be waited for, and what computes is cut short anyway. */
u64 watch_deadline(u64 deadline)
{
    return clock_mode() == OSM_CLOCK_EVENT ? deadline
                                           : MIN(deadline, looks[this_cpu()->id].next_ns);
}

static void report_memory(void)
{
    log_line("memory: %lu of %lu frames free", frames_free(), frames_total());
}

static void help(void);

static const struct key {
    char key;
    const char *what;
    void (*act)(void);
} keys[] = {
    {'h', "this list", help},       {'d', "domains and vCPUs", report_domains},
    {'m', "memory", report_memory}, {'e', "event channels", report_evtchns},
    {'g', "grants", report_grants}, {'t', "the last trace records", trace_dump},
};

static void help(void)
{
    for (u32 i = 0; i < ARRAY_SIZE(keys); i++)
        log_line("key %c: %s", keys[i].key, keys[i].what);
    log_line("other characters go to the emergency console; ctrl-a, then a key");
}

void debug_key(char key)
{
    for (u32 i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].key == key)
            keys[i].act();
}

/* Control-A makes the next byte a debug key; all others are input. */
static void typed(u32 irq)
{
    static bool prefixed;
    int c;

    while ((c = serial_get()) >= 0) {
        if (prefixed)
            debug_key((char)c);
        else if (c != 1)
            console_input((char)c);
        prefixed = !prefixed && c == 1;
    }
    pic_unmask(irq, true);
}

void watch_init(void)
{
    if (clock_mode() != OSM_CLOCK_REAL)
        return;
    looks_stuck = (u32)boot_size("watchdog", WATCHDOG_SECONDS);
    pic_set_handler(SERIAL_IRQ, typed);
    pic_unmask(SERIAL_IRQ, true);
    serial_listen();
}

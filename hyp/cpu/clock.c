/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/cpu/clock.h"
#include "base/memory.h"
#include "hyp/boot/acpi.h"
#include "hyp/boot/info.h"
#include "hyp/boot/option.h"
#include "hyp/cpu/apic.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/rtc.h"
#include "hyp/cpu/x86.h"
#include "hyp/dev/log.h"

enum {
    COUNT_TSC_KHZ = 1000000, /* QEMU's TSC under -icount: virtual nanoseconds */
    COUNT_APIC_KHZ = 62500,  /* its APIC timer likewise, divided by 16 */
    EVENT_LOOK_MS = 500,
    COMPUTE_LIMIT_S = 10,
    EVENT_STEP_NS = 1000, /* what a trapped clock read costs in `event` */
    PIT_HZ = 1193182,
    PM_TIMER_HZ = 3579545,
    CALIBRATE_MS = 10,
    STILL_MOST = 10000, /* reads without a change: it does not count */
    LOOKS = 8,
    SEEDED_WALL = 1704067200, /* 2024-01-01: the wall clock of `count` and `event` */
};

#define TIMER_MOST_NS 10000000000ull

static enum osm_clock mode;
static u32 tsc_khz, apic_khz;
static u64 base_tsc;
static u32 scale_mul; /* ns = ((tsc << or >> shift) * mul) >> 32 */
static s8 scale_shift;
static u64 event_ns;
static u64 wall_seconds;
static u64 compute_limit_ns;
static u64 fires_ns;    /* `count`: when the one CPU's timer interrupt comes */
static u32 instruction; /* `count`: TSC ticks of one */

static u64 to_ns(u64 tsc)
{
    tsc = scale_shift >= 0 ? tsc << scale_shift : tsc >> -scale_shift;
    return (u64)(((unsigned __int128)tsc * scale_mul) >> 32);
}

/* mul in [2^31, 2^32): as much precision as pvclock's format holds. */
static void set_scale(u32 khz)
{
    u64 hz = (u64)khz * 1000, ns = 1000000000;

    scale_shift = 0;
    while (hz >= 2 * ns) { /* the ratio is kept between 1/2 and 1 */
        hz >>= 1;
        scale_shift--;
    }
    while (hz <= ns) {
        hz <<= 1;
        scale_shift++;
    }
    scale_mul = (u32)((ns << 32) / hz);
}

u32 clock_mode(void)
{
    return mode;
}

u32 clock_tsc_khz(void)
{
    return tsc_khz;
}

u64 clock_host_ns(void)
{
    return to_ns(rdtsc() - base_tsc);
}

u64 clock_now_ns(void)
{
    return mode == OSM_CLOCK_EVENT ? event_ns : clock_host_ns();
}

u64 clock_instant(u64 *tsc)
{
    *tsc = mode == OSM_CLOCK_EVENT ? event_ns : rdtsc() - base_tsc;
    return mode == OSM_CLOCK_EVENT ? event_ns : to_ns(*tsc);
}

/* Guests' TSCs start at 0 with the run, so one sample serves for good. */
void clock_sample(struct clock_sample *s)
{
    bool event = mode == OSM_CLOCK_EVENT;

    *s = (struct clock_sample){
        .tsc = event ? event_ns : 0,
        .system_ns = event ? event_ns : 0,
        .mul = event ? 0 : scale_mul,
        .shift = event ? 0 : scale_shift,
        .stable = true,
    };
}

void clock_wall(u64 *seconds, u32 *nanoseconds)
{
    *seconds = wall_seconds;
    *nanoseconds = 0;
}

u64 clock_tsc_offset(void)
{
    return -base_tsc;
}

u64 clock_trapped_tsc(void)
{
    event_ns += EVENT_STEP_NS;
    return event_ns;
}

void clock_advance(u64 ns)
{
    BUG_ON(mode != OSM_CLOCK_EVENT);
    event_ns = MAX(event_ns, ns);
}

void clock_restart(void)
{
    wall_seconds = mode == OSM_CLOCK_REAL ? rtc_seconds() : SEEDED_WALL;
    event_ns = 0;
    apic_timer(0); /* what it was set to was another time */
    this_cpu()->deadline_ns = ~0ull;
    this_cpu()->timer_fired = false;
    this_cpu()->timer_stale = true;
    base_tsc = rdtsc();
}

void clock_delay_us(u32 us)
{
    u64 end = rdtsc() + (u64)us * tsc_khz / 1000;

    while ((s64)(rdtsc() - end) < 0)
        __builtin_ia32_pause();
}

u64 clock_compute_limit_ns(void)
{
    return compute_limit_ns;
}

/* In `event` the hardware timer only sees to it that every vCPU exits now and then. */
void timer_program(u64 ns)
{
    struct cpu *c = this_cpu();
    u64 now, wait;
    u32 count;

    if (mode == OSM_CLOCK_EVENT) {
        c->deadline_ns = ns;
        if (!apic_timer_now())
            apic_timer((u32)MIN(EVENT_LOOK_MS * (u64)apic_khz, 0x7fffffffull));
        return;
    }
    if (ns >= c->deadline_ns)
        return;
    c->deadline_ns = ns;
    now = clock_now_ns();
    wait = ns > now ? MIN(ns - now, TIMER_MOST_NS) : 0; /* early is harmless: it is set again */
    count = (u32)MIN(wait * apic_khz / 1000000 + 1, 0x7fffffffull);
    fires_ns = now + count * 1000000ull / apic_khz;
    apic_timer(count);
}

/*
 * QEMU lets its instruction clock jump to the next timer when the CPU halts, from one of two
 * threads; the one that is not the CPU's may not have counted the last instructions yet, and
 * then time is ahead by those for good. (icount_start_warp_timer in 7.2; seldom, and on a
 * busy host.) So after each halt we wait for an instant that follows from the
 * timer alone, to the instruction: the rest is walked in NOPs, as many as are left. What may
 * be uncounted is what ran since the CPU last asked for the time, some 60 instructions; 118
 * lead from the interrupt to here. Where the timer was due before the halt there was no jump,
 * and where it is not due yet the interrupt is one that waited while it was set anew.
 */
void clock_settle(u64 halted_ns)
{
    enum { SLED = 256 };
    s64 left = (s64)(base_tsc + fires_ns + SLED * instruction - rdtsc());

    if (mode != OSM_CLOCK_COUNT || left > (s64)(SLED * instruction))
        return;
    BUG_ON(left < 0 && halted_ns < fires_ns);
    if (left > 0)
        __asm__ volatile("lea 1f(%%rip), %%rax; sub %0, %%rax; jmp *%%rax;"
                         ".fill %c1, 1, 0x90; 1:"
                         :
                         : "r"((u64)left / instruction), "i"(SLED)
                         : "rax", "cc");
}

/* A clock of known rate that counts up, modulo its mask. */
struct reference {
    u32 hz, mask;
    u16 port;
    u32 (*read)(const struct reference *r);
};

static u32 pit_read(const struct reference *r)
{
    u32 low;

    (void)r;
    outb(0x43, 0); /* hold channel 0's count for reading */
    low = inb(0x40);
    return ~(low | (u32)inb(0x40) << 8);
}

static u32 pm_timer_read(const struct reference *r)
{
    return inl(r->port);
}

/* Three clocks at one instant. */
struct instant {
    u64 tsc;
    u32 reference, apic;
};

/* The instant of several tries whose readings lie closest together: a machine that is
 * itself a guest may stand still between any two. */
static struct instant look(const struct reference *r)
{
    struct instant best = {0};
    u64 least = ~0ull;

    for (u32 i = 0; i < LOOKS; i++) {
        u64 before = rdtsc(), after;
        struct instant now = {.reference = r->read(r), .apic = apic_timer_now()};

        after = rdtsc();
        now.tsc = before + (after - before) / 2;
        if (after - before < least) {
            least = after - before;
            best = now;
        }
    }
    return best;
}

static u32 elapsed(const struct reference *r, u32 from, u32 to)
{
    return (to - from) & r->mask;
}

/* One measurement of the TSC's and the APIC timer's rate in kHz; false: it stands still. */
static bool measure(const struct reference *r, u32 *tsc, u32 *apic)
{
    u32 wanted = r->hz / 1000 * CALIBRATE_MS, still = 0, took;
    struct instant start, end;
    u32 first;

    apic_timer(~0u);
    start = look(r);
    first = r->read(r);
    while (elapsed(r, start.reference, r->read(r)) < wanted)
        if (r->read(r) == first && ++still > STILL_MOST)
            return false;
    end = look(r);
    apic_timer(0);
    took = elapsed(r, start.reference, end.reference);
    *tsc = (u32)((end.tsc - start.tsc) * (r->hz / 1000) / took);
    *apic = (u32)((u64)(start.apic - end.apic) * (r->hz / 1000) / took);
    return true;
}

static u32 median(u32 a, u32 b, u32 c)
{
    return MAX(MIN(a, b), MIN(MAX(a, b), c));
}

static bool calibrate_by(const struct reference *r)
{
    u32 tsc[3], apic[3];

    for (u32 i = 0; i < 3; i++)
        if (!measure(r, &tsc[i], &apic[i]))
            return false;
    tsc_khz = median(tsc[0], tsc[1], tsc[2]);
    apic_khz = median(apic[0], apic[1], apic[2]);
    return true;
}

static void calibrate(void)
{
    const struct reference pit = {.hz = PIT_HZ, .mask = 0xffff, .read = pit_read};
    const struct reference pm = {
        .hz = PM_TIMER_HZ, .mask = 0xffffff, .port = acpi_pm_timer(), .read = pm_timer_read};

    outb(0x43, 0x34); /* channel 0, both bytes, mode 2, from 65536 */
    outb(0x40, 0);
    outb(0x40, 0);
    if (!calibrate_by(&pit) && !(pm.port && calibrate_by(&pm)))
        panic("no timer to measure the TSC with: neither an 8254 nor an ACPI PM timer counts");
}

/* How the TSC moves over `turns` turns of a loop of two instructions. */
static u64 measure_loop(u64 turns)
{
    u64 before = rdtsc();

    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(turns));
    return rdtsc() - before;
}

/* Under -icount each instruction moves the TSC by the same power of two: three loops, and
 * again, must take what their instructions are worth and a few more. */
static bool tsc_counts_instructions(void)
{
    enum { ROUNDS = 6, TURNS = 1000, AROUND = 32, SHIFT_MOST = 10 };
    u32 fits = (1u << (SHIFT_MOST + 1)) - 1; /* the shifts that are still possible */

    for (u32 i = 0; i < ROUNDS; i++) {
        u64 turns = TURNS * (i % 3 + 1), took = measure_loop(turns);

        for (u32 s = 0; s <= SHIFT_MOST; s++)
            if (took >> s < 2 * turns || took >> s > 2 * turns + AROUND)
                fits &= ~(1u << s);
    }
    if (fits)
        instruction = fits & -fits;
    return fits != 0;
}

static void read_mode(void)
{
    static const char *const names[] = {"real", "count", "event"};
    char say[16];

    if (!boot_option("clock", say, sizeof(say)))
        return;
    for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(say, names[i]) == 0) {
            mode = (enum osm_clock)i;
            return;
        }
    }
    panic("clock=%s is unknown: say real, count or event", say);
}

/* Nobody listens to the 8254; but under -icount each of its periods would shift the phase
 * of virtual time, and a restored machine would differ from a fresh one. */
static void stop_pit(void)
{
    outb(0x43, 0x30); /* channel 0 counts down once, from one */
    outb(0x40, 1);
    outb(0x40, 0);
}

void clock_init(void)
{
    read_mode();
    if (mode == OSM_CLOCK_COUNT) {
        if (!tsc_counts_instructions())
            panic("clock=count needs QEMU's instruction counter: start it with -accel tcg "
                  "-icount shift=3,sleep=off, or say clock=real or clock=event");
        tsc_khz = COUNT_TSC_KHZ;
        apic_khz = COUNT_APIC_KHZ;
    } else {
        calibrate();
    }
    compute_limit_ns = boot_size("compute-limit", COMPUTE_LIMIT_S) * 1000000000ull;
    stop_pit();
    set_scale(tsc_khz);
    if (mode == OSM_CLOCK_EVENT)
        log_line("clock: event");
    else
        log_line("clock: %s, TSC %u.%03u MHz", mode == OSM_CLOCK_COUNT ? "count" : "real",
                 tsc_khz / 1000, tsc_khz % 1000);
    clock_restart();
}

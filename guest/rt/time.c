/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock of xen.h's vcpu_time_info (a version that is odd while it is rewritten), and
 * the alarm by set_timer_op and VIRQ_TIMER.
 */
#include "guest/rt/event.h"
#include "guest/rt/native.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "guest/rt/x86.h"

#define APART_NS 1000000ull

static void (*alarm_fn)(void *);
static void *alarm_arg;
static bool alarm_bound;
static const volatile struct vcpu_time_info *pvclock; /* NULL: there is none, or not yet */
static u64 alarm_at;               /* what Xen's timer is set to; 0: it is off, or has fired */
static u64 latest_ns, set_back_ns; /* the last reading; how far the clock was set back in all */
static u64 native_khz, native_start, native_mul; /* ns = ticks * mul / 2^32 */

static u64 scale(u64 ticks, u32 mul, s8 shift)
{
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (u64)(((unsigned __int128)ticks * mul) >> 32);
}

static u64 pvclock_ns(const volatile struct vcpu_time_info *t)
{
    u32 version;
    u64 ns;

    do {
        version = __atomic_load_n(&t->version, __ATOMIC_ACQUIRE);
        ns = t->system_time;
        if (t->tsc_to_system_mul)
            ns += scale(tsc_read() - t->tsc_timestamp, t->tsc_to_system_mul, t->tsc_shift);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (version & 1 || version != t->version);
    return ns;
}

static u64 native_ns(void)
{
    return (u64)(((unsigned __int128)(tsc_read() - native_start) * native_mul) >> 32);
}

u64 rt_shown_ns(void)
{
    return pvclock ? pvclock_ns(pvclock) : native_ns();
}

/* A clock that was set back is one whose hours since are ours to add. What is less than that, two
 * CPUs that read at once may see. */
u64 rt_now_ns(void)
{
    u64 ns;

    if (!pvclock)
        return native_ns();
    ns = pvclock_ns(pvclock) + set_back_ns;
    if (__builtin_expect(ns < latest_ns, 0)) {
        if (latest_ns - ns > APART_NS)
            set_back_ns += latest_ns - ns;
        return latest_ns;
    }
    latest_ns = ns;
    return ns;
}

u64 rt_wall_ns(void)
{
    struct shared_info *s = rt_shared_info();
    u32 version;
    u64 ns;

    if (!s)
        return rt_now_ns();
    do {
        version = __atomic_load_n(&s->wc_version, __ATOMIC_ACQUIRE);
        ns = ((u64)s->wc_sec_hi << 32 | s->wc_sec) * 1000000000 + s->wc_nsec;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (version & 1 || version != *(volatile u32 *)&s->wc_version);
    return ns + rt_now_ns();
}

u64 rt_tsc_khz(void)
{
    const struct vcpu_time_info *t;

    if (rt_host() == RT_NATIVE)
        return native_khz;
    t = &rt_shared_info()->vcpu_info[0].time;
    if (!t->tsc_to_system_mul)
        return 0;
    return t->tsc_shift < 0 ? ((1000000ull << 32) / t->tsc_to_system_mul) << -t->tsc_shift
                            : ((1000000ull << 32) / t->tsc_to_system_mul) >> t->tsc_shift;
}

static void on_alarm(void)
{
    if (alarm_fn)
        alarm_fn(alarm_arg);
}

static void on_virq(void *arg, u32 port)
{
    (void)arg;
    (void)port;
    alarm_at = 0;
    on_alarm();
}

void rt_alarm_handler(void (*fn)(void *), void *arg)
{
    alarm_fn = fn;
    alarm_arg = arg;
}

/* A deadline of 0 turns Xen's timer off. */
void rt_alarm_set(u64 deadline_ns)
{
    u64 now;

    if (rt_host() == RT_NATIVE) {
        now = rt_now_ns();
        native_alarm_in(deadline_ns == RT_NEVER ? RT_NEVER
                        : deadline_ns > now     ? deadline_ns - now
                                                : 0);
        return;
    }
    if (!alarm_bound) {
        long port = rt_event_bind_virq(VIRQ_TIMER, 0, on_virq, NULL);

        if (port < 0)
            rt_panic("no timer: %ld", port);
        alarm_bound = true;
    }
    if (deadline_ns == RT_NEVER)
        deadline_ns = 0;
    else /* by the clock as it stands */
        deadline_ns = deadline_ns > set_back_ns ? deadline_ns - set_back_ns : 1;
    if (deadline_ns == alarm_at)
        return;
    alarm_at = deadline_ns;
    hypercall_set_timer_op(deadline_ns);
}

void rt_time_begin_again(void)
{
    alarm_bound = false;
    alarm_at = 0;
}

void rt_time_init(void)
{
    if (rt_host() != RT_NATIVE) {
        pvclock = &rt_shared_info()->vcpu_info[0].time;
    } else {
        native_khz = native_time_init(on_alarm);
        native_mul = (1000000ull << 32) / native_khz;
        native_start = tsc_read();
    }
}

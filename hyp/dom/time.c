/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time that guests read: vcpu_time_info (pvclock), the wall clock in shared_info,
 * runstate areas.
 */
#include "base/memory.h"
#include "hyp/dom/access.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/vcpu.h"

_Static_assert(offsetof(struct vcpu_info, time) == offsetof(struct vcpu_info_x86_32, time) &&
                   sizeof(struct vcpu_time_info) == sizeof(struct vcpu_time_info_x86_32),
               "one layout of time for both widths");

void vcpu_update_time(struct vcpu *v)
{
    struct vcpu_info *info = __atomic_load_n(&v->info, __ATOMIC_ACQUIRE);
    struct clock_sample now;
    struct vcpu_time_info t;

    if (!info && !v->time_linear)
        return;
    clock_sample(&now);
    guest_clock_line(&v->domain->clock, &now);
    t = (struct vcpu_time_info){.version = v->time_version + 2,
                                .tsc_timestamp = now.tsc,
                                .system_time = now.system_ns,
                                .tsc_to_system_mul = now.mul,
                                .tsc_shift = now.shift,
                                .flags = now.stable ? XEN_PVCLOCK_TSC_STABLE_BIT : 0};
    v->time_version += 2;
    if (info) {
        __atomic_store_n(&info->time.version, t.version - 1, __ATOMIC_SEQ_CST);
        info->time.tsc_timestamp = t.tsc_timestamp;
        info->time.system_time = t.system_time;
        info->time.tsc_to_system_mul = t.tsc_to_system_mul;
        info->time.tsc_shift = t.tsc_shift;
        info->time.flags = t.flags;
        __atomic_store_n(&info->time.version, t.version, __ATOMIC_SEQ_CST);
    }
    if (v->time_linear && guest_write(v, v->time_linear, &t, sizeof(t)))
        v->time_linear = 0;
}

void domain_set_width(struct domain *d, bool compat)
{
    if (d->compat == compat)
        return;
    d->compat = compat;
    domain_update_wall(d);
}

void domain_update_wall(struct domain *d)
{
    u32 *version, *sec, *nsec, *sec_hi, nanoseconds;
    u64 seconds;

    clock_wall(&seconds, &nanoseconds);
    seconds += (u64)d->time_offset_s;
    if (d->compat) {
        struct shared_info_x86_32 *s = (struct shared_info_x86_32 *)d->shared;

        version = &s->wc_version;
        sec = &s->wc_sec;
        nsec = &s->wc_nsec;
        sec_hi = &s->arch.wc_sec_hi;
    } else {
        version = &d->shared->wc_version;
        sec = &d->shared->wc_sec;
        nsec = &d->shared->wc_nsec;
        sec_hi = &d->shared->xen_wc_sec_hi;
    }
    __atomic_store_n(version, *version | 1, __ATOMIC_SEQ_CST);
    *sec = (u32)seconds;
    *sec_hi = (u32)(seconds >> 32);
    *nsec = nanoseconds;
    __atomic_store_n(version, *version + 1, __ATOMIC_SEQ_CST);
}

/* --- runstate ----------------------------------------------------------------------------- */

void vcpu_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out, u64 now_ns)
{
    memset(out, 0, sizeof(*out));
    out->state = v->runstate;
    out->state_entry_time = v->runstate_since;
    for (u32 i = 0; i < 4; i++)
        out->time[i] = v->runstate_time[i];
    out->time[v->runstate] += now_ns - v->runstate_since;
}

/* i386 aligns u64 to four bytes, so the 32-bit area has no hole after the state. */
static int write_area(struct vcpu *v, const struct vcpu_runstate_info *r)
{
    u8 narrow[44];
    u32 state = (u32)r->state;

    if (!v->runstate_compat)
        return guest_write(v, v->runstate_linear, r, sizeof(*r));
    memcpy(narrow, &state, 4);
    memcpy(narrow + 4, &r->state_entry_time, 8);
    memcpy(narrow + 12, r->time, 32);
    return guest_write(v, v->runstate_linear, narrow, sizeof(narrow));
}

void vcpu_write_runstate(struct vcpu *v)
{
    struct vcpu_runstate_info r = {.state = v->runstate,
                                   .state_entry_time = v->runstate_since,
                                   .time = {v->runstate_time[0], v->runstate_time[1],
                                            v->runstate_time[2], v->runstate_time[3]}};
    bool flagged = v->domain->assists & 1u << VMASST_TYPE_runstate_update_flag;

    guest_forget_stay(v);
    if (flagged) { /* readers retry while the flag is set */
        r.state_entry_time |= XEN_RUNSTATE_UPDATE;
        if (write_area(v, &r)) {
            v->runstate_linear = 0;
            return;
        }
        r.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
    }
    if (write_area(v, &r))
        v->runstate_linear = 0;
}

void vcpu_runstate(struct vcpu *v, u8 state, u64 now_ns)
{
    if (v->runstate == state)
        return;
    now_ns = MAX(now_ns, v->runstate_since); /* which another CPU may have set meanwhile */
    v->runstate_time[v->runstate] += now_ns - v->runstate_since;
    v->runstate_since = now_ns;
    v->runstate = state;
    if (state == RUNSTATE_running && v->runstate_linear)
        vcpu_write_runstate(v);
}

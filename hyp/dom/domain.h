/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains and their virtual CPUs: the two structs everything in dom/ hangs on.
 *
 * Lifetime: a domain is referenced by domain_get/domain_put and by its place in the table;
 * what its memory needs to go away is counted in frames. Locks, outermost first: two
 * domains in domid order, then evtchn_lock, grant_lock, p2m_lock, a run queue's lock.
 */
#ifndef HYP_DOM_DOMAIN_H
#define HYP_DOM_DOMAIN_H

#include <xen/xen.h>
#include <xen/vcpu.h>
#include "base/list.h"
#include "hyp/abi/osmosis.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/mm/frame.h"

struct evtchn_table; /* dom/evtchn.h */
struct grant_table;  /* dom/grant.h */
struct virt_vcpu;    /* virt/virt.h, the vendor's own */
struct lapic;        /* dev/lapic.h */
struct access_cache; /* dom/access.c */

enum vcpu_state {
    VCPU_DOWN,     /* not initialised, or taken down */
    VCPU_RUNNABLE, /* on a run queue */
    VCPU_RUNNING,
    VCPU_BLOCKED,  /* waits for an event */
    VCPU_PAUSED,   /* by its domain's pause count */
};

/* The guest's general registers, in the order hyp/virt's entry code saves them. */
struct guest_regs {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    u64 r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rip, rflags;
};

struct vcpu_counters {
    u64 exits, flushes, copied_bytes, hypercalls, upcalls, faults;
};

struct vcpu {
    struct guest_regs regs; /* first: the entry code's fixed offsets */
    struct domain *domain;
    struct virt_vcpu *virt;
    u32 id;
    u8 state; /* enum vcpu_state; written under its run queue's lock */
    bool upcall_wanted; /* the pending bit rose; deliver before the next entry */
    bool poll_waiting;  /* in SCHEDOP_poll */
    u32 poll_port;      /* 0: several, look at the bits */
    struct vcpu_info *info; /* where the guest reads it: shared_info or registered */
    u64 info_gpa;
    u8 upcall_vector; /* by HVMOP_set_evtchn_upcall_vector, 0 = the domain's */
    struct list run_link;
    u32 cpu; /* where it runs or last ran */
    u64 affinity; /* by physical CPU */
    s64 credit_ns;
    u64 runstate_time[4];
    u64 runstate_since;
    u64 runstate_gpa;
    u64 single_shot_ns, periodic_ns; /* deadlines on the system clock; 0 = off */
    struct lapic *lapic;
    struct access_cache *access;
    struct vcpu_counters counters;
    struct {
        u64 code, rip, info;
    } last_exit[16];
    u32 last_exit_at;
};

enum domain_state { DOMAIN_BUILDING, DOMAIN_LIVE, DOMAIN_SHUTDOWN, DOMAIN_DYING };

struct domain {
    domid_t id;
    u8 state; /* enum domain_state */
    u8 shutdown_reason; /* SHUTDOWN_* */
    bool privileged;    /* the control domain: checked in dom/privilege.c only */
    bool overcommit;
    bool compat;        /* 32-bit layouts, latched as Xen does */
    u32 refs;
    u32 pause_count;
    u32 vcpu_count, vcpu_max;
    struct vcpu **vcpu;
    u64 frames, frames_max; /* held, and the limit */
    u64 overhead;           /* bytes of hypervisor memory charged */
    struct spinlock evtchn_lock, grant_lock, p2m_lock;
    struct evtchn_table *evtchn;
    struct grant_table *grant;
    u64 p2m_root;       /* machine address of the nested page table's root */
    u64 p2m_generation; /* grows with every change that a cached translation must notice */
    struct shared_info *shared; /* NULL until mapped by the guest: then a pinned frame */
    u64 hvm_params[64];
    u32 weight, cap; /* scheduler; cap in percent, 0 = none */
    s64 time_offset_ns;
    u8 handle[16];
    struct list all_link;
};

struct vcpu *current(void);
struct domain *domain_find(domid_t id); /* takes a reference; NULL if there is none */
void domain_put(struct domain *d);
/* The guest did wrong: this domain ends with a report, nothing else does. */
void domain_crash(struct domain *d, const char *why, ...) PRINTF_LIKE(2, 3);
/* Called by evtchn when a bit became pending and unmasked for v. */
void vcpu_notify(struct vcpu *v);

#endif

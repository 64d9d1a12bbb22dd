/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains and their virtual CPUs: the two structs everything in dom/ hangs on.
 *
 * Lifetime: a domain is referenced by domain_get/domain_put and by its place in the table;
 * its tables and vCPUs stay until the last reference is gone. Locks, outermost first: two
 * domains in domid order, then domain lock, evtchn_lock, grant_lock, p2m_lock, a run queue's
 * lock; heap_lock is innermost.
 */
#ifndef HYP_DOM_DOMAIN_H
#define HYP_DOM_DOMAIN_H

#include "base/heap.h"
#include "base/list.h"
#include "hyp/abi/osmosis.h"
#include "hyp/abi/xen.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/dom/guest_clock.h"
#include "hyp/dom/sched.h"
#include "hyp/dom/timer.h"
#include "hyp/mm/frame.h"
#include "hyp/mm/p2m.h"

struct evtchn_table; /* dom/evtchn.h */
struct grant_table;  /* dom/grant.h */
struct virt_vcpu;    /* virt/virt.h, the vendor's own */
struct virt_domain;  /* likewise, what all vCPUs of a domain share */
struct lapic;        /* dev/lapic.h */
struct access_cache; /* dom/access.c */

/* The guest's general registers, in the order hyp/virt's entry code saves them. */
struct guest_regs {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    u64 r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rip, rflags;
};

struct vcpu_counters {
    u64 exits, flushes, copied_bytes, hypercalls, upcalls, faults, sends, grants;
};

/* Bits of vcpu.attention: why the next entry cannot go straight into the guest. Set
 * atomically from anywhere, followed by cpu_kick when the vCPU may be in its guest. */
enum vcpu_attention {
    VCPU_ATTN_LEAVE = 1,     /* give the CPU back: call vcpu_schedule */
    VCPU_ATTN_INTERRUPT = 2, /* an interrupt may be deliverable: call interrupt_pending */
    VCPU_ATTN_INJECT = 4,    /* an injection point is armed for this vCPU */
    VCPU_ATTN_NMI = 8,
    VCPU_ATTN_RESET = 16, /* INIT or SIPI arrived while it ran */
    VCPU_ATTN_FLUSH = 64, /* cached translations are stale: virt_flush */
    VCPU_ATTN_LOOK = 128, /* its CPU has something to do: deadlines, its run queue */
    VCPU_ATTN_SLOW = 32,  /* always, in discrete-event time: every exit takes the long way */
};

enum { VCPU_LAST_EXITS = 16 };

struct vcpu {
    struct guest_regs regs; /* first: the entry code's fixed offsets */
    struct domain *domain;
    struct virt_vcpu *virt;
    u32 attention; /* enum vcpu_attention */
    u32 id;
    u64 world; /* virt/'s: even while the guest may be running, odd while not */
    bool initialised;
    bool info_registered;
    u16 startup;            /* what a SIPI left to be done before the next entry: vcpu.c */
    u32 cpu;                /* where it runs or last ran */
    struct vcpu_info *info; /* where the guest reads it: shared_info or registered */
    mfn_t info_frame;       /* held when registered */
    u8 upcall_vector;       /* by HVMOP_set_evtchn_upcall_vector, 0 = the domain's */
    u8 runstate;            /* RUNSTATE_* */
    bool runstate_compat;
    bool polling;                      /* in SCHEDOP_poll: domain.polling counts it */
    evtchn_port_t virq_port[NR_VIRQS]; /* 0: not bound; under evtchn_lock */
    evtchn_port_t poll_port;           /* 0: several, look at the bits */
    struct sched_entity sched;
    u64 pinned_affinity; /* what pin_override will put back; 0 = not overridden */
    u64 soft_affinity;
    u64 runstate_time[4];
    u64 runstate_since;
    u32 time_version;
    bool upcall_made_up; /* late_timer is an injected fault's, with nothing behind it */
    u64 runstate_linear; /* where the guest wants struct vcpu_runstate_info, 0 = nowhere */
    u64 time_linear;     /* the same for struct vcpu_time_info */
    u64 periodic_ns;     /* 0 = off */
    struct timer single, periodic, poll_timer, apic_timer, late_timer;
    struct lapic *lapic;
    struct access_cache *access;
    struct {
        const u64 *cr0, *cr3, *cr4, *efer;
    } paging;                      /* where virt/ has what decides a translation */
    struct evtchn_fifo_vcpu *fifo; /* dom/fifo.c */
    struct vcpu_counters counters;
    struct {
        u64 rip, info;
    } last_exit[VCPU_LAST_EXITS];
    s32 last_exit_code[VCPU_LAST_EXITS];
    u32 last_exit_at;
    struct {
        u64 rip, gpa, rcx;
        u32 count;
    } repeat; /* the last nested fault, to notice when it never ends */
};

/* What we keep for a domain grows by its own doing (grant mappings, tables of a scattered map,
 * ports), so it ends at what its vCPUs, ports and grants can need (OVERHEAD_*, in frames) and
 * a sixteenth of its RAM: tables of all of it are 1/512, handles of as many grants 1/128. */
enum {
    OVERHEAD_BASE = 256,
    OVERHEAD_VCPU = 16,
    OVERHEAD_GRANT_FRAME = 6, /* shared entries, their uses */
    OVERHEAD_PORTS = 128,     /* in one frame */
    OVERHEAD_OF_RAM = 16
};

enum domain_state { DOMAIN_BUILDING, DOMAIN_LIVE, DOMAIN_SHUTDOWN, DOMAIN_DYING, DOMAIN_DEAD };
enum {
    DOMAIN_WATCHDOGS = 2,
    DOMAIN_HVM_PARAMS = HVM_NR_PARAMS,
    DOMAIN_IO_RANGES = 16,
    DOMAIN_VCPUS = 128,
    DOMAIN_IRQS = 64,
    MEMORY_MAP_MOST = 32
};

/* Ports, MMIO frames or interrupts that a driver domain was given. */
struct domain_range {
    u64 first, last;
};

/* One entry of a memory map as BIOS calls had it. */
struct e820_entry {
    u64 start, size;
    u32 type;
} PACKED;

struct watchdog {
    struct timer timer;
    struct domain *domain;
    bool in_use;
};

struct domain {
    domid_t id;
    u8 state;           /* enum domain_state */
    u8 shutdown_reason; /* SHUTDOWN_* */
    u8 shutdown_code; /* by SCHEDOP_shutdown_code: 1 + the reason of a later shutdown; 0: none */
    bool privileged;  /* the control domain: dom/privilege.c */
    bool overcommit;
    bool compat;   /* 32-bit layouts, latched as Xen does */
    bool is_store; /* XEN_DOMCTL_CDF_xs_domain */
    bool started;  /* unpaused once */
    u32 refs;
    u32 pause_count;          /* by domctl */
    u32 vcpu_count, vcpu_max; /* vcpu[] has vcpu_max places, vcpu_count are made */
    struct vcpu **vcpu;
    u32 online;  /* vCPUs that are not down */
    u32 polling; /* vCPUs in SCHEDOP_poll */
    struct spinlock lock, evtchn_lock, grant_lock, p2m_lock, heap_lock;
    u64 frames, frames_max; /* of RAM: held, and the limit */
    u64 pages;              /* of RAM promised or populated */
    u64 frames_reserved;    /* set aside for it, not yet held: mm/frame.c */
    u64 overhead;           /* bytes of hypervisor memory charged */
    u64 overhead_max;  /* frames of it, beside a part of frames_max: domain_overhead_most */
    struct heap heap;  /* of small objects, in frames charged to this domain */
    mfn_t heap_frames; /* the newest; each begins with the number of the one before */
    struct evtchn_table *evtchn;
    struct grant_table *grant;
    struct virt_domain *virt;
    u64 p2m_root;       /* machine address of the nested page table's root */
    u64 p2m_generation; /* grows with every change that a cached translation must notice */
    u64 p2m_cached[P2M_CACHED_WORDS]; /* frames that a translation went by since: p2m_note */
    u64 p2m_void;                     /* frame number of its page of all ones; 0: none yet */
    struct {
        u64 *table;            /* of the 512 frames from `group` * 512 on */
        u64 group;             /* picks its place by its lowest bits */
    } p2m_last[P2M_LAST_KEPT]; /* lowest tables used last */
    u64 memory_top; /* one above the highest guest frame ever promised or populated */
    struct shared_info *shared; /* its own frame, from creation on */
    mfn_t shared_frame;
    u64 shared_gfn;                /* where the guest mapped it, ~0: nowhere */
    struct e820_entry *memory_map; /* as the builder drew it, MEMORY_MAP_MOST places */
    u32 memory_map_count;
    u64 hvm_params[DOMAIN_HVM_PARAMS];
    u8 callback_vector; /* of HVM_PARAM_CALLBACK_IRQ, 0 = none */
    u32 assists;        /* bits of vm_assist */
    struct sched_group sched;
    struct guest_clock clock;
    s64 time_offset_s; /* added to the wall clock */
    struct watchdog watchdog[DOMAIN_WATCHDOGS];
    struct domain_range ports[DOMAIN_IO_RANGES], iomem[DOMAIN_IO_RANGES];
    u32 ports_used, iomem_used;
    u64 irqs;                            /* interrupt lines given, a bit each */
    evtchn_port_t irq_port[DOMAIN_IRQS]; /* 0: not bound; under evtchn_lock */
    bool destroying;                     /* somebody is inside domain_destroy */
    u32 destroy_step;                    /* how far a pre-empted destruction has come */
    u64 console_spent, console_ms;       /* budget of the emergency console */
    struct console_line *line;           /* begun there; NULL before its first */
    u32 target;                          /* id + 1 of the domain it may act for, 0: none */
    u64 trace_ring_gfn;                  /* of the domain's own ring, 0 = none */
    u32 trace_ring_pages;
    mfn_t own_frame; /* this struct's */
    u8 handle[16];
    struct list all_link;
    struct domain *hash_next;
};

/* The vCPU whose hypercall or exit this CPU is handling. Never NULL there. */
struct vcpu *current(void);

/* Takes a reference; NULL if there is none, or it is being torn down for good. */
struct domain *domain_find(domid_t id);
/* The same with DOMID_SELF understood. */
struct domain *domain_find_or_self(domid_t id);
void domain_get(struct domain *d);
void domain_put(struct domain *d);
/* Frames of our memory that d may come to hold, and no more: so nobody uses up what others need.
 * The control domain's calls are for others: it has no such end. */
static inline u64 domain_overhead_most(const struct domain *d)
{
    return d->overhead_max + d->frames_max / OVERHEAD_OF_RAM;
}
/* Makes the struct and its tables; one reference (the table's) is held. -ENOMEM, -EEXIST,
 * -ENOSPC. `vcpus` is the most it may have; none is made. */
int domain_create(domid_t id, u32 vcpus, u32 ports, u32 grant_frames, struct domain **made);
/* The lowest free id from a counter that goes round; DOMID_INVALID when all are taken. */
domid_t domain_free_id(void);
/* Walks all domains in the order of their ids: the first with an id >= `from`, referenced. */
struct domain *domain_next(domid_t from);
u32 domain_total(void);
int vcpu_create(struct domain *d, u32 id);

/* Pausing counts; a paused domain's vCPUs are off their CPUs when domain_pause_sync says so. */
void domain_pause(struct domain *d);
/* -EINVAL when it is not paused. */
int domain_unpause(struct domain *d);
bool domain_is_off_cpu(const struct domain *d);
/* The domain stopped itself (or is stopped): its vCPUs run no more, the control domain
 * hears VIRQ_DOM_EXC. */
void domain_shutdown(struct domain *d, u8 reason);
int domain_resume(struct domain *d);
/* A step of the destruction: 0 done, -ERESTART call again (bounded work was done). */
int domain_destroy(struct domain *d);
/* The guest did wrong: this domain ends with a report, nothing else does. */
void domain_crash(struct domain *d, const char *why, ...) PRINTF_LIKE(2, 3);
/* The same by the guest's own processor, which is what its builder says it is: by default, as
 * on Xen, its way to reboot (HVM_PARAM_TRIPLE_FAULT_REASON). */
void domain_triple_fault(struct domain *d);
/* Once, before the first domain. */
void domains_init(void);

/* Zeroed memory of at most DOMAIN_ALLOC_MAX bytes charged to d, or NULL. It goes away with
 * the domain whether freed or not. */
enum { DOMAIN_ALLOC_MAX = 3072 };
void *domain_alloc(struct domain *d, size_t size);
void domain_free(struct domain *d, void *block, size_t size);
/* Everything at once, when nothing points there any more. */
void domain_free_heap(struct domain *d);
/* Frees the structs of dead domains that nobody refers to any more. */
void domains_reap(void);

#endif

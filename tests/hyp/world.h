/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine below dom/ for host tests: RAM in one allocation under the real frame
 * allocator and nested page tables, one clock that tests set, CPUs that are only numbers,
 * guest processors with paging off unless a test says otherwise.
 */
#ifndef TESTS_HYP_WORLD_H
#define TESTS_HYP_WORLD_H

#include "hyp/abi/xen.h"
#include "hyp/dom/access.h"
#include "hyp/dom/domain.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/grant.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/interrupt.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/virt.h"

struct virt_vcpu {
    struct paging paging;
    struct virt_state state;
    u32 cpl, bits;
};

extern struct world {
    u64 now_ns;
    u32 cpu, cpus;
    struct vcpu *current;
    u64 kicks, flushes, log_lines;
    u32 console_bytes;
    char console_text[64]; /* the last that came out, cut */
    u32 ports_allowed;     /* by virt_allow_ports, less those taken back */
    struct vcpu *on_cpu[SCHED_CPUS];
    struct { /* what stands before a CPU: cpu/run.c's part, that tests play */
        u64 armed_ns;
        bool kicked, interrupted; /* by itself; by another */
    } line[SCHED_CPUS];
} world;

/* Once per process: 64 MiB of RAM, `cpus` CPUs online. */
void world_init(u32 cpus);
/* A live domain with `pages` of RAM from physical 0, its vCPUs up and on nobody's CPU. The
 * privileged one has id 0. */
struct domain *world_domain(domid_t id, u32 vcpus, u64 pages);
/* Destroys it to the last frame; domains_reap included. */
void world_end(struct domain *d);
/* A call from v in its mode, repeated while it is pre-empted. */
s64 world_call(struct vcpu *v, u64 nr, u64 a0, u64 a1, u64 a2);
/* A call with one structure, placed at guest-physical 0x1000 (paging off) and read back. */
s64 world_op(struct vcpu *v, u64 nr, u64 cmd, void *arg, size_t size);
/* The same where the structure is the second argument of two (vcpu_op). */
s64 world_vcpu_op(struct vcpu *v, u64 cmd, u32 vcpu, void *arg, size_t size);
/* As a control domain makes them: the structure is placed and read back, its version set. */
s64 world_domctl(struct domain *control, struct xen_domctl *op);
s64 world_sysctl(struct domain *control, struct xen_sysctl *op);
void world_put(struct domain *d, u64 gpa, const void *from, size_t len);
void world_get(struct domain *d, u64 gpa, void *to, size_t len);
#define WORLD_ARG 0x1000ull

#endif

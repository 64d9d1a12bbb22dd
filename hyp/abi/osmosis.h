/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Osmosis adds to Xen's guest ABI: the second CPUID signature, the vendor hypercall,
 * the mailbox page and output ring through which the harness talks to a machine, and the
 * format of trace records. Everything else a guest sees is Xen's, by Xen's headers.
 *
 * Shared with guests, the harness (which reads the layouts below as little-endian bytes)
 * and tests. Version every change in OSM_ABI_VERSION, and every change of what a node's records
 * (guest/kernel/trace.h, net/trace.h) mean: the harness refuses images of another version, which it
 * would misread. A test holds the number against what it is the number of.
 */
#ifndef HYP_ABI_OSMOSIS_H
#define HYP_ABI_OSMOSIS_H

#include "base/types.h"

#define OSM_ABI_VERSION 3

/* CPUID: leaf OSM_CPUID_BASE answers the signature in ebx, ecx, edx and the highest leaf
 * in eax; leaf +1: eax = OSM_ABI_VERSION, ebx = enum osm_clock of this run. */
#define OSM_CPUID_BASE  0x40000100u
#define OSM_SIGNATURE   "OsmosisOsmos"

enum osm_clock { OSM_CLOCK_REAL = 0, OSM_CLOCK_COUNT = 1, OSM_CLOCK_EVENT = 2 };

/*
 * The vendor hypercall: __HYPERVISOR_arch_7 (op, pointer to the op's structure).
 * Ops marked (any) may be called by every domain, the rest by the control domain only
 * (-EPERM). Returns 0 or a negative Xen errno; unknown ops give -ENOSYS.
 */
enum osm_op {
    OSM_OP_version = 0,       /* (any) no argument; returns OSM_ABI_VERSION */
    OSM_OP_counters = 1,      /* (any for itself) struct osm_counters */
    OSM_OP_trace_ring = 2,    /* (any) struct osm_trace_ring: where my trace ring lies */
    OSM_OP_trace_ctl = 3,     /* struct osm_trace_ctl: masks, per domain */
    OSM_OP_trace_drain = 4,   /* struct osm_trace_drain: copy hypervisor records out */
    OSM_OP_output = 5,        /* struct osm_output: append a frame to the output ring */
    OSM_OP_plan = 6,          /* struct osm_plan: copy part of the plan in; len 0: its size */
    OSM_OP_ready = 7,         /* wait at READY until the harness hands over a plan */
    OSM_OP_inject = 8,        /* struct osm_inject: arm or disarm one injection point */
    OSM_OP_finish = 9,        /* struct osm_finish: end the run with a status */
    OSM_OP_module = 10,       /* struct osm_module: name and frames of boot module n */
    OSM_OP_notify_block = 11, /* (any) u32 port: send, then block until an event */
    OSM_OP_dump = 12,         /* struct osm_dump: vCPU registers and exits of a domain */
    OSM_OP_clock = 13,        /* (any) struct osm_clock_info */
    OSM_OP_trace_where = 14,  /* struct osm_trace_where: where a domain's trace ring lies */
    OSM_OP_share = 15,        /* struct osm_share: show my pages to a domain until it writes */
    OSM_OP_frames = 16,       /* (any for itself, with devices) struct osm_frames */
    OSM_OP_skew = 17,         /* struct osm_skew: sets a domain's clock wrong, or right */
};

/* X, F and C of a domain (domid) or, with OSM_ALL_DOMAINS, of the whole machine. */
#define OSM_ALL_DOMAINS 0xffffu
struct osm_counters {
    u16 domid; /* in; DOMID_SELF allowed */
    u16 vcpu;  /* in; 0xffff: sum of all */
    u32 pad;
    u64 exits;        /* X: world switches */
    u64 flushes;      /* F: TLB flushes of any kind */
    u64 copied_bytes; /* C: by the hypervisor for this domain */
    u64 hypercalls;
    u64 upcalls;
    u64 faults; /* nested page faults served */
    u64 run_ns;
    u64 frames;   /* held now */
    u64 overhead; /* bytes of hypervisor memory charged to the domain now */
    u64 sends;    /* events sent */
    u64 grants;   /* operations on grants, one for each item of an array */
    u64 idle_ns;  /* of all processors; OSM_ALL_DOMAINS only */
    u64 now_ns;   /* when this was read */
};

struct osm_trace_ring {
    u64 gfn;   /* of struct osm_ring_header, contiguous */
    u32 pages; /* 0: forget it */
    u32 pad;
};

struct osm_trace_where {
    u16 domid; /* in */
    u16 pad;
    u32 pages; /* out; 0: it has none */
    u64 gfn;   /* out: the domain's frame number */
};

/* Pages of boot modules take the place of promised pages of `domid`, which gets a copy of those
 * that it writes. After an error some may have been placed. */
#define OSM_SHARE_MOST 128
struct osm_share {
    u16 domid;
    u16 pad;
    u32 pages; /* at most OSM_SHARE_MOST, else -EINVAL */
    u64 from;  /* the caller's first frame number; -EFAULT if it is not a module's */
    u64 to;    /* the domain's; -EBUSY unless all are promised and untouched */
};

/* Where a domain's pages lie in the machine: whoever reads them from outside, or lets a device
 * reach them, needs to know. A page that is shared with others is shown to the control domain
 * only: a device of the domain's must not write it. */
#define OSM_FRAMES_MOST 512
#define OSM_NO_FRAME    (~0ull)
struct osm_frames {
    u16 domid; /* DOMID_SELF allowed */
    u16 pad;
    u32 count;  /* at most OSM_FRAMES_MOST, else -EINVAL */
    u64 gfn;    /* of the first */
    u64 buffer; /* guest address of u64[count]: frame numbers, or OSM_NO_FRAME */
};

struct osm_trace_ctl {
    u16 domid; /* OSM_ALL_DOMAINS for the hypervisor's own */
    u16 pad;
    u32 classes; /* bit set of 1 << (enum osm_trace >> 8) */
};

struct osm_trace_drain {
    u64 buffer; /* guest address of struct osm_record[capacity] */
    u32 capacity;
    u32 count; /* out */
    u64 lost;  /* out: records overwritten since the last drain */
    u64 rings; /* out: how often a domain has said where its own ring lies, since the boot */
};

struct osm_output {
    u64 buffer;
    u32 len;
    u32 stream; /* enum osm_stream or OSM_STREAM_CONSOLE + n */
};

struct osm_plan {
    u64 buffer;
    u64 offset;
    u32 len;  /* in: room; out: bytes copied */
    u32 size; /* out: of the whole plan */
    u64 seed; /* out */
};

struct osm_finish {
    u32 status;
    u32 len;
    u64 text; /* why, for the result; may be 0 */
};

struct osm_module {
    u32 index;     /* in */
    u32 count;     /* out */
    u64 gfn;       /* out: first of a contiguous run mapped read-only into the caller */
    u64 size;      /* out: bytes */
    char name[64]; /* out: first word of the module's command line, its path removed */
};

struct osm_clock_info {
    u32 clock; /* enum osm_clock */
    u32 tsc_khz;
    u64 now_ns; /* virtual time since the plan was taken */
};

/* Injection points (F15-F17, F26). All off at start; a point that fires counts down. */
enum osm_point {
    OSM_POINT_fail_frame = 0, /* the n-th allocation from now fails */
    OSM_POINT_fail_grant,
    OSM_POINT_fail_port,
    OSM_POINT_fail_domain,
    OSM_POINT_lose_upcall, /* an event that another domain sent is not even pending */
    OSM_POINT_late_upcall, /* arg: delay in ns */
    OSM_POINT_spurious_upcall,
    OSM_POINT_preempt,   /* the n-th entry into the domain yields its CPU */
    OSM_POINT_exception, /* at the n-th entry; arg: vector | error code << 32 */
    OSM_POINT_flip,      /* arg: guest-physical byte << 3 | bit */
    OSM_POINT_instant, /* yields its CPU `after` ns from now, and each `every` ns after that */
    OSM_POINTS
};
struct osm_inject {
    u16 domid;
    u16 vcpu;
    u32 point;
    u64 after; /* fire at the after-th occurrence, 0 = disarm */
    u64 every; /* and every so many after that; 0 = once */
    u64 arg;
    u64 fired; /* out: how often it has fired so far */
};

/* A domain's clock (system time: pvclock and the timers that go by it), from now on. The domain
 * is paused and on no CPU, else -EBUSY. What it shows below `guest_ns` is no more. */
struct osm_skew {
    u16 domid;
    u16 pad;
    s32 rate_ppm; /* so much too fast; -990000 to 9000000, or -1000000: it stands; else -EINVAL */
    s64 step_ns;   /* moved by so much, not below 0; less than 2^60 either way, else -EINVAL */
    u64 system_ns; /* out: now, in system time */
    u64 guest_ns;  /* out: now, by that clock */
    u64 back;      /* out: 2^-32 ns of system time that a nanosecond of that clock takes */
};

struct osm_dump {
    u16 domid;
    u16 vcpu;
    u32 exits;      /* out: entries of last_exit that are valid */
    u64 regs[18];   /* rax rbx rcx rdx rsi rdi rbp rsp r8-r15 rip rflags */
    u64 control[6]; /* cr0 cr2 cr3 cr4 efer cs<<48|ss<<32|cpl */
    struct {
        u64 code, rip, info;
    } last_exit[16];
};

/*
 * Trace records: 32 bytes, little-endian, the same from the hypervisor and from domains.
 * `type` is enum osm_trace; a and b by type. Domains' own types start at 0x8000 and are
 * defined where they are written (the kernel's in guest/kernel, the fabric's in net).
 */
struct osm_record {
    u64 ns; /* virtual time */
    u16 type;
    u16 domid; /* who wrote it; DOMID_XEN for the hypervisor */
    u32 who;   /* vCPU or object */
    u64 a;
    u64 b;
};

enum osm_trace {
    OSM_T_domain_create = 0x000,
    OSM_T_domain_start,
    OSM_T_domain_pause,
    OSM_T_domain_unpause,
    OSM_T_domain_shutdown,
    OSM_T_domain_destroy,
    OSM_T_run = 0x100,
    OSM_T_block,
    OSM_T_wake,
    OSM_T_yield,
    OSM_T_exit = 0x200,
    OSM_T_fault,
    OSM_T_hypercall = 0x300,
    OSM_T_send = 0x400,
    OSM_T_upcall,
    OSM_T_bind,
    OSM_T_close,
    OSM_T_map = 0x500,
    OSM_T_unmap,
    OSM_T_copy,
    OSM_T_error = 0x600, /* a = negative errno, b = source line */
    OSM_T_inject = 0x700,
    OSM_T_skew, /* a = step in ns, b = millionths too fast, both signed */
};

/* A ring of records in a domain's own memory, or in the output ring's place. */
struct osm_ring_header {
    u32 magic;    /* OSM_RING_MAGIC */
    u32 version;  /* OSM_ABI_VERSION */
    u64 capacity; /* records (trace) or bytes (output) that follow the header's 64 bytes */
    u64 produced; /* total ever written; never wraps in a run's life */
    u64 consumed; /* total ever read, by the reader */
    u64 lost;
    u64 watch; /* of a trace ring: after records of these types (OSM_WATCH) the writer waits until
                * they are taken; the reader sets it to 0 when it no longer cares */
    u64 stands; /* of a trace ring: its writer's clock stands still (the reader sets and clears it),
                 * so that records are stamped with what OSM_OP_clock says */
    u64 spare;
};
/* Of a domain's types: 0x8000 to 0x801f are bits 0 to 31, 0x9000 to 0x901f bits 32 to 63. */
#define OSM_WATCH(type) (1ull << (((type) >> 12 & 1) * 32 + ((type)&31)))
#define OSM_RING_MAGIC  0x474e5230u

/*
 * The output ring holds frames: a header, `len` bytes, padding to 8. It leaves the machine
 * because QEMU's RAM is a shared file; in seeded runs it never wraps (a full ring ends the
 * run with an error that says so), in `real` runs the reader moves `consumed`.
 */
enum osm_stream {
    OSM_STREAM_LOG = 0,           /* what also went to the serial port */
    OSM_STREAM_TRACE = 1,         /* struct osm_record[] */
    OSM_STREAM_RESULT = 2,        /* JSON lines from the control domain */
    OSM_STREAM_CAPTURE = 3,       /* pcapng blocks */
    OSM_STREAM_DISK = 4,          /* struct osm_disk_piece, at the end of a run */
    OSM_STREAM_CONSOLE = 0x10000, /* + domid: console bytes of a domain */
};
struct osm_frame {
    u32 stream;
    u32 len;
    u64 ns;
};

/* Where a disk that is memory lies when the run ends: `count` of its pages from number `first`
 * on, by frame numbers; OSM_NO_FRAME: never touched, so zeros. In pieces that are one output
 * frame each. */
#define OSM_DISK_FRAMES 248
struct osm_disk_piece {
    char name[32];
    u64 bytes; /* of the whole disk */
    u32 first, count;
    u64 frame[OSM_DISK_FRAMES];
};

/*
 * The mailbox: one page below 1 MiB, found by its magic at a page boundary. At READY the
 * machine may be stopped and snapshotted; whoever starts it writes the plan into the plan
 * buffer, sets plan_len and seed, and last `state` = OSM_MAILBOX_GO.
 */
#define OSM_MAILBOX_MAGIC 0x584f424d534f4d4full /* "OMOSMBOX" */
enum osm_mailbox_state {
    OSM_MAILBOX_BOOT = 0,
    OSM_MAILBOX_READY = 1,
    OSM_MAILBOX_GO = 2,
    OSM_MAILBOX_RUNNING = 3,
    OSM_MAILBOX_DONE = 4,
    OSM_MAILBOX_PANIC = 5,
};
struct osm_mailbox {
    u64 magic;
    u32 version;
    u32 state;
    u32 clock;  /* enum osm_clock, from the hypervisor's command line: clock=count */
    u32 status; /* of OSM_OP_finish */
    u64 seed;
    u64 plan;      /* physical address of the plan buffer */
    u64 plan_room; /* its size */
    u64 plan_len;
    u64 output; /* physical address of struct osm_ring_header */
    u64 output_size;
    u64 now_ns;       /* virtual time of the last exit from a domain, for onlookers */
    char reason[256]; /* why the run ended, NUL-terminated */
};

_Static_assert(sizeof(struct osm_record) == 32, "trace records are 32 bytes");
_Static_assert(sizeof(struct osm_disk_piece) <= 2048, "a piece leaves as one output frame");
_Static_assert(sizeof(struct osm_ring_header) == 64, "rings start with 64 bytes");
_Static_assert(offsetof(struct osm_mailbox, reason) == 80, "the harness reads this layout");

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/dev/mailbox.h"
#include "base/format.h"
#include "base/memory.h"
#include "hyp/abi/xen.h"
#include "hyp/boot/info.h"
#include "hyp/boot/layout.h"
#include "hyp/boot/option.h"
#include "hyp/boot/plan.h"
#include "hyp/cpu/clock.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/cpu/watch.h"
#include "hyp/cpu/x86.h"
#include "hyp/dev/log.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/frame.h"
#include "hyp/virt/virt.h"

enum { OUTPUT_DEFAULT = 4 << 20, DEBUG_EXIT_PORT = 0xf4 };

#define MAIL ((struct osm_mailbox *)frame_map(MFN(MAILBOX >> PAGE_SHIFT)))

static struct {
    struct spinlock lock;
    struct osm_ring_header *header;
    u8 *bytes;
    bool finishing;
} ring;
static bool plan_came, plan_taken; /* with the boot modules; by mailbox_ready */
static bool running;               /* the run's time has begun */
static const void *plan;

static void set_state(u32 state)
{
    __atomic_store_n(&MAIL->state, state, __ATOMIC_SEQ_CST);
}

static u64 allocate(const char *option, u64 otherwise, u64 *size)
{
    u32 order = 0;
    mfn_t m;

    *size = boot_size(option, otherwise);
    while (PAGE_SIZE << order < *size)
        order++;
    m = frame_alloc(NULL, order, FRAME_HYP);
    if (!mfn_valid(m))
        panic("%s=%lu: there is no such piece of memory", option, *size);
    *size = PAGE_SIZE << order;
    return m.n << PAGE_SHIFT;
}

void mailbox_init(void)
{
    void *buffer;
    u64 size;

    memset(MAIL, 0, PAGE_SIZE);
    MAIL->version = OSM_ABI_VERSION;
    MAIL->clock = clock_mode();
    MAIL->seed = boot_size("seed", 0);
    plan_came = plan_buffer(&buffer, &MAIL->plan_room, &MAIL->plan_len);
    MAIL->plan = (u64)buffer - DIRECT_BASE;
    MAIL->output = allocate("output", OUTPUT_DEFAULT, &size);
    MAIL->output_size = size;
    ring.header = frame_map(MFN(MAIL->output >> PAGE_SHIFT));
    ring.bytes = (u8 *)(ring.header + 1);
    *ring.header = (struct osm_ring_header){
        .magic = OSM_RING_MAGIC,
        .version = OSM_ABI_VERSION,
        .capacity = ALIGN_DOWN(size - sizeof(*ring.header), 8),
    };
    MAIL->magic = OSM_MAILBOX_MAGIC;
}

static void wait_for_plan(void)
{
    log_line("READY");
    set_state(OSM_MAILBOX_READY);
    while (__atomic_load_n(&MAIL->state, __ATOMIC_SEQ_CST) != OSM_MAILBOX_GO)
        __builtin_ia32_pause();
    if (MAIL->plan_len > MAIL->plan_room)
        mailbox_finish(1, "the plan is longer than its room");
}

void mailbox_ready(void)
{
    if (plan_taken)
        return;
    plan_taken = true;
    if (!plan_came)
        wait_for_plan();
    plan = (const void *)(DIRECT_BASE + MAIL->plan);
    ring.header->produced = ring.header->consumed = ring.header->lost = 0;
    clock_restart();
    watch_restart();
    vcpu_time_restarts();
    trace_time_begins();
    virt_set_tsc_offset(current(), clock_tsc_offset());
    cpu_deadline_moved(cpu_id(), 0);
    __atomic_store_n(&running, true, __ATOMIC_RELEASE);
    set_state(OSM_MAILBOX_RUNNING);
}

const void *mailbox_plan(u32 *len, u64 *seed)
{
    *len = (u32)MAIL->plan_len;
    *seed = MAIL->seed;
    return plan;
}

void mailbox_time(u64 now_ns)
{
    if (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) /* before that the host sees 0 */
        MAIL->now_ns = now_ns;
}

static void leave_word(u32 state, u32 status, const char *reason)
{
    MAIL->status = status;
    format(MAIL->reason, sizeof(MAIL->reason), "%s", reason);
    MAIL->now_ns = clock_now_ns();
    set_state(state);
}

/* `debug-exit`: QEMU's isa-debug-exit ends the process, for runs without a harness. */
static void end_machine(u32 status)
{
    char ignored[4];

    if (boot_option("debug-exit", ignored, sizeof(ignored)))
        outl(DEBUG_EXIT_PORT, status);
}

/* Also on the way to mailbox_init: who waits for READY need not wait for what will not come. */
void mailbox_panic(const char *reason)
{
    if (MAIL->magic != OSM_MAILBOX_MAGIC)
        *MAIL = (struct osm_mailbox){.magic = OSM_MAILBOX_MAGIC, .version = OSM_ABI_VERSION};
    leave_word(OSM_MAILBOX_PANIC, 1, reason);
    log_line("stopped");
    end_machine(1);
}

void mailbox_finish(u32 status, const char *reason)
{
    ring.finishing = true;
    log_line("finished with status %u: %s", status, reason);
    leave_word(OSM_MAILBOX_DONE, status, reason);
    end_machine(status);
    halt_forever();
    __builtin_unreachable();
}

static void put(const void *from, u64 len)
{
    struct osm_ring_header *h = ring.header;
    u64 at = h->produced % h->capacity, first = MIN(len, h->capacity - at);

    memcpy(ring.bytes + at, from, first);
    memcpy(ring.bytes, (const u8 *)from + first, len - first);
    __atomic_store_n(&h->produced, h->produced + len, __ATOMIC_RELEASE);
}

/* True when `need` bytes fit. Seeded runs never reuse room: nobody may have to read. */
static bool has_room(u64 need)
{
    struct osm_ring_header *h = ring.header;
    u64 consumed = 0;

    if (clock_mode() == OSM_CLOCK_REAL)
        consumed = MIN(__atomic_load_n(&h->consumed, __ATOMIC_ACQUIRE), h->produced);
    return need <= h->capacity && h->produced - consumed <= h->capacity - need;
}

int output_frame(u32 stream, const void *bytes, u32 len)
{
    static const u8 padding[8];
    struct osm_frame f = {stream, len, 0};
    u64 fill = ALIGN_UP((u64)len, 8) - len;
    bool fits;

    if (!ring.header)
        return 0;
    f.ns = clock_now_ns();
    spin_lock(&ring.lock);
    fits = has_room(sizeof(f) + len + fill);
    if (fits) {
        put(&f, sizeof(f));
        put(bytes, len);
        put(padding, fill);
    } else {
        ring.header->lost++;
    }
    spin_unlock(&ring.lock);
    if (!fits && clock_mode() != OSM_CLOCK_REAL && !ring.finishing) {
        ring.finishing = true;
        log_break_locks(); /* the log may be what is being written */
        mailbox_finish(1, "the output ring is full: give it more by output=SIZE");
    }
    return fits ? 0 : -XEN_ENOSPC;
}

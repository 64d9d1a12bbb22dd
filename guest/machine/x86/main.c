/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The node image: a DEMOS node in a domain of Osmosis or Xen, or on the bare machine. The
 * runtime has found out where we are; the first module is the bundle. Command line:
 * id=N, epoch=N (default: by the time of the start, so that it grows from boot to boot),
 * seed=N, share=0 and fast=0 (switch the optimisations off), trace=PAGES.
 */
#include "base/memory.h"
#include "guest/machine/balloon.h"
#include "guest/machine/orders.h"
#include "guest/machine/trace.h"
#include "guest/machine/x86/disk.h"
#include "guest/machine/x86/ether.h"
#include "guest/machine/x86/x86.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"
#include "guest/rt/x86.h"

enum { HEAP_LEAST = 1 << 20, RUNTIME_FRAMES = 256, GAP_MOST = 1 << 16 };

struct x86 x86;
static struct heap heap;
const u64 x86_entry_return = DEMOS_ENTRY_PAGE + 2;

/* Frames from the bundle's first to the run at `base`, so that they can be numbered together: none when
 * the bundle lies elsewhere, or too far off. One more, as number 0 is nobody's. */
static u32 gap_of(const struct rt_module *bundle, const void *base)
{
    u64 at = rt_physical(bundle->data), run = rt_physical(base);

    if (at % FRAME_SIZE || at >= run || run - at > (u64)GAP_MOST * FRAME_SIZE)
        return 1;
    return (u32)((run - at) / FRAME_SIZE) + 1;
}

/*
 * The longest run of frames, but for some that stay the runtime's: an eighth for the
 * core's heap, the rest for processes. It is taken in one piece, which no shorter run has room for,
 * so that it is the one behind the bundle, whose pages are shown to processes and not copied.
 */
static void memory_init(const struct rt_module *bundle)
{
    static const u8 entry[] = {0x0f, 0x05, 0xc3}; /* syscall; ret */
    u32 count = rt_frames_longest(), refs, gap, held;
    size_t heap_bytes;
    u8 *base;

    if (count < 2 * RUNTIME_FRAMES)
        rt_panic("%u frames are too few for a node", count);
    count -= RUNTIME_FRAMES;
    heap_bytes = MAX((size_t)count / 8 * FRAME_SIZE, (size_t)HEAP_LEAST);
    base = rt_frames_untouched(count);
    count -= (u32)(heap_bytes / FRAME_SIZE);
    heap_init(&heap, base, heap_bytes);
    base += heap_bytes;
    heap.born_zero = rt_host() == RT_OSMOSIS; /* which zeroes what it hands out */
    gap = gap_of(bundle, base);
    held = gap > 1 ? 1 + (u32)(bundle->size / FRAME_SIZE) : 1;
    refs = (u32)ALIGN_UP(((u64)gap + count) * sizeof(u32), (u64)FRAME_SIZE) / FRAME_SIZE;
    frames_init(&x86.frames, base - (u64)gap * FRAME_SIZE,
                rt_physical(base) - (u64)gap * FRAME_SIZE, (u32 *)(void *)base, gap + count);
    frames_hold(&x86.frames, held, gap + refs);
    x86.frames.born_zero = heap.born_zero;
    x86.entry_frame = frame_alloc_zero(&x86.frames);
    memcpy(frame_at(&x86.frames, x86.entry_frame), entry, sizeof entry);
}

static u32 flags(void)
{
    return (rt_option_number("share", 1) ? 0u : NODE_NO_SHARE) |
           (rt_option_number("fast", 1) ? 0u : NODE_NO_FAST);
}

static void trace_init(struct node_config *config)
{
    x86.trace = trace_open();
    if (x86.trace)
        config->flags |= NODE_TRACE;
}

static u32 machine_number(void)
{
    return (u32)rt_option_number("id", 1);
}

static u64 seed(void)
{
    return rt_option_number("seed", 1);
}

u32 x86_boot_now(void)
{
    return (u32)(1 + (rt_now_ns() >> 20));
}

struct net *x86_net_create(u32 epoch)
{
    struct net_config c = {.self = machine_number(),
                           .epoch = epoch,
                           .seed = seed(),
                           .has_crc32c = cpuid(1, 0).ecx >> 20 & 1};

    return net_create(&heap, &c);
}

/* The network over the domain's vifs or the machine's `ethers` devices, if there are any: then the
 * node is one of several. */
static void network_init(const struct node_config *config, u32 ethers)
{
    u64 connect_ns = 5000000000ull;

    if (!rt_store_present() && !ethers)
        return;
    x86.net = x86_net_create(config->epoch);
    if (!x86.net)
        return;
    wire_init(&x86.wire, x86.net);
    for (u32 i = 0; i < ethers; i++)
        wire_add(&x86.wire, ether_vif(i));
    if (wire_open(&x86.wire, connect_ns))
        return;
    net_destroy(x86.net);
    x86.net = NULL;
}

int rt_main(const struct rt_start *start)
{
    struct node_config config = {.machine = machine_number(),
                                 .epoch = (u32)rt_option_number("epoch", x86_boot_now()),
                                 .seed = seed(),
                                 .flags = flags()};
    struct rt_module bundle;
    const char *why;
    u32 ethers;

    (void)start;
    if (!rt_module(0, &bundle))
        rt_panic("no bundle: give the node a module with programs");
    trace_init(&config);
    ethers = rt_host() == RT_NATIVE ? ether_open() : 0; /* before all frames are somebody's */
    memory_init(&bundle);
    network_init(&config, ethers);
    x86_disks_open();
    orders_heed();
    balloon_heed();
    rt_suspend_heed();
    rt_shutdown_heed();
    cpu_init();
    x86_traps_init();
    x86_loop_init();
    x86.started_ns = rt_now_ns();
    x86.node = node_create(&heap, &config, x86.net, &x86);
    if (!x86.node)
        rt_panic("not enough memory for a node");
    why = boot_first(x86.node, bundle.data, bundle.size);
    if (why)
        rt_panic("%s", why);
    x86_restart();
}

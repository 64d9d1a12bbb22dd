/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Z8000 node in a domain of Osmosis or Xen, or on the bare machine: the same machine
 * with the domain's runtime in the host's place. The first module is a bundle with trap.bin,
 * program images NAME.bin and a boot list, whose words before a program's name grant links
 * as on demos-z8000's command line; after a line `wait` nothing starts until no process is
 * left. Command line: id=N, epoch=N, seed=N, memory=KIB and
 * page=BYTES of the board, disk=KIB of a disk of its own (none), trace=PAGES, throttle=0.
 *
 * The user processor takes 500 ns of the node's time for a clock: what it has computed counts
 * when that time has passed. The kernel's side goes on meanwhile, as a second processor does;
 * throttle=0 lets the user processor compute as fast as the domain can.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/machine/bundle.h"
#include "guest/machine/orders.h"
#include "guest/machine/trace.h"
#include "guest/machine/z8000/apart.h"
#include "guest/machine/z8000/z8000.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"
#include "guest/rt/x86.h"
#include "splitdrv/wire.h"

enum { HEAP_FRAMES = 2048, FRAME = 4096, GRANTS = 12, TURN = BOARD_HZ / 100 };
#define CONNECT_NS 5000000000ull

static struct z_machine machine;
static struct net *net; /* NULL: no vif, a node by itself */
static struct wire wire;
static struct osm_ring_header *trace; /* NULL: none */
static u64 started_ns;

u64 machine_now(struct node *n)
{
    (void)n;
    return rt_now_ns() - started_ns;
}

void machine_trace(struct node *n, u16 type, u32 who, u64 a, u64 b)
{
    (void)n;
    trace_put(trace, type, who, a, b);
}

void machine_stop(struct node *n, const char *why)
{
    (void)n;
    rt_panic("%s", why);
}

/* The network over the domain's vifs, if it has any. */
static void network_init(struct heap *heap, const struct node_config *config)
{
    struct net_config c = {.self = config->machine,
                           .epoch = config->epoch,
                           .seed = config->seed,
                           .has_crc32c = cpuid(1, 0).ecx >> 20 & 1};

    if (!rt_store_present())
        return;
    net = net_create(heap, &c);
    if (!net)
        return;
    wire_init(&wire, net);
    if (wire_open(&wire, CONNECT_NS))
        return;
    net_destroy(net);
    net = NULL;
}

static void run_command(const struct bundle *b, struct bundle_command *c)
{
    struct z_grant grants[GRANTS] = {{.name = "self"}};
    u32 granted = 1, first = 0;
    struct bundle_file image;
    char file[DEMOS_NAME_MAX + 8], args[BUNDLE_LINE_MAX];
    size_t len = 0;
    const char *why;

    z_grant_word(grants, &granted, GRANTS, "console");
    z_grant_word(grants, &granted, GRANTS, "clock");
    for (; first < c->count && c->args[first][0] == '+'; first++)
        if (!z_grant_word(grants, &granted, GRANTS, c->args[first] + 1))
            rt_panic("%s: no such link, or too many", c->args[first]);
    if (first == c->count)
        return;
    format(file, sizeof file, "%.24s.bin", c->args[first]);
    if (!bundle_find(b, file, &image))
        rt_panic("%s: not in the bundle", file);
    for (u32 i = first; i < c->count; i++) {
        memcpy(args + len, c->args[i], strlen(c->args[i]) + 1);
        len += strlen(c->args[i]) + 1;
    }
    why = z_start(&machine, c->args[first], image.data, image.len, c->count - first, args, len,
                  grants, granted);
    if (why)
        rt_panic("%s: %s", c->args[first], why);
}

/* What comes next in the boot list, as far as a `wait`; false: it has come to its end. */
static bool run_list(const struct bundle *b)
{
    static struct bundle_command c;
    static size_t at;
    struct bundle_file list;
    const char *why = NULL;

    if (!bundle_find(b, "boot", &list))
        rt_panic("the bundle has no boot list");
    while (bundle_command(&list, &at, &c, &why)) {
        if (strcmp(c.args[0], "wait") == 0)
            return true;
        run_command(b, &c);
    }
    if (why)
        rt_panic("%s", why);
    return false;
}

static void board_setup(struct heap *heap, const struct bundle *b)
{
    u32 kib = (u32)rt_option_number("memory", 1024), page = (u32)rt_option_number("page", 512);
    struct bundle_file trap;
    u8 *ram;

    if (kib < 64 || kib > 16384 || kib & (kib - 1) || page < 512 || page > 2048 ||
        page & (page - 1))
        rt_panic("memory=%u page=%u: not what the board can have", kib, page);
    if (!bundle_find(b, "trap.bin", &trap))
        rt_panic("the bundle has no trap.bin");
    ram = rt_frames_untouched(kib * 1024 / FRAME);
    if (!ram)
        rt_panic("no %u KB for the board", kib);
    memset(ram, 0, (size_t)kib * 1024);
    if (!z_machine_init(&machine, heap, ram, kib * 1024, (unsigned)__builtin_ctz(page),
                        trap.data, trap.len))
        rt_panic("not enough memory for the board");
}

/* The board's disk, if it is to have one. */
static void disk_setup(struct heap *heap)
{
    u32 kib = (u32)rt_option_number("disk", 0);
    u8 *blocks;

    if (!kib)
        return;
    if (kib < 2 || kib > BOARD_BLOCKS_MOST / 2)
        rt_panic("disk=%u: 2 to %u KB", kib, BOARD_BLOCKS_MOST / 2);
    blocks = rt_frames_untouched(ALIGN_UP(kib, 4u) * 1024 / FRAME);
    if (!blocks)
        rt_panic("no %u KB for the disk", kib);
    memset(blocks, 0, (size_t)kib * 1024);
    if (!z_disk_init(&machine, heap, blocks, kib * 1024 / BOARD_BLOCK))
        rt_panic("not enough memory for the disk");
}

/* Waits for the next thing to do; `next_ns` at the latest. */
static void idle(u64 next_ns)
{
    u64 deadline = MIN(node_deadline(machine.node), z_disk_due(&machine));

    if (deadline != RT_NEVER)
        deadline += started_ns;
    deadline = MIN(deadline, next_ns);
    if (net)
        deadline = MIN(deadline, net_deadline(net));
    if ((net ? wire_rest(&wire) : !rt_store_poll()) && deadline > rt_now_ns()) {
        if (deadline == RT_NEVER)
            rt_wait();
        else
            rt_wait_until(deadline);
    }
}

/* What the kernel's side does beside processes. */
static void attend(void)
{
    if (net) {
        wire_poll(&wire);
        wire_attend(&wire); /* it may be long until this rests */
    } else {
        rt_store_poll();
    }
    z_disk_work(&machine);
    node_timer(machine.node);
}

void z_attend(struct z_machine *m, u64 until_ns)
{
    (void)m;
    idle(until_ns == RT_NEVER ? RT_NEVER : started_ns + until_ns);
    attend();
}

void z_pass(struct z_machine *m, u64 until_ns)
{
    while (m->timed && !m->halted && machine_now(m->node) < until_ns)
        z_attend(m, until_ns);
}

int rt_main(const struct rt_start *start)
{
    struct node_config config = {
        .machine = (u32)rt_option_number("id", 1),
        .epoch = (u32)rt_option_number("epoch", 1 + (rt_now_ns() >> 20)),
        .seed = rt_option_number("seed", 1)};
    void *memory = rt_frames_untouched(HEAP_FRAMES);
    static struct heap heap;
    struct rt_module module;
    struct bundle bundle;
    bool more;
    s64 status;

    (void)start;
    if (!rt_module(0, &module))
        rt_panic("no bundle: give the node a module with programs");
    if (!memory)
        rt_panic("too little memory for a node");
    bundle = (struct bundle){module.data, module.size};
    trace = trace_open();
    if (trace)
        config.flags |= NODE_TRACE;
    heap_init(&heap, memory, (size_t)HEAP_FRAMES * FRAME);
    board_setup(&heap, &bundle);
    apart_start(machine.board);
    disk_setup(&heap);
    network_init(&heap, &config);
    machine.timed = rt_option_number("throttle", 1) != 0;
    orders_heed();
    rt_shutdown_heed();
    started_ns = rt_now_ns();
    machine.node = node_create(&heap, &config, net, &machine);
    if (!machine.node)
        rt_panic("not enough memory for a node");
    more = run_list(&bundle);
    while (!machine.halted && (more || node_counters(machine.node)->processes > 0)) {
        attend();
        orders_obey(machine.node);
        if (node_counters(machine.node)->processes == 0)
            more = run_list(&bundle);
        if (!z_run(&machine, TURN))
            idle(RT_NEVER);
        else if (net)
            wire_flush(&wire);
    }
    status = machine.halted ? machine.status : machine.worst;
    if (status)
        rt_printf("node: ended with status %ld\n", status);
    rt_shutdown(RT_POWEROFF);
}

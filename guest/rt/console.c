/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console's four ways out; one of them is Xen's ring (conring.h).
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/conring.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/map.h"
#include "guest/rt/native.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "guest/rt/x86.h"

enum { FULL_WAIT_MS = 10, PORT_E9 = 0xe9 };

static struct xencons_interface *ring;
static u32 ring_port;
static void (*input_fn)(void *);
static void *input_arg;
static void (*sink)(const char *text, size_t len);

static void to_hypervisor(const char *text, size_t len)
{
    hypercall_console_io(CONSOLEIO_write, (u32)len, (void *)(u64)text);
}

static void to_port(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out8(PORT_E9, (u8)text[i]);
}

/* Sleeps for room without running handlers: printing may happen inside one. The limit is
 * counted from now, not from vcpu_info's system_time, which Xen writes once a second. */
static void ring_wait(void)
{
    evtchn_port_t port = ring_port;
    struct sched_poll poll = {.nr_ports = 1,
                              .timeout = rt_shown_ns() + FULL_WAIT_MS * 1000000ull};

    if (!rt_shared_info()) {
        hypercall_sched_op(SCHEDOP_yield, NULL);
        return;
    }
    set_xen_guest_handle(poll.ports, &port);
    rt_event_clear(port);
    if (conring_full(ring))
        hypercall_sched_op(SCHEDOP_poll, &poll);
}

/* Waits for as long as it takes: the reader may be slow, and nothing said is lost. */
static void to_ring(const char *text, size_t len)
{
    while (len) {
        size_t done = conring_put(ring, text, len);

        rt_event_send(ring_port);
        text += done;
        len -= done;
        if (len)
            ring_wait();
    }
}

void rt_console_write(const char *text, size_t len)
{
    sink(text, len);
}

void rt_printf(const char *fmt, ...)
{
    char text[512];
    va_list args;
    size_t len;

    va_start(args, fmt);
    len = vformat(text, sizeof(text), fmt, args);
    va_end(args);
    rt_console_write(text, MIN(len, sizeof(text) - 1));
}

static size_t from_ring(char *text, size_t room)
{
    size_t len = conring_take(ring, text, room);

    if (len)
        rt_event_send(ring_port);
    return len;
}

size_t rt_console_read(char *text, size_t room)
{
    long got;

    if (rt_host() == RT_NATIVE)
        return native_serial_read(text, room);
    if (ring)
        return from_ring(text, room);
    got = hypercall_console_io(CONSOLEIO_read, (u32)room, text);
    return got > 0 ? (size_t)got : 0;
}

void rt_console_on_input(void (*fn)(void *), void *arg)
{
    input_fn = fn;
    input_arg = arg;
}

static void on_event(void *arg, u32 port)
{
    (void)arg;
    (void)port;
    if (input_fn)
        input_fn(input_arg);
}

static void find_ring(void)
{
    u64 gfn = 0, port = 0;

    if (rt_hvm_param_get(DOMID_SELF, HVM_PARAM_CONSOLE_PFN, &gfn) ||
        rt_hvm_param_get(DOMID_SELF, HVM_PARAM_CONSOLE_EVTCHN, &port) || !gfn || !port ||
        gfn >> 20)
        return;
    ring = rt_at(gfn << 12);
    ring_port = (u32)port;
    sink = to_ring;
}

void rt_console_init(const struct rt_start *start)
{
    if (start->host == RT_NATIVE) {
        native_serial_init();
        sink = native_serial_write;
        return;
    }
    sink = start->flags & SIF_INITDOMAIN ? to_hypervisor : to_port;
    if (!(start->flags & SIF_INITDOMAIN))
        find_ring();
}

void rt_console_begin_again(void)
{
    ring = NULL;
    sink = to_port;
    find_ring();
    rt_console_connect();
}

void rt_console_connect(void)
{
    if (ring)
        rt_event_handle(ring_port, on_event, NULL);
    else if (rt_started()->flags & SIF_INITDOMAIN)
        rt_event_bind_virq(VIRQ_CONSOLE, 0, on_event, NULL);
}

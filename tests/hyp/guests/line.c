/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interrupt line of a domain that drives a device (H16): COM2's transmitter is empty, so
 * line 3 rises, comes as an event, and not again before the end of interrupt. "second serial
 * port".
 */
#include "tests/hyp/guests/guest.h"

enum { COM2 = 0x2f8, LINE = 3, WAIT_NS = 100000000 };

static struct shared_info shared __attribute__((aligned(4096)));
static evtchn_port_t port;

static u8 in8(u16 from)
{
    u8 value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(from));
    return value;
}

/* True when the line's event came; it is taken. */
static bool wait(void)
{
    struct osm_clock_info now = {0};
    struct sched_poll p = {.nr_ports = 1};

    EXPECT(CALL2(arch_7, OSM_OP_clock, &now) == 0);
    p.timeout = now.now_ns + WAIT_NS;
    set_xen_guest_handle(p.ports, &port);
    CALL2(sched_op, SCHEDOP_poll, &p);
    return __atomic_fetch_and(&shared.evtchn_pending[0], ~(1ul << port), __ATOMIC_SEQ_CST) >>
               port &
           1;
}

/* The transmitter's interrupt: on from off raises the line, reading its cause drops it. */
static void raise(void)
{
    out8(COM2 + 1, 0);
    out8(COM2 + 1, 2);
}

void test_main(const struct hvm_start_info *info)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = (u64)&shared >> 12};
    struct evtchn_bind_pirq bind = {.pirq = LINE};
    struct physdev_eoi eoi = {.irq = LINE};

    xen_domctl_t own = {.cmd = XEN_DOMCTL_irq_permission,
                        .interface_version = XEN_DOMCTL_INTERFACE_VERSION};

    (void)info;
    own.u.irq_permission.pirq = LINE;
    own.u.irq_permission.allow_access = 1;
    EXPECT(hypercall(__HYPERVISOR_domctl, (u64)&own, 0, 0, 0, 0) == 0);
    EXPECT(CALL2(memory_op, XENMEM_add_to_physmap, &map) == 0);
    EXPECT(CALL2(event_channel_op, EVTCHNOP_bind_pirq, &bind) == 0);
    port = bind.port;
    shared.evtchn_mask[0] = ~0ul;
    out8(COM2 + 4, 0x0b); /* OUT2 lets the interrupt through */
    out8(COM2 + 2, 0);
    EXPECT(!wait());
    raise();
    EXPECT(wait());
    EXPECT((in8(COM2 + 2) & 15) == 2);
    raise();
    EXPECT(!wait()); /* masked until the end of interrupt */
    EXPECT(CALL2(physdev_op, PHYSDEVOP_eoi, &eoi) == 0);
    EXPECT(wait());
    EXPECT((in8(COM2 + 2) & 15) == 2);
    EXPECT(CALL2(physdev_op, PHYSDEVOP_eoi, &eoi) == 0);
    EXPECT(!wait());
    bind.pirq = 4; /* COM1 is the hypervisor's */
    EXPECT(CALL2(event_channel_op, EVTCHNOP_bind_pirq, &bind) == -XEN_EPERM);
    out8(COM2 + 1, 0);
}

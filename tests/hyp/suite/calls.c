/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls of an unprivileged PVH guest: numbers that are not there, what is the control
 * domain's, event channels, memory, scheduling, parameters.
 */
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"
#include <xen/physdev.h>

enum { PORTS = sizeof(word) * 8 * sizeof(word) * 8, PORTS_FIRST = 32, STORE_PAGE = 0xfeffc };

static u8 page[4096] __attribute__((aligned(4096)));

static void check_numbers(void)
{
    static const struct {
        const char *name;
        u32 nr;
    } none[] = {
        {"set_trap_table", __HYPERVISOR_set_trap_table},
        {"set_gdt", __HYPERVISOR_set_gdt},
        {"stack_switch", __HYPERVISOR_stack_switch},
        {"set_callbacks", __HYPERVISOR_set_callbacks},
        {"fpu_taskswitch", __HYPERVISOR_fpu_taskswitch},
        {"set_debugreg", __HYPERVISOR_set_debugreg},
        {"update_descriptor", __HYPERVISOR_update_descriptor},
        {"update_va_mapping", __HYPERVISOR_update_va_mapping},
        {"set_segment_base", __HYPERVISOR_set_segment_base},
        {"nmi_op", __HYPERVISOR_nmi_op},
        {"callback_op", __HYPERVISOR_callback_op},
        {"argo_op", __HYPERVISOR_argo_op},

        {"number 62", 62},
        {"number 63", 63},
    };

    for (u32 i = 0; i < ARRAY_SIZE(none); i++)
        CHECK_EQ(none[i].name, hypercall(none[i].nr, 0, 0, 0, 0, 0), -XEN_ENOSYS);
}

static void check_privilege(void)
{
    static struct xen_sysctl sysctl;
    static struct xen_domctl domctl;

    sysctl.cmd = XEN_SYSCTL_physinfo;
    sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION - 1;
    CHECK_EQ("sysctl of another version", CALL2(sysctl, &sysctl, 0), -XEN_EACCES);
    sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    CHECK_EQ("sysctl", CALL2(sysctl, &sysctl, 0), -XEN_EPERM);
    sysctl.cmd = XEN_SYSCTL_livepatch_op;
    CHECK_EQ("live patching", CALL2(sysctl, &sysctl, 0), -XEN_EPERM);
    sysctl.cmd = 99;
    CHECK_EQ("an unknown sysctl", CALL2(sysctl, &sysctl, 0), -XEN_EPERM);
    domctl.cmd = XEN_DOMCTL_getdomaininfo;
    domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION - 1;
    CHECK_EQ("domctl of another version", CALL2(domctl, &domctl, 0), -XEN_EACCES);
    domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION;

    domctl.domain = 0;
    CHECK_EQ("domctl on the control domain", CALL2(domctl, &domctl, 0), -XEN_EPERM);
    domctl.cmd = XEN_DOMCTL_pausedomain;
    CHECK_EQ("pausing the control domain", CALL2(domctl, &domctl, 0), -XEN_EPERM);
}

static long evtchn(u32 op, void *arg)
{
    return CALL2(event_channel_op, op, arg);
}

static void check_channels(void)
{
    struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF};
    struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER, .vcpu = 0};
    struct evtchn_bind_ipi ipi = {.vcpu = 0};
    struct evtchn_status status = {.dom = DOMID_SELF};
    struct evtchn_send send;
    struct evtchn_close close;

    CHECK_EQ("evtchn: a port for oneself", evtchn(EVTCHNOP_alloc_unbound, &unbound), 0);
    status.port = send.port = close.port = unbound.port;
    CHECK_EQ("evtchn: its status", evtchn(EVTCHNOP_status, &status), 0);
    CHECK_EQ("evtchn: unbound", status.status, EVTCHNSTAT_unbound);
    CHECK_EQ("evtchn: sending there is no error", evtchn(EVTCHNOP_send, &send), 0);
    bind.remote_port = unbound.port;
    CHECK_EQ("evtchn: bound to oneself", evtchn(EVTCHNOP_bind_interdomain, &bind), 0);
    CHECK_EQ("evtchn: its status then", evtchn(EVTCHNOP_status, &status), 0);
    CHECK_EQ("evtchn: interdomain", status.status, EVTCHNSTAT_interdomain);
    CHECK_EQ("evtchn: names the other port", status.u.interdomain.port, bind.local_port);
    CHECK_EQ("evtchn: bound once only", evtchn(EVTCHNOP_bind_interdomain, &bind), -XEN_EINVAL);
    CHECK_EQ("evtchn: closed", evtchn(EVTCHNOP_close, &close), 0);
    CHECK_EQ("evtchn: closed once only", evtchn(EVTCHNOP_close, &close), -XEN_EINVAL);
    CHECK_EQ("evtchn: no sending on a closed port", evtchn(EVTCHNOP_send, &send), -XEN_EINVAL);
    close.port = bind.local_port;
    CHECK_EQ("evtchn: the other end is closed apart", evtchn(EVTCHNOP_close, &close), 0);
    CHECK_EQ("evtchn: the timer's VIRQ", evtchn(EVTCHNOP_bind_virq, &virq), 0);
    CHECK_EQ("evtchn: once only", evtchn(EVTCHNOP_bind_virq, &virq), -XEN_EEXIST);
    close.port = virq.port;
    evtchn(EVTCHNOP_close, &close);
    virq.virq = 24;
    CHECK_EQ("evtchn: no such VIRQ", evtchn(EVTCHNOP_bind_virq, &virq), -XEN_EINVAL);
    virq = (struct evtchn_bind_virq){.virq = VIRQ_TIMER, .vcpu = 77};
    CHECK_EQ("evtchn: no such vCPU", evtchn(EVTCHNOP_bind_virq, &virq), -XEN_ENOENT);
    CHECK_EQ("evtchn: an IPI", evtchn(EVTCHNOP_bind_ipi, &ipi), 0);
    send.port = close.port = ipi.port;
    CHECK_EQ("evtchn: sent to itself", evtchn(EVTCHNOP_send, &send), 0);
    evtchn(EVTCHNOP_close, &close);
    send.port = PORTS;
    CHECK_EQ("evtchn: no port beyond the last", evtchn(EVTCHNOP_send, &send), -XEN_EINVAL);
    unbound.remote_dom = 0;
    unbound.dom = 0;
    CHECK_EQ("evtchn: none in another domain", evtchn(EVTCHNOP_alloc_unbound, &unbound),
             -XEN_EPERM);
    CHECK_EQ("evtchn: unknown operation", evtchn(99, &unbound), -XEN_ENOSYS);
}

static void check_fifo(void)
{
    struct evtchn_init_control control = {.control_gfn = 0xd0000, .vcpu = 0};
    struct evtchn_expand_array array = {.array_gfn = (word)page >> 12};
    struct evtchn_set_priority priority = {.port = 1, .priority = 3};

    CHECK_EQ("fifo: no priorities without it", evtchn(EVTCHNOP_set_priority, &priority),
             -XEN_ENOSYS);
    CHECK_EQ("fifo: no array without it", evtchn(EVTCHNOP_expand_array, &array),
             -XEN_EOPNOTSUPP);
    CHECK_EQ("fifo: no control block where there is no memory",
             evtchn(EVTCHNOP_init_control, &control), -XEN_EINVAL);
    control.control_gfn = ~1ull;
    CHECK_EQ("fifo: nor where there can be none", evtchn(EVTCHNOP_init_control, &control),
             -XEN_EINVAL);
    CHECK_EQ("fifo: still none", evtchn(EVTCHNOP_expand_array, &array), -XEN_EOPNOTSUPP);
    control.control_gfn = (word)page >> 12;
    control.offset = 4;
    CHECK_EQ("fifo: nor unaligned", evtchn(EVTCHNOP_init_control, &control), -XEN_EINVAL);
    control.offset = 4096 - 64;
    CHECK_EQ("fifo: nor across the page's end", evtchn(EVTCHNOP_init_control, &control),
             -XEN_EINVAL);
    control.offset = 0;
    control.vcpu = 77;
    CHECK_EQ("fifo: nor for no vCPU", evtchn(EVTCHNOP_init_control, &control), -XEN_ENOENT);
}

static long poll(evtchn_port_t *ports, u32 count, u64 timeout)
{
    struct sched_poll p = {.nr_ports = count, .timeout = timeout};

    set_xen_guest_handle(p.ports, ports);
    return CALL2(sched_op, SCHEDOP_poll, &p);
}

static void check_sched(void)
{
    static evtchn_port_t ports[129];
    struct sched_remote_shutdown end = {.domain_id = 0, .reason = SHUTDOWN_crash};
    struct sched_watchdog watchdog = {.id = 0, .timeout = 60};
    u32 fine = 0;
    long id, known;

    /* Xen 4.17 refuses a port that it has not made yet, others and we do not. */
    ports[0] = PORTS_FIRST;
    known = poll(ports, 1, 1);
    CHECK("poll: a port that is not open", !known || known == -XEN_EINVAL);

    /* Beyond those that it may have all are refused. */
    for (ports[0] = PORTS_FIRST; ports[0] < PORTS; ports[0]++) {
        long answer = poll(ports, 1, 1);

        fine += answer == known || answer == -XEN_EINVAL;
        known = answer;
    }
    CHECK_EQ("poll: ports that are not open", fine, PORTS - PORTS_FIRST);
    CHECK_EQ("poll: no port at all", poll(ports, 1, 1), -XEN_EINVAL);
    CHECK_EQ("poll: too many ports", poll(ports, 129, 1), -XEN_EINVAL);
    CHECK_EQ("poll: time alone", poll(NULL, 0, 1), 0);
    CHECK_EQ("sched: yield", CALL2(sched_op, SCHEDOP_yield, 0), 0);
    CHECK_EQ("sched: unknown operation", CALL2(sched_op, 99, 0), -XEN_ENOSYS);
    CHECK_EQ("sched: ending the control domain", CALL2(sched_op, SCHEDOP_remote_shutdown, &end),
             -XEN_EPERM);
    id = CALL2(sched_op, SCHEDOP_watchdog, &watchdog);
    CHECK("sched: a watchdog", id == 1 || id == 2);
    watchdog.id = (u32)id;
    watchdog.timeout = 0;
    CHECK_EQ("sched: a watchdog is stopped", CALL2(sched_op, SCHEDOP_watchdog, &watchdog), 0);
    watchdog.id = 9;
    CHECK_EQ("sched: no such watchdog", CALL2(sched_op, SCHEDOP_watchdog, &watchdog),
             -XEN_EINVAL);
    CHECK_EQ("vm_assist: unknown operation",
             CALL2(vm_assist, 2, VMASST_TYPE_runstate_update_flag), -XEN_ENOSYS);
    CHECK_EQ("vm_assist: unknown type", CALL2(vm_assist, VMASST_CMD_enable, 200), -XEN_EINVAL);
}

static void check_memory(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = (word)page >> 12};
    struct xen_remove_from_physmap hole = {.domid = DOMID_SELF, .gpfn = 0xd0000};
    static struct e820 {
        u64 at, len;
        u32 type;
    } PACKED entries[32];
    struct xen_memory_map list = {.nr_entries = ARRAY_SIZE(entries)};
    domid_t self = DOMID_SELF;
    const volatile struct shared_info *shared = (const volatile struct shared_info *)page;
    u32 usable = 0;

    CHECK("memory: what it has", CALL2(memory_op, XENMEM_current_reservation, &self) > 0);
    CHECK("memory: what it may have", CALL2(memory_op, XENMEM_maximum_reservation, &self) >=
                                          CALL2(memory_op, XENMEM_current_reservation, &self));
    self = 0;
    CHECK_EQ("memory: what another has", CALL2(memory_op, XENMEM_current_reservation, &self),
             -XEN_EPERM);
    memset(page, 0, sizeof(page));
    CHECK_EQ("memory: the shared page", CALL2(memory_op, XENMEM_add_to_physmap, &map), 0);
    CHECK("memory: it holds the time",
          shared->wc_sec && shared->vcpu_info[0].time.tsc_to_system_mul);
    map.space = 77;
    CHECK_EQ("memory: no such space", CALL2(memory_op, XENMEM_add_to_physmap, &map),
             -XEN_EINVAL);
    map.space = XENMAPSPACE_grant_table;
    map.idx = 4000;
    CHECK_EQ("memory: no such grant frame", CALL2(memory_op, XENMEM_add_to_physmap, &map),
             -XEN_EINVAL);
    CHECK_EQ("memory: removing what is not there",
             CALL2(memory_op, XENMEM_remove_from_physmap, &hole), -XEN_ENOENT);
    set_xen_guest_handle(list.buffer, entries);
    CHECK_EQ("memory: its map", CALL2(memory_op, XENMEM_memory_map, &list), 0);
    for (u32 i = 0; i < list.nr_entries && i < ARRAY_SIZE(entries); i++)
        usable += entries[i].type == 1;
    CHECK("memory: some of it is RAM", usable);
    CHECK_EQ("memory: the machine's map", CALL2(memory_op, XENMEM_machine_memory_map, &list),
             -XEN_ENOSYS);
    CHECK_EQ("memory: unknown operation", CALL2(memory_op, 60, &list), -XEN_ENOSYS);
}

/* Each node of mem_flags is asked for; none may do harm. */
static void check_nodes(void)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    u32 odd = 0;

    for (r.mem_flags = 0; r.mem_flags < 0x10000; r.mem_flags += 0x100) {
        long done = CALL2(memory_op, XENMEM_increase_reservation, &r);

        odd += done != 0 && done != 1;
    }
    CHECK_EQ("memory: any node may be asked for", odd, 0);
}

/* Lengths and places that make no sense: refused, or as much as there is. */
static void check_console(void)
{
    static const u32 lengths[] = {0x80000000, 0x7fffffff, 0xffffffff, 0x10000000};
    u32 good = 0;

    for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
        long done = CALL3(console_io, CONSOLEIO_write, lengths[i], 0xd0000001);

        good += done == -XEN_EPERM || done == -XEN_EFAULT || done == -XEN_EINVAL ||
                done == -XEN_E2BIG;
    }
    CHECK_EQ("console_io: more than there is", good, ARRAY_SIZE(lengths));
    CHECK("console_io: read", CALL3(console_io, CONSOLEIO_read, 16, page) == -XEN_EPERM);
    CHECK_EQ("console_io: unknown operation", CALL3(console_io, 77, 16, page) != 0, 1);
}

static void check_parameters(void)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = HVM_PARAM_STORE_PFN};
    u64 value;

    CHECK_EQ("param: the store's page", get_param(HVM_PARAM_STORE_PFN, &value), 0);
    CHECK_EQ("param: is where Xen has it", value, STORE_PAGE);
    CHECK_EQ("param: the store's port", get_param(HVM_PARAM_STORE_EVTCHN, &value), 0);
    CHECK_EQ("param: no such", get_param(HVM_NR_PARAMS, &value), -XEN_EINVAL);
    p.value = 5;
    CHECK_EQ("param: the store's page stays", CALL2(hvm_op, HVMOP_set_param, &p), -XEN_EPERM);

    CHECK_EQ("hvm_op: unknown operation", CALL2(hvm_op, 99, &p), -XEN_ENOSYS);
    CHECK_EQ("physdev_op: unknown operation", CALL2(physdev_op, 99, &p), -XEN_ENOSYS);
}

void check_calls(void)
{
    check_numbers();
    check_privilege();
    check_channels();
    check_fifo();
    check_sched();
    check_memory();
    check_nodes();
    check_console();
    check_parameters();
}

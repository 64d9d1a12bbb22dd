/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every hypercall and sub-operation with four arguments each: nowhere, zeroes, ones, and zeroes
 * that begin by DOMID_SELF. What came back is printed, whatever it is, results and changed
 * words; nothing is expected. Two hosts' answers are compared line by line by who runs it.
 * Left out is what would end the kernel, put it to sleep or take its console away.
 */
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"

enum { NUMBERS = 64, WORDS = 1024, LOOKED_AT = 32, HOLE = 0x40000000, NOWHERE = 0xd0000000 };
enum { DOMCTLS = 90, SYSCTLS = 40, NOBODY = 0x1234, MOST_CHANGES = 4 };
enum kind { NONE, ZERO, ONES, SELF, KINDS };
/* Where the sub-operation and the structure stand among the arguments. */
enum shape { SUB_PTR, SUB_PTR_1, SUB_VCPU_PTR, SUB_0_PTR, SUB_NUMBER, PTR_1, PTR_1_0_SELF };

static const char *const kind_name[] = {"none", "zero", "ones", "self"};
static u32 words[WORDS] __attribute__((aligned(4096)));

static const struct {
    u8 subs;
    u8 shape;
} calls[NUMBERS] = {
    [__HYPERVISOR_sched_op_compat] = {4, SUB_PTR},
    [__HYPERVISOR_platform_op] = {1, PTR_1},
    [__HYPERVISOR_memory_op] = {32, SUB_PTR},
    [__HYPERVISOR_multicall] = {1, PTR_1},
    [__HYPERVISOR_event_channel_op_compat] = {1, PTR_1},
    [__HYPERVISOR_xen_version] = {13, SUB_PTR},
    [__HYPERVISOR_console_io] = {3, SUB_0_PTR},
    [__HYPERVISOR_physdev_op_compat] = {1, PTR_1},
    [__HYPERVISOR_grant_table_op] = {14, SUB_PTR_1},
    [__HYPERVISOR_vm_assist] = {5, SUB_NUMBER},
    [__HYPERVISOR_vcpu_op] = {16, SUB_VCPU_PTR},
    [__HYPERVISOR_mmuext_op] = {1, PTR_1_0_SELF},
    [__HYPERVISOR_sched_op] = {9, SUB_PTR},
    [__HYPERVISOR_event_channel_op] = {16, SUB_PTR},
    [__HYPERVISOR_physdev_op] = {33, SUB_PTR},
    [__HYPERVISOR_hvm_op] = {27, SUB_PTR},
    [__HYPERVISOR_argo_op] = {6, SUB_PTR},
    [__HYPERVISOR_xenpmu_op] = {9, SUB_PTR},
    [__HYPERVISOR_hypfs_op] = {3, SUB_PTR},
};

/* What may not be tried: it ends or stops this kernel, or takes away what it speaks by. */
static bool left_out(u32 nr, u32 sub, enum kind k)
{
    switch (nr) {
    case __HYPERVISOR_set_timer_op:
    case __HYPERVISOR_iret: return true;
    case __HYPERVISOR_sched_op_compat: return sub != SCHEDOP_yield && sub != 3;
    case __HYPERVISOR_sched_op:
        return sub == SCHEDOP_block || sub == SCHEDOP_shutdown ||
               sub == SCHEDOP_shutdown_code ||
               (sub == SCHEDOP_poll && (k == ZERO || k == SELF)) || sub == SCHEDOP_watchdog;
    case __HYPERVISOR_vcpu_op:
        return sub == VCPUOP_down || sub == VCPUOP_send_nmi || sub == VCPUOP_register_vcpu_info;
    case __HYPERVISOR_event_channel_op:
        return (sub == EVTCHNOP_reset && k == SELF) ||
               (sub == EVTCHNOP_init_control && (k == ZERO || k == SELF)) ||
               (sub == EVTCHNOP_bind_pirq && k == ZERO); /* takes a port on Xen */
    default: return false;
    }
}

static word fill(enum kind k)
{
    memset(words, k == ONES ? 0xff : 0, sizeof(words));
    if (k == SELF)
        words[0] = DOMID_SELF;
    return k != NONE ? (word)words : LEVELS ? HOLE : NOWHERE;
}

static long perform(u32 nr, u32 sub, word at)
{
    switch ((enum shape)calls[nr].shape) {
    case SUB_PTR: return hypercall(nr, sub, at, 0, 0, 0);
    case SUB_PTR_1: return hypercall(nr, sub, at, 1, 0, 0);
    case SUB_VCPU_PTR: return hypercall(nr, sub, 0, at, 0, 0);
    case SUB_0_PTR: return hypercall(nr, sub, 0, at, 0, 0);
    case SUB_NUMBER: return hypercall(nr, sub, VMASST_TYPE_runstate_update_flag, 0, 0, 0);
    case PTR_1: return hypercall(nr, at, 1, 0, 0, 0);
    default: return hypercall(nr, at, 1, 0, DOMID_SELF, 0);
    }
}

/* Names, versions and times are each host's own. */
static bool is_own(u32 nr, u32 sub)
{
    return nr == __HYPERVISOR_xen_version || nr == __HYPERVISOR_vcpu_op ||
           (nr == __HYPERVISOR_hvm_op && sub == HVMOP_get_time);
}

static void print_changes(enum kind k)
{
    u32 shown = 0;

    for (u32 i = 0; i < LOOKED_AT && shown < MOST_CHANGES; i++) {
        u32 before = k == ONES ? ~0u : k == SELF && !i ? DOMID_SELF : 0;

        if (words[i] != before) {
            print("%s%u=%x", shown ? "," : ":", i, words[i]);
            shown++;
        }
    }
}

static void one_call(u32 nr, u32 sub)
{
    print("survey %u.%u", nr, sub);
    for (enum kind k = NONE; k < KINDS; k++) {
        long result;

        if (left_out(nr, sub, k))
            continue;
        result = perform(nr, sub, fill(k));
        print(" %s %d", kind_name[k], (s32)result);
        if (k != NONE && !is_own(nr, sub))
            print_changes(k);
    }
    print("\n");
}

/* Each parameter read, and set to what it is. */
static void parameters(void)
{
    for (u32 index = 0; index <= HVM_NR_PARAMS; index++) {
        struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};
        u64 value = 0;
        long got = get_param(index, &value);

        p.value = got ? 0 : value;
        print("survey param.%u get %d %x", index, (s32)got, (u32)p.value);
        if (index != HVM_PARAM_VM86_TSS_SIZED) /* which ends a guest of Xen */
            print(" set %d", (s32)CALL2(hvm_op, HVMOP_set_param, &p));
        print("\n");
    }
}

/* Each command of the control interfaces, for domains that are there and not. */
static void controls(void)
{
    static const domid_t whom[] = {0, DOMID_SELF, NOBODY};
    static struct xen_domctl domctl;
    static struct xen_sysctl sysctl;

    for (u32 cmd = 0; cmd < DOMCTLS; cmd++) {
        print("survey domctl.%u", cmd);
        for (u32 i = 0; i < ARRAY_SIZE(whom); i++) {
            memset(&domctl, 0, sizeof(domctl));
            domctl.cmd = cmd;
            domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
            domctl.domain = whom[i];
            print(" %x %d", whom[i], (s32)CALL2(domctl, &domctl, 0));
        }
        print("\n");
    }
    for (u32 cmd = 0; cmd < SYSCTLS; cmd++) {
        memset(&sysctl, 0, sizeof(sysctl));
        sysctl.cmd = cmd;
        sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
        print("survey sysctl.%u %d\n", cmd, (s32)CALL2(sysctl, &sysctl, 0));
    }
}

void survey(void)
{
    map_large(HOLE, 0);
    for (u32 nr = 0; nr < NUMBERS; nr++)
        for (u32 sub = 0; sub < MAX(calls[nr].subs, 1); sub++)
            if (!left_out(nr, sub, NONE))
                one_call(nr, sub);
    parameters();
    controls();
    finish();
}

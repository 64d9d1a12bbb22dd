/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a null hypercall takes in time (P1w), the least of many rounds: of a domain of Osmosis,
 * and on the bare machine (QEMU -kernel) of a guest in the shortest loop around VMRUN that there
 * can be: the processor's own part. "clock=real"; a line of JSON either way.
 */
#include "hyp/virt/svm/vmcb.h"
#include "tests/hyp/guests/guest.h"
#include <xen/arch-x86/cpuid.h>

enum {
    ROUNDS = 200,
    TURNS = 50,
    INTERCEPT2_VMRUN_VMMCALL = 3,
    EFER = 0xc0000080,
    EFER_SVME = 1 << 12,
    HOST_SAVE = 0xc0010117,
    CODE64 = 0xa9b, /* attributes as in a VMCB */
    DATA = 0xc93,
    TABLE = 7, /* present, written, the user's: as the nested walk wants it */
    LARGE = 0x87
};

static struct vmcb vmcb __attribute__((aligned(4096), used));
static u64 pml4[512] __attribute__((aligned(4096)));
static u64 pdpt[512] __attribute__((aligned(4096)));
static u64 pd[512] __attribute__((aligned(4096)));
static u8 host_save[4096] __attribute__((aligned(4096)));
static u8 stack[16384] __attribute__((aligned(16)));
static u64 least = ~0ull;

static void measure(void)
{
    for (u32 round = 0; round < ROUNDS; round++) {
        u64 start = read_tsc(), took;

        for (u32 i = 0; i < TURNS; i++) {
            u64 nr = __HYPERVISOR_xen_version, command = XENVER_version, argument = 0;

            __asm__ volatile("vmmcall" : "+a"(nr), "+D"(command), "+S"(argument)::"memory");
        }
        took = read_tsc() - start;
        least = MIN(least, took);
    }
}

static void guest(void)
{
    measure();
    for (;;)
        __asm__ volatile("hlt");
}

/* Until it leaves by anything but VMMCALL. VMRUN changes RAX and RSP
 * itself; the others are the guest's afterwards. */
static void run_bare(void)
{
    __asm__ volatile("push %%rbp\n\t"
                     "push %%rbx\n\t"
                     "1: lea vmcb(%%rip), %%rax\n\t"
                     "vmrun\n\t"
                     "cmpq %0, vmcb+%c2(%%rip)\n\t"
                     "jne 2f\n\t"
                     "addq %3, vmcb+%c1(%%rip)\n\t"
                     "jmp 1b\n\t"
                     "2: stgi\n\t"
                     "pop %%rbx\n\t"
                     "pop %%rbp"
                     :
                     : "i"(EXIT_VMMCALL), "i"(VMCB_RIP), "i"(VMCB_EXITCODE), "i"(LENGTH_VMMCALL)
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
                       "r13", "r14", "r15", "memory", "cc");
}

static u64 control(u32 which)
{
    u64 value;

    if (which == 0)
        __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    else if (which == 3)
        __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    else
        __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

/* A guest ends by a call to its hypervisor, which is nobody here. */
static void stay(struct trap *t)
{
    (void)t;
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* The guest is this very program, below a map of the first GiB onto itself. */
static void on_the_bare_machine(void)
{
    for (u64 i = 0; i < 512; i++)
        pd[i] = i << 21 | LARGE;
    pdpt[0] = (u64)pd | TABLE;
    pml4[0] = (u64)pdpt | TABLE;
    on_trap(6, stay);
    write_msr(EFER, read_msr(EFER) | EFER_SVME);
    write_msr(HOST_SAVE, (u64)host_save);
    vmcb.intercept1 = INTERCEPT1_HLT | INTERCEPT1_SHUTDOWN;
    vmcb.intercept2 = INTERCEPT2_VMRUN_VMMCALL;
    vmcb.asid = 1;
    vmcb.nested = 1;
    vmcb.nested_cr3 = (u64)pml4;
    vmcb.cs.selector = 0x08;
    vmcb.cs.attr = CODE64;
    vmcb.ss.selector = vmcb.ds.selector = vmcb.es.selector = 0x10;
    vmcb.ss.attr = vmcb.ds.attr = vmcb.es.attr = DATA;
    vmcb.cs.limit = vmcb.ss.limit = vmcb.ds.limit = vmcb.es.limit = ~0u;
    vmcb.efer = read_msr(EFER);
    vmcb.cr0 = control(0);
    vmcb.cr3 = control(3);
    vmcb.cr4 = control(4);
    vmcb.dr6 = 0xffff0ff0;
    vmcb.dr7 = 0x400;
    vmcb.rflags = 2;
    vmcb.rip = (u64)guest;
    vmcb.rsp = (u64)stack + sizeof(stack) - 8;
    vmcb.pat = 0x0007040600070406ull;
    run_bare();
    if (vmcb.exit_code != EXIT_HLT)
        failure("exit %lx at %lx", vmcb.exit_code, vmcb.rip);
}

void test_main(const struct hvm_start_info *info)
{
    bool domain;
    u32 r[4];

    (void)info;
    get_cpuid(0x40000000, 0, r);
    domain = r[1] == XEN_CPUID_SIGNATURE_EBX;
    if (domain)
        measure();
    else
        on_the_bare_machine();
    print("{\"row\": \"P1w\", \"name\": \"%s\", \"value\": %lu, \"unit\": \"cycles\"}\n",
          domain ? "null hypercall, wall" : "bare VMRUN loop", least / TURNS);
}

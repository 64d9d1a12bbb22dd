/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switching SVM on, what this implementation of it has, and the permission maps that all
 * domains share. AMD APM vol. 2, 15.4, 15.10, 15.11; CPUID leaf 8000000a.
 */
#include "base/memory.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/trap.h"
#include "hyp/cpu/x86.h"
#include "hyp/dev/log.h"
#include "hyp/virt/svm/svm.h"

enum { SVM_LOCKED_OFF = 0x10, IO_MAP_ORDER = 2, MSR_MAP_ORDER = 1, FPU_LEGACY = 512 };
enum { XCR0_X87 = 1, XCR0_SSE = 2, XCR0_AVX = 4, XCR0_AVX512 = 0xe0 };

struct svm_features svm;
u64 svm_io_map, svm_msr_map;

/* Registers whose values VMLOAD, VMSAVE or the control block switch, so guests may have
 * them directly. */
static const u32 direct_msrs[] = {
    MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS,   MSR_STAR,         MSR_LSTAR,
    MSR_CSTAR,   MSR_SFMASK,  MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};
/* Ports that go straight through, as on Xen: the POST code and the delay port. */
static const u16 direct_ports[] = {0x80, 0xed};

bool virt_present(void)
{
    u64 control;

    if (cpuid(0x80000000, 0).eax < 0x8000000a || !(cpuid(0x80000001, 0).ecx >> 2 & 1))
        return false;
    if (!(cpuid(0x8000000a, 0).edx & 1))
        return false; /* no nested paging */
    return !msr_read_safe(MSR_VM_CR, &control) || !(control & SVM_LOCKED_OFF);
}

/* The largest set of extended state that fits what a domain is charged for it. */
static void choose_xsave(void)
{
    u64 have = cpuid(13, 0).eax;

    svm.fpu_size = FPU_LEGACY;
    svm.xcr0 = XCR0_X87 | XCR0_SSE;
    svm.xsave = cpuid(1, 0).ecx >> 26 & 1;
    if (!svm.xsave)
        return;
    svm.fpu_size = FPU_LEGACY + 64;
    if (!(have & XCR0_AVX))
        return;
    svm.xcr0 |= XCR0_AVX;
    svm.fpu_size = cpuid(13, 2).ebx + cpuid(13, 2).eax;
    if ((have & XCR0_AVX512) == XCR0_AVX512 &&
        cpuid(13, 7).ebx + cpuid(13, 7).eax <= DOMAIN_ALLOC_MAX - 64) {
        svm.xcr0 |= XCR0_AVX512;
        svm.fpu_size = cpuid(13, 7).ebx + cpuid(13, 7).eax;
    }
}

void svm_detect(void)
{
    struct cpuid c = cpuid(0x8000000a, 0);

    svm.asids = c.ebx;
    svm.next_rip = c.edx >> 3 & 1;
    svm.clean = c.edx >> 5 & 1;
    svm.flush_by_asid = c.edx >> 6 & 1;
    svm.decode = c.edx >> 7 & 1;
    svm.pause_filter = c.edx >> 10 & 1;
    svm.rdtscp = cpuid(0x80000001, 0).edx >> 27 & 1;
    svm.tcg = cpu_is_tcg();
    svm.task_busy = svm.tcg ? 0 : 2;
    choose_xsave();
    if (svm.asids < 2)
        panic("the processor has %u address space ids", svm.asids);
}

static u64 make_map(u32 order)
{
    mfn_t m = frame_alloc(NULL, order, FRAME_HYP);

    if (!mfn_valid(m))
        panic("no memory for the permission maps");
    memset(frame_map(m), 0xff, PAGE_SIZE << order);
    return m.n << PAGE_SHIFT;
}

/* Two bits each, in three ranges of 2 KiB. */
static void allow_msr(u8 *map, u32 msr)
{
    u32 bit = (msr & 0x1fff) * 2;
    u32 base = msr < 0x2000 ? 0 : msr >> 13 == 0xc0000000u >> 13 ? 0x800 : 0x1000;

    map[base + bit / 8] &= (u8) ~(3u << bit % 8);
}

void svm_maps_init(void)
{
    u8 *map;

    svm_msr_map = make_map(MSR_MAP_ORDER);
    map = frame_map(MFN(svm_msr_map >> PAGE_SHIFT));
    for (u32 i = 0; i < ARRAY_SIZE(direct_msrs); i++)
        allow_msr(map, direct_msrs[i]);
    svm_io_map = make_map(IO_MAP_ORDER);
    map = frame_map(MFN(svm_io_map >> PAGE_SHIFT));
    for (u32 i = 0; i < ARRAY_SIZE(direct_ports); i++)
        map[direct_ports[i] / 8] &= (u8) ~(1u << direct_ports[i] % 8);
}

void virt_init_cpu(void)
{
    struct cpu *c = this_cpu();
    mfn_t save;

    if (!svm_msr_map) { /* the boot CPU comes first */
        svm_detect();
        svm_maps_init();
        log_line("SVM: %u ASIDs,%s%s%s%s%s%s", svm.asids, svm.next_rip ? " next-RIP" : "",
                 svm.decode ? " decode-assists" : "", svm.clean ? " clean-bits" : "",
                 svm.flush_by_asid ? " flush-by-ASID" : "",
                 svm.pause_filter ? " pause-filter" : "", svm.xsave ? " XSAVE" : "");
    }
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    save = frame_alloc(NULL, 0, FRAME_HYP);
    if (!mfn_valid(save))
        panic("no memory for the host save area");
    c->host_save = save.n << PAGE_SHIFT;
    wrmsr(MSR_VM_HSAVE_PA, c->host_save);
    c->asid_next = 1;
    c->asid_generation = 1;
    WRITE_CR(4, READ_CR(4) | (svm.xsave ? CR4_OSXSAVE : 0));
    if (svm.xsave)
        xsetbv(0, svm.xcr0);
}

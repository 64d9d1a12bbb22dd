/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/virt/cpuid.h"
#include <xen/arch-x86/cpuid.h>
#include "base/memory.h"
#include "hyp/cpu/clock.h"
#include "hyp/dev/lapic.h"
#include "hyp/dom/access.h"
#include "hyp/dom/vcpu.h"
#include "hyp/virt/virt.h"

enum { BASIC_LAST = 13, EXTENDED_LAST = 0x80000008, XEN_LAST = XEN_CPUID_LEAF(5) };
/* Leaf 40000003, which the header describes in words only. */
enum { TSC_EMULATED = 1, TSC_RELIABLE = 2, TSC_RDTSCP = 4 };
enum { TSC_MODE_EMULATED = 1, TSC_MODE_NATIVE = 2 };
#define BIT(n) (1u << (n))

/* Leaf 1, ecx: DTES64, MONITOR, DS-CPL, VMX, SMX, EST, TM2, CNXT, PDCM, DCA, TSC deadline. */
#define HIDE_1C                                                                         \
    (BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(10) | BIT(15) | \
     BIT(18) | BIT(24) | BIT(27))
/* edx: MCE, MTRR, MCA, DS, ACPI, HTT, TM, PBE. */
#define HIDE_1D (BIT(7) | BIT(12) | BIT(14) | BIT(21) | BIT(22) | BIT(28) | BIT(29) | BIT(31))
/* Leaf 7, ebx: TSC_ADJUST, SGX, HLE, PQM, MPX, PQE, RTM, PT. */
#define HIDE_7B (BIT(1) | BIT(2) | BIT(4) | BIT(11) | BIT(12) | BIT(14) | BIT(15) | BIT(25))
/* Leaf 80000001, ecx: SVM, EXTAPIC, OSVW, IBS, SKINIT, WDT, LWP, NODEID, TOPOEXT, the
 * performance counters, MWAITX. */
#define HIDE_X1C                                                                            \
    (BIT(2) | BIT(3) | BIT(9) | BIT(10) | BIT(12) | BIT(13) | BIT(15) | BIT(19) | BIT(22) | \
     BIT(23) | BIT(24) | BIT(26) | BIT(28) | BIT(29))
#define HIDE_X1D (BIT(7) | BIT(12) | BIT(14))

static bool seeded(void)
{
    return clock_mode() != OSM_CLOCK_REAL;
}

static struct cpuid leaf1(const struct vcpu *v, const struct cpuid_view *view, struct cpuid r)
{
    r.ebx = (r.ebx & 0xff00) | v->lapic->id << 24 | BIT(16);
    r.ecx = (r.ecx & ~HIDE_1C) | BIT(31) | BIT(21); /* a hypervisor; x2APIC */
    if (view->os_xsave)
        r.ecx |= BIT(27);
    if (seeded())
        r.ecx &= ~BIT(30); /* RDRAND */
    r.edx &= ~HIDE_1D;
    return r;
}

static struct cpuid leaf7(struct cpuid r, u32 sub)
{
    if (sub)
        return (struct cpuid){0};
    r.eax = 0;
    r.ebx &= ~HIDE_7B;
    if (cpu_is_tcg())
        r.ebx &= ~BIT(20);
    if (seeded())
        r.ebx &= ~BIT(18); /* RDSEED */
    r.ecx &= BIT(1) | BIT(2) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(14);
    r.edx &= BIT(2) | BIT(3) | BIT(4) | BIT(8);
    return r;
}

/* XSAVE: only the components that are switched; no compacted supervisor state. */
static struct cpuid leaf13(const struct cpuid_view *view, struct cpuid r, u32 sub)
{
    if (sub == 0) {
        u32 size = 576;

        for (u32 i = 2; i < 32; i++)
            if (view->xcr0 >> i & 1)
                size = MAX(size, cpuid(13, i).eax + cpuid(13, i).ebx);
        r.eax = (u32)view->xcr0;
        r.ecx = size;
        r.edx = 0;
    } else if (sub == 1) {
        r = (struct cpuid){.eax = r.eax & (BIT(0) | BIT(2))};
    } else if (sub >= 32 || !(view->xcr0 >> sub & 1)) {
        r = (struct cpuid){0};
    }
    return r;
}

static struct cpuid basic(const struct vcpu *v, const struct cpuid_view *view, u32 leaf,
                          u32 sub)
{
    struct cpuid r = cpuid(leaf, sub);

    switch (leaf) {
    case 0: r.eax = MIN(r.eax, (u32)BASIC_LAST); return r;
    case 1: return leaf1(v, view, r);
    case 2:
    case 4: return r;
    case 6: return (struct cpuid){.eax = BIT(2)}; /* the APIC timer never stops */
    case 7: return leaf7(r, sub);
    case 11: return (struct cpuid){.ecx = sub & 0xff, .edx = v->lapic->id};
    case 13: return leaf13(view, r, sub);
    default: return (struct cpuid){0};
    }
}

static struct cpuid extended(u32 leaf)
{
    struct cpuid r = cpuid(leaf, 0);

    switch (leaf) {
    case 0x80000000: r.eax = MIN(r.eax, (u32)EXTENDED_LAST); return r;
    case 0x80000001:
        r.ecx &= ~HIDE_X1C;
        r.edx &= ~HIDE_X1D;
        return r;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
    case 0x80000005:
    case 0x80000006: return r;
    case 0x80000007: /* our clocks' TSC never changes its rate */
        return (struct cpuid){.edx = seeded() ? BIT(8) : r.edx & BIT(8)};
    case 0x80000008: return (struct cpuid){.eax = r.eax & 0xffff, .ebx = r.ebx & BIT(0)};
    default: return (struct cpuid){0};
    }
}

static struct cpuid xen_time(const struct cpuid_view *view, u32 sub)
{
    struct clock_sample s;

    clock_sample(&s);
    switch (sub) {
    case 0:
        return (struct cpuid){
            .eax = (view->tsc_trapped ? TSC_EMULATED : 0) | (view->rdtscp ? TSC_RDTSCP : 0) |
                   TSC_RELIABLE,
            .ebx = view->tsc_trapped ? TSC_MODE_EMULATED : TSC_MODE_NATIVE,
            .ecx = clock_tsc_khz(),
        };
    case 1: return (struct cpuid){.ecx = s.mul, .edx = (u32)s.shift};
    case 2: return (struct cpuid){.eax = clock_tsc_khz()};
    default: return (struct cpuid){0};
    }
}

static struct cpuid signature(u32 last, const char *text)
{
    struct cpuid r = {.eax = last};

    memcpy(&r.ebx, text, 4);
    memcpy(&r.ecx, text + 4, 4);
    memcpy(&r.edx, text + 8, 4);
    return r;
}

static struct cpuid xen(const struct vcpu *v, const struct cpuid_view *view, u32 leaf, u32 sub)
{
    switch (leaf) {
    case XEN_CPUID_LEAF(0): return signature(XEN_LAST, "XenVMMXenVMM");
    case XEN_CPUID_LEAF(1): return (struct cpuid){.eax = 4u << 16 | 17};
    case XEN_CPUID_LEAF(2): return (struct cpuid){.eax = 1, .ebx = 0x40000000};
    case XEN_CPUID_LEAF(3): return xen_time(view, sub);
    case XEN_CPUID_LEAF(4):
        return (struct cpuid){
            .eax = XEN_HVM_CPUID_IOMMU_MAPPINGS | XEN_HVM_CPUID_VCPU_ID_PRESENT |
                   XEN_HVM_CPUID_DOMID_PRESENT | XEN_HVM_CPUID_UPCALL_VECTOR,
            .ebx = v->id,
            .ecx = v->domain->id,
        };
    case OSM_CPUID_BASE: return signature(OSM_CPUID_BASE + 1, OSM_SIGNATURE);
    case OSM_CPUID_BASE + 1: return (struct cpuid){.eax = OSM_ABI_VERSION, .ebx = clock_mode()};
    default: return (struct cpuid){0};
    }
}

struct cpuid cpuid_for(const struct vcpu *v, const struct cpuid_view *view, u32 leaf, u32 sub)
{
    if (leaf >> 16 == 0x4000)
        return xen(v, view, leaf, sub);
    if (leaf >= 0x80000000)
        return extended(leaf);
    return leaf <= BASIC_LAST ? basic(v, view, leaf, sub) : (struct cpuid){0};
}

/* Slot n: mov $n, %eax; vmmcall; ret. The one of iret, which no such guest has, traps. */
bool hypercall_page_write(struct vcpu *v, u64 gpa)
{
    enum { SLOT = 32, SLOTS = 4096 / SLOT, IRET = 23 };
    u8 page[4096];

    if (gpa & 0xfff) /* the page's index; there is only page 0 */
        return false;
    memset(page, 0xcc, sizeof(page));
    for (u32 i = 0; i < SLOTS; i++) {
        u8 *p = page + i * SLOT;
        const u8 stub[] = {0xb8, (u8)i, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3};

        memcpy(p, stub, sizeof(stub));
        if (i == IRET)
            memcpy(p, (const u8[]){0x0f, 0x0b}, 2);
    }
    if (guest_write_phys(v->domain, gpa, page, sizeof(page)))
        return false;
    domain_set_width(v->domain, virt_code_bits(v) != 64);
    return true;
}

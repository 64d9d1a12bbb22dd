/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only domain that the hypervisor builds itself; all others are the control domain's
 * work. PVH start as in Xen's docs/misc/pvh and xen/arch-x86/hvm/start_info.h. Nothing but
 * the command line and the memory map is put into the start information: boot modules
 * come by OSM_OP_module.
 */
#include "base/types.h"
#include "hyp/boot/dom0.h"
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/elfnote.h>
#include "base/elf.h"
#include "base/memory.h"
#include "hyp/boot/info.h"
#include "hyp/boot/layout.h"
#include "hyp/boot/option.h"
#include "hyp/cpu/panic.h"
#include "hyp/dev/log.h"
#include "hyp/dom/access.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/virt.h"

enum { PORTS = 131072, GRANT_FRAMES = 64, MAP_ENTRIES = 4, COM2 = 0x2f8, COM2_PORTS = 8 };
#define MEMORY_DEFAULT (64ull << 20)
#define LOW_RAM        0xa0000ull
#define HIGH_RAM       0x100000ull

/* Everything the start information points to, as it lies in the guest. */
struct start {
    struct hvm_start_info info;
    struct hvm_memmap_table_entry map[MAP_ENTRIES];
    char command_line[1024];
};

static void must(int error, const char *what)
{
    if (error)
        panic("the control domain: %s: error %d", what, error);
}

/* 64 MiB, or most of a small machine. */
static u64 memory_default(void)
{
    return MIN(MEMORY_DEFAULT, ALIGN_DOWN((frames_free() << PAGE_SHIFT) / 4 * 3, PAGE_SIZE));
}

static struct domain *make_domain(u64 bytes)
{
    u32 vcpus = (u32)boot_size("dom0_vcpus", 1);
    struct domain *d;

    must(domain_create(0, vcpus, PORTS, GRANT_FRAMES, &d), "cannot be created");
    d->privileged = true;
    d->frames_max = bytes >> PAGE_SHIFT;
    d->overhead_max = ~0ull - d->frames_max; /* it maps what is others' */
    must(frames_reserve(d, d->frames_max - (HIGH_RAM - LOW_RAM) / PAGE_SIZE),
         "there is not so much memory as dom0_mem= asks for");
    must(p2m_promise(d, GFN(0), LOW_RAM >> PAGE_SHIFT), "its low memory");
    must(p2m_promise(d, GFN(HIGH_RAM >> PAGE_SHIFT), (bytes - HIGH_RAM) >> PAGE_SHIFT),
         "its memory");
    for (u32 i = 0; i < vcpus; i++)
        must(vcpu_create(d, i), "a virtual CPU");
    must(virt_allow_ports(d, COM2, COM2_PORTS, true), "its serial port");
    return d;
}

static void load(struct domain *d, const struct elf *e)
{
    struct elf_segment s;

    for (u32 i = 0; elf_next_load(e, &i, &s);)
        if (guest_write_phys(d, s.physical, e->data + s.offset, s.file_size))
            panic("the control domain: its image does not fit its memory (dom0_mem=%lu)",
                  d->frames_max << PAGE_SHIFT);
}

static u64 put_start(struct domain *d, u64 at, const char *words)
{
    struct start s = {
        .info = {.magic = XEN_HVM_START_MAGIC_VALUE,
                 .version = 1,
                 .flags = SIF_PRIVILEGED | SIF_INITDOMAIN,
                 .cmdline_paddr = at + offsetof(struct start, command_line),
                 .memmap_paddr = at + offsetof(struct start, map),
                 .memmap_entries = 2},
        .map = {{.size = LOW_RAM, .type = XEN_HVM_MEMMAP_TYPE_RAM},
                {.addr = HIGH_RAM,
                 .size = (d->frames_max << PAGE_SHIFT) - HIGH_RAM,
                 .type = XEN_HVM_MEMMAP_TYPE_RAM}},
    };

    if (strlen(words) >= sizeof(s.command_line))
        panic("the control domain: its command line is too long");
    memcpy(s.command_line, words, strlen(words));
    if (guest_write_phys(d, at, &s, sizeof(s)))
        panic("the control domain: no room behind its image");
    return at;
}

void dom0_start(void)
{
    const struct boot_module *m = &boot_info.module[0];
    struct vcpu_hvm_context context = {.mode = VCPU_HVM_MODE_32B};
    struct vcpu_hvm_x86_32 *r = &context.cpu_regs.x86_32;
    u64 entry, low, high, bytes = boot_size("dom0_mem", memory_default());
    const char *why = "";
    struct domain *d;
    struct elf e;

    if (!boot_info.modules)
        panic("no boot module: the first one must be the control domain's ELF image");
    if (!elf_open(&e, (const void *)(DIRECT_BASE + m->start), m->size, &why))
        panic("the control domain's image: %s", why);
    if (!elf_note_number(&e, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &entry))
        panic("the control domain's image has no note XEN_ELFNOTE_PHYS32_ENTRY");
    if (bytes <= 2 * HIGH_RAM || bytes > 0xc0000000)
        panic("dom0_mem=%lu: say between 2M and 3G", bytes);
    d = make_domain(ALIGN_DOWN(bytes, PAGE_SIZE));
    load(d, &e);
    elf_span(&e, &low, &high);
    r->eip = (u32)entry;
    r->ebx = (u32)put_start(d, ALIGN_UP(high, PAGE_SIZE), boot_module_words(0));
    r->cr0 = 1;
    r->cs_limit = r->ds_limit = r->es_limit = r->ss_limit = 0xffffffff;
    r->tr_limit = 0x67;
    r->cs_ar = 0xc9b;
    r->ds_ar = r->es_ar = r->ss_ar = 0xc93;
    r->tr_ar = 0x8b;
    must(vcpu_set_context(d->vcpu[0], &context), "its first virtual CPU");
    vcpu_up(d->vcpu[0]);
    must(domain_unpause(d), "it does not start");
}

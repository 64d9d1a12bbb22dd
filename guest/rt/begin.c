/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the assembly entry to rt_main: finds out what is below us, reads the start
 * information (xen/arch-x86/hvm/start_info.h) and brings the parts up in order.
 */
#include "hyp/abi/xen.h"
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/hvm/start_info.h>
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/grant.h"
#include "guest/rt/map.h"
#include "guest/rt/native.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"
#include "guest/rt/trap.h"
#include "guest/rt/x86.h"

NORETURN void rt_begin(u32 info_at);
extern u8 rt_vmcall[];

static struct rt_start started;
static const struct hvm_start_info *info;

const struct rt_start *rt_started(void)
{
    return &started;
}

static bool signature_is(u32 leaf, const char *text)
{
    struct cpuid r = cpuid(leaf, 0);
    u32 words[3] = {r.ebx, r.ecx, r.edx};

    return memcmp(words, text, sizeof(words)) == 0;
}

/* Xen may sit at any multiple of 0x100 (arch-x86/cpuid.h); its leaves + 4 know our id. */
static enum rt_host detect(u32 *domid)
{
    for (u32 base = XEN_CPUID_FIRST_LEAF; base < XEN_CPUID_FIRST_LEAF + 0x10000;
         base += 0x100) {
        struct cpuid hvm;

        if (!signature_is(base, "XenVMMXenVMM"))
            continue;
        hvm = cpuid(base + 4, 0);
        if (cpuid(base, 0).eax >= base + 4 && (hvm.eax & XEN_HVM_CPUID_DOMID_PRESENT))
            *domid = hvm.ecx;
        return signature_is(OSM_CPUID_BASE, OSM_SIGNATURE) ? RT_OSMOSIS : RT_XEN;
    }
    return RT_NATIVE;
}

void rt_begin_again(void)
{
    started.host = detect(&started.domid);
}

/* VMCALL is VMMCALL with another last byte; AMD's and Hygon's processors want the latter. */
static void choose_vmcall(void)
{
    u32 maker = cpuid(0, 0).ecx;

    if (maker != 0x444d4163 && maker != 0x656e6975) /* ...cAMD, ...uine */
        rt_vmcall[2] = 0xc1;
}

static void read_ranges(void)
{
    const struct hvm_memmap_table_entry *e = rt_at(info->memmap_paddr);

    for (u32 i = 0; i < info->memmap_entries && started.range_count < RT_RANGES; i++) {
        started.range[started.range_count++] = (struct rt_range){e[i].addr, e[i].size,
                                                                 e[i].type};
        if (e[i].type == XEN_HVM_MEMMAP_TYPE_RAM)
            started.ram_bytes += e[i].size;
    }
}

static void read_info(u32 info_at)
{
    info = rt_at(info_at);
    started.info = info_at;
    started.flags = info->flags;
    started.cmdline = info->cmdline_paddr ? rt_at(info->cmdline_paddr) : "";
    started.module_count = info->modlist_paddr ? info->nr_modules : 0;
    started.rsdp = info->rsdp_paddr;
    if (info->version >= 1 && info->memmap_paddr)
        read_ranges();
}

bool rt_module(u32 n, struct rt_module *m)
{
    const struct hvm_modlist_entry *e = rt_at(info->modlist_paddr);

    if (n >= started.module_count)
        return false;
    m->data = rt_at(e[n].paddr);
    m->size = e[n].size;
    m->cmdline = e[n].cmdline_paddr ? rt_at(e[n].cmdline_paddr) : "";
    return true;
}

void rt_begin(u32 info_at)
{
    read_info(info_at);
    started.host = detect(&started.domid);
    choose_vmcall();
    rt_console_init(&started);
    rt_trap_init();
    if (info->magic != XEN_HVM_START_MAGIC_VALUE)
        rt_panic("no start information at %#x", info_at);
    if (!started.range_count)
        rt_panic("the start information has no memory map");
    rt_frame_init(&started);
    rt_map_init(&started);
    rt_event_init();
    rt_time_init();
    rt_grant_init();
    rt_console_connect();
    rt_store_init();
    rt_shutdown(rt_main(&started) ? RT_CRASH : RT_POWEROFF);
}

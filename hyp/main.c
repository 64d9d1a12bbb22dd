/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the loader to the run loop.
 */
#include "hyp/main.h"
#include "hyp/boot/acpi.h"
#include "hyp/boot/dom0.h"
#include "hyp/boot/info.h"
#include "hyp/boot/parse.h"
#include "hyp/boot/plan.h"
#include "hyp/boot/smp.h"
#include "hyp/cpu/apic.h"
#include "hyp/cpu/clock.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/pic.h"
#include "hyp/cpu/run.h"
#include "hyp/cpu/trap.h"
#include "hyp/cpu/watch.h"
#include "hyp/dev/log.h"
#include "hyp/dev/mailbox.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/memory.h"
#include "hyp/virt/virt.h"

extern u8 image_start[], text_end[], image_end[];
static bool go; /* the boot CPU is done: the others may run vCPUs */

const char *platform_command_line(void)
{
    return boot_info.command_line;
}

static void banner(void)
{
    log_line("Osmosis hypervisor: %lu KiB of code, %lu KiB in all, by multiboot %u",
             ((u64)text_end - (u64)image_start) >> 10,
             ((u64)image_end - (u64)image_start) >> 10, boot_info.multiboot2 ? 2 : 1);
    log_line("command line: %s", boot_info.command_line);
}

static void start_cpus(void)
{
    smp_start();
    if (clock_mode() == OSM_CLOCK_COUNT && cpu_count() > 1)
        panic("clock=count needs a machine with one CPU: start QEMU with -smp 1");
    log_line("%u CPU%s", cpu_count(), cpu_count() > 1 ? "s" : "");
}

void hyp_main(u32 magic, u32 info);

void hyp_main(u32 magic, u32 info)
{
    trap_init();
    boot_parse(magic, info);
    plan_find();
    acpi_init();
    apic_init();
    smp_find();
    banner();
    pic_init();
    clock_init();
    frames_init();
    boot_scrub_low();
    log_line("memory: %lu MiB free", frames_total() >> 8);
    start_cpus();
    memory_unmap_low();
    trace_init();
    mailbox_init();
    if (!virt_present())
        panic("this processor has no usable SVM with nested paging (under QEMU: -cpu "
              "qemu64,+svm,+npt)");
    virt_init_cpu();
    domains_init();
    vcpu_scheduler_init(clock_mode() == OSM_CLOCK_EVENT ? 0 : SCHED_SLICE_NS);
    vcpu_cpu_online(0);
    watch_init();
    dom0_start();
    __atomic_store_n(&go, true, __ATOMIC_SEQ_CST);
    run_forever();
}

void hyp_secondary(void)
{
    while (!__atomic_load_n(&go, __ATOMIC_SEQ_CST))
        __builtin_ia32_pause();
    memory_unmap_low();
    virt_init_cpu();
    if (clock_mode() == OSM_CLOCK_EVENT)
        for (;;) /* one vCPU at a time: the others have nothing to do */
            __asm__ volatile("cli; hlt");
    vcpu_cpu_online(this_cpu()->id);
    run_forever();
}

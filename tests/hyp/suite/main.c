/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of the groups. The hypercall page is found as kernels find it: Xen's leaves by
 * their signature, the register's number from leaf 2.
 */
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/hvm/start_info.h>

bool careful;

void suite_main(const struct hvm_start_info *info);

static u32 find_xen(void)
{
    u32 r[4];

    for (u32 base = 0x40000000; base < 0x40010000; base += 0x100) {
        get_cpuid(base, 0, r);
        if (r[1] == XEN_CPUID_SIGNATURE_EBX && r[2] == XEN_CPUID_SIGNATURE_ECX &&
            r[3] == XEN_CPUID_SIGNATURE_EDX && r[0] - base >= 2)
            return base;
    }
    return 0;
}

static const char *last_word(const char *line)
{
    const char *last = line;

    for (; line && *line; line++)
        if (*line == ' ')
            last = line + 1;
    return last ? last : "";
}

void suite_main(const struct hvm_start_info *info)
{
    u32 base = find_xen(), r[4] = {0};
    const char *last;

    traps_init();
    get_cpuid(base + 2, 0, r);
    write_msr(r[1], (word)hypercall_page);
    console_init();
    last = last_word((const char *)(word)info->cmdline_paddr);
    careful = !strcmp(last, "careful");
    print("A kernel of %u bits with %u levels of paging\n", (u32)sizeof(word) * 8, LEVELS);
    end_by(last);
    CHECK_EQ("xen: leaf of the hypercall page names one page", r[0], 1);
    CHECK_EQ("start information: magic number", info->magic, XEN_HVM_START_MAGIC_VALUE);
    check_xen(base, r[1]);
    check_calls();
    check_grants(base);
    check_instructions();
    check_registers();
    check_ports();
    check_debug();
    check_apic();
    check_tasks();
    check_store();
    check_placing(info);
    finish();
}

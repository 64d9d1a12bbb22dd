/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot loader said, in one form for multiboot 1 and 2. Copied out of loader
 * memory before anything is allocated.
 */
#ifndef HYP_BOOT_INFO_H
#define HYP_BOOT_INFO_H

#include "base/types.h"

enum { BOOT_RANGES = 256, BOOT_MODULES = 1024 };

struct boot_range {
    u64 start, end;
    u32 type; /* as e820: 1 = RAM */
};

struct boot_module {
    u64 start, size;   /* machine addresses */
    const char *words; /* its command line; the first word names it */
};

struct boot_info {
    char command_line[1024];
    u32 ranges;
    struct boot_range range[BOOT_RANGES];
    u32 modules;
    struct boot_module module[BOOT_MODULES];
    u64 rsdp; /* machine address of the ACPI root, or 0: look for it */
    bool multiboot2;
};

extern struct boot_info boot_info;

/* The value of `name=` on the command line copied to `to`; false when it is not there.
 * A bare word `name` counts, with an empty value. */
bool boot_option(const char *name, char *to, size_t size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a new domain's memory holds: from an ELF image, a command line and modules to the
 * memory map, the pieces of bytes to be put where, and the state of the first vCPU. Pure:
 * the caller has the pieces written. Places are Xen's (public arch-x86/hvm/start_info.h,
 * and what guests expect around the special pages).
 */
#ifndef GUEST_CONTROL_LAYOUT_H
#define GUEST_CONTROL_LAYOUT_H

#include "base/types.h"

enum { LAYOUT_MODULES = 64, LAYOUT_PIECES = 160, LAYOUT_RANGES = 8, LAYOUT_WHY = 200 };
enum { LAYOUT_INFO_ROOM = 4096 + 65536 };

#define LAYOUT_SPECIAL_GFN 0xfeff8ull
#define LAYOUT_SPECIAL     8
#define LAYOUT_STORE_GFN   0xfeffcull
#define LAYOUT_CONSOLE_GFN 0xfefffull
#define LAYOUT_ACPI_AT     0xfc000000ull
#define LAYOUT_ACPI_PAGES  8
#define LAYOUT_RSDP_AT     0xfc008000ull

#define LAYOUT_LOW_END     0xf0000000ull /* RAM beyond begins at LAYOUT_HIGH_AT */
#define LAYOUT_HIGH_AT     (1ull << 32)

struct layout_module {
    const void *data;
    size_t size;
    const char *cmdline;
};

struct layout_request {
    const void *image;
    size_t image_size;
    const char *cmdline;
    u64 memory; /* bytes, multiple of 4096 */
    u32 vcpus;
    u32 module_count;
    struct layout_module module[LAYOUT_MODULES];
};

/* `data` stays the request's or the layout's. */
struct layout_piece {
    u64 at;
    const void *data;
    size_t len;
    bool fixed; /* never written by a well-behaved guest: may be shared */
};

struct layout_range {
    u64 base, size;
    u32 type; /* XEN_HVM_MEMMAP_TYPE_* */
};

struct layout {
    u32 entry;   /* in 32-bit protected mode */
    u32 info_at; /* what EBX holds */
    u32 range_count, piece_count;
    struct layout_range range[LAYOUT_RANGES];
    struct layout_piece piece[LAYOUT_PIECES];
    u64 pages; /* RAM, special and ACPI pages: what the domain may hold */
    char why[LAYOUT_WHY];
    u8 acpi[4096], rsdp[36];
    u32 info_len;
    u8 info[LAYOUT_INFO_ROOM]; /* start information, map, module list, strings */
};

/* False: l->why says in words what is wrong. */
bool layout_make(struct layout *l, const struct layout_request *r);

#endif

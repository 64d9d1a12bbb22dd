/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/abi/xen.h"
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/elfnote.h>
#include "base/elf.h"
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/acpi.h"
#include "guest/control/layout.h"

enum { PAGE = 4096, VGA_HOLE = 0xa0000, MIB = 1 << 20, MEMORY_LEAST = 2 << 20 };
#define FOUR_GIB LAYOUT_HIGH_AT
_Static_assert(ACPI_TABLES_ROOM == sizeof(((struct layout *)0)->acpi), "the tables' page");

static bool wrong(struct layout *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool wrong(struct layout *l, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vformat(l->why, sizeof(l->why), fmt, args);
    va_end(args);
    return false;
}

static void add_range(struct layout *l, u64 base, u64 size, u32 type)
{
    if (size)
        l->range[l->range_count++] = (struct layout_range){base, size, type};
}

static bool add_piece(struct layout *l, u64 at, const void *data, size_t len, bool fixed)
{
    if (!len)
        return true;
    if (l->piece_count == LAYOUT_PIECES)
        return wrong(l, "the image has more than %u pieces", LAYOUT_PIECES);
    l->piece[l->piece_count++] = (struct layout_piece){at, data, len, fixed};
    return true;
}

/* RAM with the hole that PCs have, then what Xen's toolstack puts below 4 GiB. */
static bool make_map(struct layout *l, const struct layout_request *r)
{
    u64 low = MIN(r->memory, LAYOUT_LOW_END);

    if (r->memory < MEMORY_LEAST || r->memory % PAGE)
        return wrong(l, "a domain's memory is at least 2M and whole pages, not %lu bytes",
                     r->memory);
    if (r->memory >> 40)
        return wrong(l, "a domain's memory is less than 1 TiB");
    if (!r->vcpus || r->vcpus > ACPI_VCPUS)
        return wrong(l, "a domain has 1 to %u vCPUs, not %u", ACPI_VCPUS, r->vcpus);
    add_range(l, 0, VGA_HOLE, XEN_HVM_MEMMAP_TYPE_RAM);
    add_range(l, MIB, low - MIB, XEN_HVM_MEMMAP_TYPE_RAM);
    add_range(l, LAYOUT_ACPI_AT, LAYOUT_ACPI_PAGES * PAGE, XEN_HVM_MEMMAP_TYPE_ACPI);
    add_range(l, LAYOUT_RSDP_AT, PAGE, XEN_HVM_MEMMAP_TYPE_ACPI);
    add_range(l, LAYOUT_SPECIAL_GFN * PAGE, LAYOUT_SPECIAL * PAGE,
              XEN_HVM_MEMMAP_TYPE_RESERVED);
    add_range(l, FOUR_GIB, r->memory - low, XEN_HVM_MEMMAP_TYPE_RAM);
    for (u32 i = 0; i < l->range_count; i++)
        l->pages += l->range[i].size / PAGE;
    return true;
}

static bool in_ram(const struct layout *l, u64 at, u64 len)
{
    for (u32 i = 0; i < l->range_count; i++) {
        const struct layout_range *m = &l->range[i];

        if (m->type == XEN_HVM_MEMMAP_TYPE_RAM && at >= m->base && at <= m->base + m->size &&
            len <= m->base + m->size - at)
            return true;
    }
    return false;
}

/* The ELF's segments, and *end behind them. */
static bool place_image(struct layout *l, const struct layout_request *r, const struct elf *e,
                        u64 *end)
{
    struct elf_segment s;
    bool entry_inside = false;
    u32 index = 0, count = 0;

    for (*end = 0; elf_next_load(e, &index, &s); count++) {
        if (!s.memory_size)
            continue;
        if (!in_ram(l, s.physical, s.memory_size))
            return wrong(
                l,
                "the image's load segment %u (%#lx to %#lx) does not lie in the domain's "
                "memory of %lu KiB",
                count, s.physical, s.physical + s.memory_size, r->memory >> 10);
        if (!add_piece(l, s.physical, (const u8 *)r->image + s.offset, s.file_size,
                       !(s.flags & ELF_WRITE)))
            return false;
        entry_inside |= l->entry >= s.physical && l->entry - s.physical < s.memory_size;
        *end = MAX(*end, s.physical + s.memory_size);
    }
    if (!*end)
        return wrong(l, "the image has no load segments");
    return entry_inside ||
           wrong(l, "the entry of note PHYS32_ENTRY, %#x, lies in no load segment", l->entry);
}

static bool find_entry(struct layout *l, const struct elf *e)
{
    size_t len;
    u64 value;

    if (elf_note_number(e, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &value)) {
        l->entry = (u32)value;
        return value < FOUR_GIB ||
               wrong(l, "the entry of note PHYS32_ENTRY, %#lx, is not below 4 GiB", value);
    }
    if (elf_note(e, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &len))
        return wrong(l, "the ELF note PHYS32_ENTRY (18) has %lu bytes, not 4 or 8", len);
    if (elf_note(e, "Xen", XEN_ELFNOTE_ENTRY, &len))
        return wrong(l, "the image is a kernel for Xen PV: it has ELF note ENTRY (1), but not "
                        "PHYS32_ENTRY (18), by which PVH domains start");
    return wrong(
        l, "the image lacks Xen's ELF note PHYS32_ENTRY (18), by which PVH domains start");
}

static bool open_image(struct layout *l, const struct layout_request *r, struct elf *e)
{
    const u8 *bytes = r->image;
    const char *why;

    if (r->image_size > 0x206 && memcmp(bytes + 0x202, "HdrS", 4) == 0)
        return wrong(l, "the image is a bzImage: unpack the ELF kernel that is inside");
    if (r->image_size > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)
        return wrong(l, "the image is compressed by gzip: unpack it");
    if (!elf_open(e, r->image, r->image_size, &why))
        return wrong(l, "the image: %s", why);
    return true;
}

/* The first `len` bytes of RAM at or above `from`, below 4 GiB, at a page; 0: none. */
static u64 find_room(const struct layout *l, u64 from, u64 len)
{
    for (u32 i = 0; i < l->range_count; i++) {
        const struct layout_range *m = &l->range[i];
        u64 at = MAX(ALIGN_UP(from, PAGE), m->base);

        if (m->type == XEN_HVM_MEMMAP_TYPE_RAM && m->base < FOUR_GIB &&
            at < m->base + m->size && len <= m->base + m->size - at)
            return at;
    }
    return 0;
}

/* Bytes of l->info, zeroed and aligned; NULL when they are used up. */
static void *take_info(struct layout *l, size_t len)
{
    u32 at = (u32)ALIGN_UP(l->info_len, 8u);

    if (len > sizeof(l->info) - at)
        return NULL;
    l->info_len = at + (u32)len;
    memset(l->info + at, 0, len);
    return l->info + at;
}

/* Where something in l->info will be. */
static u64 info_address(const struct layout *l, const void *at)
{
    return l->info_at + (u64)((const u8 *)at - l->info);
}

static u64 info_text(struct layout *l, const char *text)
{
    size_t len = strlen(text) + 1;
    char *to = take_info(l, len);

    if (!to)
        return 0;
    memcpy(to, text, len);
    return info_address(l, to);
}

static bool info_modules(struct layout *l, const struct layout_request *r,
                         struct hvm_start_info *info, u64 from)
{
    struct hvm_modlist_entry *list = take_info(l, r->module_count * sizeof(*list));

    if (!r->module_count)
        return true;
    if (!list)
        return wrong(l, "the start information has no room for %u modules", r->module_count);
    info->nr_modules = r->module_count;
    info->modlist_paddr = info_address(l, list);
    for (u32 i = 0; i < r->module_count; i++) {
        const struct layout_module *m = &r->module[i];

        list[i].paddr = find_room(l, from, m->size);
        list[i].size = m->size;
        if (!list[i].paddr)
            return wrong(l, "module %u of %lu KiB does not fit into the domain's memory", i,
                         m->size >> 10);
        if (m->cmdline && *m->cmdline && !(list[i].cmdline_paddr = info_text(l, m->cmdline)))
            return wrong(l, "the modules' command lines are too long");
        if (!add_piece(l, list[i].paddr, m->data, m->size, true))
            return false;
        from = list[i].paddr + m->size;
    }
    return true;
}

static bool make_info(struct layout *l, const struct layout_request *r, u64 image_end)
{
    struct hvm_start_info *info;
    struct hvm_memmap_table_entry *map;

    l->info_at = (u32)find_room(l, image_end, LAYOUT_INFO_ROOM);
    if (!l->info_at)
        return wrong(l,
                     "the domain's memory has no room for start information behind the image");
    info = take_info(l, sizeof(*info));
    map = take_info(l, l->range_count * sizeof(*map));
    *info = (struct hvm_start_info){.magic = XEN_HVM_START_MAGIC_VALUE,
                                    .version = 1,
                                    .rsdp_paddr = LAYOUT_RSDP_AT,
                                    .memmap_paddr = info_address(l, map),
                                    .memmap_entries = l->range_count};
    for (u32 i = 0; i < l->range_count; i++)
        map[i] = (struct hvm_memmap_table_entry){l->range[i].base, l->range[i].size,
                                                 l->range[i].type, 0};
    info->cmdline_paddr = info_text(l, r->cmdline ? r->cmdline : "");
    if (!info->cmdline_paddr)
        return wrong(l, "the command line is too long");
    if (!info_modules(l, r, info, l->info_at + LAYOUT_INFO_ROOM))
        return false;
    return add_piece(l, l->info_at, l->info, l->info_len, false);
}

bool layout_make(struct layout *l, const struct layout_request *r)
{
    struct elf e;
    u64 end;

    l->range_count = l->piece_count = l->info_len = 0;
    l->pages = 0;
    l->why[0] = 0;
    if (r->module_count > LAYOUT_MODULES)
        return wrong(l, "a domain has at most %u modules", LAYOUT_MODULES);
    if (!make_map(l, r) || !open_image(l, r, &e) || !find_entry(l, &e) ||
        !place_image(l, r, &e, &end) || !make_info(l, r, end))
        return false;
    return add_piece(l, LAYOUT_ACPI_AT, l->acpi,
                     acpi_build(l->acpi, l->rsdp, LAYOUT_ACPI_AT, r->vcpus), true) &&
           add_piece(l, LAYOUT_RSDP_AT, l->rsdp, sizeof(l->rsdp), true);
}

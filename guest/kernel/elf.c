/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a static ELF64 program from memory: what a machine does for its first process.
 * The file is hostile: every offset is checked before it is used.
 */
#include "guest/kernel/core.h"

struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, segments, sections;
    u32 flags;
    u16 header_size, segment_size, segment_count;
};

struct elf_segment {
    u32 type, flags;
    u64 offset, address, physical, file_size, memory_size, align;
};

enum { ELF_LOAD = 1, ELF_EXEC = 1, ELF_WRITE = 2, ELF_READ = 4, ELF_TYPE_EXEC = 2 };

static u32 protection(u32 flags)
{
    return (flags & ELF_READ ? (u32)REGION_READ : 0) |
           (flags & ELF_WRITE ? (u32)REGION_WRITE : 0) |
           (flags & ELF_EXEC ? (u32)REGION_EXECUTE : 0);
}

static int load_segment(struct node *n, struct task *t, const u8 *file, size_t len,
                        const struct elf_segment *s)
{
    u64 page = machine_page_size(n), base = ALIGN_DOWN(s->address, page);
    u32 prot = protection(s->flags);
    int error;

    if (s->file_size > s->memory_size || s->offset > len || s->file_size > len - s->offset)
        return DEMOS_E_ARGUMENT;
    if (s->address >= DEMOS_IMAGE_END || s->memory_size > DEMOS_IMAGE_END - s->address)
        return DEMOS_E_ADDRESS;
    if (!s->memory_size)
        return 0;
    error = region_map(n, t, base, ALIGN_UP(s->address + s->memory_size, page) - base, prot, prot);
    if (error || !s->file_size)
        return error;
    return machine_load(n, t, s->address, file + s->offset, s->file_size) == MACHINE_OK
               ? 0
               : DEMOS_E_MEMORY;
}

int node_load_elf(struct node *n, struct task *t, const void *file, size_t len, u64 *entry)
{
    static const u8 ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    struct elf_header h;

    if (len < sizeof(h))
        return DEMOS_E_ARGUMENT;
    memcpy(&h, file, sizeof(h));
    if (memcmp(h.ident, ident, sizeof(ident)) != 0 || h.type != ELF_TYPE_EXEC ||
        h.segment_size != sizeof(struct elf_segment))
        return DEMOS_E_ARGUMENT;
    if (h.segments > len || h.segment_count > (len - h.segments) / sizeof(struct elf_segment))
        return DEMOS_E_ARGUMENT;
    for (u32 i = 0; i < h.segment_count; i++) {
        struct elf_segment s;
        int error;

        memcpy(&s, (const u8 *)file + h.segments + i * sizeof(s), sizeof(s));
        if (s.type != ELF_LOAD)
            continue;
        error = load_segment(n, t, file, len, &s);
        if (error)
            return error;
    }
    *entry = h.entry;
    return 0;
}

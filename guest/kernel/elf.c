/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a static program from memory: what a machine does for its first process. The
 * segments become regions; no page is both written and executed.
 */
#include "base/elf.h"
#include "guest/kernel/core.h"

static u32 protection(u32 flags)
{
    return (flags & ELF_READ ? (u32)REGION_READ : 0) |
           (flags & ELF_WRITE ? (u32)REGION_WRITE : 0) |
           (flags & ELF_EXECUTE ? (u32)REGION_EXECUTE : 0);
}

static int load(struct node *n, struct task *t, const struct elf *e,
                const struct elf_segment *s)
{
    u64 page = machine_page_size(n), range[] = {ALIGN_DOWN(s->virtual, page), 0};
    bool grows = s->flags & ELF_WRITE;
    u32 prot = protection(s->flags);
    int error;

    if (s->virtual >= DEMOS_IMAGE_END || s->memory_size > DEMOS_IMAGE_END - s->virtual)
        return DEMOS_E_ADDRESS;
    if (!s->memory_size)
        return 0;
    range[1] = ALIGN_UP(s->virtual + s->memory_size, page) - range[0];
    error = region_map_growing(n, t, range, prot, prot, grows ? REGION_UP : REGION_STAYS,
                               grows ? range[1] + DEMOS_HEAP_MOST : 0);
    if (error || !s->file_size)
        return error;
    return machine_load(n, t, s->virtual, e->data + s->offset, s->file_size) == MACHINE_OK
               ? 0
               : DEMOS_E_MEMORY;
}

int node_load_elf(struct node *n, struct task *t, const void *file, size_t len, u64 *entry)
{
    struct elf_segment s;
    const char *why;
    struct elf e;
    u32 index = 0;

    if (!elf_open(&e, file, len, &why) || !e.wide)
        return DEMOS_E_ARGUMENT;
    while (elf_next_load(&e, &index, &s)) {
        int error = load(n, t, &e, &s);

        if (error)
            return error;
    }
    *entry = e.entry;
    return 0;
}

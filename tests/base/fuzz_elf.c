/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as an ELF file: nothing outside them is read, and what is promised holds. */
#include "base/elf.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct elf_segment s;
    const char *why;
    struct elf e;
    u64 value;
    u32 at = 0;

    if (!elf_open(&e, data, size, &why))
        return 0;
    while (elf_next_load(&e, &at, &s))
        if (s.offset + s.file_size > size || s.file_size > s.memory_size)
            abort();
    for (u32 type = 0; type < 20; type++)
        elf_note_number(&e, "Xen", type, &value);
    return 0;
}

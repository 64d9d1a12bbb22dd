/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MP Specification 1.4, chapter 4: the floating pointer, and the processor entries of the
 * configuration table it names.
 */
#include "base/memory.h"
#include "hyp/boot/acpi.h"
#include "hyp/boot/layout.h"

enum { HEAD = 44, PROCESSOR_SIZE = 20, OTHER_SIZE = 8, ENABLED = 1 };

static const u8 *at(u64 address)
{
    return (const u8 *)(DIRECT_BASE + address);
}

static u64 scan(u64 from, u64 to)
{
    for (u64 a = ALIGN_UP(from, 16); a + 16 <= to; a += 16) {
        u8 sum = 0;

        if (memcmp(at(a), "_MP_", 4) != 0)
            continue;
        for (u32 i = 0; i < 16; i++)
            sum = (u8)(sum + at(a)[i]);
        if (!sum)
            return a;
    }
    return 0;
}

static u64 find(void)
{
    u64 ebda = (u64)(at(0x40e)[0] | at(0x40e)[1] << 8) << 4, found;

    found = ebda >= 0x400 && ebda < 0xa0000 ? scan(ebda, ebda + 1024) : 0;
    if (!found)
        found = scan(0x9fc00, 0xa0000); /* the last KiB of low memory */
    return found ? found : scan(0xe0000, 0x100000);
}

u32 mptable_find(u32 *ids, u32 most)
{
    u64 pointer = find();
    const u8 *table, *entry;
    u32 address, len, n = 0;

    if (!pointer)
        return 0;
    memcpy(&address, at(pointer) + 4, 4);
    table = at(address);
    if (memcmp(table, "PCMP", 4) != 0)
        return 0;
    /* Until the length ends, not by the count of entries: qboot leaves that at zero. */
    len = table[4] | (u32)table[5] << 8;
    for (u32 i = HEAD; i + OTHER_SIZE <= len && n < most;) {
        entry = table + i;
        if (entry[0] == 0 && (entry[3] & ENABLED))
            ids[n++] = entry[1];
        i += entry[0] == 0 ? PROCESSOR_SIZE : OTHER_SIZE;
    }
    return n;
}

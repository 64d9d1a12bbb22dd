/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI Specification 6.4, 5.2: root pointer, RSDT or XSDT, MADT, FADT. Tables are read
 * where the direct map reaches them, with lengths and checksums tested.
 */
#include "hyp/boot/acpi.h"
#include "base/memory.h"
#include "hyp/boot/info.h"
#include "hyp/boot/layout.h"
#include "hyp/cpu/apic.h"

enum { MADT_APIC = 0, MADT_X2APIC = 9, ENABLED = 1, HEAD = 36 };
enum { FADT_PM_TIMER = 76, MADT_ENTRIES = 44, TABLE_MOST = 1 << 20 };
#define REACHED 0x100000000ull /* by the boot page tables */

static u64 root;
static const u8 *madt;
static u32 madt_len;
static u16 pm_timer;

static const u8 *at(u64 address)
{
    return (const u8 *)(DIRECT_BASE + address);
}

static u32 get32(const u8 *p)
{
    return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static u64 get64(const u8 *p)
{
    return get32(p) | (u64)get32(p + 4) << 32;
}

static bool sums_to_zero(const u8 *p, u32 len)
{
    u8 sum = 0;

    while (len--)
        sum = (u8)(sum + *p++);
    return sum == 0;
}

/* The table at `address`, with its length, or NULL when it is none. */
static const u8 *table(u64 address, u32 *len)
{
    const u8 *p = at(address);

    if (!address || address + HEAD > REACHED)
        return NULL;
    *len = get32(p + 4);
    if (*len < HEAD || *len > TABLE_MOST || address + *len > REACHED || !sums_to_zero(p, *len))
        return NULL;
    return p;
}

static u64 scan(u64 from, u64 to)
{
    for (u64 a = ALIGN_UP(from, 16); a + 20 <= to; a += 16)
        if (memcmp(at(a), "RSD PTR ", 8) == 0 && sums_to_zero(at(a), 20))
            return a;
    return 0;
}

static u64 find_root(void)
{
    u64 ebda = (u64)(at(0x40e)[0] | at(0x40e)[1] << 8) << 4, found;

    if (boot_info.rsdp)
        return boot_info.rsdp;
    found = ebda >= 0x400 && ebda < 0xa0000 ? scan(ebda, ebda + 1024) : 0;
    return found ? found : scan(0xe0000, 0x100000);
}

static void note_table(u64 address)
{
    u32 len;
    const u8 *t = table(address, &len);

    if (!t)
        return;
    if (memcmp(t, "APIC", 4) == 0) {
        madt = t;
        madt_len = len;
    } else if (memcmp(t, "FACP", 4) == 0 && len >= FADT_PM_TIMER + 4) {
        pm_timer = (u16)get32(t + FADT_PM_TIMER);
    }
}

void acpi_init(void)
{
    const u8 *p, *list;
    bool wide;
    u32 len;

    root = find_root();
    if (!root)
        return;
    p = at(root);
    wide = p[15] >= 2 && get64(p + 24) && get64(p + 24) < REACHED;
    list = table(wide ? get64(p + 24) : get32(p + 16), &len);
    for (u32 i = HEAD; list && i + (wide ? 8 : 4) <= len; i += wide ? 8 : 4)
        note_table(wide ? get64(list + i) : get32(list + i));
}

u64 acpi_root(void)
{
    return root;
}

u16 acpi_pm_timer(void)
{
    return pm_timer;
}

static u32 from_madt(u32 *ids, u32 most)
{
    u32 n = 0;

    for (u32 i = MADT_ENTRIES; madt && i + 2 <= madt_len && madt[i + 1] >= 2;
         i += madt[i + 1]) {
        const u8 *e = madt + i;

        if (i + e[1] > madt_len || n == most)
            break;
        if (e[0] == MADT_APIC && e[1] >= 8 && (get32(e + 4) & ENABLED))
            ids[n++] = e[3];
        if (e[0] == MADT_X2APIC && e[1] >= 16 && (get32(e + 8) & ENABLED))
            ids[n++] = get32(e + 4);
    }
    return n;
}

u32 processors_find(u32 *ids, u32 most)
{
    u32 n = from_madt(ids, most);

    if (!n)
        n = mptable_find(ids, most);
    if (!n) {
        ids[0] = apic_id();
        n = 1;
    }
    return n;
}

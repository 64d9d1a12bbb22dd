/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/hyp/tables.h"

u64 table_page[TABLE_PAGES][512];

enum { P = 1, RW = 2, PS = 1 << 7 };
#define NX   (1ull << 63)
#define FAIL ((struct wanted){false, 0})

void *tables_find(void *context, u64 gfn)
{
    (void)context;
    return gfn < TABLE_PAGES ? table_page[gfn] : NULL;
}

static bool load(u64 at, bool narrow, u64 *entry)
{
    const u8 *page = tables_find(NULL, at >> 12);

    if (!page)
        return false;
    *entry = narrow ? *(const u32 *)(page + (at & 0xfff)) : *(const u64 *)(page + (at & 0xfff));
    return true;
}

static struct wanted done(const struct paging *p, bool may_write, bool write, u64 base,
                          u64 offset)
{
    if (write && !may_write && p->cr0 >> 16 & 1)
        return FAIL;
    return (struct wanted){true, base | offset};
}

static struct wanted two_levels(const struct paging *p, u32 linear, bool write)
{
    u64 pde, pte;

    if (!load((p->cr3 & 0xfffff000) + (linear >> 22) * 4, true, &pde) || !(pde & P))
        return FAIL;
    if (pde & PS && p->cr4 >> 4 & 1) {
        if (pde >> 21 & 1)
            return FAIL;
        return done(p, pde & RW, write, (pde & 0xffc00000) + ((pde >> 13 & 0xff) << 32),
                    linear & 0x3fffff);
    }
    if (!load((pde & 0xfffff000) + (linear >> 12 & 0x3ff) * 4, true, &pte) || !(pte & P))
        return FAIL;
    return done(p, pde & pte & RW, write, pte & 0xfffff000, linear & 0xfff);
}

/* Levels 1 (4 KiB) to `from`, the entries of which all have the long format. */
static struct wanted long_format(const struct paging *p, u64 table, u32 from, bool may_write,
                                 bool pae, u64 linear, bool write)
{
    for (u32 level = from; level >= 1; level--) {
        u32 shift = 12 + 9 * (level - 1);
        u64 size = 1ull << shift, e;
        bool page;

        if (!load(table + (linear >> shift & 511) * 8, false, &e) || !(e & P))
            return FAIL;
        if (e & NX && !(p->efer >> 11 & 1))
            return FAIL;
        if (pae && e >> 52 & 0x7ff)
            return FAIL;
        page = level == 1 || e & PS;
        if (page && level > 3)
            return FAIL;
        may_write = may_write && e & RW;
        if (page) {
            u64 base = e & 0xffffffffff000ull;

            /* Bit 12 of a large page's entry is PAT; the other low bits must be clear. */
            if (level > 1 && (base & (size - 1)) >> 13)
                return FAIL;
            return done(p, may_write, write, base & ~(size - 1), linear & (size - 1));
        }
        table = e & 0xffffffffff000ull;
    }
    return FAIL;
}

static struct wanted three_levels(const struct paging *p, u32 linear, bool write)
{
    u64 e;

    if (!load((p->cr3 & 0xffffffe0) + (linear >> 30) * 8, false, &e) || !(e & P))
        return FAIL;
    if (e & 0xfff00000000001c6ull)
        return FAIL;
    return long_format(p, e & 0xffffffffff000ull, 2, true, true, linear, write);
}

struct wanted tables_expect(const struct paging *p, u64 linear, bool write)
{
    bool long_mode = p->efer >> 10 & 1;

    if (long_mode && (u64)((s64)(linear << 16) >> 16) != linear)
        return FAIL;
    if (!(p->cr0 >> 31 & 1))
        return (struct wanted){true, long_mode ? linear : (u32)linear};
    if (long_mode)
        return long_format(p, p->cr3 & 0xffffffffff000ull, 4, true, false, linear, write);
    if (p->cr4 >> 5 & 1)
        return three_levels(p, (u32)linear, write);
    return two_levels(p, (u32)linear, write);
}

static u64 random_entry(u64 seed, u64 page, u64 i)
{
    u64 bits = keyed_random(seed, page, i);
    u64 e = (bits >> 8) % (TABLE_PAGES + 2) << 12;

    e |= bits & 0x1ff & ~(u64)PS;
    if (bits >> 16 & 7)
        e |= P;
    if (!(bits >> 19 & 7))
        e |= PS;
    if (!(bits >> 22 & 15))
        e |= NX;
    if (!(bits >> 26 & 31))
        e |= 1ull << (48 + (bits >> 31 & 15));
    if (!(bits >> 35 & 7)) /* as a large page would be aligned */
        e &= ~0x1fe000ull;
    return e;
}

void tables_random(u64 seed, bool narrow)
{
    for (u64 page = 0; page < TABLE_PAGES; page++)
        for (u64 i = 0; i < 512; i++)
            table_page[page][i] = narrow ? (random_entry(seed, page, 2 * i) & 0xffffffff) |
                                               random_entry(seed, page, 2 * i + 1) << 32
                                         : random_entry(seed, page, i);
}

struct paging tables_mode(u64 seed, u32 mode)
{
    struct paging p = {.cr0 = 0x11 | (keyed_random(seed, 1, 1) & 1) << 16,
                       .cr3 = keyed_below(seed, 1, 2, TABLE_PAGES) << 12,
                       .cr4 = (keyed_random(seed, 1, 3) & 1) << 4,
                       .efer = (keyed_random(seed, 1, 4) & 1) << 11};

    if (mode)
        p.cr0 |= 1ull << 31;
    if (mode >= 2)
        p.cr4 |= 1 << 5;
    if (mode == 3)
        p.efer |= 1 << 8 | 1 << 10;
    return p;
}

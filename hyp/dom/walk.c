/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/abi/xen.h"
#include "hyp/dom/walk.h"

enum {
    CR0_WP = 1 << 16,
    CR4_PSE = 1 << 4,
    CR4_PAE = 1 << 5,
    EFER_LMA = 1 << 10,
    EFER_NXE = 1 << 11,
    PTE_P = 1 << 0,
    PTE_W = 1 << 1,
    PTE_U = 1 << 2,
    PTE_A = 1 << 5,
    PTE_D = 1 << 6,
    PTE_PS = 1 << 7,
};
enum { FAULT_P = 1, FAULT_RSV = 8 }; /* vol. 2, 8.4.2 */
#define CR0_PG        (1ull << 31)
#define PTE_NX        (1ull << 63)
#define ADDR_52       0x000ffffffffff000ull
#define MUST_BE_0_PAE 0x7ff0000000000000ull /* above the address, in PAE entries */
/* In those of its top level, low down: vol. 2, 5.2.3. Bit 5 as well, which QEMU sets as if it
 * were that of an access: a guest of that kind lives there only if we do not mind. */
#define MUST_BE_0_TOP 0x1c6ull

/* How the entries of one level are laid out. */
struct level {
    u8 shift;      /* of the linear address bits that index it */
    bool may_map;  /* PS makes it a page */
    bool has_perm; /* R/W counts here (not in PAE's top level) */
};
static const struct level level4[] = {{39, 0, 1}, {30, 1, 1}, {21, 1, 1}, {12, 1, 1}};
static const struct level pae[] = {{30, 0, 0}, {21, 1, 1}, {12, 1, 1}};
static const struct level two[] = {{22, 1, 1}, {12, 1, 1}};

struct mode {
    const struct level *level;
    u32 levels, index_bits;
    bool narrow, large;
};

static struct mode mode_of(const struct paging *p)
{
    if (p->efer & EFER_LMA)
        return (struct mode){level4, 4, 9, false, true};
    if (p->cr4 & CR4_PAE)
        return (struct mode){pae, 3, 9, false, true};
    return (struct mode){two, 2, 10, true, p->cr4 & CR4_PSE};
}

/* Sets bits in an entry that still holds `value`; false: it changed, walk again. */
static bool set_bits(void *entry, bool narrow, u64 *value, u64 bits)
{
    u64 wanted = *value | bits;
    bool done;

    if (wanted == *value)
        return true;
    if (narrow) {
        u32 old = (u32)*value;

        done = __atomic_compare_exchange_n((u32 *)entry, &old, (u32)wanted, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    } else {
        u64 old = *value;

        done = __atomic_compare_exchange_n((u64 *)entry, &old, wanted, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }
    if (done)
        *value = wanted;
    return done;
}

/* Bits that must be clear in a present entry. */
static u64 reserved(const struct paging *p, const struct mode *m, const struct level *l,
                    u64 pte, bool leaf)
{
    u64 bits = 0;

    if (m->narrow)
        return leaf && l->shift == 22 ? 1ull << 21 & pte : 0;
    if (!(p->efer & EFER_NXE))
        bits |= PTE_NX;
    if (m->level == pae)
        bits |= l->has_perm ? MUST_BE_0_PAE : MUST_BE_0_PAE | PTE_NX | MUST_BE_0_TOP;
    if (!l->may_map && l->has_perm)
        bits |= PTE_PS;
    if (leaf && l->shift > 12)
        bits |= ((1ull << l->shift) - 1) & ADDR_52 & ~0x1000ull;
    return bits & pte;
}

static u64 page_base(const struct mode *m, const struct level *l, u64 pte)
{
    if (!m->narrow)
        return pte & ADDR_52 & ~((1ull << l->shift) - 1);
    if (l->shift == 22)
        return (pte & 0xffc00000) | (pte >> 13 & 0xff) << 32;
    return pte & 0xfffff000;
}

static int walk_once(const struct paging *p, const struct mode *m, u64 linear, bool write,
                     walk_find *find, void *context, struct walk *w)
{
    u64 table = m->narrow         ? p->cr3 & 0xfffff000
                : m->level == pae ? p->cr3 & 0xffffffe0
                                  : p->cr3 & ADDR_52;
    bool allowed = true;

    w->levels = 0;
    for (u32 i = 0; i < m->levels; i++) {
        const struct level *l = &m->level[i];
        u64 index = linear >> l->shift & ((1ull << m->index_bits) - 1);
        u64 at = table + index * (m->narrow ? 4 : 8);
        u8 *page;
        u64 pte;
        bool leaf;

        if (m->level == pae && !i)
            at = table + (linear >> 30 & 3) * 8;
        page = find(context, at >> 12);
        if (!page)
            return -XEN_EFAULT;
        w->entry[i] = page + (at & 0xfff);
        pte = walk_entry(w->entry[i], m->narrow);
        leaf = i == m->levels - 1 || (l->may_map && m->large && pte & PTE_PS);
        if (!(pte & PTE_P))
            return -XEN_EFAULT;
        if (reserved(p, m, l, pte, leaf)) {
            w->fault = FAULT_P | FAULT_RSV;
            return -XEN_EFAULT;
        }
        if (l->has_perm && !(pte & PTE_W))
            allowed = false;
        if (l->has_perm && !set_bits(w->entry[i], m->narrow, &pte, PTE_A))
            return -XEN_EAGAIN;
        w->value[i] = pte;
        w->levels = i + 1;
        if (leaf) {
            w->writable = allowed || !(p->cr0 & CR0_WP);
            if (write && !w->writable) {
                w->fault = FAULT_P;
                return -XEN_EFAULT;
            }
            if (write && !set_bits(w->entry[i], m->narrow, &w->value[i], PTE_D))
                return -XEN_EAGAIN;
            w->writable = w->writable && w->value[i] & PTE_D;
            w->gpa = page_base(m, l, pte) | (linear & ((1ull << l->shift) - 1));
            return 0;
        }
        table = m->narrow ? pte & 0xfffff000 : pte & ADDR_52;
    }
    return -XEN_EFAULT;
}

int walk_tables(const struct paging *p, u64 linear, bool write, walk_find *find, void *context,
                struct walk *w)
{
    struct mode m = mode_of(p);
    int error;

    w->narrow = m.narrow;
    w->fault = 0;
    if (!(p->efer & EFER_LMA))
        linear = (u32)linear;
    else if ((u64)((s64)(linear << 16) >> 16) != linear)
        return -XEN_EFAULT;
    if (!(p->cr0 & CR0_PG)) {
        w->levels = 0;
        w->writable = true;
        w->gpa = linear;
        return 0;
    }
    /* Another vCPU may change entries under us; each failed try means that one did. */
    for (u32 tries = 0; tries < 16; tries++) {
        error = walk_once(p, &m, linear, write, find, context, w);
        if (error != -XEN_EAGAIN)
            return error;
    }
    return -XEN_EFAULT;
}

bool walk_is_users(const struct paging *p, const struct walk *w)
{
    bool top_counts = p->efer & EFER_LMA || w->narrow;

    for (u32 i = top_counts ? 0 : 1; i < w->levels; i++)
        if (!(w->value[i] & PTE_U))
            return false;
    return true;
}

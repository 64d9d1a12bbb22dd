/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory by linear address (H02, H23): the walker against a second one in every paging
 * mode; the translation cache against a guest that changes its tables, its registers and its
 * physical map between accesses and must never see a stale one.
 */
#include "tests/check.h"
#include "tests/hyp/tables.h"
#include "tests/hyp/world.h"

static u64 random_linear(u64 seed, u64 i, u32 mode)
{
    u64 l = keyed_random(seed, 77, i);

    if (mode == 3 && keyed_random(seed, 78, i) & 7)
        l = (u64)((s64)(l << 16) >> 16);
    return l;
}

static void walks_agree_with_the_reference(void)
{
    u64 reached = 0;

    for (u64 seed = 0; seed < test_length(400, 20000); seed++) {
        u32 mode = seed & 3;
        struct paging p = tables_mode(seed, mode);

        tables_random(seed, mode == 1);
        for (u64 i = 0; i < 200; i++) {
            u64 linear = random_linear(seed, i, mode);
            bool write = i & 1;
            struct wanted wanted = tables_expect(&p, linear, write);
            struct walk w;
            int error = walk_tables(&p, linear, write, tables_find, NULL, &w);

            CHECK_EQ(!error, wanted.ok);
            if (!error && wanted.ok)
                CHECK_EQ(w.gpa, wanted.gpa);
            CHECK(error == 0 || error == -XEN_EFAULT);
            if (!error && write)
                CHECK(w.writable);
            for (u32 l = 0; !error && l < w.levels; l++)
                CHECK_EQ(walk_entry(w.entry[l], w.narrow), w.value[l]);
            reached += !error;
            if (checks_failed)
                return;
        }
    }
    CHECK(reached > 10000);
}

/* --- the cache ----------------------------------------------------------------------------- */

enum { ROOT = 8, DIR1 = 9, DIR2 = 10, LAST = 11, DATA = 16, WINDOW = 4 };
static struct domain *d;
static struct vcpu *v;

static u64 *table(u64 gfn)
{
    mfn_t frame;

    CHECK_EQ(p2m_get(d, GFN(gfn), P2M_RW, &frame), 0);
    frame_put(frame);
    return frame_map(frame);
}

/* Four-level tables that map WINDOW pages at linear 0 to DATA... */
static void begin(void)
{
    world_init(2);
    d = world_domain(1, 1, 64);
    v = d->vcpu[0];
    world.current = v;
    v->virt->paging = (struct paging){
        .cr0 = 0x80010011, .cr3 = ROOT << 12, .cr4 = 0x20, .efer = 0x500};
    table(ROOT)[0] = DIR1 << 12 | 7;
    table(DIR1)[0] = DIR2 << 12 | 7;
    table(DIR2)[0] = LAST << 12 | 7;
    for (u64 i = 0; i < WINDOW; i++) {
        u64 label = 0x1000 + i;

        table(LAST)[i] = (DATA + i) << 12 | 7;
        world_put(d, (DATA + i) << 12, &label, sizeof(label));
    }
}

/* Each of these is a stay of its own in the hypervisor. */
static u64 peek(u64 linear)
{
    u64 value = 0;

    v->world += 2;
    return guest_read(v, &value, linear, sizeof(value)) ? ~0ull : value;
}

static int poke(u64 linear, u64 value)
{
    v->world += 2;
    return guest_write(v, linear, &value, sizeof(value));
}

static void a_changed_entry_is_noticed(void)
{
    begin();
    CHECK_EQ(peek(0), 0x1000);
    CHECK_EQ(peek(0), 0x1000);
    table(LAST)[0] = (DATA + 2) << 12 | 7;
    CHECK_EQ(peek(0), 0x1002);
    table(LAST)[0] = 0;
    CHECK_EQ(peek(0), ~0ull);
    table(LAST)[0] = (DATA + 3) << 12 | 7;
    CHECK_EQ(peek(0), 0x1003);
    table(DIR2)[0] = 0; /* an upper level */
    CHECK_EQ(peek(0), ~0ull);
    table(DIR2)[0] = LAST << 12 | 7;
    CHECK_EQ(peek(0), 0x1003);
    v->virt->paging.cr3 = 40 << 12; /* another root, empty */
    CHECK_EQ(peek(0), ~0ull);
    v->virt->paging.cr3 = ROOT << 12;
    CHECK_EQ(peek(0), 0x1003);
    world_end(d);
}

static void write_protection_and_dirty_bits(void)
{
    begin();
    table(LAST)[1] &= ~2ull;
    CHECK_EQ(peek(0x1000), 0x1001);
    CHECK_EQ(poke(0x1000, 5), -XEN_EFAULT);
    CHECK(!(table(LAST)[1] & 0x40));
    CHECK(table(LAST)[1] & 0x20);
    v->virt->paging.cr0 &= ~0x10000ull; /* WP off: a supervisor may */
    CHECK_EQ(poke(0x1000, 5), 0);
    v->virt->paging.cr0 |= 0x10000;
    CHECK_EQ(poke(0x1000, 5), -XEN_EFAULT);
    CHECK_EQ(peek(0x1000), 5);
    CHECK_EQ(poke(0x2000, 5), 0);
    CHECK(table(LAST)[2] & 0x40);
    table(LAST)[2] &= ~0x40ull; /* the guest cleans its page: our next write dirties it */
    CHECK_EQ(poke(0x2000, 5), 0);
    CHECK(table(LAST)[2] & 0x40);
    world_end(d);
}

/* What a call has found it finds again until its end, whatever other processors do to the tables
 * meanwhile; but a frame that went is gone at once, and what may not be written is not. */
static void tables_are_compared_once_in_a_stay(void)
{
    u64 value;

    begin();
    CHECK_EQ(peek(0), 0x1000);
    CHECK_EQ(peek(0), 0x1000);
    table(LAST)[0] = (DATA + 2) << 12 | 7;
    CHECK_EQ(guest_read(v, &value, 0, sizeof(value)), 0);
    CHECK_EQ(value, 0x1000);
    guest_forget_stay(v);
    CHECK_EQ(guest_read(v, &value, 0, sizeof(value)), 0);
    CHECK_EQ(value, 0x1002);
    table(LAST)[16] = (DATA + 1) << 12 | 7; /* a page that takes the same place */
    CHECK_EQ(guest_read(v, &value, 0x10000, sizeof(value)), 0);
    CHECK_EQ(value, 0x1001);
    CHECK_EQ(guest_read(v, &value, 0, sizeof(value)), 0);
    CHECK_EQ(value, 0x1002);
    CHECK_EQ(p2m_unmap(d, GFN(DATA + 2)), 0);
    CHECK_EQ(guest_read(v, &value, 0, sizeof(value)), -XEN_EFAULT);
    table(LAST)[3] &= ~2ull;
    CHECK_EQ(peek(0x3000), 0x1003);
    CHECK_EQ(guest_write(v, 0x3000, &value, sizeof(value)), -XEN_EFAULT);
    world_end(d);
}

/* A structure is opened where its page is known, aligned, and the page holds all of it. */
static void windows_open_where_all_is_known(void)
{
    const u64 *at;

    begin();
    CHECK(!guest_open(v, 0x1000, 8));
    CHECK_EQ(peek(0x1000), 0x1001);
    CHECK_EQ(peek(0x1000), 0x1001);
    at = guest_open(v, 0x1000, 8);
    CHECK(at && *at == 0x1001);
    guest_close(v);
    CHECK(!guest_open(v, 0x1002, 4));
    CHECK(!guest_open(v, 0x1ffc, 8));
    CHECK(!guest_open(v, 0x1000, 0x1004));
    at = guest_open(v, 0x1ffc, 4);
    CHECK(at);
    guest_close(v);
    world_end(d);
}

static void a_changed_physical_map_is_noticed(void)
{
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF, .gpfn = DATA};
    u64 label = 0x77;

    begin();
    CHECK_EQ(peek(0), 0x1000);
    v->virt->paging.cr0 = 0x11; /* paging off to make the call as a guest would */
    CHECK_EQ(world_op(v, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &r, sizeof(r)), 0);
    v->virt->paging.cr0 = 0x80010011;
    CHECK_EQ(peek(0), ~0ull);
    CHECK_EQ(p2m_promise(d, GFN(DATA), 1), 0);
    CHECK_EQ(peek(0), 0); /* a fresh frame, zeroed */
    world_put(d, DATA << 12, &label, sizeof(label));
    CHECK_EQ(peek(0), 0x77);
    world_end(d);
}

/* A frame that no cached translation goes by may come and go without ending any; the tables
 * and the page of one may not. */
static void only_what_a_translation_goes_by_ends_it(void)
{
    static const u64 on_the_way[] = {ROOT, DIR1, DIR2, LAST, DATA};
    u64 generation;

    for (u32 i = 0; i < ARRAY_SIZE(on_the_way); i++) {
        begin();
        CHECK_EQ(peek(0), 0x1000);
        CHECK_EQ(peek(0), 0x1000);
        generation = d->p2m_generation;
        CHECK_EQ(p2m_promise(d, GFN(40000), 1), 0);
        CHECK_EQ(p2m_unmap(d, GFN(40000)), 0);
        CHECK_EQ(d->p2m_generation, generation);
        CHECK_EQ(peek(0), 0x1000);
        CHECK_EQ(p2m_unmap(d, GFN(on_the_way[i])), 0);
        CHECK(d->p2m_generation != generation);
        CHECK_EQ(peek(0), ~0ull);
        world_end(d);
    }
}

static void accesses_cross_pages_and_stop_at_holes(void)
{
    u8 buffer[0x3000];

    begin();
    for (u32 i = 0; i < sizeof(buffer); i++)
        buffer[i] = (u8)(i * 7);
    CHECK_EQ(guest_write(v, 0x800, buffer, sizeof(buffer)), 0);
    memset(buffer, 0, sizeof(buffer));
    CHECK_EQ(guest_read(v, buffer, 0x800, sizeof(buffer)), 0);
    for (u32 i = 0; i < sizeof(buffer); i++)
        CHECK_EQ(buffer[i], (u8)(i * 7));
    CHECK_EQ(guest_read(v, buffer, 0x3800, 0x800), 0);
    CHECK_EQ(guest_read(v, buffer, 0x3800, 0x801), -XEN_EFAULT);
    CHECK_EQ(guest_read(v, buffer, 0x7ffffffffffcull, 8), -XEN_EFAULT); /* into the hole */
    CHECK_EQ(guest_read(v, buffer, 0xfffffffffffffff8ull, 16), -XEN_EFAULT);
    CHECK_EQ(guest_read(v, buffer, ~0ull, 0), 0);
    world_end(d);
}

/* Another frame with other contents in a page's place. */
static void change_page(u64 gfn, u64 contents)
{
    CHECK_EQ(p2m_unmap(d, GFN(gfn)), 0);
    CHECK_EQ(p2m_promise(d, GFN(gfn), 1), 0);
    world_put(d, gfn << 12, &contents, sizeof(contents));
}

static void random_changes_never_show_a_stale_page(void)
{
    begin();
    for (u64 step = 0; step < test_length(40000, 2000000); step++) {
        u64 page = keyed_below(3, step, 0, 64), entry = table(LAST)[page];
        u64 wanted = ~0ull, linear = page << 12;

        switch (keyed_below(3, step, 1, 6)) {
        case 0: table(LAST)[page] = (DATA + keyed_below(3, step, 2, WINDOW)) << 12 | 7; break;
        case 1: table(LAST)[page] = 0; break;
        case 2: table(LAST)[page] = entry & ~0x60ull; break;
        case 3: table(LAST)[page] = entry ^ 2; break;
        case 4: change_page(DATA + keyed_below(3, step, 2, WINDOW), step); break;
        default: break;
        }
        entry = table(LAST)[page];
        if (entry & 1)
            world_get(d, entry & 0xffffffffff000, &wanted, sizeof(wanted));
        CHECK_EQ(peek(linear), wanted);
        if (keyed_random(3, step, 3) & 1) {
            u64 value = wanted;

            CHECK_EQ(!poke(linear, value), (entry & 3) == 3);
        }
        if (checks_failed)
            return;
    }
    world_end(d);
}

TESTS(CASE(walks_agree_with_the_reference), CASE(a_changed_entry_is_noticed),
      CASE(write_protection_and_dirty_bits), CASE(a_changed_physical_map_is_noticed),
      CASE(only_what_a_translation_goes_by_ends_it), CASE(tables_are_compared_once_in_a_stay),
      CASE(windows_open_where_all_is_known), CASE(accesses_cross_pages_and_stop_at_holes),
      CASE(random_changes_never_show_a_stale_page))

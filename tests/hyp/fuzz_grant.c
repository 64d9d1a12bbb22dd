/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants by any order of what a granter and two users may do (H07, H23), against a model that
 * knows of each reference who may use it and who does: each answer, the in-use bits, what is
 * mapped where and what is copied agree with it, and at the end every frame is back.
 */
#include <stdlib.h>
#include "tests/hyp/steps.h"
#include "tests/hyp/world.h"

enum { REFS = 8, USERS = 2, PAGES = 64, PLACE = 80, PLACES = 12, GRANT_GFN = 20 };
enum { COPY_GFN = 30, OF_GRANTER = 1, OF_USERS = 2, NO_GFN = 5000 };

static struct domain *granter, *user[USERS];

struct entry {
    bool permits, readonly;
    u32 to;
    u64 gfn;
};

static struct {
    struct entry now; /* as it is written */
    u32 readers, writers, by;
    u64 held; /* the page that its uses have */
} refs[REFS];

/* What each user has mapped at each of his places. */
static struct {
    bool there, readonly;
    u32 ref;
    grant_handle_t handle;
} places[USERS][PLACES];

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct grant_entry_v1 *table(void)
{
    return frame_map(granter->grant->frame[0]->frame);
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool used(u32 ref)
{
    return refs[ref].readers || refs[ref].writers;
}

static u16 bits(u32 ref)
{
    return (u16)((used(ref) ? GTF_reading : 0) | (refs[ref].writers ? GTF_writing : 0));
}

/* The granter keeps the in-use bits, as he must. */
static void write_entry(u32 ref, u8 how, u8 which)
{
    struct entry *e = &refs[ref].now;

    e->permits = how & 3;
    e->readonly = how & 4;
    e->to = how >> 3 & 1;
    e->gfn = how & 16 ? NO_GFN : 32 + which % 16;
    table()[ref].domid = (domid_t)(OF_USERS + e->to);
    table()[ref].frame = (u32)e->gfn;
    table()[ref].flags = (u16)((e->permits ? GTF_permit_access : 0) |
                               (e->readonly ? GTF_readonly : 0) | bits(ref));
}

static bool may_use(u32 who, u32 ref, bool readonly)
{
    const struct entry *e = &refs[ref].now;

    return e->permits && e->to == who && (readonly || !e->readonly) &&
           (used(ref) ? refs[ref].by == who : e->gfn != NO_GFN);
}

static s64 operate(struct domain *d, u64 cmd, void *arg, size_t size)
{
    return world_op(d->vcpu[0], __HYPERVISOR_grant_table_op, cmd, arg, size);
}

static void map(u32 who, u32 ref, u32 place, bool readonly)
{
    struct gnttab_map_grant_ref m = {.host_addr = (PLACE + place) * PAGE_SIZE,
                                     .flags = GNTMAP_host_map |
                                              (readonly ? GNTMAP_readonly : 0),
                                     .ref = ref,
                                     .dom = OF_GRANTER};
    bool may = may_use(who, ref, readonly) && !places[who][place].there;

    must(operate(user[who], GNTTABOP_map_grant_ref, &m, sizeof(m)) == 0);
    must((m.status == GNTST_okay) == may);
    if (!may)
        return;
    if (!used(ref))
        refs[ref].held = refs[ref].now.gfn;
    refs[ref].by = who;
    *(readonly ? &refs[ref].readers : &refs[ref].writers) += 1;
    places[who][place].there = true;
    places[who][place].readonly = readonly;
    places[who][place].ref = ref;
    places[who][place].handle = m.handle;
}

static void forget(u32 who, u32 place)
{
    u32 ref = places[who][place].ref;

    *(places[who][place].readonly ? &refs[ref].readers : &refs[ref].writers) -= 1;
    places[who][place].there = false;
}

/* With the handle of another place, or of another user, too. */
static void unmap(u32 who, u32 place, u32 handle_of, u32 of)
{
    struct gnttab_unmap_grant_ref u = {.host_addr = (PLACE + place) * PAGE_SIZE,
                                       .handle = places[of][handle_of].handle};
    bool right = places[who][place].there && places[who][place].handle == u.handle;

    must(operate(user[who], GNTTABOP_unmap_grant_ref, &u, sizeof(u)) == 0);
    must((u.status == GNTST_okay) == right);
    if (right)
        forget(who, place);
}

static void copy(u32 who, u32 ref)
{
    struct gnttab_copy c = {.len = 8, .flags = GNTCOPY_source_gref};
    bool may = may_use(who, ref, true);
    u64 seen = 0;

    c.source.u.ref = ref;
    c.source.domid = OF_GRANTER;
    c.dest.u.gmfn = COPY_GFN;
    c.dest.domid = DOMID_SELF;
    must(operate(user[who], GNTTABOP_copy, &c, sizeof(c)) == 0);
    must((c.status == GNTST_okay) == may);
    world_get(user[who], COPY_GFN * PAGE_SIZE, &seen, sizeof(seen));
    must(!may || seen == (used(ref) ? refs[ref].held : refs[ref].now.gfn));
}

static void swap(u32 a, u32 b)
{
    struct gnttab_swap_grant_ref s = {.ref_a = a, .ref_b = b};
    bool may = a == b || (!used(a) && !used(b));
    struct entry kept = refs[a].now;

    must(operate(granter, GNTTABOP_swap_grant_ref, &s, sizeof(s)) == 0);
    must(s.status == (may ? GNTST_okay : GNTST_eagain));
    if (!may)
        return;
    refs[a].now = refs[b].now;
    refs[b].now = kept;
}

static void renew(u32 who)
{
    world_end(user[who]);
    for (u32 place = 0; place < PLACES; place++)
        if (places[who][place].there)
            forget(who, place);
    user[who] = world_domain((domid_t)(OF_USERS + who), 1, PAGES);
}

static void look(void)
{
    for (u32 ref = 0; ref < REFS; ref++)
        must((table()[ref].flags & (GTF_reading | GTF_writing)) == bits(ref));
    for (u32 who = 0; who < USERS; who++)
        for (u32 place = 0; place < PLACES; place++) {
            enum p2m_access access = P2M_R;
            mfn_t frame;
            bool there = p2m_look(user[who], GFN(PLACE + place), &frame, &access) == P2M_GRANT;

            must(there == places[who][place].there);
            must(!there || access == (places[who][place].readonly ? P2M_R : P2M_RW));
        }
}

static void step(const u8 *byte)
{
    u32 who = byte[1] % USERS, ref = byte[2] % REFS, place = byte[3] % PLACES;

    switch (byte[0] % 16) {
    case 0: renew(who); break;
    case 1: swap(ref, byte[3] % REFS); break;
    case 2 ... 4: copy(who, ref); break;
    case 5 ... 6: unmap(who, place, byte[2] % PLACES, byte[1] >> 1 & 1); break;
    case 7 ... 8: unmap(who, place, place, who); break;
    case 9 ... 10: write_entry(ref, byte[1], byte[3]); break;
    default: map(who, ref, place, byte[1] & 2); break;
    }
    look();
}

static void begin(void)
{
    struct xen_add_to_physmap add = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = GRANT_GFN};

    memset(refs, 0, sizeof(refs));
    memset(places, 0, sizeof(places));
    granter = world_domain(OF_GRANTER, 1, PAGES);
    for (u32 i = 0; i < USERS; i++)
        user[i] = world_domain((domid_t)(OF_USERS + i), 1, PAGES);
    must(world_op(granter->vcpu[0], __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add,
                  sizeof(add)) == 0);
    for (u64 gfn = 32; gfn < 48; gfn++)
        world_put(granter, gfn * PAGE_SIZE, &gfn, sizeof(gfn));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static u64 frames;

    world_init(2);
    if (!frames)
        frames = frames_free();
    begin();
    steps_run(data, size, step);
    for (u32 i = 0; i < USERS; i++)
        world_end(user[i]);
    world_end(granter);
    domains_reap();
    must(frames_free() == frames);
    return 0;
}

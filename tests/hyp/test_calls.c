/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every hypercall number and sub-operation (H04): what hyp/dom/README.md lists is there and made by
 * the test that it names, what it does not list answers -ENOSYS, for 64- and 32-bit callers
 * alike. The small calls that have no test file of their own; the budget of the emergency
 * console (H16).
 */
#include "tests/check.h"
#include "tests/hyp/world.h"

enum { CALLS = 64, SUBS = 96, NOWHERE = 0xff000, COLUMNS = 6 };
static bool listed[CALLS][SUBS], whole[CALLS];
static struct domain *control, *guest;

static void begin(void)
{
    world_init(2);
    control = world_domain(0, 1, 64);
    guest = world_domain(1, 2, 64);
}

static void end(void)
{
    world_end(guest);
    world_end(control);
}

static void read_table(void)
{
    FILE *f = fopen("hyp/dom/README.md", "r");
    char line[400], call[64], sub[64];
    u32 nr, sub_nr, rows = 0;

    CHECK(f != NULL);
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "| %63s | %u | %63s | %u |", call, &nr, sub, &sub_nr) == 4) {
            CHECK(nr < CALLS && sub_nr < SUBS);
            CHECK(!listed[nr][sub_nr]);
            listed[nr][sub_nr] = true;
            CHECK(!strcmp(call, hypercall_of(nr)->name) || nr == __HYPERVISOR_arch_7);
            rows++;
        } else if (sscanf(line, "| %63s | %u | - | - |", call, &nr) == 2) {
            whole[nr] = true;
            rows++;
        }
    }
    if (f)
        fclose(f);
    CHECK(rows > 100);
}

/* The answer to a call whose structure is nowhere (so that nothing happens), in the place
 * where this hypercall expects it. */
static s64 probe(struct vcpu *v, u32 nr, u32 sub)
{
    struct xen_domctl op = {
        .cmd = sub, .domain = 999, .interface_version = XEN_DOMCTL_INTERFACE_VERSION};

    v->sched.hold = 0;
    switch (nr) {
    case __HYPERVISOR_domctl:
    case __HYPERVISOR_sysctl:
        if (nr == __HYPERVISOR_sysctl)
            op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
        world_put(v->domain, WORLD_ARG, &op, sizeof(op));
        return world_call(v, nr, WORLD_ARG, 0, 0);
    case __HYPERVISOR_vcpu_op: return world_call(v, nr, sub, 1, (u64)NOWHERE << 12);
    case __HYPERVISOR_grant_table_op: return world_call(v, nr, sub, (u64)NOWHERE << 12, 1);
    case __HYPERVISOR_console_io: return world_call(v, nr, sub, 1, (u64)NOWHERE << 12);
    default: return world_call(v, nr, sub, (u64)NOWHERE << 12, 0);
    }
}

static void walk(struct vcpu *v)
{
    for (u32 nr = 0; nr < CALLS; nr++)
        for (u32 sub = 0; sub < SUBS; sub++) {
            bool there;
            s64 result;

            /* Above bit 6, memory_op carries how far a pre-empted call has come. */
            if (whole[nr] || (nr == __HYPERVISOR_memory_op && sub >= 64))
                break;
            result = probe(v, nr, sub);
            there = result != -XEN_ENOSYS;
            if (there != listed[nr][sub]) {
                printf("hypercall %u sub-operation %u: %lld\n", nr, sub, (long long)result);
                CHECK_EQ(there, listed[nr][sub]);
            }
        }
}

static void the_table_is_the_truth(void)
{
    begin();
    read_table();
    walk(control->vcpu[0]);
    control->vcpu[0]->virt->bits = 32;
    walk(control->vcpu[0]);
    CHECK_EQ(world_call(guest->vcpu[0], 55 + 9, 0, 0, 0), -XEN_ENOSYS);
    CHECK_EQ(world_call(guest->vcpu[0], ~0ull, 0, 0, 0), -XEN_ENOSYS);
    end();
}

/* --- the last column ---------------------------------------------------------------------- */

static const char *const prefix[CALLS] = {
    [__HYPERVISOR_memory_op] = "XENMEM_",
    [__HYPERVISOR_xen_version] = "XENVER_",
    [__HYPERVISOR_console_io] = "CONSOLEIO_",
    [__HYPERVISOR_grant_table_op] = "GNTTABOP_",
    [__HYPERVISOR_vcpu_op] = "VCPUOP_",
    [__HYPERVISOR_sched_op] = "SCHEDOP_",
    [__HYPERVISOR_event_channel_op] = "EVTCHNOP_",
    [__HYPERVISOR_physdev_op] = "PHYSDEVOP_",
    [__HYPERVISOR_hvm_op] = "HVMOP_",
    [__HYPERVISOR_sysctl] = "XEN_SYSCTL_",
    [__HYPERVISOR_domctl] = "XEN_DOMCTL_",
    [__HYPERVISOR_arch_7] = "OSM_OP_",
};

/* The whole word somewhere in the file; a file that is not there has no words. */
static bool has_word(const char *path, const char *word)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "r");
    size_t len = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    bool found = false;

    if (f)
        fclose(f);
    text[len] = 0;
    for (const char *at = strstr(text, word); at && !found; at = strstr(at + 1, word)) {
        char after = at[strlen(word)];

        found = !(after == '_' || (after >= 'a' && after <= 'z'));
    }
    return found;
}

/* A C test or a guest of tests/hyp makes the call by its name; what only the control domain has a
 * use for, test_machine of tests/control has by the command that does it. */
static bool makes(const char *proof, const char *call, u32 nr, const char *sub)
{
    char path[200], word[200];

    if (!strcmp(proof, "test_machine")) {
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(sub, "_"), sub);
        return has_word("tests/control/test_machine.py", word);
    }
    snprintf(path, sizeof(path), "tests/hyp/%s.c", proof);
    if (*sub == '-')
        snprintf(word, sizeof(word), "__HYPERVISOR_%s", call);
    else
        snprintf(word, sizeof(word), "%s%s", prefix[nr], sub);
    return has_word(path, word);
}

static void the_named_tests_make_the_calls(void)
{
    FILE *f = fopen("hyp/dom/README.md", "r");
    char line[400], call[64], sub[64], proof[64];
    u32 nr, rows = 0;

    CHECK(f != NULL);
    while (f && fgets(line, sizeof(line), f)) {
        const char *last = line;

        if (sscanf(line, "| %63s | %u | %63s |", call, &nr, sub) != 3)
            continue;
        for (u32 column = 1; last && column < COLUMNS; column++)
            last = strchr(last + 1, '|');
        CHECK(last && sscanf(last, "| %63s |", proof) == 1);
        rows++;
        if (makes(proof, call, nr, sub))
            continue;
        printf("%s %s is not made by %s\n", call, sub, proof);
        CHECK(false);
    }
    if (f)
        fclose(f);
    CHECK(rows > 100);
}

/* --- small calls --------------------------------------------------------------------------- */

static void memory_types_times_and_flushes(void)
{
    struct xen_hvm_get_mem_type type = {.domid = DOMID_SELF, .pfn = 5};
    struct xen_hvm_get_time time = {0};
    struct xen_hvm_pagetable_dying dying = {.domid = DOMID_SELF};
    struct vcpu *v;
    u64 flushes;

    begin();
    v = guest->vcpu[0];
    CHECK_EQ(world_op(v, __HYPERVISOR_hvm_op, HVMOP_get_mem_type, &type, sizeof(type)), 0);
    CHECK_EQ(type.mem_type, HVMMEM_ram_rw);
    type.pfn = 5000;
    CHECK_EQ(world_op(v, __HYPERVISOR_hvm_op, HVMOP_get_mem_type, &type, sizeof(type)), 0);
    CHECK_EQ(type.mem_type, HVMMEM_mmio_dm);
    type.domid = 0;
    CHECK_EQ(world_op(v, __HYPERVISOR_hvm_op, HVMOP_get_mem_type, &type, sizeof(type)),
             -XEN_EPERM);
    world.now_ns += 12345;
    CHECK_EQ(world_op(v, __HYPERVISOR_hvm_op, HVMOP_get_time, &time, sizeof(time)), 0);
    CHECK_EQ(time.now, world.now_ns);
    flushes = world.flushes;
    CHECK_EQ(world_call(v, __HYPERVISOR_hvm_op, HVMOP_flush_tlbs, 0, 0), 0);
    CHECK_EQ(world.flushes, flushes + 1);
    CHECK_EQ(world_call(v, __HYPERVISOR_hvm_op, HVMOP_flush_tlbs, WORLD_ARG, 0), -XEN_EINVAL);
    CHECK_EQ(world_op(v, __HYPERVISOR_hvm_op, HVMOP_pagetable_dying, &dying, sizeof(dying)),
             -XEN_EINVAL);
    end();
}

static s64 physdev(u64 cmd, void *arg, size_t size)
{
    return world_op(guest->vcpu[0], __HYPERVISOR_physdev_op, cmd, arg, size);
}

/* Lines are for whom they were given to; for who has none the call is not there. */
static void lines_are_their_owners(void)
{
    struct physdev_irq_status_query q = {.irq = 4};
    struct physdev_map_pirq map = {.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 4};
    struct physdev_unmap_pirq unmap = {.domid = DOMID_SELF, .pirq = 4};

    begin();
    CHECK_EQ(physdev(PHYSDEVOP_irq_status_query, &q, sizeof(q)), -XEN_ENOSYS);
    guest->irqs = 1 << 4;
    CHECK_EQ(physdev(PHYSDEVOP_irq_status_query, &q, sizeof(q)), 0);
    CHECK_EQ(q.flags, XENIRQSTAT_needs_eoi);
    q.irq = 5;
    CHECK_EQ(physdev(PHYSDEVOP_irq_status_query, &q, sizeof(q)), -XEN_EINVAL);
    CHECK_EQ(physdev(PHYSDEVOP_map_pirq, &map, sizeof(map)), 0);
    CHECK_EQ(map.pirq, 4);
    map.index = 5;
    CHECK_EQ(physdev(PHYSDEVOP_map_pirq, &map, sizeof(map)), -XEN_EPERM);
    map.type = MAP_PIRQ_TYPE_MSI;
    CHECK_EQ(physdev(PHYSDEVOP_map_pirq, &map, sizeof(map)), -XEN_EINVAL);
    map.domid = 0;
    CHECK_EQ(physdev(PHYSDEVOP_map_pirq, &map, sizeof(map)), -XEN_EPERM);
    CHECK_EQ(physdev(PHYSDEVOP_unmap_pirq, &unmap, sizeof(unmap)), 0);
    unmap.pirq = 5;
    CHECK_EQ(physdev(PHYSDEVOP_unmap_pirq, &unmap, sizeof(unmap)), -XEN_EINVAL);
    guest->irqs = 0;
    end();
}

/* As the run loop sees it: a waiter waits, and one who has something to look at does not. */
static void blocking_waits_for_an_upcall(void)
{
    struct vcpu *v;

    begin();
    v = guest->vcpu[0];
    v->info->evtchn_upcall_pending = 1;
    CHECK_EQ(world_call(v, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
    CHECK(!(v->sched.hold & SCHED_HOLD_BLOCKED));
    v->info->evtchn_upcall_pending = 0;
    CHECK_EQ(world_call(v, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
    CHECK(v->sched.hold & SCHED_HOLD_BLOCKED);
    vcpu_wake(v);
    CHECK(!(v->sched.hold & SCHED_HOLD_BLOCKED));
    end();
}

static void parameters_of_the_platform(void)
{
    u64 start = 0;
    struct vcpu *v;

    begin();
    v = guest->vcpu[0];
    CHECK_EQ(world_op(v, __HYPERVISOR_xen_version, XENVER_platform_parameters, &start, 8), 0);
    CHECK_EQ(start, 0xffff800000000000);
    v->virt->bits = 32;
    start = 0;
    CHECK_EQ(world_op(v, __HYPERVISOR_xen_version, XENVER_platform_parameters, &start, 8), 0);
    CHECK_EQ(start, 0xf5800000); /* four bytes of a 32-bit caller's */
    end();
}

static void versions(void)
{
    struct xen_feature_info f = {.submap_idx = 0};
    char text[1024] = {0};

    begin();
    CHECK_EQ(world_call(guest->vcpu[0], __HYPERVISOR_xen_version, XENVER_version, 0, 0),
             0x40011);
    CHECK_EQ(world_call(guest->vcpu[0], __HYPERVISOR_xen_version, XENVER_pagesize, 0, 0), 4096);
    CHECK_EQ(
        world_op(guest->vcpu[0], __HYPERVISOR_xen_version, XENVER_get_features, &f, sizeof(f)),
        0);
    CHECK_EQ(f.submap, 0x12305); /* as Xen 4.17 answers a PVH guest */
    f.submap_idx = 1;
    CHECK_EQ(
        world_op(guest->vcpu[0], __HYPERVISOR_xen_version, XENVER_get_features, &f, sizeof(f)),
        -XEN_EINVAL);
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_xen_version, XENVER_commandline, text,
                      sizeof(text)),
             0);
    CHECK(!strcmp(text, "<denied>"));
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_xen_version, XENVER_commandline, text,
                      sizeof(text)),
             0);
    CHECK(!strcmp(text, "clock=count"));
    end();
}

static void parameters_belong_to_their_builder(void)
{
    struct xen_hvm_param p = {.domid = 1, .index = HVM_PARAM_STORE_PFN, .value = 0xfeffc};

    begin();
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p)),
             0);
    p = (struct xen_hvm_param){.domid = DOMID_SELF, .index = HVM_PARAM_STORE_PFN};
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_hvm_op, HVMOP_get_param, &p, sizeof(p)), 0);
    CHECK_EQ(p.value, 0xfeffc);
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p)),
             -XEN_EPERM);
    p = (struct xen_hvm_param){.domid = 0, .index = HVM_PARAM_STORE_PFN};
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_hvm_op, HVMOP_get_param, &p, sizeof(p)),
             -XEN_EPERM);
    p = (struct xen_hvm_param){.domid = DOMID_SELF, .index = HVM_NR_PARAMS};
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_hvm_op, HVMOP_get_param, &p, sizeof(p)),
             -XEN_EINVAL);
    end();
}

static u32 written(void)
{
    console_flush(guest);
    return world.console_bytes;
}

static void the_console_has_a_budget(void)
{
    char text[4096];
    u32 before;

    begin();
    memset(text, 'a', sizeof(text));
    memcpy(text + 100, "\033[2J\177\t\n\303\244", 9); /* two of them command a terminal */
    world_put(guest, 0x2000, text, sizeof(text));
    before = world.console_bytes;
    CHECK_EQ(world_call(guest->vcpu[0], __HYPERVISOR_console_io, CONSOLEIO_write, 4096, 0x2000),
             0);
    CHECK_EQ(written(), before + 4094);
    for (u32 i = 0; i < 40; i++)
        CHECK_EQ(
            world_call(guest->vcpu[0], __HYPERVISOR_console_io, CONSOLEIO_write, 4096, 0x2000),
            0);
    CHECK_EQ(written(), before + 65536);
    world.now_ns += 10000000; /* ten milliseconds */
    CHECK_EQ(world_call(guest->vcpu[0], __HYPERVISOR_console_io, CONSOLEIO_write, 4096, 0x2000),
             0);
    CHECK_EQ(written(), before + 65536 + 640);
    CHECK_EQ(world_call(guest->vcpu[0], __HYPERVISOR_console_io, CONSOLEIO_read, 10, 0x2000),
             -XEN_EPERM);
    CHECK_EQ(
        world_call(guest->vcpu[0], __HYPERVISOR_console_io, CONSOLEIO_write, ~0ull, 0x2000),
        -XEN_EINVAL);
    end();
}

static void say(struct domain *d, const char *text)
{
    world_put(d, 0x2000, text, strlen(text));
    CHECK_EQ(
        world_call(d->vcpu[0], __HYPERVISOR_console_io, CONSOLEIO_write, strlen(text), 0x2000),
        0);
}

/* Two that write by turns, a byte at a time, are read by lines; last words are not lost. */
static void lines_come_whole(void)
{
    struct domain *other;
    char byte[2] = "";
    u32 before;

    begin();
    before = world.console_bytes;
    other = world_domain(2, 1, 64);
    for (const char *a = "one", *b = "two"; *a; a++, b++) {
        byte[0] = *a;
        say(guest, byte);
        byte[0] = *b;
        say(other, byte);
    }
    CHECK_EQ(world.console_bytes, before);
    say(other, "\nand");
    CHECK(strcmp(world.console_text, "2:two\n") == 0);
    say(guest, " whole\n");
    CHECK(strcmp(world.console_text, "1:one whole\n") == 0);
    domain_crash(other, "for the test");
    CHECK(strcmp(world.console_text, "2:and") == 0);
    say(guest, "killed");
    domain_destroy(guest);
    CHECK(strcmp(world.console_text, "1:killed") == 0);
    world_end(other);
    end();
}

static void pinning_from_inside_is_the_control_domains(void)
{
    struct sched_pin_override p = {.pcpu = 1};
    struct vcpu *v;

    begin();
    CHECK_EQ(
        world_op(guest->vcpu[0], __HYPERVISOR_sched_op, SCHEDOP_pin_override, &p, sizeof(p)),
        -XEN_EPERM);
    v = control->vcpu[0];
    CHECK_EQ(world_op(v, __HYPERVISOR_sched_op, SCHEDOP_pin_override, &p, sizeof(p)), 0);
    CHECK_EQ(v->sched.affinity, 2);
    CHECK_EQ(world_op(v, __HYPERVISOR_sched_op, SCHEDOP_pin_override, &p, sizeof(p)),
             -XEN_EBUSY);
    p.pcpu = -1;
    CHECK_EQ(world_op(v, __HYPERVISOR_sched_op, SCHEDOP_pin_override, &p, sizeof(p)), 0);
    CHECK_EQ(v->sched.affinity, ~0ull);
    CHECK_EQ(world_op(v, __HYPERVISOR_sched_op, SCHEDOP_pin_override, &p, sizeof(p)),
             -XEN_ENOENT);
    p.pcpu = 2;
    CHECK_EQ(world_op(v, __HYPERVISOR_sched_op, SCHEDOP_pin_override, &p, sizeof(p)),
             -XEN_EINVAL);
    end();
}

static void counters_and_flips(void)
{
    struct osm_counters o = {.domid = DOMID_SELF, .vcpu = 0xffff};
    struct osm_inject flip = {
        .domid = 1, .point = OSM_POINT_flip, .after = 1, .arg = 0x3000 << 3 | 5};
    u8 byte = 0;

    begin();
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_counters, &o, sizeof(o)), 0);
    CHECK(o.hypercalls > 0 && o.overhead > 4096);
    for (u16 vcpu = 0; vcpu < 2; vcpu++) { /* the second one has made none */
        o = (struct osm_counters){.domid = 1, .vcpu = vcpu};
        CHECK_EQ(
            world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_counters, &o, sizeof(o)), 0);
        CHECK_EQ(o.hypercalls > 0, vcpu == 0);
    }
    o = (struct osm_counters){.domid = DOMID_SELF, .vcpu = 2};
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_counters, &o, sizeof(o)),
             -XEN_ENOENT);
    o = (struct osm_counters){.domid = 0};
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_counters, &o, sizeof(o)),
             -XEN_EPERM);
    CHECK_EQ(
        world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_inject, &flip, sizeof(flip)), 0);
    world_get(guest, 0x3000, &byte, 1);
    CHECK_EQ(byte, 32);
    CHECK_EQ(flip.fired, 1);
    end();
}

/* The machine's frame numbers are for who must know them, and never of a page that others
 * have, too. */
static void frame_numbers(void)
{
    struct osm_frames f = {.domid = DOMID_SELF, .count = 2, .gfn = 15, .buffer = 0x5000};
    struct osm_frames many = {.count = OSM_FRAMES_MOST + 1};
    u64 found[2] = {0};
    u8 byte = 1;
    mfn_t frame;
    enum p2m_access access;

    begin(); /* 15 and 16 are no neighbours: pages come by eights */
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_frames, &f, sizeof(f)),
             -XEN_EPERM);
    guest->irqs = 2;
    world_put(guest, 15 << 12, &byte, 1);
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_frames, &f, sizeof(f)), 0);
    world_get(guest, 0x5000, found, sizeof(found));
    CHECK_EQ(p2m_look(guest, GFN(15), &frame, &access), P2M_RAM);
    CHECK_EQ(found[0], frame.n);
    CHECK_EQ(found[1], OSM_NO_FRAME);
    CHECK_EQ(p2m_get(guest, GFN(16), P2M_RW, &frame), 0);
    CHECK_EQ(p2m_map(guest, GFN(15), frame, 0, P2M_COPY, P2M_RWX), 0);
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_frames, &f, sizeof(f)), 0);
    world_get(guest, 0x5000, found, sizeof(found));
    CHECK(found[0] == OSM_NO_FRAME && found[1] == frame.n);
    f.domid = 1;
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_frames, &f, sizeof(f)), 0);
    world_get(control, 0x5000, found, sizeof(found));
    CHECK_EQ(found[0], frame.n);
    f.domid = 0;
    CHECK_EQ(world_op(guest->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_frames, &f, sizeof(f)),
             -XEN_EPERM);
    CHECK_EQ(
        world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_frames, &many, sizeof(many)),
        -XEN_EINVAL);
    guest->irqs = 0;
    end();
}

TESTS(CASE(the_table_is_the_truth), CASE(the_named_tests_make_the_calls),
      CASE(memory_types_times_and_flushes), CASE(lines_are_their_owners),
      CASE(blocking_waits_for_an_upcall), CASE(parameters_of_the_platform), CASE(versions),
      CASE(parameters_belong_to_their_builder), CASE(the_console_has_a_budget),
      CASE(lines_come_whole), CASE(pinning_from_inside_is_the_control_domains),
      CASE(counters_and_flips), CASE(frame_numbers))

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that look, measure and disturb: dumps, counters, injected faults, the trace.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/command.h"
#include "guest/control/ctl.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"

#define LATE_NS 100000000ull /* an answer of the store that nobody said how late it be */

bool do_dump(struct command *c)
{
    static const char *const reg[18] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi",
                                        "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                        "r12", "r13", "r14", "r15", "rip", "rflags"};
    static const char *const ctl[6] = {"cr0", "cr2", "cr3", "cr4", "efer", "cs_ss_cpl"};
    struct guest *g = command_guest(c, 0);
    struct osm_dump dump = {0};
    u64 vcpu = 0;

    if (!g || !command_number(c, "vcpu", &vcpu))
        return false;
    dump.domid = g->domid;
    dump.vcpu = (u16)vcpu;
    if (hypercall_osmosis(OSM_OP_dump, &dump))
        return command_refuse(c, "there is no vCPU %lu", vcpu);
    for (u32 i = 0; i < ARRAY_SIZE(reg); i++)
        json_number(c->answer, reg[i], dump.regs[i]);
    for (u32 i = 0; i < ARRAY_SIZE(ctl); i++)
        json_number(c->answer, ctl[i], dump.control[i]);
    json_open(c->answer, "last_exits");
    for (u32 i = 0; i < MIN(dump.exits, (u32)ARRAY_SIZE(dump.last_exit)); i++) {
        json_item(c->answer);
        json_number(c->answer, "code", dump.last_exit[i].code);
        json_number(c->answer, "rip", dump.last_exit[i].rip);
        json_number(c->answer, "info", dump.last_exit[i].info);
        json_item_end(c->answer);
    }
    json_close(c->answer);
    return true;
}

bool do_counters(struct command *c)
{
    struct osm_counters n = {.domid = OSM_ALL_DOMAINS, .vcpu = 0xffff};
    u64 vcpu = 0xffff, free = 0, total = 0;

    if (!command_number(c, "vcpu", &vcpu))
        return false;
    if (strcmp(c->argument[0], "all") != 0) {
        struct guest *g = command_guest(c, 0);

        if (!g)
            return false;
        n.domid = g->domid;
    }
    n.vcpu = (u16)vcpu;
    if (hypercall_osmosis(OSM_OP_counters, &n))
        return command_refuse(c, "there is no vCPU %lu", vcpu);
    counters_say(c->answer, &n);
    json_number(c->answer, "ns", n.now_ns);
    if (n.domid == OSM_ALL_DOMAINS)
        json_number(c->answer, "idle_ns", n.idle_ns);
    if (!ctl_machine(&free, &total)) {
        json_number(c->answer, "machine_free", free);
        json_number(c->answer, "machine_total", total);
    }
    return true;
}

bool do_inject(struct command *c)
{
    static const char *const point[OSM_POINTS] = {
        [OSM_POINT_fail_frame] = "fail_frame",
        [OSM_POINT_fail_grant] = "fail_grant",
        [OSM_POINT_fail_port] = "fail_port",
        [OSM_POINT_fail_domain] = "fail_domain",
        [OSM_POINT_lose_upcall] = "lose_upcall",
        [OSM_POINT_late_upcall] = "late_upcall",
        [OSM_POINT_spurious_upcall] = "spurious_upcall",
        [OSM_POINT_preempt] = "preempt",
        [OSM_POINT_exception] = "exception",
        [OSM_POINT_flip] = "flip",
        [OSM_POINT_instant] = "instant"};
    struct guest *g = command_guest(c, 0);
    const char *name = words_option(c->w, "point");
    u64 vcpu = 0, after = 1, every = 0, arg = 0;
    struct osm_inject i;

    if (!g || !command_number(c, "vcpu", &vcpu) || !command_number(c, "after", &after) ||
        !command_number(c, "every", &every) || !command_number(c, "arg", &arg))
        return false;
    i = (struct osm_inject){
        .domid = g->domid, .vcpu = (u16)vcpu, .after = after, .every = every, .arg = arg};
    for (; name && i.point < OSM_POINTS && strcmp(point[i.point], name) != 0; i.point++)
        ;
    if (!name || i.point == OSM_POINTS)
        return command_refuse(c, "say point= and one of those in guest/control/README.md");
    if (hypercall_osmosis(OSM_OP_inject, &i))
        return command_refuse(c, "the hypervisor refused");
    json_number(c->answer, "fired", i.fired);
    return true;
}

/* The control domain stands still: its store, its consoles, the plan. */
bool do_sleep(struct command *c)
{
    u64 ns, until;

    if (!words_time(c->argument[0], &ns))
        return command_refuse(c, "a time is a number and ns, us, ms, s or m");
    until = rt_now_ns() + ns;
    while (rt_now_ns() < until) {
        struct sched_poll poll = {.timeout = until};

        hypercall_sched_op(SCHEDOP_poll, &poll);
    }
    return true;
}

const char *const store_fault_name[] = {
    [XS_FAULT_FAIL] = "fail", [XS_FAULT_DELAY] = "delay", [XS_FAULT_LOSE] = "lose"};

bool do_store_fault(struct command *c)
{
    const char *name = words_option(c->w, "point"), *by = words_option(c->w, "by");
    u64 after = 1, every = 0, late_ns = LATE_NS;
    u8 k = XS_FAULT_FAIL;

    if (!command_number(c, "after", &after) || !command_number(c, "every", &every))
        return false;
    if (by && !words_time(by, &late_ns))
        return command_refuse(c, "a time is a number and ns, us, ms, s or m");
    while (name && k < ARRAY_SIZE(store_fault_name) && strcmp(name, store_fault_name[k]) != 0)
        k++;
    if (!name || k == ARRAY_SIZE(store_fault_name))
        return command_refuse(c, "say point=fail, delay or lose");
    control.store.fault.kind = k;
    control.store.fault.after = (u32)after;
    control.store.fault.every = (u32)every;
    control.late_ns = late_ns;
    json_number(c->answer, "fired", control.store.fault.struck);
    return true;
}

/* Whether a medium's words (net/fabric/README.md) say that this is its name. */
static bool has_name(const char *words, const char *name)
{
    size_t len = strlen(name);

    while (*words) {
        if (strncmp(words, "name=", 5) == 0 && strncmp(words + 5, name, len) == 0 &&
            (!words[5 + len] || words[5 + len] == ' '))
            return true;
        while (*words && *words != ' ')
            words++;
        while (*words == ' ')
            words++;
    }
    return false;
}

/* Whether the fabric carries a medium of that name: direct media are not among those it is told. */
static bool is_carried(const char *medium)
{
    char path[64], words[COMMAND_VALUE];

    for (u32 i = 0;; i++) {
        format(path, sizeof(path), "/osmosis/media/%u", i);
        if (self_read(path, words, sizeof(words)))
            return false;
        if (has_name(words, medium))
            return true;
    }
}

/* The rest of the line, for the fabric to read. */
bool do_fault(struct command *c)
{
    char path[64], text[COMMAND_VALUE];
    const char *medium = NULL;
    size_t len = 0;

    text[0] = 0;
    for (u32 i = 0; i < c->w->count; i++) {
        if (c->w->taken[i])
            continue;
        c->w->taken[i] = true;
        medium = medium ? medium : c->w->word[i];
        if (len + strlen(c->w->word[i]) + 2 > sizeof(text))
            return command_refuse(c, "the fault is too long");
        len += format(text + len, sizeof(text) - len, "%s%s", len ? " " : "", c->w->word[i]);
    }
    if (!medium || !is_carried(medium))
        return command_refuse(c, "the fabric carries no medium %s (a direct one has no faults)",
                              medium ? medium : "of no name");
    format(path, sizeof(path), "/osmosis/fault/%u", control.fault_count);
    if (self_write(path, text))
        return command_refuse(c, "the store refused");
    json_number(c->answer, "fault", control.fault_count++);
    return true;
}

bool do_trace(struct command *c)
{
    struct osm_trace_ctl t = {.domid = OSM_ALL_DOMAINS};
    u64 classes = 0;

    if (!command_number(c, "classes", &classes))
        return false;
    if (strcmp(c->argument[0], "all") != 0) {
        struct guest *g = command_guest(c, 0);

        if (!g)
            return false;
        t.domid = g->domid;
    }
    t.classes = (u32)classes;
    control.traced |= classes != 0;
    return !hypercall_osmosis(OSM_OP_trace_ctl, &t) ||
           command_refuse(c, "the hypervisor refused");
}

bool do_keys(struct command *c)
{
    return !ctl_keys(c->argument[0]) || command_refuse(c, "the hypervisor refused");
}

bool do_log(struct command *c)
{
    struct json j;

    result_begin(&j, "log");
    json_text(&j, "text", c->argument[0]);
    result_end(&j);
    return true;
}

bool do_finish(struct command *c)
{
    u64 status = 0;

    if (!command_number(c, "status", &status))
        return false;
    run_finish((u32)status, c->count ? c->argument[0] : "finish");
}

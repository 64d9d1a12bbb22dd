/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What domains hold of the machine, before the first of them is built and when all are gone at the end
 * of a run: frames, and the hypervisor's memory for them. Both must be the same, whatever happened between.
 * What the hypervisor keeps for the control domain is not counted: it grows with the domains it has had.
 * And what each domain has used when it is gone.
 */
#include "guest/control/control.h"
#include "guest/control/ctl.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"

enum { PAGE = 4096 };

static struct holdings {
    u64 frames, overhead;
} before;

static bool look(struct holdings *h)
{
    struct osm_counters all = {.domid = OSM_ALL_DOMAINS, .vcpu = 0xffff};
    struct osm_counters own = {.domid = (u16)rt_started()->domid, .vcpu = 0xffff};
    u64 free, total;

    if (ctl_machine(&free, &total) || hypercall_osmosis(OSM_OP_counters, &all) ||
        hypercall_osmosis(OSM_OP_counters, &own))
        return false;
    h->frames = total - free -
                own.overhead / PAGE; /* its RAM is set aside from the beginning */
    h->overhead = all.overhead - own.overhead;
    return true;
}

void holdings_begin(void)
{
    look(&before);
}

void counters_say(struct json *j, const struct osm_counters *n)
{
    json_number(j, "exits", n->exits);
    json_number(j, "flushes", n->flushes);
    json_number(j, "copied_bytes", n->copied_bytes);
    json_number(j, "hypercalls", n->hypercalls);
    json_number(j, "upcalls", n->upcalls);
    json_number(j, "faults", n->faults);
    json_number(j, "run_ns", n->run_ns);
    json_number(j, "frames", n->frames);
    json_number(j, "overhead", n->overhead);
    json_number(j, "sends", n->sends);
    json_number(j, "grants", n->grants);
}

/* On the output ring alone: on hosts whose interrupts are a guest's exits it is not the same in each run,
 * and whoever reads a console is not asked to know. */
void holdings_used(const struct guest *g)
{
    static char line[768];
    struct osm_counters n = {.domid = g->domid, .vcpu = 0xffff};
    struct json j;

    if (!g->started || hypercall_osmosis(OSM_OP_counters, &n))
        return;
    json_begin(&j, line, sizeof(line));
    json_number(&j, "ns", n.now_ns);
    json_text(&j, "event", "used");
    json_text(&j, "name", g->name);
    json_number(&j, "domid", g->domid);
    counters_say(&j, &n);
    output(OSM_STREAM_RESULT, line, json_end(&j));
}

static void all_used(void)
{
    list_for_each(at, &control.guests)
    {
        const struct guest *g = list_entry(at, struct guest, link);

        if (g->built)
            holdings_used(g);
    }
}

/* Disks that are memory are still to be read by whoever looks at the machine from outside: where there
 * are some, all stays as it is. */
void holdings_end(void)
{
    struct holdings after;
    struct json j;

    if (guest_find("disks")) {
        all_used();
        return;
    }
    control.over = true;
    list_for_each(at, &control.guests)
    {
        guest_destroy(list_entry(at, struct guest, link));
    }
    if (!look(&after))
        return;
    result_begin(&j, "held");
    json_number(&j, "frames_before", before.frames);
    json_number(&j, "frames_after", after.frames);
    json_number(&j, "overhead_before", before.overhead);
    json_number(&j, "overhead_after", after.overhead);
    result_end(&j);
}

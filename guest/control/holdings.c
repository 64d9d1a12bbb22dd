/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What domains hold of the machine, before the first of them is built and when all are gone at the end
 * of a run: frames, and the hypervisor's memory for them. Both must be the same, whatever happened between.
 * What the hypervisor keeps for the control domain is not counted: it grows with the domains it has had.
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

/* Disks that are memory are still to be read by whoever looks at the machine from outside: where there
 * are some, all stays as it is. */
void holdings_end(void)
{
    struct holdings after;
    struct json j;

    if (guest_find("disks"))
        return;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices of the machine that domains drive themselves: virtio functions of PCI's first bus.
 * The domain gets the pages of registers and the interrupt line; configuration stays with us.
 * A device without an IOMMU writes where it is told to, so it is silenced before its domain's
 * memory can become somebody else's.
 */
#include "base/format.h"
#include "guest/control/control.h"
#include "guest/control/ctl.h"
#include "guest/rt/rt.h"
#include "guest/virtio/pci.h"

enum { LINES = 16, REGISTER_PAGES = 16 };

/* Configuration ports are ours from first use on. */
static bool reach_pci(void)
{
    static bool done;

    if (!done)
        done = !ctl_give_ports((u16)rt_started()->domid, PCI_PORTS, PCI_PORT_COUNT);
    return done;
}

static bool refuse(char *why, u32 devfn, const char *what)
{
    format(why, WHY, "pci=%x.%u: %s", devfn / 8, devfn % 8, what);
    return false;
}

/* All kinds of registers lie in one base address's range, a few pages together. */
static bool give_registers(const struct guest *g, const struct virtio_place *p)
{
    u64 first = MIN(MIN(p->common, p->notify), MIN(p->isr, p->config)) >> 12;
    u64 last = MAX(MAX(p->common, p->notify), MAX(p->isr, p->config)) >> 12;

    return last - first < REGISTER_PAGES &&
           !ctl_give_registers(g->domid, first, last - first + 1);
}

static bool describe(const struct guest *g, u32 devfn, const struct virtio_place *p)
{
    const struct {
        const char *key;
        u64 value;
    } keys[] = {{"common", p->common},        {"notify", p->notify}, {"isr", p->isr},
                {"config", p->config},        {"irq", p->irq},       {"type", p->type},
                {"multiplier", p->multiplier}};
    char path[96];
    bool good = true;

    for (u32 i = 0; i < ARRAY_SIZE(keys); i++) {
        format(path, sizeof(path), "/local/domain/%u/device/virtio/%x-%u/%s", g->domid,
               devfn / 8, devfn % 8, keys[i].key);
        good = good && !self_printf(path, "%lu", keys[i].value);
    }
    return good;
}

static bool assign(const struct guest *g, u32 devfn, char *why)
{
    struct virtio_place p;

    if (!pci_virtio(devfn, &p))
        return refuse(why, devfn, "there is no virtio device");
    if (p.irq >= LINES)
        return refuse(why, devfn, "it has no interrupt line");
    if (!give_registers(g, &p) || ctl_give_irq(g->domid, (u32)p.irq))
        return refuse(why, devfn, "the hypervisor does not give it away");
    if (!describe(g, devfn, &p))
        return refuse(why, devfn, "the store refused its description");
    pci_enable(devfn, true);
    return true;
}

bool assign_devices(const struct guest *g, char *why)
{
    for (u32 i = 0; i < g->recipe.device_count; i++) {
        if (!reach_pci())
            return refuse(why, g->recipe.device[i], "there is no way to PCI");
        if (!assign(g, g->recipe.device[i], why))
            return false;
    }
    return true;
}

/* A reset ends what is under way; the device's registers are reached through pages of ours. */
void assign_quiet(const struct guest *g)
{
    for (u32 i = 0; i < g->recipe.device_count; i++) {
        u32 devfn = g->recipe.device[i];
        struct virtio_place p;

        if (!reach_pci() || !pci_virtio(devfn, &p))
            continue;
        if (!ctl_give_registers((u16)rt_started()->domid, p.common >> 12, 1))
            virtio_reset(&p);
        pci_enable(devfn, false);
    }
}

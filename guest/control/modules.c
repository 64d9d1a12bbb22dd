/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot modules, as the hypervisor maps them for us: images and files by name.
 */
#include "base/memory.h"
#include "guest/control/control.h"
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"

struct module {
    const void *data;
    size_t size;
    char name[64];
};

static struct module *modules;
static u32 module_count;

void modules_init(void)
{
    struct osm_module m = {0};

    if (hypercall_osmosis(OSM_OP_module, &m))
        return;
    modules = rt_alloc(m.count * sizeof(*modules));
    if (m.count && !modules)
        rt_panic("no memory for the list of %u modules", m.count);
    for (u32 i = 0, count = m.count; i < count; i++) {
        m = (struct osm_module){.index = i};
        if (hypercall_osmosis(OSM_OP_module, &m))
            continue;
        if (!rt_map_range(m.gfn << 12, MAX(m.size, 1ull), false))
            rt_panic("no room to map module %u", i);
        modules[module_count] = (struct module){rt_at(m.gfn << 12), m.size, ""};
        memcpy(modules[module_count].name, m.name, sizeof(m.name));
        modules[module_count++].name[sizeof(m.name) - 1] = 0;
    }
}

const void *module_find(const char *name, size_t *size)
{
    for (u32 i = 0; i < module_count; i++)
        if (strcmp(modules[i].name, name) == 0) {
            *size = modules[i].size;
            return modules[i].data;
        }
    return NULL;
}

bool module_at(u32 n, const char **name, size_t *size)
{
    if (n >= module_count)
        return false;
    *name = modules[n].name;
    *size = modules[n].size;
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands about domains: making, running, ending and looking at them.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/command.h"
#include "guest/control/ctl.h"
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"

#define MEMORY_DEFAULT (32ull << 20)

static char *keep(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = rt_alloc(len);

    if (copy)
        memcpy(copy, text, len);
    return copy;
}

static bool option_end(struct command *c, const char *key, u8 *end)
{
    static const char *const name[] = {
        [END_DESTROY] = "destroy", [END_KEEP] = "keep", [END_RESTART] = "restart"};
    const char *text = words_option(c->w, key);

    for (u8 i = 0; text && i < ARRAY_SIZE(name); i++)
        if (strcmp(text, name[i]) == 0) {
            *end = i;
            return true;
        }
    return !text || command_refuse(c, "%s=%s: say destroy, keep or restart", key, text);
}

static bool option_modules(struct command *c, struct recipe *r)
{
    const char *text;

    for (u32 at = 0; (text = words_next(c->w, "module", &at));) {
        const char *colon = strchr(text, ':');
        size_t len = colon ? (size_t)(colon - text) : strlen(text);

        if (r->module_count == LAYOUT_MODULES)
            return command_refuse(c, "a domain has at most %u modules", LAYOUT_MODULES);
        if (len >= sizeof(r->module[0].name))
            return command_refuse(c, "there is no module named %s", text);
        memcpy(r->module[r->module_count].name, text, len);
        r->module[r->module_count].name[len] = 0;
        r->module[r->module_count++].cmdline = colon ? keep(colon + 1) : NULL;
    }
    return true;
}

/* pci=DEVICE.FUNCTION, both hexadecimal as QEMU and lspci write them. */
static bool option_devices(struct command *c, struct recipe *r)
{
    const char *text;

    for (u32 at = 0; (text = words_next(c->w, "pci", &at));) {
        u32 value = 0;
        const char *p = text;

        for (; *p && *p != '.' && value < 32; p++) {
            char low = (char)(*p | 32);

            if (!((*p >= '0' && *p <= '9') || (low >= 'a' && low <= 'f')))
                break;
            value = value * 16 + (u32)(*p <= '9' ? *p - '0' : low - 'a' + 10);
        }
        if (p == text || value > 31 || *p != '.' || p[1] < '0' || p[1] > '7' || p[2])
            return command_refuse(c, "pci=%s: say DEVICE.FUNCTION, such as 5.0", text);
        if (r->device_count == DEVICES_MOST)
            return command_refuse(c, "a domain has at most %u devices", DEVICES_MOST);
        r->device[r->device_count++] = (u8)(value * 8 + (u32)(p[1] - '0'));
    }
    return true;
}

static bool read_schedule(struct command *c, u64 *weight, u64 *cap, u64 *pin)
{
    if (!command_number(c, "weight", weight) || !command_number(c, "cap", cap) ||
        !command_number(c, "pin", pin))
        return false;
    return (*weight < 65536 && *cap < 65536) ||
           command_refuse(c, "weight and cap are below 65536");
}

static bool read_recipe(struct command *c, struct recipe *r)
{
    const char *image = words_option(c->w, "image"), *memory = words_option(c->w, "mem"),
               *cmdline = words_option(c->w, "cmdline"), *start = words_option(c->w, "start"),
               *overcommit = words_option(c->w, "overcommit");
    u64 vcpus = 1, weight = 0, cap = 0xffff, pin = 0;

    if (!image || strlen(image) >= sizeof(r->image))
        return command_refuse(c, "say image=MODULE");
    memcpy(r->image, image, strlen(image) + 1);
    r->memory = MEMORY_DEFAULT;
    r->on_reboot = END_RESTART;
    if (memory && !words_size(memory, &r->memory))
        return command_refuse(c, "mem=%s is not a size", memory);
    if (!command_number(c, "vcpus", &vcpus) || !read_schedule(c, &weight, &cap, &pin) ||
        !option_end(c, "on_poweroff", &r->on_poweroff) ||
        !option_end(c, "on_reboot", &r->on_reboot) ||
        !option_end(c, "on_crash", &r->on_crash) || !option_modules(c, r) ||
        !option_devices(c, r))
        return false;
    if (cmdline && !(r->cmdline = keep(cmdline)))
        return command_refuse(c, "no memory");
    r->vcpus = (u32)MIN(vcpus, 65535u);
    r->weight = (u32)weight;
    r->cap = (u32)cap;
    r->pin = pin;
    r->start = start && strcmp(start, "yes") == 0;
    r->overcommit = overcommit && strcmp(overcommit, "yes") == 0;
    return true;
}

static struct guest *make(struct command *c)
{
    struct guest *g;

    if (!words_name(c->argument[0])) {
        command_refuse(c, "a domain's name is letters, digits, - _ and .");
        return NULL;
    }
    if (guest_find(c->argument[0])) {
        command_refuse(c, "there is a domain named %s already", c->argument[0]);
        return NULL;
    }
    g = guest_new(c->argument[0]);
    if (!g) {
        command_refuse(c, "no memory");
        return NULL;
    }
    if (read_recipe(c, &g->recipe))
        return g;
    guest_forget(g);
    return NULL;
}

bool do_create(struct command *c)
{
    struct guest *g = make(c);

    if (!g)
        return false;
    if (!command_all_taken(c) || !guest_build(g, c->why) ||
        (g->recipe.start && !guest_start(g, c->why))) {
        guest_forget(g);
        return false;
    }
    json_number(c->answer, "domid", g->domid);
    return true;
}

bool do_start(struct command *c)
{
    struct guest *g = command_guest(c, 0);

    if (!g)
        return false;
    if (g->started)
        return command_refuse(c, "%s has been started already", g->name);
    return guest_start(g, c->why);
}

bool do_pause(struct command *c)
{
    struct guest *g = command_guest(c, 0);

    if (!g)
        return false;
    if (!g->started)
        return command_refuse(c, "%s is not running", g->name);
    if (g->paused++)
        return true;
    return !ctl_pause(g->domid) || command_refuse(c, "the hypervisor does not pause it");
}

bool do_unpause(struct command *c)
{
    struct guest *g = command_guest(c, 0);

    if (!g)
        return false;
    if (!g->paused)
        return command_refuse(c, "%s is not paused", g->name);
    if (--g->paused)
        return true;
    return !ctl_unpause(g->domid) || command_refuse(c, "the hypervisor does not let it go on");
}

bool do_shutdown(struct command *c)
{
    struct guest *g = command_guest(c, 0);
    const char *reason = words_option(c->w, "reason");
    char path[64];

    if (!g)
        return false;
    if (!g->built)
        return command_refuse(c, "%s is not running", g->name);
    format(path, sizeof(path), "/local/domain/%u/control/shutdown", g->domid);
    return !self_write(path, reason ? reason : "poweroff") ||
           command_refuse(c, "the store refused");
}

/* As `xl mem-set`: the domain's balloon driver follows. */
bool do_memory(struct command *c)
{
    struct guest *g = command_guest(c, 0);
    u64 bytes;
    char path[64];

    if (!g)
        return false;
    bytes = g->recipe.memory;
    if (c->count > 1 && (!words_size(c->argument[1], &bytes) || bytes > g->recipe.memory))
        return command_refuse(c, "%s is no size up to what %s began with", c->argument[1],
                              g->name);
    format(path, sizeof(path), "/local/domain/%u/memory/target", g->domid);
    return !self_printf(path, "%lu", bytes >> 10) || command_refuse(c, "the store refused");
}

bool do_destroy(struct command *c)
{
    struct guest *g = command_guest(c, 0);

    if (!g)
        return false;
    guest_forget(g);
    return true;
}

bool do_reboot(struct command *c)
{
    struct guest *g = command_guest(c, 0);

    if (!g)
        return false;
    guest_destroy(g);
    if (guest_build(g, c->why) && devices_again(g, c->why) && guest_start(g, c->why))
        return true;
    guest_forget(g);
    return false;
}

bool do_resume(struct command *c)
{
    struct guest *g = command_guest(c, 0);

    return g && guest_resume(g, c->why);
}

bool do_sched(struct command *c)
{
    struct guest *g = command_guest(c, 0);
    u64 weight = 0, cap = 0xffff, pin = 0;

    if (!g || !read_schedule(c, &weight, &cap, &pin))
        return false;
    return !ctl_schedule(g->domid, g->recipe.vcpus, (u32)weight, (u32)cap, pin) ||
           command_refuse(c, "the hypervisor refused");
}

static const char *state_name(const struct guest *g)
{
    if (g->ended)
        return reason_name(g->reason);
    return g->paused ? "paused" : g->started ? "running" : "created";
}

bool do_list(struct command *c)
{
    json_open(c->answer, "domains");
    list_for_each(at, &control.guests)
    {
        const struct guest *g = list_entry(at, struct guest, link);
        xen_domctl_getdomaininfo_t info = {0};

        ctl_info(g->domid, &info);
        json_item(c->answer);
        json_text(c->answer, "name", g->name);
        json_number(c->answer, "domid", g->domid);
        json_text(c->answer, "state", state_name(g));
        json_text(c->answer, "image", g->recipe.image);
        json_number(c->answer, "vcpus", g->recipe.vcpus);
        json_number(c->answer, "vcpus_up", info.nr_online_vcpus);
        json_number(c->answer, "mem", g->recipe.memory);
        json_number(c->answer, "cpu_ns", info.cpu_time);
        json_item_end(c->answer);
    }
    json_close(c->answer);
    return true;
}

bool do_modules(struct command *c)
{
    const char *name;
    size_t size;

    json_open(c->answer, "modules");
    for (u32 i = 0; module_at(i, &name, &size); i++) {
        json_item(c->answer);
        json_text(c->answer, "name", name);
        json_number(c->answer, "size", size);
        json_item_end(c->answer);
    }
    json_close(c->answer);
    return true;
}

bool do_input(struct command *c)
{
    struct guest *g = command_guest(c, 0);
    size_t len = strlen(c->argument[1]);

    if (!g || !rings_input_room(g, len, c->why))
        return false;
    rings_input(g, c->argument[1], len);
    json_number(c->answer, "waiting", g->input_len);
    return true;
}

bool do_console(struct command *c)
{
    struct guest *g = command_guest(c, 0);

    if (!g)
        return false;
    g->watched = strcmp(c->argument[1], "on") == 0;
    return g->watched || strcmp(c->argument[1], "off") == 0 ||
           command_refuse(c, "say on or off");
}

static void held(struct json *j, const char *frames, const char *overhead)
{
    struct osm_counters n = {.domid = OSM_ALL_DOMAINS, .vcpu = 0xffff};
    u64 free = 0, total = 0;

    hypercall_osmosis(OSM_OP_counters, &n);
    ctl_machine(&free, &total);
    json_number(j, frames, free);
    json_number(j, overhead, n.overhead);
}

static bool cycle(struct command *c, struct guest *g)
{
    if (!guest_build(g, c->why) || (g->recipe.start && !guest_start(g, c->why)))
        return false;
    guest_destroy(g);
    return true;
}

/* Creates and destroys; what the machine and the store hold before and after must agree. */
bool do_churn(struct command *c)
{
    u64 count = 0, done = 0, start_ns;
    struct guest *g;

    if (!command_number(c, "count", &count) || !count)
        return command_refuse(c, "say count=N");
    g = make(c);
    if (!g)
        return false;
    if (!cycle(c, g)) { /* the first one makes what stays: directories, tables */
        guest_forget(g);
        return false;
    }
    held(c->answer, "free_before", "overhead_before");
    json_number(c->answer, "store_before", control.store.bytes);
    start_ns = rt_now_ns();
    while (done < count && cycle(c, g))
        done++;
    json_number(c->answer, "cycles", done);
    json_number(c->answer, "ns", rt_now_ns() - start_ns);
    json_number(c->answer, "store_after", control.store.bytes);
    held(c->answer, "free_after", "overhead_after");
    guest_forget(g);
    return done == count;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of README.md, one function each, and the table that finds them. An error
 * is a sentence in `why`.
 */
#include "base/format.h"
#include "guest/control/control.h"
#include "guest/control/ctl.h"
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"
#include "guest/rt/store_wire.h"
#include "guest/rt/time.h"

enum { VALUE = 2048 };
#define MEMORY_DEFAULT (32ull << 20)

struct command {
    struct words *w;
    u32 count; /* words behind the verb that are not options */
    const char *argument[8];
    struct json *answer;
    char *why;
};

static bool refuse(struct command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool refuse(struct command *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vformat(c->why, WHY, fmt, args);
    va_end(args);
    return false;
}

bool expand(const char *text, char *to, size_t room, char *why)
{
    size_t len = 0;

    while (*text && len + 8 < room) {
        const char *end = *text == '{' ? strchr(text, '}') : NULL;
        char name[NAME_MOST + 1] = {0};
        struct guest *g;

        if (!end || (size_t)(end - text) > NAME_MOST) {
            to[len++] = *text++;
            continue;
        }
        memcpy(name, text + 1, (size_t)(end - text - 1));
        g = guest_find(name);
        if (strcmp(name, "self") != 0 && !(g && g->built)) {
            format(why, WHY, "there is no domain named %s", name);
            return false;
        }
        len += format(to + len, room - len, "%u", g ? g->domid : rt_started()->domid);
        text = end + 1;
    }
    to[len] = 0;
    if (*text)
        format(why, WHY, "a text is too long");
    return !*text;
}

static struct guest *need(struct command *c, u32 n)
{
    struct guest *g = guest_find(c->argument[n]);

    if (!g)
        refuse(c, "there is no domain named %s", c->argument[n]);
    return g;
}

static bool option_number(struct command *c, const char *key, u64 *value)
{
    const char *text = words_option(c->w, key);

    return !text || words_number(text, value) || refuse(c, "%s=%s is not a number", key, text);
}

static char *keep(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = rt_alloc(len);

    if (copy)
        memcpy(copy, text, len);
    return copy;
}

/* --- domains ---------------------------------------------------------------------------------- */

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
    return !text || refuse(c, "%s=%s: say destroy, keep or restart", key, text);
}

static bool option_modules(struct command *c, struct recipe *r)
{
    const char *text;

    for (u32 at = 0; (text = words_next(c->w, "module", &at));) {
        const char *colon = strchr(text, ':');
        size_t len = colon ? (size_t)(colon - text) : strlen(text);

        if (r->module_count == LAYOUT_MODULES)
            return refuse(c, "a domain has at most %u modules", LAYOUT_MODULES);
        if (len >= sizeof(r->module[0].name))
            return refuse(c, "there is no module named %s", text);
        memcpy(r->module[r->module_count].name, text, len);
        r->module[r->module_count].name[len] = 0;
        r->module[r->module_count++].cmdline = colon ? keep(colon + 1) : NULL;
    }
    return true;
}

static bool read_schedule(struct command *c, u64 *weight, u64 *cap, u64 *pin)
{
    if (!option_number(c, "weight", weight) || !option_number(c, "cap", cap) ||
        !option_number(c, "pin", pin))
        return false;
    return (*weight < 65536 && *cap < 65536) || refuse(c, "weight and cap are below 65536");
}

static bool read_recipe(struct command *c, struct recipe *r)
{
    const char *image = words_option(c->w, "image"), *memory = words_option(c->w, "mem"),
               *cmdline = words_option(c->w, "cmdline"), *start = words_option(c->w, "start");
    u64 vcpus = 1, weight = 0, cap = 0xffff, pin = 0;

    if (!image || strlen(image) >= sizeof(r->image))
        return refuse(c, "say image=MODULE");
    memcpy(r->image, image, strlen(image) + 1);
    r->memory = MEMORY_DEFAULT;
    r->on_reboot = END_RESTART;
    if (memory && !words_size(memory, &r->memory))
        return refuse(c, "mem=%s is not a size", memory);
    if (!option_number(c, "vcpus", &vcpus) || !read_schedule(c, &weight, &cap, &pin) ||
        !option_end(c, "on_poweroff", &r->on_poweroff) ||
        !option_end(c, "on_reboot", &r->on_reboot) ||
        !option_end(c, "on_crash", &r->on_crash) || !option_modules(c, r))
        return false;
    if (cmdline && !(r->cmdline = keep(cmdline)))
        return refuse(c, "no memory");
    r->vcpus = (u32)MIN(vcpus, 65535u);
    r->weight = (u32)weight;
    r->cap = (u32)cap;
    r->pin = pin;
    r->start = start && strcmp(start, "yes") == 0;
    return true;
}

static bool check_left(struct command *c)
{
    const char *left = words_left(c->w, 0);

    return !left || refuse(c, "%s is not understood here", left);
}

static struct guest *make(struct command *c)
{
    struct guest *g;

    if (!words_name(c->argument[0])) {
        refuse(c, "a domain's name is letters, digits, - _ and .");
        return NULL;
    }
    if (guest_find(c->argument[0])) {
        refuse(c, "there is a domain named %s already", c->argument[0]);
        return NULL;
    }
    g = guest_new(c->argument[0]);
    if (!g) {
        refuse(c, "no memory");
        return NULL;
    }
    if (read_recipe(c, &g->recipe))
        return g;
    guest_forget(g);
    return NULL;
}

static bool do_create(struct command *c)
{
    struct guest *g = make(c);

    if (!g)
        return false;
    if (!check_left(c) || !guest_build(g, c->why) ||
        (g->recipe.start && !guest_start(g, c->why))) {
        guest_forget(g);
        return false;
    }
    json_number(c->answer, "domid", g->domid);
    return true;
}

static bool do_start(struct command *c)
{
    struct guest *g = need(c, 0);

    if (!g)
        return false;
    if (g->started)
        return refuse(c, "%s has been started already", g->name);
    return guest_start(g, c->why);
}

static bool do_pause(struct command *c)
{
    struct guest *g = need(c, 0);

    if (!g)
        return false;
    if (!g->started || g->paused)
        return refuse(c, "%s is not running", g->name);
    g->paused = true;
    return !ctl_pause(g->domid) || refuse(c, "the hypervisor does not pause it");
}

static bool do_unpause(struct command *c)
{
    struct guest *g = need(c, 0);

    if (!g)
        return false;
    if (!g->paused)
        return refuse(c, "%s is not paused", g->name);
    g->paused = false;
    return !ctl_unpause(g->domid) || refuse(c, "the hypervisor does not let it go on");
}

static bool do_shutdown(struct command *c)
{
    struct guest *g = need(c, 0);
    const char *reason = words_option(c->w, "reason");
    char path[64];

    if (!g)
        return false;
    format(path, sizeof(path), "/local/domain/%u/control/shutdown", g->domid);
    return !self_write(path, reason ? reason : "poweroff") || refuse(c, "the store refused");
}

static bool do_destroy(struct command *c)
{
    struct guest *g = need(c, 0);

    if (!g)
        return false;
    guest_forget(g);
    return true;
}

static bool do_reboot(struct command *c)
{
    struct guest *g = need(c, 0);

    if (!g)
        return false;
    guest_destroy(g);
    if (guest_build(g, c->why) && guest_start(g, c->why))
        return true;
    guest_forget(g);
    return false;
}

static bool do_sched(struct command *c)
{
    struct guest *g = need(c, 0);
    u64 weight = 0, cap = 0xffff, pin = 0;

    if (!g || !read_schedule(c, &weight, &cap, &pin))
        return false;
    return !ctl_schedule(g->domid, g->recipe.vcpus, (u32)weight, (u32)cap, pin) ||
           refuse(c, "the hypervisor refused");
}

static const char *state_name(const struct guest *g)
{
    if (g->ended)
        return reason_name(g->reason);
    return g->paused ? "paused" : g->started ? "running" : "created";
}

static bool do_list(struct command *c)
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
        json_number(c->answer, "mem", g->recipe.memory);
        json_number(c->answer, "cpu_ns", info.cpu_time);
        json_item_end(c->answer);
    }
    json_close(c->answer);
    return true;
}

static bool do_modules(struct command *c)
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

static bool do_input(struct command *c)
{
    struct guest *g = need(c, 0);

    if (!g)
        return false;
    return rings_input(g, c->argument[1], strlen(c->argument[1])) || refuse(c, "no memory");
}

static bool do_console(struct command *c)
{
    struct guest *g = need(c, 0);

    if (!g)
        return false;
    g->watched = strcmp(c->argument[1], "on") == 0;
    return g->watched || strcmp(c->argument[1], "off") == 0 || refuse(c, "say on or off");
}

/* --- looking ------------------------------------------------------------------------------------- */

static bool do_dump(struct command *c)
{
    static const char *const reg[18] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi",
                                        "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                        "r12", "r13", "r14", "r15", "rip", "rflags"};
    static const char *const ctl[6] = {"cr0", "cr2", "cr3", "cr4", "efer", "cs_ss_cpl"};
    struct guest *g = need(c, 0);
    struct osm_dump dump = {0};
    u64 vcpu = 0;

    if (!g || !option_number(c, "vcpu", &vcpu))
        return false;
    dump.domid = g->domid;
    dump.vcpu = (u16)vcpu;
    if (hypercall_osmosis(OSM_OP_dump, &dump))
        return refuse(c, "there is no vCPU %lu", vcpu);
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

static bool do_counters(struct command *c)
{
    struct osm_counters n = {.domid = OSM_ALL_DOMAINS, .vcpu = 0xffff};
    u64 vcpu = 0xffff, free = 0, total = 0;

    if (!option_number(c, "vcpu", &vcpu))
        return false;
    if (strcmp(c->argument[0], "all") != 0) {
        struct guest *g = need(c, 0);

        if (!g)
            return false;
        n.domid = g->domid;
    }
    n.vcpu = (u16)vcpu;
    if (hypercall_osmosis(OSM_OP_counters, &n))
        return refuse(c, "there is no vCPU %lu", vcpu);
    json_number(c->answer, "exits", n.exits);
    json_number(c->answer, "flushes", n.flushes);
    json_number(c->answer, "copied_bytes", n.copied_bytes);
    json_number(c->answer, "hypercalls", n.hypercalls);
    json_number(c->answer, "upcalls", n.upcalls);
    json_number(c->answer, "faults", n.faults);
    json_number(c->answer, "run_ns", n.run_ns);
    json_number(c->answer, "frames", n.frames);
    json_number(c->answer, "overhead", n.overhead);
    if (!ctl_machine(&free, &total)) {
        json_number(c->answer, "machine_free", free);
        json_number(c->answer, "machine_total", total);
    }
    return true;
}

/* --- the store ------------------------------------------------------------------------------------ */

static bool store_refused(struct command *c, int error)
{
    return !error || refuse(c, "the store says %s", store_error_name(error));
}

static bool do_read(struct command *c)
{
    char path[XENSTORE_ABS_PATH_MAX], value[VALUE];

    if (!expand(c->argument[0], path, sizeof(path), c->why) ||
        !store_refused(c, self_read(path, value, sizeof(value))))
        return false;
    json_text(c->answer, "value", value);
    return true;
}

static bool do_write(struct command *c)
{
    char path[XENSTORE_ABS_PATH_MAX], value[VALUE];

    return expand(c->argument[0], path, sizeof(path), c->why) &&
           expand(c->argument[1], value, sizeof(value), c->why) &&
           store_refused(c, self_write(path, value));
}

static bool do_ls(struct command *c)
{
    static char names[XENSTORE_PAYLOAD_MAX];
    char path[XENSTORE_ABS_PATH_MAX];
    u32 len;

    if (!expand(c->argument[0], path, sizeof(path), c->why) ||
        !store_refused(c, self_call(XS_DIRECTORY, path, (u32)strlen(path) + 1, names, &len)))
        return false;
    json_open(c->answer, "names");
    for (u32 at = 0; at < len; at += (u32)strlen(names + at) + 1) {
        json_item(c->answer);
        json_text(c->answer, "name", names + at);
        json_item_end(c->answer);
    }
    json_close(c->answer);
    return true;
}

static bool do_rm(struct command *c)
{
    static char reply[XENSTORE_PAYLOAD_MAX];
    char path[XENSTORE_ABS_PATH_MAX];
    u32 len;

    return expand(c->argument[0], path, sizeof(path), c->why) &&
           store_refused(c, self_call(XS_RM, path, (u32)strlen(path) + 1, reply, &len));
}

static bool do_perms(struct command *c)
{
    static char payload[XENSTORE_PAYLOAD_MAX], reply[XENSTORE_PAYLOAD_MAX];
    u32 len = 0, reply_len;

    for (u32 i = 0; i < c->count; i++) {
        char text[XENSTORE_ABS_PATH_MAX];

        if (!expand(c->argument[i], text, sizeof(text), c->why))
            return false;
        if (len + strlen(text) + 1 > sizeof(payload))
            return refuse(c, "too many permissions");
        memcpy(payload + len, text, strlen(text) + 1);
        len += (u32)strlen(text) + 1;
    }
    return store_refused(c, self_call(XS_SET_PERMS, payload, len, reply, &reply_len));
}

/* --- devices -------------------------------------------------------------------------------------- */

struct device {
    char front[96], back[96];
    char front_perm[2][8], back_perm[2][8];
    int error;
};

static void device_node(struct device *d, bool back, const char *key, const char *value)
{
    const char(*perm)[8] = back ? (const char(*)[8])d->back_perm
                                : (const char(*)[8])d->front_perm;
    char path[256];

    format(path, sizeof(path), "%s%s%s", back ? d->back : d->front, *key ? "/" : "", key);
    if (!d->error)
        d->error = self_write(path, value);
    if (!d->error)
        d->error = self_perms(path, perm[0], perm[1]);
}

static void device_paths(struct device *d, const char *kind, const struct guest *front,
                         const char *id, u32 back)
{
    *d = (struct device){0};
    format(d->front, sizeof(d->front), "/local/domain/%u/device/%s/%s", front->domid, kind, id);
    format(d->back, sizeof(d->back), "/local/domain/%u/backend/%s/%u/%s", back, kind,
           front->domid, id);
    format(d->front_perm[0], 8, "n%u", front->domid);
    format(d->front_perm[1], 8, "r%u", back);
    format(d->back_perm[0], 8, "n%u", back);
    format(d->back_perm[1], 8, "r%u", front->domid);
}

/* front.KEY and back.KEY go to one side, mac to both. */
static bool device_options(struct command *c, struct device *d)
{
    for (u32 i = 0; i < c->w->count; i++) {
        char key[64] = {0}, value[VALUE];
        bool front, back, mac;

        if (!c->w->value[i] || c->w->taken[i] || c->w->key_len[i] >= sizeof(key))
            continue;
        memcpy(key, c->w->word[i], c->w->key_len[i]);
        front = strncmp(key, "front.", 6) == 0;
        back = strncmp(key, "back.", 5) == 0;
        mac = strcmp(key, "mac") == 0;
        if (!front && !back && !mac)
            continue;
        if (!expand(c->w->value[i], value, sizeof(value), c->why))
            return false;
        c->w->taken[i] = true;
        if (front || mac)
            device_node(d, false, front ? key + 6 : key, value);
        if (back || mac)
            device_node(d, true, back ? key + 5 : key, value);
    }
    return true;
}

/* The back end's directory is complete before the front's `state` says so, and watchers of
 * a back end look at `state` too: both come last. */
static bool do_device(struct command *c)
{
    const char *kind = c->argument[0], *id = c->argument[2];
    const char *back_name = words_option(c->w, "backend");
    struct guest *front = need(c, 1), *back = back_name ? guest_find(back_name) : NULL;
    char number[16];
    struct device d;

    if (!front)
        return false;
    if (!back)
        return refuse(c, "say backend=DOMAIN, a domain that exists");
    if (strlen(kind) > 16 || strlen(id) > 8 || !words_name(kind) || !words_name(id))
        return refuse(c, "a device has a short kind and a number");
    device_paths(&d, kind, front, id, back->domid);
    device_node(&d, true, "", "");
    device_node(&d, false, "", "");
    device_node(&d, true, "frontend", d.front);
    format(number, sizeof(number), "%u", front->domid);
    device_node(&d, true, "frontend-id", number);
    device_node(&d, true, "online", "1");
    device_node(&d, true, "handle", id);
    device_node(&d, false, "backend", d.back);
    format(number, sizeof(number), "%u", back->domid);
    device_node(&d, false, "backend-id", number);
    device_node(&d, false, "handle", id);
    if (!device_options(c, &d))
        return false;
    device_node(&d, true, "state", "1");
    device_node(&d, false, "state", "1");
    return store_refused(c, d.error);
}

static bool do_undevice(struct command *c)
{
    struct guest *front = need(c, 1);
    char path[160], back[128];
    static char reply[XENSTORE_PAYLOAD_MAX];
    u32 len;

    if (!front)
        return false;
    format(path, sizeof(path), "/local/domain/%u/device/%s/%s/backend", front->domid,
           c->argument[0], c->argument[2]);
    if (self_read(path, back, sizeof(back)))
        return refuse(c, "%s has no such device", front->name);
    self_call(XS_RM, back, (u32)strlen(back) + 1, reply, &len);
    path[strlen(path) - strlen("/backend")] = 0;
    return store_refused(c, self_call(XS_RM, path, (u32)strlen(path) + 1, reply, &len));
}

/* --- faults and measurements ------------------------------------------------------------------------ */

static bool do_inject(struct command *c)
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
        [OSM_POINT_flip] = "flip"};
    struct guest *g = need(c, 0);
    const char *name = words_option(c->w, "point");
    u64 vcpu = 0, after = 1, every = 0, arg = 0;
    struct osm_inject i;

    if (!g || !option_number(c, "vcpu", &vcpu) || !option_number(c, "after", &after) ||
        !option_number(c, "every", &every) || !option_number(c, "arg", &arg))
        return false;
    i = (struct osm_inject){
        .domid = g->domid, .vcpu = (u16)vcpu, .after = after, .every = every, .arg = arg};
    for (; name && i.point < OSM_POINTS && strcmp(point[i.point], name) != 0; i.point++)
        ;
    if (!name || i.point == OSM_POINTS)
        return refuse(c, "say point= and one of those in guest/control/README.md");
    if (hypercall_osmosis(OSM_OP_inject, &i))
        return refuse(c, "the hypervisor refused");
    json_number(c->answer, "fired", i.fired);
    return true;
}

static bool do_store_fault(struct command *c)
{
    const char *name = words_option(c->w, "point");
    u64 after = 1, every = 0;

    if (!option_number(c, "after", &after) || !option_number(c, "every", &every))
        return false;
    if (!name || strcmp(name, "fail") != 0)
        return refuse(c, "say point=fail");
    control.store.fail_after = (u32)after;
    control.store.fail_every = (u32)every;
    return true;
}

/* The rest of the line, for the fabric to read. */
static bool do_fault(struct command *c)
{
    char path[64], text[VALUE];
    size_t len = 0;

    text[0] = 0;
    for (u32 i = 0; i < c->w->count; i++) {
        if (c->w->taken[i])
            continue;
        c->w->taken[i] = true;
        if (len + strlen(c->w->word[i]) + 2 > sizeof(text))
            return refuse(c, "the fault is too long");
        len += format(text + len, sizeof(text) - len, "%s%s", len ? " " : "", c->w->word[i]);
    }
    format(path, sizeof(path), "/osmosis/fault/%u", control.fault_count);
    if (!store_refused(c, self_write(path, text)))
        return false;
    json_number(c->answer, "fault", control.fault_count++);
    return true;
}

static bool do_trace(struct command *c)
{
    struct osm_trace_ctl t = {.domid = OSM_ALL_DOMAINS};
    u64 classes = 0;

    if (!option_number(c, "classes", &classes))
        return false;
    if (strcmp(c->argument[0], "all") != 0) {
        struct guest *g = need(c, 0);

        if (!g)
            return false;
        t.domid = g->domid;
    }
    t.classes = (u32)classes;
    control.traced |= classes != 0;
    return !hypercall_osmosis(OSM_OP_trace_ctl, &t) || refuse(c, "the hypervisor refused");
}

static bool do_log(struct command *c)
{
    struct json j;

    result_begin(&j, "log");
    json_text(&j, "text", c->argument[0]);
    result_end(&j);
    return true;
}

static bool do_finish(struct command *c)
{
    u64 status = 0;

    if (!option_number(c, "status", &status))
        return false;
    run_finish((u32)status, c->count ? c->argument[0] : "finish");
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
static bool do_churn(struct command *c)
{
    u64 count = 0, done = 0, start_ns;
    struct guest *g;

    if (!option_number(c, "count", &count) || !count)
        return refuse(c, "say count=N");
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

static bool do_version(struct command *c)
{
    json_number(c->answer, "osmosis", 1);
    return true;
}

static const struct {
    const char *name;
    bool (*fn)(struct command *c);
    u8 least, most; /* arguments */
} table[] = {
    {"create", do_create, 1, 1},
    {"start", do_start, 1, 1},
    {"pause", do_pause, 1, 1},
    {"unpause", do_unpause, 1, 1},
    {"shutdown", do_shutdown, 1, 1},
    {"destroy", do_destroy, 1, 1},
    {"reboot", do_reboot, 1, 1},
    {"sched", do_sched, 1, 1},
    {"list", do_list, 0, 0},
    {"modules", do_modules, 0, 0},
    {"input", do_input, 2, 2},
    {"console", do_console, 2, 2},
    {"dump", do_dump, 1, 1},
    {"counters", do_counters, 1, 1},
    {"churn", do_churn, 1, 1},
    {"read", do_read, 1, 1},
    {"write", do_write, 2, 2},
    {"ls", do_ls, 1, 1},
    {"rm", do_rm, 1, 1},
    {"perms", do_perms, 2, 8},
    {"device", do_device, 3, 3},
    {"undevice", do_undevice, 3, 3},
    {"inject", do_inject, 1, 1},
    {"store-fault", do_store_fault, 0, 0},
    {"fault", do_fault, 0, 8},
    {"trace", do_trace, 1, 1},
    {"log", do_log, 1, 1},
    {"finish", do_finish, 0, 1},
    {"osmosis", do_version, 0, 1},
};

/* Arguments are the words behind the verb that have no '='. For `write`, `log` and their
 * like the first ones are taken as they are. */
static void take_arguments(struct command *c, u32 first, u32 least)
{
    for (u32 i = first + 1; i < c->w->count && c->count < ARRAY_SIZE(c->argument); i++) {
        if (c->w->value[i] && c->count >= least)
            continue;
        c->argument[c->count++] = c->w->word[i];
        c->w->taken[i] = true;
    }
}

bool command_run(struct words *w, u32 first, struct json *answer, char *why)
{
    struct command c = {.w = w, .answer = answer, .why = why};

    why[0] = 0;
    for (u32 i = 0; i <= first; i++)
        w->taken[i] = true;
    for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
        if (strcmp(table[i].name, w->word[first]) != 0)
            continue;
        if (table[i].fn != do_fault)
            take_arguments(&c, first, table[i].least);
        if (c.count < table[i].least || c.count > table[i].most)
            return refuse(&c, "%s takes %u to %u words", table[i].name, table[i].least,
                          table[i].most);
        return table[i].fn(&c) && check_left(&c);
    }
    return refuse(&c, "there is no command %s", w->word[first]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: built from a recipe, started, ended, built again.
 */
#include "base/format.h"
#include "guest/control/control.h"
#include "guest/control/ctl.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/store_wire.h"

enum { COPY_FRAMES = 64, PAGE = 4096 };

static struct layout layout;
static struct layout_request request;
static u64 copy_gfn;

struct guest *guest_find(const char *name)
{
    list_for_each(at, &control.guests)
    {
        struct guest *g = list_entry(at, struct guest, link);

        if (strcmp(g->name, name) == 0)
            return g;
    }
    return NULL;
}

static struct guest **bucket(u16 domid)
{
    return &control.bucket[domid % GUEST_BUCKETS];
}

struct guest *guest_of(u16 domid)
{
    struct guest *g = *bucket(domid);

    while (g && g->domid != domid)
        g = g->by_domid;
    return g;
}

struct guest *guest_new(const char *name)
{
    struct guest *g = rt_alloc(sizeof(*g));

    if (!g)
        return NULL;
    memcpy(g->name, name, MIN(strlen(name), sizeof(g->name) - 1));
    list_init(&g->ready);
    list_push_back(&control.guests, &g->link);
    control.guest_count++;
    control.had_guests = true;
    return g;
}

static void free_text(char *text)
{
    if (text)
        rt_free(text, strlen(text) + 1);
}

void guest_forget(struct guest *g)
{
    guest_destroy(g);
    list_remove(&g->link);
    control.guest_count--;
    free_text(g->recipe.cmdline);
    for (u32 i = 0; i < g->recipe.module_count; i++)
        free_text(g->recipe.module[i].cmdline);
    rt_free(g, sizeof(*g));
}

/* --- building ------------------------------------------------------------------------------- */

static bool load_request(const struct guest *g, char *why)
{
    static char text[1 + LAYOUT_MODULES][2048];
    const struct recipe *r = &g->recipe;

    request.image = module_find(r->image, &request.image_size);
    if (!request.image) {
        format(why, WHY, "there is no module named %s", r->image);
        return false;
    }
    if (!expand(r->cmdline ? r->cmdline : "", text[0], sizeof(text[0]), why))
        return false;
    request.cmdline = text[0];
    request.memory = r->memory;
    request.vcpus = r->vcpus;
    request.module_count = r->module_count;
    for (u32 i = 0; i < r->module_count; i++) {
        struct layout_module *m = &request.module[i];

        m->data = module_find(r->module[i].name, &m->size);
        if (!m->data) {
            format(why, WHY, "there is no module named %s", r->module[i].name);
            return false;
        }
        if (!expand(r->module[i].cmdline ? r->module[i].cmdline : "", text[1 + i],
                    sizeof(text[0]), why))
            return false;
        m->cmdline = text[1 + i];
    }
    return true;
}

/* Through a window of our frames that show the domain's. */
static long copy_piece(u16 domid, const struct layout_piece *p)
{
    const u8 *from = p->data;

    for (u64 at = p->at, end = p->at + p->len; at < end;) {
        u64 first = at / PAGE, pages = MIN((end - 1) / PAGE - first + 1, (u64)COPY_FRAMES);
        u64 len = MIN(end, (first + pages) * PAGE) - at;

        for (u64 i = 0; i < pages; i++) {
            long error = ctl_map(domid, first + i, copy_gfn + i);

            if (error)
                return error;
        }
        memcpy((u8 *)rt_at(copy_gfn * PAGE) + at % PAGE, from, len);
        for (u64 i = 0; i < pages; i++)
            ctl_unmap(copy_gfn + i);
        at += len;
        from += len;
    }
    return 0;
}

static bool build_failed(char *why, const char *what, long error)
{
    format(why, WHY, "%s: error %ld", what, error);
    return false;
}

static bool fill(struct guest *g, char *why)
{
    long error = ctl_memory(g->domid, &layout);

    if (error)
        return build_failed(why, "the machine has no memory for it", error);
    if (!copy_gfn)
        copy_gfn = rt_window_alloc(COPY_FRAMES);
    for (u32 i = 0; i < layout.piece_count; i++) {
        error = copy_piece(g->domid, &layout.piece[i]);
        if (error)
            return build_failed(why, "its memory cannot be filled", error);
    }
    error = ctl_first_vcpu(g->domid, layout.entry, layout.info_at);
    if (error)
        return build_failed(why, "its first vCPU cannot be set up", error);
    error = ctl_schedule(g->domid, g->recipe.vcpus, g->recipe.weight, g->recipe.cap,
                         g->recipe.pin);
    return !error || build_failed(why, "its weight, cap or pinning was refused", error);
}

/* --- the store's part, as Xen's toolstack lays it out ----------------------------------------- */

static int node(const struct guest *g, const char *name, const char *value, const char *perm,
                const char *perm2)
{
    char path[128];
    int error;

    format(path, sizeof(path), "/local/domain/%u%s%s", g->domid, *name ? "/" : "", name);
    error = self_write(path, value);
    return error ? error : self_perms(path, perm, perm2);
}

static bool describe(struct guest *g, char *why)
{
    static const char *const readable[] = {"name",    "domid", "vm",    "memory", "device",
                                           "control", "cpu",   "store", "console"};
    static const char *const own[] = {"data",
                                      "drivers",
                                      "attr",
                                      "error",
                                      "feature",
                                      "control/shutdown",
                                      "control/sysrq",
                                      "control/feature-poweroff",
                                      "control/feature-reboot",
                                      "control/feature-suspend",
                                      "device/suspend/event-channel"};
    char self_perm[16], read[16], mine[16], value[64], path[64];
    int error;

    format(self_perm, sizeof(self_perm), "n%u", rt_started()->domid);
    format(read, sizeof(read), "r%u", g->domid);
    format(mine, sizeof(mine), "n%u", g->domid);
    error = node(g, "", "", self_perm, read);
    for (u32 i = 0; !error && i < ARRAY_SIZE(readable); i++)
        error = node(g, readable[i], "", self_perm, read);
    for (u32 i = 0; !error && i < ARRAY_SIZE(own); i++)
        error = node(g, own[i], "", mine, NULL);
    format(path, sizeof(path), "/vm/%u", g->domid);
    error = error ? error : self_write(path, "");
    error = error ? error : self_perms(path, self_perm, read);
    format(value, sizeof(value), "%lu", g->recipe.memory >> 10);
    error = error ? error : node(g, "name", g->name, self_perm, read);
    error = error ? error : node(g, "vm", path, self_perm, read);
    error = error ? error : node(g, "memory/target", value, self_perm, read);
    error = error ? error : node(g, "memory/static-max", value, self_perm, read);
    format(value, sizeof(value), "%u", g->domid);
    error = error ? error : node(g, "domid", value, self_perm, read);
    for (u32 i = 0; !error && i < g->recipe.vcpus; i++) {
        format(path, sizeof(path), "cpu/%u/availability", i);
        error = node(g, path, "online", self_perm, read);
    }
    if (error)
        format(why, WHY, "the store refused its description: %s", store_error_name(error));
    return !error;
}

bool guest_build(struct guest *g, char *why)
{
    u16 domid;
    long error;

    if (!load_request(g, why))
        return false;
    if (!layout_make(&layout, &request)) {
        format(why, WHY, "%s", layout.why);
        return false;
    }
    error = ctl_create(g->recipe.vcpus, &domid);
    if (error)
        return build_failed(why, "the hypervisor makes no domain", error);
    g->domid = domid;
    g->by_domid = *bucket(domid);
    *bucket(domid) = g;
    g->built = true;
    g->started = g->paused = g->ended = false;
    if (fill(g, why) && rings_open(g, why) && describe(g, why)) {
        xs_domain_introduced(&control.store, domid);
        return true;
    }
    guest_destroy(g);
    return false;
}

bool guest_start(struct guest *g, char *why)
{
    long error = ctl_unpause(g->domid);

    if (error)
        return build_failed(why, "it does not start", error);
    g->started = true;
    result_guest("start", g);
    return true;
}

/* --- the end ------------------------------------------------------------------------------------ */

void guest_destroy(struct guest *g)
{
    char path[64], reply[64];
    u32 len;
    long error;

    if (!g->built)
        return;
    rings_close(g);
    format(path, sizeof(path), "/local/domain/%u", g->domid);
    self_call(XS_RM, path, (u32)strlen(path) + 1, reply, &len);
    format(path, sizeof(path), "/vm/%u", g->domid);
    self_call(XS_RM, path, (u32)strlen(path) + 1, reply, &len);
    xs_domain_released(&control.store, g->domid);
    error = ctl_destroy(g->domid);
    if (error)
        rt_panic("domain %u (%s) cannot be destroyed: error %ld", g->domid, g->name, error);
    for (struct guest **at = bucket(g->domid); *at; at = &(*at)->by_domid)
        if (*at == g) {
            *at = g->by_domid;
            break;
        }
    g->built = false;
    result_guest("destroyed", g);
}

/* Its description stays; it begins anew with another number. */
static void restart(struct guest *g)
{
    char why[WHY];
    struct json j;

    guest_destroy(g);
    if (guest_build(g, why) && guest_start(g, why))
        return;
    result_begin(&j, "error");
    json_text(&j, "name", g->name);
    json_text(&j, "error", why);
    result_end(&j);
    guest_forget(g);
}

static void ended(struct guest *g, u8 reason)
{
    u8 wish = reason == SHUTDOWN_poweroff ? g->recipe.on_poweroff
              : reason == SHUTDOWN_reboot ? g->recipe.on_reboot
                                          : g->recipe.on_crash;

    g->ended = true;
    g->reason = reason;
    control.crashed += reason != SHUTDOWN_poweroff && reason != SHUTDOWN_reboot;
    rings_mark(g);
    rings_serve(); /* its last words */
    xs_domain_shut_down(&control.store, g->domid);
    result_guest("exit", g);
    plan_on_exit(g);
    if (wish == END_RESTART)
        restart(g);
    else if (wish == END_DESTROY)
        guest_forget(g);
}

void guests_reap(void)
{
    list_for_each_safe(at, &control.guests)
    {
        struct guest *g = list_entry(at, struct guest, link);
        xen_domctl_getdomaininfo_t info;

        if (!g->built || g->ended || ctl_info(g->domid, &info))
            continue;
        if (info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying))
            ended(g, (u8)(info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask));
    }
}

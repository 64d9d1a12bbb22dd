/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: built from a recipe, started, ended, built again.
 */
#include "base/format.h"
#include "base/hash.h"
#include "guest/control/control.h"
#include "guest/control/ctl.h"
#include "guest/control/snapshot.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/store_wire.h"

enum { COPY_FRAMES = 64, PAGE = 4096 };

static struct layout layout;
static struct layout_request request;
static u64 copy_gfn;

static struct guest **named(const char *name)
{
    return &control.named[hash_text(name, strlen(name)) % GUEST_BUCKETS];
}

struct guest *guest_find(const char *name)
{
    struct guest *g = *named(name);

    while (g && strcmp(g->name, name) != 0)
        g = g->by_name;
    return g;
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
    list_init(&g->devices);
    list_push_back(&control.guests, &g->link);
    g->by_name = *named(g->name);
    *named(g->name) = g;
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
    struct guest **at = named(g->name);

    guest_destroy(g);
    list_remove(&g->link);
    while (*at != g)
        at = &(*at)->by_name;
    *at = g->by_name;
    control.guest_count--;
    devices_forget(g);
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
static long copy_range(u16 domid, u64 start, const u8 *from, u64 len_all)
{
    for (u64 at = start, end = start + len_all; at < end;) {
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

static u64 head_of(const struct layout_piece *p)
{
    return MIN(-p->at % PAGE, (u64)p->len);
}

/* Whole pages of what is never written are shown, not copied: they lie in a module, and all
 * domains that are made of it read the same ones. How many, or an error. */
static long show_pages(u16 domid, const struct layout_piece *p)
{
    u64 here = rt_physical(p->data), head = head_of(p), pages = (p->len - head) / PAGE;
    long error;

    if (!p->fixed || !pages || (here ^ p->at) % PAGE)
        return 0;
    error = ctl_share(domid, (p->at + head) / PAGE, (here + head) / PAGE, pages);
    if (error == -XEN_EFAULT) /* not in a module: ours, and not to be shown */
        return 0;
    return error ? error : (long)pages;
}

static long copy_rest(u16 domid, const struct layout_piece *p, u64 shown)
{
    const u8 *from = p->data;
    u64 head = shown ? head_of(p) : 0, tail = head + shown * PAGE;
    long error = copy_range(domid, p->at, from, head);

    return error ? error : copy_range(domid, p->at + tail, from + tail, p->len - tail);
}

/* What no snapshot has: the tables that lie beside the domain's RAM. */
static long place_tables(u16 domid, const struct layout *l)
{
    long error = 0;

    for (u32 i = 0; !error && i < l->piece_count; i++)
        if (l->piece[i].at >= LAYOUT_LOW_END && l->piece[i].at < LAYOUT_HIGH_AT)
            error = copy_rest(domid, &l->piece[i], 0);
    return error;
}

/* What is shown comes first: copying brings pages together with their neighbours. */
static long place_pieces(u16 domid, const struct layout *l)
{
    long shown[LAYOUT_PIECES], error = 0;

    for (u32 i = 0; i < l->piece_count; i++) {
        shown[i] = show_pages(domid, &l->piece[i]);
        if (shown[i] < 0)
            return shown[i];
    }
    for (u32 i = 0; !error && i < l->piece_count; i++)
        error = copy_rest(domid, &l->piece[i], (u64)shown[i]);
    return error;
}

static bool build_failed(char *why, const char *what, long error)
{
    format(why, WHY, "%s: error %ld", what, error);
    return false;
}

static bool fill_anew(const struct guest *g, char *why)
{
    long error = place_pieces(g->domid, &layout);

    if (error)
        return build_failed(why, "its memory cannot be filled", error);
    error = ctl_first_vcpu(g->domid, layout.entry, layout.info_at);
    return !error || build_failed(why, "its first vCPU cannot be set up", error);
}

static bool fill_from(const struct guest *g, const struct snapshot *s, char *why)
{
    long error = place_tables(g->domid, &layout);

    if (!error)
        error = snapshot_place(s, g->domid);
    return !error || build_failed(why, "the snapshot does not fit into it", error);
}

static bool fill(struct guest *g, const struct snapshot *from, char *why)
{
    long error = ctl_memory(g->domid, &layout, g->recipe.overcommit);

    if (error)
        return build_failed(why, "the machine has no memory for it", error);
    if (!copy_gfn)
        copy_gfn = rt_window_alloc(COPY_FRAMES);
    if (!(from ? fill_from(g, from, why) : fill_anew(g, why)))
        return false;
    error = ctl_schedule(g->domid, g->recipe.vcpus, g->recipe.weight, g->recipe.cap,
                         g->recipe.pin);
    return !error || build_failed(why, "its weight, cap or pinning was refused", error);
}

/* --- the store's part, as Xen's toolstack lays it out ----------------------------------------- */

struct home {
    char path[96];
    size_t len; /* of the part that all nodes share */
    int error;
};

/* A node below the domain's own, with its parent's permissions or `perm`. */
static void node(struct home *h, const char *name, const char *value, const char *perm,
                 const char *perm2)
{
    if (h->error)
        return;
    memcpy(h->path + h->len, name, strlen(name) + 1);
    h->error = self_write(h->path, value);
    if (!h->error && perm)
        h->error = self_perms(h->path, perm, perm2);
}

/* The domain may read all of it, and write where it has something to say. */
static bool describe(struct guest *g, char *why)
{
    static const char *const own[] = {"/data",
                                      "/drivers",
                                      "/feature",
                                      "/attr",
                                      "/error",
                                      "/control/shutdown",
                                      "/control/sysrq",
                                      "/control/feature-poweroff",
                                      "/control/feature-reboot",
                                      "/control/feature-suspend"};
    char self_perm[16], read[16], mine[16], value[32], name[40];
    struct home h = {.error = 0};

    format(self_perm, sizeof(self_perm), "n%u", rt_started()->domid);
    format(read, sizeof(read), "r%u", g->domid);
    format(mine, sizeof(mine), "n%u", g->domid);
    h.len = format(h.path, sizeof(h.path), "/local/domain/%u", g->domid);
    node(&h, "", "", self_perm, read);
    node(&h, "/name", g->name, NULL, NULL);
    node(&h, "/domid", mine + 1, NULL, NULL);
    format(value, sizeof(value), "%lu", g->recipe.memory >> 10);
    node(&h, "/memory/target", value, NULL, NULL);
    node(&h, "/memory/static-max", value, NULL, NULL);
    node(&h, "/device", "", NULL, NULL);
    for (u32 i = 0; i < ARRAY_SIZE(own); i++)
        node(&h, own[i], "", mine, NULL);
    for (u32 i = 0; i < g->recipe.vcpus; i++) {
        format(name, sizeof(name), "/cpu/%u/availability", i);
        node(&h, name, "online", NULL, NULL);
    }
    if (h.error)
        format(why, WHY, "the store refused its description: %s", store_error_name(h.error));
    return !h.error;
}

static bool build(struct guest *g, const struct snapshot *from, char *why)
{
    u16 domid;
    long error;

    if (!load_request(g, why))
        return false;
    if (!layout_make(&layout, &request)) {
        format(why, WHY, "%s", layout.why);
        return false;
    }
    error = ctl_create(g->recipe.vcpus, g->recipe.memory, &domid);
    if (error)
        return build_failed(why, "the hypervisor makes no domain", error);
    g->domid = domid;
    g->by_domid = *bucket(domid);
    *bucket(domid) = g;
    g->built = true;
    g->started = g->ended = false;
    g->paused = 0;
    g->clock = (struct guest_clock){0};
    g->stopped = false;
    if (fill(g, from, why) && rings_open(g, why) && describe(g, why) &&
        assign_devices(g, why)) {
        xs_domain_introduced(&control.store, domid);
        return true;
    }
    guest_destroy(g);
    return false;
}

bool guest_build(struct guest *g, char *why)
{
    return build(g, NULL, why);
}

/* Whether its life goes on, or it comes from the past, is for the domain to know. */
bool guest_restore(struct guest *g, struct snapshot *s, char *why)
{
    const char *from;
    char path[64];
    struct json j;

    if (!build(g, s, why) || !devices_again(g, why))
        return false;
    from = snapshot_go_on(s) ? "on" : "past";
    format(path, sizeof(path), "/local/domain/%u/data/restored", g->domid);
    if (self_write(path, from) || ctl_unpause(g->domid)) {
        format(why, WHY, "%s does not start", g->name);
        return false;
    }
    g->started = true;
    result_begin(&j, "start");
    json_text(&j, "name", g->name);
    json_number(&j, "domid", g->domid);
    json_text(&j, "restored", from);
    result_end(&j);
    return true;
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
    char path[64];
    long error;

    if (!g->built)
        return;
    ctl_pause(g->domid); /* what it would still say or send, nobody would write down */
    holdings_used(g);
    assign_quiet(g);
    devices_gone(g);
    rings_close(g);
    trace_close(g);
    capture_close(g);
    format(path, sizeof(path), "/local/domain/%u", g->domid);
    xs_remove(&control.store, path);
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
    if (!control.over)
        result_guest("destroyed", g);
}

/* Its description stays; it begins anew with another number. */
static void restart(struct guest *g)
{
    char why[WHY];
    struct json j;

    guest_destroy(g);
    if (guest_build(g, why) && devices_again(g, why) && guest_start(g, why))
        return;
    result_begin(&j, "error");
    json_text(&j, "name", g->name);
    json_text(&j, "error", why);
    result_end(&j);
    guest_forget(g);
}

/* It stays as it is until somebody lets it go on, or ends it. */
static void suspended(struct guest *g)
{
    g->ended = true;
    g->reason = SHUTDOWN_suspend;
    rings_mark(g);
    rings_serve();
    trace_guest(g);
    result_guest("suspended", g);
    snapshot_suspended(g);
}

bool guest_resume(struct guest *g, char *why)
{
    long error;

    if (!g->built || !g->ended || g->reason != SHUTDOWN_suspend) {
        format(why, WHY, "%s is not suspended", g->name);
        return false;
    }
    error = ctl_resume(g->domid);
    if (error)
        return build_failed(why, "it does not go on", error);
    g->ended = false;
    result_guest("resumed", g);
    return true;
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
    trace_guest(g);
    xs_domain_shut_down(&control.store, g->domid);
    result_guest("exit", g);
    plan_on_exit(g);
    if (wish == END_RESTART)
        restart(g);
    else if (wish == END_DESTROY)
        guest_forget(g);
}

static void stopped(struct guest *g, u8 reason)
{
    if (reason == SHUTDOWN_suspend)
        suspended(g);
    else
        ended(g, reason);
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
            stopped(g, (u8)(info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask));
    }
}

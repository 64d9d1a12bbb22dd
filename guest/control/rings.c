/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two rings each domain shares with us (io/xs_wire.h, io/console.h). The other side is
 * hostile: its indexes are read once and checked, its bytes are copied out before use.
 */
#include "hyp/abi/xen.h"
#include <xen/io/console.h>
#include "base/format.h"
#include "guest/control/control.h"
#include "guest/control/ctl.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/store_wire.h"
#include "guest/rt/time.h"

enum { TURN_REQUESTS = 32 }; /* of one domain before others have their turn */
enum { CONSOLE_MOST = 512 << 10, INPUT_MOST = 64 << 10 };

static struct xenstore_domain_interface *store_ring(const struct guest *g)
{
    return rt_at(g->store_gfn << 12);
}

static struct xencons_interface *console_ring(const struct guest *g)
{
    return rt_at(g->console_gfn << 12);
}

static void mark(void *arg, u32 port)
{
    struct guest *g = arg;

    (void)port;
    list_remove(&g->ready);
    list_push_back(&control.ready, &g->ready);
}

/* --- the store ------------------------------------------------------------------------------- */

static void store_break(struct guest *g, u32 error)
{
    struct json j;

    if (store_ring(g)->error == error)
        return;
    store_ring(g)->error = error;
    result_begin(&j, "store-broken");
    json_text(&j, "name", g->name);
    json_number(&j, "error", error);
    result_end(&j);
}

/* Says that an injected fault has befallen requests of that domain. */
static void store_struck(struct guest *g, u32 count)
{
    struct json j;

    result_begin(&j, "store-fault");
    json_text(&j, "name", g->name);
    json_text(&j, "point", store_fault_name[control.store.fault.kind]);
    json_number(&j, "count", count);
    result_end(&j);
}

/* Answers and events into the ring, as far as there is room. True: something moved. */
static bool store_send(struct guest *g)
{
    struct xenstore_domain_interface *r = store_ring(g);
    u32 cons = __atomic_load_n(&r->rsp_cons, __ATOMIC_ACQUIRE), prod = r->rsp_prod;
    char bytes[XENSTORE_RING_SIZE];
    size_t len;

    if (prod - cons > XENSTORE_RING_SIZE) {
        store_break(g, XENSTORE_ERROR_RINGIDX);
        return false;
    }
    len = xs_take(g->store, bytes, XENSTORE_RING_SIZE - (prod - cons));
    for (size_t i = 0; i < len; i++)
        r->rsp[MASK_XENSTORE_IDX(prod++)] = bytes[i];
    __atomic_store_n(&r->rsp_prod, prod, __ATOMIC_RELEASE);
    return len != 0;
}

static bool store_receive(struct guest *g)
{
    struct xenstore_domain_interface *r = store_ring(g);
    u32 prod = __atomic_load_n(&r->req_prod, __ATOMIC_ACQUIRE), cons = r->req_cons;
    u32 struck = control.store.fault.struck;
    char bytes[XENSTORE_RING_SIZE];
    size_t len = prod - cons, took;

    if (len > XENSTORE_RING_SIZE) {
        store_break(g, XENSTORE_ERROR_RINGIDX);
        return false;
    }
    for (size_t i = 0; i < len; i++)
        bytes[i] = r->req[MASK_XENSTORE_IDX(cons + (u32)i)];
    took = xs_feed(g->store, bytes, len);
    __atomic_store_n(&r->req_cons, cons + (u32)took, __ATOMIC_RELEASE);
    if (control.store.fault.struck != struck)
        store_struck(g, control.store.fault.struck - struck);
    if (xs_broken(g->store))
        store_break(g, xs_broken(g->store));
    return took != 0;
}

static bool store_serve(struct guest *g)
{
    bool moved = false, more = true;

    for (u32 turn = 0; more && turn < TURN_REQUESTS; turn++) {
        more = store_receive(g);
        more |= store_send(g);
        moved |= more;
    }
    if (moved)
        rt_event_send(g->store_port);
    if (more)
        mark(g, 0);
    return moved;
}

/* --- the console ------------------------------------------------------------------------------ */

static void line_add(struct guest *g, char c)
{
    if (c != '\n' && g->line_len < sizeof(g->line) - 1) {
        g->line[g->line_len++] = c;
        return;
    }
    g->line[g->line_len] = 0;
    plan_on_output(g, g->line, g->line_len);
    g->line_len = 0;
}

/* Nobody empties the output ring of a seeded run, in which others have things to say, too. */
static bool console_kept(struct guest *g, size_t len)
{
    bool was = g->console_bytes <= CONSOLE_MOST;
    struct json j;

    g->console_bytes += len;
    if (!control.seeded || g->console_bytes <= CONSOLE_MOST)
        return true;
    if (was) {
        result_begin(&j, "error");
        json_text(&j, "name", g->name);
        json_text(&j, "error", "its console has said all that is kept of one in a seeded run");
        json_number(&j, "most", CONSOLE_MOST);
        result_end(&j);
    }
    return false;
}

static void console_text(struct guest *g, const char *text, size_t len)
{
    bool kept = console_kept(g, len);
    struct json j;

    if (kept)
        output(OSM_STREAM_CONSOLE + g->domid, text, len);
    for (size_t i = 0; i < len; i++)
        line_add(g, text[i]);
    if (g->line_len) /* a prompt ends no line */
        plan_on_output(g, g->line, g->line_len);
    if (kept && control.echo)
        rt_console_write(text, len);
    if (!g->watched)
        return;
    result_begin(&j, "output");
    json_text(&j, "name", g->name);
    json_bytes(&j, "text", text, len);
    result_end(&j);
}

static bool console_out(struct guest *g)
{
    struct xencons_interface *r = console_ring(g);
    u32 prod = __atomic_load_n(&r->out_prod, __ATOMIC_ACQUIRE), cons = r->out_cons;
    char text[sizeof(r->out)];
    size_t len = prod - cons;

    if (!len || len > sizeof(r->out))
        return false;
    for (size_t i = 0; i < len; i++)
        text[i] = r->out[MASK_XENCONS_IDX(cons + (u32)i, r->out)];
    __atomic_store_n(&r->out_cons, prod, __ATOMIC_RELEASE);
    console_text(g, text, len);
    return true;
}

static bool console_in(struct guest *g)
{
    struct xencons_interface *r = console_ring(g);
    u32 cons = __atomic_load_n(&r->in_cons, __ATOMIC_ACQUIRE), prod = r->in_prod, len;

    if (!g->input_len || prod - cons > sizeof(r->in))
        return false;
    len = MIN(g->input_len, (u32)sizeof(r->in) - (prod - cons));
    for (u32 i = 0; i < len; i++)
        r->in[MASK_XENCONS_IDX(prod++, r->in)] = g->input[i];
    __atomic_store_n(&r->in_prod, prod, __ATOMIC_RELEASE);
    g->input_len -= len;
    memmove(g->input, g->input + len, g->input_len);
    return len != 0;
}

static bool console_serve(struct guest *g)
{
    bool moved = console_out(g);

    moved |= console_in(g);
    if (moved)
        rt_event_send(g->console_port);
    return moved;
}

static bool input_grow(struct guest *g, u32 want)
{
    u32 room = MAX(want, MIN(2 * g->input_room, (u32)INPUT_MOST));
    char *bigger = rt_alloc(room);

    if (!bigger)
        return false;
    memcpy(bigger, g->input, g->input_len);
    rt_free(g->input, g->input_room);
    g->input = bigger;
    g->input_room = room;
    return true;
}

bool rings_input_room(struct guest *g, size_t len, char *why)
{
    if (!g->built) {
        format(why, WHY, "%s is not running", g->name);
        return false;
    }
    if (len > INPUT_MOST - g->input_len) {
        format(why, WHY, "nobody reads on the console of %s: %u bytes wait there", g->name,
               g->input_len);
        return false;
    }
    if (g->input_len + len > g->input_room && !input_grow(g, g->input_len + (u32)len)) {
        format(why, WHY, "no memory");
        return false;
    }
    return true;
}

void rings_input(struct guest *g, const char *text, size_t len)
{
    rt_assert(len <= g->input_room - g->input_len);
    memcpy(g->input + g->input_len, text, len);
    g->input_len += (u32)len;
    console_serve(g);
}

/* --- both --------------------------------------------------------------------------------------- */

bool rings_serve(void)
{
    bool any = false;
    struct list now;

    list_init(&now);
    while (!list_empty(&control.ready))
        list_push_back(&now, list_pop_front(&control.ready));
    while (!list_empty(&now)) {
        struct guest *g = list_entry(list_pop_front(&now), struct guest, ready);

        any |= store_serve(g);
        any |= console_serve(g);
        if (plan_watches(g))
            trace_guest(g);
    }
    return any;
}

void rings_mark(struct guest *g)
{
    mark(g, 0);
}

void rings_late(struct guest *g)
{
    control.late += !g->late_until;
    g->late_until = rt_now_ns() + control.late_ns;
}

static void on_time(struct guest *g)
{
    g->late_until = 0;
    control.late--;
    xs_on_time(g->store);
    mark(g, 0);
}

u64 rings_due(void)
{
    u64 now = rt_now_ns(), next = RT_NEVER;

    if (!control.late)
        return RT_NEVER;
    list_for_each(at, &control.guests)
    {
        struct guest *g = list_entry(at, struct guest, link);

        if (g->late_until && g->late_until <= now)
            on_time(g);
        else if (g->late_until)
            next = MIN(next, g->late_until);
    }
    return next;
}

/* One of the domain's frames, mapped here; its port, bound. 0 or a negative errno. */
static long open_ring(struct guest *g, u64 gfn, u32 gfn_param, u32 port_param, u64 *here,
                      u32 *our_port)
{
    u32 port;
    long error = ctl_port(g->domid, &port), bound;

    if (error)
        return error;
    *here = rt_window_alloc(1);
    if (!*here)
        return -XEN_ENOSPC;
    error = ctl_map(g->domid, gfn, *here);
    if (!error)
        error = rt_hvm_param_set(g->domid, gfn_param, gfn);
    if (!error)
        error = rt_hvm_param_set(g->domid, port_param, port);
    if (error)
        return error;
    bound = rt_event_bind_interdomain(g->domid, port, mark, g);
    if (bound < 0)
        return bound;
    *our_port = (u32)bound;
    return 0;
}

/* The store's port comes first: guests find 1 and 2 there, as on Xen. */
bool rings_open(struct guest *g, char *why)
{
    long error = open_ring(g, LAYOUT_STORE_GFN, HVM_PARAM_STORE_PFN, HVM_PARAM_STORE_EVTCHN,
                           &g->store_gfn, &g->store_port);

    if (!error)
        error = open_ring(g, LAYOUT_CONSOLE_GFN, HVM_PARAM_CONSOLE_PFN,
                          HVM_PARAM_CONSOLE_EVTCHN, &g->console_gfn, &g->console_port);
    if (error) {
        format(why, WHY, "its rings cannot be set up: error %ld", error);
        return false;
    }
    store_ring(g)->server_features = XENSTORE_SERVER_FEATURE_ERROR;
    g->store = xs_connect(&control.store, g->domid);
    if (!g->store)
        format(why, WHY, "no memory for its store connection");
    return g->store;
}

static void close_ring(u64 *gfn, u32 *port)
{
    if (*port)
        rt_event_close(*port);
    if (*gfn) {
        ctl_unmap(*gfn);
        rt_window_free(*gfn, 1);
    }
    *gfn = 0;
    *port = 0;
}

void rings_close(struct guest *g)
{
    if (g->console_gfn && g->console_port)
        console_out(g);
    if (g->line_len)
        line_add(g, '\n');
    if (g->late_until)
        on_time(g);
    if (g->store)
        xs_disconnect(g->store);
    g->store = NULL;
    close_ring(&g->store_gfn, &g->store_port);
    close_ring(&g->console_gfn, &g->console_port);
    rt_free(g->input, g->input_room);
    g->input = NULL;
    g->input_len = g->input_room = 0;
    list_remove(&g->ready);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xenstore ring (io/xs_wire.h): requests out, answers and watch events in. Events that
 * come while an answer is awaited are queued until rt_store_poll.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/store_wire.h"

enum { WATCH_ROWS = 128 };

struct queued {
    struct queued *next;
    u32 len;
    char text[]; /* path NUL token NUL */
};

static struct xenstore_domain_interface *ring;
static u32 ring_port;
static u32 last_request, last_token;
static struct rt_store_watch *watches[WATCH_ROWS]; /* by token, newest first */
static struct queued *queue_first, **queue_last = &queue_first;

/* The message coming in: its head, then its payload as far as there is room for one. */
static struct {
    struct xsd_sockmsg head;
    u32 got; /* of head and payload together */
    char payload[XENSTORE_PAYLOAD_MAX + 1];
} in;

static size_t ring_put(const char *data, size_t len)
{
    u32 cons = __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE), prod = ring->req_prod;

    if (prod - cons > XENSTORE_RING_SIZE)
        rt_panic("the store's ring is broken: %u, %u", prod, cons);
    len = MIN(len, (size_t)(XENSTORE_RING_SIZE - (prod - cons)));
    for (size_t i = 0; i < len; i++)
        ring->req[MASK_XENSTORE_IDX(prod++)] = data[i];
    __atomic_store_n(&ring->req_prod, prod, __ATOMIC_RELEASE);
    return len;
}

static size_t ring_get(char *data, size_t len)
{
    u32 prod = __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE), cons = ring->rsp_cons;

    if (prod - cons > XENSTORE_RING_SIZE)
        rt_panic("the store's ring is broken: %u, %u", prod, cons);
    len = MIN(len, (size_t)(prod - cons));
    for (size_t i = 0; i < len; i++)
        data[i] = ring->rsp[MASK_XENSTORE_IDX(cons++)];
    __atomic_store_n(&ring->rsp_cons, cons, __ATOMIC_RELEASE);
    return len;
}

static void send(const char *data, size_t len)
{
    while (len) {
        size_t done = ring_put(data, len);

        rt_event_send(ring_port);
        data += done;
        len -= done;
        if (len && !done)
            rt_wait();
    }
}

/* True when a whole message is in `in`. */
static bool receive(void)
{
    u32 start = in.got;
    size_t head = sizeof(in.head);

    if (in.got < head)
        in.got += (u32)ring_get((char *)&in.head + in.got, head - in.got);
    if (in.got >= head && in.head.len > XENSTORE_PAYLOAD_MAX)
        rt_panic("the store sent %u bytes at once", in.head.len);
    if (in.got >= head)
        in.got += (u32)ring_get(in.payload + in.got - head, in.head.len - (in.got - head));
    if (in.got != start)
        rt_event_send(ring_port);
    if (in.got < head || in.got - head < in.head.len)
        return false;
    in.payload[in.head.len] = 0;
    in.got = 0;
    return true;
}

static void enqueue(void)
{
    struct queued *q = rt_alloc(sizeof(*q) + in.head.len + 1);

    if (!q)
        rt_panic("no memory for a change in the store");
    q->next = NULL;
    q->len = in.head.len;
    memcpy(q->text, in.payload, in.head.len + 1);
    *queue_last = q;
    queue_last = &q->next;
}

/* Takes in all that has come; true once the answer to last_request is in `in`. */
static bool take(void)
{
    while (receive()) {
        if (in.head.type == XS_WATCH_EVENT)
            enqueue();
        else if (in.head.req_id == last_request)
            return true;
    }
    return false;
}

long rt_store_call(u32 type, u32 transaction, const char *payload, size_t len, char *reply,
                   size_t room)
{
    struct xsd_sockmsg head = {
        .type = type, .req_id = ++last_request, .tx_id = transaction, .len = (u32)len};

    if (!ring)
        return -XEN_ENOSYS;
    if (len > XENSTORE_PAYLOAD_MAX)
        return -XEN_E2BIG;
    send((const char *)&head, sizeof(head));
    send(payload, len);
    while (!take())
        rt_wait();
    if (in.head.type == XS_ERROR)
        return -store_errno(in.payload);
    if (room) {
        size_t most = MIN((size_t)in.head.len, room - 1);

        memcpy(reply, in.payload, most);
        reply[most] = 0;
    }
    return (long)in.head.len;
}

static struct rt_store_watch **row(u32 token)
{
    return &watches[token % WATCH_ROWS];
}

/* Hands one change to whoever watches for it: the token says who. */
static void deliver(const struct queued *q)
{
    const char *digits = q->text + strnlen(q->text, q->len) + 1;
    u32 token = 0;

    if (digits > q->text + q->len)
        return;
    for (; *digits >= '0' && *digits <= '9'; digits++)
        token = token * 10 + (u32)(*digits - '0');
    for (struct rt_store_watch *w = *row(token); w; w = w->next) {
        if (w->token == token) {
            w->fn(w->arg, q->text);
            return;
        }
    }
}

/* By the ring itself, not by its event, which may have been lost. */
static bool ring_has_more(void)
{
    return ring && __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE) != ring->rsp_cons;
}

static bool hand_out(void)
{
    struct queued *q;
    bool any = false;

    if (ring_has_more())
        take();
    while ((q = queue_first)) {
        queue_first = q->next;
        if (!queue_first)
            queue_last = &queue_first;
        deliver(q);
        rt_free(q, sizeof(*q) + q->len + 1);
        any = true;
    }
    return any;
}

bool rt_store_poll(void)
{
    return (queue_first || ring_has_more()) && hand_out();
}

/* XS_WATCH or XS_UNWATCH. */
static long watch_call(u32 type, const struct rt_store_watch *w)
{
    char text[RT_STORE_WATCH_PATH + 16];
    size_t len = strlen(w->path) + 1;

    memcpy(text, w->path, len);
    len += format(text + len, 16, "%u", w->token) + 1;
    return rt_store_call(type, 0, text, len, NULL, 0);
}

long rt_store_watch(struct rt_store_watch *w, const char *path, rt_store_watch_fn *fn,
                    void *arg)
{
    size_t len = strlen(path) + 1;
    struct rt_store_watch **at;
    long error;

    if (len > RT_STORE_WATCH_PATH)
        return -XEN_EINVAL;
    at = row(++last_token);
    *w = (struct rt_store_watch){*at, fn, arg, last_token, ""};
    memcpy(w->path, path, len);
    *at = w;
    error = watch_call(XS_WATCH, w);
    if (error < 0)
        *at = w->next;
    return error < 0 ? error : 0;
}

long rt_store_unwatch(struct rt_store_watch *w)
{
    long error = watch_call(XS_UNWATCH, w);

    for (struct rt_store_watch **at = row(w->token); *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    return error < 0 ? error : 0;
}

/* Waking up is all that is needed: take() looks at the ring. */
static void on_event(void *arg, u32 port)
{
    (void)arg;
    (void)port;
}

bool rt_store_present(void)
{
    return ring != NULL;
}

void rt_store_poke(void)
{
    if (ring)
        rt_event_send(ring_port);
}

static void find_ring(void)
{
    u64 gfn = 0, port = 0;

    if (rt_hvm_param_get(DOMID_SELF, HVM_PARAM_STORE_PFN, &gfn) ||
        rt_hvm_param_get(DOMID_SELF, HVM_PARAM_STORE_EVTCHN, &port) || !gfn || !port ||
        gfn >> 20)
        return;
    ring = rt_at(gfn << 12);
    ring_port = (u32)port;
    rt_event_handle(ring_port, on_event, NULL);
}

void rt_store_init(void)
{
    if (rt_host() != RT_NATIVE && !(rt_started()->flags & SIF_INITDOMAIN))
        find_ring();
}

/* Each watch tells at first how things are, so what was queued is not missed. */
void rt_store_begin_again(void)
{
    ring = NULL;
    in.got = 0;
    find_ring();
    for (u32 i = 0; i < WATCH_ROWS; i++)
        for (struct rt_store_watch *w = watches[i]; w; w = w->next)
            watch_call(XS_WATCH, w);
}

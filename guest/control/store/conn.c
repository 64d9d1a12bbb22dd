/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: requests assembled from whatever pieces a ring gives, answers and events
 * queued until the ring has room. A client that takes no answers is served no further
 * request, and holds at most one answer and its quota of events.
 */
#include "base/format.h"
#include "guest/control/store/parts.h"

struct xs_conn *xs_connect(struct xs *s, u16 domid)
{
    struct xs_domain *d = xs_domain_need(s, domid);
    struct xs_conn *c = d ? xs_alloc(s, sizeof(*c)) : NULL;

    if (!c)
        return NULL;
    c->s = s;
    c->domid = domid;
    c->privileged = domid == s->self;
    list_init(&c->watch_list);
    list_init(&c->txn_list);
    list_init(&c->out);
    d->connections++;
    s->connections++;
    return c;
}

static void out_free(struct xs_conn *c, struct xs_out *o)
{
    if (o->event)
        c->events--;
    else
        c->answers--;
    list_remove(&o->link);
    xs_free(c->s, o, sizeof(*o) + o->len);
}

void xs_disconnect(struct xs_conn *c)
{
    struct xs *s = c->s;

    while (!list_empty(&c->watch_list))
        xs_watch_free(list_entry(c->watch_list.next, struct xs_watch, link));
    while (!list_empty(&c->txn_list))
        xs_txn_drop(list_entry(c->txn_list.next, struct xs_txn, link));
    while (!list_empty(&c->out))
        out_free(c, list_entry(c->out.next, struct xs_out, link));
    xs_free(s, c->payload, c->head.len);
    xs_domain_find(s, c->domid)->connections--;
    s->connections--;
    xs_free(s, c, sizeof(*c));
}

bool xs_push(struct xs_conn *c, bool event, const struct xsd_sockmsg *head, const char *payload)
{
    u32 len = (u32)sizeof(*head) + head->len;
    struct xs_out *o = xs_alloc(c->s, sizeof(*o) + len);

    if (!o)
        return false;
    o->event = event;
    o->len = len;
    memcpy(o->data, head, sizeof(*head));
    if (head->len)
        memcpy(o->data + sizeof(*head), payload, head->len);
    if (list_empty(&c->out) && c->s->hooks.pending)
        c->s->hooks.pending(c->s->hooks.ctx, c->domid);
    list_push_back(&c->out, &o->link);
    if (event)
        c->events++;
    else
        c->answers++;
    return true;
}

/* The last event waiting says the same: one is enough. */
static bool repeats(const struct xs_conn *c, const char *payload, u32 len)
{
    const struct xs_out *last = list_entry(c->out.prev, struct xs_out, link);

    return !list_empty(&c->out) && last->event && !last->taken &&
           last->len == sizeof(struct xsd_sockmsg) + len &&
           memcmp(last->data + sizeof(struct xsd_sockmsg), payload, len) == 0;
}

void xs_push_event(struct xs_watch *w, const char *path)
{
    char payload[XENSTORE_PAYLOAD_MAX];
    struct xs_conn *c = w->conn;
    size_t path_len = strlen(path) + 1, token_len = strlen(w->token) + 1;
    struct xsd_sockmsg head = {.type = XS_WATCH_EVENT, .len = (u32)(path_len + token_len)};

    if (path_len + token_len > sizeof(payload))
        return;
    memcpy(payload, path, path_len);
    memcpy(payload + path_len, w->token, token_len);
    if (repeats(c, payload, head.len))
        return;
    if (!c->privileged &&
        c->events >= c->s->quota.events + XS_DEVICE_EVENTS * xs_devices(c->s, c->domid)) {
        c->s->dropped++;
        xs_refuse(c, "events not yet read", 0);
        return;
    }
    if (!xs_push(c, true, &head, payload))
        c->s->dropped++;
}

/* An error's name, and behind its NUL the quota that refused, for those who look. */
static void answer(struct xs_conn *c)
{
    char reply[XENSTORE_PAYLOAD_MAX];
    struct xsd_sockmsg head = c->head;
    int error;

    error = xs_request(c, head.type, head.tx_id, c->payload ? c->payload : "", head.len, reply,
                       &head.len);
    if (error) {
        const char *name = store_error_name(error);

        head.type = XS_ERROR;
        head.len = (u32)format(reply, sizeof(reply), "%s%c%s", name, 0, c->why ? c->why : "");
        head.len += c->why ? 1 : 0;
    }
    if (c->fault == XS_FAULT_LOSE)
        return;
    if (!xs_push(c, false, &head, reply))
        c->broken = XENSTORE_ERROR_COMM;
    if (c->fault == XS_FAULT_DELAY && c->s->hooks.late) {
        c->late = true;
        c->s->hooks.late(c->s->hooks.ctx, c->domid);
    }
}

/* The watch's first event follows the answer to XS_WATCH, so it is fired here. */
static void serve(struct xs_conn *c)
{
    struct list *last = c->out.prev;
    u32 size = c->head.len;

    answer(c);
    if (c->head.type == XS_WATCH && !c->broken && c->out.prev != last) {
        struct list *reply = c->out.prev;

        list_remove(reply);
        list_insert(last, reply);
    }
    xs_free(c->s, c->payload, size);
    c->payload = NULL;
    c->head.len = 0;
    c->got = 0;
}

static size_t feed_head(struct xs_conn *c, const u8 *data, size_t len)
{
    size_t part = MIN(len, sizeof(c->head) - c->got);

    memcpy((u8 *)&c->head + c->got, data, part);
    c->got += (u32)part;
    if (c->got < sizeof(c->head))
        return part;
    if (c->head.len > XENSTORE_PAYLOAD_MAX) {
        c->head.len = 0;
        c->broken = XENSTORE_ERROR_PROTO;
    } else if (c->head.len) {
        c->payload = xs_alloc(c->s, c->head.len);
        if (!c->payload) {
            c->head.len = 0;
            c->broken = XENSTORE_ERROR_COMM;
        }
    }
    return part;
}

size_t xs_feed(struct xs_conn *c, const void *data, size_t len)
{
    const u8 *from = data;
    size_t took = 0;

    while (!c->broken && !c->answers) {
        size_t part = 0;

        if (c->got < sizeof(c->head))
            part = feed_head(c, from + took, len - took);
        if (c->got >= sizeof(c->head) && !c->broken) {
            u32 at = c->got - (u32)sizeof(c->head);
            size_t more = MIN(len - took - part, (size_t)(c->head.len - at));

            if (more)
                memcpy(c->payload + at, from + took + part, more);
            c->got += (u32)more;
            part += more;
            if (c->got == sizeof(c->head) + c->head.len)
                serve(c);
        }
        if (!part)
            break;
        took += part;
    }
    return took;
}

size_t xs_take(struct xs_conn *c, void *data, size_t room)
{
    u8 *to = data;
    size_t took = 0;

    while (took < room && !c->late && !list_empty(&c->out)) {
        struct xs_out *o = list_entry(c->out.next, struct xs_out, link);
        size_t part = MIN(room - took, (size_t)(o->len - o->taken));

        memcpy(to + took, o->data + o->taken, part);
        o->taken += (u32)part;
        took += part;
        if (o->taken == o->len)
            out_free(c, o);
    }
    return took;
}

void xs_on_time(struct xs_conn *c)
{
    c->late = false;
}

static void copy_text(char *to, size_t room, const char *from)
{
    size_t len = MIN(strlen(from), room - 1);

    memcpy(to, from, len);
    to[len] = 0;
}

bool xs_next_event(struct xs_conn *c, char *path, size_t path_room, char *token,
                   size_t token_room)
{
    struct xs_out *o;
    const char *payload;

    if (list_empty(&c->out))
        return false;
    o = list_entry(c->out.next, struct xs_out, link);
    payload = (const char *)o->data + sizeof(struct xsd_sockmsg);
    copy_text(path, path_room, payload);
    copy_text(token, token_room, payload + strlen(payload) + 1);
    out_free(c, o);
    return true;
}

u32 xs_broken(const struct xs_conn *c)
{
    return c->broken;
}

bool xs_idle(const struct xs_conn *c)
{
    return list_empty(&c->out);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control domain as a client of its own store, without a ring between.
 */
#include "base/format.h"
#include "guest/control/control.h"
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"
#include "guest/rt/store_wire.h"

static void *store_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return rt_alloc(size);
}

static void store_free(void *ctx, void *at, size_t size)
{
    (void)ctx;
    rt_free(at, size);
}

/* Results tell which quota refused whom. */
static void refused(void *ctx, u16 domid, const char *quota)
{
    struct guest *g = guest_of(domid);
    struct json j;

    (void)ctx;
    result_begin(&j, "refused");
    json_text(&j, "name", g ? g->name : "");
    json_number(&j, "domid", domid);
    json_text(&j, "quota", quota);
    result_end(&j);
}

static void pending(void *ctx, u16 domid)
{
    struct guest *g = guest_of(domid);

    (void)ctx;
    if (g && g->store)
        rings_mark(g);
}

static void late(void *ctx, u16 domid)
{
    struct guest *g = guest_of(domid);

    (void)ctx;
    if (g && g->store)
        rings_late(g);
}

bool self_init(void)
{
    const struct xs_memory memory = {store_alloc, store_free, NULL};
    const struct xs_hooks hooks = {.refused = refused, .pending = pending, .late = late};

    if (!xs_init(&control.store, (u16)rt_started()->domid, &memory, &xs_default_quota, &hooks))
        return false;
    control.self = xs_connect(&control.store, (u16)rt_started()->domid);
    /* /osmosis: descriptions of media, faults and the seed, which driver domains read. */
    return control.self && !self_write("/tool/xenstored", "") && !self_write("/vm", "") &&
           !self_write("/osmosis", "") && !self_perms("/osmosis", "r0", NULL) &&
           !self_printf("/local/domain/0/name", "control") &&
           !self_printf("/local/domain/0/domid", "%u", rt_started()->domid);
}

int self_call(u32 type, const char *payload, u32 len, char *reply, u32 *reply_len)
{
    return xs_request(control.self, type, 0, payload, len, reply, reply_len);
}

int self_write(const char *path, const char *value)
{
    static char payload[XENSTORE_PAYLOAD_MAX], reply[XENSTORE_PAYLOAD_MAX];
    size_t path_len = strlen(path) + 1, len = strlen(value);
    u32 reply_len;

    if (path_len + len > sizeof(payload))
        return XEN_E2BIG;
    memcpy(payload, path, path_len);
    memcpy(payload + path_len, value, len);
    return self_call(XS_WRITE, payload, (u32)(path_len + len), reply, &reply_len);
}

int self_printf(const char *path, const char *fmt, ...)
{
    char value[256];
    va_list args;

    va_start(args, fmt);
    vformat(value, sizeof(value), fmt, args);
    va_end(args);
    return self_write(path, value);
}

int self_read(const char *path, char *value, size_t room)
{
    static char reply[XENSTORE_PAYLOAD_MAX];
    u32 len;
    int error = self_call(XS_READ, path, (u32)strlen(path) + 1, reply, &len);

    if (error)
        return error;
    len = (u32)MIN((size_t)len, room - 1);
    memcpy(value, reply, len);
    value[len] = 0;
    return 0;
}

int self_perms(const char *path, const char *perm, const char *perm2)
{
    static char reply[XENSTORE_PAYLOAD_MAX];
    char payload[XENSTORE_ABS_PATH_MAX + 32];
    u32 len = (u32)format(payload, sizeof(payload), "%s%c%s", path, 0, perm) + 1, reply_len;

    if (perm2)
        len += (u32)format(payload + len, sizeof(payload) - len, "%s", perm2) + 1;
    return self_call(XS_SET_PERMS, payload, len, reply, &reply_len);
}

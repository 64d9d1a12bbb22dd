/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xenstore server against the wire protocol (io/xs_wire.h): every request, transactions
 * and their conflicts, watches and their rights, quotas, clean-up, hostile clients.
 * Rows H10, F23 of the fault list.
 */
#include <errno.h>
#include "tests/check.h"
#include "base/format.h"
#include "guest/control/store/parts.h"

static long allocations_left = -1; /* -1: without limit */

static void *take(void *ctx, size_t size)
{
    (void)ctx;
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return calloc(1, size);
}

static void give(void *ctx, void *at, size_t size)
{
    (void)ctx;
    (void)size;
    free(at);
}

static const struct xs_memory memory = {take, give, NULL};
static const char *last_refusal;

static void refused(void *ctx, u16 domid, const char *quota)
{
    (void)ctx;
    (void)domid;
    last_refusal = quota;
}

static const struct xs_hooks hooks = {.refused = refused};

static char out[XENSTORE_PAYLOAD_MAX + 1];
static u32 out_len;

/* Words are separated by '|', which stands for NUL; the last one ends with NUL as well. */
static int ask(struct xs_conn *c, u32 type, u32 tx, const char *text)
{
    char in[XENSTORE_PAYLOAD_MAX];
    u32 len = (u32)strlen(text) + 1;
    int error;

    memcpy(in, text, len);
    for (u32 i = 0; i < len; i++)
        if (in[i] == '|')
            in[i] = 0;
    error = xs_request(c, type, tx, in, len, out, &out_len);
    out[out_len] = 0;
    CHECK(xs_check(c->s) == NULL);
    return error;
}

/* A write's value has no NUL at its end. */
static int put(struct xs_conn *c, u32 tx, const char *path, const char *value)
{
    char in[XENSTORE_PAYLOAD_MAX];
    u32 len = (u32)(strlen(path) + 1 + strlen(value));
    int error;

    strcpy(in, path);
    memcpy(in + strlen(path) + 1, value, strlen(value));
    error = xs_request(c, XS_WRITE, tx, in, len, out, &out_len);
    CHECK(xs_check(c->s) == NULL);
    return error;
}

static u32 begin(struct xs_conn *c)
{
    CHECK_EQ(ask(c, XS_TRANSACTION_START, 0, ""), 0);
    return (u32)strtoul(out, NULL, 10);
}

static struct xs s;
static struct xs_conn *zero, *one, *two;

static void open_store(void)
{
    CHECK(xs_init(&s, 0, &memory, &xs_default_quota, &hooks));
    zero = xs_connect(&s, 0);
    one = xs_connect(&s, 1);
    two = xs_connect(&s, 2);
    CHECK_EQ(put(zero, 0, "/local/domain/1/name", "one"), 0);
    CHECK_EQ(ask(zero, XS_SET_PERMS, 0, "/local/domain/1|n1"), 0);
    CHECK_EQ(ask(zero, XS_SET_PERMS, 0, "/local/domain/1/name|n0|r1"), 0);
}

static void close_store(void)
{
    xs_disconnect(zero);
    xs_disconnect(one);
    xs_disconnect(two);
    xs_domain_released(&s, 1);
    xs_domain_released(&s, 2);
    CHECK(xs_check(&s) == NULL);
    xs_destroy(&s);
    CHECK_EQ(s.bytes, 0);
}

static void test_read_and_write(void)
{
    open_store();
    CHECK_EQ(ask(zero, XS_READ, 0, "/local/domain/1/name"), 0);
    CHECK(strcmp(out, "one") == 0);
    CHECK_EQ(ask(one, XS_READ, 0, "name"), 0); /* relative, by r1 */
    CHECK_EQ(ask(two, XS_READ, 0, "/local/domain/1/name"), XEN_EACCES);
    CHECK_EQ(ask(one, XS_READ, 0, "nothing"), XEN_ENOENT);
    CHECK_EQ(ask(two, XS_READ, 0, "/local/domain/1/nothing"), XEN_EACCES);
    CHECK_EQ(put(one, 0, "name", "x"), XEN_EACCES);
    CHECK_EQ(put(one, 0, "data/a/b", "deep"), 0);
    CHECK_EQ(ask(one, XS_READ, 0, "data/a"), 0);
    CHECK_EQ(out_len, 0);
    CHECK_EQ(ask(one, XS_DIRECTORY, 0, "data"), 0);
    CHECK(out_len == 2 && strcmp(out, "a") == 0);
    CHECK_EQ(ask(one, XS_GET_PERMS, 0, "data/a/b"), 0);
    CHECK(strcmp(out, "n1") == 0);
    close_store();
}

static void test_bad_paths(void)
{
    static const char *const bad[] = {"",         "a//b", "a/", "/a b", "/caf\xc3\xa9",
                                      "@nothing", "a?b"};

    open_store();
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK_EQ(ask(zero, XS_READ, 0, bad[i]), XEN_EINVAL);
    CHECK_EQ(ask(zero, XS_READ, 0, "/a|b"), XEN_EINVAL);
    CHECK_EQ(xs_request(zero, XS_READ, 0, "/a", 2, out, &out_len), XEN_EINVAL); /* no NUL */
    CHECK_EQ(ask(zero, XS_RM, 0, "/"), XEN_EINVAL);
    CHECK_EQ(ask(zero, XS_RM, 0, "@releaseDomain"), XEN_EINVAL);
    CHECK_EQ(ask(zero, XS_TYPE_COUNT, 0, "/"), XEN_ENOSYS);
    CHECK_EQ(ask(zero, XS_WATCH_EVENT, 0, "/|t"), XEN_ENOSYS);
    close_store();
}

static void test_make_and_remove(void)
{
    open_store();
    CHECK_EQ(ask(one, XS_MKDIR, 0, "d/e"), 0);
    CHECK_EQ(ask(one, XS_MKDIR, 0, "d/e"), 0);
    CHECK_EQ(put(one, 0, "d/e/f", "1"), 0);
    CHECK_EQ(ask(one, XS_RM, 0, "d/none"), 0); /* as Xen: its parent is there */
    CHECK_EQ(ask(one, XS_RM, 0, "none/none"), XEN_ENOENT);
    CHECK_EQ(ask(two, XS_RM, 0, "/local/domain/1/d"), XEN_EACCES);
    CHECK_EQ(ask(one, XS_RM, 0, "d"), 0);
    CHECK_EQ(ask(one, XS_READ, 0, "d/e/f"), XEN_ENOENT);
    CHECK_EQ(ask(one, XS_DIRECTORY, 0, "d"), XEN_ENOENT);
    close_store();
}

static void test_permissions(void)
{
    open_store();
    CHECK_EQ(put(one, 0, "p", "v"), 0);
    CHECK_EQ(ask(two, XS_READ, 0, "/local/domain/1/p"), XEN_EACCES);
    CHECK_EQ(ask(one, XS_SET_PERMS, 0, "p|n1|r2"), 0);
    CHECK_EQ(ask(two, XS_READ, 0, "/local/domain/1/p"), 0);
    CHECK_EQ(put(two, 0, "/local/domain/1/p", "w"), XEN_EACCES);
    CHECK_EQ(ask(two, XS_SET_PERMS, 0, "/local/domain/1/p|n2"), XEN_EACCES);
    CHECK_EQ(ask(one, XS_SET_PERMS, 0, "p|n2"), XEN_EPERM); /* giving it away */
    CHECK_EQ(ask(one, XS_SET_PERMS, 0, "p|b1|n2"), 0);
    CHECK_EQ(ask(two, XS_READ, 0, "/local/domain/1/p"), XEN_EACCES);
    CHECK_EQ(ask(one, XS_SET_PERMS, 0, "p|x1"), XEN_EINVAL);
    CHECK_EQ(ask(one, XS_SET_PERMS, 0, "p|r70000"), XEN_EINVAL);
    CHECK_EQ(ask(one, XS_SET_PERMS, 0, "p"), XEN_EINVAL);
    CHECK_EQ(ask(one, XS_INTRODUCE, 0, "3|1|1"), XEN_EACCES);
    CHECK_EQ(ask(one, XS_CONTROL, 0, "check"), XEN_EACCES);
    close_store();
}

static void test_rights_die_with_their_domain(void)
{
    open_store();
    CHECK_EQ(put(zero, 0, "/shared", "secret"), 0);
    CHECK_EQ(ask(zero, XS_SET_PERMS, 0, "/shared|n0|r2"), 0);
    CHECK_EQ(ask(two, XS_READ, 0, "/shared"), 0);
    xs_disconnect(two);
    xs_domain_released(&s, 2);
    two = xs_connect(&s, 2);
    CHECK_EQ(ask(two, XS_READ, 0, "/shared"), XEN_EACCES);
    close_store();
}

static void test_transaction_isolates(void)
{
    u32 t;

    open_store();
    t = begin(one);
    CHECK_EQ(put(one, t, "a", "1"), 0);
    CHECK_EQ(ask(one, XS_READ, 0, "a"), XEN_ENOENT);
    CHECK_EQ(ask(one, XS_READ, t, "a"), 0);
    CHECK_EQ(ask(one, XS_DIRECTORY, t, "/local/domain/1"), 0);
    CHECK(out_len == 7 && memcmp(out, "name\0a", 7) == 0);
    CHECK_EQ(ask(one, XS_TRANSACTION_END, t, "T"), 0);
    CHECK_EQ(ask(one, XS_READ, 0, "a"), 0);
    t = begin(one);
    CHECK_EQ(ask(one, XS_RM, t, "a"), 0);
    CHECK_EQ(ask(one, XS_TRANSACTION_END, t, "F"), 0);
    CHECK_EQ(ask(one, XS_READ, 0, "a"), 0);
    CHECK_EQ(ask(one, XS_READ, t, "a"), XEN_ENOENT);
    CHECK_EQ(ask(one, XS_TRANSACTION_END, t, "T"), XEN_ENOENT);
    close_store();
}

static void test_transaction_conflict(void)
{
    u32 t, u;

    open_store();
    CHECK_EQ(put(one, 0, "n", "1"), 0);
    t = begin(one);
    CHECK_EQ(ask(one, XS_READ, t, "n"), 0);
    CHECK_EQ(put(one, t, "m", "2"), 0);
    CHECK_EQ(put(zero, 0, "/local/domain/1/n", "9"), 0);
    CHECK_EQ(ask(one, XS_TRANSACTION_END, t, "T"), XEN_EAGAIN);
    CHECK_EQ(ask(one, XS_READ, 0, "m"), XEN_ENOENT);
    t = begin(one);
    u = begin(one);
    CHECK_EQ(put(one, t, "n", "t"), 0);
    CHECK_EQ(put(one, u, "n", "u"), 0);
    CHECK_EQ(ask(one, XS_TRANSACTION_END, u, "T"), 0);
    CHECK_EQ(ask(one, XS_TRANSACTION_END, t, "T"), XEN_EAGAIN);
    /* An unrelated change is none. */
    t = begin(one);
    CHECK_EQ(put(one, t, "n", "t"), 0);
    CHECK_EQ(put(zero, 0, "/elsewhere", "x"), 0);
    CHECK_EQ(ask(one, XS_TRANSACTION_END, t, "T"), 0);
    close_store();
}

static void test_created_and_deleted_in_one_transaction(void)
{
    u32 t, nodes;

    open_store();
    nodes = s.nodes;
    t = begin(one);
    CHECK_EQ(put(one, t, "x/y/z", "1"), 0);
    CHECK_EQ(put(one, t, "x", "top"), 0);
    CHECK_EQ(ask(one, XS_RM, t, "x"), 0);
    CHECK_EQ(ask(one, XS_READ, t, "x/y"), XEN_ENOENT);
    CHECK_EQ(ask(one, XS_TRANSACTION_END, t, "T"), 0);
    CHECK_EQ(s.nodes, nodes);
    CHECK_EQ(put(one, 0, "x/y/z", "1"), 0);
    t = begin(one);
    CHECK_EQ(ask(one, XS_RM, t, "x"), 0);
    CHECK_EQ(put(one, t, "x/w", "2"), 0);
    CHECK_EQ(ask(one, XS_TRANSACTION_END, t, "T"), 0);
    CHECK_EQ(ask(one, XS_DIRECTORY, 0, "x"), 0);
    CHECK(out_len == 2 && strcmp(out, "w") == 0);
    close_store();
}

static bool event(struct xs_conn *c, const char *path, const char *token)
{
    char p[256], t[64];

    return xs_next_event(c, p, sizeof(p), t, sizeof(t)) && strcmp(p, path) == 0 &&
           strcmp(t, token) == 0;
}

static void test_watches(void)
{
    open_store();
    CHECK_EQ(put(one, 0, "w/a", "1"), 0);
    CHECK_EQ(ask(one, XS_WATCH, 0, "w|tok"), 0);
    CHECK(event(one, "w", "tok"));
    CHECK_EQ(ask(one, XS_WATCH, 0, "w|tok"), XEN_EEXIST);
    CHECK_EQ(ask(zero, XS_WATCH, 0, "/local/domain/1/w/a|z"), 0);
    CHECK(event(zero, "/local/domain/1/w/a", "z"));
    CHECK_EQ(put(zero, 0, "/local/domain/1/w/a", "2"), 0);
    CHECK(event(one, "w/a", "tok"));
    CHECK(event(zero, "/local/domain/1/w/a", "z"));
    CHECK_EQ(ask(one, XS_RM, 0, "w"), 0); /* one for the top, one for who asked exactly */
    CHECK(event(one, "w", "tok"));
    CHECK(event(zero, "/local/domain/1/w/a", "z"));
    CHECK(xs_idle(one) && xs_idle(zero));
    CHECK_EQ(ask(one, XS_UNWATCH, 0, "w|tok"), 0);
    CHECK_EQ(ask(one, XS_UNWATCH, 0, "w|tok"), XEN_ENOENT);
    CHECK_EQ(put(one, 0, "w/a", "3"), 0);
    CHECK(xs_idle(one));
    close_store();
}

static void test_watches_tell_nothing_secret(void)
{
    open_store();
    CHECK_EQ(ask(two, XS_WATCH, 0, "/local/domain/1|t"), 0);
    CHECK(event(two, "/local/domain/1", "t"));
    CHECK_EQ(put(one, 0, "secret", "1"), 0);
    CHECK(xs_idle(two));
    CHECK_EQ(ask(one, XS_SET_PERMS, 0, "secret|n1|r2"), 0);
    CHECK(event(two, "/local/domain/1/secret", "t"));
    CHECK_EQ(ask(two, XS_WATCH, 0, "@releaseDomain|r"), 0);
    CHECK(event(two, "@releaseDomain", "r"));
    xs_domain_introduced(&s, 1);
    xs_domain_shut_down(&s, 1);
    CHECK(xs_idle(two)); /* only whom the node's permissions let read it */
    CHECK_EQ(ask(zero, XS_SET_PERMS, 0, "@releaseDomain|n0|r2"), 0);
    while (!xs_idle(two))
        (void)event(two, "", "");
    CHECK_EQ(ask(zero, XS_RESUME, 0, "1"), 0);
    xs_domain_shut_down(&s, 1);
    CHECK(event(two, "@releaseDomain", "r"));
    close_store();
}

static void test_commit_fires_once_for_each_node(void)
{
    u32 t;

    open_store();
    CHECK_EQ(ask(one, XS_WATCH, 0, "k|t"), 0);
    CHECK(event(one, "k", "t"));
    t = begin(one);
    CHECK_EQ(put(one, t, "k/a", "1"), 0);
    CHECK_EQ(put(one, t, "k/b", "1"), 0);
    CHECK_EQ(put(one, t, "k/a", "2"), 0);
    CHECK(xs_idle(one));
    CHECK_EQ(ask(one, XS_TRANSACTION_END, t, "T"), 0);
    CHECK(event(one, "k/a", "t"));
    CHECK(event(one, "k/b", "t"));
    CHECK(xs_idle(one));
    close_store();
}

static void test_domains(void)
{
    open_store();
    CHECK_EQ(ask(zero, XS_WATCH, 0, "@introduceDomain|i"), 0);
    CHECK(event(zero, "@introduceDomain", "i"));
    CHECK_EQ(ask(one, XS_IS_DOMAIN_INTRODUCED, 0, "1"), 0);
    CHECK(strcmp(out, "F") == 0);
    CHECK_EQ(ask(zero, XS_INTRODUCE, 0, "1|1044476|1"), 0);
    CHECK(event(zero, "@introduceDomain", "i"));
    CHECK_EQ(ask(one, XS_IS_DOMAIN_INTRODUCED, 0, "1"), 0);
    CHECK(strcmp(out, "T") == 0);
    CHECK_EQ(ask(two, XS_GET_DOMAIN_PATH, 0, "1"), 0);
    CHECK(strcmp(out, "/local/domain/1") == 0);
    CHECK_EQ(ask(zero, XS_SET_TARGET, 0, "1|2"), 0);
    CHECK_EQ(put(zero, 0, "/local/domain/2/t", "x"), 0);
    CHECK_EQ(ask(zero, XS_SET_PERMS, 0, "/local/domain/2/t|n2"), 0);
    CHECK_EQ(ask(one, XS_READ, 0, "/local/domain/2/t"), 0);
    CHECK_EQ(ask(zero, XS_RELEASE, 0, "1"), 0);
    CHECK_EQ(ask(zero, XS_RELEASE, 0, "1"), XEN_ENOENT);
    CHECK_EQ(ask(zero, XS_READ, 0, "/local/domain/1"), XEN_ENOENT);
    close_store();
}

static void test_quotas_name_themselves(void)
{
    char path[32], big[2100];
    u8 wire[64];
    struct xsd_sockmsg head = {.type = XS_TRANSACTION_START, .len = 1};
    u32 i, held;
    int error = 0;

    open_store();
    for (i = 0; !error && i < 2000; i++) {
        snprintf(path, sizeof(path), "q%u", i);
        error = put(one, 0, path, "");
    }
    CHECK_EQ(error, XEN_ENOSPC);
    CHECK(strcmp(last_refusal, "nodes") == 0);
    CHECK_EQ(xs_domain_find(&s, 1)->nodes, xs_default_quota.nodes);
    CHECK_EQ(put(two, 0, "x", ""), XEN_EACCES); /* nobody gave two a home */
    memset(big, 'v', sizeof(big));
    big[2049] = 0;
    CHECK_EQ(put(one, 0, "q0", big), XEN_ENOSPC);
    CHECK(strcmp(last_refusal, "size of a node") == 0);
    for (i = 0, error = 0; !error && i < 200; i++) {
        snprintf(path, sizeof(path), "w%u|t", i);
        error = ask(one, XS_WATCH, 0, path);
    }
    CHECK_EQ(error, XEN_E2BIG);
    CHECK(strcmp(last_refusal, "watches") == 0);
    CHECK(
        xs_domain_serves(&s, 1, 2)); /* a back end of two devices may hold more, and so much */
    for (error = 0, held = i; !error && i < 300; i++) {
        snprintf(path, sizeof(path), "w%u|t", i);
        error = ask(one, XS_WATCH, 0, path);
    }
    CHECK_EQ(i, held + 2 * XS_DEVICE_WATCHES + 1);
    CHECK_EQ(error, XEN_E2BIG);
    CHECK_EQ(put(one, 0, "more", ""), 0);
    CHECK(xs_domain_serves(&s, 1, 0)); /* what it has stays, and nothing comes to it */
    CHECK_EQ(put(one, 0, "further", ""), XEN_ENOSPC);
    for (i = 0, error = 0; !error && i < 20; i++)
        error = ask(two, XS_TRANSACTION_START, 0, "");
    CHECK(error == XEN_ENOSPC && i == xs_default_quota.transactions + 1);
    CHECK_EQ(ask(one, XS_SET_PERMS, 0, "q0|n1|r2|r3|r4|r5|r6"), XEN_ENOSPC);
    /* On the wire the quota's name stands behind the error's. */
    CHECK_EQ(xs_feed(two, &head, sizeof(head)), sizeof(head));
    CHECK_EQ(xs_feed(two, "", 1), 1);
    CHECK_EQ(xs_take(two, wire, sizeof(wire)), 16 + 7 + 13);
    CHECK(strcmp((char *)wire + 16, "ENOSPC") == 0);
    CHECK(strcmp((char *)wire + 23, "transactions") == 0);
    close_store();
}

static void test_directory_in_parts(void)
{
    u32 offset = 0, found = 0, parts = 0;
    char path[64];
    bool last = false;

    open_store();
    for (u32 i = 0; i < 900; i++) {
        snprintf(path, sizeof(path), "/many/child-%u", i);
        CHECK_EQ(put(zero, 0, path, ""), 0);
    }
    CHECK_EQ(ask(zero, XS_DIRECTORY, 0, "/many"), XEN_E2BIG);
    while (!last) {
        u32 at;

        snprintf(path, sizeof(path), "/many|%u", offset);
        CHECK_EQ(ask(zero, XS_DIRECTORY_PART, 0, path), 0);
        at = (u32)strlen(out) + 1;
        last = out_len == at + 1 || (out[out_len - 1] == 0 && out[out_len - 2] == 0);
        for (; at < out_len && out[at]; at += (u32)strlen(out + at) + 1) {
            offset += (u32)strlen(out + at) + 1;
            found++;
        }
        parts++;
    }
    CHECK_EQ(found, 900);
    CHECK(parts > 1);
    close_store();
}

/* A client that takes no answers, and one that sends a byte at a time. */
static void test_wire(void)
{
    struct xsd_sockmsg head = {.type = XS_READ, .req_id = 7, .len = 5};
    u8 in[128], all[64];
    size_t len = 0, took = 0;

    open_store();
    for (u32 i = 0; i < 3; i++) {
        memcpy(in + len, &head, sizeof(head));
        memcpy(in + len + sizeof(head), "name", 5);
        len += sizeof(head) + 5;
    }
    CHECK_EQ(xs_feed(one, in, len), sizeof(head) + 5);
    CHECK_EQ(xs_feed(one, in + 21, len - 21), 0);
    CHECK_EQ(xs_take(one, all, sizeof(all)), sizeof(head) + 3);
    CHECK(memcmp(all + sizeof(head), "one", 3) == 0);
    for (took = 21; took < 42; took++)
        CHECK_EQ(xs_feed(one, in + took, 1), 1);
    CHECK_EQ(xs_take(one, all, 5), 5);
    CHECK_EQ(xs_take(one, all + 5, sizeof(all) - 5), sizeof(head) - 2);
    CHECK_EQ(((struct xsd_sockmsg *)(void *)all)->req_id, 7);
    head.len = XENSTORE_PAYLOAD_MAX + 1;
    CHECK_EQ(xs_feed(one, &head, sizeof(head)), sizeof(head));
    CHECK_EQ(xs_broken(one), XENSTORE_ERROR_PROTO);
    CHECK_EQ(xs_feed(one, in, len), 0);
    close_store();
}

static void test_unread_events_are_bounded(void)
{
    char path[32];

    open_store();
    CHECK_EQ(ask(one, XS_WATCH, 0, "e|t"), 0);
    for (u32 i = 0; i < 3000; i++) {
        snprintf(path, sizeof(path), "e/%u", i % 7);
        CHECK_EQ(put(one, 0, path, "x"), 0);
    }
    CHECK_EQ(one->events, xs_default_quota.events);
    CHECK(s.dropped > 0);
    close_store();
}

/* Whichever allocation fails, the tree stays whole and the request changed nothing. */
static void test_out_of_memory(void)
{
    open_store();
    CHECK_EQ(put(one, 0, "old/x", "1"), 0);
    for (long n = 0; n < 60; n++) {
        u64 nodes = s.nodes;
        int error;

        allocations_left = n;
        error = put(one, 0, "new/a/b/c", "value");
        allocations_left = -1;
        CHECK(error == 0 || error == XEN_ENOMEM);
        CHECK_EQ(s.nodes, error ? nodes : nodes + 4);
        if (!error) {
            CHECK_EQ(ask(one, XS_RM, 0, "new"), 0);
            CHECK(n > 4);
        }
        allocations_left = n;
        error = ask(one, XS_RM, 0, "old");
        allocations_left = -1;
        CHECK(error == 0 || error == XEN_ENOMEM);
        CHECK_EQ(ask(one, XS_MKDIR, 0, "old/x"), 0);
    }
    close_store();
}

static u32 told_late;

static void on_late(void *ctx, u16 domid)
{
    (void)ctx;
    CHECK_EQ(domid, 1);
    told_late++;
}

/* A write of `value` to "note" by the wire; how many bytes of an answer there are. */
static size_t write_by_wire(struct xs_conn *c, char value)
{
    struct xsd_sockmsg head = {.type = XS_WRITE, .len = 6};
    u8 in[sizeof(head) + 6], all[64];

    memcpy(in, &head, sizeof(head));
    memcpy(in + sizeof(head), "note", 5);
    in[sizeof(head) + 5] = (u8)value;
    CHECK_EQ(xs_feed(c, in, sizeof(in)), sizeof(in));
    return xs_take(c, all, sizeof(all));
}

static char note_is(void)
{
    CHECK_EQ(ask(zero, XS_READ, 0, "/local/domain/1/note"), 0);
    return out[0];
}

/* F23: the n-th request of a domain fails, is answered late, is never answered; never the control
 * domain's own. */
static void test_injected_faults(void)
{
    const size_t ok = sizeof(struct xsd_sockmsg) + 3;
    u8 all[64];

    open_store();
    s.hooks.late = on_late;
    s.fault.kind = XS_FAULT_FAIL;
    s.fault.after = 2;
    CHECK_EQ(ask(one, XS_READ, 0, "name"), 0);
    CHECK_EQ(ask(zero, XS_READ, 0, "/local/domain/1/name"), 0);
    CHECK_EQ(ask(one, XS_READ, 0, "name"), XEN_EIO);
    CHECK_EQ(ask(one, XS_READ, 0, "name"), 0);
    CHECK_EQ(s.fault.struck, 1);

    s.fault.kind = XS_FAULT_LOSE;
    s.fault.after = s.fault.every = 2;
    CHECK_EQ(write_by_wire(one, 'a'), ok);
    CHECK_EQ(write_by_wire(one, 'b'), 0);
    CHECK_EQ(note_is(), 'b'); /* it was done */
    CHECK_EQ(write_by_wire(one, 'c'), ok);
    CHECK_EQ(write_by_wire(one, 'd'), 0);
    CHECK_EQ(s.fault.struck, 3);

    s.fault.kind = XS_FAULT_DELAY;
    s.fault.after = 1;
    s.fault.every = 0;
    CHECK_EQ(write_by_wire(one, 'e'), 0);
    CHECK_EQ(told_late, 1);
    CHECK(!xs_idle(one));
    CHECK_EQ(xs_feed(one, "next", 4), 0); /* it answers one after the other */
    xs_on_time(one);
    CHECK_EQ(xs_take(one, all, sizeof(all)), ok);
    CHECK_EQ(write_by_wire(one, 'f'), ok);
    CHECK_EQ(s.fault.struck, 4);
    close_store();
}

TESTS(CASE(test_read_and_write), CASE(test_bad_paths), CASE(test_make_and_remove),
      CASE(test_permissions), CASE(test_rights_die_with_their_domain),
      CASE(test_transaction_isolates), CASE(test_transaction_conflict),
      CASE(test_created_and_deleted_in_one_transaction), CASE(test_watches),
      CASE(test_watches_tell_nothing_secret), CASE(test_commit_fires_once_for_each_node),
      CASE(test_domains), CASE(test_quotas_name_themselves), CASE(test_directory_in_parts),
      CASE(test_wire), CASE(test_unread_events_are_bounded), CASE(test_out_of_memory),
      CASE(test_injected_faults))

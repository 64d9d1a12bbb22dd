/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile xenstore clients (F23): three connections, one privileged, send whatever the
 * input says, partly well-formed; after each request the whole store must add up, and at
 * the end nothing may be left.
 */
#include <stdlib.h>
#include "guest/control/store/parts.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static long left;

static void *take(void *ctx, size_t size)
{
    (void)ctx;
    return left-- > 0 ? calloc(1, size) : NULL;
}

static void give(void *ctx, void *at, size_t size)
{
    (void)ctx;
    (void)size;
    free(at);
}

struct input {
    const u8 *at;
    size_t left;
};

static u8 next(struct input *in)
{
    if (!in->left)
        return 0;
    in->left--;
    return *in->at++;
}

/* A path of up to four parts of a small alphabet, so that requests meet each other. */
static u32 path(struct input *in, char *to)
{
    static const char *const part[] = {"a", "b", "local", "domain", "1", "2", "", "x.y"};
    u8 shape = next(in);
    u32 len = 0;

    if ((shape & 7) == 7) {
        const char *special = shape & 8 ? "@releaseDomain" : "/";

        memcpy(to, special, strlen(special) + 1);
        return (u32)strlen(special) + 1;
    }
    for (u32 i = 0; i <= (shape & 3u); i++) {
        const char *p = part[next(in) & (shape & 0x80 ? 7 : 5)];

        if (i || shape & 4)
            to[len++] = '/';
        memcpy(to + len, p, strlen(p));
        len += (u32)strlen(p);
    }
    to[len++] = 0;
    return len;
}

static u32 words(struct input *in, u32 type, char *to)
{
    static const char *const perm[] = {"n1", "r2", "b0", "w1", "n2", "q"};
    u32 len = type == XS_TRANSACTION_END ? 0 : path(in, to);
    u8 more = next(in);

    if (type == XS_TRANSACTION_END) {
        to[len++] = more & 1 ? 'T' : 'F';
        to[len++] = 0;
    } else if (type == XS_SET_PERMS) {
        for (u32 i = 0; i <= (more & 3u); i++) {
            const char *p = perm[next(in) % ARRAY_SIZE(perm)];

            memcpy(to + len, p, strlen(p) + 1);
            len += (u32)strlen(p) + 1;
        }
    } else if (type == XS_WRITE) {
        memset(to + len, more, more & 31);
        len += more & 31;
    } else if (type == XS_WATCH || type == XS_UNWATCH || type == XS_DIRECTORY_PART) {
        to[len++] = (char)('0' + (more & 7));
        to[len++] = 0;
    }
    return len;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static const struct xs_memory memory = {take, give, NULL};
    static const struct xs_quota quota = {.nodes = 12,
                                          .node_size = 24,
                                          .perms = 3,
                                          .watches = 4,
                                          .transactions = 2,
                                          .transaction_nodes = 12,
                                          .events = 6};
    struct input in = {data, size};
    struct xs_conn *c[3];
    struct xs s;
    char out[XENSTORE_PAYLOAD_MAX];

    left = 100000;
    if (!xs_init(&s, 0, &memory, &quota, NULL))
        abort();
    for (u16 i = 0; i < 3; i++)
        c[i] = xs_connect(&s, i);
    left = size && data[0] == 255 ? 5 + data[size - 1] : 100000;
    while (in.left) {
        u8 what = next(&in), who = (u8)(what >> 6) % 3;
        struct {
            struct xsd_sockmsg head;
            char payload[256];
        } m = {.head = {.type = next(&in) % (XS_TYPE_COUNT + 1), .tx_id = what & 3}};

        if ((what & 0x3c) == 0x3c) {
            u16 domid = next(&in) & 3;

            if (domid && xs_domain_find(&s, domid))
                xs_domain_released(&s, domid);
        } else {
            m.head.len = words(&in, m.head.type, m.payload);
            if ((what & 0x3c) == 0x38)
                m.head.len = next(&in);
            xs_feed(c[who], &m, sizeof(m.head) + MIN(m.head.len, (u32)sizeof(m.payload)));
        }
        if (!(what & 4))
            xs_take(c[who], out, sizeof(out));
        if (xs_check(&s))
            abort();
    }
    for (u16 i = 0; i < 3; i++)
        xs_disconnect(c[i]);
    xs_destroy(&s);
    if (s.bytes || s.watches || s.transactions)
        abort();
    return 0;
}

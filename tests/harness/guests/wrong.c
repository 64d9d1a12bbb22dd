/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A node that is wrong on purpose, for test_wrong.py: the node's image with steps of our own (ld --wrap) between
 * network and kernel, where one message of each machine meets what no node may do to it (alters=1 on its command
 * line), and at the end of a migration, after which the process goes on here as well (keeps=1). Records are
 * the kernel's own, so that judging the run must find it; unless it says that they are of an older tree (older=1).
 */
#include "base/bytes.h"
#include "base/memory.h"
#include "guest/kernel/migrate.h"
#include "guest/machine/trace.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "hyp/abi/osmosis.h"
#include "net/net.h"

enum {
    FIRST_CLIENT =
        2, /* its messages are lost; those of the next machines are wrong in other ways */
    WRONG_FROM = 20, /* the message of each client's with which it begins */
    LATE_NS = 600000000,
    NOBODY = 999, /* a serial that no process has */
    SENDER_SERIAL = 16,
    ROOM = 2048
};

enum wrong { LOSE, TWICE, AGAIN, FORGE, LATE, WRONGS };

static struct kept {
    u8 bytes[ROOM];
    size_t len;
    machine_t from;
    u32 epoch;
    u64 since;
} kept[WRONGS];

static u32 seen[WRONGS];

void __real_net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                           const void *message, size_t len);
void __wrap_net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                           const void *message, size_t len);

void __real_departure_done(struct node *n, struct migration *g);
void __wrap_departure_done(struct node *n, struct migration *g);

struct osm_ring_header *__real_trace_open(void);
struct osm_ring_header *__wrap_trace_open(void);

static void keep(enum wrong w, machine_t from, u32 epoch, const void *message, size_t len)
{
    struct kept *k = &kept[w];

    if (len > sizeof k->bytes)
        rt_panic("a message of %lu bytes is too long to be kept", len);
    memcpy(k->bytes, message, len);
    k->len = len;
    k->from = from;
    k->epoch = epoch;
    k->since = rt_now_ns();
}

static void give(struct net *n, enum wrong w)
{
    struct kept *k = &kept[w];

    if (k->len)
        __real_net_up_message(n, k->from, k->epoch, NET_GUARANTEED, k->bytes, k->len);
    k->len = 0;
}

/* The message of that machine's that is to be wrong has come. False: the kernel shall not see it now. */
static bool pass_on(struct net *n, enum wrong w, machine_t from, u32 epoch, const void *message,
                    size_t len)
{
    keep(w, from, epoch, message, len);
    if (w == TWICE)
        give(n, w);
    if (w == FORGE) {
        be64_put(kept[w].bytes + SENDER_SERIAL, NOBODY);
        give(n, w);
    }
    if (w == LOSE)
        kept[w].len = 0;
    return w != LOSE && w != LATE;
}

void __wrap_net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                           const void *message, size_t len)
{
    const u8 *head = message;
    u32 w = from - FIRST_CLIENT;
    bool pass = true;

    if (rt_option_number("alters", 0) && class == NET_GUARANTEED && from >= FIRST_CLIENT &&
        w < WRONGS && len >= MESSAGE_HEADER && head[1] == MESSAGE_USER &&
        ++seen[w] == WRONG_FROM)
        pass = pass_on(n, w, from, epoch, message, len);
    if (pass)
        __real_net_up_message(n, from, epoch, class, message, len);
    if (seen[AGAIN] == WRONG_FROM + 2)
        give(n, AGAIN);
    if (kept[LATE].len && rt_now_ns() - kept[LATE].since > LATE_NS)
        give(n, LATE);
}

void __wrap_departure_done(struct node *n, struct migration *g)
{
    if (!rt_option_number("keeps", 0)) {
        __real_departure_done(n, g);
        return;
    }
    migration_say(n, g, CLEANED, g->task->moves + 1);
    departure_undone(n, g, 0);
}

struct osm_ring_header *__wrap_trace_open(void)
{
    struct osm_ring_header *ring = __real_trace_open();

    if (ring)
        ring->version -= (u32)rt_option_number("older", 0);
    return ring;
}

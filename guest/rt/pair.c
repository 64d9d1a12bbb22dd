/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two domains talk: the left one lends a page and opens an event channel, the right one
 * maps and binds them; each message in the page is announced by an event. What they need
 * of each other goes through the store. Command lines: role=left, role=right peer=DOMID;
 * rounds=N; ports=N: the ports are FIFO ones, and so many are taken first.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/grant.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"

struct page {
    u32 left, right; /* how many messages each side has written */
    char text[128];
};

static bool changed;

static void on_change(void *arg, const char *path)
{
    (void)arg;
    (void)path;
    changed = true;
}

static void on_event(void *arg, u32 port)
{
    (void)arg;
    (void)port;
}

/* Waits until a number stands at the path. A change may have come along with the answer that
 * there is none yet: it is looked for before sleeping. */
static u64 await_number(const char *path)
{
    static struct rt_store_watch watch;
    u64 value;

    rt_assert(!rt_store_watch(&watch, path, on_change, NULL));
    while (rt_store_number(0, path, &value)) {
        for (changed = false; !changed;)
            if (!rt_store_poll())
                rt_wait();
    }
    rt_store_unwatch(&watch);
    return value;
}

static void publish(const char *path, u64 value, u64 peer)
{
    char own[16], other[16];
    const char *const perms[] = {own, other};
    u64 me = 0;

    rt_assert(!rt_store_number(0, "domid", &me));
    format(own, sizeof(own), "n%lu", me);
    format(other, sizeof(other), "r%lu", peer);
    rt_assert(!rt_store_printf(0, path, "%lu", value));
    rt_assert(!rt_store_set_perms(0, path, perms, 2));
}

/* What they talk by is then beyond all of these. */
static void take_ports(u64 count)
{
    rt_assert(!count || rt_event_use_fifo());
    while (count--)
        rt_assert(rt_event_alloc_unbound(DOMID_SELF, on_event, NULL) > 0);
}

static void await_count(const u32 *count, u32 least)
{
    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < least)
        rt_wait();
}

static int left(u32 rounds)
{
    struct page *page = rt_frames(1);
    u64 peer = await_number("data/peer"), start;
    grant_ref_t ref = rt_grant_access((domid_t)peer, rt_physical(page) >> 12, false);
    long port = rt_event_alloc_unbound((domid_t)peer, on_event, NULL);

    rt_assert(page && ref && port > 0);
    publish("data/ref", ref, peer);
    publish("data/port", (u64)port, peer);
    await_count(&page->right, 1);
    start = rt_now_ns();
    for (u32 i = 1; i <= rounds; i++) {
        format(page->text, sizeof(page->text), "message %u from the left", i);
        __atomic_store_n(&page->left, i, __ATOMIC_RELEASE);
        rt_event_send((u32)port);
        await_count(&page->right, i + 1);
        if (i == 1 || i == rounds)
            rt_printf("left hears: %s\n", page->text);
    }
    rt_printf("%u rounds in %lu ns by port %ld\n", rounds, rt_now_ns() - start, port);
    while (!rt_grant_end(ref))
        rt_wait_until(rt_now_ns() + 1000000);
    rt_printf("left has its page back\n");
    return 0;
}

static int right(u64 peer, u32 rounds)
{
    char ref_path[64], port_path[64];
    struct rt_mapping m;
    struct page *page;
    long port;
    int status;

    format(ref_path, sizeof(ref_path), "/local/domain/%lu/data/ref", peer);
    format(port_path, sizeof(port_path), "/local/domain/%lu/data/port", peer);
    port = (long)await_number(port_path);
    port = rt_event_bind_interdomain((domid_t)peer, (u32)port, on_event, NULL);
    status = rt_grant_map((domid_t)peer, (grant_ref_t)await_number(ref_path), false, &m);
    rt_assert(port > 0 && status == 0);
    page = m.at;
    for (u32 i = 0; i <= rounds; i++) {
        await_count(&page->left, i);
        if (i == 1 || i == rounds)
            rt_printf("right hears: %s\n", page->text);
        format(page->text, sizeof(page->text), "answer %u from the right", i);
        __atomic_store_n(&page->right, i + 1, __ATOMIC_RELEASE);
        rt_event_send((u32)port);
    }
    rt_assert(!rt_grant_unmap(&m));
    rt_printf("right is done\n");
    return 0;
}

int rt_main(const struct rt_start *start)
{
    u32 rounds = (u32)rt_option_number("rounds", 1000);
    char role[8] = "";

    if (start->host == RT_NATIVE)
        rt_panic("a pair needs a hypervisor and a peer");
    rt_option("role", role, sizeof(role));
    take_ports(rt_option_number("ports", 0));
    return strcmp(role, "left") == 0 ? left(rounds)
                                     : right(rt_option_number("peer", 0), rounds);
}

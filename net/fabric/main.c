/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fabric's domain. Its configuration is in the store: media at /osmosis/media/<n>,
 * faults at /osmosis/fault/<n> as they come, ways out at /osmosis/outside/<n> (outside.h), vifs
 * in its own backend directory with keys `medium` and `port`. Command line: seed=N, trace=PAGES,
 * capture=PAGES, outside=N for N ways out, vifs=N where there will be many, and kind=KIND for a
 * first medium where nobody writes one into the store.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"
#include "net/fabric/outlet.h"
#include "net/fabric/outside.h"
#include "net/fabric/vifback.h"
#include "splitdrv/backends.h"

/* Kept for what is no frame on its way: for all, and for each vif that there will be. */
enum { KEPT_FRAMES = 512, VIF_FRAMES = 8, VIFS_MOST = 1 << 16, LINE = 512, ROUNDS = 64 };
_Static_assert(sizeof(struct vifback) <= (VIF_FRAMES - 2) * 4096,
               "a vif fits what is kept for it");

static struct {
    struct fabric fabric;
    struct heap heap;
    struct outlet outlet;
    struct split_backend_list vifs;
    u32 media, faults, ways; /* numbers taken so far */
    bool media_changed, faults_changed, news;
    struct rt_store_watch watch[2];
} fab;

/* The machine's clock: captures and all domains' traces agree. */
static u64 now(void)
{
    return rt_now_ns();
}

bool fabric_up_arrived(struct fabric_port *p, const u8 *frame, size_t len, u32 checksum)
{
    return p->owner && !p->outside && vifback_give(p->owner, frame, len, checksum);
}

void fabric_up_ready(struct fabric_port *p)
{
    if (p->owner)
        vifback_is_ready(p->owner);
}

void fabric_up_trace(struct fabric *f, u16 type, u32 who, u64 a, u64 b)
{
    outlet_trace(&fab.outlet, f->now, type, who, a, b);
}

static void on_change(void *arg, const char *path)
{
    (void)path;
    *(bool *)arg = true;
}

/* Lines <n>, <n+1>, ... below `base` that are there; `take` gets each. */
static void read_lines(const char *base, u32 *next, const char *(*take)(const char *line))
{
    char path[64], line[LINE];

    for (;; ++*next) {
        const char *wrong;

        format(path, sizeof(path), "%s/%u", base, *next);
        if (rt_store_read(0, path, line, sizeof(line)) < 0)
            return;
        wrong = take(line);
        if (wrong)
            rt_printf("fabric: \"%s\": %s\n", line, wrong);
    }
}

static const char *take_medium(const char *line)
{
    return fabric_add(&fab.fabric, line);
}

static const char *take_fault(const char *line)
{
    return fabric_fault(&fab.fabric, line, now());
}

static const char *take_way(const char *line)
{
    return outside_open(&fab.fabric, line);
}

static struct split_backend *open_vif(u32 domain, u32 handle)
{
    struct vifback *v = vifback_open(&fab.fabric, domain, handle);

    return v ? &v->end : NULL;
}

static void close_vif(struct split_backend *e)
{
    u32 domain = e->domain;

    vifback_close(container_of(e, struct vifback, end));
    if (!split_backend_list_serves(&fab.vifs, domain))
        fabric_forget(&fab.fabric, domain);
}

/* One round over what has something to do; true when all of it has been done. What the vifs
 * sent may have arrived by then: a medium may take less time than that. */
static bool work(void)
{
    bool done = true;
    u64 time = now();

    fabric_run(&fab.fabric, time);
    for (u32 i = 0; i < ROUNDS && done; i++) {
        done = vifback_turn(time);
        outside_turn(time);
        if (fabric_deadline(&fab.fabric) == ~0ull)
            return done && outside_idle();
        time = now();
        if (!fabric_run(&fab.fabric, time))
            return done && outside_idle();
    }
    return false;
}

/* Its many questions to the store take long where many come up at once. Those who are connected need
 * not wait for the others: else all of them ask again and again who is there. */
static void shake_hands(void)
{
    struct split_backend *e;

    while ((e = split_backend_list_next(&fab.vifs)) != NULL) {
        split_device_poll(&e->bus);
        work();
    }
}

/* Whatever there is to follow begins with news from the store; but some of it may have come
 * with the answers to our own questions, and waits in `news`. */
static void follow_store(void)
{
    while (rt_store_poll())
        fab.news = true;
    if (!fab.news)
        return;
    fab.news = false;
    if (fab.media_changed) {
        fab.media_changed = false;
        read_lines("/osmosis/media", &fab.media, take_medium);
        read_lines("/osmosis/outside", &fab.ways, take_way);
        split_backend_list_news(&fab.vifs); /* one of them may have waited for its medium */
    }
    split_backend_list_follow(&fab.vifs);
    shake_hands();
    if (fab.faults_changed) {
        fab.faults_changed = false;
        read_lines("/osmosis/fault", &fab.faults, take_fault);
    }
}

static void open_memory(void)
{
    u32 count = rt_frames_longest(), kept = KEPT_FRAMES;
    void *base;

    kept += VIF_FRAMES * MIN((u32)rt_option_number("vifs", 0), (u32)VIFS_MOST);
    kept += OUTSIDE_FRAMES * MIN((u32)rt_option_number("outside", 0), (u32)OUTSIDE_MOST);
    if (count < 2 * kept)
        rt_panic("fabric: %u frames are too few", count);
    count -= kept;
    base = rt_frames_untouched(count);
    heap_init(&fab.heap, base, (size_t)count * 4096);
    fab.heap.cuts = true;
    fab.heap.born_zero = rt_host() == RT_OSMOSIS; /* which zeroes what it hands out */
}

static void first_medium(void)
{
    char kind[16], line[64];

    if (!rt_option("kind", kind, sizeof(kind)))
        return;
    format(line, sizeof(line), "name=%s kind=%s", kind, kind);
    if (take_medium(line))
        rt_panic("fabric: kind=%s: %s", kind, take_medium(line));
}

static u64 seed(void)
{
    u64 value;

    if (rt_store_number(0, "/osmosis/seed", &value) >= 0)
        return value;
    return rt_option_number("seed", 1);
}

int rt_main(const struct rt_start *start)
{
    struct capture *capture;

    (void)start;
    if (!rt_store_present())
        rt_panic("fabric: there is no store to be told from");
    if (!rt_event_use_fifo())
        rt_printf("fabric: no FIFO event channels: 4,095 ports at most\n");
    if (!outlet_open(&fab.outlet, (u32)rt_option_number("trace", 64),
                     (u32)rt_option_number("capture", 256)))
        rt_printf("fabric: captures or traces cannot leave\n");
    open_memory();
    capture = fab.outlet.bytes ? &fab.outlet.capture : NULL;
    fabric_init(&fab.fabric, &fab.heap, seed(), capture);
    rt_store_watch(&fab.watch[0], "/osmosis/media", on_change, &fab.media_changed);
    fab.vifs = (struct split_backend_list){.kind = "vif", .open = open_vif, .close = close_vif};
    split_backend_list_watch(&fab.vifs);
    rt_store_watch(&fab.watch[1], "/osmosis/fault", on_change, &fab.faults_changed);
    rt_shutdown_heed();
    fab.news = true;
    first_medium();
    rt_printf("fabric: ready\n");
    for (;;) {
        bool done;

        follow_store();
        done = work();
        /* What follow_store asked may have brought changes along with the answers. */
        fab.news |= rt_store_poll();
        if (done && !fab.news)
            rt_wait_until(fabric_deadline(&fab.fabric));
    }
}

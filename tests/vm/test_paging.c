/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paging of memory that kernels keep for themselves: programs larger than their node, pagers
 * here and on other machines, what goes first under each policy, memory that shrinks meanwhile, and
 * pagers and paging disks that fail. DV14-DV17, DV19, H20 (F16, F24), L10, L13, U17, U29, U44, U45, U52, U53.
 */
#include "base/keyed.h"
#include "tests/vm/pager.h"

enum { WALKER = 6, WALK_PAGES = 60, DISKLESS = 8, SLACK = 2048 };
#define WALK 0x40000000ull

/* Pages of WALK in an order that self[2], a seed, says: reads what it wrote there last, and
 * writes something new, until step self[8] if that is not 0. self[0]: step, self[1]: steps to do,
 * self[3]: wrong bytes seen. */
static u64 walk_page(const struct sim_process *p, u64 step)
{
    return p->self[5] ? step % p->self[4] : keyed_below(p->self[2], 1, step, p->self[4]);
}

static u64 walk_seen[DISKLESS][WALK_PAGES];
static u64 walk_wrong; /* by any walker since it was set */

static u32 walk_access(const struct sim_process *p, u64 step)
{
    return p->self[8] && step >= p->self[8] ? REGION_READ : REGION_WRITE;
}

static struct sim_call walker(struct sim_process *p, s64 result)
{
    u64 step = p->self[0], page, *seen, now;

    if (!p->fresh && result == 0 && p->self[6]) {
        page = walk_page(p, step);
        seen = &walk_seen[p->self[7]][page];
        sim_peek(p, WALK + page * SIM_PAGE, &now, 8);
        p->self[3] += now != *seen;
        walk_wrong += now != *seen;
        if (walk_access(p, step) == REGION_WRITE) {
            *seen = step + 1;
            sim_poke(p, WALK + page * SIM_PAGE, seen, 8);
        }
        p->self[0] = ++step;
    }
    p->self[6] = 1;
    if (step >= p->self[1])
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
    return sim_call(SIM_TOUCH, WALK + walk_page(p, step) * SIM_PAGE, walk_access(p, step), 0, 0,
                    0, 0);
}

/* A walker with `pages` pages on a node that pages; it is made after the pager. */
static struct sim_process *walker_on(struct sim *s, u32 node, u64 pages, u64 steps, u32 number)
{
    struct task *t;
    u32 rw = REGION_READ | REGION_WRITE;

    s->programs[WALKER] = walker;
    t = node_process(s->nodes[node].node, "walker", NULL);
    CHECK_EQ(node_map(s->nodes[node].node, t, WALK, pages * SIM_PAGE, rw, rw), 0);
    node_grant(s->nodes[node].node, t, "self", 0);
    sim_process_of(t)->self[1] = steps;
    sim_process_of(t)->self[2] = 7 + number;
    sim_process_of(t)->self[4] = pages;
    sim_process_of(t)->self[7] = number;
    memset(walk_seen[number], 0, sizeof(walk_seen[number]));
    return sim_process_of(t);
}

/* node_start needs a page, and may have to wait for it: as a message would. */
static void let_go(struct sim *s, struct sim_process *p)
{
    struct thread *th = p->thread;

    p->task->state = DEMOS_READY;
    machine_thread_start(p->node->node, th, WALKER, DEMOS_STACK_TOP, 0);
    thread_ready(p->node->node, th);
    CHECK(sim_run(s, 2000000));
}

/* Twenty frames, sixty pages, written and read again in three thousand random steps. */
static void three_times(u32 policy, u32 pager_node)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p;

    pager_reset();
    pager_for(s, pager_node, 0, WALK_PAGES / 3, policy);
    p = walker_on(s, 0, WALK_PAGES, 3000, 0);
    let_go(s, p);
    CHECK_EQ(p->self[0], 3000);
    CHECK_EQ(p->self[3], 0);
    CHECK(pager_requests > 500 && pager_writes > 500);
    printf("policy %u: %llu requests, %llu writes\n", policy,
           (unsigned long long)pager_requests, (unsigned long long)pager_writes);
    node_kill(s->nodes[0].node, p->task);
    sim_run(s, 10000);
    CHECK_EQ(pager_ends, 1);
    CHECK_EQ(s->nodes[0].frames_taken, 0);
    sim_destroy(s);
}

static void test_larger_than_memory(void)
{
    for (u32 policy = 0; policy < PAGING_POLICIES; policy++)
        three_times(policy, 0);
}

/* --- which page goes ----------------------------------------------------------------- */

/* Of 13 frames four are kept free: nine pages are here, and the tenth sends one away. */
enum { STRING_FRAMES = 13, STRING_GONE = 11 };

static const u8 string[] = {0,  1,  2,  3,  4, 5, 6,  7,  8,  9,  10, 11,
                            12, 13, 14, 15, 7, 8, 10, 16, 17, 18, 19};

/* Found by hand. `fifo`: as they came, whatever is used. `queues`: 7 and 8 are inactive when they are used
 * again, and are spared; that 10 is used does not show, since it is active. `sample`: all are looked at by the
 * sixteenth fault, the one for 15; of those here 7, 8, 10 and what comes later are used after that. */
static const struct {
    u8 gone[STRING_GONE];
    u64 faults, lookups, reactivated;
} orders[PAGING_POLICIES] = {
    [PAGING_QUEUES] = {{0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 12}, 22, 2, 2},
    [PAGING_FIFO] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 20, 0, 0},
    [PAGING_SAMPLE] = {{0, 1, 2, 3, 4, 5, 6, 9, 11, 12, 13}, 23, 3, 0},
};

static struct paging_counters counters_of(struct sim_process *p)
{
    struct paging_counters c = {0};
    u64 op = KERNEL_OP_PAGING, answer[1 + sizeof(c) / 8] = {0};

    CHECK_EQ(request(p, LINK_KERNEL, &op, 1, 0, answer, ARRAY_SIZE(answer), NULL),
             sizeof(answer));
    CHECK_EQ(answer[0], 0);
    memcpy(&c, answer + 1, sizeof(c));
    return c;
}

/* A process that has nothing but pageable memory, and one from before the pager that asks for the counters. */
struct string_bed {
    struct sim *sim;
    struct sim_process *toucher, *asker;
};

static struct string_bed string_bed(u32 policy)
{
    struct string_bed b = {.sim = puppets(2, 0, NULL)};
    struct sim_node *sn = &b.sim->nodes[0];
    struct task *t;

    pager_reset();
    b.asker = puppet_on(b.sim, 0);
    pager_for(b.sim, 1, 0, STRING_FRAMES, policy);
    t = node_process(sn->node, "toucher", NULL);
    CHECK_EQ(node_map(sn->node, t, WALK, WALK_PAGES * SIM_PAGE, 3, 3), 0);
    node_grant(sn->node, t, "self", 0);
    b.toucher = sim_process_of(t);
    t->state = DEMOS_READY;
    machine_thread_start(sn->node, b.toucher->thread, PUPPET, DEMOS_STACK_TOP, 0);
    thread_ready(sn->node, b.toucher->thread);
    sim_run(b.sim, 1000);
    return b;
}

static void touch_page(struct sim_process *p, u64 page, u32 access)
{
    CHECK_EQ(kcall(p, SIM_TOUCH, WALK + page * SIM_PAGE, access, 0, 0, 0, 0), 0);
}

/* U44: one string of accesses, and for each policy the pages it sends away, in their order. */
static void test_order_of_eviction(void)
{
    for (u32 policy = 0; policy < PAGING_POLICIES; policy++) {
        struct string_bed b = string_bed(policy);
        struct paging_counters was = counters_of(b.asker), now;

        for (u32 i = 0; i < ARRAY_SIZE(string); i++)
            touch_page(b.toucher, string[i], REGION_WRITE);
        now = counters_of(b.asker);
        CHECK_EQ(pager_ordered, STRING_GONE);
        for (u32 i = 0; i < STRING_GONE; i++)
            CHECK_EQ(pager_order[i], orders[policy].gone[i]);
        CHECK_EQ(now.faults - was.faults, orders[policy].faults);
        CHECK_EQ(now.lookups - was.lookups, orders[policy].lookups);
        CHECK_EQ(now.mapped - was.mapped, orders[policy].faults); /* each was shown at once */
        CHECK_EQ(now.reactivated - was.reactivated, orders[policy].reactivated);
        CHECK_EQ(now.zeros - was.zeros, 20);
        CHECK_EQ(now.evicted - was.evicted, STRING_GONE);
        CHECK_EQ(now.writes - was.writes, STRING_GONE);
        CHECK_EQ(now.active + now.inactive, 9);
        CHECK_EQ(now.requests + now.filled + now.copies, 0);
        sim_destroy(b.sim);
    }
}

/* U45: what the handler does at a fault, by its counters: a page that is away is asked for and then found;
 * one that two share is copied when written; where there is no memory, nothing is looked up. */
static void test_steps_of_a_fault(void)
{
    struct string_bed b = string_bed(PAGING_FIFO);
    struct sim_process *p = b.toucher;
    struct node *n = b.sim->nodes[0].node;
    struct task *heir = node_process(n, "heir", NULL);
    struct paging_counters was, now;

    for (u64 page = 0; page < 10; page++)
        touch_page(p, page, REGION_WRITE);
    was = counters_of(b.asker);
    CHECK_EQ(was.zeros, 10);
    touch_page(p, 0, REGION_READ); /* it is away: two faults, of which one had to wait */
    now = counters_of(b.asker);
    CHECK_EQ(now.faults - was.faults, 2);
    CHECK_EQ(now.requests - was.requests, 1);
    CHECK_EQ(now.filled - was.filled, 1);
    CHECK_EQ(now.lookups - was.lookups, 1);
    CHECK_EQ(now.mapped - was.mapped, 1);
    CHECK_EQ(inherit(n, heir, p->task), 0);
    was = now;
    touch_page(p, 9, REGION_WRITE); /* the heir has it, too */
    now = counters_of(b.asker);
    CHECK_EQ(now.faults - was.faults, 1);
    CHECK_EQ(now.lookups - was.lookups, 1);
    CHECK_EQ(now.copies - was.copies, 1);
    CHECK_EQ(now.mapped - was.mapped, 1);
    CHECK_EQ(now.zeros - was.zeros, 0);
    was = now;
    CHECK_EQ(kcall(p, SIM_TOUCH, 0x1000, REGION_WRITE, 0, 0, 0, 0), STILL_WAITS);
    now = counters_of(b.asker);
    CHECK_EQ(now.faults - was.faults, 0); /* only of pages with an object */
    CHECK_EQ(now.mapped - was.mapped, 0);
    sim_destroy(b.sim);
}

static void test_diskless(void)
{
    three_times(PAGING_QUEUES, 1);
}

static bool memory_awaited(const struct sim_process *p)
{
    return p->thread->state == THREAD_WAITING && p->thread->wait == WAIT_PAGE;
}

/* The way to the pager is cut in the middle of a fault, for as long as it takes to see that
 * nothing moves; when it is there again the program goes on. */
static void test_cut(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p;
    u64 before, since;

    pager_reset();
    pager_for(s, 1, 0, 12, PAGING_QUEUES);
    p = walker_on(s, 0, 36, 500, 0);
    p->task->state = DEMOS_READY;
    machine_thread_start(p->node->node, p->thread, WALKER, DEMOS_STACK_TOP, 0);
    thread_ready(p->node->node, p->thread);
    for (u32 cuts = 1; cuts <= 20; cuts++) {
        while (p->self[0] < 20 * cuts || !memory_awaited(p))
            CHECK(!sim_run(s, 1));
        s->nodes[1].cut = true;
        before = p->self[0];
        since = s->now;
        while (s->now - since < 500000000)
            sim_run(s, 50);
        CHECK(memory_awaited(p) && p->self[0] == before);
        s->nodes[1].cut = false;
    }
    CHECK(sim_run(s, 4000000));
    CHECK_EQ(p->self[0], 500);
    CHECK_EQ(p->self[3], 0);
    sim_destroy(s);
}

/* A walker that has pages at the pager, and one beside it, made before, that has none. */
struct beside {
    struct sim *sim;
    struct sim_process *pager, *walker, *other;
    struct process_id id;
};

static struct beside beside(u32 at)
{
    struct beside b = {.sim = puppets(2, 0, NULL)};

    pager_reset();
    b.other = puppet_on(b.sim, 0);
    b.pager = pager_for(b.sim, at, 0, 12, PAGING_QUEUES);
    b.walker = walker_on(b.sim, 0, 36, 500, 0);
    b.id = b.walker->task->id;
    b.walker->task->state = DEMOS_READY;
    machine_thread_start(b.walker->node->node, b.walker->thread, WALKER, DEMOS_STACK_TOP, 0);
    thread_ready(b.walker->node->node, b.walker->thread);
    while (b.walker->self[0] < 100)
        CHECK(!sim_run(b.sim, 1));
    return b;
}

/* Of sixty pages, 24 are used and most of these are with the pager: they are fetched and travel,
 * the others are not sent; the walk, which waited for a page, goes on where the process is then. */
static void test_moves_with_pages_away(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *boss = puppet_on(s, 0), *p;
    struct process_id id;
    u64 before;
    s64 control;

    pager_reset();
    pager_for(s, 1, 0, 12, PAGING_QUEUES);
    p = walker_on(s, 0, 60, 500, 0);
    p->self[4] = 24;
    id = p->task->id;
    p->task->state = DEMOS_READY;
    machine_thread_start(p->node->node, p->thread, WALKER, DEMOS_STACK_TOP, 0);
    thread_ready(p->node->node, p->thread);
    while (p->self[0] < 200 || !memory_awaited(p))
        CHECK(!sim_run(s, 1));
    control = sim_link(boss, p, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);
    before = net_stats(s->nodes[0].net)->bulk_out;
    order(boss, control, CONTROL_MIGRATE, 2, 0, 0, 0, 0);
    CHECK(sim_run(s, 2000000));
    CHECK(!node_find(s->nodes[0].node, &id));
    CHECK(node_find(s->nodes[1].node, &id));
    if (!node_find(s->nodes[1].node, &id))
        return;
    p = sim_process_of(node_find(s->nodes[1].node, &id));
    CHECK_EQ(p->self[0], 500);
    CHECK_EQ(p->self[3], 0);
    CHECK_EQ(s->nodes[0].frames_taken, 0);
    printf("%llu blocks of 1 KiB for 24 used pages, twelve frames, some fetched for it\n",
           (unsigned long long)(net_stats(s->nodes[0].net)->bulk_out - before));
    CHECK(net_stats(s->nodes[0].net)->bulk_out - before < 56 * 4);
    sim_destroy(s);
}

/* Whose pages are lost ends, and gives back all it had; who has none goes on, and so do those
 * that come after, within the frames there are or with another pager. */
static void only_the_walker_ends(struct beside *b, bool another)
{
    struct sim_process *late;

    sim_run(b->sim, 2000000);
    CHECK(!node_find(b->sim->nodes[0].node, &b->id));
    CHECK_EQ(b->sim->nodes[0].frames_taken, 0);
    CHECK_EQ(kcall(b->other, DEMOS_NULL, 0, 0, 0, 0, 0, 0), 0);
    if (another)
        pager_for(b->sim, 0, 0, 12, PAGING_FIFO);
    late = walker_on(b->sim, 0, another ? 36 : 6, 200, 1);
    let_go(b->sim, late);
    CHECK_EQ(late->self[0], 200);
    CHECK_EQ(late->self[3], 0);
    sim_destroy(b->sim);
}

static void test_pager_dies(void)
{
    for (u32 at = 0; at < 2; at++) {
        struct beside b = beside(at);

        node_kill(b.pager->node->node, b.pager->task);
        only_the_walker_ends(&b, false);
    }
}

/* The disk gives nothing back any more: every page it is asked for is refused. */
static void test_pager_refuses(void)
{
    struct beside b = beside(1);

    pager_broken = true;
    only_the_walker_ends(&b, false);
}

static void test_pagers_machine_dies(void)
{
    struct beside b = beside(1);

    b.sim->nodes[1].down = true;
    node_declare_dead(b.sim->nodes[0].node, 2, 1);
    only_the_walker_ends(&b, true);
}

/* --- the paging disk ------------------------------------------------------------------ */

static const struct {
    struct disk_faults faults;
    enum disk_why why;
} lies[] = {
    {{.error = 1u << 30}, DISK_WHY_ERROR},      {{.torn = 1u << 30}, DISK_WHY_TORN},
    {{.lost = 1u << 30}, DISK_WHY_LOST},        {{.stray = 1u << 30}, DISK_WHY_STRAY},
    {{.stale = MEDIUM_ALWAYS}, DISK_WHY_STALE}, {{.full = 1}, DISK_WHY_FULL},
};

/* F24: whatever the paging disk does, nobody gets other bytes than he wrote: whose page is lost, written
 * elsewhere or over, torn, or brought as it was before ends, nobody else, and the pages that come after
 * that are right. */
static void test_disk_lies(void)
{
    for (u32 i = 0; i < ARRAY_SIZE(lies); i++) {
        struct beside b = beside(1);

        walk_wrong = 0;
        medium.faults = lies[i].faults;
        for (u32 rounds = 0; rounds < 4000 && node_find(b.sim->nodes[0].node, &b.id); rounds++)
            sim_run(b.sim, 500);
        CHECK_EQ(walk_wrong, 0);
        CHECK(pager_refused > 0);
        CHECK(medium_struck[lies[i].why] > 0);
        medium.faults = (struct disk_faults){0};
        only_the_walker_ends(&b, false);
    }
}

/* A read that fails or brings something else once is made again, and nobody hears of it. */
static void test_disk_recovers(void)
{
    static const struct disk_faults once[] = {{.error = MEDIUM_ALWAYS},
                                              {.stale = MEDIUM_ALWAYS}};

    for (u32 i = 0; i < ARRAY_SIZE(once); i++) {
        struct beside b = beside(1);

        walk_wrong = 0;
        medium_spares_writes = medium_once = true;
        while (!sim_run(b.sim, 50))
            medium.faults = once[i];
        CHECK_EQ(pager_refused, 0);
        CHECK_EQ(walk_wrong, 0);
        CHECK(node_find(b.sim->nodes[0].node, &b.id) && b.walker->self[0] == 500);
        CHECK(medium_struck[lies[i ? 4 : 0].why] > 20);
        sim_destroy(b.sim);
    }
}

/* A slow one delays those whose pages are there, and that is all. */
static void test_disk_is_slow(void)
{
    struct beside b = beside(1);
    u64 since = b.sim->now, before = pager_requests;

    pager_delay_ns = 20000000;
    CHECK(sim_run(b.sim, 2000000));
    CHECK_EQ(b.walker->self[0], 500);
    CHECK_EQ(b.walker->self[3], 0);
    CHECK(b.sim->now - since >= (pager_requests - before) * pager_delay_ns);
    sim_destroy(b.sim);
}

/* What has been lost at the pager is not sent as zeros: the move is given up, and says so; the
 * process stays, and stands where it stood. */
static void test_no_move_with_lost_pages(void)
{
    struct beside b = beside(1);
    struct sim *s = b.sim;
    struct sim_process *boss = b.other;
    s64 control = sim_link(boss, b.walker, DEMOS_REQUEST_LINK, DEMOS_TOKERNEL, 0, 0);

    CHECK_EQ(order(boss, control, CONTROL_STOP, 0, 0, 0, 0, 0), 0);
    pager_broken = true;
    CHECK_EQ(order(boss, control, CONTROL_MIGRATE, 2, 0, 0, 0, 0), DEMOS_E_LOST);
    CHECK(sim_run(s, 100000));
    CHECK(node_find(s->nodes[0].node, &b.id) && !node_find(s->nodes[1].node, &b.id));
    CHECK(list_empty(&s->nodes[0].node->migrations) &&
          list_empty(&s->nodes[1].node->migrations));
    CHECK_EQ(net_stats(s->nodes[0].net)->no_memory, 0);
    pager_broken = false; /* it had them all the time */
    CHECK_EQ(order(boss, control, CONTROL_RESUME, 0, 0, 0, 0, 0), 0);
    CHECK(sim_run(s, 2000000));
    CHECK_EQ(b.walker->self[0], 500);
    CHECK_EQ(b.walker->self[3], 0);
    sim_destroy(s);
}

/* The same of a MOVEDATA: out of memory of another machine's process that has lost a page. */
static void test_no_bytes_of_lost_pages(void)
{
    struct beside b = beside(0);
    struct sim *s = b.sim;
    struct sim_process *reader = puppet_on(s, 1);
    s64 link = sim_link(reader, b.walker, DEMOS_GENERAL, DEMOS_AREA_READ, 0, 0);
    struct link *l = &link_find(&reader->task->links, link)->link;

    CHECK_EQ(b.walker->self[3], 0);

    l->base = WALK;
    l->len = 36 * SIM_PAGE;
    CHECK_EQ(
        kcall(reader, DEMOS_MOVEDATA, (u64)link, DEMOS_MOVE_READ, 0, TEXT, 8 * SIM_PAGE, 0),
        8 * SIM_PAGE);
    pager_broken = true;
    CHECK_EQ(kcall(reader, DEMOS_MOVEDATA, (u64)link, DEMOS_MOVE_READ, 28 * SIM_PAGE, TEXT,
                   8 * SIM_PAGE, 0),
             DEMOS_E_LOST);
    CHECK(list_empty(&s->nodes[0].node->moves) && list_empty(&s->nodes[1].node->moves));
    sim_destroy(s);
}

/* U53: no frame is left but the kernel's reserve, and the heap gives nothing to processes but
 * what describes a few pages: what must go goes all the same, its messages have a reserve too. */
static void test_page_out_with_nothing_left(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_node *sn = &s->nodes[0];
    struct sim_process *p;
    u32 least = ~0u;
    void *slack, **block, **blocks = NULL;

    pager_reset();
    pager_for(s, 1, 0, 12, PAGING_QUEUES);
    p = walker_on(s, 0, 36, 400, 0);
    p->task->state = DEMOS_READY;
    machine_thread_start(sn->node, p->thread, WALKER, DEMOS_STACK_TOP, 0);
    thread_ready(sn->node, p->thread);
    while (p->self[0] < 60) /* all kinds of what it needs have been made once */
        CHECK(!sim_run(s, 1));
    slack = node_alloc(sn->node, SLACK, false); /* for what it says of each page itself */
    while ((block = node_alloc(sn->node, 64, false)) != NULL) {
        *block = blocks;
        blocks = block;
    }
    node_free(sn->node, slack, SLACK);
    for (u32 round = 0; round < 400000 && p->self[0] < 400; round++) {
        sim_run(s, 1);
        least = MIN(least, sn->frame_count - sn->frames_taken);
    }
    CHECK_EQ(p->self[0], 400);
    CHECK_EQ(p->self[3], 0);
    CHECK(pager_writes > 100);
    CHECK(least <= sn->node->paging.reserve); /* what processes may have was all taken */
    while ((block = blocks) != NULL) {
        blocks = *block;
        node_free(sn->node, block, 64);
    }
    sim_destroy(s);
}

/* U53: there is no frame for the table that would show a page, and all other pages are clean: they
 * go at once, nobody is told that the node is out of memory. */
static void test_clean_pages_go_for_a_table(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *p;

    pager_reset();
    pager_for(s, 1, 0, WALK_PAGES / 3, PAGING_QUEUES);
    s->nodes[0].table_frames = 5;
    p = walker_on(s, 0, WALK_PAGES, 3000, 0);
    p->self[8] = 600;
    let_go(s, p);
    CHECK_EQ(p->self[0], 3000);
    CHECK_EQ(p->self[3], 0);
    sim_destroy(s);
}

/* U52: a process that is to be a node's pager is tried out as the keeper of one region first, by
 * the same messages; then it keeps everybody's pages. */
static void test_a_pager_is_a_keeper(void)
{
    struct sim *s = puppets(2, 0, NULL);
    struct sim_process *client = puppet_on(s, 0), *keeper, *p;
    u64 words[] = {CONTROL_KEEP, 0x50000000ull, 8 * SIM_PAGE, 3, 3, 0, KEEPER_WAIT, 0};
    u64 attr = DEMOS_DUP | DEMOS_GIVE, answer[1];
    u8 byte = 0;

    pager_reset();
    pager_blank = true;
    s->programs[PAGER] = pager;
    s->nodes[0].frame_count = 12;
    keeper = sim_spawn(&s->nodes[1], PAGER, 16);
    CHECK_EQ(request(client, LINK_SELF, words, ARRAY_SIZE(words),
                     sim_link(client, keeper, DEMOS_GENERAL, (u32)attr, 1, 5), answer, 1, NULL),
             8);
    CHECK_EQ(answer[0], 0);
    for (u64 i = 0; i < 24; i++) {
        u64 at = words[1] + i % 8 * SIM_PAGE;

        CHECK_EQ(kcall(client, SIM_TOUCH, at, REGION_WRITE, 0, 0, 0, 0), 0);
        sim_peek(client, at, &byte, 1);
        CHECK_EQ(byte, i / 8);
        byte++;
        sim_poke(client, at, &byte, 1);
    }
    CHECK(pager_requests >= 8);
    CHECK_EQ(order(client, LINK_KERNEL, KERNEL_OP_PAGER, PAGING_QUEUES, 0, 0, 0,
                   sim_link(client, keeper, DEMOS_GENERAL, (u32)attr, 1, 0)),
             0);
    p = walker_on(s, 0, 36, 300, 0);
    let_go(s, p);
    CHECK_EQ(p->self[0], 300);
    CHECK_EQ(p->self[3], 0);
    CHECK_EQ(kcall(client, SIM_TOUCH, words[1], REGION_READ, 0, 0, 0, 0), 0);
    sim_peek(client, words[1], &byte, 1);
    CHECK_EQ(byte, 3); /* both kinds of pages through one process */
    sim_destroy(s);
}

/* Somebody asks for the first page of an area, over a link to that one or to another; true: he gets it. */
static bool pried(struct sim_process *thief, struct sim_process *keeper, u32 code, u64 area)
{
    struct demos_info info = {.count = 1};
    u64 slot = 0, words[] = {KEEPER_REQUEST, 0, 0, SIM_PAGE, REGION_READ};
    s64 way = sim_link(thief, keeper, DEMOS_GENERAL, 0, 1, code);
    struct link *l;
    u8 body[sizeof(words)], plate[SIM_PAGE];

    while (pager_slot[slot].client != area || !pager_slot[slot].check)
        slot++;
    words[1] = pager_slot[slot].object;
    words[2] = pager_slot[slot].offset;
    for (u32 i = 0; i < ARRAY_SIZE(words); i++)
        be64_put(body + 8 * i, words[i]);
    info.links[0] = sim_link(thief, thief, DEMOS_GENERAL, DEMOS_GIVE | DEMOS_AREA_WRITE, 0, 0);
    l = &link_find(&thief->task->links, info.links[0])->link;
    l->base = BUFFER;
    l->len = SIM_PAGE;
    memset(plate, 0xee, sizeof(plate));
    sim_poke(thief, BUFFER, plate, sizeof(plate));
    sim_poke(thief, TEXT, body, sizeof(body));
    sim_poke(thief, INFO, &info, sizeof(info));
    CHECK_EQ(kcall(thief, DEMOS_SEND, (u64)way, TEXT, sizeof(body), INFO, DEMOS_FOREVER, 0), 0);
    sim_run(thief->node->sim, 20000);
    sim_peek(thief, BUFFER, body, 8);
    return body[0] != 0xee;
}

/* DV17: eight diskless nodes, one pager: nobody sees another's bytes, not even where the areas of two are
 * swapped, or one asks over his own for what lies in another's. */
static void shared_pager(bool swapped)
{
    struct sim *s = puppets(DISKLESS + 1, 0, NULL);
    struct sim_process *p[DISKLESS], *keeper;

    pager_reset();
    for (u32 i = 0; i < DISKLESS; i++)
        s->nodes[i].frame_count = 12;
    keeper = pager_on(s, DISKLESS);
    for (u32 i = 0; i < DISKLESS; i++)
        pager_area(s, keeper, swapped ? (i ^ 1) + 1 : i + 1, i, 12, PAGING_QUEUES);
    for (u32 i = 0; i < DISKLESS; i++) {
        p[i] = walker_on(s, i, 36, 500, i);
        p[i]->task->state = DEMOS_READY;
        machine_thread_start(s->nodes[i].node, p[i]->thread, WALKER, DEMOS_STACK_TOP, 0);
        thread_ready(s->nodes[i].node, p[i]->thread);
    }
    CHECK(sim_run(s, 4000000));
    for (u32 i = 0; i < DISKLESS; i++) {
        CHECK_EQ(p[i]->self[0], 500);
        CHECK_EQ(p[i]->self[3], 0);
    }
    pager_pried = true;
    CHECK(!pried(puppet_on(s, DISKLESS), keeper, 1, 2));
    CHECK(pried(puppet_on(s, DISKLESS), keeper, 2, 2)); /* whose it is would have got it */
    CHECK_EQ(pager_refused, 1);
    sim_destroy(s);
}

static void test_shared_pager(void)
{
    shared_pager(false);
    shared_pager(true);
}

/* Takes what the machine may have, up to so many frames. */
static u32 squeeze(struct node *n, u32 *frame, u32 taken, u32 most)
{
    u32 spare = node_spare(n, most - taken), left;

    machine_frames(n, &left);
    CHECK(taken + spare <= most && spare <= left);
    for (u32 i = 0; i < spare; i++)
        CHECK((frame[taken + i] = machine_frame_take(n, false)) != 0);
    return taken + spare;
}

/* The walk goes on to that step; each time it waits for a page, the machine takes what it may have. */
static u32 walk_squeezed(struct sim_process *p, u64 step, u32 *frame, u32 taken, u32 most)
{
    while (p->self[0] < step) {
        if (memory_awaited(p))
            taken = squeeze(p->node->node, frame, taken, most);
        CHECK(!sim_run(p->node->sim, 1));
    }
    return taken;
}

/* A machine that takes memory away while a program runs, more than it can have in the end, and gives it
 * back: what has to go goes to the pager, and the program finds every word it wrote. */
static void test_memory_that_shrinks(void)
{
    enum { ALL = 100, FIRST = 40, AWAY = 60, STEPS = 3000 };
    struct sim *s = puppets(2, 0, NULL);
    struct node *n = s->nodes[0].node;
    struct sim_process *p;
    u32 frame[ALL], taken = 0;

    pager_reset();
    pager_for(s, 1, 0, ALL, PAGING_QUEUES);
    taken = squeeze(n, frame, taken, FIRST);
    CHECK_EQ(taken, FIRST);
    p = walker_on(s, 0, WALK_PAGES, STEPS, 0);
    p->task->state = DEMOS_READY;
    machine_thread_start(p->node->node, p->thread, WALKER, DEMOS_STACK_TOP, 0);
    thread_ready(n, p->thread);
    taken = walk_squeezed(p, STEPS / 3, frame, taken, AWAY);
    CHECK_EQ(taken, AWAY);
    taken = walk_squeezed(p, STEPS / 3 * 2, frame, taken, ALL);
    CHECK(taken > AWAY && taken < ALL);
    printf("%u of %u frames taken from who uses %u\n", taken, ALL, WALK_PAGES);
    while (taken > 0)
        machine_frame_drop(n, frame[--taken]);
    node_more(n);
    CHECK(sim_run(s, 4000000));
    CHECK_EQ(p->self[0], STEPS);
    CHECK_EQ(p->self[3], 0);
    node_kill(n, p->task);
    sim_run(s, 10000);
    CHECK_EQ(s->nodes[0].frames_taken, 0);
    CHECK_EQ(node_spare(n, ALL), ALL - n->paging.target);
    sim_destroy(s);
}

TESTS(CASE(test_larger_than_memory), CASE(test_order_of_eviction), CASE(test_steps_of_a_fault),
      CASE(test_diskless), CASE(test_cut), CASE(test_pager_dies), CASE(test_pager_refuses),
      CASE(test_pagers_machine_dies), CASE(test_disk_lies), CASE(test_disk_recovers),
      CASE(test_disk_is_slow), CASE(test_shared_pager), CASE(test_moves_with_pages_away),
      CASE(test_no_move_with_lost_pages), CASE(test_no_bytes_of_lost_pages),
      CASE(test_page_out_with_nothing_left), CASE(test_clean_pages_go_for_a_table),
      CASE(test_a_pager_is_a_keeper), CASE(test_memory_that_shrinks))

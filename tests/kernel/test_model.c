/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs of five processes on one node, against the executable specification
 * (model.h): every result, every byte of memory, queues, link counts, and that nobody
 * sleeps who could go on. 100,000 calls per run; what fails is shrunk to a short program.
 * DL01-DL03, DL07, DL11, DL19, DL21 (mapping on and off), DL24, DL26, DL27, DP01, and that
 * the straight paths equal the general ones (each run has its own flags).
 */
#include "base/keyed.h"
#include "guest/machine/sim/sim.h"
#include "tests/check.h"
#include "tests/kernel/model.h"

struct op {
    u8 call, link, flavour, spare;
    u16 r[6];
};

enum { OPS = 100000, TRIES = 3000, PAGES = MODEL_MEMORY / SIM_PAGE, CROWDED = 130 };

struct world {
    struct sim *sim;
    struct model model;
    struct sim_process *p[MODEL_PROCESSES];
    struct { /* the call each process is in */
        bool open, tried, early;
        struct model_call call;
        u64 since;
        s64 result;
    } in[MODEL_PROCESSES];
    u32 current; /* whose call was issued last */
    const struct op *ops;
    u32 count, next;
    bool failed, loud;
    u64 calls, idles, handovers;
};

static struct world *world; /* of the run in progress: programs get no pointer but this */
static struct model spare;

static void fail(const char *what, u32 who, s64 kernel, s64 model)
{
    if (!world->failed && world->loud)
        printf("step %u: process %u, call %u: %s: kernel %lld, specification %lld\n",
               world->next, who, world->in[who].call.number, what, (long long)kernel,
               (long long)model);
    world->failed = true;
}

static u64 info_address(const struct model_call *c)
{
    return c->args[c->number == DEMOS_CALL || c->number == DEMOS_ANSWER ? 4 : 3];
}

static void read_told(u32 who, struct model_call *c, s64 result)
{
    c->told = result;
    memset(&c->told_info, 0, sizeof(c->told_info));
    if ((c->number == DEMOS_RECEIVE || c->number == DEMOS_CALL || c->number == DEMOS_ANSWER) &&
        result >= 0)
        sim_peek(world->p[who], info_address(c), &c->told_info, sizeof(c->told_info));
}

static void compare_state(u32 who)
{
    const struct model_process *m = &world->model.p[who];
    const struct task *t = world->p[who]->task;
    u32 links = 0;

    for (u32 i = 0; i < MODEL_LINKS; i++)
        links += m->links[i].number != 0;
    if (t->queued != m->queued)
        fail("messages queued", who, t->queued, m->queued);
    if (t->queued_bytes != m->queued_bytes)
        fail("bytes queued", who, (s64)t->queued_bytes, (s64)m->queued_bytes);
    if (t->reserved_bytes != m->reserved)
        fail("bytes reserved", who, (s64)t->reserved_bytes, (s64)m->reserved);
    if (t->links.used != links)
        fail("links held", who, t->links.used, links);
}

static void compare_memory(u32 who)
{
    u8 bytes[SIM_PAGE];

    for (u32 page = 0; page < PAGES; page++) {
        sim_peek(world->p[who], SIM_DATA + page * SIM_PAGE, bytes, SIM_PAGE);
        for (u32 i = 0; i < SIM_PAGE; i++) {
            if (bytes[i] != world->model.p[who].memory[page * SIM_PAGE + i]) {
                fail("memory at", who, page * SIM_PAGE + i, -1);
                return;
            }
        }
    }
}

/* Tells the model that a call began; true if by its rules it is over at once. */
static bool begin(u32 who, s64 *result)
{
    struct model *m = &world->model;
    u64 now = m->now;
    bool over;

    m->now = world->in[who].since;
    world->in[who].call.first = true;
    over = model_try(m, who, &world->in[who].call, result);
    m->now = now;
    world->in[who].call.first = false;
    world->in[who].tried = true;
    return over;
}

/* A process other than the last one runs, or none: that one's call has not ended. */
static void blocked(u32 who)
{
    s64 result;

    if (!world->in[who].open || world->in[who].tried)
        return;
    if (!begin(who, &result))
        return;
    world->in[who].early = true;
    world->in[who].result = result;
    /* Gave way to others, or was told at once that no answer will come: ran later. */
    if (world->in[who].call.number != DEMOS_YIELD &&
        !(world->in[who].call.number == DEMOS_CALL && result < 0))
        fail("waits, but should end with", who, -1, result);
}

static void ended(u32 who, s64 result)
{
    struct model_call *c = &world->in[who].call;
    s64 expected = 0;
    bool over = false;

    world->model.now = world->sim->now;
    read_told(who, c, result);
    if (world->in[who].early) {
        over = true;
        expected = world->in[who].result;
    }
    if (!over && !world->in[who].tried)
        over = begin(who, &expected);
    if (!over)
        over = model_try(&world->model, who, c, &expected);
    if (!over)
        fail("ended, but should wait", who, result, 0);
    else if (expected != result)
        fail("result", who, result, expected);
    world->in[who].open = false;
}

static s64 pick_link(u32 who, const struct op *op, u32 salt)
{
    const struct model_process *m = &world->model.p[who];
    u32 n = 0, want;

    if (op->flavour % 16 == 15) /* forged: another's number, an old one, nonsense */
        return op->r[5] % 3 == 0 ? (s64)op->r[4] : (s64)(op->r[5] % 64) << 24 | op->r[4] % 30;
    for (u32 i = 0; i < MODEL_LINKS; i++)
        n += m->links[i].number != 0;
    if (!n)
        return op->link;
    want = (op->link + salt) % n;
    for (u32 i = 0; i < MODEL_LINKS; i++) {
        if (m->links[i].number && want-- == 0)
            return m->links[i].number;
    }
    return 0;
}

/* A link to answer by, if there is one: else the one picked. */
static s64 pick_reply(u32 who, s64 picked)
{
    for (u32 i = 0; i < MODEL_LINKS; i++) {
        const struct model_link *l = &world->model.p[who].links[i];

        if (l->number && l->kind == DEMOS_REPLY_LINK)
            return l->number;
    }
    return picked;
}

static u64 address(u32 r, bool hostile)
{
    if (hostile && r % 4 == 0)
        return r % 8 ? SIM_DATA + MODEL_MEMORY - r % 64 : (u64)r << 40;
    return SIM_DATA + (r & 1 ? r % MODEL_MEMORY : ALIGN_DOWN(r % MODEL_MEMORY, SIM_PAGE));
}

static u64 timeout(u32 r)
{
    static const u64 some[] = {DEMOS_NOW, DEMOS_NOW, 5, 1000, 20, DEMOS_FOREVER};

    return some[r % ARRAY_SIZE(some)];
}

/* Nothing special is asked for, as by most programs. */
static bool plain(const struct op *op)
{
    return op->spare % 2;
}

/* An info structure with links to pass, written to the process's memory here and there. */
static u64 put_info(u32 who, const struct op *op)
{
    struct demos_info info = {.code = op->r[3]};
    u64 where = SIM_DATA + op->r[4] % (MODEL_MEMORY - sizeof(info));

    if (plain(op))
        where = ALIGN_DOWN(where, 8ull); /* as a compiler would put it */
    if (plain(op) || op->flavour % 8 < 4)
        info.count = 0;
    else
        info.count = op->r[5] % 17 == 0 ? 5 : op->r[5] % 4;
    for (u32 i = 0; i < info.count && i < DEMOS_LINKS_MAX; i++)
        info.links[i] = pick_link(who, op, i + 1 + op->r[3] % 3);
    sim_poke(world->p[who], where, &info, sizeof(info));
    memcpy(world->model.p[who].memory + (where - SIM_DATA), &info, sizeof(info));
    return op->flavour % 32 == 31 ? (u64)op->r[3] << 36 : where;
}

static struct sim_call make_createlink(const struct op *op)
{
    static const u32 attrs[] = {
        DEMOS_DUP | DEMOS_GIVE,
        DEMOS_GIVE,
        DEMOS_DUP | DEMOS_GIVE | DEMOS_TELLDEST,
        DEMOS_GIVE | DEMOS_TELLGIVE,
        DEMOS_GIVE | DEMOS_ONCE | DEMOS_TELLDEST,
        DEMOS_DUP | DEMOS_GIVE | DEMOS_AREA_READ,
        DEMOS_GIVE | DEMOS_AREA_READ | DEMOS_AREA_WRITE,
        DEMOS_DUP | DEMOS_GIVE | DEMOS_AREA_WRITE,
        0,
        DEMOS_DUP | DEMOS_GIVE | DEMOS_TIMELY,
        DEMOS_DUP | DEMOS_GIVE | DEMOS_ONCE,
        DEMOS_DUP | DEMOS_GIVE | DEMOS_TELLGIVE | DEMOS_TELLDEST,
    };
    u32 attr = attrs[op->flavour % ARRAY_SIZE(attrs)];
    u32 kind = op->link % 3, channel = op->r[0] % 4;
    u64 base = address(op->r[1], op->r[3] % 16 == 0);
    u64 len = attr & (DEMOS_AREA_READ | DEMOS_AREA_WRITE) ? op->r[2] % MODEL_MEMORY : 0;

    if (op->r[3] % 64 == 1)
        kind = op->r[4] % 6;
    if (op->r[3] % 64 == 2)
        attr = op->r[4];
    if (op->r[3] % 64 == 3)
        channel = op->r[4];
    if (op->r[3] % 64 == 4)
        len = (u64)op->r[4] << 40;
    return sim_call(DEMOS_CREATELINK, demos_spec(kind, attr, channel), op->r[5], base, len, 0,
                    0);
}

static struct sim_call make(u32 who, const struct op *op)
{
    static const u8 mix[] = {
        DEMOS_CREATELINK, DEMOS_SEND,    DEMOS_RECEIVE,    DEMOS_CALL,        DEMOS_REPLY,
        DEMOS_REQUEST,    DEMOS_RECEIVE, DEMOS_CREATELINK, DEMOS_MOVEDATA,    DEMOS_SEND,
        DEMOS_REPLY,      DEMOS_CALL,    DEMOS_DUPLINK,    DEMOS_DESTROYLINK, DEMOS_RECEIVE,
        DEMOS_YIELD,      DEMOS_NULL,    DEMOS_REPLY,      DEMOS_ANSWER,      DEMOS_ANSWER,
    };
    u32 call = op->call == 255 ? 40u + op->link : mix[op->call % ARRAY_SIZE(mix)];
    bool hostile = op->flavour % 32 == 30;
    u64 a = (u64)pick_link(who, op, 0), body = address(op->r[0], hostile);
    u64 len = op->r[1] % 5 ? op->r[1] % 64 : op->r[1] % MODEL_BODY;
    u64 room = op->r[2] % 3 ? 256 : op->r[2] % MODEL_BODY;
    u64 buffer = address(op->r[2], hostile);

    if (body - SIM_DATA > MODEL_MEMORY - len && !hostile)
        body = SIM_DATA;
    if (buffer - SIM_DATA > MODEL_MEMORY - MODEL_BODY && !hostile)
        buffer = SIM_DATA + SIM_PAGE;
    if (plain(op) && (call == DEMOS_REPLY || call == DEMOS_ANSWER))
        a = (u64)pick_reply(who, (s64)a);
    switch (call) {
    case DEMOS_CREATELINK: return make_createlink(op);
    case DEMOS_SEND:
    case DEMOS_REPLY:
        return sim_call(call, a, body, len, op->flavour % 4 ? 0 : put_info(who, op),
                        timeout(op->r[2]), 0);
    case DEMOS_REQUEST:
        return sim_call(call, a, body, len, put_info(who, op), timeout(op->r[2]),
                        demos_lens(room, op->r[1] % 61 == 0 ? op->r[0] : op->r[1] % 4));
    case DEMOS_CALL:
        return sim_call(call, a, body, demos_lens(len, room), buffer, put_info(who, op),
                        plain(op) || op->r[3] % 3 ? DEMOS_FOREVER : timeout(op->r[3] / 3));
    case DEMOS_ANSWER:
        return sim_call(call, a, body, demos_lens(len, room), buffer, put_info(who, op),
                        op->r[3] % 3 ? DEMOS_ANY_CHANNEL : op->r[3] % 16);
    case DEMOS_RECEIVE:
        return sim_call(call, plain(op) || op->flavour % 3 ? DEMOS_ANY_CHANNEL : op->r[0] % 16,
                        buffer, room, put_info(who, op),
                        plain(op) ? DEMOS_FOREVER : timeout(op->r[3]), 0);
    case DEMOS_MOVEDATA:
        return sim_call(
            call, a, op->r[5] % 33 == 0 ? 2 : op->r[5] & 1, op->r[0] % 3 ? op->r[0] % 512 : 0,
            address(op->r[1], hostile),
            op->r[2] % 4 ? op->r[2] % 256 : ALIGN_DOWN(op->r[2] % MODEL_MEMORY, 4096u), 0);
    default: return sim_call(call, a, 0, 0, 0, 0, 0);
    }
}

static struct sim_call program(struct sim_process *p, s64 result)
{
    u32 who = (u32)p->self[0];
    struct sim_call c;

    if (world->current != who)
        blocked(world->current);
    if (world->in[who].open)
        ended(who, result);
    for (u32 other = 0; other < MODEL_PROCESSES && !world->failed; other++)
        compare_state(other);
    if (world->next % 512 == 0)
        compare_memory(who);
    if (world->failed || world->next == world->count)
        return sim_call(DEMOS_RECEIVE, 0, 0, 0, 0, DEMOS_FOREVER, 0);
    world->current = who;
    c = make(who, &world->ops[world->next++]);
    world->in[who].open = true;
    world->in[who].tried = world->in[who].early = false;
    world->in[who].since = world->sim->now;
    world->in[who].call = (struct model_call){.number = c.number};
    memcpy(world->in[who].call.args, c.args, sizeof(c.args));
    world->calls++;
    return c;
}

/* A CALL that had waited for room has got it, and now waits for its answer. */
static void waits_again(struct sim_process *p)
{
    u32 who = (u32)p->self[0];
    struct model_call *c = &world->in[who].call;

    blocked(world->current);
    if (!world->in[who].open || c->number != DEMOS_CALL || world->model.p[who].in_call ||
        p->thread->wait != WAIT_REPLY)
        return;
    world->model.now = world->sim->now;
    world->in[who].early = model_try(&world->model, who, c, &world->in[who].result);
}

static void spawn(u32 who)
{
    static const struct demos_limits limits = {MODEL_LINKS, MODEL_LIMIT, 1 << 20};
    struct node *n = world->sim->nodes[0].node;
    struct task *t = node_process(n, "random", &limits);
    u32 rw = REGION_READ | REGION_WRITE;

    node_map(n, t, SIM_DATA, MODEL_MEMORY, rw, rw);
    node_start(n, t, 1, DEMOS_STACK_TOP, 0, NULL, 0);
    world->p[who] = sim_process_of(t);
    world->p[who]->self[0] = who;
    world->in[who].open = false;
    model_begin(&world->model, who);
}

/* Everybody gets a link to everybody, so that something can happen. */
static void introduce(u32 who, u32 to, u32 kind)
{
    u32 attr = DEMOS_DUP | DEMOS_GIVE | DEMOS_AREA_READ | DEMOS_AREA_WRITE;
    struct model_link l = {.target = to + MODEL_PROCESSES * world->model.p[to].life,
                           .kind = kind,
                           .attr = attr,
                           .channel = to % 4,
                           .code = 100 + who,
                           .base = SIM_DATA,
                           .len = MODEL_MEMORY};
    struct task *t = world->p[who]->task;
    s64 number = sim_link(world->p[who], world->p[to], kind, attr, to % 4, 100 + who);
    struct link_slot *slot = number > 0 ? link_find(&t->links, number) : NULL;

    if (!slot)
        return;
    slot->link.base = SIM_DATA;
    slot->link.len = MODEL_MEMORY;
    model_add(&world->model, who, &l, number);
}

static void kick(u32 who)
{
    blocked(world->current); /* before anybody dies */
    model_end(&world->model, who);
    node_kill(world->sim->nodes[0].node, world->p[who]->task);
    spawn(who);
    for (u32 other = 0; other < MODEL_PROCESSES; other++) {
        introduce(who, other, (who + other) % 2 ? DEMOS_RESOURCE : DEMOS_REQUEST_LINK);
        introduce(other, who, DEMOS_RESOURCE);
    }
    world->current = who;
}

/* All wait: by the rules, must they? */
static void check_asleep(void)
{
    for (u32 who = 0; who < MODEL_PROCESSES && !world->failed; who++) {
        struct model_call c = world->in[who].call;
        s64 result;

        spare = world->model;
        spare.now = world->sim->now;
        c.first = false;
        if (world->in[who].open && world->in[who].tried &&
            model_try(&spare, who, &c, &result) && result != DEMOS_E_TIMEOUT &&
            result != DEMOS_E_MEMORY) /* an error can wait */
            fail("sleeps, but could end with", who, -1, result);
    }
}

static void idle(void)
{
    struct node *n = world->sim->nodes[0].node;
    u64 next = node_deadline(n);

    blocked(world->current);
    if (world->idles++ % 8 == 0)
        check_asleep();
    if (next != ~(u64)0)
        world->sim->now = MAX(next, world->sim->now);
    else
        kick((u32)keyed_below(1, 2, world->idles, MODEL_PROCESSES));
}

/* Runs a program; true if kernel and specification agreed throughout. */
static bool run(const struct op *ops, u32 count, u32 flags, bool loud, bool sabotage)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    world = &w;
    w.ops = ops;
    w.count = count;
    w.loud = loud;
    w.model.sabotage = sabotage;
    w.sim = sim_create(1, 8 << 20, flags, false);
    w.sim->programs[1] = program;
    w.sim->on_blocked = waits_again;
    for (u32 who = 0; who < MODEL_PROCESSES; who++)
        spawn(who);
    for (u32 who = 0; who < MODEL_PROCESSES; who++)
        kick(who);
    while (!w.failed && !w.model.broken && w.next < w.count) {
        node_timer(w.sim->nodes[0].node);
        if (!sim_step(&w.sim->nodes[0]))
            idle();
        for (u32 who = 0; who < MODEL_PROCESSES; who++) {
            if (w.model.p[who].queued > CROWDED)
                kick(who);
        }
    }
    if (w.model.broken)
        fail("link numbers", 0, 0, 0);
    for (u32 i = 0; i < 100 && sim_step(&w.sim->nodes[0]); i++)
        ; /* what was begun comes to its end, or waits */
    blocked(w.current);
    for (u32 who = 0; who < MODEL_PROCESSES && !w.failed; who++)
        compare_memory(who);
    w.handovers = w.sim->nodes[0].handovers;
    sim_destroy(w.sim);
    return !w.failed;
}

static struct op ops[OPS], best[OPS], trial[OPS];

static void generate(u64 seed)
{
    for (u32 i = 0; i < OPS; i++) {
        u8 *bytes = (u8 *)&ops[i];

        for (u32 b = 0; b < sizeof(struct op); b += 8) {
            u64 x = keyed_random(seed, i, b);
            memcpy(bytes + b, &x, 8);
        }
    }
}

/* The shortest program found that still fails, by leaving pieces out. */
static u32 shrink(u32 count, u32 flags, bool sabotage)
{
    memcpy(best, ops, count * sizeof(*ops));
    for (u32 piece = MAX(count / 2, 1u), tries = 0; tries < TRIES; tries++) {
        bool shorter = false;

        for (u32 at = 0; at < count && tries < TRIES; tries++) {
            u32 n = MIN(piece, count - at);

            memcpy(trial, best, at * sizeof(*best));
            memcpy(trial + at, best + at + n, (count - at - n) * sizeof(*best));
            if (run(trial, count - n, flags, false, sabotage)) {
                at += n;
                continue;
            }
            count = MIN(world->next, count - n);
            memcpy(best, trial, count * sizeof(*best));
            shorter = true;
        }
        if (piece == 1 && !shorter)
            break;
        piece = MAX(piece / 2, 1u);
    }
    return count;
}

static void report(u32 count, u32 flags)
{
    printf("a program of %u calls fails (flags %u):\n", count, flags);
    for (u32 i = 0; i < count && i < 60; i++)
        printf("  {%u, %u, %u, 0, {%u, %u, %u, %u, %u, %u}},\n", best[i].call, best[i].link,
               best[i].flavour, best[i].r[0], best[i].r[1], best[i].r[2], best[i].r[3],
               best[i].r[4], best[i].r[5]);
    run(best, count, flags, true, false);
}

static void compare(u64 seed, u32 flags)
{
    u32 count;

    generate(seed);
    if (run(ops, OPS, flags, true, false)) {
        CHECK_EQ(world->calls, OPS);
        return;
    }
    count = shrink(world->next, flags, false);
    report(count, flags);
    CHECK(!"kernel and specification agree");
}

static void test_all_paths(void)
{
    compare(1, 0);
    printf("%llu handovers\n", (unsigned long long)world->handovers);
    CHECK(world->handovers > 100);
}

static void test_general_paths_only(void)
{
    compare(2, NODE_NO_FAST);
    CHECK_EQ(world->handovers, 0);
}

static void test_no_mapping(void)
{
    compare(3, NODE_NO_SHARE);
}

static void test_checked_links_and_trace(void)
{
    compare(4, NODE_CHECK_LINKS | NODE_TRACE);
}

static void test_more_seeds(void)
{
    for (u64 seed = 10; seed < test_length(10, 60); seed++)
        compare(seed, seed & 1 ? NODE_NO_FAST : 0);
}

/* A specification with one rule wrong: the comparison must notice, and shrink well. */
static void test_comparison_notices(void)
{
    u32 count;

    generate(5);
    CHECK(!run(ops, OPS, 0, false, true));
    count = shrink(world->next, 0, true);
    printf("shrunk to %u calls\n", count);
    CHECK(count <= 20);
    CHECK(!run(best, count, 0, false, true));
    CHECK(run(best, count, 0, false, false));
}

TESTS(CASE(test_all_paths), CASE(test_general_paths_only), CASE(test_no_mapping),
      CASE(test_checked_links_and_trace), CASE(test_more_seeds), CASE(test_comparison_notices))

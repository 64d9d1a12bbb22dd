/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper protocol word by word, on one node and between two: a keeper that does its work,
 * and all the ways in which one may not. DV14, DV15, DV16, U22-U28, U30-U38, U46, U47, U50, U51. F24.
 */
#include "tests/vm/kept.h"
#include "tests/vm/pager.h"

struct bed {
    struct sim *sim;
    struct sim_process *client, *keeper;
    struct heard init;
};

/* A client on node 0 with four pages of an object that a keeper on node `at` keeps. */
static struct bed bed_of(u32 at, u64 silence, u64 patience)
{
    struct bed b = {.sim = puppets(2, 0, NULL)};

    b.client = puppet_on(b.sim, 0);
    b.keeper = puppet_on(b.sim, at);
    CHECK_EQ(keep(b.client, b.keeper, 0, 4, 77, silence, patience), 0);
    b.init = hear(b.keeper);
    CHECK_EQ(b.init.op, KEEPER_INIT);
    CHECK_EQ(b.init.word[1], SIM_PAGE);
    CHECK(b.init.links[0] && b.init.links[1]);
    return b;
}

static void over(struct bed *b)
{
    sim_destroy(b->sim);
}

static void page_comes(u32 at)
{
    struct bed b = bed_of(at, KEEPER_WAIT, 0);
    const struct link_slot *slot;
    struct heard h;

    CHECK(!touch(b.client, 2, REGION_READ));
    CHECK(waits(b.client));
    h = hear(b.keeper);
    CHECK_EQ(h.op, KEEPER_REQUEST);
    CHECK_EQ(h.word[0], b.init.word[0]);
    CHECK_EQ(h.word[1], 2 * SIM_PAGE);
    CHECK_EQ(h.word[2], SIM_PAGE);
    CHECK_EQ(h.word[3], REGION_READ);
    slot = link_find(&b.keeper->task->links, h.links[0]); /* its area is the frame: DV15 */
    CHECK_EQ(slot->link.len, SIM_PAGE);
    CHECK_EQ(slot->link.to.serial, 0);
    CHECK_EQ(slot->link.to.machine, 1);
    CHECK_EQ(hear(b.keeper).op, 0);
    provide(b.keeper, &h, 0x5a);
    CHECK(!waits(b.client));
    CHECK_EQ(shown(b.client, 2), 0x5a);
    CHECK_EQ(hear(b.keeper).op, 0); /* it is here now */
    over(&b);
}

static void test_a_page_comes(void)
{
    page_comes(0);
    page_comes(1);
}

/* A link to a frame is good for one request, in one direction, within the frame. */
static void test_frames_are_safe(void)
{
    struct bed b = bed_of(0, KEEPER_WAIT, 0);
    struct heard h;
    u64 link;

    touch(b.client, 0, REGION_READ);
    h = hear(b.keeper);
    link = (u64)h.links[0];
    CHECK_EQ(kcall(b.keeper, DEMOS_MOVEDATA, link, DEMOS_MOVE_READ, 0, PLATE, 8, 0),
             DEMOS_E_ALLOWED);
    CHECK_EQ(kcall(b.keeper, DEMOS_MOVEDATA, link, DEMOS_MOVE_WRITE, 1, PLATE, SIM_PAGE, 0),
             DEMOS_E_AREA);
    CHECK_EQ(kcall(b.keeper, DEMOS_SEND, link, PLATE, 8, 0, 0, 0), DEMOS_E_KIND);
    fill(b.keeper, &h, 1);
    say(b.keeper, b.init.links[0], KEEPER_DATA, 0, 1, 0, 0, 0);
    CHECK(!waits(b.client));
    CHECK_EQ(kcall(b.keeper, DEMOS_MOVEDATA, link, DEMOS_MOVE_WRITE, 0, PLATE, 8, 0),
             DEMOS_E_DEAD); /* the frame is the client's page */
    CHECK_EQ(drop(b.keeper, h.links[0]), 0);
    CHECK_EQ(shown(b.client, 0), 1);
    over(&b);
}

static void test_data_in_the_message(void)
{
    struct bed b = bed_of(1, KEEPER_WAIT, 0);
    struct heard h;

    touch(b.client, 0, REGION_READ);
    h = hear(b.keeper);
    say(b.keeper, b.init.links[0], KEEPER_DATA, 0, 3, 0, 3 * SIM_PAGE, 9); /* two unasked */
    CHECK(!waits(b.client));
    drop(b.keeper, h.links[0]);
    for (u64 page = 0; page < 3; page++)
        CHECK_EQ(shown(b.client, page), 9);
    CHECK_EQ(hear(b.keeper).op, 0);
    touch(b.client, 3, REGION_READ);
    h = hear(b.keeper);
    say(b.keeper, b.init.links[0], KEEPER_DATA, 3, 1, 0, SIM_PAGE - 1, 9); /* no whole page */
    CHECK(waits(b.client));
    provide(b.keeper, &h, 8);
    CHECK_EQ(shown(b.client, 3), 8);
    over(&b);
}

/* A part of a page is no page: the request fails, and is made again when wanted again. */
static void test_part_of_a_page(void)
{
    struct bed b = bed_of(0, KEEPER_FAIL, DEMOS_FOREVER);
    struct process_id id = b.client->task->id;
    struct heard h;

    touch(b.client, 0, REGION_READ);
    h = hear(b.keeper);
    kcall(b.keeper, DEMOS_MOVEDATA, (u64)h.links[0], DEMOS_MOVE_WRITE, 0, PLATE, 100, 0);
    drop(b.keeper, h.links[0]);
    CHECK(!node_find(b.sim->nodes[0].node, &id)); /* it had no exception link */
    over(&b);
}

static void test_changes_go_back(void)
{
    struct bed b = bed_of(1, KEEPER_WAIT, 0);
    struct heard h;
    u8 plate[SIM_PAGE];

    touch(b.client, 1, REGION_WRITE);
    h = hear(b.keeper);
    CHECK_EQ(h.word[3] & REGION_WRITE, REGION_WRITE);
    provide(b.keeper, &h, 3);
    CHECK(touch(b.client, 1, REGION_WRITE));
    sim_poke(b.client, KEPT + SIM_PAGE, "changed", 8);
    say(b.keeper, b.init.links[0], KEEPER_CLEAN, 0, 4, 0, 0, 0);
    h = hear(b.keeper);
    CHECK_EQ(h.op, KEEPER_WRITE);
    CHECK_EQ(h.word[1], SIM_PAGE);
    CHECK_EQ(kcall(b.keeper, DEMOS_MOVEDATA, (u64)h.links[0], DEMOS_MOVE_READ, 0, PLATE,
                   SIM_PAGE, 0),
             SIM_PAGE);
    sim_peek(b.keeper, PLATE, plate, sizeof(plate));
    CHECK(memcmp(plate, "changed", 8) == 0 && plate[8] == 3);
    CHECK(touch(b.client, 1, REGION_READ));   /* kept, and read meanwhile */
    CHECK(!touch(b.client, 1, REGION_WRITE)); /* written only when the keeper is done */
    CHECK_EQ(drop(b.keeper, h.links[0]), 0);
    CHECK(!waits(b.client));
    say(b.keeper, b.init.links[0], KEEPER_FLUSH, 0, 4, 0, 0, 0);
    h = hear(b.keeper);
    CHECK_EQ(h.op, KEEPER_WRITE); /* dirty again by that write */
    drop(b.keeper, h.links[0]);
    CHECK(!touch(b.client, 1, REGION_READ));
    CHECK_EQ(hear(b.keeper).op, KEEPER_REQUEST);
    over(&b);
}

static void test_locks(void)
{
    struct bed b = bed_of(0, KEEPER_WAIT, 0);
    struct heard h;

    touch(b.client, 0, REGION_READ);
    h = hear(b.keeper);
    fill(b.keeper, &h, 4);
    say(b.keeper, b.init.links[0], KEEPER_DATA, 0, 1, REGION_WRITE, 0, 0);
    drop(b.keeper, h.links[0]);
    CHECK_EQ(shown(b.client, 0), 4);
    CHECK(!touch(b.client, 0, REGION_WRITE));
    h = hear(b.keeper);
    CHECK_EQ(h.op, KEEPER_UNLOCK);
    CHECK_EQ(h.word[3], REGION_WRITE);
    CHECK_EQ(hear(b.keeper).op, 0); /* asked once */
    say(b.keeper, b.init.links[0], KEEPER_LOCK, 0, 1, 0, 0, 0);
    CHECK(!waits(b.client));
    say(b.keeper, b.init.links[0], KEEPER_LOCK, 0, 1, REGION_WRITE, 0, 0);
    CHECK(touch(b.client, 0, REGION_READ));
    CHECK(!touch(b.client, 0, REGION_WRITE)); /* taken back: the next store asks again */
    CHECK_EQ(hear(b.keeper).op, KEEPER_UNLOCK);
    say(b.keeper, b.init.links[0], KEEPER_LOCK, 0, 1, 0, 0, 0);
    CHECK(!waits(b.client));
    over(&b);
}

static void test_unavailable(void)
{
    struct bed b = bed_of(1, KEEPER_WAIT, 0);
    struct heard h;

    touch(b.client, 0, REGION_READ);
    h = hear(b.keeper);
    say(b.keeper, b.init.links[0], KEEPER_UNAVAILABLE, 0, 4, 0, 0, 0);
    CHECK(!waits(b.client));
    drop(b.keeper, h.links[0]);
    CHECK_EQ(shown(b.client, 0), 0);
    over(&b);
}

/* What the client chose is what it gets when its keeper cannot, will not, or is no more. */
static void refusal(u64 silence, void (*refuse)(struct bed *b, const struct heard *h), u32 at)
{
    struct bed b = bed_of(at, silence, DEMOS_FOREVER);
    struct process_id id = b.client->task->id;
    struct heard h;

    touch(b.client, 0, REGION_READ);
    h = hear(b.keeper);
    CHECK(node_find(b.sim->nodes[0].node, &id) && waits(b.client));
    refuse(&b, &h);
    sim_run(b.sim, 10000);
    if (silence == KEEPER_ZERO) {
        CHECK(node_find(b.sim->nodes[0].node, &id) != NULL);
        CHECK_EQ(shown(b.client, 0), 0);
    } else {
        CHECK(!node_find(b.sim->nodes[0].node, &id));
    }
    over(&b);
}

static void by_error(struct bed *b, const struct heard *h)
{
    (void)h;
    say(b->keeper, b->init.links[0], KEEPER_ERROR, 0, 4, 0, 0, 0);
}

static void by_letting_go(struct bed *b, const struct heard *h)
{
    drop(b->keeper, h->links[0]);
}

static void by_dying(struct bed *b, const struct heard *h)
{
    (void)h;
    node_kill(b->keeper->node->node, b->keeper->task);
}

static void by_its_machine(struct bed *b, const struct heard *h)
{
    (void)h;
    b->sim->nodes[1].down = true;
    node_declare_dead(b->sim->nodes[0].node, 2, 1);
}

static void test_refusals(void)
{
    static const u64 choices[] = {KEEPER_WAIT, KEEPER_FAIL, KEEPER_ZERO};

    for (u32 i = 0; i < ARRAY_SIZE(choices); i++) {
        for (u32 at = 0; at < 2; at++) {
            refusal(choices[i], by_error, at);
            refusal(choices[i], by_letting_go, at);
            refusal(choices[i], by_dying, at);
        }
        refusal(choices[i], by_its_machine, 1);
    }
}

/* A keeper that was dead before it was asked. */
static void test_keeper_gone_before(void)
{
    struct bed b = bed_of(1, KEEPER_ZERO, DEMOS_FOREVER);

    node_kill(b.keeper->node->node, b.keeper->task);
    touch(b.client, 0, REGION_WRITE);
    sim_run(b.sim, 10000);
    CHECK(!waits(b.client));
    CHECK_EQ(shown(b.client, 0), 0);
    over(&b);
}

/* One who has nothing to do with the keeper makes calls, uses memory of its own, and sleeps. */
static void goes_on(struct sim_process *p, u64 round)
{
    u64 since = p->node->sim->now;

    CHECK_EQ(kcall(p, DEMOS_NULL, 0, 0, 0, 0, 0, 0), 0);
    CHECK_EQ(order(p, LINK_SELF, CONTROL_MAP, KEPT + round * SIM_PAGE, SIM_PAGE, 3, 3, 0), 0);
    CHECK_EQ(kcall(p, SIM_TOUCH, KEPT + round * SIM_PAGE, REGION_WRITE, 0, 0, 0, 0), 0);
    CHECK_EQ(kcall(p, DEMOS_RECEIVE, 0, 0, 0, 0, 1000000, 0), DEMOS_E_TIMEOUT);
    CHECK(p->node->sim->now - since >= 1000000);
}

static void silent(u64 silence)
{
    struct bed b = bed_of(0, silence, 5000000);
    struct sim_process *bystander = puppet_on(b.sim, 0);
    struct process_id id = b.client->task->id;
    u64 before = b.sim->now;

    touch(b.client, 0, REGION_READ);
    CHECK_EQ(hear(b.keeper).op, KEEPER_REQUEST);
    for (u64 round = 0; silence == KEEPER_WAIT && round < 3; round++) {
        goes_on(bystander, round);
        CHECK(waits(b.client));
    }
    sim_run(b.sim, 20000);
    goes_on(bystander, 3);
    if (silence == KEEPER_WAIT) {
        CHECK(waits(b.client));
        node_kill(b.sim->nodes[0].node, bystander->task);
        node_kill(b.sim->nodes[0].node, b.client->task); /* goes, with what it waits for */
        CHECK_EQ(b.sim->nodes[0].frames_taken, 0);
    } else {
        CHECK(b.sim->now - before >= 5000000);
        CHECK_EQ(node_find(b.sim->nodes[0].node, &id) != NULL, silence == KEEPER_ZERO);
    }
    over(&b);
}

static void test_silence(void)
{
    silent(KEEPER_WAIT);
    silent(KEEPER_FAIL);
    silent(KEEPER_ZERO);
}

/* U46, U51: a client with an exception link does not end of a page that it does not get, for it refused or kept
 * silence: it stands still until the handler, who has been told which page it is, says that it try again. */
static void notified(u32 at, bool refuses)
{
    struct bed b = bed_of(at, KEEPER_FAIL, refuses ? DEMOS_FOREVER : 5000000);
    struct sim_process *handler = puppet_on(b.sim, 0);
    u64 attr = DEMOS_DUP | DEMOS_GIVE;
    struct demos_info info = {0};
    struct heard h;
    u8 body[512];

    CHECK_EQ(order(b.client, LINK_SELF, CONTROL_EXCEPTION, 0, 0, 0, 0,
                   sim_link(b.client, handler, DEMOS_REQUEST_LINK, (u32)attr, 3, 0)),
             0);
    touch(b.client, 2, REGION_READ);
    h = hear(b.keeper);
    CHECK_EQ(h.op, KEEPER_REQUEST);
    if (refuses)
        say(b.keeper, b.init.links[0], KEEPER_ERROR, 2, 1, 0, 0, 0);
    CHECK(kcall(handler, DEMOS_RECEIVE, DEMOS_CHANNEL(3), BUFFER, 512, INFO, DEMOS_NOW, 0) >=
          32);
    sim_peek(handler, BUFFER, body, 32);
    sim_peek(handler, INFO, &info, sizeof(info));
    CHECK_EQ(be64_get(body), EXCEPTION_PAGER);
    CHECK_EQ(be64_get(body + 16), KEPT + 2 * SIM_PAGE);
    CHECK(waits(b.client) && b.client->task->state == DEMOS_READY);
    drop(b.keeper, h.links[0]);
    CHECK_EQ(hear(b.keeper).op, 0);
    if (!refuses) /* it has woken up: the page is unasked for, and kept until it is wanted */
        say(b.keeper, b.init.links[0], KEEPER_DATA, 2, 1, 0, SIM_PAGE, 0x33);
    be64_put(body, EXCEPTION_RETRY);
    sim_poke(handler, TEXT, body, 8);
    CHECK_EQ(kcall(handler, DEMOS_REPLY, (u64)info.reply, TEXT, 8, 0, DEMOS_FOREVER, 0), 0);
    h = hear(b.keeper);
    CHECK_EQ(h.op, refuses ? (u64)KEEPER_REQUEST : 0);
    if (refuses)
        provide(b.keeper, &h, 0x33);
    CHECK(!waits(b.client));
    CHECK_EQ(shown(b.client, 2), 0x33);
    over(&b);
}

static void test_notified(void)
{
    for (u32 at = 0; at < 2; at++) {
        notified(at, true);
        notified(at, false);
    }
}

/* The kernel's own copies wait as the process would: a message to and from kept memory. */
static void test_calls_with_kept_memory(void)
{
    struct bed b = bed_of(0, KEEPER_WAIT, 0);
    s64 self = sim_link(b.client, b.client, DEMOS_GENERAL, DEMOS_DUP, 5, 0);
    struct heard h;

    begin_call(b.client, DEMOS_SEND, (u64)self, KEPT + SIM_PAGE - 4, 8, 0, DEMOS_FOREVER, 0);
    for (u32 page = 0; page < 2; page++) {
        CHECK(waits(b.client));
        h = hear(b.keeper);
        CHECK_EQ(h.word[1], page * SIM_PAGE);
        provide(b.keeper, &h, (u8)(page + 1));
    }
    CHECK(!waits(b.client));
    begin_call(b.client, DEMOS_RECEIVE, DEMOS_CHANNEL(5), KEPT + 2 * SIM_PAGE, 8, 0,
               DEMOS_FOREVER, 0);
    CHECK(waits(b.client));
    h = hear(b.keeper);
    CHECK_EQ(h.word[1], 2 * SIM_PAGE);
    provide(b.keeper, &h, 7);
    CHECK_EQ(b.client->self[1], 8);
    CHECK_EQ(shown(b.client, 2), 1);
    over(&b);
}

/* The last one to unmap it: what changed goes back, then END, once. */
static void end_of(bool by_death)
{
    struct bed b = bed_of(1, KEEPER_WAIT, 0);
    struct heard h;

    touch(b.client, 0, REGION_WRITE);
    h = hear(b.keeper);
    provide(b.keeper, &h, 1);
    CHECK_EQ(keep(b.client, b.keeper, 16 * SIM_PAGE, 4, 77, KEEPER_WAIT, 0), 0);
    CHECK_EQ(hear(b.keeper).op, 0); /* a second view of the same object: no second INIT */
    CHECK_EQ(shown(b.client, 16), 1);
    CHECK_EQ(order(b.client, LINK_SELF, CONTROL_UNMAP, KEPT, 4 * SIM_PAGE, 0, 0, 0), 0);
    CHECK_EQ(hear(b.keeper).op, 0);
    if (by_death)
        node_kill(b.sim->nodes[0].node, b.client->task);
    else
        CHECK_EQ(order(b.client, LINK_SELF, CONTROL_UNMAP, KEPT + 16 * SIM_PAGE, 4 * SIM_PAGE,
                       0, 0, 0),
                 0);
    sim_run(b.sim, 10000);
    h = hear(b.keeper);
    CHECK_EQ(h.op, KEEPER_WRITE);
    CHECK_EQ(hear(b.keeper).op, 0); /* the frame is its own until it lets go */
    CHECK_EQ(b.sim->nodes[0].frames_taken, 1);
    drop(b.keeper, h.links[0]);
    CHECK_EQ(hear(b.keeper).op, KEEPER_END);
    CHECK_EQ(hear(b.keeper).op, 0);
    CHECK_EQ(b.sim->nodes[0].frames_taken, 0);
    say(b.keeper, b.init.links[0], KEEPER_DATA, 0, 1, 0, SIM_PAGE, 1); /* to nobody */
    over(&b);
}

static void test_end(void)
{
    end_of(false);
    end_of(true);
}

static void test_cache(void)
{
    struct bed b = bed_of(0, KEEPER_WAIT, 0);
    struct heard h;

    touch(b.client, 0, REGION_READ);
    h = hear(b.keeper);
    provide(b.keeper, &h, 6);
    say(b.keeper, b.init.links[0], KEEPER_CACHE, 1, 0, 0, 0, 0);
    order(b.client, LINK_SELF, CONTROL_UNMAP, KEPT, 4 * SIM_PAGE, 0, 0, 0);
    CHECK_EQ(hear(b.keeper).op, 0);
    CHECK_EQ(keep(b.client, b.keeper, 0, 4, 77, KEEPER_WAIT, 0), 0);
    CHECK_EQ(shown(b.client, 0), 6);
    CHECK_EQ(hear(b.keeper).op, 0); /* no INIT, no REQUEST */
    say(b.keeper, b.init.links[0], KEEPER_CACHE, 0, 0, 0, 0, 0);
    order(b.client, LINK_SELF, CONTROL_UNMAP, KEPT, 4 * SIM_PAGE, 0, 0, 0);
    CHECK_EQ(hear(b.keeper).op, KEEPER_END);
    over(&b);
}

/* The name says which object it is, and controls nothing. */
static void test_names_control_nothing(void)
{
    struct bed b = bed_of(1, KEEPER_WAIT, 0);
    u64 name[] = {KEEPER_NAME}, flush[] = {KEEPER_FLUSH, 0, SIM_PAGE}, answer[2] = {0};

    CHECK_EQ(request(b.keeper, b.init.links[1], name, 1, 0, answer, 2, NULL), 16);
    CHECK_EQ(answer[1], b.init.word[0]);
    CHECK_EQ(request(b.keeper, b.init.links[1], flush, 3, 0, answer, 2, NULL), 8);
    CHECK_EQ((s64)answer[0], DEMOS_E_ALLOWED);
    over(&b);
}

/* Two kernels, one object: each has links of its own. */
static void test_two_kernels(void)
{
    struct bed b = bed_of(1, KEEPER_WAIT, 0);
    struct sim_process *other = puppet_on(b.sim, 1);
    struct heard h;

    CHECK_EQ(keep(other, b.keeper, 0, 4, 77, KEEPER_WAIT, 0), 0);
    h = hear(b.keeper);
    CHECK_EQ(h.op, KEEPER_INIT);
    CHECK(h.word[0] != b.init.word[0]);
    over(&b);
}

/* A keeper that never lets go of frames forfeits the object, when others starve for them. With a
 * pager on the node what it was sent goes there instead: nothing the client wrote is lost, and
 * the old keeper cannot say a word about it any more. */
static void hoarder(bool pager)
{
    struct bed b = {.sim = puppets(2, 0, NULL)};
    struct sim_process *other;
    struct heard h;

    pager_reset();
    b.sim->nodes[0].frame_count = 8;
    b.client = puppet_on(b.sim, 0);
    other = puppet_on(b.sim, 0);
    b.keeper = puppet_on(b.sim, 0);
    if (pager)
        pager_for(b.sim, 0, 0, 8, PAGING_QUEUES);
    CHECK_EQ(keep(b.client, b.keeper, 0, 8, 77, KEEPER_WAIT, 0), 0);
    b.init = hear(b.keeper);
    CHECK_EQ(b.init.op, KEEPER_INIT);
    for (u64 page = 0; page < 6; page++) {
        touch(b.client, page, REGION_WRITE);
        while ((h = hear(b.keeper)).op && h.op != KEEPER_REQUEST)
            ; /* WRITEs are read, and their frames kept */
        if (h.op)
            provide(b.keeper, &h, (u8)(page + 1));
    }
    CHECK_EQ(keep(other, b.keeper, 0, 8, 78, KEEPER_ZERO, 1000000), 0);
    begin_call(other, SIM_TOUCH, KEPT, REGION_WRITE, 0, 0, 0, 0);
    for (u32 i = 0; i < 40 && waits(other); i++)
        sim_run(b.sim, 20000);
    CHECK(!waits(other));
    CHECK(b.sim->now >= 5000000000ull);
    for (u64 page = 1; pager && page < 8; page++)
        touch(other, page, REGION_WRITE); /* so that all the client has must go */
    say(b.keeper, b.init.links[0], KEEPER_FLUSH, 0, 8, 0, 0, 0);
    say(b.keeper, b.init.links[0], KEEPER_DATA, 0, 1, 0, SIM_PAGE, 99);
    for (u64 page = 0; pager && page < 5; page++)
        CHECK_EQ(shown(b.client, page), page + 1);
    CHECK_EQ(pager_writes > 0, pager);
    over(&b);
}

static void test_hoarder(void)
{
    hoarder(false);
    hoarder(true);
}

/* U50: a keeper that keeps pages of its own memory, and touches one, waits for itself. It is the only one
 * that does, with those whose pages it keeps and who would wait: they have what they chose for a keeper that
 * says nothing. It can be ended, and nothing stays behind. */
static void test_backs_its_own(void)
{
    struct bed b = bed_of(0, KEEPER_ZERO, 5000000);
    struct sim_process *bystander = puppet_on(b.sim, 0);

    CHECK_EQ(keep(b.keeper, b.keeper, 0, 4, 78, KEEPER_WAIT, 0), 0);
    CHECK_EQ(hear(b.keeper).op, KEEPER_INIT);
    CHECK(!touch(b.keeper, 1, REGION_WRITE));
    touch(b.client, 0, REGION_READ);
    goes_on(bystander, 0);
    sim_run(b.sim, 20000);
    CHECK(waits(b.keeper));
    CHECK_EQ(shown(b.client, 0), 0);
    node_kill(b.sim->nodes[0].node, b.keeper->task);
    sim_run(b.sim, 10000);
    node_kill(b.sim->nodes[0].node, b.client->task);
    node_kill(b.sim->nodes[0].node, bystander->task);
    CHECK_EQ(b.sim->nodes[0].frames_taken, 0);
    over(&b);
}

/* The remedy that needs no second thread: it says for its own memory what it wants when nobody answers. It
 * wakes up, and serves those who waited for it; its own question in its queue is no longer of use. */
static void test_outlives_its_own_silence(void)
{
    struct bed b = bed_of(0, KEEPER_WAIT, 0);
    struct heard h;
    u64 before = b.sim->now;

    CHECK_EQ(keep(b.keeper, b.keeper, 0, 4, 78, KEEPER_ZERO, 5000000), 0);
    CHECK_EQ(hear(b.keeper).op, KEEPER_INIT);
    CHECK(!touch(b.client, 0, REGION_READ));
    CHECK(touch(b.keeper, 1, REGION_READ));
    CHECK(b.sim->now - before >= 5000000);
    CHECK(waits(b.client));
    CHECK_EQ(shown(b.keeper, 1), 0);
    while ((h = hear(b.keeper)).op) {
        CHECK_EQ(h.op, KEEPER_REQUEST);
        if (h.word[0] == b.init.word[0])
            provide(b.keeper, &h, 9);
    }
    CHECK(!waits(b.client));
    CHECK_EQ(shown(b.client, 0), 9);
    over(&b);
}

TESTS(CASE(test_a_page_comes), CASE(test_frames_are_safe), CASE(test_data_in_the_message),
      CASE(test_part_of_a_page), CASE(test_changes_go_back), CASE(test_locks),
      CASE(test_unavailable), CASE(test_refusals), CASE(test_keeper_gone_before),
      CASE(test_silence), CASE(test_notified), CASE(test_calls_with_kept_memory),
      CASE(test_end), CASE(test_cache), CASE(test_names_control_nothing),
      CASE(test_two_kernels), CASE(test_hoarder), CASE(test_backs_its_own),
      CASE(test_outlives_its_own_silence))

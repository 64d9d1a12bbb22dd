/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `luggage`: moves processes without their memory (copy on reference). What a process had is
 * inherited by one that never runs, here, and its regions are kept by us from then on: they
 * travel as descriptors, and each page follows when it is touched, by the keeper protocol. What
 * it changes and has no room for comes back here. When nothing refers to it any more it goes.
 *
 * Whoever moves a process so depends on this node for as long as the process lives, or until
 * it has touched everything; who cannot accept that moves it whole (CONTROL_MIGRATE).
 */
#include "guest/servers/vm/luggage.h"
#include "guest/lib/keeper.h"
#include "guest/lib/process.h"

enum { CHANNEL_SERVICE = 1, CHANNEL_PAGES = 2, PIECES = 256, CASES = 32, PAGE = 4096 };

/* The memory of one process. */
struct suitcase {
    s64 control; /* of the process that holds it and never runs; 0: free */
    s64 owner;   /* whose it was */
};

/* A region of it: our link's code says which, less one. */
struct piece {
    struct suitcase *in; /* NULL: free */
    u64 base, offset;    /* where the object's `offset` was in the process */
    struct view {        /* of a kernel that shows it; during a move there are two */
        u64 object;
        s64 request;
    } view[2];
};

static struct suitcase cases[CASES];
static struct piece pieces[PIECES];
static u64 sent, back;

struct region {
    u64 base, len, inheritance, offset, kept;
};

/* The region at or behind an address; false: none. */
static bool region_at(s64 control, u64 address, struct region *r)
{
    struct words w;

    words_start(&w, CONTROL_REGION);
    words_put(&w, address);
    if (words_call(control, &w, NULL, 0, NULL) < 0)
        return false;
    r->base = words_get(&w);
    r->len = words_get(&w);
    words_get(&w), words_get(&w);
    r->inheritance = words_get(&w);
    r->offset = words_get(&w);
    words_get(&w);
    r->kept = words_get(&w);
    return true;
}

/* --- packing ------------------------------------------------------------------------ */

/* A process that never runs with what `control` leads to has in its memory. */
static s64 copy_of(s64 control)
{
    struct words w;
    s64 copy = 0, result;
    u64 memory;

    words_start(&w, CONTROL_LIMITS);
    result = words_call(control, &w, NULL, 0, NULL);
    words_get(&w), words_get(&w);
    memory = words_get(&w);
    if (result < 0)
        return result;
    words_start(&w, KERNEL_OP_CREATE);
    words_put(&w, DEMOS_CREATE_WITH_PARENT);
    words_put(&w, 0);
    words_put(&w, 0);
    words_put(&w, memory);
    words_put_name(&w, "luggage");
    result = words_call(demos_link("kernel"), &w, NULL, 0, &copy);
    if (result < 0)
        return result;
    words_start(&w, CONTROL_COPY);
    result = words_call(copy, &w, &control, 1, NULL);
    if (result < 0) {
        process_kill(copy);
        demos_link_drop(copy);
        return result;
    }
    return copy;
}

static struct piece *free_piece(void)
{
    for (u32 i = 0; i < PIECES; i++)
        if (!pieces[i].in)
            return &pieces[i];
    return NULL;
}

/* The region is kept by us from now on. */
static s64 leave(s64 control, struct suitcase *s, const struct region *r)
{
    struct piece *p = free_piece();
    struct words w;
    s64 link, result;

    if (!p)
        return DEMOS_E_MEMORY;
    link = demos_link_make(DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, CHANNEL_PAGES,
                           (u64)(p - pieces) + 1);
    words_start(&w, CONTROL_LEAVE);
    words_put(&w, r->base);
    result = words_call(control, &w, &link, 1, NULL);
    demos_link_drop(link); /* it has a copy */
    if (result >= 0)
        *p = (struct piece){.in = s, .base = r->base, .offset = r->offset};
    return result;
}

/* All that is its own; what others keep or share with it travels as it always does. */
static s64 leave_all(s64 control, struct suitcase *s)
{
    struct region r;
    s64 result = 0;

    for (u64 at = 0; result >= 0 && region_at(control, at, &r); at = r.base + r.len)
        if (!r.kept && r.inheritance == REGION_COPY)
            result = leave(control, s, &r);
    return result;
}

static void close_view(struct view *v)
{
    if (v->request > 0)
        demos_link_drop(v->request);
    *v = (struct view){0};
}

static void forget(struct piece *p)
{
    close_view(&p->view[0]);
    close_view(&p->view[1]);
    p->in = NULL;
}

/* Nobody wants it any more. */
static void unpack(struct suitcase *s)
{
    for (u32 i = 0; i < PIECES; i++)
        if (pieces[i].in == s)
            forget(&pieces[i]);
    process_kill(s->control);
    demos_link_drop(s->control);
    demos_link_drop(s->owner);
    *s = (struct suitcase){0};
}

/* An END may only mean that it has moved on, or showed a region less. */
static void unpack_if_dead(struct suitcase *s)
{
    if (s->control && process_info(s->owner, &(struct demos_listing){0}, NULL) == DEMOS_E_DEAD)
        unpack(s);
}

static struct suitcase *free_case(void)
{
    for (u32 i = 0; i < CASES; i++) { /* some of machines that are no more, perhaps */
        unpack_if_dead(&cases[i]);
        if (!cases[i].control)
            return &cases[i];
    }
    return NULL;
}

static bool holds_any(const struct suitcase *s)
{
    for (u32 i = 0; i < PIECES; i++)
        if (pieces[i].in == s)
            return true;
    return false;
}

/* Of a process that is stopped, so that nothing changes between copying and leaving. */
static s64 pack(s64 control)
{
    struct suitcase *s = free_case();
    s64 copy, result;

    if (!s)
        return DEMOS_E_MEMORY;
    copy = copy_of(control);
    if (copy < 0)
        return copy;
    *s = (struct suitcase){copy, control};
    result = leave_all(control,
                       s); /* what is left already is ours, whatever comes of the rest */
    if (!holds_any(s)) {
        process_kill(copy);
        demos_link_drop(copy);
        *s = (struct suitcase){0};
    }
    return result;
}

static s64 move(u64 machine, s64 control)
{
    s64 result = process_control(control, CONTROL_STOP, 0, 0, 0);

    if (result < 0)
        return result;
    result = pack(control);
    if (result >= 0)
        result = process_control(control, CONTROL_MIGRATE, machine, 0, 0);
    process_control(control, CONTROL_RESUME, 0, 0, 0);
    return result;
}

/* Its pages become such as can be inherited all at once; few will have changed by then. */
static s64 ready(s64 control)
{
    s64 copy = copy_of(control);

    if (copy < 0)
        return copy;
    process_kill(copy);
    demos_link_drop(copy);
    return 0;
}

/* --- sending after ------------------------------------------------------------------ */

static u8 page[PAGE] __attribute__((aligned(PAGE)));

/* Between our page and the memory that was left; beyond its end are zeros. */
static s64 carry(struct piece *p, u64 offset, enum control_op op, u32 area)
{
    struct words w;
    s64 link = demos_link_area(DEMOS_GIVE | area, page, PAGE);

    words_start(&w, op);
    words_put(&w, p->base + (offset - p->offset));
    words_put(&w, PAGE);
    return words_call(p->in->control, &w, &link, 1, NULL);
}

static struct view *view_of(struct piece *p, u64 object)
{
    return p->view[0].object == object   ? &p->view[0]
           : p->view[1].object == object ? &p->view[1]
                                         : NULL;
}

/* A kernel shows it: the one before it will soon do so no more. */
static void begin_view(struct piece *p, const struct keeper_word *k)
{
    close_view(&p->view[1]);
    p->view[1] = p->view[0];
    p->view[0] = (struct view){k->object, k->request};
    demos_link_drop(k->name);
}

/* By one message, where MOVEDATA to another machine would be several. */
static void send_after(struct piece *p, const struct keeper_word *k)
{
    s64 result = carry(p, k->offset, CONTROL_READ, DEMOS_AREA_WRITE);
    const struct view *v = view_of(p, k->object);

    if (result == DEMOS_E_ADDRESS)
        memset(page, 0, PAGE); /* it has grown since */
    if (v && (result >= 0 || result == DEMOS_E_ADDRESS) &&
        keeper_data(v->request, k->offset, page, PAGE, 0) >= 0)
        sent++;
    demos_link_drop(k->frame); /* who got nothing is told so */
}

static void take_back(struct piece *p, const struct keeper_word *k)
{
    if (keeper_take(k, page) >= 0 && carry(p, k->offset, CONTROL_LOAD, DEMOS_AREA_READ) >= 0)
        back++;
}

static void serve_kernel(const void *body, size_t len, const struct demos_info *info)
{
    struct piece *p = info->code - 1 < PIECES ? &pieces[info->code - 1] : NULL;
    struct keeper_word k;

    keeper_read(&k, body, len, info);
    if (p && p->in && k.length == PAGE && k.op <= KEEPER_WRITE) {
        if (k.op == KEEPER_INIT)
            begin_view(p, &k);
        else if (k.op == KEEPER_REQUEST)
            send_after(p, &k);
        else
            take_back(p, &k);
        return;
    }
    if (p && p->in && k.op == KEEPER_END)
        unpack_if_dead(p->in);
    for (u32 i = 0; i < info->count; i++)
        demos_link_drop(info->links[i]);
}

/* --- the process -------------------------------------------------------------------- */

static u64 packed(void)
{
    u64 count = 0;

    for (u32 i = 0; i < CASES; i++)
        count += cases[i].control != 0;
    return count;
}

static bool ours(s64 link)
{
    for (u32 i = 0; i < CASES; i++)
        if (cases[i].control && cases[i].owner == link)
            return true;
    return false;
}

static void serve_user(struct words *w, const struct demos_info *info)
{
    u64 op = words_get(w), machine = words_get(w);
    s64 control = info->count ? info->links[0] : 0, result = DEMOS_E_CALL;

    if (op == LUGGAGE_MOVE)
        result = control ? move(machine, control) : (s64)DEMOS_E_LINK;
    else if (op == LUGGAGE_READY)
        result = control ? ready(control) : (s64)DEMOS_E_LINK;
    else if (op == LUGGAGE_STATE)
        result = 0;
    words_start(w, (u64)result);
    words_put(w, packed());
    words_put(w, sent);
    words_put(w, back);
    if (demos_reply(info->reply, w->bytes, 8 * w->count) < 0)
        demos_link_drop(info->reply);
    for (u32 i = 0; i < info->count; i++)
        if (!ours(info->links[i]))
            demos_link_drop(info->links[i]);
}

int main(int argc, char **argv)
{
    (void)argc, (void)argv;
    return keeper_run(CHANNEL_SERVICE, CHANNEL_PAGES, serve_user, serve_kernel);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a process as bytes: the one form that migration, checkpoint and snapshot
 * use. Big-endian 64-bit words, versioned, free of pointers. One walk describes the
 * format; it writes or reads according to the image's direction.
 *
 *   magic | version, identity, numbers, thread, links (every slot, free ones too, so that
watch and exception link, unanswered requests,
 *   machines with its forwarding addresses, regions, registers.
 *
 * Contents of memory and queued messages travel apart from it.
 */
#include "base/bytes.h"
#include "guest/kernel/core.h"

enum { STATE_VERSION = 4, STATE_REGIONS_MAX = 65536 };
#define STATE_MAGIC 0x44454d4f53746174ull /* "DEMOStat" */

struct image {
    u8 *at;
    size_t used, room; /* writing: used may pass room, then it is the size needed */
    bool reading, bad;
};

static u64 word(struct image *i, u64 value)
{
    size_t at = i->used;

    i->used += 8;
    if (i->reading) {
        if (i->used > i->room) {
            i->bad = true;
            return 0;
        }
        return be64_get(i->at + at);
    }
    if (i->used <= i->room)
        be64_put(i->at + at, value);
    return value;
}

#define WORD(i, field) ((field) = (__typeof__(field))word(i, (u64)(field)))

static void walk_link(struct image *i, struct link *l)
{
    u8 wire[LINK_WIRE] = {0};

    if (!i->reading)
        link_encode(l, wire);
    for (u32 w = 0; w < LINK_WIRE; w += 8)
        be64_put(wire + w, word(i, be64_get(wire + w)));
    if (i->reading && !i->bad && wire[62] < DEMOS_KINDS && !link_decode(l, wire))
        i->bad = true;
    else if (i->reading && wire[62] >= DEMOS_KINDS)
        l->kind = DEMOS_KINDS; /* none */
}

static void walk_identity(struct image *i, struct task *t)
{
    struct process_id id = t->id;

    WORD(i, id.machine);
    WORD(i, id.epoch);
    WORD(i, id.serial);
    if (!process_id_equal(&id, &t->id)) {
        i->bad = true; /* it is entered under its id already */
        return;
    }
    WORD(i, t->incarnation);
    WORD(i, t->moves);
    WORD(i, t->key);
    WORD(i, t->state);
    for (u32 at = 0; at < DEMOS_NAME_MAX; at += 8)
        be64_put(t->name + at, word(i, be64_get(t->name + at)));
    WORD(i, t->sequence);
    WORD(i, t->calls);
    WORD(i, t->inputs);
    WORD(i, t->count.received);
    WORD(i, t->queue_limit);
    WORD(i, t->memory_limit);
    WORD(i, t->reserved_bytes);
    WORD(i, t->cpu_ns);
    for (u32 r = 0; r < TASK_RECENT; r++) {
        WORD(i, t->recent[r].to.machine);
        WORD(i, t->recent[r].to.epoch);
        WORD(i, t->recent[r].to.serial);
        WORD(i, t->recent[r].sequence);
    }
}

/* A thread's state is what it would be found in were it chosen again: never RUNNING. */
static void walk_thread(struct image *i, struct thread *th, u64 now)
{
    u64 left = th->deadline == ~(u64)0 ? th->deadline : th->deadline - MIN(now, th->deadline);

    WORD(i, th->state);
    WORD(i, th->wait);
    WORD(i, th->priority);
    WORD(i, th->pending);
    WORD(i, th->wait_set);
    WORD(i, th->wait_serial);
    WORD(i, th->wait_machine);
    WORD(i, th->wait_epoch);
    WORD(i, th->wait_hops);
    WORD(i, th->call);
    WORD(i, th->wait_error);
    WORD(i, th->progress);
    for (u32 a = 0; a < ARRAY_SIZE(th->args); a++)
        WORD(i, th->args[a]);
    left = word(i, left);
    th->deadline = left == ~(u64)0 || left > ~now ? ~(u64)0 : now + left;
    if (i->reading && (th->state > THREAD_STOPPED || th->wait > WAIT_FAULT ||
                       th->priority >= NODE_PRIORITIES || th->call > DEMOS_CALLS))
        i->bad = true;
}

static void walk_slot(struct image *i, struct link_slot *slot)
{
    WORD(i, slot->number);
    if (slot->number) {
        walk_link(i, &slot->link);
        return;
    }
    WORD(i, slot->link.code); /* the next number, the next free slot */
    WORD(i, slot->link.base);
}

static void walk_links(struct node *n, struct image *i, struct link_table *t)
{
    u32 fresh = (u32)word(i, t->fresh);

    WORD(i, t->limit);
    WORD(i, t->high);
    if (i->reading) {
        struct link_table empty = {.limit = t->limit, .high = t->high};

        if (i->bad || fresh > i->room / 24 || t->limit > LINK_INDEX_MAX || fresh > t->limit) {
            i->bad = true;
            return;
        }
        link_table_free(n, t);
        if (fresh && link_reserve(n, &empty, fresh)) {
            i->bad = true;
            return;
        }
        *t = empty;
        t->fresh = fresh;
    }
    WORD(i, t->used);
    WORD(i, t->free);
    for (u32 s = 0; s < fresh; s++)
        walk_slot(i, &t->slots[s]);
    if (i->reading && (t->used > fresh || t->free > fresh))
        i->bad = true;
}

static void walk_asked_one(struct image *i, struct asked *a)
{
    WORD(i, a->machine);
    WORD(i, a->epoch);
    WORD(i, a->hops);
    WORD(i, a->code);
    WORD(i, a->channel);
    WORD(i, a->reserved);
    WORD(i, a->tells);
}

/* Requests that are not answered, and links that are followed. */
static void walk_asked(struct node *n, struct image *i, struct task *t)
{
    u64 count = 0;

    list_for_each(node, &t->asked) count++;
    count = word(i, count);
    for (u64 a = 0; i->reading && a < count && !i->bad; a++) {
        struct link none = {0};
        struct asked *fresh = asked_add(n, t, &none);

        if (fresh)
            walk_asked_one(i, fresh);
        else
            i->bad = true;
    }
    if (i->reading)
        return;
    list_for_each(node, &t->asked) walk_asked_one(i, list_entry(node, struct asked, all));
}

static void walk_trail(struct node *n, struct image *i, struct task *t)
{
    u32 count = (u32)word(i, t->trail_count);

    if (i->reading && !i->bad && count) {
        t->trail = count <= i->room / 8 ? node_alloc(n, count * sizeof(u32), false) : NULL;
        i->bad = !t->trail;
        t->trail_count = i->bad ? 0 : count;
    }
    for (u32 at = 0; at < t->trail_count; at++)
        WORD(i, t->trail[at]);
}

static void write_regions(struct image *i, const struct task *t)
{
    u64 count = 0;

    for (const struct region *r = t->regions; r; r = r->next)
        count++;
    word(i, count);
    for (const struct region *r = t->regions; r; r = r->next) {
        bool kept = r->object && r->object->keeper.kind != DEMOS_KINDS;

        word(i, r->base);
        word(i, r->length);
        word(i, (u64)kept << 40 | (u64)r->silence << 32 | (u64)r->grows << 24 |
                    (u64)r->protection << 16 | (u64)r->max_protection << 8 | r->inheritance);
        word(i, kept || r->grows ? r->offset : 0);
        word(i, r->most);
        word(i, r->patience_ns);
        if (kept)
            walk_link(i, &r->object->keeper);
    }
}

/* Descriptors of what is kept elsewhere travel; its pages are its keeper's to give. */
static bool read_region(struct node *n, struct image *i, struct task *t, const u64 *words,
                        const struct region *like)
{
    struct link keeper;

    t->grows |= like->grows != REGION_STAYS;
    if (!words[2])
        return !region_show(n, t, words[0], words[1], NULL, like);
    walk_link(i, &keeper);
    return !i->bad && keeper.kind == DEMOS_GENERAL &&
           !region_keep(n, t, words[0], words[1], &keeper, like);
}

static void read_regions(struct node *n, struct image *i, struct task *t)
{
    u64 count = word(i, 0);

    if (count > STATE_REGIONS_MAX)
        i->bad = true;
    for (u64 r = 0; r < count && !i->bad; r++) {
        u64 base = word(i, 0), length = word(i, 0), bits = word(i, 0);
        struct region like = {.protection = bits >> 16 & 7,
                              .max_protection = bits >> 8 & 7,
                              .inheritance = (u8)MIN(bits & 0xff, (u64)REGION_SHARE),
                              .grows = (u8)MIN(bits >> 24 & 0xff, (u64)REGION_UP),
                              .silence = (u8)MIN(bits >> 32 & 0xff, (u64)KEEPER_ZERO),
                              .offset = word(i, 0),
                              .most = word(i, 0),
                              .patience_ns = word(i, 0)};

        if (i->bad || !read_region(n, i, t, (u64[]){base, length, bits >> 40}, &like))
            i->bad = true;
    }
}

static void walk(struct node *n, struct image *i, struct task *t)
{
    if (word(i, STATE_MAGIC) != STATE_MAGIC || word(i, STATE_VERSION) != STATE_VERSION) {
        i->bad = true;
        return;
    }
    walk_identity(i, t);
    if (i->bad)
        return;
    walk_thread(i, task_thread(t), machine_now(n));
    walk_links(n, i, &t->links);
    walk_link(i, &t->watch);
    walk_link(i, &t->exception);
    walk_asked(n, i, t);
    walk_trail(n, i, t);
    if (i->reading)
        read_regions(n, i, t);
    else
        write_regions(i, t);
}

size_t state_export(struct node *n, struct task *t, u8 *image, size_t room)
{
    struct image i = {.at = image, .room = room};
    struct thread *th = task_thread(t);
    size_t registers = machine_thread_export(n, th, NULL, 0);

    walk(n, &i, t);
    word(&i, registers);
    if (i.used + registers <= room)
        machine_thread_export(n, th, image + i.used, registers);
    return i.used + registers;
}

int state_import(struct node *n, struct task *t, const u8 *image, size_t len)
{
    struct image i = {.at = (u8 *)(uintptr_t)image, .room = len, .reading = true};
    u64 registers;

    walk(n, &i, t);
    registers = word(&i, 0);
    if (i.bad || registers != len - i.used ||
        !machine_thread_import(n, task_thread(t), image + i.used, registers))
        return DEMOS_E_ARGUMENT;
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's own disk, as the keeper of this node's pages (guest/kernel/keeper.h): the kernel
 * process KERNEL_DISK. Pages go one after another, each in blocks through the parallel port,
 * and take as long as port and disk do; the kernel's side goes on meanwhile, so that pages come
 * also while the user processor is held. Only the node's own kernel is served. A page for which
 * there is no room is refused when it is wanted back.
 */
#include "base/bytes.h"
#include "guest/kernel/core.h"
#include "guest/machine/disk.h"
#include "guest/machine/z8000/z8000.h"

enum { OURS = 1 }; /* the only client of our slots */

/* A page on its way, or waiting for those before it. */
struct transfer {
    struct list queue;
    struct link frame; /* destroyed when it is done, which tells the kernel */
    u32 slot;
    bool write;
};

bool z_disk_init(struct z_machine *m, struct heap *heap, u8 *blocks, u32 block_count)
{
    struct z_disk *d = &m->disk;
    u32 count = block_count / (z_page_bytes(m) / BOARD_BLOCK);
    struct slot *slot = heap_alloc(heap, count * sizeof *slot);
    u32 *bucket = heap_alloc(heap, count * sizeof *bucket);

    if (!slot || !bucket)
        return false;
    slots_init(&d->slots, slot, bucket, count);
    list_init(&d->queue);
    board_disk_attach(m->board, blocks, block_count);
    d->there = true;
    return true;
}

static struct transfer *first(const struct z_disk *d)
{
    return list_entry(d->queue.next, struct transfer, queue);
}

/* A page through the port; its clocks. */
static u64 move_page(struct z_machine *m, const struct transfer *t)
{
    u32 blocks = z_page_bytes(m) / BOARD_BLOCK;
    u64 clocks = 0;

    for (u32 i = 0; i < blocks; i++)
        clocks += board_disk(m->board, t->write, t->slot * blocks + i,
                             m->disk.page + (size_t)i * BOARD_BLOCK);
    return clocks;
}

/* Begins the first transfer. A frame that is written is the keeper's until it says so. */
static void begin(struct z_machine *m)
{
    struct z_disk *d = &m->disk;
    const struct transfer *t = first(d);
    u64 clocks = 0;

    if (!t->write || keeper_bytes(m->node, t->frame.code, 0, d->page, NULL, z_page_bytes(m)))
        clocks = move_page(m, t);
    d->due_ns = machine_now(m->node) + (m->timed ? clocks * BOARD_CLOCK_NS : 0);
}

static void finish(struct z_machine *m)
{
    struct transfer *t = first(&m->disk);

    list_remove(&t->queue);
    if (!t->write)
        keeper_bytes(m->node, t->frame.code, 0, NULL, m->disk.page, z_page_bytes(m));
    link_drop(m->node, &t->frame);
    *(t->write ? &m->disk.writes : &m->disk.reads) += 1;
    node_free(m->node, t, sizeof *t);
}

u64 z_disk_due(const struct z_machine *m)
{
    return m->disk.there && !list_empty(&m->disk.queue) ? m->disk.due_ns : ~0ull;
}

void z_disk_work(struct z_machine *m)
{
    while (z_disk_due(m) <= machine_now(m->node)) {
        finish(m);
        kernel_work(m->node);
        if (z_disk_due(m) != ~0ull)
            begin(m);
    }
}

static void enqueue(struct z_machine *m, struct message *msg, s64 slot, bool write)
{
    struct transfer *t = slot < 0 ? NULL : node_alloc(m->node, sizeof *t, true);
    bool idle = list_empty(&m->disk.queue);

    if (!t)
        return; /* the link to the frame goes with the message: refused */
    *t = (struct transfer){
        .frame = request_take_link(msg, 0), .slot = (u32)slot, .write = write};
    list_push_back(&m->disk.queue, &t->queue);
    if (idle)
        begin(m);
}

/* Our kernel's word about a page, with a link to a frame of ours. */
static bool about_a_page(const struct z_machine *m, const struct message *msg)
{
    const struct link *l = msg->links;

    return msg->link_count && l->to.machine == m->node->config.machine && !l->to.serial &&
           l->channel == KERNEL_FRAME && request_word(msg, 3) == z_page_bytes(m);
}

static void keep(struct z_machine *m, struct message *msg)
{
    u64 op = request_word(msg, 0), object = request_word(msg, 1), at = request_word(msg, 2);
    struct slots *s = &m->disk.slots;

    if (op == KEEPER_REQUEST && about_a_page(m, msg))
        enqueue(m, msg, slots_find(s, OURS, object, at), false);
    else if (op == KEEPER_WRITE && about_a_page(m, msg))
        enqueue(m, msg, slots_take(s, OURS, object, at), true);
    else if (op == KEEPER_END)
        slots_drop(s, OURS, object);
}

size_t disk_message(struct node *n, struct message *msg, u8 *answer)
{
    struct z_machine *m = z_machine(n);

    if (m->disk.there && msg->kind == DEMOS_MSG_GENERAL && !msg->sender.serial &&
        msg->sender_machine == n->config.machine)
        keep(m, msg);
    be64_put(answer, (u64)DEMOS_E_REFUSED); /* whoever asks for an answer */
    return 8;
}

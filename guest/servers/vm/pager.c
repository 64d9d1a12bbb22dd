/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `pager`: keeps pages of kernels, here or on other machines, on the disk behind its link
 * "disk". The bytes do not pass through it: it hands the frame's link on to the disk
 * interface, which moves them between disk and frame, whichever machine that is on.
 *
 * What is lost here ends whom it belonged to, and nobody else: a page that cannot be read, or is not
 * what was written (the disk lost it, wrote it elsewhere, wrote another over it, brings an older one),
 * is refused, and one that could not be written is refused when it is wanted back.
 */
#include "guest/lib/keeper.h"
#include "guest/lib/process.h"
#include "guest/servers/files/disk.h"
#include "guest/servers/fs/format.h"
#include "guest/servers/vm/pager.h"
#include "guest/servers/vm/slots.h"

enum { CHANNEL_SERVICE = 1, CHANNEL_PAGES = 2, PAGE = 4096, CLIENTS = 64, MOST = 1 << 16 };

struct client {
    u32 room, used; /* pages */
    u64 page;       /* bytes, once its kernel has said so */
};

static struct slots slots;
static struct client clients[CLIENTS]; /* by the code of its link, less one */
static u32 client_count, given;
static u64 reads, writes, refused;

/* What the disk interface answers behind its result is in `w`. */
static s64 disk(enum disk_op op, u64 slot, u64 bytes, u32 check, s64 frame, struct words *w)
{
    words_start(w, op);
    words_put(w, slot * (PAGE / FS_BLOCK));
    words_put(w, bytes / FS_BLOCK);
    words_put(w, check);
    return words_call(demos_link("disk"), w, &frame, frame > 0, NULL);
}

/* A kernel's pages have one size, at most a slot's. */
static void begin(struct client *c, const struct keeper_word *k)
{
    if (!c->page && k->length >= FS_BLOCK && k->length <= PAGE && k->length % FS_BLOCK == 0)
        c->page = k->length;
}

static void page_in(const struct client *c, const struct keeper_word *k)
{
    s64 slot = slots_find(&slots, k->code, k->object, k->offset);
    u32 check = slots_check(&slots, slot);
    struct words w;

    reads++;
    if (!check || !c->page || k->length != c->page ||
        disk(DISK_FETCH, (u64)slot, k->length, check, k->frame, &w) < 0)
        refused++;
}

/* What the slot held is no longer wanted, whether this can be written or not. */
static void page_out(struct client *c, const struct keeper_word *k)
{
    u32 before = slots.used;
    bool known = slots_find(&slots, k->code, k->object, k->offset) >= 0;
    s64 slot = known || c->used < c->room ? slots_take(&slots, k->code, k->object, k->offset)
                                          : -1;
    struct words w;

    writes++;
    c->used += slots.used - before;
    if (slot < 0 || !c->page || k->length != c->page ||
        disk(DISK_KEEP, (u64)slot, k->length, 0, k->frame, &w) < 0) {
        refused++;
        return;
    }
    words_get(&w);
    slots_hold(&slots, slot, (u32)words_get(&w));
}

static void serve_kernel(const void *body, size_t len, const struct demos_info *info)
{
    struct keeper_word k;
    struct client *c = &clients[info->code - 1];

    keeper_read(&k, body, len, info);
    if (k.op == KEEPER_INIT)
        begin(c, &k);
    else if (k.op == KEEPER_REQUEST)
        page_in(c, &k);
    else if (k.op == KEEPER_WRITE)
        page_out(c, &k);
    else if (k.op == KEEPER_END)
        c->used -= slots_drop(&slots, info->code, k.object);
    for (u32 i = 0; i < info->count; i++)
        demos_link_drop(info->links[i]); /* unless the disk interface has it */
}

static s64 op_open(struct words *w, s64 *link)
{
    u64 pages = words_get(w);

    if (client_count == CLIENTS || !pages || pages > slots.count - given)
        return DEMOS_E_MEMORY;
    *link = demos_link_make(DEMOS_GENERAL, DEMOS_GIVE | DEMOS_DUP, CHANNEL_PAGES,
                            client_count + 1);
    if (*link < 0)
        return *link;
    clients[client_count++] = (struct client){.room = (u32)pages};
    given += (u32)pages;
    return 0;
}

static void serve_user(struct words *w, const struct demos_info *info)
{
    u64 op = words_get(w);
    s64 link = 0, result = op == PAGER_OPEN    ? op_open(w, &link)
                           : op == PAGER_STATE ? 0
                                               : DEMOS_E_CALL;

    words_start(w, (u64)result);
    if (op == PAGER_STATE) {
        words_put(w, slots.count);
        words_put(w, slots.count - slots.used);
        words_put(w, given);
        words_put(w, reads);
        words_put(w, writes);
        words_put(w, refused);
    }
    if (demos_reply_links(info->reply, w->bytes, 8 * w->count, &link, link > 0) < 0)
        demos_link_drop(info->reply);
    if (link > 0)
        demos_link_drop(link); /* it has a copy */
    for (u32 i = 0; i < info->count; i++)
        demos_link_drop(info->links[i]);
}

static void open_disk(void)
{
    struct words w;
    s64 result = disk(DISK_SIZE, 0, PAGE, 0, 0, &w);
    u64 blocks = words_get(&w);
    u32 count;

    if (result < 0 || blocks < PAGE / FS_BLOCK)
        demos_die("pager: no disk to page to");
    count = (u32)MIN(blocks / (PAGE / FS_BLOCK), (u64)MOST);
    slots_init(&slots, demos_alloc(count * sizeof(struct slot)),
               demos_alloc(count * sizeof(u32)), count);
}

int main(int argc, char **argv)
{
    (void)argc, (void)argv;
    open_disk();
    return keeper_run(CHANNEL_SERVICE, CHANNEL_PAGES, serve_user, serve_kernel);
}

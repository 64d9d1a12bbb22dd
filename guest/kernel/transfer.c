/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a process on its way, as the network asks for them or brings them: its state
 * from the image, its memory span by span, which may have to wait for a page (migrate.h).
 */
#include "guest/kernel/migrate.h"

static struct migration *find_transfer(const struct node *n, u64 transfer)
{
    list_for_each(node, &n->migrations)
    {
        struct migration *g = list_entry(node, struct migration, all);

        if (g->transfer == transfer)
            return g;
    }
    return NULL;
}

/* Bytes of the part that is being pulled: one span of the memory behind the other. */
static enum machine_result memory_piece(struct node *n, struct migration *g, u64 offset,
                                        void *to, const void *from, size_t len)
{
    for (size_t done = 0; done < len;) {
        u64 address, left = travel_find(&g->travel, offset + done, &address);
        size_t piece = (size_t)MIN((u64)(len - done), left);
        enum machine_result got = !piece ? MACHINE_FAULT
                                  : to   ? machine_copy_in(n, g->task, (u8 *)to + done, address,
                                                           piece)
                                         : machine_load(n, g->task, address,
                                                        (const u8 *)from + done, piece);

        if (got != MACHINE_OK)
            return got;
        done += piece;
    }
    return MACHINE_OK;
}

/* False: the network is to ask again, when the page that was missing has come; if none will
 * come, the move is given up before it does. */
static bool memory_now(struct node *n, struct migration *g, u64 offset, void *to,
                       const void *from, size_t len)
{
    enum fault f = FAULT_DONE;
    enum machine_result done;

    do
        done = memory_piece(n, g, offset, to, from, len);
    while (done == MACHINE_LATER && (f = fault_in_transfer(n)) == FAULT_DONE);
    g->stalled = done == MACHINE_LATER && f == FAULT_WAITS;
    if (done != MACHINE_OK && !g->stalled && !g->lost)
        g->lost = done == MACHINE_MEMORY || f == FAULT_MEMORY ? DEMOS_E_MEMORY : DEMOS_E_LOST;
    return done == MACHINE_OK;
}

void migrate_resume(struct node *n)
{
    list_for_each_safe(node, &n->migrations)
    {
        struct migration *g = list_entry(node, struct migration, all);

        if (!g->stalled)
            continue;
        g->stalled = false;
        net_bulk_resume(n->net, g->transfer);
    }
}

bool migrate_bulk_read(struct node *n, u64 transfer, u64 offset, void *buffer, size_t len)
{
    struct migration *g = find_transfer(n, transfer);

    if (!g || offset > g->lengths[g->part] || len > g->lengths[g->part] - offset) {
        memset(buffer, 0, len);
        return true;
    }
    if (g->part == MEMORY)
        return memory_now(n, g, offset, buffer, NULL, len);
    memcpy(buffer, g->image + (g->part == REST ? g->lengths[RESIDENT] : 0) + offset, len);
    return true;
}

bool migrate_bulk_write(struct node *n, u64 transfer, u64 offset, const void *data, size_t len)
{
    struct migration *g = find_transfer(n, transfer);

    if (!g || offset > g->lengths[g->part] || len > g->lengths[g->part] - offset)
        return true;
    if (g->part == MEMORY)
        return memory_now(n, g, offset, NULL, data, len);
    memcpy(g->image + (g->part == REST ? g->lengths[RESIDENT] : 0) + offset, data, len);
    return true;
}

void migrate_bulk_done(struct node *n, u64 transfer, bool good)
{
    struct migration *g = find_transfer(n, transfer);

    if (g && g->arriving)
        arrival_pulled(n, g, good);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to a node's disks: checked, put into a place of the table with what they write,
 * and answered when the machine says so. A full table refuses.
 */
#include "base/bytes.h"
#include "base/memory.h"
#include "guest/kernel/message.h"
#include "guest/machine/disk.h"

enum { WORDS_IO = 4 }; /* operation, disk, sector, count */

static u64 word(const struct message *m, u32 index)
{
    return 8 * (index + 1) <= m->length ? be64_get(m->body + 8 * index) : 0;
}

static size_t said(u8 *answer, s64 result)
{
    be64_put(answer, (u64)result);
    return 8;
}

static size_t size_of(struct node *n, const struct message *m, u8 *answer)
{
    u64 sectors;
    bool readonly;

    if (!place_disk_size(n, word(m, 1), &sectors, &readonly))
        return said(answer, DEMOS_E_REFUSED);
    be64_put(answer, 0);
    be64_put(answer + 8, sectors);
    be64_put(answer + 16, readonly);
    return 24;
}

/* What is wrong with a request, or 0. */
static s64 check(struct node *n, const struct message *m)
{
    u64 op = word(m, 0), sector = word(m, 2), count = word(m, 3), sectors;
    bool readonly;

    if (!place_disk_size(n, word(m, 1), &sectors, &readonly))
        return DEMOS_E_REFUSED;
    if (op == DEVICE_FLUSH)
        return 0;
    if (op == DEVICE_WRITE && readonly)
        return DEMOS_E_ALLOWED;
    if (!count || count > DEVICE_SECTORS_MOST || sector > sectors || count > sectors - sector ||
        (op == DEVICE_WRITE && m->length != 8 * WORDS_IO + count * DEVICE_SECTOR))
        return DEMOS_E_ARGUMENT;
    return 0;
}

static struct disk_request *free_place(struct disk_table *t)
{
    for (u32 i = 0; i < DISK_REQUESTS; i++)
        if (!t->request[i].used)
            return &t->request[i];
    return NULL;
}

static size_t begin(struct node *n, struct message *m, u8 *answer)
{
    struct disk_request *r = free_place(place_disks(n));
    s64 wrong = check(n, m);

    if (wrong || !r)
        return said(answer, wrong ? wrong : DEMOS_E_MEMORY);
    if (!node_keep_reply(m, &r->reply))
        return 0;
    r->used = true;
    r->sent = false;
    r->op = (u8)word(m, 0);
    r->disk = word(m, 1);
    r->sector = word(m, 2);
    r->bytes = r->op == DEVICE_FLUSH ? 0 : (u32)word(m, 3) * DEVICE_SECTOR;
    r->data = r->answer + 8;
    if (r->op == DEVICE_WRITE)
        memcpy(r->data, m->body + 8 * WORDS_IO, r->bytes);
    place_disk_begin(n, r);
    return 0;
}

size_t disk_message(struct node *n, struct message *m, u8 *answer)
{
    if (!place_disks(n))
        return said(answer, DEMOS_E_REFUSED);
    switch (word(m, 0)) {
    case DEVICE_SIZE: return size_of(n, m, answer);
    case DEVICE_READ:
    case DEVICE_WRITE:
    case DEVICE_FLUSH: return begin(n, m, answer);
    default: return said(answer, DEMOS_E_CALL);
    }
}

void disk_request_done(struct node *n, struct disk_request *r, s64 error)
{
    be64_put(r->answer, (u64)error);
    r->used = false;
    node_answer(n, &r->reply, r->answer, 8 + (r->op == DEVICE_READ && !error ? r->bytes : 0));
}

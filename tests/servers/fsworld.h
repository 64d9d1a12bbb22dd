/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in memory that remembers its writes, for tests of the file system: it can be cut
 * at any point of its history, with what lay between two barriers torn and reordered.
 */
#ifndef TESTS_SERVERS_FSWORLD_H
#define TESTS_SERVERS_FSWORLD_H

#include "guest/servers/fs/check.h"
#include "base/keyed.h"
#include "tests/check.h"

enum { DISK_BLOCKS = 3072, LOG_MAX = 60000 };

struct disk {
    u8 *now;
    u64 blocks; /* 0: DISK_BLOCKS */
    bool logging;
    u64 fail_after; /* requests from now that still work; ~0: all */
    struct logged {
        u32 block;
        bool flush;
        u8 data[FS_BLOCK];
    } * log;
    size_t logged;
};

static inline bool disk_may(struct disk *d)
{
    if (d->fail_after == ~0ull)
        return true;
    return d->fail_after ? d->fail_after-- : 0;
}

u64 disk_blocks(struct disk *d)
{
    return d->blocks ? d->blocks : DISK_BLOCKS;
}

int disk_read(struct disk *d, u64 block, u32 count, void *to)
{
    if (block + count > disk_blocks(d) || !disk_may(d))
        return FS_E_IO;
    memcpy(to, d->now + block * FS_BLOCK, (size_t)count * FS_BLOCK);
    return FS_OK;
}

int disk_write(struct disk *d, u64 block, u32 count, const void *from)
{
    if (block + count > disk_blocks(d) || !disk_may(d))
        return FS_E_IO;
    if (memcmp(d->now + block * FS_BLOCK, from, (size_t)count * FS_BLOCK) != 0)
        memcpy(d->now + block * FS_BLOCK, from, (size_t)count * FS_BLOCK);
    for (u32 i = 0; d->logging && i < count && d->logged < LOG_MAX; i++) {
        struct logged *l = &d->log[d->logged++];

        l->block = (u32)block + i;
        l->flush = false;
        memcpy(l->data, (const u8 *)from + (size_t)i * FS_BLOCK, FS_BLOCK);
    }
    return FS_OK;
}

int disk_flush(struct disk *d)
{
    if (!disk_may(d))
        return FS_E_IO;
    if (d->logging && d->logged < LOG_MAX)
        d->log[d->logged++].flush = true;
    return FS_OK;
}

static inline void disk_start(struct disk *d)
{
    *d = (struct disk){.fail_after = ~0ull};
    d->now = calloc(DISK_BLOCKS, FS_BLOCK);
}

static inline void disk_end(struct disk *d)
{
    free(d->now);
    free(d->log);
}

enum { HEAP_BYTES = 4 << 20 };

struct heap_space {
    struct heap heap;
    void *memory;
};

static inline struct heap *heap_start(struct heap_space *h)
{
    h->memory = malloc(HEAP_BYTES);
    heap_init(&h->heap, h->memory, HEAP_BYTES);
    return &h->heap;
}

static inline void check_says(struct check *c, const char *text)
{
    (void)c;
    printf("  %s\n", text);
}

/* Problems that fsck finds on a mounted store. */
static inline u32 problems(struct store *s)
{
    struct check c = {.store = s, .say = check_says};

    CHECK_EQ(check_store(&c), FS_OK);
    return c.problems;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest/servers/fs/space.h"
#include "base/memory.h"

static bool bit(const u64 *map, u32 n)
{
    return map[n / 64] >> (n % 64) & 1;
}

bool space_in_use(const struct space *s, u32 block)
{
    return bit(s->used, block);
}

static bool available(const struct space *s, u32 n)
{
    return n >= s->first && n < s->end && !bit(s->used, n) && !bit(s->freed, n);
}

static int load(struct space *s)
{
    u8 block[FS_BLOCK];

    for (u32 n = 0; n < s->end; n++) {
        if (n % FS_BITS_PER_BLOCK == 0) {
            int error = cache_read(s->cache, s->bitmap + n / FS_BITS_PER_BLOCK, 0, block,
                                   FS_BLOCK);

            if (error)
                return error;
        }
        if (block[n % FS_BITS_PER_BLOCK / 8] >> (n % 8) & 1)
            s->used[n / 64] |= 1ull << (n % 64);
        else if (n >= s->first)
            s->free++;
    }
    return FS_OK;
}

int space_init(struct space *s, struct cache *cache, u32 bitmap, u32 first, u32 end)
{
    int error = FS_E_MEMORY;

    *s = (struct space){
        .cache = cache, .bitmap = bitmap, .first = first, .end = end, .next = first};
    s->map_bytes = ((size_t)end + 63) / 64 * 8;
    s->used = heap_alloc(cache->heap, s->map_bytes);
    s->freed = heap_alloc(cache->heap, s->map_bytes);
    if (s->used && s->freed)
        error = load(s);
    if (error)
        space_destroy(s);
    return error;
}

void space_destroy(struct space *s)
{
    heap_free(s->cache->heap, s->used, s->map_bytes);
    heap_free(s->cache->heap, s->freed, s->map_bytes);
    s->used = s->freed = NULL;
}

/* Changes the bits of a run on disk (through the journal) and in memory. */
static int mark(struct space *s, u32 start, u32 count, bool used)
{
    for (u32 n = start; n < start + count;) {
        u32 at = s->bitmap + n / FS_BITS_PER_BLOCK, offset = n % FS_BITS_PER_BLOCK / 8;
        u32 last = MIN(start + count, ALIGN_UP(n + 1, (u32)FS_BITS_PER_BLOCK));
        u32 len = (last - 1) % FS_BITS_PER_BLOCK / 8 - offset + 1;
        u8 bytes[FS_BLOCK];
        int error = cache_read(s->cache, at, offset, bytes, len);
        u32 base = n - n % 8;

        if (error)
            return error;
        for (; n < last; n++) {
            u8 mask = (u8)(1 << (n % 8));

            bytes[(n - base) / 8] = (u8)(used ? bytes[(n - base) / 8] | mask
                                              : bytes[(n - base) / 8] & ~mask);
            s->used[n / 64] = used ? s->used[n / 64] | 1ull << (n % 64)
                                   : s->used[n / 64] & ~(1ull << (n % 64));
        }
        error = cache_write(s->cache, at, offset, bytes, len, true);
        if (error)
            return error;
    }
    return FS_OK;
}

static u32 run_at(const struct space *s, u32 start, u32 want)
{
    u32 n = 0;

    while (n < want && available(s, start + n))
        n++;
    return n;
}

/* The first run of `want` blocks at or after `from`, else the longest there is. */
static u32 search(const struct space *s, u32 from, u32 to, u32 want, u32 *start)
{
    u32 best = 0;

    for (u32 n = from; n < to && best < want;) {
        u32 len;

        if (!available(s, n)) {
            n++;
            continue;
        }
        len = run_at(s, n, want);
        if (len > best) {
            best = len;
            *start = n;
        }
        n += len;
    }
    return best;
}

/* Looks on from where the last search ended, then from the beginning. */
static u32 search_all(const struct space *s, u32 want, u32 *start)
{
    u32 other = 0, len = 0, best = search(s, s->next, s->end, want, start);

    if (best < want)
        len = search(s, s->first, s->next, want, &other);
    if (len > best)
        *start = other;
    return MAX(best, len);
}

int space_take(struct space *s, u32 goal, u32 want, u32 *start, u32 *count)
{
    *start = goal;
    *count = run_at(s, goal, want);
    if (!*count)
        *count = search_all(s, want, start);
    if (!*count)
        return FS_E_FULL;
    s->next = *start + *count < s->end ? *start + *count : s->first;
    s->free -= *count;
    return mark(s, *start, *count, true);
}

int space_keep(struct space *s, u32 block)
{
    s->free -= available(s, block);
    return mark(s, block, 1, true);
}

int space_give(struct space *s, u32 start, u32 count)
{
    for (u32 n = start; n < start + count; n++) {
        s->freed[n / 64] |= 1ull << (n % 64);
        cache_forget(s->cache, n);
    }
    return mark(s, start, count, false);
}

/* The compiler's own would call a library where the processor has no instruction for it. */
static u32 ones(u64 word)
{
    u32 count = 0;

    for (; word; word &= word - 1)
        count++;
    return count;
}

void space_committed(struct space *s)
{
    for (size_t i = 0; i < s->map_bytes / 8; i++) {
        s->free += ones(s->freed[i]);
        s->freed[i] = 0;
    }
}

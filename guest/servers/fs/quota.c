/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits on the blocks an owner may hold. They lie in the quota file; use is counted from
 * the file table at mount and kept in memory for owners that have a limit.
 */
#include "base/memory.h"
#include "guest/servers/fs/store.h"

static struct quota *find(const struct store *s, u32 owner)
{
    for (u32 i = 0; i < s->quotas; i++)
        if (s->quota[i].owner == owner)
            return &s->quota[i];
    return NULL;
}

int quota_allows(const struct store *s, u32 owner, u32 blocks)
{
    const struct quota *q = find(s, owner);

    return q && (q->used >= q->limit || q->limit - q->used < blocks) ? FS_E_QUOTA : FS_OK;
}

void quota_charge(struct store *s, u32 owner, u32 had, u32 has)
{
    struct quota *q = find(s, owner);

    if (q)
        q->used = q->used + has > had ? q->used + has - had : 0;
}

static int count_use(struct store *s)
{
    for (u32 file = 1; file < s->rows; file++) {
        struct row row;
        int error = row_read(s, file, &row);

        if (error == FS_E_DAMAGED)
            continue; /* that file's alone, and fsck's to say */
        if (error)
            return error;
        if (row.kind != FS_FREE)
            quota_charge(s, row.owner, 0, row.blocks);
    }
    return FS_OK;
}

void quota_forget(struct store *s)
{
    heap_free(s->cache.heap, s->quota, s->quotas * sizeof(*s->quota));
    s->quota = NULL;
    s->quotas = 0;
}

int quota_load(struct store *s)
{
    struct row row;
    int error = row_read(s, FS_QUOTAS, &row);
    u32 most;

    quota_forget(s);
    if (error)
        return error;
    most = (u32)(row.size / FS_QUOTA_PAIR);
    if (!most)
        return FS_OK;
    s->quota = heap_alloc(s->cache.heap, most * sizeof(*s->quota));
    if (!s->quota)
        return FS_E_MEMORY;
    s->quotas = most;
    for (u32 i = 0; i < most; i++) {
        u8 pair[FS_QUOTA_PAIR];

        if (store_read(s, FS_QUOTAS, (u64)i * FS_QUOTA_PAIR, pair, FS_QUOTA_PAIR) !=
            FS_QUOTA_PAIR)
            return FS_E_DAMAGED;
        s->quota[i] = (struct quota){.owner = be32_get(pair), .limit = be32_get(pair + 4)};
    }
    return count_use(s);
}

int store_set_quota(struct store *s, u32 owner, u32 blocks)
{
    struct quota *q = find(s, owner);
    u64 at = q ? (u64)(q - s->quota) : s->quotas;
    u8 pair[FS_QUOTA_PAIR];
    s64 done;

    be32_put(pair, owner);
    be32_put(pair + 4, blocks ? blocks : UINT32_MAX);
    done = store_write(s, FS_QUOTAS, at * FS_QUOTA_PAIR, pair, FS_QUOTA_PAIR);
    return done < 0 ? (int)done : quota_load(s);
}

int store_quota(struct store *s, u32 owner, u32 *limit, u32 *used)
{
    const struct quota *q = find(s, owner);

    if (!q)
        return FS_E_NONE;
    *limit = q->limit;
    *used = q->used;
    return FS_OK;
}

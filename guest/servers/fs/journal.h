/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal: makes the blocks changed since the last commit appear all together or not
 * at all, whatever the disk does with writes between two barriers.
 *
 * A commit writes data in place, a barrier, the journal with a CRC over all of it, a
 * barrier, the blocks in place, a barrier. A journal whose CRC fails never happened; one
 * that holds is written in place again at mount, which changes nothing if it was done.
 */
#ifndef GUEST_SERVERS_FS_JOURNAL_H
#define GUEST_SERVERS_FS_JOURNAL_H

#include "guest/servers/fs/cache.h"

struct journal {
    u32 start, len; /* its place on the disk, in blocks */
    u64 sequence;   /* of the last commit */
};

/* How many blocks one commit can take in a journal of `len` blocks. */
u32 journal_room(u32 len);
/* Brings the disk to the last commit; the cache must be empty. `limit` bounds what a
 * journalled block number may be. */
int journal_recover(struct journal *j, struct cache *c, u32 limit);
int journal_commit(struct journal *j, struct cache *c);

#endif

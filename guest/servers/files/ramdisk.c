/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `ramdisk [MIB]`: a disk interface whose disk is memory, gone with the process. Blocks move
 * straight between it and the asker by MOVEDATA.
 */
#include "guest/lib/process.h"
#include "guest/servers/files/disk.h"
#include "guest/servers/files/verify.h"
#include "guest/servers/fs/format.h"

enum { CHANNEL = 1, MIB = 1 << 20, MOST_MIB = 64 };

static u8 medium[MOST_MIB * MIB] __attribute__((aligned(4096))); /* pages come when touched */
static u64 blocks = 4 * (MIB / FS_BLOCK);

static u8 *at(u64 block)
{
    return medium + block * FS_BLOCK;
}

s64 verify_down_read(u64 block, u64 count, const u8 **bytes)
{
    (void)count;
    *bytes = at(block);
    return 0;
}

static s64 read(u64 block, u64 count, s64 link)
{
    return demos_move_to(link, 0, at(block), count * FS_BLOCK);
}

static s64 write(u64 block, u64 count, s64 link)
{
    return demos_move_from(link, 0, at(block), count * FS_BLOCK);
}

static s64 keep(u64 block, u64 count, s64 link, u32 *check)
{
    s64 result = write(block, count, link);

    *check = verify_check(at(block), count * FS_BLOCK);
    return result;
}

static s64 fetch(u64 block, u64 count, s64 link, u32 check)
{
    const u8 *bytes;
    s64 result = verify_read(block, count, check, &bytes);

    return result < 0 ? result : read(block, count, link);
}

static s64 move(enum disk_op op, struct words *w, s64 link, u32 *check)
{
    u64 block = words_get(w), count = words_get(w);

    if (block > blocks || count > blocks - block || link <= 0)
        return DEMOS_E_ARGUMENT;
    switch (op) {
    case DISK_READ: return read(block, count, link);
    case DISK_WRITE: return write(block, count, link);
    case DISK_KEEP: return keep(block, count, link, check);
    default: return fetch(block, count, link, (u32)words_get(w));
    }
}

static s64 perform(struct words *w, s64 link, u32 *check)
{
    u64 op = words_get(w);

    switch (op) {
    case DISK_READ:
    case DISK_WRITE:
    case DISK_KEEP:
    case DISK_FETCH: return move((enum disk_op)op, w, link, check);
    case DISK_FLUSH:
    case DISK_SIZE: return 0;
    default: return DEMOS_E_CALL;
    }
}

int main(int argc, char **argv)
{
    struct words w;
    u64 size = 0;

    for (const char *c = argc > 1 ? argv[1] : ""; *c >= '0' && *c <= '9' && size < 1000; c++)
        size = size * 10 + (u64)(*c - '0');
    if (argc > 1 && (size == 0 || size > MOST_MIB))
        demos_die("ramdisk: 1 to %u MiB", (u32)MOST_MIB);
    blocks = size ? size * (MIB / FS_BLOCK) : blocks;
    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL, 0));
    for (;;) {
        struct demos_info info = {0};
        u32 check = 0;
        s64 len = demos_receive(DEMOS_CHANNEL(CHANNEL), w.bytes, sizeof w.bytes, &info);

        if (len < 0)
            return 1;
        words_read(&w, w.bytes, (size_t)len);
        words_start(&w, (u64)perform(&w, info.count ? info.links[0] : 0, &check));
        words_put(&w, blocks);
        words_put(&w, check);
        for (u32 i = 0; i < info.count; i++)
            demos_link_drop(info.links[i]);
        if (info.reply > 0 && demos_reply(info.reply, w.bytes, 8 * w.count) < 0)
            demos_link_drop(info.reply);
    }
}

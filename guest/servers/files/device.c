/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `disk [N]`: a disk interface (disk.h) over the machine's disk N, 0 at first, by the link
 * "disks" (guest/machine/protocol.h). Blocks pass through this process: the kernel brings
 * them in messages, MOVEDATA takes them to the asker's area and back.
 */
#include "guest/lib/process.h"
#include "guest/machine/protocol.h"
#include "guest/servers/files/disk.h"
#include "guest/servers/files/verify.h"
#include "guest/servers/fs/format.h"

enum { CHANNEL = 1, HEAD = 32, PIECE = DEVICE_SECTORS_MOST * DEVICE_SECTOR };

_Static_assert((u32)FS_BLOCK == (u32)DEVICE_SECTOR, "a block of the file system is a sector");
_Static_assert((u32)DISK_KEPT_MOST <= (u32)DEVICE_SECTORS_MOST,
               "what is kept comes in one piece");

static u64 disk, blocks;
static u8 out[HEAD + PIECE], in[8 + PIECE];

/* One request of at most PIECE bytes; those written lie behind the head of `out`, those read
 * come behind the first word of `in`. */
static s64 ask(enum device_op op, u64 sector, u64 count)
{
    u32 bytes = (u32)count * DEVICE_SECTOR;
    s64 len;

    be64_put(out, op);
    be64_put(out + 8, disk);
    be64_put(out + 16, sector);
    be64_put(out + 24, count);
    len = demos_call(demos_link("disks"), out, HEAD + (op == DEVICE_WRITE ? bytes : 0), in,
                     8 + (op == DEVICE_READ ? bytes : 0));
    if (len < 8)
        return len < 0 ? len : DEMOS_E_REFUSED;
    if (op == DEVICE_READ && (s64)be64_get(in) == 0 && len != 8 + (s64)bytes)
        return DEMOS_E_REFUSED;
    return (s64)be64_get(in);
}

static bool on_disk(u64 block, u64 count)
{
    return block <= blocks && count <= blocks - block;
}

static s64 move(struct words *w, s64 link, bool read)
{
    u64 block = words_get(w), count = words_get(w);

    if (!on_disk(block, count) || link <= 0)
        return DEMOS_E_ARGUMENT;
    for (u64 done = 0; done < count;) {
        u64 part = MIN(count - done, (u64)DEVICE_SECTORS_MOST);
        u64 bytes = part * FS_BLOCK, at = done * FS_BLOCK;
        s64 result = read ? 0 : demos_move_from(link, at, out + HEAD, bytes);

        if (result >= 0)
            result = ask(read ? DEVICE_READ : DEVICE_WRITE, block + done, part);
        if (result >= 0 && read)
            result = demos_move_to(link, at, in + 8, bytes);
        if (result < 0)
            return result;
        done += part;
    }
    return 0;
}

s64 verify_down_read(u64 block, u64 count, const u8 **bytes)
{
    *bytes = in + 8;
    return ask(DEVICE_READ, block, count);
}

static s64 keep(u64 block, u64 count, s64 link, u32 *check)
{
    u64 bytes = count * FS_BLOCK;
    s64 result = demos_move_from(link, 0, out + HEAD, bytes);

    if (result < 0)
        return result;
    *check = verify_check(out + HEAD, bytes);
    return ask(DEVICE_WRITE, block, count);
}

static s64 fetch(u64 block, u64 count, s64 link, u32 check)
{
    const u8 *bytes;
    s64 result = verify_read(block, count, check, &bytes);

    return result < 0 ? result : demos_move_to(link, 0, bytes, count * FS_BLOCK);
}

static s64 kept(struct words *w, s64 link, bool read, u32 *check)
{
    u64 block = words_get(w), count = words_get(w);

    if (!on_disk(block, count) || !count || count > DISK_KEPT_MOST || link <= 0)
        return DEMOS_E_ARGUMENT;
    return read ? fetch(block, count, link, (u32)words_get(w))
                : keep(block, count, link, check);
}

static s64 perform(struct words *w, s64 link, u32 *check)
{
    switch (words_get(w)) {
    case DISK_READ: return move(w, link, true);
    case DISK_WRITE: return move(w, link, false);
    case DISK_KEEP: return kept(w, link, false, check);
    case DISK_FETCH: return kept(w, link, true, check);
    case DISK_FLUSH: return ask(DEVICE_FLUSH, 0, 0);
    case DISK_SIZE: return 0;
    default: return DEMOS_E_CALL;
    }
}

static u64 find_size(void)
{
    struct words w;

    words_start(&w, DEVICE_SIZE);
    words_put(&w, disk);
    if (words_call(demos_link("disks"), &w, NULL, 0, NULL) < 0)
        demos_die("disk: this machine has no disk %llu", (unsigned long long)disk);
    return words_get(&w);
}

static void serve(void)
{
    struct demos_info info = {0};
    struct words w;
    u32 check = 0;
    s64 len = demos_receive(DEMOS_CHANNEL(CHANNEL), w.bytes, sizeof w.bytes, &info);

    if (len < 0)
        demos_die("disk: receive: %lld", (long long)len);
    words_read(&w, w.bytes, (size_t)len);
    words_start(&w, (u64)perform(&w, info.count ? info.links[0] : 0, &check));
    words_put(&w, blocks);
    words_put(&w, check);
    for (u32 i = 0; i < info.count; i++)
        demos_link_drop(info.links[i]);
    if (info.reply > 0 && demos_reply(info.reply, w.bytes, 8 * w.count) < 0)
        demos_link_drop(info.reply);
}

int main(int argc, char **argv)
{
    for (const char *c = argc > 1 ? argv[1] : ""; *c >= '0' && *c <= '9'; c++)
        disk = disk * 10 + (u64)(*c - '0');
    if (demos_link("disks") <= 0)
        demos_die("disk: no link \"disks\"; say +disks in the boot list");
    blocks = find_size();
    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL, 0));
    for (;;)
        serve();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `disk [N]`: a disk interface (disk.h) over the machine's disk N, 0 at first, by the link
 * "disks" (guest/machine/protocol.h). Blocks pass through this process: the kernel brings
 * them in messages, MOVEDATA takes them to the asker's area and back.
 */
#include "guest/lib/process.h"
#include "guest/machine/protocol.h"
#include "guest/servers/files/disk.h"
#include "guest/servers/fs/format.h"

enum { CHANNEL = 1, HEAD = 32, PIECE = DEVICE_SECTORS_MOST * DEVICE_SECTOR };

_Static_assert((u32)FS_BLOCK == (u32)DEVICE_SECTOR, "a block of the file system is a sector");

static u64 disk, blocks;

/* One request of at most PIECE bytes; those written lie behind the head of `out`, those read
 * come behind the first word of `in`. */
static s64 ask(enum device_op op, u64 sector, u64 count, u8 *out, u8 *in)
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

static s64 move(struct words *w, s64 link, bool read)
{
    static u8 out[HEAD + PIECE], in[8 + PIECE];
    u64 block = words_get(w), count = words_get(w);

    if (block > blocks || count > blocks - block || link <= 0)
        return DEMOS_E_ARGUMENT;
    for (u64 done = 0; done < count;) {
        u64 part = MIN(count - done, (u64)DEVICE_SECTORS_MOST);
        u64 bytes = part * FS_BLOCK, at = done * FS_BLOCK;
        s64 result = read ? 0 : demos_move_from(link, at, out + HEAD, bytes);

        if (result >= 0)
            result = ask(read ? DEVICE_READ : DEVICE_WRITE, block + done, part, out, in);
        if (result >= 0 && read)
            result = demos_move_to(link, at, in + 8, bytes);
        if (result < 0)
            return result;
        done += part;
    }
    return 0;
}

static s64 perform(struct words *w, s64 link)
{
    u8 out[HEAD], in[8];

    switch (words_get(w)) {
    case DISK_READ: return move(w, link, true);
    case DISK_WRITE: return move(w, link, false);
    case DISK_FLUSH: return ask(DEVICE_FLUSH, 0, 0, out, in);
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
    s64 len = demos_receive(DEMOS_CHANNEL(CHANNEL), w.bytes, sizeof w.bytes, &info);

    if (len < 0)
        demos_die("disk: receive: %lld", (long long)len);
    words_read(&w, w.bytes, (size_t)len);
    words_start(&w, (u64)perform(&w, info.count ? info.links[0] : 0));
    words_put(&w, blocks);
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

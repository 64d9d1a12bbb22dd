/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `vault FILE KEY`: keeps memory in a file, encrypted. Who maps the object it offers reads and
 * writes plain bytes; the file, behind the link "files", never sees one. Pages written back
 * lie in the file at their offset; a page of zeros there has never been written.
 *
 * An example of a keeper, not a safe: nothing shows that a page was exchanged for an older one,
 * and each version of a page is encrypted by the same stream.
 */
#include "guest/lib/file.h"
#include "guest/lib/keeper.h"
#include "guest/lib/process.h"
#include "guest/programs/keepers/chacha.h"

enum { CHANNEL = 1, NONCE = 0x7661756c };

static s64 file;
static u8 key[CHACHA_KEY];

static bool all_zero(const u8 *bytes, u64 len)
{
    for (u64 i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

static bool get(struct keeper *k, u64 code, u64 offset, u8 *page, u64 length)
{
    s64 got;

    (void)k, (void)code;
    memset(page, 0, length);
    got = file_read(file, offset, page, length);
    if (got > 0 && !all_zero(page, length))
        chacha(key, NONCE, offset / CHACHA_BLOCK, page, length);
    return got >= 0;
}

static void put(struct keeper *k, u64 code, u64 offset, const u8 *page, u64 length)
{
    static u8 cipher[KEEPER_PAGE_MAX];

    (void)k, (void)code;
    memcpy(cipher, page, length);
    chacha(key, NONCE, offset / CHACHA_BLOCK, cipher, length);
    if (file_write(file, offset, cipher, length) != (s64)length)
        demos_print("vault: the page at %llu is lost\n", (unsigned long long)offset);
}

int main(int argc, char **argv)
{
    struct keeper keeper = {get, put};
    static u8 body[64];

    if (argc != 3)
        demos_die("vault FILE KEY");
    memcpy(key, argv[2], MIN(strlen(argv[2]), (size_t)CHACHA_KEY));
    file = file_open(demos_link("files"), argv[1], FILE_READS | FILE_WRITES | FILE_CREATES);
    if (file < 0)
        demos_die("vault: %s: %s", argv[1], demos_error(file));
    demos_offer(demos_link_make(DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, CHANNEL, 0));
    for (;;) {
        struct demos_info info = {0};
        s64 len = demos_receive(DEMOS_CHANNEL(CHANNEL), body, sizeof body, &info);

        if (len < 0)
            return 1;
        keeper_serve(&keeper, body, (size_t)len, &info);
    }
}

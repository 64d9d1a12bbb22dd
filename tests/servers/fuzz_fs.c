/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile disk: a valid image with bytes changed as the input says is mounted, checked,
 * read, written and mended. Nothing may crash, hang or touch memory outside.
 */
#include "base/crc32.h"
#include "tests/servers/fsworld.h"

/* The tables and the first data blocks: where a wrong byte means something. */
enum { TARGET = 180 * FS_BLOCK };

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static u8 *valid;

static void make_valid(void)
{
    static u8 bytes[30000];
    struct heap_space h;
    struct disk d;
    struct store s;
    u32 dir, file;

    disk_start(&d);
    store_make(&d, heap_start(&h), 64);
    store_open(&s, &d, &h.heap, 256);
    dir_create(&s, FS_ROOT, "dir", 3, FS_DIRECTORY, 0, &dir);
    for (u32 i = 0; i < 12; i++) {
        char name[2] = {(char)('a' + i), 0};

        dir_create(&s, i % 2 ? dir : FS_ROOT, name, 1, FS_FILE, i, &file);
        for (u64 at = 0; at < 6; at++)
            store_write(&s, file, at * 3000, bytes, 3000);
    }
    store_close(&s);
    free(h.memory);
    valid = d.now;
}

static void use(struct store *s)
{
    static u8 buffer[5000];
    struct check c = {.store = s, .mend = true};
    struct dir_entry e;
    u32 at = 0, file;

    check_store(&c);
    for (int i = 0; i < 50 && dir_next(s, FS_ROOT, &at, &e) == FS_OK; i++) {
        store_read(s, e.file, 100, buffer, sizeof(buffer));
        store_write(s, e.file, 200, buffer, 700);
        dir_rename(s, FS_ROOT, e.name, e.len, FS_ROOT, "renamed", 7);
    }
    dir_create(s, FS_ROOT, "new", 3, FS_DIRECTORY, 0, &file);
    dir_remove(s, FS_ROOT, "a", 1);
    dir_walk(s, FS_ROOT, "dir/b", 5, &file, NULL, NULL);
    store_resize(s, file, 10);
    store_sync(s);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
    struct disk d = {.fail_after = ~0ull};
    struct heap_space h;
    struct store s;

    if (!valid)
        make_valid();
    d.now = malloc((size_t)DISK_BLOCKS * FS_BLOCK);
    memcpy(d.now, valid, (size_t)DISK_BLOCKS * FS_BLOCK);
    for (size_t i = 0; i + 4 <= len; i += 4) /* where, and the new byte */
        d.now[((size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2]) % TARGET] =
            data[i + 3];
    be32_put(d.now + FS_S_CRC, crc32(0, d.now, FS_S_CRC)); /* get past the front door */
    if (store_open(&s, &d, heap_start(&h), 256) == FS_OK) {
        use(&s);
        store_close(&s);
    }
    free(h.memory);
    free(d.now);
    return 0;
}

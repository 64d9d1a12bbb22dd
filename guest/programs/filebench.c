/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `filebench [TURNS]`: what the file system behind the link "files" costs: reading and writing
 * 64 KiB that its cache has, a byte, opening, reading and closing a small file, finding a
 * name, and making and removing a file. Rows as of bench; needs the link "machine".
 * `filebench NAME TURNS` does that row's work so often and prints nothing, for who counts
 * messages.
 */
#include "guest/lib/file.h"
#include "guest/programs/measure.h"
#include "guest/programs/number.h"

enum { BYTES = 65536 };

static u8 bytes[BYTES] __attribute__((aligned(4096)));
static s64 files, file;

static void must(s64 result, const char *what)
{
    if (result < 0)
        demos_die("filebench: %s: %s", what, demos_error(result));
}

static void reads(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        must(file_read(file, 0, bytes, BYTES), "read");
}

static void writes(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        must(file_write(file, 0, bytes, BYTES), "write");
}

static void one_byte(u64 turns)
{
    for (u64 i = 0; i < turns; i++)
        must(file_read(file, i % BYTES, bytes, 1), "read");
}

static void small_files(u64 turns)
{
    for (u64 i = 0; i < turns; i++) {
        s64 f = file_open(files, "bench/small", FILE_READS);

        must(f, "open");
        must(file_read(f, 0, bytes, 512), "read");
        demos_link_drop(f);
    }
}

static void names(u64 turns)
{
    char name[64];

    for (u64 i = 0; i < turns; i++) {
        u64 index = 0, size;

        must(file_list(files, "bench", &index, &size, name), "list");
    }
}

static void made(u64 turns)
{
    for (u64 i = 0; i < turns; i++) {
        must(file_path_op(files, FILE_FOLDER, "bench/d"), "make");
        must(file_path_op(files, FILE_REMOVE, "bench/d"), "remove");
    }
}

static const struct {
    const char *key, *name;
    void (*work)(u64 turns);
    u64 bytes;
} rows[] = {
    {"read", "read 64 KiB of a file, cached", reads, BYTES},
    {"write", "write 64 KiB of a file", writes, BYTES},
    {"byte", "read a byte of an open file", one_byte, 1},
    {"open", "open, read 512 bytes, close", small_files, 1},
    {"name", "find a name and its size", names, 1},
    {"make", "make and remove a directory", made, 1},
};

static void prepare(void)
{
    s64 small;

    files = demos_link("files");
    file_path_op(files, FILE_FOLDER, "bench");
    small = file_open(files, "bench/small", FILE_WRITES | FILE_CREATES);
    file = file_open(files, "bench/large", FILE_READS | FILE_WRITES | FILE_CREATES);
    must(small, "small");
    must(file, "large");
    must(file_write(small, 0, bytes, 512), "small");
    must(file_write(file, 0, bytes, BYTES), "large");
    demos_link_drop(small);
}

int main(int argc, char **argv)
{
    prepare();
    for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cost c;

        if (argc > 2 && strcmp(argv[1], rows[i].key) == 0)
            rows[i].work(number(argv[2]));
        if (argc > 2)
            continue;
        c = measure(rows[i].work, argc > 1 ? number(argv[1]) : 50);
        measure_print("F", rows[i].name, &c, rows[i].bytes);
    }
    return 0;
}

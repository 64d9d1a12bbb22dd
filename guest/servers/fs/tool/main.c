/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demos-fs: makes, checks, fills and reads DEMOS disks on the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "guest/servers/fs/check.h"
#include "guest/servers/fs/tool/disk.h"

enum { CACHE_BLOCKS = 4096, CHUNK = 65536 };

struct tool {
    struct disk disk;
    struct heap heap;
    struct store store;
    const char *image;
};

static NORETURN void fail(const char *what, const char *why)
{
    fprintf(stderr, "demos-fs: %s: %s\n", what, why);
    exit(1);
}

static const char *words(s64 error)
{
    static const char *const text[] = {
        [-FS_E_IO] = "the disk cannot be read or written",
        [-FS_E_FULL] = "no room left",
        [-FS_E_QUOTA] = "over the owner's quota",
        [-FS_E_NONE] = "no such file or directory on the disk",
        [-FS_E_EXISTS] = "exists already",
        [-FS_E_KIND] = "a directory where a file is wanted, or the other way",
        [-FS_E_NAME] = "not a name: 1 to 55 bytes, no '/', not '.' or '..'",
        [-FS_E_BIG] = "a file may have 1 GiB at most",
        [-FS_E_DAMAGED] = "not a DEMOS file system, or damaged: try demos-fs check",
        [-FS_E_BUSY] = "not empty",
        [-FS_E_MEMORY] = "out of memory",
    };
    size_t at = (size_t)-error;

    return at < ARRAY_SIZE(text) && text[at] ? text[at] : "unknown error";
}

static void must(const struct tool *t, const char *what, s64 error)
{
    if (error < 0)
        fail(what ? what : t->image, words(error));
}

static void open_image(struct tool *t, const char *image, int flags)
{
    size_t room;

    t->image = image;
    t->disk.fd = open(image, flags, 0666);
    if (t->disk.fd < 0)
        fail(image, strerror(errno));
    room = (size_t)disk_blocks(&t->disk) * 2 + (16u << 20);
    heap_init(&t->heap, malloc(room), room);
}

static void mount_image(struct tool *t, const char *image)
{
    open_image(t, image, O_RDWR);
    must(t, NULL, store_open(&t->store, &t->disk, &t->heap, CACHE_BLOCKS));
}

/* "64M" and the like, in bytes; 0 for what makes no sense. */
static u64 size_in_words(const char *text)
{
    char *end;
    u64 n = strtoull(text, &end, 10);

    if (*end == 'K' || *end == 'k')
        return end[1] ? 0 : n << 10;
    if (*end == 'M' || *end == 'm')
        return end[1] ? 0 : n << 20;
    if (*end == 'G' || *end == 'g')
        return end[1] ? 0 : n << 30;
    return *end ? 0 : n;
}

static int make(struct tool *t, char **arg)
{
    u64 size = size_in_words(arg[1]);
    int fd;

    if (size < 512 * FS_BLOCK)
        fail(arg[1], "a disk has a size like 256K, 64M or 1G, 256K at least");
    fd = open(arg[0], O_RDWR | O_CREAT, 0666);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
        fail(arg[0], strerror(errno));
    close(fd);
    open_image(t, arg[0], O_RDWR);
    must(t, NULL, store_make(&t->disk, &t->heap, 0));
    return 0;
}

static void say(struct check *c, const char *text)
{
    (void)c;
    printf("%s\n", text);
}

static int check(struct tool *t, char **arg)
{
    struct check c = {.store = &t->store, .say = say};

    mount_image(t, arg[0]);
    c.mend = arg[1] != NULL;
    if (arg[1] && strcmp(arg[1], "--mend") != 0)
        fail(arg[1], "check takes --mend or nothing");
    must(t, NULL, check_store(&c));
    printf("%s: %u files, %u directories, %u blocks in use, %u free: ", arg[0], c.files,
           c.directories, c.used_blocks, t->store.space.free);
    if (!c.problems)
        printf("clean\n");
    else
        printf("%u problems, %u mended\n", c.problems, c.mended);
    must(t, NULL, store_close(&t->store));
    return c.problems != c.mended;
}

static u32 find(struct tool *t, const char *path)
{
    u32 file;

    must(t, path, dir_walk(&t->store, FS_ROOT, path, strlen(path), &file, NULL, NULL));
    return file;
}

static u32 create(struct tool *t, const char *path, enum fs_kind kind)
{
    const char *name;
    size_t len;
    u32 dir, file;

    must(t, path, dir_walk(&t->store, FS_ROOT, path, strlen(path), &dir, &name, &len));
    if (!len)
        fail(path, words(FS_E_NAME));
    must(t, path, dir_create(&t->store, dir, name, len, kind, 0, &file));
    return file;
}

static int put(struct tool *t, char **arg)
{
    static u8 chunk[CHUNK];
    FILE *in = fopen(arg[1], "rb");
    u64 at = 0;
    size_t n;
    u32 file;

    if (!in)
        fail(arg[1], strerror(errno));
    mount_image(t, arg[0]);
    file = create(t, arg[2], FS_FILE);
    while ((n = fread(chunk, 1, CHUNK, in)) > 0) {
        s64 done = store_write(&t->store, file, at, chunk, n);

        must(t, arg[2], done == (s64)n ? 0 : done < 0 ? done : FS_E_FULL);
        at += n;
    }
    fclose(in);
    must(t, arg[2], store_resize(&t->store, file, at));
    must(t, NULL, store_close(&t->store));
    return 0;
}

static int get(struct tool *t, char **arg)
{
    static u8 chunk[CHUNK];
    FILE *out = stdout;
    u64 at = 0;
    s64 n;
    u32 file;

    mount_image(t, arg[0]);
    file = find(t, arg[1]);
    if (arg[2])
        out = fopen(arg[2], "wb");
    if (!out)
        fail(arg[2], strerror(errno));
    while ((n = store_read(&t->store, file, at, chunk, CHUNK)) > 0) {
        if (fwrite(chunk, 1, (size_t)n, out) != (size_t)n)
            fail(arg[2] ? arg[2] : "standard output", strerror(errno));
        at += (u64)n;
    }
    must(t, arg[1], n);
    return fflush(out) ? 1 : 0;
}

static int list(struct tool *t, char **arg)
{
    struct dir_entry e;
    u32 dir, at = 0;
    int error;

    mount_image(t, arg[0]);
    dir = find(t, arg[1] ? arg[1] : "/");
    while (!(error = dir_next(&t->store, dir, &at, &e))) {
        struct row row;

        must(t, e.name, store_look(&t->store, e.file, &row));
        printf("%c %10llu %s\n", row.kind == FS_DIRECTORY ? 'd' : '-',
               (unsigned long long)row.size, e.name);
    }
    must(t, arg[1], error == FS_E_NONE ? 0 : error);
    return 0;
}

static int directory(struct tool *t, char **arg)
{
    mount_image(t, arg[0]);
    create(t, arg[1], FS_DIRECTORY);
    must(t, NULL, store_close(&t->store));
    return 0;
}

static const struct command {
    const char *name, *usage;
    int least, most; /* arguments */
    int (*run)(struct tool *t, char **arg);
} commands[] = {
    {"make", "IMAGE SIZE         an empty file system (256K, 64M, 1G)", 2, 2, make},
    {"check", "IMAGE [--mend]     is everything as it must be? status 1 if not", 1, 2, check},
    {"put", "IMAGE FILE PATH    copies a file of this machine onto the disk", 3, 3, put},
    {"get", "IMAGE PATH [FILE]  copies a file off the disk, or to standard output", 2, 3, get},
    {"ls", "IMAGE [PATH]       lists a directory", 1, 2, list},
    {"mkdir", "IMAGE PATH         makes a directory", 2, 2, directory},
};

int main(int argc, char **argv)
{
    static struct tool t;

    for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
        const struct command *c = &commands[i];

        if (strcmp(argv[1], c->name) == 0 && argc - 2 >= c->least && argc - 2 <= c->most)
            return c->run(&t, argv + 2);
    }
    fprintf(stderr, "usage:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        fprintf(stderr, "  demos-fs %-6s %s\n", commands[i].name, commands[i].usage);
    return 2;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file store and its names against a model in memory: random files grow, shrink, move
 * and die; what is read is what was written, fsck finds nothing, and after everything is
 * deleted every block is free again. Quotas and a full disk refuse cleanly (L04). A file has 1 GiB at
 * most, and may. What is wrong with a disk is found, and mended. DS16's pure half.
 */
#include <sys/mman.h>
#include "tests/servers/fsworld.h"

enum { FILES = 24, MOST = 40000, STEPS = 6000 };

struct model {
    bool live, dir;
    char name[16];
    u32 size;
    u8 *bytes;
};

static void step_write(struct store *s, struct model *m, u64 i, u32 file)
{
    static u8 data[9000];
    u32 at = (u32)keyed_below(2, 1, i, MOST - sizeof(data));
    u32 len = (u32)keyed_below(2, 2, i, sizeof(data)) + 1;
    s64 done;

    if (keyed_chance(2, 3, i, 1u << 31))
        at = m->size; /* append, as most programs do */
    if (at + len > MOST)
        return;
    for (u32 k = 0; k < len; k++)
        data[k] = (u8)keyed_random(2, i, k);
    done = store_write(s, file, at, data, len);
    CHECK_EQ(done, len);
    memcpy(m->bytes + at, data, len);
    if (at > m->size)
        memset(m->bytes + m->size, 0, at - m->size);
    m->size = MAX(m->size, at + len);
}

static void check_file(struct store *s, const struct model *m, u64 i)
{
    static u8 got[MOST];
    u32 file, at = (u32)keyed_below(3, 1, i, m->size + 1);
    s64 n;

    CHECK_EQ(dir_walk(s, FS_ROOT, m->name, strlen(m->name), &file, NULL, NULL), FS_OK);
    n = store_read(s, file, at, got, MOST);
    CHECK_EQ(n, m->size - at);
    CHECK(n >= 0 && memcmp(got, m->bytes + at, (size_t)n) == 0);
}

static void step(struct store *s, struct model *m, u64 i)
{
    size_t len = strlen(m->name);
    u32 file;

    if (!m->live) {
        CHECK_EQ(dir_create(s, FS_ROOT, m->name, len, FS_FILE, 7, &file), FS_OK);
        CHECK_EQ(dir_create(s, FS_ROOT, m->name, len, FS_FILE, 7, &file), FS_E_EXISTS);
        m->live = true;
        m->size = 0;
        return;
    }
    CHECK_EQ(dir_walk(s, FS_ROOT, m->name, len, &file, NULL, NULL), FS_OK);
    switch (keyed_below(1, 3, i, 12)) {
    case 0:
        CHECK_EQ(dir_remove(s, FS_ROOT, m->name, len), FS_OK);
        m->live = false;
        break;
    case 1: {
        u32 size = (u32)keyed_below(1, 4, i, MOST);

        CHECK_EQ(store_resize(s, file, size), FS_OK);
        if (size > m->size)
            memset(m->bytes + m->size, 0, size - m->size);
        m->size = size;
        break;
    }
    case 2: CHECK_EQ(store_sync(s), FS_OK); break;
    case 3: {
        char name[16];

        snprintf(name, sizeof(name), "%c%u", m->name[0] == 'f' ? 'g' : 'f',
                 (u32)strtoul(m->name + 1, NULL, 10));
        CHECK_EQ(dir_rename(s, FS_ROOT, m->name, len, FS_ROOT, name, strlen(name)), FS_OK);
        memcpy(m->name, name, sizeof(name));
        break;
    }
    case 4:
    case 5:
    case 6: check_file(s, m, i); break;
    default: step_write(s, m, i, file); break;
    }
}

static void random_files_equal_the_model(void)
{
    static struct model model[FILES];
    struct heap_space h;
    struct disk d;
    struct store s;
    u32 free_at_start;

    disk_start(&d);
    CHECK_EQ(store_make(&d, heap_start(&h), 0), FS_OK);
    CHECK_EQ(store_open(&s, &d, &h.heap, 300), FS_OK);
    free_at_start = s.space.free;
    for (u32 i = 0; i < FILES; i++) {
        model[i] = (struct model){.bytes = calloc(1, MOST)};
        snprintf(model[i].name, sizeof(model[i].name), "f%u", i);
    }
    for (u64 i = 0; i < test_length(STEPS, STEPS * 20) && !checks_failed; i++) {
        step(&s, &model[keyed_below(1, 1, i, FILES)], i);
        if (i % 1500 == 1499) { /* what a fresh mount sees must be the same */
            CHECK_EQ(problems(&s), 0);
            CHECK_EQ(store_close(&s), FS_OK);
            CHECK_EQ(h.heap.in_use, 0);
            CHECK_EQ(store_open(&s, &d, &h.heap, 300), FS_OK);
        }
    }
    for (u32 i = 0; i < FILES; i++) {
        if (model[i].live) {
            check_file(&s, &model[i], 0);
            CHECK_EQ(dir_remove(&s, FS_ROOT, model[i].name, strlen(model[i].name)), FS_OK);
        }
        free(model[i].bytes);
    }
    CHECK_EQ(store_sync(&s), FS_OK);
    CHECK_EQ(problems(&s), 0);
    CHECK_EQ(store_resize(&s, FS_ROOT, 0), FS_OK);
    CHECK_EQ(store_sync(&s), FS_OK);
    CHECK_EQ(s.space.free, free_at_start);
    CHECK_EQ(store_close(&s), FS_OK);
    free(h.memory);
    disk_end(&d);
}

static void directories_keep_a_tree(void)
{
    struct heap_space h;
    struct disk d;
    struct store s;
    u32 a, b, c, file, found;

    disk_start(&d);
    CHECK_EQ(store_make(&d, heap_start(&h), 0), FS_OK);
    CHECK_EQ(store_open(&s, &d, &h.heap, 300), FS_OK);
    CHECK_EQ(dir_create(&s, FS_ROOT, "a", 1, FS_DIRECTORY, 0, &a), FS_OK);
    CHECK_EQ(dir_create(&s, a, "b", 1, FS_DIRECTORY, 0, &b), FS_OK);
    CHECK_EQ(dir_create(&s, b, "c", 1, FS_DIRECTORY, 0, &c), FS_OK);
    CHECK_EQ(dir_create(&s, c, "file", 4, FS_FILE, 0, &file), FS_OK);
    CHECK_EQ(dir_walk(&s, FS_ROOT, "/a//b/c/file", 12, &found, NULL, NULL), FS_OK);
    CHECK_EQ(found, file);
    CHECK_EQ(dir_rename(&s, FS_ROOT, "a", 1, c, "x", 1), FS_E_BUSY); /* below itself */
    CHECK_EQ(dir_remove(&s, FS_ROOT, "a", 1), FS_E_BUSY);
    CHECK_EQ(dir_rename(&s, b, "c", 1, FS_ROOT, "c", 1), FS_OK);
    CHECK_EQ(dir_walk(&s, FS_ROOT, "c/file", 6, &found, NULL, NULL), FS_OK);
    CHECK_EQ(dir_rename(&s, FS_ROOT, "a", 1, c, "x", 1), FS_OK);
    CHECK_EQ(dir_walk(&s, FS_ROOT, "c/x/b", 5, &found, NULL, NULL), FS_OK);
    CHECK_EQ(dir_walk(&s, FS_ROOT, "a", 1, &found, NULL, NULL), FS_E_NONE);
    CHECK_EQ(dir_walk(&s, FS_ROOT, "c/file/x", 8, &found, NULL, NULL), FS_E_KIND);
    CHECK_EQ(dir_create(&s, FS_ROOT, "..", 2, FS_FILE, 0, &found), FS_E_NAME);
    CHECK_EQ(dir_create(&s, FS_ROOT, "", 0, FS_FILE, 0, &found), FS_E_NAME);
    CHECK_EQ(problems(&s), 0);
    CHECK_EQ(store_close(&s), FS_OK);
    free(h.memory);
    disk_end(&d);
}

static void quotas_and_a_full_disk_refuse(void)
{
    static u8 data[8192];
    struct heap_space h;
    struct disk d;
    struct store s;
    u32 file, other, limit, used, at = 0;
    s64 n;

    disk_start(&d);
    CHECK_EQ(store_make(&d, heap_start(&h), 0), FS_OK);
    CHECK_EQ(store_open(&s, &d, &h.heap, 300), FS_OK);
    CHECK_EQ(store_set_quota(&s, 5, 20), FS_OK);
    CHECK_EQ(dir_create(&s, FS_ROOT, "mine", 4, FS_FILE, 5, &file), FS_OK);
    CHECK_EQ(store_write(&s, file, 0, data, 8192), 8192);
    CHECK(store_write(&s, file, 8192, data, 8192) < 8192);
    CHECK_EQ(store_write(&s, file, 1 << 20, data, 1), FS_E_QUOTA);
    CHECK_EQ(store_quota(&s, 5, &limit, &used), FS_OK);
    CHECK_EQ(limit, 20);
    CHECK(used <= 20);
    CHECK_EQ(store_close(&s), FS_OK);
    CHECK_EQ(store_open(&s, &d, &h.heap, 300), FS_OK);
    CHECK_EQ(store_quota(&s, 5, &limit, &used), FS_OK);
    CHECK_EQ(limit, 20);
    CHECK_EQ(dir_create(&s, FS_ROOT, "other", 5, FS_FILE, 6, &other), FS_OK);
    while ((n = store_write(&s, other, at, data, sizeof(data))) == (s64)sizeof(data))
        at += sizeof(data);
    CHECK(n == FS_E_FULL || n > 0);
    CHECK_EQ(store_write(&s, other, (1ull << 30) - 1, data, 2), FS_E_BIG);
    CHECK_EQ(problems(&s), 0);
    CHECK_EQ(dir_remove(&s, FS_ROOT, "other", 5), FS_OK);
    CHECK_EQ(store_sync(&s), FS_OK);
    CHECK_EQ(store_write(&s, file, 0, data, 100), 100);
    CHECK_EQ(problems(&s), 0);
    CHECK_EQ(store_close(&s), FS_OK);
    free(h.memory);
    disk_end(&d);
}

/* Files written in turns still read in long runs, and reading in order asks the disk
 * once for many blocks. */
static void growth_is_contiguous_and_reading_ahead(void)
{
    static u8 data[2048];
    struct heap_space h;
    struct disk d;
    struct store s;
    struct row row;
    u32 one, two;
    u64 before;

    disk_start(&d);
    CHECK_EQ(store_make(&d, heap_start(&h), 0), FS_OK);
    CHECK_EQ(store_open(&s, &d, &h.heap, 300), FS_OK);
    CHECK_EQ(dir_create(&s, FS_ROOT, "one", 3, FS_FILE, 0, &one), FS_OK);
    CHECK_EQ(dir_create(&s, FS_ROOT, "two", 3, FS_FILE, 0, &two), FS_OK);
    for (u64 at = 0; at < 200 * 2048; at += 2048) {
        CHECK_EQ(store_write(&s, one, at, data, 2048), 2048);
        CHECK_EQ(store_write(&s, two, at, data, 2048), 2048);
    }
    CHECK_EQ(store_look(&s, one, &row), FS_OK);
    CHECK(row.extents <= 20);
    CHECK_EQ(store_close(&s), FS_OK);
    CHECK_EQ(store_open(&s, &d, &h.heap, 300), FS_OK);
    before = s.cache.reads;
    for (u64 at = 0; at < 200 * 2048; at += 512)
        CHECK_EQ(store_read(&s, one, at, data, 512), 512);
    CHECK(s.cache.reads - before < 60); /* 800 blocks */
    CHECK_EQ(store_close(&s), FS_OK);
    free(h.memory);
    disk_end(&d);
}

/* A disk that fails at any request gives an error, never a crash or a wrong byte. */
static void a_failing_disk_is_an_error(void)
{
    static u8 data[5000], got[5000];

    for (u64 after = 0; after < 150; after++) {
        struct heap_space h;
        struct disk d;
        struct store s;
        u32 file;

        disk_start(&d);
        CHECK_EQ(store_make(&d, heap_start(&h), 0), FS_OK);
        d.fail_after = after;
        if (store_open(&s, &d, &h.heap, 300) == FS_OK) {
            memset(data, 9, sizeof(data));
            if (dir_create(&s, FS_ROOT, "x", 1, FS_FILE, 0, &file) == FS_OK &&
                store_write(&s, file, 0, data, sizeof(data)) == sizeof(data) &&
                store_sync(&s) == FS_OK) {
                d.fail_after = ~0ull;
                CHECK_EQ(store_read(&s, file, 0, got, sizeof(got)), sizeof(got));
                CHECK(memcmp(got, data, sizeof(got)) == 0);
            }
            d.fail_after = ~0ull;
            store_close(&s);
        }
        free(h.memory);
        disk_end(&d);
    }
}

/* --- the largest file ---------------------------------------------------------------- */

enum { LARGE_BLOCKS = (1 << 21) + (1 << 15), PARTS = 16 };
#define PART (FS_FILE_MAX / PARTS)

/* What was written to it: a few bytes at each part's end, and zeros between. */
static void check_large(struct store *s, u32 file)
{
    enum { BEFORE = 2 * FS_BLOCK, BEHIND = 100 };
    static u8 got[BEFORE + BEHIND], zeros[BEFORE - 16];

    for (u64 part = 1; part <= PARTS; part++) {
        CHECK_EQ(store_read(s, file, part * PART - BEFORE, got, sizeof(got)),
                 BEFORE + (part < PARTS ? BEHIND : 0));
        CHECK(memcmp(got, zeros, sizeof(zeros)) == 0);
        CHECK_EQ(got[BEFORE - 16], part);
        CHECK_EQ(got[BEFORE - 1], part + 100);
        CHECK_EQ(store_read(s, file, (part - 1) * PART + PART / 2, got, 300), 300);
        CHECK(memcmp(got, zeros, 300) == 0);
    }
}

/* A file of 1 GiB on a disk whose blocks of zeros take no memory: its ends and its middle are read, its extents
 * are more than a row holds, nothing lies beyond; mounted again it is the same, and when it is gone every block
 * is free. */
static void a_file_of_one_gib(void)
{
    size_t bytes = (size_t)LARGE_BLOCKS * FS_BLOCK;
    struct disk d = {.fail_after = ~0ull, .blocks = LARGE_BLOCKS};
    struct heap_space h;
    struct store s;
    struct row row;
    u32 file, other;
    char name[2] = {0};
    u8 mark[16] = {0};

    d.now = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(d.now != MAP_FAILED);
    CHECK_EQ(store_make(&d, heap_start(&h), 64), FS_OK);
    CHECK_EQ(store_open(&s, &d, &h.heap, 1024), FS_OK);
    CHECK_EQ(dir_create(&s, FS_ROOT, "large", 5, FS_FILE, 0, &file), FS_OK);
    for (u64 part = 1; part <= PARTS; part++) {
        mark[0] = (u8)part;
        mark[15] = (u8)(part + 100);
        CHECK_EQ(store_write(&s, file, part * PART - 16, mark, 16), 16);
        CHECK_EQ(store_resize(&s, file, part * PART),
                 FS_OK); /* nothing in advance: in the way */
        name[0] = (char)('a' + part);
        CHECK_EQ(dir_create(&s, FS_ROOT, name, 1, FS_FILE, 0, &other), FS_OK);
        CHECK_EQ(store_write(&s, other, 0, mark, 16), 16);
    }
    CHECK_EQ(store_write(&s, file, FS_FILE_MAX, mark, 1), FS_E_BIG);
    CHECK_EQ(store_write(&s, file, FS_FILE_MAX - 15, mark, 16), FS_E_BIG);
    CHECK_EQ(store_read(&s, file, FS_FILE_MAX, mark, 1), 0);
    check_large(&s, file);
    CHECK_EQ(store_close(&s), FS_OK);
    CHECK_EQ(store_open(&s, &d, &h.heap, 1024), FS_OK);
    CHECK_EQ(store_look(&s, file, &row), FS_OK);
    CHECK_EQ(row.size, FS_FILE_MAX);
    CHECK(row.extents > FS_ROW_EXTENTS && row.more);
    CHECK_EQ(problems(&s), 0);
    check_large(&s, file);
    CHECK_EQ(dir_remove(&s, FS_ROOT, "large", 5), FS_OK);
    CHECK_EQ(store_sync(&s), FS_OK);
    CHECK_EQ(s.space.free, LARGE_BLOCKS - s.space.first - PARTS - 3); /* of the root's */
    CHECK_EQ(problems(&s), 0);
    CHECK_EQ(store_close(&s), FS_OK);
    munmap(d.now, bytes);
    free(h.memory);
}

/* --- damage -------------------------------------------------------------------------- */

static void flip_bit(struct disk *d, u32 block)
{
    u32 bitmap = be32_get(d->now + FS_S_BITMAP);

    d->now[(bitmap + block / FS_BITS_PER_BLOCK) * FS_BLOCK + block % FS_BITS_PER_BLOCK / 8] ^=
        (u8)(1 << block % 8);
}

static u8 *row_of(struct disk *d, u32 file)
{
    return d->now + (u64)be32_get(d->now + FS_S_TABLE) * FS_BLOCK + file * FS_ROW;
}

/* The root's entry of that name. */
static u8 *entry_of(struct disk *d, const char *name)
{
    u8 *entry = d->now + (u64)be32_get(row_of(d, FS_ROOT) + FS_R_EXTENT) * FS_BLOCK;

    while (memcmp(entry + FS_D_NAME, name, strlen(name)) != 0)
        entry += FS_ENTRY;
    return entry;
}

static void lost_block(struct disk *d, u32 file)
{
    (void)file;
    flip_bit(d, DISK_BLOCKS - 5);
}

static void block_marked_free(struct disk *d, u32 file)
{
    flip_bit(d, be32_get(row_of(d, file) + FS_R_EXTENT));
}

static void entry_gone(struct disk *d, u32 file)
{
    (void)file;
    memset(entry_of(d, "one"), 0, FS_ENTRY);
}

static void entry_of_another_life(struct disk *d, u32 file)
{
    (void)file;
    entry_of(d, "one")[FS_D_GENERATION + 3] ^= 1;
}

static void row_of_nonsense(struct disk *d, u32 file)
{
    row_of(d, file)[FS_R_KIND + 1] = 77;
}

static void held_twice(struct disk *d, u32 file)
{
    memcpy(row_of(d, file) + FS_R_EXTENT, row_of(d, file + 1) + FS_R_EXTENT, 4);
}

static void blocks_miscounted(struct disk *d, u32 file)
{
    row_of(d, file)[FS_R_BLOCKS + 3]++;
}

/* Each is found; those that can be are mended, the second look finds nothing, and the bytes are all there. */
static void damage_is_found_and_mended(void)
{
    static const struct {
        void (*damage)(struct disk *d, u32 file);
        bool mended;
        const char *name; /* afterwards */
    } kinds[] = {{lost_block, true, "one"},        {block_marked_free, true, "one"},
                 {entry_gone, true, "lost-3"},     {entry_of_another_life, true, "lost-3"},
                 {row_of_nonsense, false, NULL},   {held_twice, false, NULL},
                 {blocks_miscounted, false, "one"}};
    static u8 data[3000], got[sizeof(data)];

    for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct store mounted, *s = &mounted;
        struct check c = {.store = s, .mend = true};
        struct heap_space h;
        struct disk d;
        u32 one, two;

        disk_start(&d);
        memset(data, (int)i + 1, sizeof(data));
        CHECK_EQ(store_make(&d, heap_start(&h), 0), FS_OK);
        CHECK_EQ(store_open(s, &d, &h.heap, 300), FS_OK);
        CHECK_EQ(dir_create(s, FS_ROOT, "one", 3, FS_FILE, 0, &one), FS_OK);
        CHECK_EQ(dir_create(s, FS_ROOT, "two", 3, FS_FILE, 0, &two), FS_OK);
        CHECK_EQ(store_write(s, one, 0, data, sizeof(data)), sizeof(data));
        CHECK_EQ(store_write(s, two, 0, data, 1000), 1000);
        CHECK_EQ(store_close(s), FS_OK);
        CHECK(one == FS_FIRST_FREE && two == one + 1);
        kinds[i].damage(&d, one);
        memset(d.now + (u64)be32_get(d.now + FS_S_JOURNAL) * FS_BLOCK, 0,
               FS_BLOCK); /* has it right */
        CHECK_EQ(store_open(s, &d, &h.heap, 300), FS_OK);
        CHECK(problems(s) > 0);
        CHECK_EQ(check_store(&c), FS_OK);
        CHECK(c.problems > 0);
        CHECK_EQ(c.problems == c.mended, kinds[i].mended);
        CHECK_EQ(store_close(s), FS_OK);
        CHECK_EQ(store_open(s, &d, &h.heap, 300), FS_OK);
        CHECK_EQ(problems(s) == 0, kinds[i].mended);
        if (kinds[i].name) {
            CHECK_EQ(
                dir_walk(s, FS_ROOT, kinds[i].name, strlen(kinds[i].name), &one, NULL, NULL),
                FS_OK);
            CHECK_EQ(store_read(s, one, 0, got, sizeof(got)), sizeof(got));
            CHECK(memcmp(got, data, sizeof(got)) == 0);
        }
        CHECK_EQ(store_close(s), FS_OK);
        free(h.memory);
        disk_end(&d);
    }
}

TESTS(CASE(random_files_equal_the_model), CASE(directories_keep_a_tree),
      CASE(quotas_and_a_full_disk_refuse), CASE(growth_is_contiguous_and_reading_ahead),
      CASE(a_failing_disk_is_an_error), CASE(a_file_of_one_gib),
      CASE(damage_is_found_and_mended))

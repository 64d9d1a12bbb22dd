/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power cuts: a workload's disk writes are replayed up to every prefix, and between two
 * barriers also in any order, any subset, and torn within a block. The disk must mount,
 * fsck must find nothing, and each byte of each file is what a completed sync covered or what was
 * written there since; where nothing was, it is what the sync covered (DS16, F24).
 */
#include "tests/servers/fsworld.h"

enum { FILES = 6, MOST = 6000, SYNCS = 64, OPS = 512, WRITE_MOST = 2500 };

/* What a sync promised. */
struct promise {
    size_t from; /* log length when the sync had returned */
    struct {
        bool live;
        u32 size;
        u8 bytes[MOST];
    } file[FILES];
};

/* What was done to a file, and when. */
struct op {
    enum { CREATED, REMOVED, CUT, WRITTEN } kind;
    size_t from;                      /* log length when it began */
    size_t promise;                   /* how many syncs had returned */
    u32 file, at, len, before, after; /* bytes written; the file's size */
    u8 bytes[WRITE_MOST];
};

struct run {
    struct disk disk;
    struct heap_space heap;
    struct store store;
    struct promise now;
    struct promise *promised;
    size_t promises;
    u8 *first; /* the disk when recording began */
    struct op *ops;
    size_t op_count;
};

static void name_of(u32 i, char *name)
{
    snprintf(name, 8, "file%u", i);
}

static void sync_now(struct run *r)
{
    CHECK_EQ(store_sync(&r->store), FS_OK);
    r->now.from = r->disk.logged;
    r->promised[r->promises++] = r->now;
}

/* To be filled in by who does it; of what it does, the log has nothing yet. */
static struct op *begin_op(struct run *r, int kind, u32 file)
{
    struct op *op = &r->ops[r->op_count++];

    CHECK(r->op_count < OPS);
    *op = (struct op){.from = r->disk.logged, .promise = r->promises, .file = file};
    op->kind = kind;
    op->before = op->after = r->now.file[file].size;
    return op;
}

static void write_some(struct run *r, u32 i, u32 file, u64 step)
{
    struct op *op = begin_op(r, WRITTEN, i);
    u32 len = op->len = (u32)keyed_below(5, 2, step, WRITE_MOST) + 1;
    u32 at = op->at = (u32)keyed_below(5, 3, step, MOST - len);

    for (u32 k = 0; k < len; k++)
        op->bytes[k] = (u8)keyed_random(5, step, k);
    CHECK_EQ(store_write(&r->store, file, at, op->bytes, len), len);
    if (at > r->now.file[i].size)
        memset(r->now.file[i].bytes + r->now.file[i].size, 0, at - r->now.file[i].size);
    memcpy(r->now.file[i].bytes + at, op->bytes, len);
    r->now.file[i].size = op->after = MAX(r->now.file[i].size, at + len);
}

static void cut_off(struct run *r, u32 i, u32 file)
{
    begin_op(r, CUT, i)->after = 0;
    CHECK_EQ(store_resize(&r->store, file, 0), FS_OK);
    r->now.file[i].size = 0;
}

static void create(struct run *r, u32 i)
{
    char name[8];
    u32 file;

    name_of(i, name);
    r->now.file[i].size = 0;
    begin_op(r, CREATED, i);
    CHECK_EQ(dir_create(&r->store, FS_ROOT, name, 5, FS_FILE, 0, &file), FS_OK);
    r->now.file[i].live = true;
}

static void step(struct run *r, u64 n)
{
    u32 i = (u32)keyed_below(5, 1, n, FILES), file;
    char name[8];

    name_of(i, name);
    if (!r->now.file[i].live) {
        create(r, i);
        return;
    }
    CHECK_EQ(dir_walk(&r->store, FS_ROOT, name, 5, &file, NULL, NULL), FS_OK);
    if (keyed_below(5, 4, n, 8) == 0) {
        begin_op(r, REMOVED, i);
        CHECK_EQ(dir_remove(&r->store, FS_ROOT, name, 5), FS_OK);
        r->now.file[i].live = false;
    } else if (keyed_below(5, 6, n, 6) == 0) {
        cut_off(r, i, file);
    } else {
        write_some(r, i, file, n);
    }
}

/* Leaves `left` blocks free, so that what is given back is soon wanted again. */
static void fill(struct run *r, u32 left)
{
    static u8 data[FS_BLOCK];
    u32 file;

    CHECK_EQ(dir_create(&r->store, FS_ROOT, "filler", 6, FS_FILE, 0, &file), FS_OK);
    for (u64 at = 0; r->store.space.free > left; at += sizeof(data))
        CHECK_EQ(store_write(&r->store, file, at, data, sizeof(data)), sizeof(data));
    CHECK_EQ(store_sync(&r->store), FS_OK);
}

static struct run *start(void)
{
    struct run *r = calloc(1, sizeof(*r));

    disk_start(&r->disk);
    r->promised = calloc(SYNCS + 1, sizeof(*r->promised));
    r->ops = calloc(OPS, sizeof(*r->ops));
    CHECK_EQ(store_make(&r->disk, heap_start(&r->heap), 64), FS_OK);
    CHECK_EQ(store_open(&r->store, &r->disk, &r->heap.heap, 256), FS_OK);
    return r;
}

static void start_log(struct run *r)
{
    r->first = malloc((size_t)DISK_BLOCKS * FS_BLOCK);
    memcpy(r->first, r->disk.now, (size_t)DISK_BLOCKS * FS_BLOCK);
    r->disk.log = calloc(LOG_MAX, sizeof(*r->disk.log));
    r->disk.logging = true;
}

static void end_log(struct run *r)
{
    CHECK_EQ(store_close(&r->store), FS_OK);
    r->disk.logging = false;
    CHECK(r->disk.logged < LOG_MAX);
}

static struct run *record(u64 steps)
{
    struct run *r = start();

    fill(r, 80);
    start_log(r);
    for (u64 n = 0; n < steps && r->promises < SYNCS; n++) {
        step(r, n);
        if (keyed_below(5, 5, n, 8) == 0)
            sync_now(r);
    }
    end_log(r);
    return r;
}

/* What may be found of a file after a cut: what the sync promised, and what has been done to it since. */
struct finding {
    const struct run *run;
    const struct promise *p;
    size_t promise, cut;
    u32 file;
};

/* The next thing done to it between that sync and the cut, from the `at`th on; NULL: no more. */
static const struct op *next_op(const struct finding *f, size_t *at)
{
    while (*at < f->run->op_count) {
        const struct op *op = &f->run->ops[(*at)++];

        if (op->file == f->file && op->promise == f->promise && op->from < f->cut)
            return op;
    }
    return NULL;
}

static bool was(const struct finding *f, u32 kinds)
{
    const struct op *op;

    for (size_t at = 0; (op = next_op(f, &at)) != NULL;)
        if (kinds >> op->kind & 1)
            return true;
    return false;
}

/* A write may have been committed in the middle. */
static bool size_possible(const struct finding *f, u32 size)
{
    const struct op *op;

    if (f->p->file[f->file].live && size == f->p->file[f->file].size)
        return true;
    for (size_t at = 0; (op = next_op(f, &at)) != NULL;)
        if (op->kind == WRITTEN ? size >= op->before && size <= op->after : size == op->after)
            return true;
    return false;
}

/* As promised, or as written since; zero where the file ended then, or was cut. */
static bool byte_possible(const struct finding *f, u32 offset, u8 byte)
{
    u32 promised = f->p->file[f->file].live ? f->p->file[f->file].size : 0;
    const struct op *op;

    if (offset < promised && f->p->file[f->file].bytes[offset] == byte)
        return true;
    for (size_t at = 0; (op = next_op(f, &at)) != NULL;)
        if (op->kind == WRITTEN && offset - op->at < op->len &&
            op->bytes[offset - op->at] == byte)
            return true;
    return byte == 0 && (offset >= promised || was(f, 1 << CUT | 1 << REMOVED));
}

static void check_file(struct store *s, const struct finding *f)
{
    static u8 got[MOST];
    u32 file, wrong = 0;
    char name[8];
    s64 n;
    int error;

    name_of(f->file, name);
    error = dir_walk(s, FS_ROOT, name, 5, &file, NULL, NULL);
    if (error == FS_E_NONE) {
        CHECK(!f->p->file[f->file].live || was(f, 1 << REMOVED));
        return;
    }
    CHECK_EQ(error, FS_OK);
    CHECK(f->p->file[f->file].live || was(f, 1 << CREATED));
    n = store_read(s, file, 0, got, MOST);
    CHECK(n >= 0 && size_possible(f, (u32)n));
    for (u32 i = 0; i < n; i++)
        wrong += !byte_possible(f, i, got[i]);
    CHECK_EQ(wrong, 0);
}

static void check_promises(struct run *r, struct store *s, size_t cut)
{
    const struct promise *p = NULL;
    size_t at = 0;

    while (at < r->promises && r->promised[at].from <= cut)
        p = &r->promised[at++];
    for (u32 i = 0; p && i < FILES; i++)
        check_file(s, &(struct finding){r, p, at, cut, i});
}

/* Mounts a copy of `image` as it was after the cut. */
static void mount_and_check(struct run *r, const u8 *image, size_t cut)
{
    static u8 copy[(size_t)DISK_BLOCKS * FS_BLOCK], heap[HEAP_BYTES];
    struct disk d = {.fail_after = ~0ull, .now = copy};
    struct heap h;
    struct store s;

    memcpy(copy, image, sizeof(copy));
    heap_init(&h, heap, sizeof(heap));
    CHECK_EQ(store_open(&s, &d, &h, 256), FS_OK);
    if (s.cache.buffer) {
        CHECK_EQ(problems(&s), 0);
        check_promises(r, &s, cut);
        CHECK_EQ(store_close(&s), FS_OK);
    }
}

static void apply(u8 *image, const struct logged *l, u32 bytes)
{
    if (!l->flush)
        memcpy(image + (size_t)l->block * FS_BLOCK, l->data, bytes);
}

static void forget(struct run *r)
{
    free(r->first);
    free(r->promised);
    free(r->ops);
    free(r->heap.memory);
    disk_end(&r->disk);
    free(r);
}

static void replay_prefixes(struct run *r)
{
    for (size_t cut = 0; cut <= r->disk.logged && !checks_failed; cut++) {
        mount_and_check(r, r->first, cut);
        if (cut < r->disk.logged)
            apply(r->first, &r->disk.log[cut], FS_BLOCK);
    }
    forget(r);
}

static void every_prefix_mounts(void)
{
    replay_prefixes(record(test_length(200, 400)));
}

/* On a full disk the blocks of a file that was cut are wanted at once; until the cut is
 * committed they must not get new bytes, or a power cut would bring the file back with
 * another one's. */
static void blocks_given_back_keep_their_bytes_until_the_commit(void)
{
    struct run *r = start();
    u32 a, b;

    CHECK_EQ(dir_create(&r->store, FS_ROOT, "file0", 5, FS_FILE, 0, &a), FS_OK);
    CHECK_EQ(dir_create(&r->store, FS_ROOT, "file1", 5, FS_FILE, 0, &b), FS_OK);
    r->now.file[0].live = r->now.file[1].live = true;
    for (u64 n = 0; r->now.file[0].size < MOST - FS_BLOCK; n++)
        write_some(r, 0, a, n);
    fill(r, 0);
    start_log(r);
    sync_now(r);
    cut_off(r, 0, a);
    for (u64 n = 100; n < 110; n++)
        write_some(r, 1, b, n);
    end_log(r);
    replay_prefixes(r);
}

/* What lies after the last barrier before the cut arrived in part, out of order, torn. */
static void scramble(struct run *r, u8 *image, size_t barrier, size_t cut, u64 trial)
{
    for (size_t k = barrier; k < cut; k++) {
        /* Later writes to a block may be overtaken by earlier ones: walk in random order. */
        size_t pick = barrier + keyed_below(6, trial, k, cut - barrier);
        u32 fate = (u32)keyed_below(7, trial, k, 4);

        if (fate)
            apply(image, &r->disk.log[pick],
                  fate == 1 ? (u32)keyed_below(8, trial, k, FS_BLOCK) : FS_BLOCK);
    }
}

static void torn_and_reordered_writes_mount(void)
{
    struct run *r = record(test_length(150, 400));
    u8 *base = r->first, *image = malloc((size_t)DISK_BLOCKS * FS_BLOCK);
    size_t barrier = 0;
    u64 trials = test_length(2, 12), trial = 0;

    for (size_t at = 0; at < r->disk.logged && !checks_failed; at++) {
        if (!r->disk.log[at].flush)
            continue;
        for (u64 t = 0; t < trials; t++) {
            size_t cut = barrier + keyed_below(9, at, t, at - barrier + 1);

            memcpy(image, base, (size_t)DISK_BLOCKS * FS_BLOCK);
            scramble(r, image, barrier, cut, ++trial);
            mount_and_check(r, image, cut);
        }
        for (size_t k = barrier; k <= at; k++)
            apply(base, &r->disk.log[k], FS_BLOCK);
        barrier = at + 1;
    }
    free(image);
    forget(r);
}

TESTS(CASE(every_prefix_mounts), CASE(blocks_given_back_keep_their_bytes_until_the_commit),
      CASE(torn_and_reordered_writes_mount))

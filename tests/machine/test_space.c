/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces against plain arrays of bytes: random writes, moves, protections and
 * unmappings of two processes, with whole-page moves mapped in one run and copied in the
 * other; the same memory results, the hardware's view never allows more than the region,
 * and every frame comes back.
 *
 * Rows DL20 (frames counted: a shared move takes none, then one per page written) and
 * DL21 (mapping has no effect on semantics), on the machine's side.
 */
#include "base/keyed.h"
#include "guest/machine/place.h"
#include "guest/machine/space.h"
#include "tests/check.h"

enum { FRAMES = 512, PAGES = 8, TASKS = 2, REGIONS = 3, BYTES = PAGES * FRAME_SIZE };

static struct frames frames;
static u32 refs[FRAMES];
static u8 *memory;
static struct task tasks[TASKS];
static struct space spaces[TASKS];
static struct region regions[TASKS][REGIONS];
static u8 model[TASKS][REGIONS][BYTES];
static const u64 bases[REGIONS] = {0x400000, 0x7fffe000, 0x0fffffffc000};

const struct region *task_region(const struct task *t, u64 address)
{
    for (const struct region *r = t->regions; r; r = r->next)
        if (address >= r->base && address - r->base < r->length)
            return r;
    return NULL;
}

struct machine_miss *place_miss(struct node *n)
{
    static struct machine_miss miss; /* nothing here has an object */

    (void)n;
    return &miss;
}

void space_changed(struct space *s, u64 va, u64 old, u64 now)
{
    const struct region *r = task_region(&tasks[s - spaces], va);

    (void)old;
    CHECK(va % FRAME_SIZE == 0);
    if (!r || !(now & ENTRY_FRAME))
        return;
    CHECK(!(now & ENTRY_WRITE) || ((r->protection & REGION_WRITE) && !(now & ENTRY_COPY)));
    CHECK(!(now & ENTRY_WRITE) || (now & ENTRY_NO_EXECUTE));
    CHECK(!(now & ENTRY_PRESENT) || r->protection);
    CHECK((now & ENTRY_NO_EXECUTE) || (r->protection & REGION_EXECUTE));
    CHECK(!(now & ENTRY_WRITE) || refs[entry_frame(s, now)] == 1);
}

static u32 had;

static void open_with(u32 held, u32 first)
{
    memory = aligned_alloc(FRAME_SIZE, FRAMES * FRAME_SIZE);
    memset(memory, 0xaa, FRAMES * FRAME_SIZE);
    frames_init(&frames, memory, 0x100000, refs, FRAMES);
    if (held)
        frames_hold(&frames, held, first);
    had = frames.available;
    CHECK_EQ(had, FRAMES - (held ? first : 1));
    memset(model, 0, sizeof model);
    for (u32 i = 0; i < TASKS; i++) {
        CHECK(space_create(&spaces[i], &frames));
        tasks[i] = (struct task){.machine = &spaces[i], .regions = regions[i]};
        for (u32 j = 0; j < REGIONS; j++)
            regions[i][j] = (struct region){.next = j + 1 < REGIONS ? &regions[i][j + 1] : NULL,
                                            .base = bases[j],
                                            .length = BYTES,
                                            .protection = REGION_READ | REGION_WRITE};
    }
}

static void open_all(void)
{
    open_with(0, 0);
}

static void close_all(void)
{
    for (u32 i = 0; i < TASKS; i++)
        space_destroy(&spaces[i]);
    CHECK_EQ(frames.available, had);
    free(memory);
}

static u64 seed, step;

static u32 draw(u32 limit)
{
    return (u32)keyed_below(seed, 1, step++, limit);
}

static void do_write(void)
{
    u32 i = draw(TASKS), j = draw(REGIONS), at = draw(BYTES), len = draw(3 * FRAME_SIZE);
    u8 bytes[3 * FRAME_SIZE];
    bool ok = regions[i][j].protection & REGION_WRITE;

    len = MIN(len, BYTES - at);
    memset(bytes, (int)draw(256), sizeof bytes);
    CHECK_EQ(machine_copy_out(NULL, &tasks[i], bases[j] + at, bytes, len),
             ok || !len ? MACHINE_OK : MACHINE_FAULT);
    if (ok)
        memcpy(model[i][j] + at, bytes, len);
}

static void do_move(bool share)
{
    u32 i = draw(TASKS), j = draw(REGIONS), k = draw(TASKS), l = draw(REGIONS);
    u32 unit = draw(4) ? FRAME_SIZE : 1;
    u32 to = draw(BYTES / unit) * unit, from = draw(BYTES / unit) * unit;
    u32 len = (draw(PAGES * FRAME_SIZE / unit) + 1) * unit;
    bool ok = (regions[i][j].protection & REGION_WRITE) && regions[k][l].protection;
    u64 done = 0;

    len = MIN(len, MIN(BYTES - to, BYTES - from));
    if (i == k && j == l && to < from + len && from < to + len)
        return;
    if (share && regions[i][j].protection & REGION_WRITE)
        done = machine_share(NULL, &tasks[i], bases[j] + to, &tasks[k], bases[l] + from, len);
    CHECK(ok || done == 0);
    CHECK_EQ(machine_copy(NULL, &tasks[i], bases[j] + to + done, &tasks[k],
                          bases[l] + from + done, len - done),
             ok || !(len - done) ? MACHINE_OK : MACHINE_FAULT);
    if (ok)
        memmove(model[i][j] + to, model[k][l] + from, len);
}

static void do_protect(void)
{
    static const u8 choices[] = {REGION_READ | REGION_WRITE, REGION_READ | REGION_WRITE,
                                 REGION_READ, REGION_READ | REGION_EXECUTE, 0};
    u32 i = draw(TASKS), j = draw(REGIONS);

    regions[i][j].protection = choices[draw(ARRAY_SIZE(choices))];
    machine_protect(NULL, &tasks[i], &regions[i][j]);
}

static void do_unmap(void)
{
    u32 i = draw(TASKS), j = draw(REGIONS);

    machine_unmap(NULL, &tasks[i], &regions[i][j]);
    memset(model[i][j], 0, BYTES);
}

static void compare(u32 i, u32 j)
{
    static u8 now[BYTES];

    if (!regions[i][j].protection)
        return;
    CHECK_EQ(machine_copy_in(NULL, &tasks[i], now, bases[j], BYTES), MACHINE_OK);
    CHECK(memcmp(now, model[i][j], BYTES) == 0);
}

static void run_script(bool share)
{
    open_all();
    step = 0;
    for (u32 n = 0; n < 400 && !checks_failed; n++) {
        u32 what = draw(16);

        if (what < 6)
            do_write();
        else if (what < 13)
            do_move(share);
        else if (what < 15)
            do_protect();
        else
            do_unmap();
        compare(draw(TASKS), draw(REGIONS));
    }
    close_all();
}

static void test_random_scripts(void)
{
    u64 scripts = test_length(60, 5000);

    for (seed = 1; seed <= scripts && !checks_failed; seed++) {
        run_script(true);
        run_script(false);
    }
    if (checks_failed)
        printf("seed %llu\n", (unsigned long long)seed - 1);
}

static void test_shared_move_takes_no_frames(void)
{
    u8 byte = 1;
    u32 before;

    open_all();
    for (u32 p = 0; p < PAGES; p++)
        machine_copy_out(NULL, &tasks[0], bases[0] + p * FRAME_SIZE, &byte, 1);
    machine_copy_out(NULL, &tasks[1], bases[0], &byte, 1); /* makes the tables */
    before = frames.available;
    CHECK_EQ(machine_share(NULL, &tasks[1], bases[0], &tasks[0], bases[0], BYTES), BYTES);
    CHECK_EQ(frames.available, before + 1); /* the page that was replaced */
    before = frames.available;
    for (u32 p = 0; p < PAGES; p++) {
        machine_copy_out(NULL, &tasks[p % 2], bases[0] + p * FRAME_SIZE, &byte, 1);
        CHECK_EQ(frames.available, before - p - 1);
    }
    for (u32 p = 0; p < PAGES; p++) /* the other side keeps what is left: no copy */
        machine_copy_out(NULL, &tasks[1 - p % 2], bases[0] + p * FRAME_SIZE, &byte, 1);
    CHECK_EQ(frames.available, before - PAGES);
    close_all();
}

static void test_out_of_frames(void)
{
    u8 byte = 1;
    u32 taken = 0, held[FRAMES];

    open_all();
    while ((held[taken] = frame_alloc(&frames)))
        taken++;
    CHECK_EQ(machine_copy_out(NULL, &tasks[0], bases[0], &byte, 1), MACHINE_MEMORY);
    for (u32 i = 0; i < 4; i++)
        frame_drop(&frames, held[--taken]);
    CHECK_EQ(machine_copy_out(NULL, &tasks[0], bases[0], &byte, 1), MACHINE_OK);
    CHECK_EQ(machine_copy_out(NULL, &tasks[0], bases[0] + FRAME_SIZE, &byte, 1),
             MACHINE_MEMORY);
    while (taken)
        frame_drop(&frames, held[--taken]);
    close_all();
}

/* What the machine holds, such as the bundle, two processes have without a copy (P27): whole pages of
 * it, until one writes; what lies elsewhere, or where a page is already, is copied. */
static void test_held_frames_are_shown(void)
{
    enum { HELD = 4, LEN = 2 * FRAME_SIZE + 100 };
    u8 *module, bytes[LEN], want[LEN];

    open_with(HELD, HELD + 2);
    module = memory + FRAME_SIZE;
    memset(want, 0xaa, LEN);
    for (u32 i = 0; i < 2; i++) {
        CHECK_EQ(machine_load(NULL, &tasks[i], bases[0], module, LEN), MACHINE_OK);
        CHECK_EQ(entry_frame(&spaces[i], *space_entry(&spaces[i], bases[0])), 1);
        CHECK_EQ(entry_frame(&spaces[i], *space_entry(&spaces[i], bases[0] + FRAME_SIZE)), 2);
        CHECK(entry_frame(&spaces[i], *space_entry(&spaces[i], bases[0] + 2 * FRAME_SIZE)) >=
              HELD + 2);
        CHECK_EQ(machine_copy_in(NULL, &tasks[i], bytes, bases[0], LEN), MACHINE_OK);
        CHECK(memcmp(bytes, want, LEN) == 0);
    }
    CHECK_EQ(refs[1], 3);
    CHECK_EQ(machine_copy_out(NULL, &tasks[0], bases[0], "b", 1), MACHINE_OK);
    CHECK(module[0] == 0xaa && refs[1] == 2);
    CHECK_EQ(machine_load(NULL, &tasks[0], bases[0], module, FRAME_SIZE), MACHINE_OK);
    CHECK_EQ(refs[1], 2);
    CHECK_EQ(machine_load(NULL, &tasks[0], bases[1], module + 8, FRAME_SIZE), MACHINE_OK);
    CHECK_EQ(machine_load(NULL, &tasks[1], bases[1], module + 2 * FRAME_SIZE, 2 * FRAME_SIZE),
             MACHINE_OK);
    CHECK_EQ(refs[3], 2);
    CHECK_EQ(entry_frame(&spaces[1], *space_entry(&spaces[1], bases[1])), 3);
    CHECK(entry_frame(&spaces[1], *space_entry(&spaces[1], bases[1] + FRAME_SIZE)) != HELD);
    for (u32 i = 0; i < 2; i++) {
        CHECK_EQ(machine_copy_in(NULL, &tasks[i], bytes, bases[1], FRAME_SIZE), MACHINE_OK);
        CHECK(memcmp(bytes, want, FRAME_SIZE) == 0);
    }
    close_all();
    CHECK(refs[1] == 1 && refs[2] == 1 && refs[3] == 1);
}

static void test_zeroed_ahead(void)
{
    u32 n = 0, f;

    open_all();
    while (frames_idle(&frames))
        n++;
    CHECK_EQ(n, FRAMES_STOCK);
    CHECK_EQ(frames.available, FRAMES - 1 - spaces[0].tables - spaces[1].tables);
    for (n = 0; (f = frame_alloc_zero(&frames)); n++) {
        const u8 *bytes = frame_at(&frames, f);

        for (u32 i = 0; i < FRAME_SIZE; i += 64)
            CHECK(bytes[i] == 0);
    }
    CHECK_EQ(n, FRAMES - 3);
    CHECK_EQ(frames.available, 0);
    free(memory);
}

TESTS(CASE(test_random_scripts), CASE(test_shared_move_takes_no_frames),
      CASE(test_out_of_frames), CASE(test_held_frames_are_shown), CASE(test_zeroed_ahead))

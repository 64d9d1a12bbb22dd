/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pure helpers of base/: byte order, CRC, keyed random numbers, heap, formatting.
 */
#include "base/bytes.h"
#include "base/crc32.h"
#include "base/crc32c.h"
#include "base/format.h"
#include "base/heap.h"
#include "base/keyed.h"
#include "tests/check.h"

static void big_endian(void)
{
    u8 b[8];

    be64_put(b, 0x0102030405060708ull);
    for (u8 i = 0; i < 8; i++)
        CHECK_EQ(b[i], i + 1);
    CHECK_EQ(be16_get(b), 0x0102);
    CHECK_EQ(be32_get(b + 2), 0x03040506);
    CHECK_EQ(be64_get(b), 0x0102030405060708ull);
}

static void crc_of_the_check_string(void)
{
    CHECK_EQ(crc32(0, "123456789", 9), 0xcbf43926u);
    CHECK_EQ(crc32(crc32(0, "1234", 4), "56789", 5), 0xcbf43926u);
}

/* The vectors of RFC 3720, B.4, and the check value of the catalogues. */
static void crc32c_by_table_and_instruction(void)
{
    static const struct {
        u8 first, step;
        u32 len, crc;
    } known[] = {
        {0, 0, 32, 0x8a9136aa},     {0xff, 0, 32, 0x62a8ab43}, {0, 1, 32, 0x46dd794e},
        {31, 0xff, 32, 0x113fdb5c}, {'1', 1, 9, 0xe3069283},
    };
    static u8 bytes[2000];

    for (u32 by = 0; by <= (__builtin_cpu_supports("sse4.2") != 0); by++) {
        for (u32 i = 0; i < ARRAY_SIZE(known); i++) {
            for (u32 k = 0; k < known[i].len; k++)
                bytes[k] = (u8)(known[i].first + k * known[i].step);
            CHECK_EQ(crc32c(by, 0, bytes, known[i].len), known[i].crc);
        }
    }
    for (u32 k = 0; k < sizeof(bytes); k++)
        bytes[k] = (u8)keyed_random(1, 2, k);
    for (u32 len = 0; len < sizeof(bytes) - 7; len++) { /* any length, place and division */
        u32 crc = crc32c(false, 0, bytes + len % 8, len), cut = len / 3;

        CHECK_EQ(crc32c(false, crc32c(false, 0, bytes + len % 8, cut), bytes + len % 8 + cut,
                        len - cut),
                 crc);
        if (__builtin_cpu_supports("sse4.2"))
            CHECK_EQ(crc32c(true, 0, bytes + len % 8, len), crc);
    }
}

static void keyed_draws_do_not_disturb_each_other(void)
{
    u64 hits = 0;

    CHECK_EQ(keyed_random(1, 2, 3), keyed_random(1, 2, 3));
    CHECK(keyed_random(1, 2, 3) != keyed_random(1, 2, 4));
    CHECK(keyed_random(1, 2, 3) != keyed_random(1, 3, 2));
    for (u64 i = 0; i < 100000; i++) {
        CHECK(keyed_below(7, 8, i, 10) < 10);
        hits += keyed_chance(7, 8, i, 1u << 30);
    }
    CHECK(hits > 24500 && hits < 25500);
}

static void formats_as_the_c_library(void)
{
    char ours[80], theirs[80];

#define SAME(...)                                                \
    do {                                                         \
        CHECK_EQ(format(ours, sizeof(ours), __VA_ARGS__),        \
                 snprintf(theirs, sizeof(theirs), __VA_ARGS__)); \
        CHECK(strcmp(ours, theirs) == 0);                        \
    } while (0)
    SAME("%d %5d|%-5d|%05d", -7, 42, 42, -42);
    SAME("%u %x %08X %lx", 7u, 0xbeefu, 0xbeefu, 0x123456789abcul);
    SAME("%s|%10s|%-10s|%.3s|%c%%", "one", "two", "three", "fourfive", 'x');
    SAME("%ld %lu %zu", -9223372036854775807l - 1, ~0ul, (size_t)12);
    SAME("%*d %.*s", 6, 5, 2, "abc");
    SAME("%#x %#lx %#10x|%#-10x|%#010x %#x", 0xbeefu, 0x12345678abcul, 77u, 77u, 77u, 0u);
#undef SAME
    CHECK_EQ(format(ours, 4, "abcdef"), 6);
    CHECK(strcmp(ours, "abc") == 0);
}

/* Random allocations: blocks never overlap, are zeroed, and all bytes come back. */
static void heap_keeps_blocks_apart(void)
{
    enum { SLOTS = 200, SIZE = 1 << 20 };
    static u8 *block[SLOTS];
    static size_t size[SLOTS];
    void *memory = malloc(SIZE), *more = malloc(SIZE / 4);
    struct heap h;

    heap_init(&h, memory, SIZE / 4 * 3);
    for (u64 i = 0; i < 40000; i++) {
        u64 s = keyed_below(1, 1, i, SLOTS);

        if (i == 10000)
            heap_extend(&h, SIZE / 4);
        if (i == 20000)
            heap_add(&h, more, SIZE / 4);
        if (block[s]) {
            for (size_t k = 0; k < size[s]; k++)
                CHECK(block[s][k] == (u8)s);
            heap_free(&h, block[s], size[s]);
            block[s] = NULL;
            continue;
        }
        size[s] = keyed_below(1, 2, i, i % 10 ? 300 : 20000);
        block[s] = heap_alloc(&h, size[s]);
        if (!block[s])
            continue;
        CHECK(heap_cost(size[s]) >= size[s]);
        for (size_t k = 0; k < size[s]; k++)
            CHECK(block[s][k] == 0);
        memset(block[s], (int)s, size[s]);
    }
    for (u64 s = 0; s < SLOTS; s++)
        if (block[s])
            heap_free(&h, block[s], size[s]);
    CHECK_EQ(h.in_use, 0);
    CHECK(heap_alloc(&h, SIZE * 2) == NULL);
    free(memory);
    free(more);
}

/* Memory that was zero when it was given is not touched until its owner does (P27), and is zeroed
 * when it comes back. The bytes here show who wrote. */
static void heap_leaves_new_memory_alone(void)
{
    enum { SIZE = 8192, BLOCK = 1000 };
    static u8 memory[SIZE];
    struct heap h;
    u8 *block;

    for (u32 born_zero = 0; born_zero < 2; born_zero++) {
        memset(memory, 0xaa, SIZE);
        heap_init(&h, memory, SIZE);
        h.born_zero = born_zero;
        block = heap_alloc(&h, BLOCK);
        CHECK_EQ(block[0], born_zero ? 0xaa : 0);
        CHECK_EQ(block[BLOCK - 1], born_zero ? 0xaa : 0);
        heap_free(&h, block, BLOCK);
        CHECK(heap_alloc(&h, BLOCK) == block);
        for (u32 i = 0; i < BLOCK; i++)
            CHECK_EQ(block[i], 0);
        heap_leave(memory, SIZE);
    }
}

/* How many small blocks there are where large ones were. */
static u32 small_for_large(bool cuts, size_t size, size_t large, size_t small)
{
    u8 **block = calloc(size / small, sizeof(*block));
    void *memory = malloc(size);
    struct heap h;
    u32 count = 0, got = 0;

    heap_init(&h, memory, size);
    h.cuts = cuts;
    while ((block[count] = heap_alloc(&h, large)) != NULL)
        count++;
    for (u32 i = 0; i < count; i++)
        heap_free(&h, block[i], large);
    while ((block[got] = heap_alloc(&h, small)) != NULL)
        memset(block[got++], 0xaa, small);
    CHECK_EQ(h.in_use, got * heap_cost(small));
    for (u32 i = 0; i < got; i++)
        heap_free(&h, block[i], small);
    CHECK_EQ(h.in_use, 0);
    free(memory);
    free(block);
    return got;
}

/* All of a heap was large blocks once, which are free again: it can be had as small ones. */
static void heap_cuts_what_is_free(void)
{
    enum { SIZE = 1 << 18, LARGE = 5000, SMALL = 100 };

    CHECK(small_for_large(true, SIZE, LARGE, SMALL) * heap_cost(SMALL) > SIZE / 20 * 17);
    /* One that can be given more leaves large blocks whole. */
    CHECK(small_for_large(false, SIZE, LARGE, SMALL) * heap_cost(SMALL) <= heap_cost(LARGE));
}

TESTS(CASE(big_endian), CASE(crc_of_the_check_string), CASE(crc32c_by_table_and_instruction),
      CASE(keyed_draws_do_not_disturb_each_other), CASE(formats_as_the_c_library),
      CASE(heap_keeps_blocks_apart), CASE(heap_leaves_new_memory_alone),
      CASE(heap_cuts_what_is_free))

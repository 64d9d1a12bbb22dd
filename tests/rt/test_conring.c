/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console's page with a reader and a typist who are slow, across 2^32, and with ones who play
 * games with the indexes (F18): nothing is lost or doubled by the former, nobody waits for the latter
 * and nothing beside the rings is touched.
 */
#include "base/keyed.h"
#include "base/memory.h"
#include "guest/rt/conring.h"
#include "tests/check.h"

enum { ROUNDS = 20000, OUT = 2048, IN = 1024 };

_Static_assert(sizeof(((struct xencons_interface *)0)->out) == OUT, "as io/console.h has it");
_Static_assert(sizeof(((struct xencons_interface *)0)->in) == IN, "as io/console.h has it");

static struct xencons_interface ring;
static char text[OUT + 100];

static void fresh(u32 base)
{
    memset(&ring, 0, sizeof(ring));
    ring.in_cons = ring.in_prod = ring.out_cons = ring.out_prod = base;
}

static char letter(u64 n)
{
    return (char)('a' + n % 23);
}

static void test_all_that_is_said_is_read(void)
{
    u64 said = 0, read = 0;

    fresh(0xfffff000u);
    for (u32 i = 0; i < ROUNDS; i++) {
        size_t len = keyed_below(1, i, 0, sizeof(text)), done;
        u32 most = (u32)keyed_below(1, i, 1, OUT + 1);

        for (size_t k = 0; k < len; k++)
            text[k] = letter(said + k);
        done = conring_put(&ring, text, len);
        CHECK_EQ(done, MIN(len, (size_t)(OUT - (said - read))));
        said += done;
        CHECK_EQ(conring_full(&ring), said - read == OUT);
        for (; most && ring.out_cons != ring.out_prod; most--)
            CHECK_EQ(ring.out[ring.out_cons++ % OUT], letter(read++));
    }
    CHECK(said > 0x1000 && said - read <= OUT && ring.out_prod < 0xfffff000u);
}

static void test_all_that_is_typed_is_taken(void)
{
    u64 typed = 0, taken = 0;

    fresh(0xfffff000u);
    for (u32 i = 0; i < ROUNDS; i++) {
        u32 most = (u32)keyed_below(2, i, 0, IN + 1);
        size_t room = keyed_below(2, i, 1, sizeof(text)), got;

        for (; most && typed - taken < IN; most--)
            ring.in[ring.in_prod++ % IN] = letter(typed++);
        got = conring_take(&ring, text, room);
        CHECK_EQ(got, MIN(room, (size_t)(typed - taken)));
        for (size_t k = 0; k < got; k++)
            CHECK_EQ(text[k], letter(taken++));
    }
    CHECK(typed > 0x1000 && ring.in_cons < 0xfffff000u);
}

/* One that has read what was never said, or typed more than there is room for. */
static void test_impossible_indexes(void)
{
    static const u32 jumps[] = {1, 100, 0x7fffffff, 0x80000000u, 0xfffff000u};
    struct xencons_interface before;

    for (u32 i = 0; i < ARRAY_SIZE(jumps); i++) {
        fresh(5);
        ring.out_cons += jumps[i];
        if (jumps[i] == 0xfffff000u) /* as if 4,096 bytes waited to be read */
            CHECK(ring.out_prod - ring.out_cons > OUT);
        ring.in_prod -= jumps[i];
        before = ring;
        CHECK_EQ(conring_put(&ring, text, 50), 50);
        CHECK_EQ(conring_take(&ring, text, sizeof(text)), 0);
        CHECK(!conring_full(&ring));
        CHECK(memcmp(&ring, &before, sizeof(ring)) == 0);
    }
    fresh(0);
    ring.in_prod = IN + 1;
    CHECK_EQ(conring_take(&ring, text, sizeof(text)), 0);
    ring.in_prod = IN;
    CHECK_EQ(conring_take(&ring, text, sizeof(text)), IN);
    ring.out_cons = (u32)-OUT - 1;
    CHECK_EQ(conring_put(&ring, text, 50), 50);
    CHECK_EQ(ring.out_prod, 0);
    ring.out_cons = (u32)-OUT;
    CHECK(conring_full(&ring));
    CHECK_EQ(conring_put(&ring, text, 50), 0);
}

TESTS(CASE(test_all_that_is_said_is_read), CASE(test_all_that_is_typed_is_taken),
      CASE(test_impossible_indexes))

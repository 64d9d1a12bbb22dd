/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image of an x86-64 thread's registers, as it arrives with a process or by CONTROL_SET:
 * what a process may have comes back as it was, the rest is cut or refused, and upper halves
 * are never dropped by a machine that has none (L07).
 */
#include "guest/machine/registers.h"
#include "tests/check.h"

enum { FLAGS_AT = 16 + 8 * R_RFLAGS, RIP_AT = 16 + 8 * R_RIP, FLOAT_AT = 16 + 8 * REGISTERS };

static u8 image[REGISTERS_IMAGE];

/* Every register another, all that is a process's own. */
static struct registers filled(void)
{
    struct registers r;

    registers_init(&r);
    for (u32 i = 0; i < REGISTERS; i++)
        if (i != R_RFLAGS)
            r.r[i] = 0x1000 + i;
    for (u32 i = 32; i < FLOAT_LEGACY - 96; i++)
        r.fp[i] = (u8)i;
    return r;
}

static void test_there_and_back(void)
{
    struct registers r = filled(), back;

    for (u32 i = 0; i < FLOAT_UPPER; i++)
        r.fp[FLOAT_LEGACY + i] = (u8)(i + 1);
    registers_encode(&r, image);
    CHECK(registers_decode(&back, image, sizeof image, true));
    CHECK(memcmp(&r, &back, sizeof r) == 0);
}

static void test_upper_halves(void)
{
    struct registers r = filled(), back;

    registers_encode(&r, image);
    CHECK(registers_decode(&back, image, sizeof image, false));
    CHECK(memcmp(&r, &back, sizeof r) == 0);
    for (u32 i = 0; i < FLOAT_UPPER; i++) {
        image[FLOAT_AT + FLOAT_LEGACY + i] = 0x80;
        CHECK(!registers_decode(&back, image, sizeof image, false));
        CHECK(registers_decode(&back, image, sizeof image, true));
        CHECK_EQ(back.fp[FLOAT_LEGACY + i], 0x80);
        image[FLOAT_AT + FLOAT_LEGACY + i] = 0;
    }
}

static void test_hostile_images(void)
{
    struct registers r = filled(), back;

    registers_encode(&r, image);
    CHECK(!registers_decode(&back, image, sizeof image - 1, true));
    for (u32 at = 0; at < 16; at++) { /* kind and version */
        image[at] ^= 1;
        CHECK(!registers_decode(&back, image, sizeof image, true));
        image[at] ^= 1;
    }
    memset(image + FLAGS_AT, 0xff, 8); /* IOPL, NT, VM are not a process's */
    CHECK(registers_decode(&back, image, sizeof image, true));
    CHECK_EQ(back.r[R_RFLAGS], 0x240fd7);
    image[RIP_AT] = 0x80;
    CHECK(!registers_decode(&back, image, sizeof image, true));
}

TESTS(CASE(test_there_and_back), CASE(test_upper_halves), CASE(test_hostile_images))

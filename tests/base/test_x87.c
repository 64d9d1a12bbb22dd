/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * H23: x87 state loaded by way of base/x87.h is the state that was saved: every stack top with
 * every condition code, with and without exceptions recorded; and the image is left as it was.
 */
#include "base/x87.h"
#include "base/memory.h"
#include "tests/check.h"

enum { IMAGE = 512, TAGS_AT = 4, CONTROL = 0x37f, STEP = 0x100 };

static _Alignas(16) u8 image[IMAGE], before[IMAGE], after[IMAGE], mine[IMAGE];

static void set_status(u16 status)
{
    memcpy(image, before, IMAGE);
    memcpy(image, &(u16){CONTROL}, 2);
    memcpy(image + X87_STATUS_AT, &status, 2);
    image[TAGS_AT] = (u8)(status >> 8);
}

/* The processor's own state is put aside: the checks' printing may use it. */
static bool load(void)
{
    bool shielded = x87_shield(image);

    __asm__ volatile("fxsave64 (%0); fxrstor64 (%1)" ::"r"(mine), "r"(image) : "memory");
    if (shielded)
        x87_loaded(image);
    __asm__ volatile("fxsave64 (%0); fxrstor64 (%1)" ::"r"(after), "r"(mine) : "memory");
    return shielded;
}

static void check_status(u16 status, bool shielded)
{
    u8 given[IMAGE];

    set_status(status);
    memcpy(given, image, IMAGE);
    CHECK_EQ(load(), shielded);
    CHECK_EQ(memcmp(image, given, IMAGE), 0);
    CHECK_EQ(memcmp(after, given, 8), 0);
}

static void loads(void)
{
    __asm__ volatile("fxsave64 (%0)" ::"r"(before) : "memory");
    for (u32 high = 0; high < 0x80; high++) {
        check_status((u16)(high * STEP), true);
        for (u32 exception = 1; exception < X87_SUMMARY; exception <<= 1)
            check_status((u16)(high * STEP | exception), false);
    }
}

TESTS(CASE(loads))

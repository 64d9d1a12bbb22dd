/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image's form, and what of it a process may choose for itself.
 */
#include "guest/machine/registers.h"
#include "base/bytes.h"
#include "base/memory.h"

enum { KIND_X86_64 = 0x78383664, VERSION = 1, FCW_AT = 0, MXCSR_AT = 24, MXCSR_MASK_AT = 28 };
#define FLAGS_ALWAYS 0x202u    /* IF and the bit that is always one */
#define FLAGS_USER   0x240dd5u /* CF PF AF ZF SF TF DF OF AC ID */
#define FCW_START    0x037fu
#define MXCSR_START  0x1f80u
#define MXCSR_USER   0xffffu
#define CANONICAL    0x0000800000000000ull /* processes live below */

static void put32(u8 *at, u32 value)
{
    for (u32 i = 0; i < 4; i++)
        at[i] = (u8)(value >> 8 * i);
}

static u32 get32(const u8 *at)
{
    return (u32)at[0] | (u32)at[1] << 8 | (u32)at[2] << 16 | (u32)at[3] << 24;
}

void registers_init(struct registers *r)
{
    memset(r, 0, sizeof *r);
    r->r[R_RFLAGS] = FLAGS_ALWAYS;
    r->fp[FCW_AT] = FCW_START & 0xff;
    r->fp[FCW_AT + 1] = FCW_START >> 8;
    put32(r->fp + MXCSR_AT, MXCSR_START);
}

void registers_encode(const struct registers *r, u8 image[REGISTERS_IMAGE])
{
    be64_put(image, KIND_X86_64);
    be64_put(image + 8, VERSION);
    for (u32 i = 0; i < REGISTERS; i++)
        be64_put(image + 16 + 8 * i, r->r[i]);
    memcpy(image + 16 + 8 * REGISTERS, r->fp, FLOAT_BYTES);
    put32(image + 16 + 8 * REGISTERS + MXCSR_MASK_AT, 0); /* the processor's, not ours */
}

static bool all_zero(const u8 *bytes, u32 len)
{
    u8 any = 0;

    for (u32 i = 0; i < len; i++)
        any |= bytes[i];
    return !any;
}

bool registers_decode(struct registers *r, const void *image, size_t len, bool has_upper)
{
    const u8 *bytes = image;

    if (len != REGISTERS_IMAGE || be64_get(bytes) != KIND_X86_64 ||
        be64_get(bytes + 8) != VERSION)
        return false;
    for (u32 i = 0; i < REGISTERS; i++)
        r->r[i] = be64_get(bytes + 16 + 8 * i);
    if (r->r[R_RIP] >= CANONICAL || r->r[R_FS_BASE] >= CANONICAL ||
        r->r[R_GS_BASE] >= CANONICAL)
        return false;
    r->r[R_RFLAGS] = (r->r[R_RFLAGS] & FLAGS_USER) | FLAGS_ALWAYS;
    memcpy(r->fp, bytes + 16 + 8 * REGISTERS, FLOAT_BYTES);
    put32(r->fp + MXCSR_AT, get32(r->fp + MXCSR_AT) & MXCSR_USER);
    memset(r->fp + FLOAT_LEGACY - 96, 0, 96); /* reserved and software's */
    return has_upper || all_zero(r->fp + FLOAT_LEGACY, FLOAT_UPPER);
}

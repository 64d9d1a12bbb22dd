/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of pcapng (draft-ietf-opsawg-pcapng): section header, interface description,
 * enhanced packet; little-endian always, so that equal runs give equal files.
 */
#include "base/memory.h"
#include "net/fabric/capture.h"

#define BLOCK_SECTION   0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET    6u
#define BYTE_ORDER_MARK 0x1a2b3c4du

enum { OPTION_COMMENT = 1, OPTION_NAME = 2, OPTION_DESCRIPTION = 3, OPTION_TSRESOL = 9 };
enum { LINKTYPE_ETHERNET = 1 };

static void set32(u8 *at, u32 value)
{
    for (u32 i = 0; i < 4; i++)
        at[i] = (u8)(value >> (8 * i));
}

static void put32(struct capture *c, u32 value)
{
    set32(c->block + c->len, value);
    c->len += 4;
}

static void put_bytes(struct capture *c, const void *bytes, u32 len)
{
    memcpy(c->block + c->len, bytes, len);
    c->len += len;
    while (c->len % 4)
        c->block[c->len++] = 0;
}

static void option(struct capture *c, u32 code, const void *value, u32 len)
{
    put32(c, code | len << 16);
    put_bytes(c, value, len);
}

static void begin(struct capture *c, u32 type)
{
    c->len = 0;
    put32(c, type);
    put32(c, 0); /* the length, when it is known */
}

static void end(struct capture *c)
{
    put32(c, c->len + 4);
    set32(c->block + 4, c->len);
    capture_up_bytes(c, c->block, c->len);
}

void capture_init(struct capture *c, void *owner)
{
    memset(c, 0, sizeof(*c));
    c->owner = owner;
    begin(c, BLOCK_SECTION);
    put32(c, BYTE_ORDER_MARK);
    put32(c, 1);           /* version 1.0 */
    put32(c, 0xffffffffu); /* section length unknown */
    put32(c, 0xffffffffu);
    end(c);
}

u32 capture_interface(struct capture *c, const char *name, const char *description)
{
    const u8 nanoseconds = 9;

    capture_flush(c);
    begin(c, BLOCK_INTERFACE);
    put32(c, LINKTYPE_ETHERNET);
    put32(c, 0); /* no limit on captured length */
    option(c, OPTION_NAME, name, (u32)strnlen(name, 64));
    option(c, OPTION_DESCRIPTION, description, (u32)strnlen(description, 64));
    option(c, OPTION_TSRESOL, &nanoseconds, 1);
    put32(c, 0); /* end of options */
    end(c);
    return c->interfaces++;
}

void capture_frame(struct capture *c, u32 interface, u64 ns, const void *frame, size_t len)
{
    u32 kept = (u32)MIN(len, (size_t)CAPTURE_FRAME);

    capture_flush(c);
    begin(c, BLOCK_PACKET);
    put32(c, interface);
    put32(c, (u32)(ns >> 32));
    put32(c, (u32)ns);
    put32(c, kept);
    put32(c, (u32)len);
    put_bytes(c, frame, kept);
    c->open = true;
    c->comments = false;
}

void capture_comment(struct capture *c, const char *text)
{
    u32 len = (u32)strnlen(text, 256);

    if (!c->open || c->len + len + 16 > sizeof(c->block))
        return;
    option(c, OPTION_COMMENT, text, len);
    c->comments = true;
}

void capture_flush(struct capture *c)
{
    if (!c->open)
        return;
    c->open = false;
    if (c->comments)
        put32(c, 0); /* end of options */
    end(c);
    c->frames++;
}

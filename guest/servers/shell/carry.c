/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that are carried over the console, for somebody who speaks to it from outside the
 * cluster: bytes as hexadecimal digits, and a CRC-32 of all of them at the end.
 */
#include "base/crc32.h"
#include "guest/lib/file.h"
#include "guest/servers/shell/shell.h"

enum { PER_LINE = 96 };

static u8 piece[16384];

static s64 digit(u8 c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of the next two digits, wherever a line ends between them; or an error. */
static s64 typed(void)
{
    s64 high, low;
    u8 c;

    do
        c = shell_byte();
    while (c == '\n' || c == '\r');
    high = digit(c);
    low = high < 0 ? -1 : digit(shell_byte());
    return low < 0 ? DEMOS_E_ARGUMENT : high << 4 | low;
}

/* `len` bytes from the console into the file; their CRC. */
static s64 receive(s64 file, u64 len, u32 *crc)
{
    for (u64 at = 0, got; at < len; at += got) {
        s64 put;

        for (got = 0; got < sizeof piece && at + got < len; got++) {
            s64 byte = typed();

            if (byte < 0)
                return byte;
            piece[got] = (u8)byte;
        }
        *crc = crc32(*crc, piece, (size_t)got);
        put = file_write(file, at, piece, (size_t)got);
        if (put != (s64)got)
            return put < 0 ? put : DEMOS_E_AREA;
    }
    return 0;
}

static u64 number(const char *word)
{
    u64 n = 0;

    for (; *word >= '0' && *word <= '9' && n <= 1u << 30; word++)
        n = 10 * n + (u64)(*word - '0');
    return n;
}

s64 carry_take(char **words, u32 count)
{
    s64 file, result;
    u32 crc = 0;

    if (count != 3)
        return complain("take FILE BYTES", DEMOS_E_ARGUMENT);
    file = file_open(demos_link("files"), words[1], FILE_WRITES | FILE_CREATES | FILE_CUTS);
    if (file < 0)
        return complain(words[1], file);
    demos_print("taking\n");
    demos_flush();
    result = receive(file, number(words[2]), &crc);
    demos_link_drop(file);
    if (result < 0)
        return complain("take", result);
    demos_print("taken %08x\n", crc);
    return 0;
}

static void show(const u8 *bytes, u64 len)
{
    static const char digits[] = "0123456789abcdef";
    char line[2 * PER_LINE + 1];

    for (u64 at = 0; at < len; at += PER_LINE) {
        u32 i;

        for (i = 0; i < PER_LINE && at + i < len; i++) {
            line[2 * i] = digits[bytes[at + i] >> 4];
            line[2 * i + 1] = digits[bytes[at + i] & 15];
        }
        line[2 * i] = '\0';
        demos_print("%s\n", line);
    }
}

s64 carry_give(char **words, u32 count)
{
    s64 file, got;
    u32 crc = 0;

    if (count != 2)
        return complain("give FILE", DEMOS_E_ARGUMENT);
    file = file_open(demos_link("files"), words[1], FILE_READS);
    if (file < 0)
        return complain(words[1], file);
    demos_print("giving\n");
    for (u64 at = 0; (got = file_read(file, at, piece, sizeof piece)) > 0; at += (u64)got) {
        crc = crc32(crc, piece, (size_t)got);
        show(piece, (u64)got);
    }
    demos_link_drop(file);
    if (got < 0)
        return complain("give", got);
    demos_print("given %08x\n", crc);
    return 0;
}

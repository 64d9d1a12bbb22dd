/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that are carried over the console, for somebody who speaks to it from outside the
 * cluster: bytes as hexadecimal digits, and a CRC-32 of all of them. What comes has another
 * name until it is whole.
 */
#include "base/crc32.h"
#include "base/format.h"
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

/* Into `piece`; fewer than `len` when something was typed that is no digit. */
static u64 typed_piece(u64 len)
{
    for (u64 got = 0; got < len; got++) {
        s64 byte = typed();

        if (byte < 0)
            return got;
        piece[got] = (u8)byte;
    }
    return len;
}

/* `len` bytes from the console into the file; true if they came whole, and are there. When they
 * cannot be written that is said at once, and what is on its way is no line for the shell yet. */
static bool receive(s64 file, u64 len, u32 *crc)
{
    bool wrong = false;

    for (u64 at = 0, want; at < len; at += want) {
        s64 put;

        want = MIN(len - at, (u64)sizeof piece);
        if (typed_piece(want) < want)
            return false;
        if (wrong)
            continue;
        *crc = crc32(*crc, piece, (size_t)want);
        put = file_write(file, at, piece, (size_t)want);
        wrong = put != (s64)want;
        if (wrong) {
            complain("take", put < 0 ? put : DEMOS_E_AREA);
            demos_flush();
        }
    }
    return !wrong;
}

static u64 number(const char *word)
{
    u64 n = 0;

    for (; *word >= '0' && *word <= '9' && n <= 1u << 30; word++)
        n = 10 * n + (u64)(*word - '0');
    return n;
}

/* Eight digits; ~0 for what is none, which no CRC is. */
static u64 crc_in(const char *word)
{
    u64 crc = 0;

    for (u32 i = 0; i < 8; i++) {
        s64 d = digit((u8)word[i]);

        if (d < 0)
            return ~(u64)0;
        crc = crc << 4 | (u64)d;
    }
    return word[8] ? ~(u64)0 : crc;
}

s64 carry_take(char **words, u32 count)
{
    char part[FILE_PATH_MAX + 1];
    s64 files = demos_link("files"), file, result;
    u32 crc = 0;
    bool whole;

    if (count != 4)
        return complain("take FILE BYTES CRC", DEMOS_E_ARGUMENT);
    if (strlen(words[1]) >= FILE_PATH_MAX)
        return complain(words[1], DEMOS_E_ARGUMENT);
    format(part, sizeof part, "%s~", words[1]);
    file = file_open(files, part, FILE_WRITES | FILE_CREATES | FILE_CUTS);
    if (file < 0)
        return complain(words[1], file);
    demos_print("taking\n");
    demos_flush();
    whole = receive(file, number(words[2]), &crc) && crc == crc_in(words[3]);
    demos_link_drop(file);
    result = whole ? file_rename(files, part, words[1]) : DEMOS_E_ARGUMENT;
    if (result < 0) {
        file_path_op(files, FILE_REMOVE, part);
        complain("take", whole ? result : 0);
        demos_print("not taken\n");
        return result;
    }
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

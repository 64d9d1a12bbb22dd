/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shell's line as it is typed: what keys do, and that a terminal shows what the line is,
 * cursor and all, whatever is typed.
 */
#include "base/keyed.h"
#include "base/memory.h"
#include "guest/servers/shell/line.h"
#include "tests/check.h"

enum { WIDE = 2048 };
#define PROMPT "demos> "

/* A terminal of one endless row. */
static struct {
    char row[WIDE];
    u32 at, rows;
} screen;

static struct line line;

static void clear(void)
{
    memset(&screen, 0, sizeof screen);
    memset(screen.row, ' ', WIDE);
    memcpy(screen.row, PROMPT, strlen(PROMPT));
    screen.at = (u32)strlen(PROMPT);
}

static const char *control(const char *from)
{
    u32 n = 0;

    CHECK_EQ(*from, '[');
    for (from++; *from >= '0' && *from <= '9'; from++)
        n = n * 10 + (u32)(*from - '0');
    if (*from == 'K')
        memset(screen.row + screen.at, ' ', WIDE - screen.at);
    else if (*from == 'D')
        screen.at -= n;
    else
        CHECK(false);
    return from;
}

static void show(void)
{
    char text[LINE_ECHO + 1];

    memcpy(text, line.echo, line.echoed);
    text[line.echoed] = '\0';
    for (const char *c = text; *c; c++) {
        if (*c == '\r')
            screen.at = 0;
        else if (*c == '\n')
            screen.rows++;
        else if (*c == 27)
            c = control(c + 1);
        else
            screen.row[screen.at++] = *c;
    }
}

static bool type(const char *keys)
{
    bool whole = false;

    for (; *keys; keys++) {
        whole = line_key(&line, (u8)*keys);
        show();
    }
    return whole;
}

static void begin(void)
{
    line_init(&line, PROMPT);
    line_next(&line);
    clear();
    type("\x1e");
}

static void same(const char *text)
{
    CHECK(strcmp(line.text, text) == 0);
}

static void test_keys(void)
{
    begin();
    type("helo\x1b[Dl");
    same("hello");
    type("\x01say \x05 you\x17me");
    same("say hello me");
    type("\x1b[H\x1b[3~S\x1b[F!\x1b[D\x1b[D\x7f\x1bOFx");
    same("Say hello e!x");
    type("\x15\x15gone");
    same("gone");
    type("\x02\x02\x0b");
    same("go");
    type("\x1b[1;5C\x1b[200~\x1bx");
    same("go");
    CHECK(type("\n"));
    CHECK_EQ(screen.rows, 1);
}

static void next(void)
{
    line_next(&line);
    clear();
}

static void test_history(void)
{
    char name[] = "line 00";

    begin();
    for (u32 i = 0; i < 40; i++) {
        name[5] = (char)('0' + i / 10);
        name[6] = (char)('0' + i % 10);
        CHECK(type(name) == false && type("\r"));
        next();
    }
    CHECK(type("line 39\n")); /* the same again is kept once */
    next();
    type("\x1b[A");
    same("line 39");
    type("\x1b[A\x10");
    same("line 37");
    type("\x1b[B!");
    same("line 38!");
    for (u32 i = 0; i < 40; i++)
        type("\x1b[A");
    same("line 08"); /* the last 32 */
    for (u32 i = 0; i < 40; i++)
        type("\x1b[B");
    same("");
    CHECK(type("\n"));
}

/* Without a terminal that wants it nothing is echoed, and escapes are what they were. */
static void test_plain(void)
{
    line_init(&line, PROMPT);
    line_next(&line);
    for (const char *c = "ab\b\x1b[Ac"; *c; c++) {
        CHECK(!line_key(&line, (u8)*c));
        CHECK_EQ(line.echoed, 0);
    }
    same("a[Ac");
    CHECK(line_key(&line, '\n'));
}

static void test_too_long(void)
{
    begin();
    for (u32 i = 0; i < 2 * LINE_MAX; i++)
        type("x");
    CHECK_EQ(line.len, LINE_MAX - 1);
    type("\x01y");
    CHECK_EQ(line.text[0], 'x');
    type("\x04y");
    CHECK_EQ(line.text[0], 'y');
    CHECK_EQ(strlen(line.text), LINE_MAX - 1);
}

/* Any keys: what is shown is what is there. */
static void test_anything(void)
{
    static const char keys[] =
        "abcdefg  \x1b\x1b\x1b[[[OABCDHF~1348;\x7f\b\x01\x02\x04\x05\x06\x0b\x0c"
        "\x0e\x1e\x10\x15\x17\n\xff";
    u64 draws = test_length(200000, 5000000);

    begin();
    for (u64 i = 0; i < draws && !checks_failed; i++) {
        char key[2] = {keys[keyed_below(7, 1, i, sizeof keys - 1)], 0};

        if (type(key)) {
            next();
            continue;
        }
        CHECK(line.len < LINE_MAX && line.at <= line.len && !line.text[line.len]);
        CHECK_EQ(strlen(line.text), line.len);
        CHECK_EQ(screen.at, strlen(PROMPT) + line.at);
        CHECK(memcmp(screen.row, PROMPT, strlen(PROMPT)) == 0);
        CHECK(memcmp(screen.row + strlen(PROMPT), line.text, line.len) == 0);
        for (u32 at = (u32)strlen(PROMPT) + line.len; at < WIDE; at++)
            CHECK_EQ(screen.row[at], ' ');
    }
}

TESTS(CASE(test_keys), CASE(test_history), CASE(test_plain), CASE(test_too_long),
      CASE(test_anything))

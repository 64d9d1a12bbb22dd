/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Editing a line (line.h). Keys are those of terminals since the VT100 (ECMA-48 for what they
 * send), and the control characters of Emacs.
 */
#include "guest/servers/shell/line.h"
#include "base/format.h"
#include "base/memory.h"

enum { ESCAPE = 27, DELETE = 127 };
#define CONTROL(letter) ((letter)-64)

static void show(struct line *l, const char *text, u32 len)
{
    len = MIN(len, (u32)LINE_ECHO - l->echoed);
    memcpy(l->echo + l->echoed, text, len);
    l->echoed += len;
}

/* All of it again, with the cursor where it is. */
static void draw(struct line *l)
{
    char back[16];

    show(l, "\r", 1);
    show(l, l->prompt, (u32)strlen(l->prompt));
    show(l, l->text, l->len);
    show(l, "\x1b[K", 3);
    if (l->at < l->len)
        show(l, back, (u32)format(back, sizeof back, "\x1b[%uD", l->len - l->at));
}

static void insert(struct line *l, u8 key)
{
    if (l->len == LINE_MAX - 1)
        return;
    memmove(l->text + l->at + 1, l->text + l->at, l->len - l->at);
    l->text[l->at++] = (char)key;
    l->len++;
    if (!l->edits)
        return;
    if (l->at == l->len)
        show(l, (const char *)&key, 1);
    else
        draw(l);
}

/* Takes [from, to) out; the cursor is where it was. */
static void cut(struct line *l, u32 from, u32 to)
{
    memmove(l->text + from, l->text + to, l->len - to);
    l->len -= to - from;
    l->at = from;
}

static u32 word_start(const struct line *l)
{
    u32 at = l->at;

    while (at && l->text[at - 1] == ' ')
        at--;
    while (at && l->text[at - 1] != ' ')
        at--;
    return at;
}

/* An earlier line, or (-1) a later one; behind the last an empty one. */
static void recall(struct line *l, s32 step)
{
    u32 most = MIN(l->kept, (u32)LINE_HISTORY);

    if ((step < 0 && !l->back) || (step > 0 && l->back == most))
        return;
    l->back += (u32)step;
    memset(l->text, 0, sizeof l->text);
    if (l->back)
        memcpy(l->text, l->history[(l->kept - l->back) % LINE_HISTORY], LINE_MAX);
    l->len = l->at = (u32)strlen(l->text);
}

static void keep(struct line *l)
{
    const char *last = l->history[(l->kept + LINE_HISTORY - 1) % LINE_HISTORY];

    if (!l->len || (l->kept && strcmp(last, l->text) == 0))
        return;
    memcpy(l->history[l->kept++ % LINE_HISTORY], l->text, LINE_MAX);
}

/* A key that edits; true: the line is to be drawn again. */
static bool edit(struct line *l, u8 key)
{
    switch (key) {
    case CONTROL('A'): l->at = 0; break;
    case CONTROL('B'): l->at -= l->at > 0; break;
    case CONTROL('C'): cut(l, 0, l->len); break;
    case CONTROL('D'): cut(l, l->at, MIN(l->at + 1, l->len)); break;
    case CONTROL('E'): l->at = l->len; break;
    case CONTROL('F'): l->at += l->at < l->len; break;
    case CONTROL('H'):
    case DELETE: cut(l, l->at - (l->at > 0), l->at); break;
    case CONTROL('K'): cut(l, l->at, l->len); break;
    case CONTROL('L'): break;
    case CONTROL('N'): recall(l, -1); break;
    case CONTROL('P'): recall(l, 1); break;
    case CONTROL('U'): cut(l, 0, l->at); break;
    case CONTROL('W'): cut(l, word_start(l), l->at); break;
    default: return false;
    }
    return true;
}

/* What a key that sends a sequence does, as a control character; 0: nothing. */
static u8 meaning(char last, bool number)
{
    static const char letters[] = "ABCDHF", controls[] = "PNFBAE";
    static const char numbers[] = "13478", number_controls[] = "ADEAE";
    const char *in = number ? numbers : letters, *found = last ? strchr(in, last) : NULL;

    return found ? (u8)CONTROL((number ? number_controls : controls)[found - in]) : 0;
}

/* ESC [ or ESC O, then a letter; or numbers and `~`. The key that it stands for once it is
 * whole; 0: not yet, or none. */
static u8 sequence(struct line *l, u8 key)
{
    bool number = (key >= '0' && key <= '9') || key == ';';
    u8 step = l->escaped, first = l->number;

    l->escaped = step == 1 && (key == '[' || key == 'O') ? 2 : step > 1 && number ? 3 : 0;
    l->number = step == 2 ? key : 0; /* one of several numbers means nothing to us */
    if (l->escaped || step == 1)
        return 0;
    return step == 2 ? meaning((char)key, false) : key == '~' ? meaning((char)first, true) : 0;
}

static void mode(struct line *l, bool edits)
{
    l->edits = edits;
    if (edits)
        draw(l);
}

void line_init(struct line *l, const char *prompt)
{
    memset(l, 0, sizeof *l);
    l->prompt = prompt;
}

void line_next(struct line *l)
{
    memset(l->text, 0, sizeof l->text);
    l->len = l->at = l->back = l->escaped = 0;
}

bool line_key(struct line *l, u8 key)
{
    l->echoed = 0;
    if (l->edits && l->escaped)
        key = sequence(l, key);
    else if (l->edits && key == ESCAPE)
        l->escaped = 1, key = 0;
    if (key == '\n' || key == '\r') {
        if (l->edits) {
            show(l, "\n", 1);
            keep(l);
        }
        return true;
    }
    if (key == LINE_EDITS || key == LINE_PLAIN) {
        mode(l, key == LINE_EDITS);
    } else if (key >= ' ' && key != DELETE) {
        insert(l, key);
    } else if (l->edits || key == CONTROL('H') || key == DELETE) {
        if (edit(l, key) && l->edits)
            draw(l);
    }
    l->text[l->len] = '\0';
    return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/json.h"

enum { TAIL = 32 }; /* room kept for what closes the line */

static void put(struct json *j, const char *text, size_t len)
{
    if (j->len + len > j->room) {
        j->cut = true;
        return;
    }
    memcpy(j->buf + j->len, text, len);
    j->len += len;
}

static void put_escaped(struct json *j, const char *text, size_t len)
{
    char code[8];

    put(j, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        u8 c = (u8)text[i];

        if (c == '"' || c == '\\')
            put(j, code, format(code, sizeof(code), "\\%c", c));
        else if (c < 0x20 || c >= 0x7f)
            put(j, code, format(code, sizeof(code), "\\u%04x", c));
        else
            put(j, text + i, 1);
    }
    put(j, "\"", 1);
}

static void put_key(struct json *j, const char *key)
{
    if (j->comma)
        put(j, ",", 1);
    j->comma = true;
    put_escaped(j, key, strlen(key));
    put(j, ":", 1);
}

void json_begin(struct json *j, char *buf, size_t room)
{
    *j = (struct json){.buf = buf, .room = room - TAIL};
    put(j, "{", 1);
}

/* Takes a member back that did not fit as a whole. */
static void settle(struct json *j, size_t from, bool comma, bool was_cut)
{
    if (j->cut && !was_cut) {
        j->len = from;
        j->comma = comma;
    }
}

void json_bytes(struct json *j, const char *key, const char *value, size_t len)
{
    size_t from = j->len;
    bool comma = j->comma, cut = j->cut;

    if (cut)
        return;
    put_key(j, key);
    put_escaped(j, value, len);
    settle(j, from, comma, cut);
}

void json_text(struct json *j, const char *key, const char *value)
{
    json_bytes(j, key, value, strlen(value));
}

static void json_plain(struct json *j, const char *key, const char *value)
{
    size_t from = j->len;
    bool comma = j->comma, cut = j->cut;

    if (cut)
        return;
    put_key(j, key);
    put(j, value, strlen(value));
    settle(j, from, comma, cut);
}

void json_number(struct json *j, const char *key, u64 value)
{
    char text[24];

    format(text, sizeof(text), "%lu", value);
    json_plain(j, key, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
    json_plain(j, key, value ? "true" : "false");
}

void json_open(struct json *j, const char *key)
{
    j->cut = j->len + strlen(key) + 8 > j->room;
    if (j->cut)
        return;
    put_key(j, key);
    put(j, "[", 1);
    j->comma = false;
    j->in_array = true;
}

/* An item that has no room at all is left out: its members then are, too. */
void json_item(struct json *j)
{
    if (j->cut)
        return;
    if (j->len + 256 > j->room) {
        j->cut = true;
        return;
    }
    put(j, j->comma ? ",{" : "{", j->comma ? 2 : 1);
    j->comma = false;
    j->in_item = true;
}

void json_item_end(struct json *j)
{
    if (!j->in_item)
        return;
    j->buf[j->len++] = '}';
    j->comma = true;
    j->in_item = false;
}

void json_close(struct json *j)
{
    if (!j->in_array)
        return;
    j->buf[j->len++] = ']';
    j->comma = true;
    j->in_array = false;
}

size_t json_end(struct json *j)
{
    static const char cut[] = ",\"cut\":true";

    if (j->cut) {
        memcpy(j->buf + j->len, cut, sizeof(cut) - 1);
        j->len += sizeof(cut) - 1;
    }
    j->buf[j->len++] = '}';
    j->buf[j->len++] = '\n';
    return j->len;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cpio "newc" reader and the boot list's line splitter. Header: the magic 070701 and
 * thirteen numbers of eight hexadecimal digits; then the name and the data, each padded
 * to four bytes. See cpio(5).
 */
#include "guest/machine/bundle.h"
#include "base/memory.h"

enum { HEADER = 110, FIELD_MODE = 14, FIELD_SIZE = 54, FIELD_NAME_SIZE = 94 };
enum { MODE_TYPE = 0170000, MODE_REGULAR = 0100000 };

static bool hex8(const u8 *digits, u32 *value)
{
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        u8 c = digits[i] | 0x20;

        if (digits[i] >= '0' && digits[i] <= '9')
            *value = *value << 4 | (u32)(digits[i] - '0');
        else if (c >= 'a' && c <= 'f')
            *value = *value << 4 | (u32)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* Reads the member at `at`, whatever its type. */
static bool member(const struct bundle *b, size_t at, struct bundle_file *file, u32 *mode)
{
    const u8 *h = b->bytes + at;
    u32 size, name_size;
    size_t data;

    if (at > b->len || b->len - at < HEADER || memcmp(h, "070701", 6) != 0)
        return false;
    if (!hex8(h + FIELD_MODE, mode) || !hex8(h + FIELD_SIZE, &size) ||
        !hex8(h + FIELD_NAME_SIZE, &name_size))
        return false;
    if (name_size == 0 || name_size > b->len - at - HEADER || h[HEADER + name_size - 1])
        return false;
    data = ALIGN_UP(at + HEADER + name_size, 4);
    if (data > b->len || size > b->len - data)
        return false;
    file->name = (const char *)h + HEADER;
    file->data = b->bytes + data;
    file->len = size;
    file->next = ALIGN_UP(data + size, 4);
    return true;
}

bool bundle_next(const struct bundle *b, struct bundle_file *file)
{
    u32 mode;

    while (member(b, file->next, file, &mode)) {
        if (strcmp(file->name, "TRAILER!!!") == 0)
            return false;
        if ((mode & MODE_TYPE) == MODE_REGULAR)
            return true;
    }
    return false;
}

/* Archives made by `find . | cpio` name their members ./NAME. */
static const char *plain(const char *name)
{
    return name[0] == '.' && name[1] == '/' ? name + 2 : name;
}

bool bundle_find(const struct bundle *b, const char *name, struct bundle_file *file)
{
    *file = (struct bundle_file){0};
    while (bundle_next(b, file))
        if (strcmp(plain(file->name), name) == 0)
            return true;
    return false;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Splits c->text into words; false when there are too many. */
static bool split(struct bundle_command *c)
{
    char *p = c->text;

    c->count = 0;
    for (;;) {
        while (blank(*p))
            p++;
        if (*p == '\0' || *p == '#')
            return true;
        if (c->count == BUNDLE_ARGS_MAX)
            return false;
        c->args[c->count++] = p;
        while (*p && !blank(*p))
            p++;
        if (*p)
            *p++ = '\0';
    }
}

bool bundle_command(const struct bundle_file *list, size_t *at, struct bundle_command *c,
                    const char **why)
{
    *why = NULL;
    while (*at < list->len) {
        const u8 *line = list->data + *at;
        size_t len = 0;

        while (*at + len < list->len && line[len] != '\n')
            len++;
        *at += len + 1;
        if (len >= sizeof c->text) {
            *why = "a line of the boot list is too long";
            return false;
        }
        memcpy(c->text, line, len);
        c->text[len] = '\0';
        if (!split(c)) {
            *why = "a line of the boot list has too many words";
            return false;
        }
        if (c->count > 0)
            return true;
    }
    return false;
}

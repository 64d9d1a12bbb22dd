/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing newc archives, the counterpart of guest/machine/bundle.c.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "guest/machine/hosted/pack.h"

enum { HEADER = 110 };

/* Room for `len` more bytes, padded to four, or NULL. */
static u8 *grow(struct pack *p, size_t len)
{
    size_t need = p->len + ALIGN_UP(len, 4);
    u8 *at;

    if (need > p->room) {
        size_t room = MAX(need, 2 * p->room);
        u8 *bytes = realloc(p->bytes, room);

        if (!bytes)
            return NULL;
        p->bytes = bytes;
        p->room = room;
    }
    at = p->bytes + p->len;
    memset(at, 0, need - p->len);
    p->len = need;
    return at;
}

/* The place for a member's data. */
static u8 *member(struct pack *p, const char *name, unsigned mode, size_t len)
{
    size_t head = HEADER + strlen(name) + 1;
    u8 *at = grow(p, head);

    if (!at || len > 0xffffffff)
        return NULL;
    snprintf((char *)at, head, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s",
             0, mode, 0, 0, 1, 0, (unsigned)len, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0,
             name);
    return grow(p, len);
}

static bool read_into(FILE *f, u8 *at, size_t len)
{
    return at && fread(at, 1, len, f) == len;
}

/* Opens a regular file; NULL for anything else. */
static FILE *open_regular(const char *path, size_t *len)
{
    struct stat s;
    FILE *f = fopen(path, "rb");

    if (f && fstat(fileno(f), &s) == 0 && S_ISREG(s.st_mode)) {
        *len = (size_t)s.st_size;
        return f;
    }
    if (f)
        fclose(f);
    return NULL;
}

bool pack_read(struct pack *p, const char *file)
{
    size_t len;
    FILE *f = open_regular(file, &len);
    bool ok = f && (len == 0 || read_into(f, grow(p, len), len));

    if (f)
        fclose(f);
    p->len = ok ? len : 0; /* without the padding */
    return ok;
}

static bool add_file(struct pack *p, const char *directory, const char *name)
{
    size_t len;
    bool ok;
    FILE *f;

    snprintf(p->error, sizeof p->error, "%s/%s", directory, name);
    f = open_regular(p->error, &len);
    if (!f)
        return true; /* a directory or the like */
    ok = read_into(f, member(p, name, 0100755, len), len);
    fclose(f);
    return ok;
}

bool pack_write(const struct pack *p, const char *file)
{
    FILE *f = fopen(file, "wb");
    bool ok = f && fwrite(p->bytes, 1, p->len, f) == p->len;

    return (!f || fclose(f) == 0) && ok;
}

bool pack_line(struct pack *p, const char *line)
{
    size_t len = strlen(line), end = p->len + len + 1;
    u8 *at = grow(p, len + 1);

    if (!at)
        return false;
    memcpy(at, line, len);
    at[len] = '\n';
    p->len = end; /* text is not padded */
    return true;
}

static bool add_bytes(struct pack *p, const char *name, const struct pack *bytes)
{
    u8 *at = member(p, name, 0100644, bytes->len);

    if (at && bytes->len)
        memcpy(at, bytes->bytes, bytes->len);
    return at != NULL;
}

bool pack_programs(struct pack *p, const char *directory, const struct pack *list)
{
    struct dirent *e;
    bool ok = true;
    DIR *d;

    snprintf(p->error, sizeof p->error, "%s", directory);
    d = opendir(directory);
    if (!d)
        return false;
    while (ok && (e = readdir(d)))
        if (e->d_name[0] != '.')
            ok = add_file(p, directory, e->d_name);
    closedir(d);
    return ok && add_bytes(p, "boot", list) && member(p, "TRAILER!!!", 0, 0);
}

void pack_free(struct pack *p)
{
    free(p->bytes);
    *p = (struct pack){0};
}

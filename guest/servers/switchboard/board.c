/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of a switchboard: linear, for a few hundred names are looked up when programs
 * start and hardly ever later.
 */
#include "base/memory.h"
#include "guest/servers/switchboard/board.h"

bool board_name(char name[DEMOS_NAME_MAX])
{
    size_t len = strnlen(name, DEMOS_NAME_MAX);

    if (len == 0 || len == DEMOS_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    memset(name + len, 0, DEMOS_NAME_MAX - len);
    return true;
}

static bool same(const struct board_row *r, const char name[DEMOS_NAME_MAX])
{
    return memcmp(r->name, name, DEMOS_NAME_MAX) == 0;
}

static struct board_row *take(struct board *b, struct board_row *rows, u32 count,
                              enum board_kind kind, const char name[DEMOS_NAME_MAX], s64 link)
{
    for (u32 i = 0; i < count; i++) {
        struct board_row *r = &rows[i];

        if (r->kind != BOARD_FREE)
            continue;
        *r = (struct board_row){.code = ++b->last_code, .link = link, .kind = (u8)kind};
        memcpy(r->name, name, DEMOS_NAME_MAX);
        return r;
    }
    return NULL;
}

int board_add(struct board *b, enum board_kind kind, const char name[DEMOS_NAME_MAX],
              bool hidden, s64 link, struct board_row **row)
{
    for (u32 i = 0; kind == BOARD_ANNOUNCED && i < BOARD_ENTRIES; i++)
        if (b->entries[i].kind == BOARD_ANNOUNCED && same(&b->entries[i], name))
            return DEMOS_E_STATE;
    *row = take(b, b->entries, BOARD_ENTRIES, kind, name, link);
    if (!*row)
        return DEMOS_E_MEMORY;
    (*row)->hidden = hidden;
    return 0;
}

/* `a` comes before `b` (NULL: nothing yet): announced ones first, then the oldest. */
static bool before(const struct board_row *a, const struct board_row *b)
{
    if (!b || a->kind != b->kind)
        return !b || a->kind == BOARD_ANNOUNCED;
    return a->code < b->code;
}

struct board_row *board_find(struct board *b, const char name[DEMOS_NAME_MAX], bool all)
{
    struct board_row *best = NULL;

    for (u32 i = 0; i < BOARD_ENTRIES; i++) {
        struct board_row *r = &b->entries[i];

        if (r->kind != BOARD_FREE && (all || !r->hidden) && same(r, name) && before(r, best))
            best = r;
    }
    return best;
}

static struct board_row *oldest(struct board_row *rows, u32 count)
{
    struct board_row *best = &rows[0];

    for (u32 i = 1; i < count; i++)
        if (rows[i].code < best->code)
            best = &rows[i];
    return best;
}

struct board_row *board_wait(struct board *b, const char name[DEMOS_NAME_MAX], bool all,
                             s64 reply, s64 *evicted)
{
    struct board_row *row = take(b, b->waiters, BOARD_WAITERS, BOARD_WAITING, name, reply);

    *evicted = 0;
    if (!row) {
        row = oldest(b->waiters, BOARD_WAITERS);
        *evicted = row->link;
        board_remove(row);
        row = take(b, b->waiters, BOARD_WAITERS, BOARD_WAITING, name, reply);
    }
    row->all = all;
    return row;
}

struct board_row *board_waiter(struct board *b, const struct board_row *entry)
{
    struct board_row *best = NULL;

    for (u32 i = 0; i < BOARD_WAITERS; i++) {
        struct board_row *r = &b->waiters[i];

        if (r->kind != BOARD_FREE && !r->up && (r->all || !entry->hidden) &&
            same(r, entry->name) && before(r, best))
            best = r;
    }
    return best;
}

static struct board_row *row_of(struct board_row *rows, u32 count, u64 code)
{
    for (u32 i = 0; i < count; i++)
        if (rows[i].kind != BOARD_FREE && rows[i].code == code)
            return &rows[i];
    return NULL;
}

struct board_row *board_entry_of(struct board *b, u64 code)
{
    return row_of(b->entries, BOARD_ENTRIES, code);
}

struct board_row *board_waiter_of(struct board *b, u64 code)
{
    return row_of(b->waiters, BOARD_WAITERS, code);
}

void board_remove(struct board_row *row)
{
    *row = (struct board_row){.kind = BOARD_FREE};
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages of the fast way: which are plain memory, which are decoded, and how a write to
 * decoded code is noticed.
 */
#include "z8000/fast_code.h"

size_t z8000_fast_size(void)
{
    return sizeof(struct z8000_fast);
}

static u16 *counted(struct z8000_fast *f, const u8 *page)
{
    return &f->hosts[(size_t)page / Z8000_FAST_PAGE % FAST_SETS];
}

static bool decoded(struct z8000_fast *f, const u8 *page)
{
    if (!page || !*counted(f, page))
        return false;
    for (u32 i = 0; i < FAST_SETS; i++)
        if (f->code[i].host == page)
            return true;
    return false;
}

/* Forgets what was decoded; the page may be written directly again, unless it is decoded
 * under another address too. */
static void drop(struct z8000_fast *f, struct code *code)
{
    const u8 *host = code->host;

    --*counted(f, host);
    code->host = NULL;
    f->decoded[code->number] = f->away;
    if (decoded(f, host))
        return;
    for (u32 i = 0; i < Z8000_FAST_PAGES; i++)
        if (f->writable[i] == host)
            f->write[i] = f->writable[i];
}

void z8000_fast_changed(struct z8000_fast *f, const u8 *page)
{
    for (u32 i = 0; *counted(f, page) && i < FAST_SETS; i++)
        if (f->code[i].host == page)
            drop(f, &f->code[i]);
}

void z8000_fast_map(struct z8000_fast *f, u32 number, u8 *read, u8 *write)
{
    struct code *code = &f->code[number % FAST_SETS];

    if (code->host && code->number == number && code->host != read)
        drop(f, code);
    if (write != read)
        write = NULL;
    f->read[number] = read;
    f->writable[number] = write;
    f->write[number] = decoded(f, write) ? NULL : write;
}

static bool watching_bus(void *owner, struct z8000_cycle *c)
{
    struct z8000_fast *f = owner;
    bool done = f->bus(f->owner, c);

    if (done && c->write && c->normal && c->status >= Z8000_ST_DATA) {
        u32 number = fast_page(c->segment, c->offset);

        if (f->writable[number] && !f->write[number])
            z8000_fast_changed(f, f->writable[number]);
    }
    return done;
}

struct z8000_fast *z8000_fast_init(void *memory, struct z8000 *c)
{
    struct z8000_fast *f = memory;

    f->cpu = c;
    f->bus = c->bus;
    f->owner = c->owner;
    c->bus = watching_bus;
    c->owner = f;
    for (u32 i = 0; i < ARRAY_SIZE(f->read_of); i++) {
        f->read_of[i] = &f->read[i % 128 * Z8000_FAST_SEGMENT_PAGES];
        f->write_of[i] = &f->write[i % 128 * Z8000_FAST_SEGMENT_PAGES];
    }
    for (u32 i = 0; i < Z8000_FAST_PAGES; i++)
        f->decoded[i] = f->away;
    return f;
}

struct code *fast_code(struct z8000_fast *f, u32 number, const void *undecoded,
                       const void *edge)
{
    struct code *code = &f->code[number % FAST_SETS];

    if (code->host && code->number == number)
        return code;
    if (code->host)
        drop(f, code);
    code->host = f->read[number];
    ++*counted(f, code->host);
    code->number = number;
    code->base = number & ~(Z8000_FAST_SEGMENT_PAGES - 1u);
    code->pushed = (0x80u | number / Z8000_FAST_SEGMENT_PAGES) << 24;
    f->decoded[number] = code->entry;
    for (u32 i = 0; i < FAST_WORDS; i++)
        code->entry[i] = (struct entry){.go = undecoded};
    code->entry[FAST_WORDS] = (struct entry){.go = edge};
    for (u32 i = 0; i < Z8000_FAST_PAGES; i++)
        if (f->writable[i] && f->writable[i] == code->host)
            f->write[i] = NULL;
    return code;
}

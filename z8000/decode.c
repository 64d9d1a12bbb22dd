/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a first instruction word to its row: a table of all 65,536 words, filled once in
 * memory that its user gives and shared by any number of processors.
 */
#include "z8000/core.h"

size_t z8000_table_size(void)
{
    return sizeof(struct z8000_table);
}

static u16 find(u16 word)
{
    u16 i = 0;

    while ((word & z8000_rows[i].mask) != z8000_rows[i].value)
        i++; /* the last row matches everything */
    return i;
}

struct z8000_table *z8000_table_init(void *memory)
{
    struct z8000_table *table = memory;

    for (u32 word = 0; word < ARRAY_SIZE(table->row); word++)
        table->row[word] = find((u16)word);
    return table;
}

bool z8000_describe(const struct z8000_table *table, u16 word, struct z8000_form *form)
{
    const struct row *row = &z8000_rows[table->row[word]];
    bool address = row->mode == MODE_DA || row->mode == MODE_X;

    *form = (struct z8000_form){
        .name = row->name,
        .words = (u8)(1 + row->before + (address ? 1 : 0) + row->after),
        .address = address,
        .privileged = (row->flags & PRIVILEGED) != 0,
        .clocks = {row->clocks[0], row->clocks[1], row->clocks[2]},
    };
    return row->name != NULL;
}

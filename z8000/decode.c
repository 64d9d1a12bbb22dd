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

/* Every word that the row matches is its own: all combinations of the bits not in its mask. */
static void fill(struct z8000_table *table, u16 index)
{
    u16 value = z8000_rows[index].value, open = (u16)~z8000_rows[index].mask, bits = open;

    do {
        table->row[value | bits] = index;
        bits = (u16)((bits - 1) & open);
    } while (bits != open);
}

struct z8000_table *z8000_table_init(void *memory)
{
    struct z8000_table *table = memory;

    /* The last row matches everything; earlier ones win. */
    for (size_t i = z8000_row_count; i-- > 0;)
        fill(table, (u16)i);
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/cpu/symbols.h"
#include "base/format.h"

/* Sorted by address; `name` counts from symbol_names. */
struct symbol {
    u32 offset; /* from image_start */
    u32 name;
};
extern const u32 symbol_count;
extern const struct symbol symbol_table[];
extern const char symbol_names[];
extern u8 image_start[], text_end[];

void symbol_describe(u64 at, char *to, size_t size)
{
    u32 low = 0, high = symbol_count;
    u64 offset = at - (u64)image_start;

    format(to, size, "%s", "");
    if (at < (u64)image_start || at >= (u64)text_end || !symbol_count)
        return;
    while (high - low > 1) { /* the last symbol at or below `offset` */
        u32 middle = low + (high - low) / 2;

        if (symbol_table[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    format(to, size, "%s+0x%lx", symbol_names + symbol_table[low].name,
           offset - symbol_table[low].offset);
}

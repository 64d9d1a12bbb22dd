/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds arbitrary bytes to the bundle reader: it stays inside them and always ends.
 */
#include "base/memory.h"
#include "guest/machine/bundle.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bundle b = {data, size};
    struct bundle_file file = {0}, list = {.data = data, .len = size};
    struct bundle_command c;
    const char *why;
    volatile u8 sum = 0;
    size_t at = 0;

    while (bundle_next(&b, &file)) {
        sum = (u8)(sum + strlen(file.name));
        for (size_t i = 0; i < file.len; i++)
            sum ^= file.data[i];
    }
    while (bundle_command(&list, &at, &c, &why))
        for (u32 i = 0; i < c.count; i++)
            sum = (u8)(sum + strlen(c.args[i]));
    return 0;
}

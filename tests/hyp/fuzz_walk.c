/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables made of the fuzzer's bytes: the walker and the reference must agree (H23).
 */
#include <stdlib.h>
#include <string.h>
#include "tests/hyp/tables.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
    struct paging paging;
    u64 linear;
    u8 write, fill;
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in;
    struct wanted wanted;
    struct walk w;
    int error;

    if (size < sizeof(in))
        return 0;
    memcpy(&in, data, sizeof(in));
    data += sizeof(in);
    size -= sizeof(in);
    /* The rest are the tables' first entries, repeated; small frame numbers, so that they
     * lead somewhere. */
    for (size_t i = 0; i < (size_t)TABLE_PAGES * 512; i++) {
        u64 e = 0;

        if (size >= 8)
            memcpy(&e, data + (i * 8) % (size - 7), 8);
        ((u64 *)table_page)[i] = in.fill & 1 ? e & 0x80000000000fffffull : e;
    }
    if (in.fill & 2)
        in.paging.cr3 &= 0x1ffff;
    wanted = tables_expect(&in.paging, in.linear, in.write & 1);
    error = walk_tables(&in.paging, in.linear, in.write & 1, tables_find, NULL, &w);
    if (!error != wanted.ok || (!error && w.gpa != wanted.gpa))
        abort();
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console's page while its other end writes anything anywhere in it (F18, F19): what is taken fits,
 * what is put is not more than there was, and the sanitizer sees whatever goes beyond the page.
 */
#include <stdlib.h>
#include "base/memory.h"
#include "guest/rt/conring.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct xencons_interface *ring = calloc(1, sizeof(*ring));

    for (; size >= 8; data += 8, size -= 8) {
        size_t len = data[1] | (data[2] & 7u) << 8;
        char *line = malloc(len + 1);
        u32 value;

        memset(line, data[3], len + 1);
        memcpy(&value, data + 4, sizeof(value));
        switch (data[0] % 6) {
        case 0: ring->out_cons = value; break;
        case 1: ring->in_prod = value; break;
        case 2: memcpy((u8 *)ring + value % (sizeof(*ring) - 3), data + 4, 4); break;
        case 3: ring->out_cons = ring->out_prod - value % (sizeof(ring->out) + 2); break;
        case 4:
            if (conring_put(ring, line, len) > len)
                abort();
            break;
        default:
            ring->in_prod = data[3] & 1 ? ring->in_cons + value % (sizeof(ring->in) + 2)
                                        : ring->in_prod;
            if (conring_take(ring, line, len) > len)
                abort();
            break;
        }
        conring_full(ring);
        free(line);
    }
    free(ring);
    return 0;
}

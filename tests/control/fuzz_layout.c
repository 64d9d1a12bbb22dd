/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever an image says, every piece of the layout comes from its bytes or the layout's
 * own, goes into the domain's memory, and nothing is read outside; and command lines of any
 * bytes split into words within their buffer.
 */
#include <stdlib.h>
#include "guest/control/json.h"
#include "guest/control/layout.h"
#include "guest/control/step.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_piece(const struct layout *l, const struct layout_piece *p)
{
    for (u32 i = 0; i < l->range_count; i++)
        if (p->at >= l->range[i].base && p->len <= l->range[i].size &&
            p->at - l->range[i].base <= l->range[i].size - p->len)
            return;
    abort();
}

static void try_image(const u8 *data, size_t size)
{
    static struct layout l;
    struct layout_request r = {
        .image = data, .image_size = size, .memory = 8 << 20, .vcpus = 1};
    volatile u8 last = 0;

    if (!layout_make(&l, &r))
        return;
    for (u32 i = 0; i < l.piece_count; i++) {
        check_piece(&l, &l.piece[i]);
        last = ((const u8 *)l.piece[i].data)[l.piece[i].len - 1];
    }
    (void)last;
}

static void try_line(const char *line, size_t len)
{
    static struct words w;
    char buf[300];
    const char *why;
    struct step s;
    struct json j;

    if (!words_split(&w, line, len, &why))
        return;
    step_read(&s, &w, &why);
    json_begin(&j, buf, sizeof(buf));
    for (u32 i = 0; i < w.count; i++)
        json_text(&j, w.word[i], w.value[i] ? w.value[i] : "");
    if (json_end(&j) > sizeof(buf))
        abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    try_image(data, size);
    try_line((const char *)data, size);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of a campaign as anybody might write them: each is taken or refused, and what was taken is
 * played. H20.
 */
#include <stdio.h>
#include <string.h>
#include "guest/machine/campaign/world.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum { LINES = 48, NODES = 4, END_NS = 20000000 };

/* A cluster for the input's lines to add to. */
static const char *const some[] = {"medium name=net kind=ether", "node a net=02:05:00:00:00:01",
                                   "node b net=02:05:00:00:00:02",
                                   "program a ring of 2 at here 3",
                                   "program b ring of 2 at here 3"};

static void say(struct world *w, const char *line, size_t len)
{
    char text[2 * WORLD_LINE];

    len = len < sizeof(text) ? len : sizeof(text) - 1;
    memcpy(text, line, len);
    text[len] = 0;
    world_line(w, text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    struct world w;

    world_init(&w);
    for (u32 i = 0; size && data[0] & 1 && i < ARRAY_SIZE(some); i++)
        say(&w, some[i], strlen(some[i]));
    for (u32 i = 0; i < LINES && at < end && w.nodes < NODES && w.media < NODES; i++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = stop ? (size_t)(stop - at) : (size_t)(end - at);

        say(&w, at, len);
        at += len + 1;
    }
    w.end_ns = w.end_ns < END_NS ? w.end_ns : END_NS;
    if (w.nodes)
        world_run(&w, 1);
    world_free(&w);
    return 0;
}

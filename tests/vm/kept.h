/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client and a keeper that do what a test tells them, word by word: mapping, touching,
 * what the keeper hears and what it says.
 */
#ifndef TESTS_VM_KEPT_H
#define TESTS_VM_KEPT_H

#include "guest/kernel/keeper.h"
#include "tests/kernel/puppet.h"

#define KEPT  0x50000000ull          /* where kept regions are mapped */
#define PLATE (SIM_DATA + 12 * 4096) /* the keeper's page to move from and to */

struct heard {
    u64 op, word[4];
    u32 notice;
    s64 links[2];
};

/* The next word of a kernel's that the keeper has not read; op 0: none. */
static inline struct heard hear(struct sim_process *keeper)
{
    struct heard h = {0};
    struct demos_info info;
    u8 body[64] = {0};
    s64 len = kcall(keeper, DEMOS_RECEIVE, DEMOS_CHANNEL(3), BUFFER, 64, INFO, DEMOS_NOW, 0);

    if (len < 8)
        return h;
    sim_peek(keeper, BUFFER, body, (size_t)len);
    sim_peek(keeper, INFO, &info, sizeof(info));
    h.op = be64_get(body);
    for (u32 i = 0; i < 4; i++)
        h.word[i] = be64_get(body + 8 + 8 * i);
    for (u32 i = 0; i < 2; i++)
        h.links[i] = i < info.count ? info.links[i] : 0;
    CHECK_EQ(info.kind, DEMOS_MSG_GENERAL);
    return h;
}

/* A region of `pages` at KEPT + at in the client; the keeper knows the object by `code`. */
static inline s64 keep(struct sim_process *client, struct sim_process *keeper, u64 at,
                       u64 pages, u64 code, u64 silence, u64 patience)
{
    u64 words[] = {CONTROL_KEEP, KEPT + at, pages * SIM_PAGE, 3, 3, 0, silence, patience};
    u64 answer[1] = {0};
    s64 link = sim_link(client, keeper, DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, 3, code), len;

    len = request(client, LINK_SELF, words, ARRAY_SIZE(words), link, answer, 1, NULL);
    kcall(client, DEMOS_DESTROYLINK, (u64)link, 0, 0, 0, 0, 0);
    return len < 0 ? len : (s64)answer[0];
}

/* The client touches a page; true: it has what it wants. */
static inline bool touch(struct sim_process *client, u64 page, u32 access)
{
    return kcall(client, SIM_TOUCH, KEPT + page * SIM_PAGE, access, 0, 0, 0, 0) == 0;
}

/* It waits since its touch (or does not any more). */
static inline bool waits(const struct sim_process *client)
{
    return client->self[0] == 1;
}

/* Fills the frame of a REQUEST with `byte`, and ends it by DATA or by letting go. */
static inline void fill(struct sim_process *keeper, const struct heard *h, u8 byte)
{
    u8 plate[SIM_PAGE];

    memset(plate, byte, sizeof(plate));
    sim_poke(keeper, PLATE, plate, sizeof(plate));
    CHECK_EQ(kcall(keeper, DEMOS_MOVEDATA, (u64)h->links[0], DEMOS_MOVE_WRITE, 0, PLATE,
                   SIM_PAGE, 0),
             SIM_PAGE);
}

static inline s64 drop(struct sim_process *p, s64 link)
{
    return kcall(p, DEMOS_DESTROYLINK, (u64)link, 0, 0, 0, 0, 0);
}

static inline void provide(struct sim_process *keeper, const struct heard *h, u8 byte)
{
    fill(keeper, h, byte);
    CHECK_EQ(drop(keeper, h->links[0]), 0);
}

/* Something to the kernel, with `len` bytes of `byte` behind its four words. */
static inline void say(struct sim_process *keeper, s64 request_link, u64 op, u64 page,
                       u64 pages, u64 lock, u32 len, u8 byte)
{
    static u8 body[32 + 3 * SIM_PAGE];
    u64 words[4] = {op, op == KEEPER_CACHE ? page : page * SIM_PAGE, pages * SIM_PAGE, lock};

    for (u32 i = 0; i < 4; i++)
        be64_put(body + 8 * i, words[i]);
    memset(body + 32, byte, len);
    sim_poke(keeper, SIM_DATA + 8 * 4096, body, 32 + len);
    CHECK_EQ(kcall(keeper, DEMOS_SEND, (u64)request_link, SIM_DATA + 8 * 4096, 32 + len, 0,
                   DEMOS_FOREVER, 0),
             0);
}

/* The page at a kept address as the client sees it: -1 when it is not mapped for that. */
static inline int shown(struct sim_process *client, u64 page)
{
    u8 byte;

    CHECK(touch(client, page, REGION_READ));
    sim_peek(client, KEPT + page * SIM_PAGE, &byte, 1);
    return byte;
}

#endif

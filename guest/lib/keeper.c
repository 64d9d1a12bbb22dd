/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keepers: words in and out, and the loop of the simple ones. A frame that was filled to its
 * end and let go counts as DATA without a lock, so that a page costs its keeper two calls.
 */
#include "guest/lib/keeper.h"
#include "guest/lib/process.h"

enum { DATA_HEAD = 32, DATA_MAX = 60 << 10 };

static u64 word(const u8 *body, size_t len, u32 index)
{
    return 8 * (index + 1) <= len ? be64_get(body + 8 * index) : 0;
}

void keeper_read(struct keeper_word *k, const void *body, size_t len,
                 const struct demos_info *info)
{
    *k = (struct keeper_word){.op = word(body, len, 0),
                              .code = info->code,
                              .object = word(body, len, 1),
                              .offset = word(body, len, 2),
                              .length = word(body, len, 3),
                              .access = word(body, len, 4)};
    if (k->op == KEEPER_INIT) {
        k->length = k->offset;
        k->offset = 0;
        k->request = info->count > 0 ? info->links[0] : 0;
        k->name = info->count > 1 ? info->links[1] : 0;
    } else {
        k->frame = info->count > 0 ? info->links[0] : 0;
    }
}

int keeper_provide(const struct keeper_word *k, const void *bytes)
{
    int done = demos_move_to(k->frame, 0, bytes, k->length);

    demos_link_drop(k->frame);
    return done;
}

int keeper_take(const struct keeper_word *k, void *bytes)
{
    int done = demos_move_from(k->frame, 0, bytes, k->length);

    demos_link_drop(k->frame);
    return done;
}

int keeper_say(s64 request, enum keeper_op op, u64 offset, u64 length, u64 more)
{
    struct words w;

    words_start(&w, op);
    words_put(&w, op == KEEPER_CACHE ? more : offset);
    words_put(&w, length);
    words_put(&w, more);
    return demos_send(request, w.bytes, 8 * w.count);
}

int keeper_data(s64 request, u64 offset, const void *bytes, size_t len, u64 lock)
{
    static u8 body[DATA_HEAD + DATA_MAX];

    if (len > DATA_MAX)
        return DEMOS_E_LONG;
    be64_put(body, KEEPER_DATA);
    be64_put(body + 8, offset);
    be64_put(body + 16, len);
    be64_put(body + 24, lock);
    memcpy(body + DATA_HEAD, bytes, len);
    return demos_send(request, body, DATA_HEAD + len);
}

static void page_in(struct keeper *k, const struct keeper_word *w, u8 *page)
{
    if (k->get(k, w->code, w->offset, page, w->length))
        keeper_provide(w, page);
    else
        demos_link_drop(w->frame); /* who wants it is told */
}

void keeper_serve(struct keeper *k, const void *body, size_t len, const struct demos_info *info)
{
    static u8 page[KEEPER_PAGE_MAX] __attribute__((aligned(4096)));
    struct keeper_word w;

    keeper_read(&w, body, len, info);
    if (w.op == KEEPER_REQUEST && w.length <= sizeof page)
        page_in(k, &w, page);
    else if (w.op == KEEPER_WRITE && w.length <= sizeof page && keeper_take(&w, page) >= 0)
        k->put(k, w.code, w.offset, page, w.length);
    else if (w.frame > 0)
        demos_link_drop(w.frame);
    if (w.request > 0)
        demos_link_drop(w.request);
    if (w.name > 0)
        demos_link_drop(w.name);
}

int keeper_run(u32 service, u32 pages, void (*user)(struct words *w, const struct demos_info *),
               void (*kernel)(const void *body, size_t len, const struct demos_info *))
{
    struct words w;

    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, service, 0));
    for (;;) {
        struct demos_info info = {0};
        s64 len = demos_receive(DEMOS_CHANNEL(service) | DEMOS_CHANNEL(pages), w.bytes,
                                sizeof w.bytes, &info);

        if (len < 0)
            return 1;
        if (info.channel == pages) {
            kernel(w.bytes, (size_t)len, &info);
        } else if (info.reply > 0) {
            words_read(&w, w.bytes, (size_t)len);
            user(&w, &info);
        }
    }
}

s64 keeper_map(s64 control, s64 object, const struct keeper_view *v)
{
    struct words w;

    words_start(&w, CONTROL_KEEP);
    words_put(&w, v->base);
    words_put(&w, v->len);
    words_put(&w, v->protection);
    words_put(&w, v->protection);
    words_put(&w, v->offset);
    words_put(&w, v->silence);
    words_put(&w, v->patience_ns);
    return words_call(control, &w, &object, 1, NULL);
}

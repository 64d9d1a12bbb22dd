/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `shared`: memory that processes on several machines have in common. A keeper by Li's rules:
 * a page is shown to any number of readers or to one writer; a reader that writes asks
 * (UNLOCK), the others lose the page first, and a writer whose page another wants to read
 * becomes a reader. So all see every write in one order.
 *
 * That a kernel has obeyed is known when it answers over the name link, for what one sends to
 * another arrives in order; what it wrote back is in our queue by then.
 */
#include "guest/lib/keeper.h"
#include "guest/lib/process.h"

enum { CHANNEL = 1, PAGE = 4096, PAGES = 16, KERNELS = 16, WAITING = 64, NOBODY = KERNELS };
#define PATIENCE_NS 2000000000ull

/* A kernel that shows the object. */
struct kernel {
    u64 object; /* its number for it; 0: free */
    s64 request, name;
};

static struct kernel kernels[KERNELS];

static struct {
    bool shown[KERNELS]; /* who has it to read, at least */
    u32 writer;          /* of these, who may write; NOBODY */
    u8 bytes[PAGE];
} pages[PAGES] __attribute__((aligned(PAGE)));

/* What came while we waited for something else. */
static struct keeper_word waiting[WAITING];
static u32 first, count;

static u32 kernel_of(u64 object)
{
    u32 i = 0;

    while (i < KERNELS && kernels[i].object != object)
        i++;
    return i;
}

static void drop_all(const struct keeper_word *k)
{
    const s64 links[] = {k->frame, k->request, k->name};

    for (u32 i = 0; i < ARRAY_SIZE(links); i++)
        if (links[i] > 0)
            demos_link_drop(links[i]);
}

static u32 page_of(const struct keeper_word *k)
{
    return k->length == PAGE && k->offset / PAGE < PAGES ? (u32)(k->offset / PAGE) : PAGES;
}

/* The next word; false: none within that time. */
static bool hear(struct keeper_word *k, u64 ns)
{
    static u8 body[64];
    struct demos_info info = {0};
    s64 len = demos_receive_within(ns, DEMOS_CHANNEL(CHANNEL), body, sizeof body, &info);

    if (len < 0)
        return false;
    keeper_read(k, body, (size_t)len, &info);
    return true;
}

static void take(const struct keeper_word *k)
{
    u32 page = page_of(k);

    if (page < PAGES)
        keeper_take(k, pages[page].bytes);
    else
        drop_all(k);
}

static void leave(u32 kernel)
{
    demos_link_drop(kernels[kernel].request);
    demos_link_drop(kernels[kernel].name);
    kernels[kernel] = (struct kernel){0};
    for (u32 page = 0; page < PAGES; page++) {
        pages[page].shown[kernel] = false;
        if (pages[page].writer == kernel)
            pages[page].writer = NOBODY;
    }
}

/* What the kernel was told is done, and what it wrote back is taken. */
static void obeyed(u32 kernel)
{
    struct keeper_word k;
    u8 word[8], answer[16];

    be64_put(word, KEEPER_NAME);
    if (call_call(kernels[kernel].name, word, sizeof word, answer, sizeof answer, NULL,
                  PATIENCE_NS) < 0)
        leave(kernel); /* its machine is no more, as far as we can tell */
    while (hear(&k, DEMOS_NOW)) {
        if (k.op == KEEPER_WRITE)
            take(&k);
        else if (count < WAITING)
            waiting[(first + count++) % WAITING] = k;
        else
            drop_all(&k); /* its kernel is told, and asks again */
    }
}

/* --- rules -------------------------------------------------------------------------- */

static void flush(u32 page, u32 kernel)
{
    keeper_say(kernels[kernel].request, KEEPER_FLUSH, page * PAGE, PAGE, 0);
    obeyed(kernel);
    pages[page].shown[kernel] = false;
    if (pages[page].writer == kernel)
        pages[page].writer = NOBODY;
}

static void flush_others(u32 page, u32 but)
{
    for (u32 i = 0; i < KERNELS; i++)
        if (i != but && pages[page].shown[i])
            flush(page, i);
}

/* Who wrote it only reads it from now on. */
static void calm(u32 page)
{
    u32 writer = pages[page].writer;

    if (writer == NOBODY)
        return;
    keeper_say(kernels[writer].request, KEEPER_LOCK, page * PAGE, PAGE, 2);
    keeper_say(kernels[writer].request, KEEPER_CLEAN, page * PAGE, PAGE, 0);
    obeyed(writer);
    pages[page].writer = NOBODY;
}

static void show(u32 page, u32 kernel, const struct keeper_word *k)
{
    bool writes = k->access & 2;

    if (writes)
        flush_others(page, kernel);
    else
        calm(page);
    keeper_data(kernels[kernel].request, k->offset, pages[page].bytes, PAGE, writes ? 0 : 2);
    pages[page].shown[kernel] = true;
    pages[page].writer = writes ? kernel : (u32)NOBODY;
}

/* Unless it has lost the page meanwhile: then it asks for it anew. */
static void unlock(u32 page, u32 kernel)
{
    if (!pages[page].shown[kernel])
        return;
    flush_others(page, kernel);
    if (!pages[page].shown[kernel])
        return;
    pages[page].writer = kernel;
    keeper_say(kernels[kernel].request, KEEPER_LOCK, page * PAGE, PAGE, 0);
}

static void enter(const struct keeper_word *k)
{
    u32 kernel = kernel_of(0);

    if (kernel == KERNELS)
        drop_all(k); /* who waits there is told */
    else
        kernels[kernel] = (struct kernel){k->object, k->request, k->name};
}

static void serve(const struct keeper_word *k)
{
    u32 kernel = kernel_of(k->object), page = page_of(k);

    if (k->op == KEEPER_INIT && k->object) {
        enter(k);
        return;
    }
    if (k->op == KEEPER_WRITE) {
        take(k);
        return;
    }
    if (kernel < KERNELS && k->op == KEEPER_REQUEST && page < PAGES)
        show(page, kernel, k);
    else if (kernel < KERNELS && k->op == KEEPER_UNLOCK && page < PAGES)
        unlock(page, kernel);
    else if (kernel < KERNELS && k->op == KEEPER_END)
        leave(kernel);
    drop_all(k);
}

int main(int argc, char **argv)
{
    struct keeper_word k;

    (void)argc, (void)argv;
    for (u32 page = 0; page < PAGES; page++)
        pages[page].writer = NOBODY;
    demos_offer(demos_link_make(DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, CHANNEL, 0));
    for (;;) {
        if (count) {
            k = waiting[first];
            first = (first + 1) % WAITING;
            count--;
        } else if (!hear(&k, DEMOS_FOREVER)) {
            return 1;
        }
        serve(&k);
    }
}

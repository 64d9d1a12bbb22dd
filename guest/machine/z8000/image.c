/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Program images: a header of six big-endian words before the code, all of it linked for
 * the start of segment 1 and mapped there, not writable; segment 2 is the program's zeroed
 * data, segment 3 ends with its stack.
 */
#include "base/bytes.h"
#include "base/memory.h"
#include "guest/kernel/core.h"
#include "guest/machine/z8000/z8000.h"

enum { MAGIC = 0x445a384b, VERSION = 1, HEADER = 12, SEGMENT = 0x10000, STACK_TOP = 0x3fffe };
enum { CODE_AT = 0x10000, DATA_AT = 0x20000, STACK_END = 0x40000 };

struct header {
    u16 entry;           /* in segment 1 */
    u32 data, stack_len; /* bytes */
};

/* Magic "DZ8K", version, entry, and data and stack in KB. */
static bool decode(struct header *h, const u8 *image, size_t len)
{
    if (len < HEADER || len > SEGMENT || be32_get(image) != MAGIC ||
        be16_get(image + 4) != VERSION)
        return false;
    *h = (struct header){be16_get(image + 6), be16_get(image + 8) * 1024u,
                         be16_get(image + 10) * 1024u};
    return h->entry >= HEADER && h->entry < len && !(h->entry & 1) && h->data <= SEGMENT &&
           h->stack_len > 0 && h->stack_len <= SEGMENT;
}

static int map(struct z_machine *m, struct task *t, u64 base, u64 len, u32 protection)
{
    u64 room = ALIGN_UP(len, (u64)z_page_bytes(m));

    return len ? node_map(m->node, t, base, room, protection, protection) : 0;
}

static s64 grant(struct z_machine *m, struct task *t, const struct z_grant *g)
{
    struct link l = {
        .to = {.machine = g->machine}, /* epoch 0: the boot that is there */
        .hint = g->machine,
        .channel = (u16)g->channel,
        .attr = DEMOS_DUP | DEMOS_GIVE,
        .kind = DEMOS_REQUEST_LINK,
    };

    if (g->channel == KERNEL_DISK) { /* a keeper's: for KERNEL_OP_PAGER, and here alone */
        if (!m->disk.there)
            return DEMOS_E_REFUSED;
        node_kernel_link(m->node, KERNEL_DISK, &l);
        l.kind = DEMOS_GENERAL;
        return start_give(m->node, t, g->name, &l);
    }
    if (!g->machine)
        return node_grant(m->node, t, g->name, g->channel);
    return start_give(m->node, t, g->name, &l);
}

/* The memory that the machine has just missed is there; false: it never will be. */
static bool missed(struct z_machine *m, struct task *t)
{
    struct machine_miss miss;
    bool gone;

    return machine_missed(m->node, &miss) && miss.task == t &&
           !z_await(m, t, miss.address, miss.access, &gone) && !gone;
}

/* A page at a time: where the node pages, the first may be gone before the last has come. */
static bool load(struct z_machine *m, struct task *t, const u8 *image, size_t len)
{
    enum machine_result r = MACHINE_OK;

    for (size_t at = 0; r == MACHINE_OK && at < len;) {
        size_t piece = MIN(len - at, (size_t)z_page_bytes(m));

        r = machine_load(m->node, t, CODE_AT + at, image + at, piece);
        if (r == MACHINE_OK)
            at += piece;
        else if (r == MACHINE_LATER && missed(m, t))
            r = MACHINE_OK;
    }
    return r == MACHINE_OK;
}

/* NULL, or what is wrong; the process may be gone then. */
static const char *begin(struct z_machine *m, struct task *t, const struct header *h, u32 argc,
                         const char *args, size_t args_len)
{
    int error;

    do
        error = node_start(m->node, t, CODE_AT + h->entry, STACK_TOP, argc, args, args_len);
    while (error == (int)CALL_AGAIN && missed(m, t));
    return error < 0 ? "the process cannot be started" : NULL;
}

static const char *fill(struct z_machine *m, struct task *t, const u8 *image, size_t len,
                        const struct header *h)
{
    u32 rw = REGION_READ | REGION_WRITE;
    u64 stack = ALIGN_UP((u64)h->stack_len, (u64)z_page_bytes(m));

    if (map(m, t, CODE_AT, len, REGION_READ | REGION_EXECUTE) < 0 ||
        map(m, t, DATA_AT, h->data, rw) < 0 || map(m, t, STACK_END - stack, stack, rw) < 0 ||
        !load(m, t, image, len))
        return "not enough memory for the program";
    return NULL;
}

const char *z_start(struct z_machine *m, const char *name, const void *image, size_t len,
                    u32 argc, const char *args, size_t args_len, const struct z_grant *grants,
                    u32 grant_count)
{
    struct header h;
    struct process_id id;
    struct link board;
    struct task *t;
    const char *why;

    if (!decode(&h, image, len))
        return "not a Z8000 program image";
    t = node_process(m->node, name, NULL);
    if (!t)
        return "not enough memory for the process";
    id = t->id;
    why = fill(m, t, image, len, &h);
    for (u32 i = 0; !why && i < grant_count; i++)
        if (grant(m, t, &grants[i]) < 0)
            why = "the process cannot be given its links";
    switchboard_link(m->node, SWITCHBOARD_NEAREST, &board);
    if (!why && start_give(m->node, t, "switchboard", &board) < 0)
        why = "the process cannot be given its links";
    if (!why)
        why = begin(m, t, &h, argc, args, args_len);
    if (why && node_find(m->node, &id))
        node_kill(m->node, t);
    return why;
}

/* A machine's number in decimal; 0: not one. */
static u32 machine_number(const char *digits)
{
    u64 value = 0;

    for (; *digits >= '0' && *digits <= '9' && value < 0xffffffff; digits++)
        value = value * 10 + (u64)(*digits - '0');
    return *digits || value >= 0xffffffff ? 0 : (u32)value;
}

bool z_grant_word(struct z_grant *grants, u32 *count, u32 most, const char *word)
{
    static const struct {
        const char *name;
        u32 channel;
    } known[] = {{"kernel", KERNEL_PROCESS},
                 {"machine", KERNEL_MACHINE},
                 {"console", KERNEL_CONSOLE},
                 {"clock", KERNEL_CLOCK},
                 {"disk", KERNEL_DISK}};
    const char *at = strchr(word, '@');
    size_t len = at ? (size_t)(at - word) : strlen(word);

    for (u32 i = 0; i < ARRAY_SIZE(known); i++) {
        struct z_grant *g = &grants[*count];

        if (strlen(known[i].name) != len || strncmp(known[i].name, word, len) != 0)
            continue;
        if (*count == most || strlen(word) >= DEMOS_NAME_MAX)
            return false;
        *g = (struct z_grant){.channel = known[i].channel};
        g->machine = at ? machine_number(at + 1) : 0;
        memcpy(g->name, word, strlen(word));
        ++*count;
        return !at || (g->machine && g->channel != KERNEL_DISK);
    }
    return false;
}

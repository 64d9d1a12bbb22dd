/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot Specification 0.6.96, 3.3, and Multiboot2 Specification 2.0, 3.6. The loader
 * is trusted to tell the truth, but not to be brief: what does not fit is an error.
 */
#include "hyp/boot/info.h"
#include "base/format.h"
#include "base/memory.h"
#include "hyp/boot/layout.h"
#include "hyp/boot/parse.h"
#include "hyp/cpu/panic.h"

enum { MAGIC1 = 0x2badb002, MAGIC2 = 0x36d76289, WORDS_SIZE = 32768 };

struct boot_info boot_info;
static char words[WORDS_SIZE]; /* the modules' command lines */
static size_t words_used;

static const void *low(u64 at)
{
    return (const void *)(DIRECT_BASE + at);
}

static const char *keep_words(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = words + words_used;

    if (len > WORDS_SIZE - words_used)
        panic("the command lines of the boot modules exceed %u bytes", WORDS_SIZE);
    memcpy(copy, text, len);
    words_used += len;
    return copy;
}

static void add_module(u64 start, u64 end, const char *text)
{
    if (boot_info.modules == BOOT_MODULES)
        panic("more than %u boot modules", BOOT_MODULES);
    boot_info.module[boot_info.modules++] = (struct boot_module){start, end - start,
                                                                 keep_words(text)};
}

static void add_range(u64 start, u64 len, u32 type)
{
    if (boot_info.ranges == BOOT_RANGES)
        panic("the memory map has more than %u ranges", BOOT_RANGES);
    boot_info.range[boot_info.ranges++] = (struct boot_range){start, start + len, type};
}

static void set_command_line(const char *text)
{
    if (format(boot_info.command_line, sizeof(boot_info.command_line), "%s", text) >=
        sizeof(boot_info.command_line))
        panic("the command line is too long");
}

struct PACKED info1 {
    u32 flags, mem_lower, mem_upper, boot_device, command_line, modules, modules_at;
    u32 symbols[4], map_len, map_at;
};
struct PACKED map1 {
    u32 size;
    u64 start, len;
    u32 type;
};
struct PACKED module1 {
    u32 start, end, words, reserved;
};

static void parse1(const struct info1 *i)
{
    const struct module1 *m = low(i->modules_at);

    if (i->flags & 4)
        set_command_line(low(i->command_line));
    for (u32 k = 0; (i->flags & 8) && k < i->modules; k++)
        add_module(m[k].start, m[k].end, low(m[k].words));
    if (!(i->flags & 0x40))
        panic("the boot loader gave no memory map");
    for (u32 at = 0; at < i->map_len;) {
        const struct map1 *r = low(i->map_at + at);

        add_range(r->start, r->len, r->type);
        at += r->size + 4;
    }
}

struct PACKED tag2 {
    u32 type, size;
    union {
        char text[1];
        struct PACKED {
            u32 start, end;
            char words[1];
        } module;
        struct PACKED {
            u32 entry_size, version;
            u8 entries[1];
        } map;
        u8 rsdp[1];
    };
};
enum {
    TAG_END = 0,
    TAG_COMMAND = 1,
    TAG_MODULE = 3,
    TAG_MAP = 6,
    TAG_ACPI1 = 14,
    TAG_ACPI2 = 15
};

static void parse_map2(const struct tag2 *t)
{
    struct PACKED {
        u64 start, len;
        u32 type, reserved;
    } e;

    for (u32 at = 16; at + sizeof(e) <= t->size; at += t->map.entry_size) {
        memcpy(&e, (const u8 *)t + at, sizeof(e));
        add_range(e.start, e.len, e.type);
    }
}

/* The copy of the root pointer in the tag is kept: the original may be anywhere. */
static void keep_rsdp(const struct tag2 *t)
{
    static u8 copy[64] __attribute__((aligned(16)));

    memcpy(copy, t->rsdp, MIN(t->size - 8, sizeof(copy)));
    boot_info.rsdp = (u64)copy - IMAGE_BASE;
}

static void parse2(const u8 *info)
{
    u32 total = *(const u32 *)info;

    for (u32 at = 8; at < total;) {
        const struct tag2 *t = (const struct tag2 *)(info + at);

        switch (t->type) {
        case TAG_END: return;
        case TAG_COMMAND: set_command_line(t->text); break;
        case TAG_MODULE: add_module(t->module.start, t->module.end, t->module.words); break;
        case TAG_MAP: parse_map2(t); break;
        case TAG_ACPI1:
        case TAG_ACPI2: keep_rsdp(t); break;
        }
        at += ALIGN_UP(t->size, 8u);
    }
}

void boot_parse(u32 magic, u32 info)
{
    if (magic == MAGIC1)
        parse1(low(info));
    else if (magic == MAGIC2)
        parse2(low(info));
    else
        panic("started by no multiboot loader (magic number %x)", magic);
    boot_info.multiboot2 = magic == MAGIC2;
}

bool boot_option(const char *name, char *to, size_t size)
{
    size_t len = strlen(name);
    const char *at = boot_info.command_line;

    while (*at) {
        const char *end = at;

        while (*end && *end != ' ')
            end++;
        if ((size_t)(end - at) >= len && memcmp(at, name, len) == 0 &&
            (at + len == end || at[len] == '=')) {
            at += at + len == end ? len : len + 1;
            format(to, size, "%.*s", (int)(end - at), at);
            return true;
        }
        at = *end ? end + 1 : end;
    }
    return false;
}

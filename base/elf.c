/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Field offsets are those of the System V ABI's gABI chapters 4 and 5 (ELF header, program
 * header, section header), for both classes in one table each.
 */
#include "base/elf.h"
#include "base/memory.h"

enum { MAX_SEGMENTS = 128, MAX_SECTIONS = 65535, SECTION_NOTE = 7 };

static u64 get(const u8 *p, u32 bytes)
{
    u64 value = 0;

    while (bytes--)
        value = value << 8 | p[bytes];
    return value;
}

static bool inside(const struct elf *e, u64 at, u64 len)
{
    return at <= e->size && len <= e->size - at;
}

/* A field whose offset and width differ between the classes. */
static u64 field(const struct elf *e, const u8 *p, u32 at32, u32 at64)
{
    return e->wide ? get(p + at64, 8) : get(p + at32, 4);
}

static bool read_segment(const struct elf *e, u32 index, struct elf_segment *s)
{
    const u8 *p;

    if (index >= e->segments)
        return false;
    p = e->data + e->segments_at + (u64)index * e->segment_size;
    s->type = (u32)get(p, 4);
    s->flags = (u32)get(p + (e->wide ? 4 : 24), 4);
    s->offset = field(e, p, 4, 8);
    s->virtual = field(e, p, 8, 16);
    s->physical = field(e, p, 12, 24);
    s->file_size = field(e, p, 16, 32);
    s->memory_size = field(e, p, 20, 40);
    s->align = field(e, p, 28, 48);
    return true;
}

static const char *check_ident(const u8 *p, size_t size)
{
    if (size < 20 || memcmp(p, "\177ELF", 4) != 0)
        return "this is no ELF file";
    if (p[4] != 1 && p[4] != 2)
        return "the ELF class is neither 32 nor 64 bits";
    if (p[5] != 1)
        return "the ELF file is not little-endian";
    if (size < (p[4] == 2 ? 64u : 52u))
        return "the ELF header is cut short";
    return NULL;
}

static const char *read_header(struct elf *e)
{
    const u8 *p = e->data;

    e->wide = p[4] == 2;
    e->machine = (u16)get(p + 18, 2);
    if (e->machine != ELF_MACHINE_I386 && e->machine != ELF_MACHINE_X86_64)
        return "the ELF machine is neither i386 nor x86-64";
    if (get(p + 16, 2) != 2 && get(p + 16, 2) != 3)
        return "the ELF file is not an executable";
    e->entry = field(e, p, 24, 24);
    e->segments_at = field(e, p, 28, 32);
    e->sections_at = field(e, p, 32, 40);
    e->segment_size = (u32)get(p + (e->wide ? 54 : 42), 2);
    e->segments = (u32)get(p + (e->wide ? 56 : 44), 2);
    e->section_size = (u32)get(p + (e->wide ? 58 : 46), 2);
    e->sections = (u32)get(p + (e->wide ? 60 : 48), 2);
    return NULL;
}

static const char *check_load(const struct elf *e, const struct elf_segment *s)
{
    if (!inside(e, s->offset, s->file_size))
        return "a load segment lies outside the ELF file";
    if (s->file_size > s->memory_size)
        return "a load segment is larger in the file than in memory";
    if (s->physical + s->memory_size < s->physical || s->virtual + s->memory_size < s->virtual)
        return "a load segment wraps around the address space";
    return NULL;
}

static const char *check_segments(struct elf *e)
{
    struct elf_segment s;
    const char *why;
    bool loads = false;

    if (e->segments == 0 || e->segments > MAX_SEGMENTS)
        return "the ELF file has no program headers, or too many";
    if (e->segment_size < (e->wide ? 56u : 32u) ||
        !inside(e, e->segments_at, (u64)e->segments * e->segment_size))
        return "the ELF program headers lie outside the file";
    for (u32 i = 0; read_segment(e, i, &s); i++) {
        if (s.type != ELF_SEGMENT_LOAD)
            continue;
        why = check_load(e, &s);
        if (why)
            return why;
        loads |= s.memory_size != 0;
    }
    return loads ? NULL : "the ELF file has nothing to load";
}

bool elf_open(struct elf *e, const void *data, size_t size, const char **why)
{
    const char *wrong = check_ident(data, size);

    *e = (struct elf){.data = data, .size = size};
    if (!wrong)
        wrong = read_header(e);
    if (!wrong)
        wrong = check_segments(e);
    /* Sections are a courtesy: a file without usable ones has none. */
    if (e->section_size < (e->wide ? 64u : 40u) || e->sections > MAX_SECTIONS ||
        !inside(e, e->sections_at, (u64)e->sections * e->section_size))
        e->sections = 0;
    if (wrong) {
        e->segments = e->sections = 0;
        *why = wrong;
    }
    return !wrong;
}

bool elf_next_load(const struct elf *e, u32 *index, struct elf_segment *s)
{
    while (read_segment(e, *index, s)) {
        ++*index;
        if (s->type == ELF_SEGMENT_LOAD && s->memory_size)
            return true;
    }
    return false;
}

void elf_span(const struct elf *e, u64 *low, u64 *high)
{
    struct elf_segment s;

    *low = ~0ull;
    *high = 0;
    for (u32 i = 0; elf_next_load(e, &i, &s);) {
        *low = MIN(*low, s.physical);
        *high = MAX(*high, s.physical + s.memory_size);
    }
}

/* Walks the notes in [at, at + len): each is three words, name and payload padded to
 * `align` (8 only where the segment says so; Xen's notes are padded to 4). */
static const void *note_in(const struct elf *e, u64 at, u64 len, u64 align, const char *name,
                           u32 type, size_t *note_len)
{
    u64 name_len, payload_len, payload;
    const u8 *p;

    if (!inside(e, at, len))
        return NULL;
    align = align == 8 ? 8 : 4;
    while (len >= 12) {
        p = e->data + at;
        name_len = get(p, 4);
        payload_len = get(p + 4, 4);
        payload = ALIGN_UP(12 + name_len, align);
        if (payload > len || payload_len > len - payload)
            return NULL;
        if (get(p + 8, 4) == type && name_len == strlen(name) + 1 &&
            memcmp(p + 12, name, name_len) == 0) {
            *note_len = payload_len;
            return p + payload;
        }
        payload = MIN(ALIGN_UP(payload + payload_len, align), len);
        at += payload;
        len -= payload;
    }
    return NULL;
}

const void *elf_note(const struct elf *e, const char *name, u32 type, size_t *len)
{
    struct elf_segment s;
    const void *found;
    const u8 *p;

    for (u32 i = 0; read_segment(e, i, &s); i++) {
        if (s.type != ELF_SEGMENT_NOTE)
            continue;
        found = note_in(e, s.offset, s.file_size, s.align, name, type, len);
        if (found)
            return found;
    }
    for (u32 i = 0; i < e->sections; i++) {
        p = e->data + e->sections_at + (u64)i * e->section_size;
        if (get(p + 4, 4) != SECTION_NOTE)
            continue;
        found = note_in(e, field(e, p, 16, 24), field(e, p, 20, 32), field(e, p, 32, 48), name,
                        type, len);
        if (found)
            return found;
    }
    return NULL;
}

bool elf_note_number(const struct elf *e, const char *name, u32 type, u64 *value)
{
    size_t len;
    const u8 *p = elf_note(e, name, type, &len);

    if (!p || (len != 4 && len != 8))
        return false;
    *value = get(p, (u32)len);
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading ELF executables that nobody vouches for: ELF64 and ELF32, x86-64 or i386,
 * load segments and notes, every access inside the file's bytes. Nothing is allocated or
 * copied; errors are sentences for whoever supplied the file.
 */
#ifndef BASE_ELF_H
#define BASE_ELF_H

#include "base/types.h"

enum { ELF_MACHINE_I386 = 3, ELF_MACHINE_X86_64 = 62 };
enum { ELF_SEGMENT_LOAD = 1, ELF_SEGMENT_NOTE = 4 };
enum { ELF_EXECUTE = 1, ELF_WRITE = 2, ELF_READ = 4 };

/* An opened file; the fields after `data` and `size` hold only what elf_open has checked. */
struct elf {
    const u8 *data;
    size_t size;
    bool wide; /* ELF64 */
    u16 machine;
    u64 entry;
    u64 segments_at;
    u32 segments, segment_size;
    u64 sections_at;
    u32 sections, section_size;
};

/* For a load segment: offset + file_size lie in the file, file_size <= memory_size, and
 * neither physical nor virtual + memory_size wraps. */
struct elf_segment {
    u32 type, flags;
    u64 offset, file_size, memory_size;
    u64 physical, virtual, align;
};

/* False: *why says what is wrong. The bytes must stay while `e` is used. */
bool elf_open(struct elf *e, const void *data, size_t size, const char **why);
/* The next load segment at or after *index, which moves behind it; false at the end. */
bool elf_next_load(const struct elf *e, u32 *index, struct elf_segment *s);
/* The physical bytes that all load segments span: [*low, *high). */
void elf_span(const struct elf *e, u64 *low, u64 *high);
/* The payload of the note {name, type} and its length, or NULL. Looks through note
 * segments, then (as Xen does) through note sections. */
const void *elf_note(const struct elf *e, const char *name, u32 type, size_t *len);
/* A note that carries one 32- or 64-bit number; false when it is absent or another size. */
bool elf_note_number(const struct elf *e, const char *name, u32 type, u64 *value);

#endif

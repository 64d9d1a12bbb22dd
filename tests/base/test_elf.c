/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ELF reader: both classes, notes by segment and by section, every refusal in words,
 * and no read outside the bytes whatever they say (random damage under AddressSanitizer).
 */
#include "base/elf.h"
#include "base/keyed.h"
#include "tests/check.h"
#include <elf.h>

struct file64 {
    Elf64_Ehdr head;
    Elf64_Phdr ph[3];
    u32 note[3];
    char name[4];
    u64 payload;
    u8 body[64];
};

static void make64(struct file64 *f)
{
    *f = (struct file64){
        .head = {.e_ident = "\177ELF\2\1\1",
                 .e_type = ET_EXEC,
                 .e_machine = EM_X86_64,
                 .e_entry = 0x100000,
                 .e_phoff = offsetof(struct file64, ph),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 3},
        .ph = {{.p_type = PT_LOAD,
                .p_flags = PF_R | PF_X,
                .p_offset = offsetof(struct file64, body),
                .p_paddr = 0x100000,
                .p_vaddr = 0xffffffff80100000,
                .p_filesz = 64,
                .p_memsz = 4096},
               {.p_type = PT_NOTE,
                .p_offset = offsetof(struct file64, note),
                .p_filesz = 24,
                .p_memsz = 24,
                .p_align = 4},
               {.p_type = PT_LOAD, .p_paddr = 0x200000, .p_memsz = 0x1000}},
        .note = {4, 8, 18},
        .name = "Xen",
        .payload = 0x100040,
    };
}

static void test_reads_elf64(void)
{
    struct file64 f;
    struct elf e;
    struct elf_segment s;
    const char *why = "";
    u64 low, high, value = 0;
    u32 at = 0;

    make64(&f);
    CHECK(elf_open(&e, &f, sizeof(f), &why));
    CHECK(e.wide && e.machine == ELF_MACHINE_X86_64 && e.entry == 0x100000);
    CHECK(elf_next_load(&e, &at, &s) && s.physical == 0x100000 && s.file_size == 64);
    CHECK(s.virtual == 0xffffffff80100000 && s.flags == (ELF_READ | ELF_EXECUTE));
    CHECK(elf_next_load(&e, &at, &s) && s.physical == 0x200000);
    CHECK(!elf_next_load(&e, &at, &s));
    elf_span(&e, &low, &high);
    CHECK_EQ(low, 0x100000);
    CHECK_EQ(high, 0x201000);
    CHECK(elf_note_number(&e, "Xen", 18, &value) && value == 0x100040);
    CHECK(!elf_note_number(&e, "Xen", 17, &value));
    CHECK(!elf_note_number(&e, "GNU", 18, &value));
}

static void test_reads_elf32_note_in_section(void)
{
    struct {
        Elf32_Ehdr head;
        Elf32_Phdr ph;
        Elf32_Shdr sh;
        u32 note[3];
        char name[4];
        u32 payload;
    } f = {
        .head = {.e_ident = "\177ELF\1\1\1",
                 .e_type = ET_EXEC,
                 .e_machine = EM_386,
                 .e_phoff = sizeof(Elf32_Ehdr),
                 .e_phentsize = sizeof(Elf32_Phdr),
                 .e_phnum = 1,
                 .e_shoff = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
                 .e_shentsize = sizeof(Elf32_Shdr),
                 .e_shnum = 1},
        .ph = {.p_type = PT_LOAD, .p_memsz = 4096},
        .sh = {.sh_type = SHT_NOTE,
               .sh_size = 20,
               .sh_offset = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr) + sizeof(Elf32_Shdr)},
        .note = {4, 4, 18},
        .name = "Xen",
        .payload = 0x1234,
    };
    struct elf e;
    const char *why = "";
    u64 low, high, value = 0;

    CHECK(elf_open(&e, &f, sizeof(f), &why));
    CHECK(!e.wide && e.machine == ELF_MACHINE_I386);
    elf_span(&e, &low, &high);
    CHECK(low == 0 && high == 4096);
    CHECK(elf_note_number(&e, "Xen", 18, &value) && value == 0x1234);
}

static void test_refuses_in_words(void)
{
    struct file64 f;
    struct elf e;
    const char *why;

#define REFUSED(change, words)                                           \
    do {                                                                 \
        make64(&f);                                                      \
        change;                                                          \
        why = "";                                                        \
        CHECK(!elf_open(&e, &f, sizeof(f), &why) && strstr(why, words)); \
    } while (0)
    REFUSED(f.head.e_ident[0] = 0, "no ELF file");
    REFUSED(f.head.e_ident[4] = 3, "class");
    REFUSED(f.head.e_ident[5] = 2, "little-endian");
    REFUSED(f.head.e_machine = EM_ARM, "machine");
    REFUSED(f.head.e_type = ET_REL, "executable");
    REFUSED(f.head.e_phnum = 0, "program headers");
    REFUSED(f.head.e_phoff = sizeof(f), "outside");
    REFUSED(f.head.e_phoff = ~0ull, "outside");
    REFUSED(f.ph[0].p_offset = ~0ull - 8, "outside");
    REFUSED(f.ph[0].p_memsz = 8, "larger");
    REFUSED(f.ph[0].p_paddr = ~0ull - 8, "wraps");
    REFUSED((f.ph[0].p_type = f.ph[2].p_type = PT_NULL), "nothing to load");
#undef REFUSED
    CHECK(!elf_open(&e, "\177ELF", 4, &why));
    CHECK(!elf_open(&e, "", 0, &why));
}

static void test_damage_stays_inside(void)
{
    u64 rounds = test_length(20000, 2000000);
    struct elf_segment s;
    const char *why;
    u64 low, high;
    struct elf e;

    for (u64 i = 0; i < rounds; i++) {
        size_t size = sizeof(struct file64) - keyed_below(1, i, 0, 16) * 8;
        u8 *copy = malloc(sizeof(struct file64));

        make64((struct file64 *)copy);
        copy = realloc(copy, size);
        for (u64 n = keyed_below(1, i, 1, 6); n; n--)
            copy[keyed_below(1, i, n * 2, size)] = (u8)keyed_random(1, i, n * 2 + 1);
        if (elf_open(&e, copy, size, &why)) {
            u32 at = 0, sum = 0;

            while (elf_next_load(&e, &at, &s))
                for (u64 k = 0; k < s.file_size; k++)
                    sum += e.data[s.offset + k];
            elf_span(&e, &low, &high);
            elf_note_number(&e, "Xen", sum & 31, &low);
        }
        free(copy);
    }
}

TESTS(CASE(test_reads_elf64), CASE(test_reads_elf32_note_in_section),
      CASE(test_refuses_in_words), CASE(test_damage_stays_inside))

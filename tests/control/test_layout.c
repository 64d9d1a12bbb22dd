/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the domain builder decides, on images made by hand: entry, pieces, memory map, start
 * information, ACPI tables; and the sentence for each image that is no good. Row H05.
 */
#include "tests/check.h"
#include "hyp/abi/xen.h"
#include <elf.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/elfnote.h>
#include "guest/control/layout.h"

struct image {
    Elf64_Ehdr head;
    Elf64_Phdr load, note;
    struct {
        u32 name_len, len, type;
        char name[4];
        u32 value, pad;
    } n;
    u8 text[256];
};

static struct image image;
static struct layout l;
static struct layout_request r;

/* 0x300 bytes of memory at `at`, entered there. */
static void make_image(u64 at)
{
    image = (struct image){
        .head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                 .e_type = ET_EXEC,
                 .e_machine = EM_X86_64,
                 .e_version = EV_CURRENT,
                 .e_entry = at,
                 .e_phoff = offsetof(struct image, load),
                 .e_ehsize = sizeof(Elf64_Ehdr),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 2},
        .load = {.p_type = PT_LOAD,
                 .p_flags = PF_R | PF_X,
                 .p_offset = offsetof(struct image, text),
                 .p_vaddr = at,
                 .p_paddr = at,
                 .p_filesz = 256,
                 .p_memsz = 0x300},
        .note = {.p_type = PT_NOTE,
                 .p_offset = offsetof(struct image, n),
                 .p_filesz = 20,
                 .p_memsz = 20,
                 .p_align = 4},
        .n = {4, 4, XEN_ELFNOTE_PHYS32_ENTRY, "Xen", (u32)at, 0}};
    r = (struct layout_request){.image = &image,
                                .image_size = sizeof(image),
                                .cmdline = "some words",
                                .memory = 32 << 20,
                                .vcpus = 2};
}

static const struct layout_piece *piece_at(u64 at)
{
    for (u32 i = 0; i < l.piece_count; i++)
        if (l.piece[i].at == at)
            return &l.piece[i];
    return NULL;
}

static void test_what_a_guest_finds(void)
{
    const struct hvm_start_info *info;
    const struct hvm_memmap_table_entry *map;
    const struct layout_piece *p;
    u64 pages = 0;

    make_image(0x100000);
    CHECK(layout_make(&l, &r));
    CHECK_EQ(l.entry, 0x100000);
    CHECK_EQ(l.info_at, 0x101000);
    p = piece_at(0x100000);
    CHECK(p && p->data == image.text && p->len == 256 && p->fixed);
    p = piece_at(l.info_at);
    CHECK(p && p->data == l.info);
    info = (const void *)l.info;
    CHECK_EQ(info->magic, XEN_HVM_START_MAGIC_VALUE);
    CHECK_EQ(info->version, 1);
    CHECK_EQ(info->rsdp_paddr, 0xfc008000);
    CHECK(strcmp((char *)l.info + info->cmdline_paddr - l.info_at, "some words") == 0);
    CHECK_EQ(info->memmap_entries, 5);
    map = (const void *)(l.info + info->memmap_paddr - l.info_at);
    CHECK(map[0].addr == 0 && map[0].size == 0xa0000 && map[0].type == 1);
    CHECK(map[1].addr == 0x100000 && map[1].size == (31 << 20));
    for (u32 i = 0; i < info->memmap_entries; i++)
        pages += map[i].size >> 12;
    CHECK_EQ(l.pages, pages); /* current_reservation must say the same */
}

static void test_modules(void)
{
    static u8 bytes[10000];
    const struct hvm_start_info *info;
    const struct hvm_modlist_entry *m;

    make_image(0);
    r.module_count = 2;
    r.module[0] = (struct layout_module){bytes, sizeof(bytes), "first one"};
    r.module[1] = (struct layout_module){bytes, 1, NULL};
    CHECK(layout_make(&l, &r)); /* physical 0 is an address like others */
    info = (const void *)l.info;
    CHECK_EQ(info->nr_modules, 2);
    m = (const void *)(l.info + info->modlist_paddr - l.info_at);
    CHECK_EQ(m[0].size, 10000);
    CHECK(strcmp((char *)l.info + m[0].cmdline_paddr - l.info_at, "first one") == 0);
    CHECK_EQ(m[1].cmdline_paddr, 0);
    CHECK(m[0].paddr >= l.info_at + l.info_len && m[1].paddr >= m[0].paddr + 10000);
    CHECK(piece_at(m[0].paddr) && piece_at(m[1].paddr));
    r.module[0].size = 64 << 20;
    CHECK(!layout_make(&l, &r) && strstr(l.why, "does not fit"));
}

static void test_memory_above_four_gib(void)
{
    make_image(0x100000);
    r.memory = 5ull << 30;
    CHECK(layout_make(&l, &r));
    CHECK_EQ(l.range[l.range_count - 1].base, 1ull << 32);
    CHECK_EQ(l.range[l.range_count - 1].size, (5ull << 30) - 0xf0000000);
}

static u8 sum(const u8 *at, size_t len)
{
    u8 total = 0;

    while (len--)
        total = (u8)(total + *at++);
    return total;
}

static void test_acpi_tables_sum_to_zero(void)
{
    u64 xsdt, at;
    u32 len;

    make_image(0x100000);
    r.vcpus = 128;
    CHECK(layout_make(&l, &r));
    CHECK(sum(l.rsdp, 20) == 0 && sum(l.rsdp, 36) == 0);
    memcpy(&xsdt, l.rsdp + 24, 8);
    memcpy(&len, l.acpi + xsdt - LAYOUT_ACPI_AT + 4, 4);
    CHECK(len == 52 && sum(l.acpi + xsdt - LAYOUT_ACPI_AT, len) == 0);
    for (u32 i = 0; i < 2; i++) {
        memcpy(&at, l.acpi + xsdt - LAYOUT_ACPI_AT + 36 + i * 8, 8);
        at -= LAYOUT_ACPI_AT;
        memcpy(&len, l.acpi + at + 4, 4);
        CHECK(at + len <= sizeof(l.acpi) && sum(l.acpi + at, len) == 0);
        CHECK(memcmp(l.acpi + at, i ? "APIC" : "FACP", 4) == 0);
    }
    CHECK_EQ(len, 44 + 128 * 8);
}

static void refused(const char *says)
{
    CHECK(!layout_make(&l, &r));
    if (!strstr(l.why, says)) {
        printf("it says: %s\n", l.why);
        CHECK(!"the sentence");
    }
}

static void test_bad_images_are_told_why(void)
{
    make_image(0x100000);
    image.n.type = XEN_ELFNOTE_ENTRY;
    refused("kernel for Xen PV");
    make_image(0x100000);
    image.n.type = 99;
    refused("lacks Xen's ELF note PHYS32_ENTRY (18)");
    make_image(0x100000);
    image.n.value = 0x200000;
    refused("lies in no load segment");
    make_image(0x100000);
    image.load.p_memsz = 64 << 20;
    refused("does not lie in the domain's memory of 32768 KiB");
    make_image(0xa0000); /* the hole */
    refused("does not lie in the domain's memory");
    make_image(0x100000);
    image.load.p_type = PT_NULL;
    refused("");
    make_image(0x100000);
    r.image_size = 10;
    refused("the image: ");
    r.image = "\x1f\x8b\x08";
    r.image_size = 3;
    refused("compressed by gzip");
    make_image(0x100000);
    r.vcpus = 0;
    refused("vCPUs");
    make_image(0x100000);
    r.memory = 12345;
    refused("whole pages");
}

TESTS(CASE(test_what_a_guest_finds), CASE(test_modules), CASE(test_memory_above_four_gib),
      CASE(test_acpi_tables_sum_to_zero), CASE(test_bad_images_are_told_why))

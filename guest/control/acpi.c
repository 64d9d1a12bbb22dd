/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "guest/control/acpi.h"

struct PACKED header {
    char signature[4];
    u32 length;
    u8 revision, checksum;
    char oem[6], oem_table[8];
    u32 oem_revision;
    char creator[4];
    u32 creator_revision;
};
_Static_assert(sizeof(struct header) == 36, "ACPI 5.2.6");

struct PACKED address {
    u8 space, width, offset, access;
    u64 at;
};

struct PACKED fadt {
    struct header h;
    u32 facs, dsdt;
    u8 reserved, profile;
    u16 sci;
    u32 smi_command;
    u8 acpi_enable, acpi_disable, s4bios, pstate;
    u32 pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
    u8 pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len, gpe0_len, gpe1_len,
        gpe1_base;
    u8 cstate;
    u16 c2_latency, c3_latency, flush_size, flush_stride;
    u8 duty_offset, duty_width, day_alarm, month_alarm, century;
    u16 boot_flags;
    u8 reserved2;
    u32 flags;
    struct address reset;
    u8 reset_value;
    u16 arm_flags;
    u8 minor;
    u64 x_facs, x_dsdt;
    struct address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
        x_pm_timer, x_gpe0, x_gpe1, sleep_control, sleep_status;
    u64 hypervisor;
};
_Static_assert(sizeof(struct fadt) == 276, "ACPI 5.2.9");

struct PACKED facs {
    char signature[4];
    u32 length, hardware, waking, lock, flags;
    u64 x_waking;
    u8 version, reserved[31];
};
_Static_assert(sizeof(struct facs) == 64, "ACPI 5.2.10");

struct PACKED madt_apic {
    u8 type, length, processor, apic;
    u32 flags;
};

struct PACKED rsdp {
    char signature[8];
    u8 checksum;
    char oem[6];
    u8 revision;
    u32 rsdt, length;
    u64 xsdt;
    u8 extended_checksum, reserved[3];
};
_Static_assert(sizeof(struct rsdp) == ACPI_RSDP_LEN, "ACPI 5.2.5.3");

/* Where Xen's PVH guests find the (absent) power management ports. */
enum { PM1A_EVENT = 0xb000, PM1A_CONTROL = 0xb004, PM_TIMER = 0xb008, GPE0 = 0xafe0, SCI = 9 };
enum { WBINVD = 1 << 0, C1 = 1 << 2, PWR_BUTTON = 1 << 4, SLP_BUTTON = 1 << 5, RTC = 1 << 6 };
enum { NO_VGA = 1 << 2, NO_RTC = 1 << 5, LAPIC_ADDRESS_LOW = 0xfee00000, APIC_ENABLED = 1 };
enum { FACS_AT = 0, DSDT_AT = 64, SPACE_IO = 1 };

static u8 checksum(const void *at, size_t len)
{
    const u8 *bytes = at;
    u8 sum = 0;

    for (size_t i = 0; i < len; i++)
        sum = (u8)(sum + bytes[i]);
    return (u8)-sum;
}

static void finish(struct header *h, const char *signature, u8 revision, size_t len)
{
    memcpy(h->signature, signature, 4);
    memcpy(h->oem, "OSMOSS", 6);
    memcpy(h->oem_table, "OSMOSPVH", 8);
    memcpy(h->creator, "OSMO", 4);
    h->length = (u32)len;
    h->revision = revision;
    h->oem_revision = h->creator_revision = 1;
    h->checksum = 0;
    h->checksum = checksum(h, len);
}

static struct address io(u32 port, u8 bytes)
{
    return (struct address){.space = SPACE_IO, .width = (u8)(bytes * 8), .at = port};
}

static void make_fadt(struct fadt *f, u32 base)
{
    *f = (struct fadt){.facs = base + FACS_AT,
                       .dsdt = base + DSDT_AT,
                       .sci = SCI,
                       .pm1a_event = PM1A_EVENT,
                       .pm1a_control = PM1A_CONTROL,
                       .pm_timer = PM_TIMER,
                       .gpe0 = GPE0,
                       .pm1_event_len = 4,
                       .pm1_control_len = 2,
                       .pm_timer_len = 4,
                       .gpe0_len = 4,
                       .c2_latency = 0xfff,
                       .c3_latency = 0xfff,
                       .boot_flags = NO_VGA | NO_RTC,
                       .flags = WBINVD | C1 | PWR_BUTTON | SLP_BUTTON | RTC,
                       .x_facs = base + FACS_AT,
                       .x_dsdt = base + DSDT_AT,
                       .minor = 1,
                       .x_pm1a_event = io(PM1A_EVENT, 4),
                       .x_pm1a_control = io(PM1A_CONTROL, 2),
                       .x_pm_timer = io(PM_TIMER, 4),
                       .x_gpe0 = io(GPE0, 4)};
    finish(&f->h, "FACP", 5, sizeof(*f));
}

/* Like Xen's, local APIC ids are twice the vCPU's number. */
static size_t make_madt(u8 *at, u32 vcpus)
{
    size_t len = sizeof(struct header) + 8;
    u32 lapic = LAPIC_ADDRESS_LOW;

    memcpy(at + sizeof(struct header), &lapic, sizeof(lapic));
    for (u32 i = 0; i < vcpus; i++) {
        struct madt_apic a = {0, sizeof(a), (u8)i, (u8)(i * 2), APIC_ENABLED};

        memcpy(at + len, &a, sizeof(a));
        len += sizeof(a);
    }
    finish((struct header *)(void *)at, "APIC", 4, len);
    return len;
}

size_t acpi_build(u8 *to, u8 *rsdp, u32 base, u32 vcpus)
{
    size_t fadt_at = DSDT_AT + ALIGN_UP(sizeof(struct header), 16);
    size_t madt_at = fadt_at + ALIGN_UP(sizeof(struct fadt), 16), xsdt_at, len;
    struct facs facs = {.signature = "FACS", .length = sizeof(facs), .version = 2};
    struct rsdp r = {
        .signature = "RSD PTR ", .oem = "OSMOSS", .revision = 2, .length = sizeof(r)};
    u64 entries[2] = {base + fadt_at, base + madt_at};

    memset(to, 0, ACPI_TABLES_ROOM);
    memcpy(to + FACS_AT, &facs, sizeof(facs));
    finish((struct header *)(void *)(to + DSDT_AT), "DSDT", 2, sizeof(struct header));
    make_fadt((struct fadt *)(void *)(to + fadt_at), base);
    xsdt_at = ALIGN_UP(madt_at + make_madt(to + madt_at, vcpus), 16);
    len = xsdt_at + sizeof(struct header) + sizeof(entries);
    memcpy(to + xsdt_at + sizeof(struct header), entries, sizeof(entries));
    finish((struct header *)(void *)(to + xsdt_at), "XSDT", 1,
           sizeof(struct header) + sizeof(entries));
    r.xsdt = base + xsdt_at;
    r.checksum = checksum(&r, 20);
    r.extended_checksum = checksum(&r, sizeof(r));
    memcpy(rsdp, &r, sizeof(r));
    return len;
}

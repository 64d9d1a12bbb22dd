/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structures that a guest finds or places: start information with its modules, vcpu_info
 * wherever it is wanted, FIFO event channels. What is placed stays, so these come last.
 */
#include "base/format.h"
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"
#include <xen/arch-x86/hvm/start_info.h>

enum { PAGE = 4096, INFO_AT = 1024, PENDING_BIT = 31, LINKED_BIT = 29, LINK = (1 << 17) - 1 };

static u8 info_page[PAGE] __attribute__((aligned(4096)));
static u8 control_page[PAGE] __attribute__((aligned(4096)));
static volatile u32 words[PAGE / 4] __attribute__((aligned(4096)));

static bool sums_to_0(const u8 *at, u32 len)
{
    u8 sum = 0;

    while (len--)
        sum = (u8)(sum + *at++);
    return !sum;
}

static void check_map(const struct hvm_start_info *info)
{
    const struct hvm_memmap_table_entry *e = (const void *)(word)info->memmap_paddr;
    u32 count = info->memmap_entries, apart = 0;
    u64 ram = 0;

    for (u32 i = 0; i < count; i++) {
        u32 others = 0;

        for (u32 k = 0; k < count; k++)
            others += k == i || e[k].addr + e[k].size <= e[i].addr ||
                      e[i].addr + e[i].size <= e[k].addr;
        apart += others == count && e[i].size;
        if (e[i].type == XEN_HVM_MEMMAP_TYPE_RAM)
            ram += e[i].size;
    }
    CHECK("start: no two entries of the map have the same place", count > 2 && apart == count);
    CHECK("start: RAM", ram >= 24ull << 20 && ram <= 33ull << 20);
}

/* Its name, and behind that bytes that say where they stand. */
static bool is_module(const u8 *at, u64 size, u32 number)
{
    char name[16];
    size_t len = format(name, sizeof(name), "module %u", number);

    if (size < len || memcmp(at, name, len) != 0)
        return false;
    for (size_t i = len; i < size; i++)
        if (at[i] != (u8)(i % 251 + number))
            return false;
    return true;
}

static void check_modules(const struct hvm_start_info *info)
{
    const struct hvm_modlist_entry *m = (const void *)(word)info->modlist_paddr;
    u32 good = 0;

    for (u32 i = 0; i < info->nr_modules; i++)
        good += !m[i].reserved && !(m[i].paddr & (PAGE - 1)) &&
                is_module((const u8 *)(word)m[i].paddr, m[i].size, i);
    CHECK_EQ("start: each module is what was given", good, info->nr_modules);
}

static void check_start(const struct hvm_start_info *info)
{
    const char *line = (const char *)(word)info->cmdline_paddr;
    const u8 *rsdp = (const u8 *)(word)info->rsdp_paddr;

    CHECK("start: version", info->version >= 1);
    CHECK_EQ("start: no privilege", info->flags, 0);
    while (line && *line == ' ') /* of xl */
        line++;
    CHECK("start: command line", line && !strncmp(line, "words of a line", 15));
    CHECK("start: ACPI", !memcmp(rsdp, "RSD PTR ", 8) && sums_to_0(rsdp, 20));
    check_map(info);
    check_modules(info);
}

static u32 open_ipi(void)
{
    struct evtchn_bind_ipi ipi = {.vcpu = 0};

    CALL2(event_channel_op, EVTCHNOP_bind_ipi, &ipi);
    return ipi.port;
}

static long send(u32 port)
{
    return CALL2(event_channel_op, EVTCHNOP_send, &(struct evtchn_send){.port = port});
}

static void check_vcpu_info(void)
{
    volatile struct vcpu_info *info = (volatile struct vcpu_info *)(info_page + INFO_AT);
    struct vcpu_register_vcpu_info place = {.mfn = (word)info_page >> 12, .offset = PAGE - 32};
    u32 port = open_ipi();

    CHECK_EQ("vcpu_info: not across a page's end",
             CALL3(vcpu_op, VCPUOP_register_vcpu_info, 0, &place), -XEN_ENXIO);
    place = (struct vcpu_register_vcpu_info){.mfn = 0xd0000, .offset = INFO_AT};
    CHECK_EQ("vcpu_info: not where there is no memory",
             CALL3(vcpu_op, VCPUOP_register_vcpu_info, 0, &place), -XEN_EINVAL);
    place.mfn = (word)info_page >> 12;
    CHECK_EQ("vcpu_info: placed", CALL3(vcpu_op, VCPUOP_register_vcpu_info, 0, &place), 0);
    CHECK("vcpu_info: has the time", info->time.tsc_to_system_mul && !(info->time.version & 1));
    CHECK("vcpu_info: all is looked at once",
          info->evtchn_upcall_pending && info->evtchn_pending_sel);
    info->evtchn_upcall_pending = 0;
    info->evtchn_pending_sel = 0;
    CHECK_EQ("vcpu_info: an event", send(port), 0);
    CHECK("vcpu_info: is told there",
          info->evtchn_upcall_pending && info->evtchn_pending_sel == 1);
    CHECK_EQ("vcpu_info: placed once only",
             CALL3(vcpu_op, VCPUOP_register_vcpu_info, 0, &place), -XEN_EINVAL);
}

static void check_fifo(void)
{
    const volatile struct evtchn_fifo_control_block *control = (const void *)control_page;
    struct evtchn_init_control init = {.control_gfn = (word)control_page >> 12};
    struct evtchn_expand_array array = {.array_gfn = 0xd0000};
    struct evtchn_set_priority priority = {.priority = 3};
    u32 one = open_ipi(), two = open_ipi(), at;

    CHECK_EQ("fifo: switched on", CALL2(event_channel_op, EVTCHNOP_init_control, &init), 0);
    CHECK_EQ("fifo: no array where there is no memory",
             CALL2(event_channel_op, EVTCHNOP_expand_array, &array), -XEN_EINVAL);
    array.array_gfn = (word)words >> 12;
    CHECK_EQ("fifo: its array", CALL2(event_channel_op, EVTCHNOP_expand_array, &array), 0);
    words[one] = words[two] = 0;
    CHECK_EQ("fifo: an event", send(one), 0);
    CHECK_EQ("fifo: another", send(two), 0);
    CHECK("fifo: pending and linked",
          words[one] >> PENDING_BIT && words[one] >> LINKED_BIT & 1);
    CHECK("fifo: a queue is ready", control->ready & 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
    /* What was pending before may stand in front. */
    for (at = control->head[EVTCHN_FIFO_PRIORITY_DEFAULT]; at && at != one;)
        at = words[at] & LINK;
    CHECK_EQ("fifo: its head leads there", at, one);
    CHECK_EQ("fifo: then the other", words[one] & LINK, two);
    priority.port = open_ipi();
    CHECK_EQ("fifo: a priority", CALL2(event_channel_op, EVTCHNOP_set_priority, &priority), 0);
    CHECK_EQ("fifo: an event of that priority", send(priority.port), 0);
    CHECK_EQ("fifo: has a queue of its own", control->head[3], priority.port);
    priority.priority = 16;
    CHECK_EQ("fifo: there are 16 priorities",
             CALL2(event_channel_op, EVTCHNOP_set_priority, &priority), -XEN_EINVAL);
}

void check_placing(const struct hvm_start_info *info)
{
    check_start(info);
    check_vcpu_info();
    check_fifo();
}

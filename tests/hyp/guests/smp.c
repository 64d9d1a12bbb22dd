/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second vCPU started as on a PC: INIT and SIPI through the local APIC's x2APIC
 * registers, 16-bit real mode at the vector's page, under nested paging. It answers in
 * memory and halts; then an IPI comes back from it. Started once more, it comes to long mode,
 * and both map and unmap one grant at once (F22), which of one handle one of them can.
 */
#include "tests/hyp/guests/child.h"
#include "base/memory.h"

enum { START = 0x8000, ANSWER = 0x7000, ICR = 0x830, SVR = 0x80f, EOI = 0x80b, VECTOR = 0x50 };
enum { TABLES = 0x7010, SEGMENTS = 0x7018, REF = 8, TURNS = 200, LOOKS = 2000 };
#define HOLE   0xc0000000ull /* without RAM, and in the identity map */
#define IN_USE (GTF_reading | GTF_writing)

/* In real mode: word at 0x7000 = 0x1234, then wrmsr ICR: fixed VECTOR to APIC id 0, hlt. */
__asm__("real_start:\n\t"
        ".code16\n\t"
        "xor %ax, %ax\n\t"
        "mov %ax, %ds\n\t"
        "movw $0x1234, 0x7000\n\t"
        "mov $0x1b, %ecx\n\t"
        "rdmsr\n\t"
        "or $0xc00, %eax\n\t"
        "wrmsr\n\t"
        "mov $0x80f, %ecx\n\t"
        "mov $0x1ff, %eax\n\t"
        "xor %edx, %edx\n\t"
        "wrmsr\n\t"
        "mov $0x830, %ecx\n\t"
        "mov $0x50, %eax\n\t"
        "wrmsr\n\t"
        "movw $0x5678, 0x7002\n\t"
        "1: cli\n\t"
        "hlt\n\t"
        "jmp 1b\n\t"
        ".code64\n"
        "real_end:");
/* In real mode: on to the first one's tables and segments, a stack of its own, and `second`. */
__asm__("long_start:\n\t"
        ".code16\n\t"
        "cli\n\t"
        "xor %ax, %ax\n\t"
        "mov %ax, %ds\n\t"
        "mov $0x6a0, %eax\n\t"
        "mov %eax, %cr4\n\t"
        "mov 0x7010, %eax\n\t"
        "mov %eax, %cr3\n\t"
        "mov $0xc0000080, %ecx\n\t"
        "rdmsr\n\t"
        "or $0x900, %eax\n\t"
        "wrmsr\n\t"
        "lgdtl 0x7018\n\t"
        "mov %cr0, %eax\n\t"
        "or $0x80010003, %eax\n\t"
        "mov %eax, %cr0\n\t"
        "ljmpl $0x08, $long_mode\n"
        "long_end:\n\t"
        ".code64\n"
        "long_mode:\n\t"
        "mov $0x10, %eax\n\t"
        "mov %eax, %ds\n\t"
        "mov %eax, %es\n\t"
        "mov %eax, %ss\n\t"
        "mov $second_stack + 16384, %rsp\n\t"
        "call second\n\t"
        "1: cli\n\t"
        "hlt\n\t"
        "jmp 1b");
extern u8 real_start[], real_end[], long_start[], long_end[];
extern u8 second_stack[];
u8 second_stack[16384] __attribute__((aligned(16)));
void second(void);
static volatile u32 interrupts;
static struct grant_entry_v1 table[512] __attribute__((aligned(4096)));
static volatile u64 lent[512] __attribute__((aligned(4096)));
static u64 met, ended;
static volatile u32 shared_handle, released;
static u64 wrong[2];

static void interrupt(struct trap *t)
{
    (void)t;
    interrupts++;
    write_msr(EOI, 0);
}

static void start(u8 *code, const u8 *end)
{
    memcpy((void *)START, code, (size_t)(end - code));
    write_msr(ICR, 2ull << 32 | 0x4500);               /* INIT to APIC id 2: vCPU 1 */
    write_msr(ICR, 2ull << 32 | 0x4600 | START >> 12); /* SIPI */
}

/* Until the other one has come as far; alone on its processor it lets that one run. */
static void meet(void)
{
    u64 all = (__atomic_fetch_add(&met, 1, __ATOMIC_SEQ_CST) / 2 + 1) * 2;

    for (u64 i = 0; __atomic_load_n(&met, __ATOMIC_SEQ_CST) < all; i++)
        if (i % LOOKS == LOOKS - 1)
            CALL2(sched_op, SCHEDOP_yield, NULL);
}

static s16 map(u32 who, u32 *handle)
{
    struct gnttab_map_grant_ref m = {.host_addr = HOLE + who * 4096,
                                     .dom = DOMID_SELF,
                                     .flags = GNTMAP_host_map,
                                     .ref = REF};

    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, (u64)&m, 1, 0, 0);
    *handle = m.handle;
    return m.status;
}

static s16 unmap(u32 who, u32 handle)
{
    struct gnttab_unmap_grant_ref u = {.host_addr = HOLE + who * 4096, .handle = handle};

    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, (u64)&u, 1, 0, 0);
    return u.status;
}

/* Somebody has it all the while, so it is in use: others' letting go does not change that. */
static void each_its_own(u32 who)
{
    const volatile u64 *seen = (const volatile u64 *)(HOLE + who * 4096);
    u32 handle;

    for (u32 i = 0; i < TURNS; i++) {
        wrong[who] += map(who, &handle) != GNTST_okay;
        lent[who + 1] = i;
        wrong[who] += seen[0] != REF || seen[who + 1] != i;
        wrong[who] += (__atomic_load_n(&table[REF].flags, __ATOMIC_SEQ_CST) & IN_USE) != IN_USE;
        wrong[who] += unmap(who, handle) != GNTST_okay;
        wrong[who] += (__atomic_load_n(&table[REF].flags, __ATOMIC_SEQ_CST) & IN_USE) != IN_USE;
    }
}

static void both_the_same(u32 who)
{
    u32 handle;

    for (u32 i = 0; i < TURNS; i++) {
        if (!who) {
            wrong[0] += map(2, &handle) != GNTST_okay;
            shared_handle = handle;
        }
        meet();
        if (unmap(2, shared_handle) == GNTST_okay)
            __atomic_fetch_add(&released, 1, __ATOMIC_SEQ_CST);
        meet();
        wrong[who] += released != i + 1 || table[REF].flags != GTF_permit_access;
        meet();
    }
}

static void race(u32 who)
{
    u32 held = 0;

    if (!who)
        wrong[0] += map(3, &held) != GNTST_okay;
    meet();
    each_its_own(who);
    meet();
    if (!who)
        wrong[0] += unmap(3, held) != GNTST_okay;
    both_the_same(who);
    __atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST);
}

/* The second one's; it leaves alone what only one may use, such as the console. */
void second(void)
{
    race(1);
}

static void one_grant_of_two(void)
{
    u64 root;

    __asm__("mov %%cr3, %0" : "=r"(root));
    *(volatile u32 *)TABLES = (u32)root;
    __asm__ volatile("sgdt %0" : "=m"(*(u8(*)[10])SEGMENTS));
    EXPECT(place_page(XENMAPSPACE_grant_table, table) == 0);
    lent[0] = REF;
    table[REF] = (struct grant_entry_v1){
        .flags = GTF_permit_access, .domid = 0, .frame = (u32)((u64)lent >> 12)};
    start(long_start, long_end);
    race(0);
    while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) < 2)
        CALL2(sched_op, SCHEDOP_yield, NULL);
    print("%u turns, %u let go, %lu and %lu wrong\n", TURNS, released, wrong[0], wrong[1]);
    EXPECT(wrong[0] + wrong[1] == 0 && released == TURNS);
    EXPECT(table[REF].flags == GTF_permit_access);
}

void test_main(const struct hvm_start_info *info)
{
    volatile u16 *answer = (volatile u16 *)ANSWER;

    (void)info;
    on_trap(VECTOR, interrupt);
    answer[0] = answer[1] = 0;
    write_msr(0x1b, read_msr(0x1b) | 0xc00);
    write_msr(SVR, 0x1ff);
    __asm__ volatile("sti");
    start(real_start, real_end);
    for (u64 i = 0; i < 4000000 && (!interrupts || answer[1] != 0x5678); i++)
        __builtin_ia32_pause();
    EXPECT(answer[0] == 0x1234);
    EXPECT(answer[1] == 0x5678);
    EXPECT(interrupts == 1);
    one_grant_of_two();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ABI suite's kernels share. One set of sources makes four kernels: 64-bit code, and
 * 32-bit code with PAE, with 4 MiB pages, and without paging (LEVELS 4, 3, 2, 0). Each check
 * prints a line, "ok NAME" or "FAIL NAME: what was seen", that does not depend on the machine,
 * so that the same kernel says the same on Osmosis and on Xen. Instructions are tried as
 * snippets: run with chosen registers at ring 0 or 3, exceptions recorded.
 */
#ifndef TESTS_HYP_SUITE_SUITE_H
#define TESTS_HYP_SUITE_SUITE_H

#include "base/types.h"
#include "hyp/abi/xen.h"

#ifndef LEVELS /* for tools that read a file by itself; the build says which */
#define LEVELS 4
#endif

typedef unsigned long word; /* of the kernel's own width */
#ifdef __x86_64__
#define R(name) "%r" #name /* a register of that width, in a snippet's text */
#else
#define R(name) "%e" #name
#endif

enum { DE, DB, NMI, BP, OF, BR, UD, NM, DF, TS = 10, NP, SS, GP, PF, MF = 16, AC, MC, XM };
enum {
    CODE = 0x08,
    DATA = 0x10,
    USER_CODE = 0x1b,
    USER_DATA = 0x23,
    CODE32 = 0x28,
    TSS = 0x30
};
enum { TSS_DF = 0x40, SPARE = 0x48, SPARE2 = 0x50, USER_CODE32 = 0x5b };
enum { TF = 0x100, CARRY = 1, RF = 0x10000 };

struct frame {
#ifdef __x86_64__
    word r15, r14, r13, r12, r11, r10, r9, r8;
#endif
    word bp, di, si, dx, cx, bx, ax;
    word vector, error, ip, cs, flags, sp, ss; /* the last two: 32-bit only from ring 3 */
};

/* --- output ------------------------------------------------------------------------------ */

void console_init(void);
void print(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Prints the line of one check. The format says what was seen, and is shown on failure. */
void verdict(bool ok, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define CHECK_EQ(name, value, wanted)                                                 \
    do {                                                                              \
        s64 got_ = (s64)(value), want_ = (s64)(wanted);                               \
        verdict(got_ == want_, name, "%llx, expected %llx", (unsigned long long)got_, \
                (unsigned long long)want_);                                           \
    } while (0)
#define CHECK(name, cond) verdict(cond, name, "not %s", #cond)
void finish(void) NORETURN;
/* The last word of the command line is "careful": what ends a guest of Xen under QEMU, where
 * neither checks it, is left out. */
extern bool careful;

/* --- hypercalls ---------------------------------------------------------------------------- */

extern u8 hypercall_page[4096];
long hypercall(u32 nr, word a, word b, word c, word d, word e);
long get_param(u32 index, u64 *value);
#define CALL2(nr, a, b)    hypercall(__HYPERVISOR_##nr, (word)(a), (word)(b), 0, 0, 0)
#define CALL3(nr, a, b, c) hypercall(__HYPERVISOR_##nr, (word)(a), (word)(b), (word)(c), 0, 0)

/* --- exceptions and snippets --------------------------------------------------------------- */

enum { SEEN_MOST = 8, RING_3 = 1, TRAPS_ON = 2 };
struct seen {
    u8 vector;
    u16 error;
    s32 at; /* from the snippet's first byte */
    u32 dr6, flags;
};
struct registers {
    word ax, bx, cx, dx, si, di, r10, r8;
};
struct outcome {
    u32 count;
    struct seen seen[SEEN_MOST];
    struct registers out;
    bool ended; /* by its own return, not by a fault */
};
/* A piece of code of its own, ending with a return; known in C by its name. */
#define SNIPPET(name, text)                                                       \
    extern const u8 name[];                                                       \
    __asm__(".pushsection .text.snippet, \"ax\"\n" #name ":\n\t" text "\n\tret\n" \
            ".popsection")
/* Runs it. #DB, #BP and #OF are recorded and gone on from; any other exception ends it. */
struct outcome try_snippet(const u8 *code, const struct registers *in, u32 how);
/* The first exception: vector << 16 | error; 0: none. */
u32 first_fault(const struct outcome *o);
#define FAULT(vector, error) ((u32)(vector) << 16 | (error))
#define ANY_ERROR            (1u << 31) /* emulators differ in the error code: not compared */
/* Tries it and compares the first exception, and where it came. */
void expect_fault(const char *name, const u8 *code, const struct registers *in, u32 how,
                  u32 fault);
/* Called for vectors that a check has taken for itself; true: handled, go on. */
extern bool (*exception_hook)(struct frame *f);

bool read_msr(u32 msr, u64 *value);
bool write_msr(u32 msr, u64 value);
void get_cpuid(u32 leaf, u32 sub, u32 r[4]);
word read_cr(u32 n);
bool feature(u32 leaf, u32 reg, u32 bit); /* of CPUID: reg 0 = eax */
/* The page of 2 or 4 MiB at an address is what `entry` says; 0: nothing. */
void map_large(word at, u32 entry);
void traps_init(void);

/* --- tables that checks change ------------------------------------------------------------- */

extern u64 gdt[];
void set_idt_present(u32 vector, bool present);
void set_idt_dpl(u32 vector, u32 dpl);
void set_idt_task(u32 vector, u16 selector);
void set_descriptor(u16 selector, u32 base, u32 limit, u16 attributes);
struct PACKED tss32 {
    u32 link, esp0, ss0, stacks[4], cr3, eip, eflags;
    u32 eax, ecx, edx, ebx, esp, ebp, esi, edi, es, cs, ss, ds, fs, gs, ldt;
    u16 trap, bitmap;
};
#ifndef __x86_64__
extern struct tss32 tss_main;
#endif

/* The groups of checks, in the order in which they run. */
void check_xen(u32 base, u32 page_msr);
void check_calls(void);
void check_grants(u32 base);
void check_instructions(void);
void check_registers(void);
void check_ports(void);
void check_debug(void);
void check_apic(void);
void check_tasks(void);
void check_store(void);
/* Prints what every hypercall answers, then powers off. */
void survey(void) NORETURN;
/* Does what the word says, if it is one for an end; then it does not return. */
void end_by(const char *how);
struct hvm_start_info;
void check_placing(const struct hvm_start_info *info);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children of the hosted machine: their memory is what the parent mapped, every system
 * call and privileged instruction stops them and does nothing else, and nothing of the
 * node is left inside.
 *
 * Rows H13 (refusals, each by its own fault), and the hosted half of DP01: a child
 * cannot open a file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "guest/machine/hosted/child.h"
#include "guest/machine/hosted/stub.h"
#include "tests/check.h"

enum { PAGE = 4096, CODE = 0x400000, DATA = 0x500000, PAGES = 16 };

static struct child child;
static u8 *memory;
static int memory_fd;

static void start(void)
{
    memory_fd = memfd_create("test", MFD_CLOEXEC);
    CHECK(memory_fd >= 0 && ftruncate(memory_fd, PAGES * PAGE) == 0);
    memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
    CHECK(memory != MAP_FAILED);
    CHECK(child_create(&child, memory_fd));
}

static void stop(void)
{
    child_destroy(&child);
    munmap(memory, PAGES * PAGE);
    close(memory_fd);
}

/* Puts code at the code page and points the child at it. */
static void load(const void *code, size_t len)
{
    memcpy(memory, code, len);
    CHECK(child_map(&child, CODE, PAGE, 0, CHILD_READ | CHILD_EXECUTE));
    child.regs.rip = CODE;
    child.registers_changed = true;
}

static void test_privileged_instructions(void)
{
    static const struct {
        u8 code[8];
        u32 vector;
    } cases[] = {
        {{0xf4}, 13},             /* hlt */
        {{0xe4, 0x60}, 13},       /* in al, 0x60 */
        {{0xfa}, 13},             /* cli */
        {{0x0f, 0x31}, 13},       /* rdtsc */
        {{0x0f, 0x01, 0xf9}, 13}, /* rdtscp */
        {{0x0f, 0x0b}, 6},        /* ud2 */
        {{0xcc}, 3},              /* int3 */
    };

    start();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        load(cases[i].code, sizeof cases[i].code);
        CHECK_EQ(child_run(&child), CHILD_EXCEPTION);
        CHECK_EQ(child.vector, cases[i].vector);
    }
    stop();
}

static void test_page_faults(void)
{
    static const u8 store[] = {0x88, 0x07}; /* mov [rdi], al */
    static const u8 jump[] = {0xff, 0xe7};  /* jmp rdi */

    start();
    load(store, sizeof store);
    child.regs.rdi = DATA + 5;
    child.regs.rax = 42;
    CHECK_EQ(child_run(&child), CHILD_EXCEPTION);
    CHECK_EQ(child.vector, 14);
    CHECK_EQ(child.address, DATA + 5);
    CHECK(child_map(&child, DATA, PAGE, PAGE, CHILD_READ));
    CHECK_EQ(child_run(&child), CHILD_EXCEPTION);
    CHECK(child_map(&child, DATA, PAGE, PAGE, CHILD_READ | CHILD_WRITE));
    CHECK_EQ(child_run(&child), CHILD_EXCEPTION); /* what lies behind the store */
    CHECK_EQ(memory[PAGE + 5], 42);
    load(jump, sizeof jump);
    child.regs.rdi = DATA;
    CHECK_EQ(child_run(&child), CHILD_EXCEPTION);
    CHECK_EQ(child.address, DATA); /* data is not code */
    CHECK(child_unmap(&child, DATA, PAGE));
    load(store, sizeof store);
    child.regs.rdi = DATA;
    CHECK_EQ(child_run(&child), CHILD_EXCEPTION);
    CHECK_EQ(child.address, DATA);
    stop();
}

static void test_system_calls_do_nothing(void)
{
    static const u8 code[] = {0x0f, 0x05, 0xcd, 0x80, 0xeb, 0xfa};
    static const char path[] = "/tmp";
    static const long calls[] = {SYS_openat, SYS_open, SYS_socket,     SYS_mmap, SYS_munmap,
                                 SYS_execve, SYS_fork, SYS_exit_group, SYS_kill, SYS_write};
    char fds[64];

    start();
    load(code, sizeof code);
    memcpy(memory + PAGE, path, sizeof path);
    CHECK(child_map(&child, DATA, PAGE, PAGE, CHILD_READ));
    snprintf(fds, sizeof fds, "/proc/%d/fd/4", child.pid);
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        child.regs.rip = CODE + (i & 1 ? 2 : 0); /* syscall or int 0x80 */
        child.regs.rax = (u64)calls[i];
        child.regs.rdi = DATA;
        child.regs.rsi = DATA;
        child.registers_changed = true;
        CHECK_EQ(child_run(&child), CHILD_SYSCALL);
        CHECK_EQ(child.regs.rip, CODE + (i & 1 ? 4 : 2));
        CHECK(access(fds, F_OK) != 0);
    }
    stop();
}

/* The child may jump into the stub; its system call still only stops it. */
static void test_stub_is_no_way_out(void)
{
    start();
    child.regs.rip = CHILD_STUB;
    child.registers_changed = true;
    memory[0] = 0;
    CHECK_EQ(child_run(&child), CHILD_EXCEPTION); /* the empty list's breakpoint */
    CHECK_EQ(child.vector, 3);
    child.regs.rip = CHILD_STUB_OPS;
    child.registers_changed = true;
    CHECK_EQ(child_run(&child), CHILD_EXCEPTION); /* the list is not code */
    stop();
}

static void test_nothing_inherited(void)
{
    char path[64], line[256];
    int mappings = 0;
    FILE *maps;

    start();
    snprintf(path, sizeof path, "/proc/%d/maps", child.pid);
    maps = fopen(path, "r");
    CHECK(maps != NULL);
    while (maps && fgets(line, sizeof line, maps))
        mappings += strstr(line, "[vsyscall]") == NULL;
    CHECK_EQ(mappings, 2); /* the stub and its list */
    if (maps)
        fclose(maps);
    stop();
}

static void test_many_pages(void)
{
    static const u8 code[] = {0x8a, 0x07, 0x0f, 0x05}; /* mov al, [rdi]; syscall */

    start();
    load(code, sizeof code);
    for (u64 i = 0; i < 300; i++)
        CHECK(child_map(&child, DATA + i * PAGE, PAGE, (1 + i % 8) * PAGE, CHILD_READ));
    for (u64 i = 0; i < 8; i++)
        memory[(1 + i) * PAGE] = (u8)(i + 100);
    for (u64 i = 0; i < 300; i += 7) {
        child.regs.rip = CODE;
        child.regs.rdi = DATA + i * PAGE;
        child.regs.rax = 0;
        child.registers_changed = true;
        CHECK_EQ(child_run(&child), CHILD_SYSCALL);
        CHECK_EQ(child.regs.orig_rax, 100 + i % 8);
    }
    stop();
}

static void test_killed_from_outside(void)
{
    static const u8 spin[] = {0xeb, 0xfe};

    start();
    load(spin, sizeof spin);
    kill(child.pid, SIGKILL);
    CHECK_EQ(child_run(&child), CHILD_GONE);
    CHECK_EQ(child_run(&child), CHILD_GONE);
    stop();
}

TESTS(CASE(test_privileged_instructions), CASE(test_page_faults),
      CASE(test_system_calls_do_nothing), CASE(test_stub_is_no_way_out),
      CASE(test_nothing_inherited), CASE(test_many_pages), CASE(test_killed_from_outside))

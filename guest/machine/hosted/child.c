/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children by fork, ptrace and seccomp. PTRACE_SYSEMU stops a child at every system call
 * without carrying it out, which is how kernel calls arrive; faults arrive as signals
 * that are never delivered. The child is forked from the node, closes what it inherited,
 * puts the filter on and jumps into the stub, whose first list unmaps all else.
 * See ptrace(2), seccomp(2), rseq in <sys/rseq.h>.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/rseq.h>
#include <linux/seccomp.h>
#include <elf.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "guest/machine/hosted/child.h"
#include "guest/machine/hosted/stub.h"

enum { PAGE = 4096, MEMORY_FD = 3, OPS_MAX = PAGE / CHILD_OP_SIZE - 1 };
enum { SYSCALL_STOP = SIGTRAP | 0x80 };

struct child_op {
    s64 number; /* -1 ends the list */
    u64 args[6];
    u64 pad;
};

_Static_assert(sizeof(struct child_op) == CHILD_OP_SIZE, "the stub steps by this");

extern const u8 child_stub[], child_stub_syscall[], child_stub_end[];

static u64 stub_address(const u8 *label)
{
    return CHILD_STUB + ((u64)label - (u64)child_stub);
}

/* System calls pass only from the stub's instruction, and only those on memory. */
static bool filter(void)
{
    u64 at = stub_address(child_stub_syscall);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 8),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (u32)at, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (u32)(at >> 32), 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {ARRAY_SIZE(code), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Keeps the memory file as MEMORY_FD and nothing else. */
static bool close_files(int memory_fd)
{
    if (memory_fd != MEMORY_FD && dup2(memory_fd, MEMORY_FD) != MEMORY_FD)
        return false;
    return syscall(SYS_close_range, 0, MEMORY_FD - 1, 0) == 0 &&
           syscall(SYS_close_range, MEMORY_FD + 1, ~0u, 0) == 0;
}

/* The host would go on writing into these after the stub has unmapped them. */
static void forget_thread_areas(void)
{
    char *thread = __builtin_thread_pointer();

    if (__rseq_size > 0)
        syscall(SYS_rseq, thread + __rseq_offset, sizeof(struct rseq), RSEQ_FLAG_UNREGISTER,
                RSEQ_SIG);
    syscall(SYS_set_robust_list, NULL, 24);
}

static bool place_stub(struct child_op *ops)
{
    void *code = mmap((void *)CHILD_STUB, PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (code != (void *)CHILD_STUB)
        return false;
    memcpy(code, child_stub, (u64)child_stub_end - (u64)child_stub);
    return mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0 &&
           mremap(ops, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)CHILD_STUB_OPS) ==
               (void *)CHILD_STUB_OPS &&
           mprotect((void *)CHILD_STUB_OPS, PAGE, PROT_READ) == 0;
}

/* The child's whole life before it is a child of ours; no way back from here. */
static NORETURN void become_child(struct child_op *ops, int memory_fd)
{
    if (close_files(memory_fd) && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
        prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0 && place_stub(ops) &&
        ptrace(PTRACE_TRACEME, 0, 0, 0) == 0) {
        forget_thread_areas();
        if (filter())
            ((void (*)(void))CHILD_STUB)();
    }
    _exit(1);
}

static void queue_start(struct child *c)
{
    c->queued = 0;
    c->ops[0].number = -1;
}

static void queue(struct child *c, const struct child_op *op)
{
    c->ops[c->queued] = *op;
    c->ops[++c->queued].number = -1;
}

/* Waits for the next stop of this child; false when it is gone. `kick`: it runs the
 * process's own code, which the node's clock interrupts. */
static bool wait_stop(struct child *c, int *status, bool kick)
{
    for (;;) {
        pid_t got = waitpid(c->pid, status, 0);

        if (got == c->pid && WIFSTOPPED(*status))
            return true;
        if (got == c->pid || errno != EINTR)
            break;
        if (kick)
            kill(c->pid, SIGUSR1);
    }
    c->pid = 0;
    return false;
}

/* A stop at the stub's breakpoint after a list without failures. */
static bool stub_done(struct child *c)
{
    int status;
    struct user_regs_struct r;

    do {
        if (!wait_stop(c, &status, false))
            return false;
        if (WSTOPSIG(status) == SIGTRAP)
            break;
        /* SIGUSR1 that came too late for the run it was meant for. */
    } while (ptrace(PTRACE_CONT, c->pid, 0, 0) == 0);
    if (ptrace(PTRACE_GETREGS, c->pid, 0, &r) != 0)
        return false;
    return r.rip == stub_address(child_stub_end) &&
           r.rbx == CHILD_STUB_OPS + (u64)c->queued * CHILD_OP_SIZE;
}

static bool flush(struct child *c)
{
    struct user_regs_struct r = c->regs;
    bool ok;

    if (c->queued == 0)
        return true;
    r.rip = CHILD_STUB;
    r.orig_rax = ~0ull;
    r.eflags = 0x202;
    if (ptrace(PTRACE_SETREGS, c->pid, 0, &r) != 0 || ptrace(PTRACE_CONT, c->pid, 0, 0) != 0)
        return false;
    ok = stub_done(c);
    queue_start(c);
    c->registers_changed = true;
    return ok;
}

bool child_create(struct child *c, int memory_fd)
{
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;

    *c = (struct child){0};
    c->ops = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c->ops == MAP_FAILED)
        return false;
    queue_start(c);
    queue(c, &(struct child_op){.number = SYS_munmap, .args = {0, CHILD_STUB}});
    queue(c, &(struct child_op){.number = SYS_munmap,
                                .args = {CHILD_STUB_END, CHILD_TOP - CHILD_STUB_END}});
    c->pid = fork();
    if (c->pid == 0)
        become_child(c->ops, memory_fd);
    if (c->pid < 0 || !stub_done(c) || ptrace(PTRACE_SETOPTIONS, c->pid, 0, options) != 0 ||
        ptrace(PTRACE_GETREGS, c->pid, 0, &c->regs) != 0) {
        child_destroy(c);
        return false;
    }
    queue_start(c);
    return true;
}

void child_destroy(struct child *c)
{
    int status;

    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    if (c->ops && c->ops != MAP_FAILED)
        munmap(c->ops, PAGE);
    c->pid = 0;
    c->ops = NULL;
}

bool child_map(struct child *c, u64 at, u64 len, u64 offset, unsigned protection)
{
    u64 bits = (protection & CHILD_READ ? PROT_READ : 0u) |
               (protection & CHILD_WRITE ? PROT_WRITE : 0u) |
               (protection & CHILD_EXECUTE ? PROT_EXEC : 0u);

    if (c->pid == 0 || (c->queued == OPS_MAX && !flush(c)))
        return false;
    queue(c, &(struct child_op){
                 .number = SYS_mmap,
                 .args = {at, len, bits, MAP_SHARED | MAP_FIXED, MEMORY_FD, offset}});
    return true;
}

bool child_unmap(struct child *c, u64 at, u64 len)
{
    if (c->pid == 0 || (c->queued == OPS_MAX && !flush(c)))
        return false;
    queue(c, &(struct child_op){.number = SYS_munmap, .args = {at, len}});
    return true;
}

/* What the host calls a signal, as an x86 vector. */
static u32 vector_of(const siginfo_t *info)
{
    switch (info->si_signo) {
    case SIGSEGV: return info->si_code > 0 && info->si_code != SI_KERNEL ? 14 : 13;
    case SIGBUS: return info->si_code == BUS_ADRALN ? 17 : info->si_code == SI_KERNEL ? 12 : 14;
    case SIGILL: return 6;
    case SIGFPE: return info->si_code == FPE_INTDIV ? 0 : 16;
    case SIGTRAP: return info->si_code == TRAP_TRACE ? 1 : 3;
    default: return 0;
    }
}

static bool is_exception(const siginfo_t *info)
{
    bool kind = info->si_signo == SIGSEGV || info->si_signo == SIGBUS ||
                info->si_signo == SIGILL || info->si_signo == SIGFPE ||
                info->si_signo == SIGTRAP;

    return kind && (info->si_code > 0);
}

static enum child_stop classify(struct child *c, int status)
{
    siginfo_t info;

    if (ptrace(PTRACE_GETREGS, c->pid, 0, &c->regs) != 0)
        return CHILD_GONE;
    if (WSTOPSIG(status) == SYSCALL_STOP)
        return CHILD_SYSCALL;
    if (ptrace(PTRACE_GETSIGINFO, c->pid, 0, &info) != 0)
        return CHILD_GONE;
    if (!is_exception(&info))
        return CHILD_INTERRUPT;
    c->vector = vector_of(&info);
    c->address = c->vector == 14 ? (u64)info.si_addr : 0;
    return CHILD_EXCEPTION;
}

enum child_stop child_run(struct child *c)
{
    int status;

    if (c->pid == 0 || !flush(c))
        return CHILD_GONE;
    if (c->registers_changed) {
        c->regs.orig_rax = ~0ull;
        if (ptrace(PTRACE_SETREGS, c->pid, 0, &c->regs) != 0)
            return CHILD_GONE;
        c->registers_changed = false;
    }
    if (ptrace(PTRACE_SYSEMU, c->pid, 0, 0) != 0 || !wait_stop(c, &status, true))
        return CHILD_GONE;
    return classify(c, status);
}

/* The host's XSAVE image; of a host without that, as in a domain without it, FXSAVE's. */
static const int float_sets[] = {NT_X86_XSTATE, NT_PRFPREG};

size_t child_get_float(const struct child *c, void *image, size_t room)
{
    for (u32 i = 0; i < ARRAY_SIZE(float_sets); i++) {
        struct iovec piece = {image, room};

        if (ptrace(PTRACE_GETREGSET, c->pid, float_sets[i], &piece) == 0)
            return piece.iov_len;
    }
    return 0;
}

bool child_set_float(const struct child *c, const void *image, size_t len)
{
    for (u32 i = 0; i < ARRAY_SIZE(float_sets); i++) {
        struct iovec piece = {(void *)(uintptr_t)image, len};

        if (ptrace(PTRACE_SETREGSET, c->pid, float_sets[i], &piece) == 0)
            return true;
    }
    return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest/kernel/machine.h for the hosted machine: spaces with their children, registers
 * kept in the child, time from the host's monotonic clock.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "guest/machine/hosted/hosted.h"

enum { USER_CODE = 0x33, USER_DATA = 0x2b, XSTATE_MAX = 16384, XSTATE_UPPER = 576 };

u64 hosted_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

u64 machine_now(struct node *n)
{
    return hosted_clock_ns() - ((struct hosted *)node_owner(n))->started_ns;
}

bool hosted_memory(struct hosted *h, u64 bytes)
{
    static const u8 entry[] = {0x0f, 0x05, 0xc3}; /* syscall; ret */
    u32 count = (u32)(bytes >> FRAME_SHIFT);
    u32 *refs = calloc(count, sizeof *refs);
    u8 *base;

    h->memory_fd = memfd_create("demos-frames", MFD_CLOEXEC);
    if (!refs || h->memory_fd < 0 || ftruncate(h->memory_fd, (off_t)bytes) != 0)
        return false;
    base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, h->memory_fd,
                0);
    if (base == MAP_FAILED)
        return false;
    frames_init(&h->frames, base, 0, refs, count);
    h->frames.born_zero = true;
    h->entry_frame = frame_alloc_zero(&h->frames);
    memcpy(frame_at(&h->frames, h->entry_frame), entry, sizeof entry);
    return true;
}

static unsigned protection(u64 entry)
{
    return CHILD_READ | (entry & ENTRY_WRITE ? CHILD_WRITE : 0u) |
           (entry & ENTRY_NO_EXECUTE ? 0u : CHILD_EXECUTE);
}

/* The child's mapping follows the table. */
void space_changed(struct space *s, u64 va, u64 old, u64 now)
{
    struct hosted_task *t = container_of(s, struct hosted_task, space);

    if (t->child.pid == 0)
        return;
    if (now & ENTRY_PRESENT)
        t->broken |= !child_map(&t->child, va, FRAME_SIZE,
                                (u64)entry_frame(s, now) << FRAME_SHIFT, protection(now));
    else if (old & ENTRY_PRESENT)
        t->broken |= !child_unmap(&t->child, va, FRAME_SIZE);
}

enum machine_result machine_space_create(struct node *n, struct task *t)
{
    struct hosted *h = node_owner(n);
    struct hosted_task *m = calloc(1, sizeof *m);

    if (!m)
        return MACHINE_MEMORY;
    m->host = h;
    if (!space_create(&m->space, &h->frames) || !child_create(&m->child, h->memory_fd) ||
        !space_place(&m->space, DEMOS_ENTRY_PAGE, h->entry_frame)) {
        child_destroy(&m->child);
        space_destroy(&m->space);
        free(m);
        return MACHINE_MEMORY;
    }
    t->machine = m;
    return MACHINE_OK;
}

void machine_space_destroy(struct node *n, struct task *t)
{
    struct hosted_task *m = hosted_task(t);

    (void)n;
    child_destroy(&m->child);
    space_destroy(&m->space);
    free(m);
    t->machine = NULL;
}

/* The child's general registers, by the index of the image. */
static unsigned long long *slot(struct user_regs_struct *r, u32 index)
{
    unsigned long long *const slots[REGISTERS] = {
        &r->rax, &r->rbx, &r->rcx, &r->rdx,    &r->rsi,     &r->rdi,    &r->rbp,
        &r->rsp, &r->r8,  &r->r9,  &r->r10,    &r->r11,     &r->r12,    &r->r13,
        &r->r14, &r->r15, &r->rip, &r->eflags, &r->fs_base, &r->gs_base};

    return slots[index];
}

/* The host's XSAVE image has the legacy part first, the header's component bits at 512 and
 * the upper halves of YMM at 576. */
static void float_out(const struct child *c, u8 fp[FLOAT_BYTES])
{
    static u8 image[XSTATE_MAX];
    size_t len = child_get_float(c, image, sizeof image);

    if (len < FLOAT_LEGACY)
        return;
    memcpy(fp, image, FLOAT_LEGACY);
    if (len >= XSTATE_UPPER + FLOAT_UPPER)
        memcpy(fp + FLOAT_LEGACY, image + XSTATE_UPPER, FLOAT_UPPER);
}

/* The host keeps the upper halves. */
static bool has_upper(const struct child *c)
{
    static u8 image[XSTATE_MAX];

    return child_get_float(c, image, sizeof image) >= XSTATE_UPPER + FLOAT_UPPER;
}

static bool float_in(const struct child *c, const u8 fp[FLOAT_BYTES])
{
    static u8 image[XSTATE_MAX];
    size_t len = child_get_float(c, image, sizeof image);
    bool upper = len >= XSTATE_UPPER + FLOAT_UPPER;
    u64 components = upper ? 7 : 3;

    if (len < FLOAT_LEGACY)
        return false;
    memset(image, 0, len);
    memcpy(image, fp, FLOAT_LEGACY - 48);
    if (len > FLOAT_LEGACY)
        memcpy(image + FLOAT_LEGACY, &components, sizeof components);
    if (upper)
        memcpy(image + XSTATE_UPPER, fp + FLOAT_LEGACY, FLOAT_UPPER);
    return child_set_float(c, image, len);
}

static bool set_registers(struct hosted_task *m, const struct registers *r)
{
    struct child *c = &m->child;

    for (u32 i = 0; i < REGISTERS; i++)
        *slot(&c->regs, i) = r->r[i];
    c->regs.cs = USER_CODE;
    c->regs.ss = USER_DATA;
    c->regs.ds = c->regs.es = c->regs.fs = c->regs.gs = 0;
    c->registers_changed = true;
    return c->pid > 0 && float_in(c, r->fp);
}

enum machine_result machine_thread_create(struct node *n, struct thread *th)
{
    (void)n;
    th->machine = th->task->machine;
    return MACHINE_OK;
}

void machine_thread_destroy(struct node *n, struct thread *th)
{
    (void)n;
    th->machine = NULL;
}

void machine_thread_start(struct node *n, struct thread *th, u64 entry, u64 stack, u64 argument)
{
    struct hosted_task *m = hosted_task(th->task);
    struct registers r;

    (void)n;
    registers_init(&r);
    r.r[R_RIP] = entry;
    r.r[R_RSP] = ALIGN_DOWN(stack, 16ull) - 8;
    r.r[R_RDI] = argument;
    m->broken |= !set_registers(m, &r);
}

size_t machine_thread_export(struct node *n, struct thread *th, void *image, size_t room)
{
    struct hosted_task *m = hosted_task(th->task);
    struct registers r;

    (void)n;
    if (room < REGISTERS_IMAGE)
        return REGISTERS_IMAGE;
    registers_init(&r);
    for (u32 i = 0; i < REGISTERS; i++)
        r.r[i] = *slot(&m->child.regs, i);
    if (m->child.pid > 0)
        float_out(&m->child, r.fp);
    registers_encode(&r, image);
    return REGISTERS_IMAGE;
}

bool machine_thread_import(struct node *n, struct thread *th, const void *image, size_t len)
{
    struct hosted_task *m = hosted_task(th->task);
    struct registers r;

    (void)n;
    return m->child.pid > 0 && registers_decode(&r, image, len, has_upper(&m->child)) &&
           set_registers(m, &r);
}

void machine_stop(struct node *n, const char *why)
{
    (void)n;
    fflush(stdout);
    fprintf(stderr, "demos-node: %s\n", why);
    exit(2);
}

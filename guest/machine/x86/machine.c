/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest/kernel/machine.h for x86: spaces whose upper half is the runtime's, contexts of
 * threads, time.
 */
#include "base/memory.h"
#include "guest/machine/trace.h"
#include "guest/machine/x86/x86.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"

enum { UPPER_HALF = 256, ENTRIES = 512, FLOAT_ALIGN = 64 };

/* Where current points while no thread's registers are worth anything. */
static struct context nobody;
struct context *x86_current = &nobody;

u64 machine_now(struct node *n)
{
    (void)n;
    return rt_now_ns() - x86.started_ns;
}

void machine_trace(struct node *n, u16 type, u32 who, u64 a, u64 b)
{
    (void)n;
    trace_put(x86.trace, type, who, a, b);
}

void space_changed(struct space *s, u64 va, u64 old, u64 now)
{
    struct x86_task *t = container_of(s, struct x86_task, space);

    (void)now;
    if (old & ENTRY_PRESENT)
        cpu_space_flush(&t->cpu, va);
}

enum machine_result machine_space_create(struct node *n, struct task *t)
{
    struct x86_task *m = heap_alloc(node_heap(n), sizeof *m);
    u64 *root;

    if (!m)
        return MACHINE_MEMORY;
    if (!space_create(&m->space, &x86.frames) ||
        !space_place(&m->space, DEMOS_ENTRY_PAGE, x86.entry_frame)) {
        space_destroy(&m->space);
        heap_free(node_heap(n), m, sizeof *m);
        return MACHINE_MEMORY;
    }
    root = frame_at(&x86.frames, m->space.root);
    memcpy(root + UPPER_HALF, rt_map_root() + UPPER_HALF, 8 * (ENTRIES - UPPER_HALF));
    m->cpu = (struct cpu_space){.root = rt_physical(root)};
    t->machine = m;
    return MACHINE_OK;
}

void machine_space_destroy(struct node *n, struct task *t)
{
    struct x86_task *m = x86_task(t);

    cpu_space_forget(&m->cpu);
    space_destroy(&m->space);
    heap_free(node_heap(n), m, sizeof *m);
    t->machine = NULL;
}

static size_t context_size(void)
{
    return sizeof(struct context) + FLOAT_ALIGN + cpu_float_size();
}

enum machine_result machine_thread_create(struct node *n, struct thread *th)
{
    struct context *c = heap_alloc(node_heap(n), context_size());

    if (!c)
        return MACHINE_MEMORY;
    c->thread = th;
    c->fp = (u8 *)ALIGN_UP((u64)(c + 1), (u64)FLOAT_ALIGN);
    th->machine = c;
    return MACHINE_OK;
}

void machine_thread_destroy(struct node *n, struct thread *th)
{
    struct context *c = th->machine;

    if (x86_current == c)
        x86_current = &nobody;
    cpu_float_forget(c);
    heap_free(node_heap(n), c, context_size());
    th->machine = NULL;
}

static void set(struct context *c, const struct registers *r)
{
    memcpy(c->r, r->r, sizeof c->r);
    cpu_float_forget(c);
    cpu_float_import(c, r->fp);
    c->whole = 1;
}

void machine_thread_start(struct node *n, struct thread *th, u64 entry, u64 stack, u64 argument)
{
    struct registers r;

    (void)n;
    registers_init(&r);
    r.r[R_RIP] = entry;
    r.r[R_RSP] = ALIGN_DOWN(stack, 16ull) - 8;
    r.r[R_RDI] = argument;
    set(th->machine, &r);
}

size_t machine_thread_export(struct node *n, struct thread *th, void *image, size_t room)
{
    static const u8 lost[] = {R_RCX, R_RDX, R_RSI, R_RDI, R_R8, R_R9, R_R10, R_R11};
    struct context *c = th->machine;
    struct registers r;

    (void)n;
    if (room < REGISTERS_IMAGE)
        return REGISTERS_IMAGE;
    registers_init(&r);
    memcpy(r.r, c->r, sizeof r.r);
    if (!c->whole) {
        r.r[R_RIP] = x86_entry_return;
        for (u32 i = 0; i < sizeof lost; i++)
            r.r[lost[i]] = 0;
    }
    cpu_float_sync(c);
    cpu_float_export(c, r.fp);
    registers_encode(&r, image);
    return REGISTERS_IMAGE;
}

bool machine_thread_import(struct node *n, struct thread *th, const void *image, size_t len)
{
    struct registers r;

    (void)n;
    if (!registers_decode(&r, image, len, cpu_float_has_upper()))
        return false;
    set(th->machine, &r);
    return true;
}

void machine_stop(struct node *n, const char *why)
{
    (void)n;
    rt_panic("%s", why);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paging experiment. The hardware says nothing of use, so pages are replaced first in, first
 * out; or the oldest is first taken out of the map, and goes unless a (short) fault has shown by
 * its next turn that it is used. A page counts as dirty from its first write, which a
 * write-protected map entry makes a short fault. Time is the processor's clocks.
 */
#include <stdlib.h>
#include <string.h>
#include "z8000/bench/paging.h"

enum {
    HANDSHAKE_CLOCKS = 1000, /* fault to release with the page in memory, as kernel.s does it */
    QUANTUM_MS = 100,
    CODE_SEGMENT = 2,
    FRAMES_MOST = 1024,
};

struct page {
    bool present, mapped, dirty;
};

struct process {
    struct z8000 cpu;
    u8 space[PAGING_SPACE]; /* code segment, data segment */
    struct page pages[PAGING_PAGES];
    u64 ready_at; /* blocked on a fault until then */
};

struct frame {
    u8 process;
    u16 page;
    bool used;
};

struct world {
    struct process process[PAGING_PROCESSES];
    struct frame frames[FRAMES_MOST];
    u32 frame_count, hand;
    const struct paging_machine *machine;
    unsigned running;
    u64 now, device_free;
    u64 service; /* clocks that the fault just taken needs; its reference is held */
    u64 busy, faults, writes;
};

static u64 clocks_of_ms(const struct world *w, double ms)
{
    return (u64)(ms * w->machine->hz / 1000);
}

static u64 transfer_clocks(const struct world *w)
{
    return clocks_of_ms(w, w->machine->device_ms) +
           (u64)w->machine->page_bytes * w->machine->hz / w->machine->bytes_per_second;
}

static struct page *page_of(struct world *w, const struct frame *f)
{
    return &w->process[f->process].pages[f->page];
}

/* The frame whose page has to go. After one round at most all are out of the map. */
static struct frame *victim(struct world *w)
{
    for (;;) {
        struct frame *f = &w->frames[w->hand];

        w->hand = (w->hand + 1) % w->frame_count;
        if (!w->machine->second_chance || !f->used || !page_of(w, f)->mapped)
            return f;
        page_of(w, f)->mapped = false;
    }
}

/* Puts the page into a frame; the clocks that the device needs for it. */
static u64 page_in(struct world *w, u16 page)
{
    struct frame *f = victim(w);
    u64 clocks = transfer_clocks(w);

    if (f->used) {
        struct page *old = page_of(w, f);

        if (old->dirty) {
            clocks += transfer_clocks(w);
            w->writes++;
        }
        *old = (struct page){.present = false};
    }
    *f = (struct frame){.process = (u8)w->running, .page = page, .used = true};
    *page_of(w, f) = (struct page){.present = true, .mapped = true};
    w->faults++;
    return clocks;
}

static bool bus(void *owner, struct z8000_cycle *c)
{
    struct world *w = owner;
    struct process *p = &w->process[w->running];
    u32 at = ((u32)(c->segment - CODE_SEGMENT) << 16 | c->offset) & (PAGING_SPACE - 1);
    u16 number = (u16)(at / w->machine->page_bytes);
    struct page *page = &p->pages[number];

    if (!page->present) {
        w->service = HANDSHAKE_CLOCKS + page_in(w, number);
        return false;
    }
    if (!page->mapped || (c->write && !page->dirty)) {
        page->mapped = true;
        page->dirty |= c->write;
        w->service = HANDSHAKE_CLOCKS;
        return false;
    }
    if (c->byte) {
        if (c->write)
            p->space[at] = (u8)c->data;
        else
            c->data = p->space[at];
        return true;
    }
    at &= ~1u;
    if (c->write) {
        p->space[at] = (u8)(c->data >> 8);
        p->space[at + 1] = (u8)c->data;
    } else {
        c->data = (u16)(p->space[at] << 8 | p->space[at + 1]);
    }
    return true;
}

static void start(struct world *w, const struct z8000_table *table, const u8 *code,
                  size_t length)
{
    for (unsigned i = 0; i < PAGING_PROCESSES; i++) {
        struct process *p = &w->process[i];

        z8000_init(&p->cpu, false, table, bus, w);
        z8000_set_fcw(&p->cpu, Z8000_SEG);
        p->cpu.segment = CODE_SEGMENT;
        p->cpu.pc = (u16)(i * 0x200);
        p->cpu.r[1] = (u16)(i + 1);
        p->cpu.r[14] = 0x8300;
        p->cpu.r[15] = 0xfff0;
        memcpy(p->space, code, MIN(length, (size_t)0x10000));
    }
}

/* A fault of the running process: the processor waits, or the process alone does. */
static void serve(struct world *w)
{
    u64 start = w->now, service = w->service;

    w->service = 0;
    if (!w->machine->restartable || service == HANDSHAKE_CLOCKS) {
        w->now += service;
        return;
    }
    start = MAX(start, w->device_free);
    w->device_free = start + service;
    w->process[w->running].ready_at = w->device_free;
}

/* The next process that can run; time passes if there is none. */
static void schedule(struct world *w)
{
    u64 soonest = ~0ull;

    for (unsigned i = 1; i <= PAGING_PROCESSES; i++) {
        unsigned next = (w->running + i) % PAGING_PROCESSES;

        if (w->process[next].ready_at <= w->now) {
            w->running = next;
            return;
        }
        soonest = MIN(soonest, w->process[next].ready_at);
    }
    w->now = soonest;
    schedule(w);
}

static void run_until(struct world *w, u64 end)
{
    u64 quantum = clocks_of_ms(w, QUANTUM_MS), turn = w->now + quantum;

    while (w->now < end) {
        struct z8000 *c = &w->process[w->running].cpu;
        u64 before = c->clocks;
        enum z8000_result result = z8000_step(c);

        w->now += c->clocks - before;
        w->busy += c->clocks - before;
        if (result == Z8000_HELD)
            serve(w);
        /* A held processor is nobody else's: only restartable ones change in a fault. */
        if ((w->machine->restartable && w->process[w->running].ready_at > w->now) ||
            (w->now >= turn && !z8000_busy(c))) {
            schedule(w);
            turn = w->now + quantum;
        }
    }
}

struct paging_share paging_run(const struct z8000_table *table, const u8 *code, size_t length,
                               const struct paging_machine *machine, double seconds)
{
    struct world *w = calloc(1, sizeof *w);
    struct paging_share share = {0};
    u64 from;

    if (!w)
        return share;
    w->machine = machine;
    w->frame_count = MIN(machine->memory_bytes / machine->page_bytes, (u32)FRAMES_MOST);
    start(w, table, code, length);
    run_until(w, (u64)(seconds * machine->hz));
    from = w->now;
    w->busy = w->faults = w->writes = 0;
    run_until(w, from + (u64)(seconds * machine->hz));
    share.busy = (double)w->busy / (double)(w->now - from);
    share.faults_per_second = (double)w->faults * machine->hz / (double)(w->now - from);
    share.writes_per_second = (double)w->writes * machine->hz / (double)(w->now - from);
    free(w);
    return share;
}

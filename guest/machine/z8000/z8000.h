/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Z8000 machine under the DEMOS kernel: processes whose user half is Z8001 code on the
 * board's user processor. Memory is the board's, in pages that come on first touch; maps
 * are registers of the board (maps.c); registers travel through the trap entry's mailbox.
 *
 * Addresses. A process sees 127 segments of 64 KB; the core's address is segment << 16 |
 * offset, and segment 7F shows what the core has at DEMOS_START_PAGE. Segment 0 is nobody's.
 */
#ifndef GUEST_MACHINE_Z8000_Z8000_H
#define GUEST_MACHINE_Z8000_Z8000_H

#include "guest/kernel/machine.h"
#include "guest/machine/place.h"
#include "guest/machine/z8000/board.h"
#include "guest/servers/vm/slots.h"

enum { Z_START_SEGMENT = 0x7f, Z_FORCE = MACHINE_FORCE, Z_NONE = 0xff };
enum { Z_FAULT_CODE = 14 }; /* of exceptions, as page faults are numbered on the x86 machine */

enum {
    Z_COPY = 1,  /* others may hold this frame: copy before a write */
    Z_KEPT = 2,  /* the core's page (page.h): it holds the frame, not we */
    Z_OWNED = 4, /* the core's page: it may be written, where allowed */
};
struct z_page {
    u16 frame; /* 0: none yet */
    u8 flags;
};

/* task->machine: pages by segment. */
struct z_task {
    struct z_page *pages[BOARD_SEGMENTS];
    u64 info; /* of the call in progress: the core's address of its struct demos_info */
    u8 slot;  /* its segment map, Z_NONE: it has none now */
};

/* thread->machine. */
struct z_thread {
    u16 registers[BOARD_REGISTERS];
};

struct z_maps {
    u64 turn; /* counts uses, for the order of least recent use */
    struct {
        struct z_task *task;
        u64 used;
    } slot[BOARD_SEGMENT_MAPS];
    struct {
        struct z_task *task;
        u64 used;
        u8 segment;
    } map[BOARD_PAGE_MAPS];
    u64 loads, evictions; /* of page maps */
};

/* The board's disk and the pages on it (disk.c). */
struct z_disk {
    bool there;
    struct slots slots;
    struct list queue; /* of transfers; the first is under way */
    u64 due_ns;        /* when it is done */
    u64 reads, writes;
    u8 page[BOARD_PAGE_MOST];
};

struct z_machine {
    struct node *node;
    struct board *board;
    struct frames frames; /* numbers of pages of the board; frame_at is not for these */
    struct machine_miss miss;
    unsigned page_bits;
    struct z_maps maps;
    struct z_disk disk;
    bool timed; /* what the board does takes the node's time */
    struct thread *running;
    bool halted;
    s64 status;
    s64 worst; /* of the processes that have ended */
    struct announcement announcement;
    /* A held reference that was given up: what to say when the segment trap comes. */
    u32 fault_reason;
    u64 fault_address;
};

static inline struct z_machine *z_machine(const struct node *n)
{
    return node_owner(n);
}

static inline struct z_task *z_task(const struct task *t)
{
    return t->machine;
}

static inline u32 z_page_bytes(const struct z_machine *m)
{
    return 1u << m->page_bits;
}

/* The board and the frames of its memory; `heap` lends the machine's own. False: no room. */
bool z_machine_init(struct z_machine *m, struct heap *heap, u8 *ram, u32 ram_bytes,
                    unsigned page_bits, const u8 *trap_entry, size_t trap_len);

/* space.c: the board address of `va` for `access` (region_protection, or Z_FORCE), with a
 * zeroed page on first touch. */
enum machine_result z_touch(struct z_machine *m, struct task *t, u64 va, u32 access, u32 *at);
/* A process's segment and offset as the core's address, and back; 0 stays 0. False: not in
 * a process's reach. */
u64 z_address(u32 pointer);
bool z_place(u64 va, u8 *segment, u16 *offset);
/* The page of `va`, with a table for its segment if `make`; NULL: none. */
struct z_page *z_page_entry(struct z_machine *m, const struct task *t, u64 va, bool make);
/* The entry has changed: so does the map register, if its segment has one. */
void z_page_changed(struct z_machine *m, struct task *t, u64 va);
void z_page_free(struct z_machine *m, struct z_page *e);
u8 *z_frame_bytes(const struct z_machine *m, u32 frame);
/* What was decoded of a frame is not what is in it now. */
void z_frame_filled(struct z_machine *m, u32 frame);
/* What the user processor may do with a page as it is, for its map; 0: nothing. */
u16 z_page_rights(const struct z_page *page, const struct region *r);

/* maps.c. Chooses a process's segment map; gives a segment a page map with what is there;
 * loads or clears one page's entry where its segment has a map; forgets a process. */
void z_maps_choose(struct z_machine *m, struct task *t);
void z_maps_segment(struct z_machine *m, struct task *t, u8 segment);
void z_maps_page(struct z_machine *m, struct task *t, u8 segment, u32 page);
void z_maps_forget(struct z_machine *m, struct z_task *t);

/* call.c: the kernel call of SC identifier `ident` with the process's registers. */
enum outcome z_call(struct z_machine *m, struct thread *th, s64 *result);
/* What the core and a process of the other byte order say differently. */
void z_swap_info(struct demos_info *info);
void z_swap_start(struct demos_start *start);

/* loop.c: runs threads for at most `clocks` of the board, or until none is ready; true
 * when one was. */
bool z_run(struct z_machine *m, u64 clocks);

/* The place's: returns when node time `until_ns` (machine_now) has come, the network and the
 * node's timers served meanwhile, or at once if the place does not hold the user processor to
 * its 2 MHz. */
void z_pass(struct z_machine *m, u64 until_ns);
/* ... waits until something has come, the user processor has stopped that has a processor to
 * itself, or node time is `until_ns` (~0: never), and serves network and timers. */
void z_attend(struct z_machine *m, u64 until_ns);

/* disk.c: gives the board a disk, of `block_count` zeroed blocks, to page to; `heap` lends what says
 * where pages lie. When it is to be looked at (machine_now; ~0: not at all), and looking at it. */
bool z_disk_init(struct z_machine *m, struct heap *heap, u8 *blocks, u32 block_count);
u64 z_disk_due(const struct z_machine *m);
void z_disk_work(struct z_machine *m);

/* hold.c. What a process's memory wants before it can be used, while the user processor is held for
 * it or the process is being made: the network is served until it is there. 0, or the reason
 * (enum exception_reason) why it never will be; *gone says that the process is no more. */
u32 z_await(struct z_machine *m, struct task *t, u64 va, u32 access, bool *gone);
/* The reference of `th` that the board holds, at node time `now_ns` by its processor. */
void z_serve_hold(struct z_machine *m, struct thread *th, u64 now_ns);

/* image.c: makes a process from a program image (see README) with its arguments, NUL-ended
 * strings, and lets it go. Beside the grants it gets the link "switchboard". NULL or what is
 * wrong. */
struct z_grant {
    char name[DEMOS_NAME_MAX];
    u32 channel; /* of a kernel; 0: a control link to itself */
    u32 machine; /* whose kernel; 0: ours */
};
/* One more grant of at most `most`, from a word: kernel, machine, console or clock, or one of
 * these and @N for node N's. False: it is none of them, or there is no room. */
bool z_grant_word(struct z_grant *grants, u32 *count, u32 most, const char *word);
const char *z_start(struct z_machine *m, const char *name, const void *image, size_t len,
                    u32 argc, const char *args, size_t args_len, const struct z_grant *grants,
                    u32 grant_count);

#endif

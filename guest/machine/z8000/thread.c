/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of Z8000 threads: as the trap entry leaves them in the mailbox, kept here
 * while another thread runs. The image (versioned, big-endian) is what the kernels of
 * Z8000 nodes give each other.
 */
#include "base/bytes.h"
#include "base/memory.h"
#include "guest/machine/z8000/z8000.h"

enum { IMAGE = 8 + 8 + 2 * BOARD_REGISTERS };
#define IMAGE_MAGIC 0x7a38303031763031ull /* "z8001v01" */

enum machine_result machine_thread_create(struct node *n, struct thread *th)
{
    th->machine = heap_alloc(node_heap(n), sizeof(struct z_thread));
    return th->machine ? MACHINE_OK : MACHINE_MEMORY;
}

void machine_thread_destroy(struct node *n, struct thread *th)
{
    struct z_machine *m = z_machine(n);

    if (m->running == th)
        m->running = NULL;
    heap_free(node_heap(n), th->machine, sizeof(struct z_thread));
    th->machine = NULL;
}

/* RR2 is the start record, RR14 the stack. */
void machine_thread_start(struct node *n, struct thread *th, u64 entry, u64 stack, u64 argument)
{
    u16 *r = ((struct z_thread *)th->machine)->registers;
    u16 offset = 0;
    u8 segment = 0;

    (void)n;
    memset(r, 0, sizeof(struct z_thread));
    if (z_place(argument, &segment, &offset)) {
        r[2] = (u16)(segment << 8);
        r[3] = offset;
    }
    if (z_place(stack, &segment, &offset)) {
        r[14] = (u16)(segment << 8);
        r[15] = offset;
    }
    if (z_place(entry, &segment, &offset)) {
        r[REG_PC_SEG] = (u16)(0x8000 | segment << 8);
        r[REG_PC_OFF] = offset;
    }
}

size_t machine_thread_export(struct node *n, struct thread *th, void *image, size_t room)
{
    const u16 *r = ((struct z_thread *)th->machine)->registers;
    u8 *to = image;

    (void)n;
    if (room < IMAGE)
        return IMAGE;
    be64_put(to, IMAGE_MAGIC);
    be64_put(to + 8, z_task(th->task)->info);
    for (u32 i = 0; i < BOARD_REGISTERS; i++)
        be16_put(to + 16 + 2 * i, r[i]);
    return IMAGE;
}

/* Whatever FCW it holds, board_go puts a process into normal mode. */
bool machine_thread_import(struct node *n, struct thread *th, const void *image, size_t len)
{
    u16 *r = ((struct z_thread *)th->machine)->registers;
    const u8 *from = image;

    (void)n;
    if (len != IMAGE || be64_get(from) != IMAGE_MAGIC)
        return false;
    z_task(th->task)->info = be64_get(from + 8);
    for (u32 i = 0; i < BOARD_REGISTERS; i++)
        r[i] = be16_get(from + 16 + 2 * i);
    return true;
}

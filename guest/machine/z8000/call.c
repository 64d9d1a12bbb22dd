/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls of Z8000 processes. `sc #N` makes call N of enum demos_call: RR2 points to
 * its six arguments, 64-bit words in the byte order of the processor; a pointer among them
 * is its segmented address in the low half (0: none). The answer comes back in RQ0.
 */
#include "base/bytes.h"
#include "base/memory.h"
#include "guest/machine/z8000/z8000.h"

enum { ARGS = 6, A2 = 1 << 2, NO_INFO = ARGS };

/* Which arguments are pointers, and which of these is to a struct demos_info. */
static const struct {
    u8 pointers, info;
} forms[DEMOS_CALLS] = {
    [DEMOS_NULL] = {0, NO_INFO},
    [DEMOS_CREATELINK] = {A2, NO_INFO},
    [DEMOS_DESTROYLINK] = {0, NO_INFO},
    [DEMOS_DUPLINK] = {0, NO_INFO},
    [DEMOS_SEND] = {1 << 1 | 1 << 3, 3},
    [DEMOS_REQUEST] = {1 << 1 | 1 << 3, 3},
    [DEMOS_REPLY] = {1 << 1 | 1 << 3, 3},
    [DEMOS_RECEIVE] = {1 << 1 | 1 << 3, 3},
    [DEMOS_CALL] = {1 << 1 | 1 << 3 | 1 << 4, 4},
    [DEMOS_MOVEDATA] = {1 << 3, NO_INFO},
    [DEMOS_YIELD] = {0, NO_INFO},
    [DEMOS_EXIT] = {0, NO_INFO},
    [DEMOS_ANSWER] = {1 << 1 | 1 << 3 | 1 << 4, 4},
};

void z_swap_info(struct demos_info *info)
{
    info->code = __builtin_bswap64(info->code);
    info->channel = __builtin_bswap32(info->channel);
    info->length = __builtin_bswap32(info->length);
    info->reply = (s64)__builtin_bswap64((u64)info->reply);
    for (u32 i = 0; i < DEMOS_LINKS_MAX; i++)
        info->links[i] = (s64)__builtin_bswap64((u64)info->links[i]);
}

void z_swap_start(struct demos_start *s)
{
    u32 *const words[] = {&s->magic, &s->version, &s->page_size, &s->machine_kind,
                          &s->argc,  &s->args,    &s->args_len,  &s->link_count};

    for (u32 i = 0; i < ARRAY_SIZE(words); i++)
        *words[i] = __builtin_bswap32(*words[i]);
    for (u32 i = 0; i < DEMOS_START_LINKS; i++)
        s->links[i].link = (s64)__builtin_bswap64((u64)s->links[i].link);
}

static u64 arguments_at(const struct thread *th)
{
    const u16 *r = ((struct z_thread *)th->machine)->registers;

    return z_address((u32)r[2] << 16 | r[3]);
}

static enum machine_result fetch(struct node *n, struct thread *th, u32 number, u64 args[ARGS])
{
    u64 at = arguments_at(th);
    u8 bytes[8 * ARGS];
    enum machine_result r;

    if (number == DEMOS_NULL || number == DEMOS_YIELD || number >= DEMOS_CALLS)
        return MACHINE_OK; /* nothing is read that is not wanted */
    r = machine_copy_in(n, th->task, bytes, at, sizeof bytes);
    for (u32 i = 0; r == MACHINE_OK && i < ARGS; i++) {
        args[i] = be64_get(bytes + 8 * i);
        if (forms[number].pointers & 1 << i)
            args[i] = z_address((u32)args[i]);
    }
    return r;
}

/* The arguments are on a page that has to come first: the process does its `sc` again. */
static enum outcome call_later(struct z_machine *m, struct thread *th)
{
    u16 *r = ((struct z_thread *)th->machine)->registers;
    struct machine_miss miss;
    struct exception e = {.reason = EXCEPTION_ADDRESS, .code = Z_FAULT_CODE};

    r[REG_PC_OFF] = (u16)(r[REG_PC_OFF] - 2);
    if (!machine_missed(m->node, &miss))
        machine_stop(m->node, "a call's arguments are late, and nobody knows why");
    e.address = miss.address;
    e.at = z_address((u32)r[REG_PC_SEG] << 16 | r[REG_PC_OFF]);
    return node_fault(m->node, th, miss.access, &e);
}

enum outcome z_call(struct z_machine *m, struct thread *th, s64 *result)
{
    u32 number = ((struct z_thread *)th->machine)->registers[REG_IDENT] & 0xff;
    u64 args[ARGS] = {0};
    enum machine_result r;

    z_task(th->task)->info = 0;
    r = fetch(m->node, th, number, args);
    if (r == MACHINE_LATER)
        return call_later(m, th);
    if (r != MACHINE_OK) {
        *result = DEMOS_E_ADDRESS;
        return NODE_DONE;
    }
    if (number < DEMOS_CALLS && forms[number].info < ARGS)
        z_task(th->task)->info = args[forms[number].info];
    if (number == DEMOS_EXIT && args[0] != 0)
        m->worst = (s64)args[0];
    memcpy(th->args, args, sizeof args);
    return node_call(m->node, th, result, number);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel calls, one inline each, exactly as guest/kernel/abi.h has them. Programs
 * usually want demos.h, which says the common cases shorter.
 *
 * A call goes through the page that the machine put at DEMOS_ENTRY_PAGE; which
 * instruction enters the kernel is the machine's business, so a program file runs anywhere.
 */
#ifndef GUEST_LIB_CALLS_H
#define GUEST_LIB_CALLS_H

#include "guest/kernel/abi.h"

static inline s64 demos_kernel(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    register u64 r10 asm("r10") = d;
    register u64 r8 asm("r8") = e;
    register u64 r9 asm("r9") = f;
    s64 result;

    asm volatile("call *%[entry]"
                 : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
                 : "0"(number), [entry] "r"(DEMOS_ENTRY_PAGE)
                 : "rcx", "r11", "memory", "cc");
    return result;
}

static inline s64 call_null(void)
{
    return demos_kernel(DEMOS_NULL, 0, 0, 0, 0, 0, 0);
}

static inline s64 call_createlink(u64 spec, u64 code, const void *base, u64 len)
{
    return demos_kernel(DEMOS_CREATELINK, spec, code, (u64)base, len, 0, 0);
}

static inline s64 call_destroylink(s64 link)
{
    return demos_kernel(DEMOS_DESTROYLINK, (u64)link, 0, 0, 0, 0, 0);
}

static inline s64 call_duplink(s64 link)
{
    return demos_kernel(DEMOS_DUPLINK, (u64)link, 0, 0, 0, 0, 0);
}

static inline s64 call_send(s64 link, const void *body, u64 len, struct demos_info *info,
                            u64 timeout)
{
    return demos_kernel(DEMOS_SEND, (u64)link, (u64)body, len, (u64)info, timeout, 0);
}

static inline s64 call_request(s64 link, const void *body, u64 len, struct demos_info *info,
                               u64 timeout, u32 room, u32 channel)
{
    return demos_kernel(DEMOS_REQUEST, (u64)link, (u64)body, len, (u64)info, timeout,
                        demos_lens(room, channel));
}

static inline s64 call_reply(s64 link, const void *body, u64 len, struct demos_info *info,
                             u64 timeout)
{
    return demos_kernel(DEMOS_REPLY, (u64)link, (u64)body, len, (u64)info, timeout, 0);
}

static inline s64 call_receive(u64 channels, void *buffer, u64 room, struct demos_info *info,
                               u64 timeout)
{
    return demos_kernel(DEMOS_RECEIVE, channels, (u64)buffer, room, (u64)info, timeout, 0);
}

static inline s64 call_call(s64 link, const void *body, u32 len, void *answer, u32 room,
                            struct demos_info *info, u64 timeout)
{
    return demos_kernel(DEMOS_CALL, (u64)link, (u64)body, demos_lens(len, room), (u64)answer,
                        (u64)info, timeout);
}

static inline s64 call_answer(s64 reply, const void *body, u32 len, u64 channels, void *buffer,
                              u32 room, struct demos_info *info)
{
    return demos_kernel(DEMOS_ANSWER, (u64)reply, (u64)body, demos_lens(len, room), (u64)buffer,
                        (u64)info, channels);
}

static inline s64 call_movedata(s64 link, enum demos_move way, u64 offset, const void *at,
                                u64 len)
{
    return demos_kernel(DEMOS_MOVEDATA, (u64)link, way, offset, (u64)at, len, 0);
}

static inline s64 call_yield(void)
{
    return demos_kernel(DEMOS_YIELD, 0, 0, 0, 0, 0, 0);
}

static inline NORETURN void call_exit(s64 status)
{
    demos_kernel(DEMOS_EXIT, (u64)status, 0, 0, 0, 0, 0);
    __builtin_unreachable();
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The suite's output and hypercalls. Output goes to the console page where there is one, by
 * the rules of xen/io/console.h, and waits until it has been taken; else to port 0xE9.
 */
#include "base/format.h"
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"
#include <xen/io/console.h>

static struct xencons_interface *ring;
static u32 ring_port, failures, passes;

long hypercall(u32 nr, word a, word b, word c, word d, word e)
{
    word at = (word)hypercall_page + nr * 32;
    long result;

#ifdef __x86_64__
    register word r10 __asm__("r10") = d;
    register word r8 __asm__("r8") = e;

    __asm__ volatile("call *%%rax"
                     : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
                     : "0"(at)
                     : "rcx", "r11", "memory");
#else
    __asm__ volatile("call *%%eax"
                     : "=a"(result), "+b"(a), "+c"(b), "+d"(c), "+S"(d), "+D"(e)
                     : "0"(at)
                     : "memory");
#endif
    return result;
}

long get_param(u32 index, u64 *value)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};
    long error = CALL2(hvm_op, HVMOP_get_param, &p);

    *value = p.value;
    return error;
}

void console_init(void)
{
    u64 pfn, port;

    if (get_param(HVM_PARAM_CONSOLE_PFN, &pfn) || get_param(HVM_PARAM_CONSOLE_EVTCHN, &port) ||
        !pfn || !port)
        return;
    ring = (struct xencons_interface *)(word)(pfn << 12);
    ring_port = (u32)port;
}

static void put_ring(const char *text, size_t len)
{
    struct evtchn_send send = {.port = ring_port};
    u32 produced = ring->out_prod;

    for (size_t i = 0; i < len; i++) {
        while (produced - *(volatile u32 *)&ring->out_cons >= sizeof(ring->out)) {
            CALL2(event_channel_op, EVTCHNOP_send, &send);
            CALL2(sched_op, SCHEDOP_yield, 0);
        }
        ring->out[MASK_XENCONS_IDX(produced, ring->out)] = text[i];
        produced++;
        __asm__ volatile("" ::: "memory");
        ring->out_prod = produced;
    }
    CALL2(event_channel_op, EVTCHNOP_send, &send);
}

void print(const char *fmt, ...)
{
    char line[256];
    const char *at = line;
    va_list args;
    size_t len;

    va_start(args, fmt);
    len = MIN(vformat(line, sizeof(line), fmt, args), sizeof(line) - 1);
    va_end(args);
    if (ring)
        put_ring(line, len);
    else
        __asm__ volatile("rep outsb" : "+S"(at), "+c"(len) : "d"(0xe9) : "memory");
}

void verdict(bool ok, const char *name, const char *fmt, ...)
{
    char seen[160];
    va_list args;

    if (ok) {
        passes++;
        print("ok %s\n", name);
        return;
    }
    failures++;
    va_start(args, fmt);
    vformat(seen, sizeof(seen), fmt, args);
    va_end(args);
    print("FAIL %s: %s\n", name, seen);
}

void finish(void)
{
    print("%u checks passed, %u failed\nTest result: %s\n", passes, failures,
          failures ? "FAILURE" : "SUCCESS");
    while (ring && *(volatile u32 *)&ring->out_cons != ring->out_prod)
        CALL2(sched_op, SCHEDOP_yield, 0);
    CALL2(sched_op, SCHEDOP_shutdown, &(struct sched_shutdown){SHUTDOWN_poweroff});
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest domain: says where it runs and what it was given, sleeps, ends. The same
 * file starts on Osmosis, on Xen and under QEMU -kernel.
 */
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"

int rt_main(const struct rt_start *start)
{
    static const char *const host[] = {"the bare machine", "Xen", "Osmosis"};
    char name[64];
    u64 until;

    rt_printf("hello from %s: domain %u, %lu KiB, %lu frames left, \"%s\"\n", host[start->host],
              start->domid, start->ram_bytes >> 10, rt_frames_left(), start->cmdline);
    if (rt_store_present() && rt_store_read(0, "name", name, sizeof(name)) >= 0)
        rt_printf("the store calls me %s\n", name);
    until = rt_now_ns() + rt_option_number("sleep_ms", 10) * 1000000;
    while (rt_now_ns() < until)
        rt_wait_until(until);
    rt_printf("slept; now %s\n", "done");
    return 0;
}

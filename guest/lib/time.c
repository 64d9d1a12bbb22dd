/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time is a message: asked of the kernel process behind the link "clock".
 */
#include "guest/lib/demos.h"
#include "guest/lib/words.h"

u64 demos_time_ns(void)
{
    struct words w;

    words_start(&w, 1);
    if (words_call(demos_link("clock"), &w, NULL, 0, NULL) < 0)
        return 0;
    return words_get(&w);
}

void demos_sleep_ns(u64 ns)
{
    call_receive(0, NULL, 0, NULL, ns);
}

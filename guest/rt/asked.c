/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the toolstack asks of the domain by control/shutdown (Xen's xenstore-paths): `xl
 * shutdown` and `xl reboot`, the control domain's `shutdown`. A word that is heeded is taken
 * away, as Linux does; what cannot be done stays there, so that who asked gives up. A suspend is
 * the main loop's to carry out (suspend.c).
 */
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"

#define FIRST_NS 100000000ull

static const char node[] = "control/shutdown";

static const struct {
    const char *word;
    enum rt_end end;
} wishes[] = {{"poweroff", RT_POWEROFF}, {"halt", RT_POWEROFF}, {"reboot", RT_REBOOT}};

static void on_change(void *arg, const char *path)
{
    char word[16];

    *(bool *)arg = true;
    (void)path;
    if (rt_store_read(0, node, word, sizeof(word)) <= 0)
        return;
    if (strcmp(word, "suspend") == 0 && rt_suspend_ask())
        return;
    for (u32 i = 0; i < ARRAY_SIZE(wishes); i++) {
        if (strcmp(word, wishes[i].word) != 0)
            continue;
        rt_store_write(0, node, "");
        rt_printf("%s: as the toolstack asks\n", word);
        rt_shutdown(wishes[i].end);
    }
    rt_printf("%s: asked by the toolstack, refused: it is not there\n", word);
}

void rt_shutdown_tell(void)
{
    rt_store_write(0, "control/feature-poweroff", "1");
    rt_store_write(0, "control/feature-reboot", "1");
}

/* The store tells once at first how things are: that is waited for, so that it comes into nothing
 * that is measured later; a store that does not say it is waited for no longer than this. */
void rt_shutdown_heed(void)
{
    static struct rt_store_watch watch;
    static bool told;
    u64 end = rt_now_ns() + FIRST_NS;

    if (!rt_store_present())
        return;
    rt_shutdown_tell();
    rt_store_watch(&watch, node, on_change, &told);
    while (!told && rt_now_ns() < end) {
        if (!rt_store_poll())
            rt_wait_until(end);
    }
    rt_alarm_set(RT_NEVER);
}

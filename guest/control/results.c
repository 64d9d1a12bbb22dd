/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results: JSON lines on the output ring, and on the command port when somebody listens.
 */
#include "guest/control/control.h"
#include "guest/rt/console.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"

static char text[4096];

/* A full ring ends a seeded run inside the hypervisor; elsewhere there is nobody to tell. */
void output(u32 stream, const void *data, size_t len)
{
    struct osm_output o = {.buffer = (u64)data, .len = (u32)len, .stream = stream};

    hypercall_osmosis(OSM_OP_output, &o);
}

void result_line(const char *line, size_t len)
{
    output(OSM_STREAM_RESULT, line, len);
    port_send(line, len);
    if (control.echo)
        rt_console_write(line, len);
}

void result_begin(struct json *j, const char *event)
{
    json_begin(j, text, sizeof(text));
    json_number(j, "ns", rt_now_ns());
    json_text(j, "event", event);
}

void result_end(struct json *j)
{
    result_line(text, json_end(j));
}

const char *reason_name(u8 reason)
{
    static const char *const name[] = {
        [SHUTDOWN_poweroff] = "poweroff", [SHUTDOWN_reboot] = "reboot",
        [SHUTDOWN_suspend] = "suspend",   [SHUTDOWN_crash] = "crash",
        [SHUTDOWN_watchdog] = "watchdog", [SHUTDOWN_soft_reset] = "soft_reset"};

    return reason < ARRAY_SIZE(name) ? name[reason] : "unknown";
}

void result_guest(const char *event, const struct guest *g)
{
    struct json j;

    result_begin(&j, event);
    json_text(&j, "name", g->name);
    json_number(&j, "domid", g->domid);
    if (g->ended)
        json_text(&j, "reason", reason_name(g->reason));
    result_end(&j);
}

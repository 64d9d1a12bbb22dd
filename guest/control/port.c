/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command port: a 16550 at 0x2f8 that belongs to us, its interrupt an event channel.
 * Lines in, JSON lines out. Output waits in a ring of our own, so that a slow reader stops
 * nobody; what does not fit is dropped whole, and the count of dropped lines is said.
 */
#include "base/format.h"
#include "guest/control/control.h"
#include "guest/control/ctl.h"
#include "guest/rt/event.h"
#include "guest/rt/rt.h"
#include "guest/rt/x86.h"
#include <xen/physdev.h>

enum { PORT = 0x2f8, IRQ = 3, OUT_ROOM = 65536, FIFO = 16, LINE_READY = 1, LINE_EMPTY = 0x20 };
enum { DATA = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };
enum { IIR_NOTHING = 1 };
/* Queues on and empty. It interrupts for 14 bytes, or fewer after which nothing comes for a while:
 * QEMU hands over no more at once than it interrupts for. */
enum { FCR_QUEUES = 0xc7 };

static bool present;
static char line[WORDS_LINE + 1], out[OUT_ROOM], answer_text[COMMAND_ANSWER];
static u32 line_len, out_at, out_len, dropped;
static bool too_long;
static struct words words;

static u8 get(u32 reg)
{
    return in8((u16)(PORT + reg));
}

static void set(u32 reg, u8 value)
{
    out8((u16)(PORT + reg), value);
}

static void drain(void)
{
    while (out_len && get(LSR) & LINE_EMPTY)
        for (u32 i = 0; i < FIFO && out_len; i++) {
            set(DATA, (u8)out[out_at]);
            out_at = (out_at + 1) % OUT_ROOM;
            out_len--;
        }
    set(IER, out_len ? 3 : 1);
}

static void queue(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[(out_at + out_len++) % OUT_ROOM] = text[i];
}

void port_send(const char *text, size_t len)
{
    char lost[48];

    if (!present)
        return;
    if (len + sizeof(lost) > OUT_ROOM - out_len) {
        dropped++;
        return;
    }
    if (dropped)
        queue(lost,
              format(lost, sizeof(lost), "{\"event\":\"dropped\",\"lines\":%u}\n", dropped));
    dropped = 0;
    queue(text, len);
    drain();
}

/* One line: carried out at once, or kept until its condition holds. */
static void serve_line(void)
{
    const char *problem = "the line is too long";
    char why[WHY];
    struct json j;
    struct step s = {0};
    bool ok;

    control.attended = true;
    json_begin(&j, answer_text, sizeof(answer_text));
    line[line_len] = 0;
    if (too_long || !words_split(&words, line, line_len, &problem) ||
        !step_read(&s, &words, &problem)) {
        format(why, sizeof(why), "%s", problem);
        ok = false;
    } else if (!words.count) {
        return;
    } else if (s.kind != STEP_NOW) {
        ok = plan_add(&s, &words, line, 0);
        format(why, sizeof(why), "no memory");
    } else {
        ok = command_run(&words, s.first, &j, why);
    }
    json_bool(&j, "ok", ok);
    if (s.tag)
        json_text(&j, "tag", s.tag);
    if (!ok)
        json_text(&j, "error", why);
    port_send(answer_text, json_end(&j));
}

static void take(char c)
{
    if (c == '\n' || c == '\r') {
        if (line_len || too_long)
            serve_line();
        line_len = 0;
        too_long = false;
    } else if (line_len < WORDS_LINE) {
        line[line_len++] = c;
    } else {
        too_long = true;
    }
}

/* The line is an edge for the interrupt controller: it has to have fallen, with nothing left
 * to serve, before the next one can be seen. */
void port_serve(void)
{
    struct physdev_eoi eoi = {.irq = IRQ};

    if (!control.port_struck)
        return;
    control.port_struck = false;
    do {
        while (get(LSR) & LINE_READY)
            take((char)get(DATA));
        drain();
    } while (!(get(IIR) & IIR_NOTHING));
    hypercall_physdev_op(PHYSDEVOP_eoi, &eoi);
}

static void on_interrupt(void *arg, u32 port)
{
    (void)arg;
    (void)port;
    control.port_struck = true;
}

void port_init(void)
{
    static const struct {
        u8 reg, value;
    } sequence[] = {{IER, 0}, {LCR, 0x80},       {DATA, 1}, {IER, 0},
                    {LCR, 3}, {FCR, FCR_QUEUES}, {MCR, 0xb}};
    struct evtchn_bind_pirq op = {.pirq = IRQ};

    if (get(LSR) == 0xff)
        return; /* no second serial port in this machine */
    if (ctl_give_irq(0, IRQ) || hypercall_event_channel_op(EVTCHNOP_bind_pirq, &op) ||
        !rt_event_handle(op.port, on_interrupt, NULL))
        rt_panic("the command port's interrupt line is not to be had");
    for (u32 i = 0; i < ARRAY_SIZE(sequence); i++)
        set(sequence[i].reg, sequence[i].value);
    present = true;
    port_send("{\"osmosis\":1}\n", 14);
}

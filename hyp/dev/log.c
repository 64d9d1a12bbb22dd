/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One lock orders whole lines. Text of guests goes out as it comes here (console_op.c keeps
 * it until a line is whole), with the domain's number before each line of an unprivileged one.
 */
#include "hyp/dev/log.h"
#include "base/format.h"
#include "base/memory.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/dev/mailbox.h"
#include "hyp/dev/serial.h"
#include "hyp/dom/domain.h"
#include "hyp/dom/privilege.h"

enum { RING_SIZE = 32768, INPUT_SIZE = 256, NOBODY = 0xffffffff };

static struct spinlock lock;
static bool locks_broken;
static char ring[RING_SIZE];
static u32 ring_written, ring_cleared; /* positions since the start; they may wrap */
static u32 line_of = NOBODY;           /* whose line is unfinished */
static char input[INPUT_SIZE];
static u32 input_put, input_got;

static void lock_log(void)
{
    if (!locks_broken)
        spin_lock(&lock);
}

static void unlock_log(void)
{
    if (!locks_broken)
        spin_unlock(&lock);
}

void log_break_locks(void)
{
    locks_broken = true;
}

static void emit(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n')
            serial_put('\r');
        serial_put(bytes[i]);
        ring[ring_written++ % RING_SIZE] = bytes[i];
    }
    output_frame(OSM_STREAM_LOG, bytes, (u32)len);
}

/* An unfinished line of somebody else ends here. */
static void take_line(u32 who)
{
    if (line_of != NOBODY && line_of != who)
        emit("\n", 1);
    line_of = NOBODY;
}

void log_vline(const char *fmt, va_list args)
{
    char text[400];
    size_t len = vformat(text, sizeof(text) - 1, fmt, args);

    len = MIN(len, sizeof(text) - 2);
    text[len++] = '\n';
    lock_log();
    take_line(NOBODY);
    emit(text, len);
    unlock_log();
}

void log_line(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_vline(fmt, args);
    va_end(args);
}

/* Emits up to the end of the line, behind the domain's name where a line begins. */
static size_t write_part(const struct domain *d, const char *text, size_t len)
{
    char name[16];
    size_t part = 0;

    if (line_of != d->id && !may(d, MAY_USE_CONSOLE))
        emit(name, format(name, sizeof(name), "(d%u) ", d->id));
    line_of = d->id;
    while (part < len && text[part] != '\n')
        part++;
    if (part < len) {
        part++;
        line_of = NOBODY;
    }
    emit(text, part);
    return part;
}

void console_write(struct domain *d, const char *text, size_t len)
{
    lock_log();
    if (line_of != d->id)
        take_line(d->id);
    while (len) {
        size_t part = write_part(d, text, len);

        text += part;
        len -= part;
    }
    unlock_log();
}

size_t console_ring_read(char *text, size_t room, u32 *at, bool clear)
{
    size_t n = 0;
    u32 from;

    lock_log();
    from = *at;
    if (ring_written - from > ring_written - ring_cleared)
        from = ring_cleared;
    if (ring_written - from > RING_SIZE)
        from = ring_written - RING_SIZE;
    while (n < room && from != ring_written)
        text[n++] = ring[from++ % RING_SIZE];
    *at = from;
    if (clear)
        ring_cleared = ring_written;
    unlock_log();
    return n;
}

void console_input(char c)
{
    lock_log();
    if (input_put - input_got < INPUT_SIZE)
        input[input_put++ % INPUT_SIZE] = c;
    unlock_log();
}

size_t console_read(char *text, size_t room)
{
    size_t n = 0;

    lock_log();
    while (n < room && input_got != input_put)
        text[n++] = input[input_got++ % INPUT_SIZE];
    unlock_log();
    return n;
}

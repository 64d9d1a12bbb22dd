/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console_io and port 0xE9: the emergency console. Every domain may write, within a budget
 * that fills again with time, so that nobody can flood what all share, and without control
 * characters, which may command the terminal of whoever reads; what goes beyond is dropped
 * and counted as written. Their lines come out whole, also where two write at a time a byte at
 * a time (as Xen's do). Only the control domain may read.
 */
#include "hyp/dom/hypercall.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/privilege.h"

enum { BURST = 65536, PER_MS = 64, CHUNK = 128, BETWEEN_PREEMPTIONS = 1024 };

/* What a domain has written of a line that has not ended. */
struct console_line {
    u32 len;
    char text[252];
};

/* How many of `len` bytes d may write now. */
static size_t budget(struct domain *d, size_t len)
{
    u64 ms = clock_now_ns() / 1000000;

    spin_lock(&d->lock);
    if (ms > d->console_ms) {
        d->console_spent -= MIN(d->console_spent, (ms - d->console_ms) * PER_MS);
        d->console_ms = ms;
    }
    len = MIN(len, BURST - d->console_spent);
    d->console_spent += len;
    spin_unlock(&d->lock);
    return len;
}

static bool is_text(char c)
{
    return (u8)c >= ' ' ? c != 0x7f : c == '\n' || c == '\t';
}

static struct console_line *line_of(struct domain *d)
{
    struct console_line *made = NULL;

    if (!d->line)
        made = domain_alloc(d, sizeof(*made));
    spin_lock(&d->lock);
    if (!d->line) {
        d->line = made;
        made = NULL;
    }
    spin_unlock(&d->lock);
    domain_free(d, made, sizeof(*made)); /* two of its vCPUs began at a time */
    return d->line;
}

static void flush(struct domain *d, struct console_line *line)
{
    console_write(d, line->text, line->len);
    line->len = 0;
}

static void collect(struct domain *d, const char *bytes, size_t len)
{
    struct console_line *line = line_of(d);

    if (!line) { /* it has used up what we keep for it */
        console_write(d, bytes, len);
        return;
    }
    spin_lock(&d->lock);
    for (size_t i = 0; i < len; i++) {
        line->text[line->len++] = bytes[i];
        if (bytes[i] == '\n' || line->len == sizeof(line->text))
            flush(d, line);
    }
    spin_unlock(&d->lock);
}

void console_flush(struct domain *d)
{
    spin_lock(&d->lock);
    if (d->line && d->line->len)
        flush(d, d->line);
    spin_unlock(&d->lock);
}

void console_say(struct domain *d, char *bytes, size_t len)
{
    size_t text = 0;

    if (may(d, MAY_USE_CONSOLE)) {
        console_write(d, bytes, len);
        return;
    }
    for (size_t i = 0; i < len; i++)
        if (is_text(bytes[i]))
            bytes[text++] = bytes[i];
    collect(d, bytes, budget(d, text));
}

static s64 write(struct call *c)
{
    u64 len = c->arg[1], at = c->arg[2], done = 0;
    char chunk[CHUNK];

    if (len > 0x7fffffff)
        return fail(-XEN_EINVAL);
    while (len) {
        u64 piece = MIN(len, (u64)CHUNK);

        if (call_read(c, chunk, at, piece))
            return fail(-XEN_EFAULT);
        console_say(c->v->domain, chunk, piece);
        at += piece;
        len -= piece;
        done += piece;
        if (len && done >= BETWEEN_PREEMPTIONS) {
            c->arg[1] = len;
            c->arg[2] = at;
            return CALL_AGAIN;
        }
    }
    return 0;
}

static s64 read(struct call *c)
{
    char chunk[CHUNK];
    size_t got;

    if (!may(c->v->domain, MAY_USE_CONSOLE))
        return fail(-XEN_EPERM);
    got = console_read(chunk, MIN(c->arg[1], (u64)CHUNK));
    if (call_write(c, c->arg[2], chunk, got))
        return fail(-XEN_EFAULT);
    return (s64)got;
}

s64 call_console_io(struct call *c)
{
    switch (c->arg[0]) {
    case CONSOLEIO_write: return write(c);
    case CONSOLEIO_read: return read(c);
    default: return fail(-XEN_ENOSYS);
    }
}

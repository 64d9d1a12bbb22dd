/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console_io: the emergency console. Every domain may write, within a budget that fills
 * again with time, so that nobody can flood what all share; what goes beyond is dropped and
 * counted as written. Only the control domain may read.
 */
#include "hyp/dom/hypercall.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/privilege.h"

enum { BURST = 65536, PER_MS = 64, CHUNK = 128, BETWEEN_PREEMPTIONS = 4096 };

/* How many of `len` bytes d may write now. */
static u64 budget(struct domain *d, u64 len)
{
    u64 ms = clock_now_ns() / 1000000;

    if (may_control(d))
        return len;
    d->console_spent -= MIN(d->console_spent, (ms - d->console_ms) * PER_MS);
    d->console_ms = ms;
    len = MIN(len, BURST - d->console_spent);
    d->console_spent += len;
    return len;
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
        console_write(c->v->domain, chunk, budget(c->v->domain, piece));
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

    if (!may_control(c->v->domain))
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Printing: text collects until a line is whole or the buffer full, then goes to the
 * console in one request, so that lines of several processes do not mix.
 */
#include <stdarg.h>
#include "guest/lib/demos.h"
#include "guest/lib/words.h"
#include "guest/machine/protocol.h"

enum { BUFFER = 512, HEAD = 8 };

static u8 buffer[HEAD + BUFFER];
static u32 used;
static s64 elsewhere; /* instead of the console; 0: the console */

void demos_print_to(s64 link)
{
    demos_flush();
    elsewhere = link;
}

void demos_flush(void)
{
    s64 console = elsewhere > 0 ? elsewhere : demos_link("console");
    u8 answer[8];

    if (used > 0 && console > 0) {
        be64_put(buffer, CONSOLE_WRITE);
        demos_call(console, buffer, HEAD + used, answer, sizeof answer);
    }
    used = 0;
}

static void put(const char *text, size_t len)
{
    bool line = false;

    for (size_t i = 0; i < len; i++) {
        if (used == BUFFER)
            demos_flush();
        buffer[HEAD + used++] = (u8)text[i];
        line |= text[i] == '\n';
    }
    if (line)
        demos_flush();
}

static void vprint(const char *fmt, va_list list)
{
    char text[BUFFER];
    size_t len = vformat(text, sizeof text, fmt, list);

    put(text, MIN(len, sizeof text - 1));
}

void demos_print(const char *fmt, ...)
{
    va_list list;

    va_start(list, fmt);
    vprint(fmt, list);
    va_end(list);
}

void demos_die(const char *fmt, ...)
{
    va_list list;

    va_start(list, fmt);
    vprint(fmt, list);
    va_end(list);
    put("\n", 1);
    demos_exit(1);
}

const char *demos_error(s64 error)
{
    static const char *const names[] = {
        [0] = "ok",
        [-DEMOS_E_CALL] = "E_CALL",
        [-DEMOS_E_LINK] = "E_LINK",
        [-DEMOS_E_ALLOWED] = "E_ALLOWED",
        [-DEMOS_E_KIND] = "E_KIND",
        [-DEMOS_E_ADDRESS] = "E_ADDRESS",
        [-DEMOS_E_ARGUMENT] = "E_ARGUMENT",
        [-DEMOS_E_LONG] = "E_LONG",
        [-DEMOS_E_FULL] = "E_FULL",
        [-DEMOS_E_TIMEOUT] = "E_TIMEOUT",
        [-DEMOS_E_DEAD] = "E_DEAD",
        [-DEMOS_E_DROPPED] = "E_DROPPED",
        [-DEMOS_E_LINKS] = "E_LINKS",
        [-DEMOS_E_MEMORY] = "E_MEMORY",
        [-DEMOS_E_AREA] = "E_AREA",
        [-DEMOS_E_STATE] = "E_STATE",
        [-DEMOS_E_REFUSED] = "E_REFUSED",
        [-DEMOS_E_LOST] = "E_LOST",
    };

    if (error >= 0)
        return names[0];
    return -error < (s64)ARRAY_SIZE(names) ? names[-error] : "E_UNKNOWN";
}

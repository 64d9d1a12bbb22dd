/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/cpu/rtc.h"
#include "hyp/cpu/x86.h"

enum {
    SECOND,
    MINUTE = 2,
    HOUR = 4,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    STATUS_A = 10,
    STATUS_B = 11
};
enum { UPDATING = 0x80, BINARY = 4, HOURS_24 = 2, TRIES = 1000000 };

static u32 get(u8 reg)
{
    outb(0x70, reg);
    return inb(0x71);
}

static u32 number(u8 reg, u32 status)
{
    u32 v = get(reg);

    return status & BINARY ? v : (v >> 4) * 10 + (v & 15);
}

/* Days from 1970 to a date, by counting leap days in years that begin in March. */
static u64 days(u32 year, u32 month, u32 day)
{
    u32 y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

    return 365ull * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static u32 hour(u32 status)
{
    u32 raw = get(HOUR), h;

    if (status & HOURS_24)
        return number(HOUR, status);
    h = raw & 0x7f;
    if (!(status & BINARY))
        h = (h >> 4) * 10 + (h & 15);
    return h % 12 + (raw & 0x80 ? 12 : 0);
}

u64 rtc_seconds(void)
{
    u32 status = get(STATUS_B), month, day;
    u64 at, again = 0;

    if (status == 0xff)
        return 0;
    do { /* until two readings agree: an update may fall between two registers */
        at = again;
        for (u32 i = 0; (get(STATUS_A) & UPDATING) && i < TRIES; i++)
            ;
        month = number(MONTH, status);
        day = number(DAY, status);
        if (month < 1 || month > 12 || day < 1 || day > 31)
            return 0;
        again = days(2000 + number(YEAR, status), month, day) * 86400 + hour(status) * 3600ull +
                number(MINUTE, status) * 60ull + number(SECOND, status);
    } while (at != again);
    return at;
}

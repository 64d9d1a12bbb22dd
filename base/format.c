/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/format.h"
#include "base/memory.h"

struct out {
    char *buf;
    size_t size, len;
};

struct spec {
    bool left, zero, prefix; /* prefix: 0x before a number that is not 0 */
    size_t width;
    size_t precision; /* (size_t)-1: none given */
    int length;       /* how many l's; 2 for z; -1 for h */
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void pad(struct out *o, char c, size_t count)
{
    while (count--)
        put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text, size_t len)
{
    size_t fill = s->width > len ? s->width - len : 0;

    if (!s->left)
        pad(o, ' ', fill);
    for (size_t i = 0; i < len; i++)
        put(o, text[i]);
    if (s->left)
        pad(o, ' ', fill);
}

/* `before` is what the zeros go behind: a sign, or 0x. */
static void put_number(struct out *o, struct spec s, u64 value, const char *before, u32 base,
                       const char *digits)
{
    char text[24];
    size_t at = sizeof(text), lead = strlen(before);
    size_t len;

    do {
        text[--at] = digits[value % base];
        value /= base;
    } while (value);
    len = sizeof(text) - at;
    if (s.zero && !s.left) {
        for (size_t i = 0; i < lead; i++)
            put(o, before[i]);
        pad(o, '0', s.width > len + lead ? s.width - len - lead : 0);
        s.width = 0;
    } else {
        at -= lead;
        len += lead;
        memcpy(text + at, before, lead);
    }
    put_text(o, &s, text + at, len);
}

static u64 next_unsigned(va_list *args, int length)
{
    if (length >= 2)
        return va_arg(*args, unsigned long long);
    if (length == 1)
        return va_arg(*args, unsigned long);
    return va_arg(*args, unsigned int);
}

static s64 next_signed(va_list *args, int length)
{
    if (length >= 2)
        return va_arg(*args, long long);
    if (length == 1)
        return va_arg(*args, long);
    return va_arg(*args, int);
}

static const char *parse(const char *fmt, struct spec *s, va_list *args)
{
    *s = (struct spec){.precision = (size_t)-1};
    for (;; fmt++) {
        if (*fmt == '-')
            s->left = true;
        else if (*fmt == '0')
            s->zero = true;
        else if (*fmt == '#')
            s->prefix = true;
        else
            break;
    }
    if (*fmt == '*') {
        s->width = (size_t)va_arg(*args, int);
        fmt++;
    }
    for (; *fmt >= '0' && *fmt <= '9'; fmt++)
        s->width = s->width * 10 + (size_t)(*fmt - '0');
    if (*fmt == '.') {
        s->precision = 0;
        if (*++fmt == '*') {
            s->precision = (size_t)va_arg(*args, int);
            fmt++;
        }
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            s->precision = s->precision * 10 + (size_t)(*fmt - '0');
    }
    for (; *fmt == 'l' || *fmt == 'z' || *fmt == 'h'; fmt++)
        s->length += *fmt == 'h' ? -1 : 1; /* size_t is as long as long */
    return fmt;
}

static void put_hex(struct out *o, const struct spec *s, u64 value, const char *digits)
{
    put_number(o, *s, value, s->prefix && value ? "0x" : "", 16, digits);
}

static void convert(struct out *o, char kind, const struct spec *s, va_list *args)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    const char *text;
    s64 number;
    char c;

    switch (kind) {
    case 's':
        text = va_arg(*args, const char *);
        if (!text)
            text = "(null)";
        put_text(o, s, text, strnlen(text, s->precision));
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        put_text(o, s, &c, 1);
        break;
    case 'd':
    case 'i':
        number = next_signed(args, s->length);
        put_number(o, *s, number < 0 ? -(u64)number : (u64)number, number < 0 ? "-" : "", 10,
                   lower);
        break;
    case 'u': put_number(o, *s, next_unsigned(args, s->length), "", 10, lower); break;
    case 'x': put_hex(o, s, next_unsigned(args, s->length), lower); break;
    case 'X': put_hex(o, s, next_unsigned(args, s->length), upper); break;
    case 'p': put_hex(o, s, (uintptr_t)va_arg(*args, void *), lower); break;
    default: put(o, kind); break;
    }
}

size_t vformat(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out o = {buf, size, 0};
    struct spec s;
    va_list ap;

    va_copy(ap, args);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        fmt = parse(fmt + 1, &s, &ap);
        if (!*fmt)
            break;
        convert(&o, *fmt, &s, &ap);
    }
    va_end(ap);
    if (size)
        buf[MIN(o.len, size - 1)] = 0;
    return o.len;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    size_t len;

    va_start(args, fmt);
    len = vformat(buf, size, fmt, args);
    va_end(args);
    return len;
}

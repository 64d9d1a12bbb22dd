/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store's calls by name, each one message of rt_store_call.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "guest/rt/store.h"
#include "guest/rt/store_wire.h"

enum { GENERATION = 24, PARTS_AGAIN = 16 };

/* A call whose payload is one path. */
static long path_call(u32 type, u32 transaction, const char *path, char *reply, size_t room)
{
    return rt_store_call(type, transaction, path, strlen(path) + 1, reply, room);
}

static long done(long result)
{
    return result < 0 ? result : 0;
}

long rt_store_read(u32 transaction, const char *path, char *value, size_t room)
{
    return path_call(XS_READ, transaction, path, value, room);
}

long rt_store_write(u32 transaction, const char *path, const char *value)
{
    char text[XENSTORE_PAYLOAD_MAX];
    size_t path_len = strlen(path) + 1, len = strlen(value);

    if (path_len + len > sizeof(text))
        return -XEN_E2BIG;
    memcpy(text, path, path_len);
    memcpy(text + path_len, value, len);
    return done(rt_store_call(XS_WRITE, transaction, text, path_len + len, NULL, 0));
}

long rt_store_printf(u32 transaction, const char *path, const char *fmt, ...)
{
    char value[512];
    va_list args;

    va_start(args, fmt);
    vformat(value, sizeof(value), fmt, args);
    va_end(args);
    return rt_store_write(transaction, path, value);
}

static bool parse(const char *text, u64 *value)
{
    u64 base = 10, digit;

    if (text[0] == '0' && text[1] == 'x') {
        base = 16;
        text += 2;
    }
    if (!*text)
        return false;
    for (*value = 0; *text; text++) {
        digit = *text >= '0' && *text <= '9'   ? (u64)(*text - '0')
                : *text >= 'a' && *text <= 'f' ? (u64)(*text - 'a') + 10
                                               : base;
        if (digit >= base || *value > (~0ull - digit) / base)
            return false;
        *value = *value * base + digit;
    }
    return true;
}

long rt_store_number(u32 transaction, const char *path, u64 *value)
{
    char text[32];
    long len = rt_store_read(transaction, path, text, sizeof(text));

    if (len < 0)
        return len;
    return len < (long)sizeof(text) && parse(text, value) ? 0 : -XEN_EINVAL;
}

long rt_store_mkdir(u32 transaction, const char *path)
{
    return done(path_call(XS_MKDIR, transaction, path, NULL, 0));
}

long rt_store_remove(u32 transaction, const char *path)
{
    return done(path_call(XS_RM, transaction, path, NULL, 0));
}

long rt_store_directory(u32 transaction, const char *path, char *names, size_t room)
{
    return path_call(XS_DIRECTORY, transaction, path, names, room);
}

static void tell_names(const char *names, size_t len, rt_store_name_fn *fn, void *arg)
{
    for (size_t at = 0; at < len; at += strlen(names + at) + 1)
        fn(arg, names + at);
}

/* What is left of an answer behind the generation, which is to be that of the parts so far. NULL: it is
 * another, so that they do not belong together. */
static const char *part_of(const char *answer, char *generation, bool first)
{
    size_t len = strlen(answer) + 1;

    if (len > GENERATION || (!first && strcmp(answer, generation) != 0))
        return NULL;
    memcpy(generation, answer, len);
    return answer + len;
}

/* An empty name is behind the last one. */
static long each_part(const char *path, char *answer, rt_store_name_fn *fn, void *arg)
{
    char generation[GENERATION], question[XENSTORE_ABS_PATH_MAX + 16];
    size_t offset = 0;

    for (u32 again = 0; again < PARTS_AGAIN;) {
        size_t len = format(question, sizeof(question), "%s%c%lu", path, 0, offset) + 1, more;
        long got = rt_store_call(XS_DIRECTORY_PART, 0, question, len, answer,
                                 XENSTORE_PAYLOAD_MAX + 1);
        const char *names;

        if (got < 0)
            return got;
        names = part_of(answer, generation, !offset);
        if (!names) {
            offset = 0;
            again++;
            continue;
        }
        more = (size_t)(answer + got - names);
        if (!more)
            return -XEN_EIO;
        if (!names[more - 1] && (more == 1 || !names[more - 2])) {
            tell_names(names, more - 1, fn, arg);
            return 0;
        }
        tell_names(names, more, fn, arg);
        offset += more;
    }
    return -XEN_EAGAIN;
}

long rt_store_each(const char *path, rt_store_name_fn *fn, void *arg)
{
    char *answer = rt_alloc(XENSTORE_PAYLOAD_MAX + 1);
    long got = -XEN_ENOMEM;

    if (answer)
        got = rt_store_directory(0, path, answer, XENSTORE_PAYLOAD_MAX + 1);
    if (got >= 0)
        tell_names(answer, (size_t)got, fn, arg);
    else if (got == -XEN_E2BIG)
        got = each_part(path, answer, fn, arg);
    rt_free(answer, XENSTORE_PAYLOAD_MAX + 1);
    return done(got);
}

long rt_store_set_perms(u32 transaction, const char *path, const char *const *perms, u32 count)
{
    char text[XENSTORE_PAYLOAD_MAX];
    size_t len = 0;

    for (u32 i = 0; i <= count; i++) {
        const char *word = i ? perms[i - 1] : path;
        size_t more = strlen(word) + 1;

        if (len + more > sizeof(text))
            return -XEN_E2BIG;
        memcpy(text + len, word, more);
        len += more;
    }
    return done(rt_store_call(XS_SET_PERMS, transaction, text, len, NULL, 0));
}

long rt_store_begin(void)
{
    char text[16];
    long error = rt_store_call(XS_TRANSACTION_START, 0, "", 1, text, sizeof(text));
    u64 id = 0;

    if (error < 0)
        return error;
    return parse(text, &id) && id <= 0xffffffff ? (long)id : -XEN_EINVAL;
}

long rt_store_end(u32 transaction, bool commit)
{
    return done(rt_store_call(XS_TRANSACTION_END, transaction, commit ? "T" : "F", 2, NULL, 0));
}

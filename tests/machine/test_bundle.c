/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bundles: the members of a newc archive are found, the boot list is split into commands,
 * and archives cut short anywhere end the walk without a read outside their bytes.
 */
#include "guest/machine/bundle.h"
#include "tests/check.h"

static u8 archive[4096];
static size_t archive_len;

static void append(const void *bytes, size_t len)
{
    memcpy(archive + archive_len, bytes, len);
    archive_len = ALIGN_UP(archive_len + len, 4);
}

static void add(const char *name, unsigned mode, const char *data, size_t len)
{
    char head[256];
    int n = snprintf(head, sizeof head,
                     "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s", 1, mode, 0,
                     0, 1, 0, (unsigned)len, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0, name);

    append(head, (size_t)n + 1);
    append(data, len);
}

static struct bundle build(void)
{
    static const char list[] = "# who starts\nhello one  two\n\n\tping 3 # three\nlast";

    memset(archive, 0, sizeof archive);
    archive_len = 0;
    add(".", 0040755, "", 0);
    add("hello", 0100755, "ELF", 3);
    add("./boot", 0100644, list, sizeof list - 1);
    add("TRAILER!!!", 0, "", 0);
    return (struct bundle){archive, archive_len};
}

static void test_members(void)
{
    struct bundle b = build();
    struct bundle_file f;

    CHECK(bundle_find(&b, "hello", &f));
    CHECK(f.len == 3 && memcmp(f.data, "ELF", 3) == 0);
    CHECK(bundle_find(&b, "boot", &f));
    CHECK(!bundle_find(&b, ".", &f));
    CHECK(!bundle_find(&b, "nobody", &f));
}

static void test_commands(void)
{
    struct bundle b = build();
    struct bundle_file f;
    struct bundle_command c;
    const char *why;
    size_t at = 0;

    CHECK(bundle_find(&b, "boot", &f));
    CHECK(bundle_command(&f, &at, &c, &why) && c.count == 3);
    CHECK(strcmp(c.args[0], "hello") == 0 && strcmp(c.args[2], "two") == 0);
    CHECK(bundle_command(&f, &at, &c, &why) && c.count == 2);
    CHECK(strcmp(c.args[0], "ping") == 0 && strcmp(c.args[1], "3") == 0);
    CHECK(bundle_command(&f, &at, &c, &why) && c.count == 1);
    CHECK(strcmp(c.args[0], "last") == 0);
    CHECK(!bundle_command(&f, &at, &c, &why) && why == NULL);
}

static void test_too_much(void)
{
    char words[] = "a b c d e f g h i j k l m n o p q\n";
    char line[BUNDLE_LINE_MAX + 2];
    struct bundle_file f = {.data = (const u8 *)words, .len = sizeof words - 1};
    struct bundle_command c;
    const char *why;
    size_t at = 0;

    CHECK(!bundle_command(&f, &at, &c, &why) && why != NULL);
    memset(line, 'x', sizeof line);
    f = (struct bundle_file){.data = (const u8 *)line, .len = sizeof line};
    at = 0;
    CHECK(!bundle_command(&f, &at, &c, &why) && why != NULL);
}

/* Each prefix lies at the end of its own allocation, where the sanitizer sees one byte. */
static void test_cut_short(void)
{
    struct bundle whole = build();
    size_t most = 0;

    for (size_t len = 0; len <= whole.len; len++) {
        u8 *copy = malloc(len ? len : 1);
        struct bundle b = {copy, len};
        struct bundle_file f = {0};
        size_t members = 0;

        memcpy(copy, whole.bytes, len);
        while (bundle_next(&b, &f))
            members++;
        CHECK(members >= most);
        most = members;
        free(copy);
    }
    CHECK_EQ(most, 2);
}

TESTS(CASE(test_members), CASE(test_commands), CASE(test_too_much), CASE(test_cut_short))

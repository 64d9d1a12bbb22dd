/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command language's words, conditions and numbers, and the JSON that answers: as
 * guest/control/README.md has them. Row H12.
 */
#include "tests/check.h"
#include "guest/control/json.h"
#include "guest/control/step.h"

static struct words w;

static bool split(const char *line)
{
    const char *why;

    return words_split(&w, line, strlen(line), &why);
}

static void test_words(void)
{
    CHECK(split("") && w.count == 0);
    CHECK(split("  # only a comment") && w.count == 0);
    CHECK(split("a  b\t\"c d\" e=\"f g\"h # rest") && w.count == 4);
    CHECK(strcmp(w.word[2], "c d") == 0 && !w.value[2]);
    CHECK(strcmp(w.value[3], "f gh") == 0 && w.key_len[3] == 1);
    CHECK(split("\"a=b\"=c=d") && strcmp(w.value[0], "c=d") == 0 && w.key_len[0] == 3);
    CHECK(split("\"\\\"\\\\\\n\\t\\r\\x41\"") && strcmp(w.word[0], "\"\\\n\t\rA") == 0);
    CHECK(!split("\"open"));
    CHECK(!split("\"\\q\""));
    CHECK(!split("\"\\x00\""));
    CHECK(split("cmdline=") && !*w.value[0]);
}

static void test_options(void)
{
    u32 at = 0;

    CHECK(split("create n1 module=a module=b mem=1M colour=red"));
    w.taken[0] = w.taken[1] = true;
    CHECK(strcmp(words_next(&w, "module", &at), "a") == 0);
    CHECK(strcmp(words_next(&w, "module", &at), "b") == 0);
    CHECK(!words_next(&w, "module", &at));
    CHECK(strcmp(words_option(&w, "mem"), "1M") == 0);
    CHECK(!words_option(&w, "me") && !words_option(&w, "n1"));
    CHECK(strcmp(words_left(&w, 0), "colour=red") == 0);
}

static void test_limits(void)
{
    static char line[WORDS_LINE + 2];
    const char *why;

    memset(line, 'x', sizeof(line));
    CHECK(words_split(&w, line, WORDS_LINE, &why) && w.count == 1);
    CHECK(!words_split(&w, line, WORDS_LINE + 1, &why));
    for (u32 i = 0; i < WORDS_LINE; i += 2)
        line[i] = ' ';
    CHECK(words_split(&w, line, WORDS_MOST * 2, &why) && w.count == WORDS_MOST);
    CHECK(!words_split(&w, line, WORDS_MOST * 2 + 2, &why));
    CHECK(!words_split(&w, "a\0b", 3, &why));
}

static void test_numbers(void)
{
    u64 v;

    CHECK(words_number("18446744073709551615", &v) && v == ~(u64)0);
    CHECK(!words_number("18446744073709551616", &v));
    CHECK(words_number("0xff", &v) && v == 255);
    CHECK(!words_number("", &v) && !words_number("0x", &v) && !words_number("12a", &v));
    CHECK(words_size("3G", &v) && v == 3ull << 30);
    CHECK(words_size("4096", &v) && v == 4096);
    CHECK(!words_size("3g", &v) && !words_size("18446744073709551615K", &v));
    CHECK(words_time("1500us", &v) && v == 1500000);
    CHECK(words_time("2m", &v) && v == 120000000000ull);
    CHECK(!words_time("5", &v) && !words_time("5 s", &v));
    CHECK(words_name("n-1_a.b") && !words_name("") && !words_name("a/b") && !words_name("a b"));
}

static bool step(struct step *s, const char *line)
{
    const char *why;

    return split(line) && step_read(s, &w, &why);
}

static void test_steps(void)
{
    struct step s;

    CHECK(step(&s, "list") && s.kind == STEP_NOW && s.first == 0 && !s.tag);
    CHECK(step(&s, "@x list") && s.first == 1 && strcmp(s.tag, "x") == 0);
    CHECK(step(&s, "at 3ms list") && s.kind == STEP_AT && s.at_ns == 3000000 && s.first == 2);
    CHECK(step(&s, "@1 when exit n1 finish") && s.kind == STEP_EXIT && s.first == 4);
    CHECK(strcmp(s.object, "n1") == 0);
    CHECK(step(&s, "when output n1 \"a b\" finish") && strcmp(s.value, "a b") == 0);
    CHECK(step(&s, "when store /a/b 5 log x") && s.kind == STEP_STORE && s.first == 4);
    CHECK(step(&s, "when trace n1 0x8013 3 any destroy n1") && s.kind == STEP_TRACE);
    CHECK(s.first == 6 && s.record.type == 0x8013 && s.record.left == 3 && s.record.any_a);
    CHECK(step(&s, "when trace n1 0x8013 1 7 destroy n1") && s.record.a == 7);
    CHECK(!s.record.any_a && !step(&s, "when trace n1 0x8013 0 any list"));
    CHECK(!step(&s, "when trace n1 0x10000 1 any list"));
    CHECK(!step(&s, "when trace n1 0x8013 1 x list"));
    CHECK(!step(&s, "when trace n1 0x8013 1 any"));
    CHECK(!step(&s, "at noon list") && !step(&s, "at 5ms") && !step(&s, "when exit n1"));
    CHECK(!step(&s, "when") && !step(&s, "when exit") && !step(&s, "when never n1 x"));
    CHECK(!step(&s, "when exit n/1 finish") && !step(&s, "@tag"));
    CHECK(step(&s, " @t  at 5ms when exit \"n1\" when store /a 1 log x"));
    CHECK(s.kind == STEP_AT && s.first == 3 && step_waits(&w, 3) && w.at[3] == 12);
    CHECK(step_waits(&w, 6) && !step_waits(&w, 10) && w.word[10][0] == 'l' && w.at[10] == 43);
    CHECK(!step(&s, "at 5ms when exit") && !step(&s, "at 5ms when exit n1"));
    CHECK(!step(&s, "when exit n1 at noon list"));
}

static void test_json(void)
{
    char buf[512], small[80];
    struct json j;
    size_t len;

    json_begin(&j, buf, sizeof(buf));
    json_text(&j, "a", "x\"\\\n\x80");
    json_number(&j, "n", ~(u64)0);
    json_open(&j, "list");
    for (u32 i = 0; i < 2; i++) {
        json_item(&j);
        json_bool(&j, "b", i);
        json_item_end(&j);
    }
    json_close(&j);
    json_bool(&j, "ok", true);
    len = json_end(&j);
    buf[len] = 0;
    CHECK(strcmp(buf, "{\"a\":\"x\\\"\\\\\\u000a\\u0080\",\"n\":18446744073709551615,"
                      "\"list\":[{\"b\":false},{\"b\":true}],\"ok\":true}\n") == 0);
    json_begin(&j, small, sizeof(small));
    json_text(&j, "kept", "short");
    json_text(&j, "dropped", "a text that is much too long for what is left of the line");
    len = json_end(&j);
    CHECK(len <= sizeof(small));
    small[MIN(len, sizeof(small) - 1)] = 0;
    CHECK(strcmp(small, "{\"kept\":\"short\",\"cut\":true}\n") == 0);
}

TESTS(CASE(test_words), CASE(test_options), CASE(test_limits), CASE(test_numbers),
      CASE(test_steps), CASE(test_json))

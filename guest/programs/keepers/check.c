/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `keepers-check`: maps what `meter` and `vault` keep, and holds both and the kernel to what is
 * promised: what is asked and written back and when, that a file behind the vault shows
 * nothing, and what a keeper that is silent or dead does to those who chose to wait, to fail,
 * or to have zeros. Needs the links "kernel" and "files"; prints a line per check.
 */
#include "guest/kernel/node.h"
#include "guest/lib/file.h"
#include "guest/lib/keeper.h"
#include "guest/lib/process.h"
#include "guest/programs/keepers/meter.h"

enum { CHANNEL_ENDS = 5, PAGE = 4096, PAGES = 16, TRIES = 2000 };
enum counts { INITS, REQUESTS, WRITES, ENDS, COUNTS };
#define BASE 0x5000000000ull

static const char secret[] = "attack at dawn, by the eastern gate";
static u32 failures;

static void expect(const char *what, s64 got, s64 wanted)
{
    bool ok = got == wanted;

    failures += !ok;
    demos_print("  %s %s\n", ok ? "ok     " : "FAILED ", what);
    if (!ok)
        demos_print("          %lld, not %lld\n", (long long)got, (long long)wanted);
}

static volatile u64 *word_of(u64 page)
{
    return (volatile u64 *)(BASE + page * PAGE);
}

static s64 map(s64 object, enum keeper_silence silence, u64 patience_ns)
{
    struct keeper_view view = {.base = BASE,
                               .len = PAGES * PAGE,
                               .protection = 3,
                               .silence = silence,
                               .patience_ns = patience_ns};

    return keeper_map(demos_link("self"), object, &view);
}

static s64 unmap(void)
{
    return process_control(demos_link("self"), CONTROL_UNMAP, BASE, PAGES * PAGE, 0);
}

/* A keeper of ours: its control link, and what it offers. */
static s64 keeper(const char *program, const char *file, const char *key, s64 *service)
{
    const char *args[] = {file, key};
    struct demos_gift gifts[] = {{"console", demos_link("console")},
                                 {"files", demos_link("files")}};
    struct demos_spawn s = {.program = program,
                            .args = args,
                            .arg_count = file ? 2 : 0,
                            .gifts = gifts,
                            .gift_count = file ? 2 : 1,
                            .watch = process_watch(CHANNEL_ENDS, 0)};
    s64 control = demos_spawn_server(&s, service);

    if (control < 0 || *service <= 0)
        demos_die("keepers-check: no %s: %s", program, demos_error(control));
    return control;
}

static void end(s64 control, s64 service)
{
    struct process_end how;

    process_kill(control);
    process_wait(CHANNEL_ENDS, &how);
    demos_link_drop(control);
    demos_link_drop(service);
}

/* --- the one that counts ------------------------------------------------------------ */

static s64 ask(s64 meter, enum meter_op op, u64 argument, u64 *count)
{
    struct words w;
    s64 link = 0, result;

    words_start(&w, op);
    words_put(&w, argument);
    result = words_call(meter, &w, NULL, 0, &link);
    for (u32 i = 0; count && i < COUNTS; i++)
        count[i] = words_get(&w);
    return result < 0 ? result : link;
}

/* The kernel and the keeper go on by themselves: their END is waited for. */
static void await_ends(s64 meter, u64 ends, u64 *count)
{
    u32 tries = 0;

    do {
        demos_sleep_ns(tries ? 1000000 : 0);
        ask(meter, METER_STATE, 0, count);
    } while (count[ENDS] < ends && ++tries < TRIES);
}

static void check_counts(s64 meter, s64 object)
{
    u64 count[COUNTS], sum = 0;

    expect("mapped", map(object, KEEPER_WAIT, 0), 0);
    for (u64 page = 0; page < 8; page++)
        sum += *word_of(page);
    expect("zeros at first", (s64)sum, 0);
    for (u64 page = 4; page < 12; page++)
        *word_of(page) = page;
    for (u64 page = 0; page < 12; page++)
        sum += *word_of(page);
    expect("what was written", (s64)sum, 60);
    ask(meter, METER_STATE, 0, count);
    expect("one INIT", (s64)count[INITS], 1);
    expect("a REQUEST for each page", (s64)count[REQUESTS], 12);
    expect("no WRITE before it is needed", (s64)count[WRITES], 0);
    expect("unmapped", unmap(), 0);
    await_ends(meter, 1, count);
    expect("a WRITE for each page that changed", (s64)count[WRITES], 8);
    expect("and END", (s64)count[ENDS], 1);
    expect("mapped again", map(object, KEEPER_WAIT, 0), 0);
    for (u64 page = sum = 0; page < 12; page++)
        sum += *word_of(page);
    expect("the same as before", (s64)sum, 60);
    ask(meter, METER_STATE, 0, count);
    expect("asked again", (s64)count[REQUESTS], 24);
    expect("unmapped again", unmap(), 0);
    await_ends(meter, 2, count);
    expect("nothing to write", (s64)count[WRITES], 8);
}

/* --- keepers that fail -------------------------------------------------------------- */

/* A child that maps an object as it is told, and says what it read. */
static struct process_end toucher(s64 object, const char *silence)
{
    const char *args[] = {"touch", silence};
    struct demos_gift gifts[] = {{"console", demos_link("console")}, {"object", object}};
    struct demos_spawn s = {.program = "keepers-check",
                            .args = args,
                            .arg_count = 2,
                            .gifts = gifts,
                            .gift_count = 2,
                            .own = true,
                            .watch = process_watch(CHANNEL_ENDS, 0)};
    struct process_end how = {.how = ~(u64)0};
    s64 control = demos_spawn(&s);

    if (control > 0)
        process_wait(CHANNEL_ENDS, &how);
    demos_link_drop(control);
    return how;
}

static int touch(const char *silence)
{
    enum keeper_silence then = strcmp(silence, "wait") == 0   ? KEEPER_WAIT
                               : strcmp(silence, "zero") == 0 ? KEEPER_ZERO
                                                              : KEEPER_FAIL;

    if (map(demos_link("object"), then, 5000000) < 0)
        return 9;
    return *word_of(0) != 0;
}

static void expect_end(const char *what, s64 object, const char *silence, u64 how, s64 status)
{
    struct process_end ended = toucher(object, silence);

    expect(what, ended.how == how ? ended.status : -1000 - (s64)ended.how, status);
}

static void check_failures(s64 control, s64 meter)
{
    s64 object = ask(meter, METER_OBJECT, 0, NULL);
    struct process_end how;

    expect_end("served", object, "wait", DEMOS_END_EXIT, 0);
    ask(meter, METER_SILENT, 1, NULL);
    expect_end("silent, and the client wants zeros", object, "zero", DEMOS_END_EXIT, 0);
    expect_end("silent, and it wants to fail", object, "fail", DEMOS_END_EXCEPTION,
               EXCEPTION_PAGER);
    process_kill(control);
    process_wait(CHANNEL_ENDS, &how);
    expect_end("dead, and it wants zeros", object, "zero", DEMOS_END_EXIT, 0);
    expect_end("dead, and it wants to fail", object, "fail", DEMOS_END_EXCEPTION,
               EXCEPTION_PAGER);
}

/* --- the one that encrypts ---------------------------------------------------------- */

static void write_secret(s64 object)
{
    map(object, KEEPER_WAIT, 0);
    for (u64 page = 0; page < 4; page++)
        memcpy((void *)(BASE + page * PAGE), secret, sizeof secret);
    unmap();
}

static bool is_secret(s64 object, u64 page)
{
    bool is;

    map(object, KEEPER_WAIT, 0);
    is = memcmp((const void *)(BASE + page * PAGE), secret, sizeof secret) == 0;
    unmap();
    return is;
}

/* The file once all four pages are in it; how often any six letters of the secret are, too. */
static u32 shown_in_file(void)
{
    static u8 bytes[4 * PAGE];
    s64 f = file_open(demos_link("files"), "vault", FILE_READS);
    u32 tries = 0, shown = 0;

    while (file_read(f, 0, bytes, sizeof bytes) < (s64)sizeof bytes && ++tries < TRIES)
        demos_sleep_ns(1000000);
    for (u32 at = 0; at + 6 <= sizeof bytes; at++)
        for (u32 i = 0; i + 6 < sizeof secret; i++)
            shown += memcmp(bytes + at, secret + i, 6) == 0;
    demos_link_drop(f);
    return tries == TRIES ? 1000 : shown;
}

static void check_vault(void)
{
    s64 object, control = keeper("vault", "vault", "key", &object);

    write_secret(object);
    expect("read back through the keeper", is_secret(object, 3), true);
    expect("nothing of it in the file", shown_in_file(), 0);
    end(control, object);
    control = keeper("vault", "vault", "key", &object);
    expect("there again with its key", is_secret(object, 0), true);
    end(control, object);
    control = keeper("vault", "vault", "other", &object);
    expect("not with another", is_secret(object, 0), false);
    end(control, object);
}

static int run(void)
{
    s64 meter, object, control = keeper("meter", NULL, NULL, &meter);

    object = ask(meter, METER_OBJECT, 0, NULL);
    check_counts(meter, object);
    check_failures(control, meter);
    check_vault();
    demos_print("Test result: %s\n", failures ? "FAILURE" : "SUCCESS");
    return failures != 0;
}

/* All of it in a child, which may have what its creator does not: its own control link. */
static int begin(void)
{
    const char *args[] = {"run"};
    struct demos_gift gifts[] = {{"console", demos_link("console")},
                                 {"kernel", demos_link("kernel")},
                                 {"programs", demos_link("programs")},
                                 {"clock", demos_link("clock")},
                                 {"files", demos_link("files")}};
    struct demos_spawn s = {.program = "keepers-check",
                            .args = args,
                            .arg_count = 1,
                            .gifts = gifts,
                            .gift_count = ARRAY_SIZE(gifts),
                            .own = true};

    return process_run(&s, CHANNEL_ENDS);
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return touch(argv[2]);
    return argc > 1 ? run() : begin();
}

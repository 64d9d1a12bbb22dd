/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds the file system behind the link "files" to guest/lib/file.h. Prints a line per check
 * and a verdict. With the argument `quotas` and the owner's link (+files) it
 * sees to limits, too; with `holder` it opens files and waits, to be killed.
 */
#include "guest/lib/file.h"
#include "guest/lib/process.h"
#include "guest/servers/fs/format.h"

enum { CHANNEL_ENDS = 5, BIG = 2500000, MANY = 700, EACH = 128 };

static u32 failures;
static u8 out[BIG], in[BIG];
static s64 fs;

static void expect(const char *what, s64 got, s64 wanted)
{
    bool ok = got == wanted;

    failures += !ok;
    demos_print("  %s %s\n", ok ? "ok     " : "FAILED ", what);
    if (!ok)
        demos_print("          %lld, not %lld\n", (long long)got, (long long)wanted);
}

static void check_bytes(void)
{
    s64 f = file_open(fs, "big", FILE_READS | FILE_WRITES | FILE_CREATES);

    for (u32 i = 0; i < BIG; i++)
        out[i] = (u8)(i * 7 + i / 251);
    expect("made", f > 0, true);
    expect("written", file_write(f, 0, out, BIG), BIG);
    expect("read", file_read(f, 0, in, BIG), BIG);
    expect("the same bytes", memcmp(in, out, BIG), 0);
    expect("short at the end", file_read(f, BIG - 10, in, 100), 10);
    expect("nothing behind it", file_read(f, BIG, in, 100), 0);
    expect("a few in the middle", file_read(f, 12345, in, 77), 77);
    expect("the right ones", memcmp(in, out + 12345, 77), 0);
    expect("over a hole", file_write(f, BIG + 5000, out, 1), 1);
    expect("zeros in it", file_read(f, BIG, in, 5000) == 5000 && in[0] == 0 && in[4999] == 0,
           1);
    expect("cut", file_word_op(f, FILE_RESIZE, 100), 0);
    expect("to that", file_read(f, 0, in, 200), 100);
    expect("synced", file_word_op(fs, FILE_SYNC, 0), 0);
    expect("removed while open", file_path_op(fs, FILE_REMOVE, "big"), 0);
    expect("gone", file_read(f, 0, in, 1), FILE_ERROR(FS_E_NONE));
    demos_link_drop(f);
}

static void check_rights(void)
{
    s64 f = file_open(fs, "r", FILE_WRITES | FILE_CREATES);
    struct words w;

    expect("no reading of one opened to write", file_read(f, 0, in, 1), DEMOS_E_ALLOWED);
    file_write(f, 0, "x", 1);
    demos_link_drop(f);
    f = file_open(fs, "r", FILE_READS);
    expect("no writing of one opened to read", file_write(f, 0, "y", 1), DEMOS_E_ALLOWED);
    expect("nor cutting", file_word_op(f, FILE_RESIZE, 0), DEMOS_E_ALLOWED);
    words_start(&w, FILE_READ);
    words_put(&w, 0);
    words_put(&w, 1);
    expect("no reading into nothing", words_call(f, &w, NULL, 0, NULL), DEMOS_E_ARGUMENT);
    expect("unknown operation", file_word_op(f, (enum file_op)99, 0), DEMOS_E_CALL);
    expect("nor over the service", file_word_op(fs, FILE_READ, 0), DEMOS_E_CALL);
    expect("opened for nothing", file_open(fs, "r", 0), DEMOS_E_ARGUMENT);
    demos_link_drop(f);
    file_path_op(fs, FILE_REMOVE, "r");
}

static void check_names(void)
{
    static char longest[FILE_PATH_MAX + 1];
    u64 index = 0, size = 9;
    char name[64];
    s64 f;

    expect("a folder", file_path_op(fs, FILE_FOLDER, "d"), 0);
    expect("once", file_path_op(fs, FILE_FOLDER, "d"), FILE_ERROR(FS_E_EXISTS));
    f = file_open(fs, "d/a", FILE_WRITES | FILE_CREATES);
    expect("a file in it", file_write(f, 0, "abc", 3), 3);
    demos_link_drop(f);
    expect("not empty", file_path_op(fs, FILE_REMOVE, "d"), FILE_ERROR(FS_E_BUSY));
    expect("no such file", file_open(fs, "d/b", FILE_READS), FILE_ERROR(FS_E_NONE));
    expect("a folder is no file", file_open(fs, "d", FILE_READS), FILE_ERROR(FS_E_KIND));
    expect("renamed", file_rename(fs, "d/a", "d/b"), 0);
    expect("listed", file_list(fs, "d", &index, &size, name), 1);
    expect("by its name", strcmp(name, "b"), 0);
    expect("and size", (s64)size, 3);
    expect("the only one", file_list(fs, "d", &index, &size, name), 0);
    expect("removed", file_path_op(fs, FILE_REMOVE, "d/b"), 0);
    expect("and the folder", file_path_op(fs, FILE_REMOVE, "d"), 0);
    memset(longest, 'x', FILE_PATH_MAX);
    expect("too long a name", file_open(fs, longest, FILE_WRITES | FILE_CREATES),
           FILE_ERROR(FS_E_NAME));
}

/* While one owner has all the open files it may have, others open theirs. */
static void check_open_files(s64 theirs)
{
    static s64 held[EACH];
    u32 had = 0;
    s64 f = file_open(fs, "ours", FILE_WRITES | FILE_CREATES);

    demos_link_drop(f);
    while (had < EACH && (held[had] = file_open(theirs, "ours", FILE_READS)) > 0)
        had++;
    expect("an owner's open files", had, EACH);
    expect("not more", file_open(theirs, "ours", FILE_READS), DEMOS_E_MEMORY);
    f = file_open(fs, "ours", FILE_READS);
    expect("another's", f > 0, true);
    demos_link_drop(f);
    while (had)
        demos_link_drop(held[--had]);
    f = file_open(theirs, "ours", FILE_READS);
    expect("and theirs again", f > 0, true);
    demos_link_drop(f);
    file_path_op(fs, FILE_REMOVE, "ours");
}

/* What one owner holds has a limit, and the others do not mind: for who has the owner's link. */
static void check_quotas(void)
{
    s64 whole = fs, theirs = 0, f;
    struct words w;

    words_start(&w, FILE_OWNER);
    words_put(&w, 7);
    expect("a link for an owner", words_call(whole, &w, NULL, 0, &theirs), 0);
    words_start(&w, FILE_QUOTA);
    words_put(&w, 7);
    words_put(&w, 100);
    expect("who may hold a hundred blocks", words_call(whole, &w, NULL, 0, NULL), 0);
    expect("does not set that", file_word_op(theirs, FILE_QUOTA, 1000), DEMOS_E_ALLOWED);
    f = file_open(theirs, "theirs", FILE_READS | FILE_WRITES | FILE_CREATES);
    expect("writes less", file_write(f, 0, out, 40 * FS_BLOCK), 40 * FS_BLOCK);
    expect("not more", file_write(f, 40 * FS_BLOCK, out, BIG) < 60 * FS_BLOCK, true);
    words_start(&w, FILE_USED);
    expect("is told so", words_call(theirs, &w, NULL, 0, NULL), 0);
    expect("the limit", (s64)words_get(&w), 100);
    expect("and how much it is", words_get(&w) <= 100, true);
    demos_link_drop(f);
    f = file_open(whole, "ours", FILE_READS | FILE_WRITES | FILE_CREATES);
    expect("others do as before", file_write(f, 0, out, BIG), BIG);
    demos_link_drop(f);
    expect("gives it back", file_path_op(theirs, FILE_REMOVE, "theirs"), 0);
    expect("with the next sync", file_word_op(theirs, FILE_SYNC, 0), 0);
    f = file_open(theirs, "again", FILE_READS | FILE_WRITES | FILE_CREATES);
    expect("and writes again", file_write(f, 0, out, 40 * FS_BLOCK), 40 * FS_BLOCK);
    demos_link_drop(f);
    file_path_op(theirs, FILE_REMOVE, "again");
    file_path_op(whole, FILE_REMOVE, "ours");
    check_open_files(theirs);
}

/* More than the server has room for at once: each is closed by its link's end. */
static void check_many(void)
{
    s64 f = 0;

    for (u32 i = 0; i < MANY && f >= 0; i++) {
        f = file_open(fs, "m", FILE_WRITES | FILE_CREATES);
        demos_link_drop(f);
    }
    expect("opened and closed many times", f > 0, true);
}

/* Who has died holds nothing, as soon as the word that his links are gone has come to where the
 * files are: that takes another way than an open. */
static s64 open_when_there_is_room(void)
{
    enum { PAUSE_NS = 10000000, TRIES = 1000 };
    s64 f = file_open(fs, "m", FILE_READS);

    for (u32 tries = 0; f == DEMOS_E_MEMORY && tries < TRIES; tries++) {
        demos_sleep_ns(PAUSE_NS);
        f = file_open(fs, "m", FILE_READS);
    }
    return f;
}

static void check_death(void)
{
    const char *args[] = {"holder"};
    struct demos_gift gifts[] = {{"console", demos_link("console")}, {"files", fs}};
    struct demos_spawn s = {.program = "files-check",
                            .args = args,
                            .arg_count = 1,
                            .gifts = gifts,
                            .gift_count = ARRAY_SIZE(gifts)};
    struct process_end end;
    s64 control = 1, service;
    u32 good = 0;

    for (u32 i = 0; i < 5 && control > 0; i++) {
        s.watch = process_watch(CHANNEL_ENDS, 0);
        control = demos_spawn_server(&s, &service);
        good += service > 0;
        process_kill(control);
        process_wait(CHANNEL_ENDS, &end);
        demos_link_drop(control);
        demos_link_drop(service);
    }
    expect("holders of many files, killed", good, 5);
    expect("leave room behind", open_when_there_is_room() > 0, true);
}

/* Holds as many open files as one owner may have. */
static int hold(void)
{
    for (u32 i = 0; i < EACH; i++)
        if (open_when_there_is_room() < 0)
            return 1;
    if (file_open(fs, "m", FILE_READS) >= 0)
        return 1;
    demos_offer(demos_link_make(DEMOS_GENERAL, DEMOS_GIVE, 1, 0));
    demos_receive(DEMOS_CHANNEL(0), NULL, 0, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    fs = demos_link("files");
    if (argc > 1 && strcmp(argv[1], "holder") == 0)
        return hold();
    if (argc > 1)
        check_quotas();
    check_bytes();
    check_rights();
    check_names();
    check_many();
    check_death();
    demos_print("Test result: %s\n", failures ? "FAILURE" : "SUCCESS");
    return failures != 0;
}

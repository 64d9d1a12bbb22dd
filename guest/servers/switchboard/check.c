/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds a switchboard to guest/lib/switchboard.h: over the link it was given, and through
 * a second switchboard below that one which it starts itself. Prints a line per check and
 * a verdict. With the argument `owner` it checks what only the owner's link may do.
 */
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"

enum { CHANNEL_A = 1, CHANNEL_ANSWER = 2, CHANNEL_ENDS = 5 };
enum { DUP = DEMOS_DUP | DEMOS_GIVE };

static u32 failures;

static void expect(const char *what, s64 got, s64 wanted)
{
    bool ok = got == wanted;

    failures += !ok;
    demos_print("  %s %s\n", ok ? "ok     " : "FAILED ", what);
    if (!ok)
        demos_print("          %lld (%s), not %lld\n", (long long)got, demos_error(got),
                    (long long)wanted);
}

static s64 mine(u32 attr, u64 code)
{
    return demos_link_make(DEMOS_GENERAL, attr, CHANNEL_A, code);
}

/* The code of the link that `name` gives: of a message sent over it. */
static s64 code_of(s64 link)
{
    struct demos_info info = {0};

    if (link <= 0)
        return link;
    if (demos_send(link, NULL, 0) < 0)
        return -100;
    demos_link_drop(link);
    if (demos_receive_within(DEMOS_NOW, DEMOS_CHANNEL(CHANNEL_A), NULL, 0, &info) < 0)
        return -101;
    return (s64)info.code;
}

static s64 find(s64 board, const char *name)
{
    return code_of(switchboard_ask(board, SWITCHBOARD_FIND, name, 0, 0));
}

static s64 announce(s64 board, const char *name, u32 flags, u64 code)
{
    s64 link = mine(DUP, code);
    s64 entry = switchboard_ask(board, SWITCHBOARD_ANNOUNCE, name, flags, link);

    demos_link_drop(link);
    return entry;
}

static s64 post(s64 board, const char *name, u64 code)
{
    return switchboard_ask(board, SWITCHBOARD_POST, name, 0, mine(DEMOS_GIVE, code));
}

/* A question that may wait, asked without waiting ourselves. */
static void ask(s64 board, const char *name)
{
    struct words w;

    words_start(&w, SWITCHBOARD_FIND);
    words_put_name(&w, name);
    words_put(&w, SWITCHBOARD_WAIT);
    demos_request(board, w.bytes, 8 * w.count, 64, CHANNEL_ANSWER, 0);
}

/* Its answer: the code of the link, or DEMOS_E_TIMEOUT while there is none. */
static s64 answered(u64 within)
{
    struct demos_info info = {0};
    struct words w;
    s64 len = demos_receive_within(within, DEMOS_CHANNEL(CHANNEL_ANSWER), w.bytes,
                                   sizeof w.bytes, &info);

    if (len < 0)
        return len;
    if (info.kind == DEMOS_MSG_NOTICE)
        return -(s64)info.notice;
    words_read(&w, w.bytes, (size_t)len);
    return info.count ? code_of(info.links[0]) : (s64)words_get(&w);
}

static void check_names(s64 board)
{
    static const char *const bad[] = {"", "with blank", "a-name-of-twenty-four-by"};

    for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
        expect("no such name can be", announce(board, bad[i], 0, 1), DEMOS_E_ARGUMENT);
    expect("unknown name", find(board, "nobody"), DEMOS_E_REFUSED);
    expect("nothing announced without a link",
           switchboard_ask(board, SWITCHBOARD_ANNOUNCE, "x", 0, 0), DEMOS_E_ARGUMENT);
}

static void check_announce(s64 board)
{
    s64 entry = announce(board, "one", 0, 7), once = mine(DEMOS_GIVE, 1);

    expect("announced", entry > 0, true);
    expect("found", find(board, "one"), 7);
    expect("found again", find(board, "one"), 7);
    expect("taken name", announce(board, "one", 0, 8), DEMOS_E_STATE);
    expect("link without DUP", switchboard_ask(board, SWITCHBOARD_ANNOUNCE, "two", 0, once),
           DEMOS_E_ALLOWED);
    demos_link_drop(entry);
    expect("gone with its entry link", find(board, "one"), DEMOS_E_REFUSED);
    entry = announce(board, "one", 0, 9);
    expect("announced anew", find(board, "one"), 9);
    expect("removed", process_control(entry, (enum control_op)SWITCHBOARD_REMOVE, 0, 0, 0), 0);
    expect("gone", find(board, "one"), DEMOS_E_REFUSED);
    demos_link_drop(entry);
}

static void check_post(s64 board)
{
    s64 first = post(board, "many", 1), second = post(board, "many", 2);

    expect("two of a name", first > 0 && second > 0, true);
    expect("the first", find(board, "many"), 1);
    expect("the second", find(board, "many"), 2);
    expect("no third", find(board, "many"), DEMOS_E_REFUSED);
    ask(board, "many");
    ask(board, "many");
    expect("nobody yet", answered(DEMOS_NOW), DEMOS_E_TIMEOUT);
    demos_link_drop(post(board, "many", 3));
    expect("posted while one waits", answered(DEMOS_FOREVER), 3);
    expect("the other waits on", answered(DEMOS_NOW), DEMOS_E_TIMEOUT);
    demos_link_drop(post(board, "many", 4));
    expect("until the next", answered(DEMOS_FOREVER), 4);
    demos_link_drop(first);
    demos_link_drop(second);
}

static void check_rights(s64 board)
{
    s64 entry = announce(board, "secret", SWITCHBOARD_PRIVATE, 5);
    struct words w;

    expect("a private name, guessed", find(board, "secret"), DEMOS_E_REFUSED);
    words_start(&w, SWITCHBOARD_LIST);
    expect("no listing for anybody", words_call(board, &w, NULL, 0, NULL), DEMOS_E_ALLOWED);
    words_start(&w, 99);
    expect("unknown operation", words_call(board, &w, NULL, 0, NULL), DEMOS_E_CALL);
    demos_link_drop(entry);
}

/* An announcer that ends: the name goes with it. */
static void check_death(s64 board)
{
    const char *args[] = {"mortal"};
    struct demos_gift gifts[] = {{"console", demos_link("console")}, {"switchboard", board}};
    struct demos_spawn s = {.program = "switchboard-check",
                            .args = args,
                            .arg_count = 1,
                            .gifts = gifts,
                            .gift_count = ARRAY_SIZE(gifts)};
    struct process_end end = {.how = DEMOS_END_NODE};
    s64 control, service;

    s.watch = process_watch(CHANNEL_ENDS, 0);
    control = demos_spawn_server(&s, &service);
    expect("announced by a child", switchboard_ask(board, SWITCHBOARD_FIND, "mortal", 0, 0) > 0,
           true);
    process_kill(control);
    process_wait(CHANNEL_ENDS, &end);
    expect("which dies", (s64)end.how, DEMOS_END_KILLED);
    expect("and its name with it", find(board, "mortal"), DEMOS_E_REFUSED);
    demos_link_drop(service);
    demos_link_drop(control);
}

static int be_mortal(void)
{
    s64 link = mine(DUP, 1);

    demos_announce("mortal", link, 0);
    demos_offer(link);
    demos_receive(DEMOS_ANY_CHANNEL, NULL, 0, NULL);
    return 0;
}

static s64 start_below(s64 board, s64 *control)
{
    struct demos_gift gifts[] = {{"console", demos_link("console")}, {"above", board}};
    struct demos_spawn s = {.program = "switchboard",
                            .gifts = gifts,
                            .gift_count = ARRAY_SIZE(gifts),
                            .flags = DEMOS_CREATE_WITH_PARENT};
    s64 below;

    *control = demos_spawn_server(&s, &below);
    expect("a switchboard below", *control > 0 && below > 0, true);
    return below;
}

/* Two levels: its own names first, misses go up, and nobody waits for anybody. */
static void check_levels(s64 board)
{
    s64 control, below = start_below(board, &control);
    s64 up = announce(board, "shared", 0, 1), down;

    expect("found above", find(below, "shared"), 1);
    down = announce(below, "shared", 0, 2);
    expect("shadowed", find(below, "shared"), 2);
    expect("not for others", find(board, "shared"), 1);
    demos_link_drop(down);
    expect("uncovered", find(below, "shared"), 1);
    demos_link_drop(up);
    expect("a miss on both levels", find(below, "shared"), DEMOS_E_REFUSED);
    up = announce(below, "wide", SWITCHBOARD_GLOBAL, 3);
    expect("announced above from below", find(board, "wide"), 3);
    demos_link_drop(up);
    expect("its entry link leads there", find(board, "wide"), DEMOS_E_REFUSED);
    ask(below, "late");
    expect("below answers others meanwhile", find(below, "nobody"), DEMOS_E_REFUSED);
    up = announce(board, "late", 0, 4);
    expect("announced above while below waits", answered(DEMOS_FOREVER), 4);
    demos_link_drop(up);
    ask(below, "race");
    down = announce(below, "race", 0, 5);
    expect("announced below while above is asked", answered(DEMOS_FOREVER), 5);
    demos_link_drop(down);
    up = post(board, "race", 6);
    expect("what comes from above late is kept", find(below, "race"), 6);
    demos_link_drop(up);
    ask(below, "never");
    expect("has read it", find(below, "nobody"), DEMOS_E_REFUSED);
    expect("waits", answered(DEMOS_NOW), DEMOS_E_TIMEOUT);
    process_kill(control);
    expect("told of its end", answered(DEMOS_FOREVER), -(s64)DEMOS_NOTICE_DROPPED);
    demos_link_drop(below);
    demos_link_drop(control);
}

static void check_owner(s64 board)
{
    s64 entry = announce(board, "secret", SWITCHBOARD_PRIVATE, 5);
    char name[DEMOS_NAME_MAX + 1] = "";
    struct words w;

    expect("a private name", find(board, "secret"), 5);
    words_start(&w, SWITCHBOARD_LIST);
    expect("a listing", words_call(board, &w, NULL, 0, NULL), 0);
    expect("of one", (s64)words_get(&w), 1);
    words_get_name(&w, name);
    expect("with its name", strcmp(name, "secret"), 0);
    expect("announced", (s64)words_get(&w), SWITCHBOARD_ANNOUNCED);
    demos_link_drop(entry);
}

int main(int argc, char **argv)
{
    s64 board = demos_link("switchboard");

    if (argc > 1 && strcmp(argv[1], "mortal") == 0)
        return be_mortal();
    if (argc > 1) {
        check_owner(board);
    } else {
        check_names(board);
        check_announce(board);
        check_post(board);
        check_rights(board);
        check_death(board);
        check_levels(board);
    }
    demos_print("Test result: %s\n", failures ? "FAILURE" : "SUCCESS");
    return failures != 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `shell`: reads lines from the console and does what they say; `shell WORD...`: does what
 * its words say, commands parted by `;`, and ends with the last one's status. A line is a
 * command of the table below or a program with its arguments; `&` at its end goes on without
 * waiting. What the shell can do is what its links let it.
 */
#include "guest/lib/switchboard.h"
#include "guest/machine/protocol.h"
#include "guest/servers/fs/format.h"
#include "guest/servers/shell/line.h"
#include "guest/servers/shell/shell.h"

enum { PIECE = 256 }; /* of what is printed at once */
#define LOOK_AGAIN_NS 20000000ull
#define LOOK_SOON_NS  500000ull /* after something was typed, and then half as often each time */
#define PROMPT        "demos> "

static bool ending;

static const char *file_error(s64 error)
{
    static const char *const words[] = {
        [-FS_E_IO] = "the disk failed",
        [-FS_E_FULL] = "the disk is full",
        [-FS_E_QUOTA] = "over the owner's limit",
        [-FS_E_NONE] = "no such file",
        [-FS_E_EXISTS] = "it exists",
        [-FS_E_KIND] = "a directory for a file, or the other way",
        [-FS_E_NAME] = "no name for a file",
        [-FS_E_BIG] = "too long for a file",
        [-FS_E_DAMAGED] = "the file system is damaged",
        [-FS_E_BUSY] = "not empty, or into itself",
        [-FS_E_MEMORY] = "no memory for it",
    };

    return -error < (s64)ARRAY_SIZE(words) ? words[-error] : "unknown";
}

s64 complain(const char *what, s64 result)
{
    if (result < -100)
        demos_print("%s: file error %lld, %s\n", what, (long long)result + 100,
                    file_error(result + 100));
    else if (result < 0)
        demos_print("%s: %s\n", what, demos_error(result));
    return result;
}

static s64 end(char **words, u32 count)
{
    (void)words, (void)count;
    ending = true;
    job_end_all();
    return 0;
}

/* What the switchboard lists, if our link is its owner's. */
static s64 names(char **words, u32 count)
{
    static const char *const kinds[] = {"?", "announced", "posted", "wanted"};
    u64 total = 1;
    struct words w;

    (void)words, (void)count;
    for (u64 first = 0; first < total; first += SWITCHBOARD_ROWS) {
        s64 result;

        words_start(&w, SWITCHBOARD_LIST);
        words_put(&w, first);
        result = words_call(demos_link("switchboard"), &w, NULL, 0, NULL);
        if (result < 0)
            return complain("names, which its owner may ask the switchboard for", result);
        total = words_get(&w);
        while (w.at + 4 <= w.count) {
            char name[DEMOS_NAME_MAX + 1];
            u64 kind;

            words_get_name(&w, name);
            kind = words_get(&w);
            demos_print("%-9s %s\n", kinds[kind < ARRAY_SIZE(kinds) ? kind : 0], name);
        }
    }
    return 0;
}

/* A job's number, or a process as `ps` shows it. */
static s64 kill(char **words, u32 count)
{
    return count > 1 && number_in(words[1]) == ~(u64)0 ? node_kill(words, count)
                                                       : job_kill(words, count);
}

static s64 help(char **words, u32 count);

static const struct {
    const char *name;
    s64 (*run)(char **words, u32 count);
    const char *help;
} commands[] = {
    {"help", help, "this"},
    {"exit", end, "ends the shell and what it started"},
    {"jobs", job_list, "programs that run behind"},
    {"kill", kill, "NUMBER: ends one of them; MACHINE:ROW: any process"},
    {"wait", job_wait, "for all of them"},
    {"nodes", node_list, "the machines, and how busy they are"},
    {"ps", node_ps, "[MACHINE]: processes there, or everywhere"},
    {"move", node_move, "MACHINE:ROW MACHINE: a process to another machine"},
    {"dead", node_dead, "MACHINE: declares it dead"},
    {"names", names, "what is announced, for the switchboard's owner"},
    {"ls", file_ls, "[DIRECTORY]"},
    {"cat", file_cat, "FILE ..."},
    {"cp", file_cp, "FROM TO"},
    {"mv", file_mv, "FROM TO"},
    {"rm", file_rm, "FILE ..."},
    {"mkdir", file_mkdir, "DIRECTORY ..."},
    {"put", file_put, "FILE WORD ...: a file of these words"},
    {"sync", file_sync, "writes what is not on the disk yet"},
    {"take", carry_take, "FILE BYTES CRC: a file typed in hexadecimal digits"},
    {"give", carry_give, "FILE: as `take` takes it"},
};

static s64 help(char **words, u32 count)
{
    (void)words, (void)count;
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
        demos_print("%-6s %s\n", commands[i].name, commands[i].help);
    demos_print(
        "on MACHINE PROGRAM ... starts it there, on any PROGRAM ... where a manager says;\n"
        "anything else is a program of this one\n"
        "COMMAND | PROGRAM ...: the program reads what the command prints (match, lines)\n"
        "& behind a program does not wait for its end\n");
    return 0;
}

static bool has_pipe(char **words, u32 count)
{
    while (count && strcmp(words[count - 1], "|") != 0)
        count--;
    return count != 0;
}

static s64 perform(char **words, u32 count)
{
    bool behind = count && strcmp(words[count - 1], "&") == 0;

    count -= behind;
    if (!count)
        return 0;
    if (has_pipe(words, count))
        return behind ? complain("a pipe behind", DEMOS_E_ARGUMENT)
                      : pipe_run(words, count, perform);
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(words[0], commands[i].name) == 0)
            return commands[i].run(words, count);
    if (strcmp(words[0], "on") == 0)
        return node_run(words, count, behind);
    return job_run(words, count, behind);
}

/* Commands parted by words that are `;`. */
static s64 perform_all(char **words, u32 count)
{
    s64 result = 0;
    u32 from = 0;

    for (u32 at = 0; at <= count && !ending; at++) {
        if (at < count && strcmp(words[at], ";") != 0)
            continue;
        result = perform(words + from, at - from);
        from = at + 1;
    }
    demos_flush();
    return result;
}

static s64 perform_line(char *line)
{
    char *words[SHELL_WORDS];
    u32 count = 0;

    for (char *at = line; *at && count < SHELL_WORDS;) {
        while (*at == ' ' || *at == '\t')
            at++;
        if (!*at)
            break;
        words[count++] = at;
        while (*at && *at != ' ' && *at != '\t')
            at++;
        if (*at)
            *at++ = '\0';
    }
    return perform_all(words, count);
}

u8 shell_byte(void)
{
    static u8 bytes[8 + 512];
    static u64 at, end, pause_ns = LOOK_AGAIN_NS;

    while (at >= end) {
        struct words w;
        s64 got;

        words_start(&w, CONSOLE_READ);
        words_put(&w, sizeof bytes - 8);
        got = demos_call(demos_link("console"), w.bytes, 8 * w.count, bytes, sizeof bytes);
        at = 8;
        end = got > 8 ? (u64)got : 8;
        if (at == end)
            demos_sleep_ns(pause_ns);
        pause_ns = at == end ? MIN(2 * pause_ns, LOOK_AGAIN_NS) : LOOK_SOON_NS;
    }
    return bytes[at++];
}

/* A line without its end; what is too long for it is lost. */
static void read_line(struct line *l)
{
    bool whole;

    line_next(l);
    do {
        whole = line_key(l, shell_byte());
        for (u32 at = 0; at < l->echoed; at += PIECE)
            demos_print("%.*s", (int)MIN(l->echoed - at, (u32)PIECE), l->echo + at);
        if (l->echoed)
            demos_flush();
    } while (!whole);
}

int main(int argc, char **argv)
{
    static struct line line;

    if (argc > 1)
        return perform_all(argv + 1, (u32)argc - 1) != 0;
    line_init(&line, PROMPT);
    while (!ending) {
        demos_print("%s", PROMPT);
        demos_flush();
        read_line(&line);
        perform_line(line.text);
    }
    return 0;
}

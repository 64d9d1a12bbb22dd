/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shell's parts: lines as they are typed, programs it has started, its commands. Commands get
 * their words, answer 0 or an error, and have said what went wrong themselves.
 */
#ifndef GUEST_SERVERS_SHELL_SHELL_H
#define GUEST_SERVERS_SHELL_SHELL_H

#include "guest/lib/process.h"

enum { SHELL_WORDS = 24, CHANNEL_ENDS = 1 };

/* Says what failed and why when `result` is an error; the result. */
s64 complain(const char *what, s64 result);
/* The next byte from the console, looked for until there is one. */
u8 shell_byte(void);

/* jobs.c. `words` is the program and its arguments; behind: do not wait for its end. */
s64 job_run(char **words, u32 count, bool behind);
/* The same on another machine, whose kernel link this is; or by a process manager, who may
 * be told a place (guest/lib/manager.h). */
s64 job_run_on(s64 kernel, u64 place, char **words, u32 count, bool behind);
/* A program that reads what others print, over *input; its number, or an error. */
s64 job_filter(s64 kernel, u64 place, char **words, u32 count, s64 *input);
/* Tells it that this was all, gives `input` up, and waits for its end. */
s64 job_end_input(s64 number, s64 input);
/* What is started from now on prints over this link; 0: to the shell's console. */
void job_output(s64 link);
/* Ends all of them. */
void job_end_all(void);
/* A number that is all there is in `word`; ~0: it is not one. */
u64 number_in(const char *word);
s64 job_kill(char **words, u32 count);
s64 job_list(char **words, u32 count);
s64 job_wait(char **words, u32 count);

/* nodes.c: what a memory manager's owner may, by the link "memory". */
s64 node_list(char **words, u32 count);
s64 node_ps(char **words, u32 count);
s64 node_run(char **words, u32 count, bool behind);
s64 node_move(char **words, u32 count);
s64 node_kill(char **words, u32 count);
s64 node_dead(char **words, u32 count);

/* Where MACHINE, any, any@MACHINE and any@!MACHINE are: a link to a kernel, or to a process
 * manager who is to be told *place; the caller's to drop. */
s64 node_where(const char *word, u64 *place);

/* pipe.c: commands parted by `|`, each reading what the one before it prints. `command` does
 * what one says that is no program to be started elsewhere. */
s64 pipe_run(char **words, u32 count, s64 (*command)(char **words, u32 count));

/* files.c */
s64 file_ls(char **words, u32 count);
s64 file_cat(char **words, u32 count);
s64 file_cp(char **words, u32 count);
s64 file_mv(char **words, u32 count);
s64 file_rm(char **words, u32 count);
s64 file_mkdir(char **words, u32 count);
s64 file_put(char **words, u32 count);
s64 file_sync(char **words, u32 count);

/* carry.c */
s64 carry_take(char **words, u32 count);
s64 carry_give(char **words, u32 count);

#endif

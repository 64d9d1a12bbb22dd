/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of commands share: the command under way, and the functions that carry
 * one out (README.md says what each does). Errors are sentences in `why`.
 */
#ifndef GUEST_CONTROL_COMMAND_H
#define GUEST_CONTROL_COMMAND_H

#include "guest/control/control.h"

enum { COMMAND_VALUE = 2048 };

struct command {
    struct words *w;
    u32 count; /* words behind the verb that are not options */
    const char *argument[8];
    struct json *answer;
    char *why;
};

/* Always false, so that it can be returned. */
bool command_refuse(struct command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The domain that argument n names; NULL after a refusal. */
struct guest *command_guest(struct command *c, u32 n);
/* The number of option key=, if it is there; false after a refusal. */
bool command_number(struct command *c, const char *key, u64 *value);
/* False, after a refusal, when a word was not understood. */
bool command_all_taken(struct command *c);

typedef bool command_fn(struct command *c);
command_fn do_churn, do_clock, do_console, do_counters, do_create, do_destroy, do_device,
    do_digest, do_dump, do_fault, do_finish, do_image, do_inject, do_input, do_list, do_log,
    do_ls, do_keys, do_memory, do_modules, do_pause, do_perms, do_plug, do_read, do_reboot,
    do_restore, do_resume, do_rm, do_sched, do_shutdown, do_sleep, do_snapshot, do_start,
    do_store_fault, do_trace, do_type, do_undevice, do_unpause, do_unplug, do_write;

#endif

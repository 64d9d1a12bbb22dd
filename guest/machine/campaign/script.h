/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of the worked clusters as scripts: functions that name a process's next kernel call when
 * they are told the result of the last one. They say and do over links what the programs of the
 * same names do; what they remember is in the process's memory and registers, so that it moves with them.
 */
#ifndef GUEST_MACHINE_CAMPAIGN_SCRIPT_H
#define GUEST_MACHINE_CAMPAIGN_SCRIPT_H

#include "guest/machine/sim/sim.h"

struct world;

/* Of a process's memory. What is sent lies before the info of either way, what comes behind it. */
enum { SCRIPT_ROOM = 0x400, SCRIPT_WORDS = 8, SCRIPT_PAGES = 3, SCRIPT_PAGES_BOARD = 26 };
#define SCRIPT_INFO (SIM_DATA + 0x400)
#define SCRIPT_OUT  (SCRIPT_INFO - 8 * SCRIPT_WORDS)
#define SCRIPT_IN   (SCRIPT_INFO + sizeof(struct demos_info))
#define SCRIPT_TEXT (SIM_DATA + 0x900)  /* a line for the console */
#define SCRIPT_OWN  (SIM_DATA + 0x1000) /* the script's */

/* What came. */
struct script_came {
    struct demos_info info;
    u8 body[8 * SCRIPT_WORDS];
};

/* The first of a process's words is the step its script is at; the second the link that script_find
 * has found. */
enum { STEP, FOUND, SCRIPT_SELF };

/* Which programs have scripts. */
void script_register(struct sim *s);
/* A line of a boot list can be played: NULL, or why not. */
const char *script_check(const char *line);
/* Starts what a node's boot list says. NULL, or what is wrong. */
const char *script_boot(struct world *w, u32 index);
/* A process has ended here: when it was the last of the boot list the node ends. */
void script_ended(struct sim_node *sn, u32 serial, bool well);
/* The node's `number`-th process ("": the first) of that name ends. */
const char *script_kill(struct sim_node *sn, const char *name, const char *number);

/* For scripts. The number that is argument `index`, or `otherwise`. */
u64 script_number(struct sim_process *p, u32 index, u64 otherwise);
bool script_argument(struct sim_process *p, u32 index, char *text, size_t room);
/* The link of that name in the start record, or 0. */
s64 script_link(struct sim_process *p, const char *name);
/* The message that a script is about to send. */
struct script_message {
    u64 words[SCRIPT_WORDS];
    u32 count;
    s64 link; /* to go with it; 0: none */
};
struct sim_call script_call(struct sim_process *p, s64 link, const struct script_message *m,
                            u64 next);
struct sim_call script_reply(struct sim_process *p, s64 link, const struct script_message *m,
                             u64 next);
struct sim_call script_receive(struct sim_process *p, u64 channels, u64 timeout, u64 next);
struct sim_call script_print(struct sim_process *p, const char *line, u64 next);
struct sim_call script_make_link(struct sim_process *p, u32 kind, u32 attr, u32 channel,
                                 u64 code, u64 next);
struct sim_call script_exit(s64 status);
struct script_came script_came(struct sim_process *p);
/* A word of it; 0 behind its end. */
u64 script_word(const struct script_came *c, u32 index);
/* The words of a name, from `index` on. */
void script_put_name(struct script_message *m, const char *name);

/*
 * Asks the cluster's switchboard, in SCRIPT_ASKING steps from `first` on, which must be p->self[STEP]
 * when it begins. Its call's result is that of the step first + SCRIPT_ASKING: what came is in the process's
 * memory as after any CALL.
 */
enum { SCRIPT_ASKING = 2 };
struct sim_call script_ask_board(struct sim_process *p, s64 result, u64 first, u64 op,
                                 const char *name, s64 link);

sim_program script_announce, script_board, script_counter_client, script_counter_server,
    script_ring, script_tour;

#endif

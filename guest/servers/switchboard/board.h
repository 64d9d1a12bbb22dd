/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A switchboard's table: names with links, and questions that wait for names. Pure: links
 * and reply links are numbers that it keeps and gives back, never uses. Entries and
 * waiting questions are known by codes that are not used twice.
 *
 * Of one name there is at most one announced entry and any number of posted ones; the
 * announced one is found first, posted ones in the order they came.
 */
#ifndef GUEST_SERVERS_SWITCHBOARD_BOARD_H
#define GUEST_SERVERS_SWITCHBOARD_BOARD_H

#include "guest/kernel/abi.h"

enum { BOARD_ENTRIES = 256, BOARD_WAITERS = 512 };

enum board_kind { BOARD_FREE, BOARD_ANNOUNCED, BOARD_POSTED, BOARD_WAITING };

/* One name; what `link` is depends on the kind. */
struct board_row {
    u64 code; /* grows: also the order in which rows came */
    s64 link; /* the named link; WAITING: the reply link of the question */
    char name[DEMOS_NAME_MAX];
    u8 kind;     /* enum board_kind */
    bool hidden; /* entries: private */
    bool all;    /* WAITING: may find private names */
    bool late;   /* WAITING: still to be asked above */
    bool up;     /* WAITING: for another switchboard only, no entry here answers it */
};

struct board {
    u64 last_code;
    struct board_row entries[BOARD_ENTRIES];
    struct board_row waiters[BOARD_WAITERS];
};

/* True for 1 to DEMOS_NAME_MAX - 1 bytes of printable ASCII without blanks; then `name` is
 * padded with NULs to its end. */
bool board_name(char name[DEMOS_NAME_MAX]);

/* A new entry of kind ANNOUNCED or POSTED: DEMOS_E_STATE when the name is announced
 * already, DEMOS_E_MEMORY when the table is full. 0: *row is it. */
int board_add(struct board *b, enum board_kind kind, const char name[DEMOS_NAME_MAX],
              bool hidden, s64 link, struct board_row **row);
/* What a question for `name` gets; `all`: private entries too. NULL: nothing. */
struct board_row *board_find(struct board *b, const char name[DEMOS_NAME_MAX], bool all);
/* A question that waits; the oldest one gives way when there are too many, for nobody tells
 * of askers that died: then *evicted is its reply link, else 0. */
struct board_row *board_wait(struct board *b, const char name[DEMOS_NAME_MAX], bool all,
                             s64 reply, s64 *evicted);
/* The oldest question that `entry` answers, of those not `up`; NULL: none. */
struct board_row *board_waiter(struct board *b, const struct board_row *entry);
/* Rows by code, NULL when gone; and their end. */
struct board_row *board_entry_of(struct board *b, u64 code);
struct board_row *board_waiter_of(struct board *b, u64 code);
void board_remove(struct board_row *row);

#endif

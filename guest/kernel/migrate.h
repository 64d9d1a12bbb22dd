/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving a process to another machine, in the eight steps of Powell and Miller and nine
 * messages of 6 to 12 bytes (MIGRATE and its answer may be longer, as control messages are):
 *
 *   1 MIGRATE to the process's control link      6 PULL its memory
 *   2 OFFER, source to destination               7 ESTABLISHED
 *   3 ACCEPT (or REFUSE)                         (the source sends on what was queued)
 *   4 PULL the resident part of its state        8 CLEANED
 *   5 PULL the rest of it                        9 the answer to MIGRATE
 *
 * Their header's target is the process; the body begins with the step, 16 bits:
 *   OFFER   resident bytes u16, bytes of the rest u32, of memory / 256 u32
 *   ACCEPT, ESTABLISHED, CLEANED  moves so far u32; REFUSE: demos_error s32
 *   PULL    part u16, the destination's number for the transfer u32
 *
 * Until ESTABLISHED the source has the process and takes it back when anything fails, also
 * when nobody answers its OFFER in time; from then on only the destination may run it. What is sent to it meanwhile is queued at
 * the source, control messages too, and sent on before CLEANED. Senders on the
 * destination's own machine, whose messages may still be on their way round by the source,
 * are held behind a FENCE that goes that way too (park.c).
 *
 * Refused: MEMORY where there is no room for it, of whatever kind; REFUSED where its state means
 * nothing, as another architecture's does.
 */
#ifndef GUEST_KERNEL_MIGRATE_H
#define GUEST_KERNEL_MIGRATE_H

#include "base/bytes.h"
#include "guest/kernel/park.h"
#include "guest/kernel/travel.h"

enum step { OFFER = 1, ACCEPT, REFUSE, PULL, ESTABLISHED, CLEANED };
enum part { RESIDENT, REST, MEMORY, PARTS };

struct migration {
    struct list all;
    struct process_id id;
    struct task *task; /* leaving, or arriving and not yet known here */
    u32 machine;       /* at the other end */
    u32 epoch;         /* of its boot */
    bool arriving, established;
    bool stalled; /* waits for a page of its memory */
    s64 lost;     /* which will not come: the move is to be given up for this error */
    u64 attempt;  /* the source's number for it: in all its messages, as their code */
    u64 deadline; /* leaving: of the offer's answer, ns; ~0: it has come */
    u8 state;     /* the process's, to be restored */
    u8 part;      /* being pulled */
    u64 transfer; /* of that part */
    u64 lengths[PARTS];
    u8 *image;            /* RESIDENT and REST */
    struct travel travel; /* MEMORY */
    struct link answer;   /* MIGRATE's reply link; kind DEMOS_KINDS: none */
    struct list pending;  /* arriving: messages sent on by the source */
};

enum { BLOCK = 256, OFFER_BYTES = 12, PULL_BYTES = 8, OTHER_BYTES = 6 };

/* migrate.c */
struct migration *migration_find(const struct node *n, const struct process_id *id);
/* Bytes of the two parts that are its state. */
u64 migration_image(const struct migration *g);
/* Nothing is left of it here but the process, if that is. */
void migration_end(struct node *n, struct migration *g);
/* A step's message for the other end, begun and as a whole. */
struct message *migration_step(struct node *n, const struct migration *g, enum step step,
                               u32 length);
void migration_say(struct node *n, const struct migration *g, enum step step, u32 word);
/* To whoever asked for the move. */
void migration_answer(struct node *n, const struct link *to, s64 result);
/* Messages that were only kept, in their order, now really arrive. */
void migration_deliver(struct node *n, struct task *t, struct list *messages);
void migration_take_queue(struct task *t, struct list *to);
/* The process goes on where it is, in the state it was found in. */
void migration_go_on(struct node *n, struct task *t, u8 state);

/* depart.c: the source */
void departure_undone(struct node *n, struct migration *g, s64 error); /* it stays */
void departure_send(struct node *n, struct migration *g, const struct message *m);
void departure_done(struct node *n, struct migration *g);

/* arrive.c: the destination */
void arrival_offered(struct node *n, const struct message *m);
void arrival_pulled(struct node *n, struct migration *g, bool good); /* a part of it */
void arrival_settled(struct node *n, struct migration *g);
void arrival_given_up(struct node *n, struct migration *g); /* what had come is thrown away */

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where new processes go: the policies of one machine's process manager. Pure: how busy
 * machines are, questions and answers are handed in, what is to be done is handed out, and
 * whoever drives it (main.c, or a test with a thousand of them) carries it out.
 *
 * Three choices make a policy. Transfer: when is this machine too busy to keep a new process
 * (never; from a fixed load on; when above what it hears of others). Location: who says where
 * it goes (peers, asked at random; a manager of loads, which may have a superior). Initiative:
 * the busy push, the idle pull, or both.
 */
#ifndef GUEST_SERVERS_PROCESS_BALANCE_H
#define GUEST_SERVERS_PROCESS_BALANCE_H

#include "base/types.h"

enum balance_transfer { BALANCE_STAY, BALANCE_STATIC, BALANCE_ADAPTIVE };
enum balance_location { BALANCE_PEERS, BALANCE_LOADS };
enum balance_initiative { BALANCE_PUSH = 1, BALANCE_PULL = 2 };
enum { BALANCE_TRIES = 4, BALANCE_PEERS_MAX = 256, BALANCE_RARELY = 64 };

#define BALANCE_UNTOLD (~(u64)0)

struct balance_policy {
    u8 transfer, location, initiative;
    u32 limit; /* STATIC: the load from which on it is too busy */
    u32 tries; /* PEERS: how many are asked for one process, at most BALANCE_TRIES */
};

/* Questions between managers; each answer is a number. */
enum balance_message {
    BALANCE_PROBE = 1,   /* my load -> load, doubled, + 1: I take one */
    BALANCE_WANT = 2,    /* my load -> 1: one is coming; 0: none */
    BALANCE_IDLEST = 3,  /* my load -> to a manager of loads: who takes one; 0: nobody */
    BALANCE_BUSIEST = 4, /* my load -> to a manager of loads: who might give one; 0: nobody */
    BALANCE_REPORT = 5,  /* my load; to a manager of loads, no answer */
};

enum balance_deed {
    BALANCE_NOTHING,
    BALANCE_PLACE, /* the process is to be made on `machine` */
    BALANCE_ASK,   /* `message` and `value` to `machine` (0: the manager of loads) */
    BALANCE_TELL,  /* the same, no answer comes */
    BALANCE_GIVE,  /* one process that can be moved goes to `machine` */
};

struct balance_action {
    u8 deed, message;
    u64 machine, value;
};

/* A process that is to be made, or a search for one to pull: who has been asked. */
struct balance_job {
    u32 count;
    u64 tried[BALANCE_TRIES];
};

struct balancer {
    struct balance_policy policy;
    u64 self, load, promised;
    u64 heard; /* what others' loads are about, in sixteenths */
    u64 told;  /* to the manager of loads; BALANCE_UNTOLD: it does not know us */
    u64 seed, drawn;
    u32 in_vain; /* searches since there was work here */
    u32 peer_count;
    u64 peers[BALANCE_PEERS_MAX];
};

void balance_init(struct balancer *b, const struct balance_policy *policy, u64 self, u64 seed);
/* Who there is beside us; at most BALANCE_PEERS_MAX are kept. */
void balance_peers(struct balancer *b, const u64 *machines, u32 count);
/* A process is to be made: PLACE, or ASK first. */
struct balance_action balance_arrival(struct balancer *b, struct balance_job *job);
/* What the one asked last for `job` answered; `failed`: nothing. PLACE or ASK. */
struct balance_action balance_answered(struct balancer *b, struct balance_job *job, u64 value,
                                       bool failed);
/* A fellow's question: the answer. *also: what there is to do besides. */
u64 balance_question(struct balancer *b, u32 message, u64 from, u64 value,
                     struct balance_action *also);
/* A process that somebody placed here has come. */
void balance_received(struct balancer *b);
/* The load now; TELL when the manager of loads should know. */
struct balance_action balance_loaded(struct balancer *b, u64 load);
/* Nothing to do here, for some time: whom to ASK for a process, with a fresh `job`, ... */
struct balance_action balance_idle(struct balancer *b, struct balance_job *job);
/* ... and when that one answered: whom to ask next. */
struct balance_action balance_pulled(struct balancer *b, struct balance_job *job, u64 value,
                                     bool failed);
/* How much longer than the first time to wait for the next balance_idle: who finds nothing
 * asks less and less often, up to BALANCE_RARELY times as long. */
u32 balance_patience(const struct balancer *b);

#endif

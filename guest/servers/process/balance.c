/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policies of a process manager. A machine that has promised to take a process counts it
 * from then on, so that not everybody finds the same one idle.
 */
#include "guest/servers/process/balance.h"
#include "base/keyed.h"

static const struct balance_action nothing = {.deed = BALANCE_NOTHING};

void balance_init(struct balancer *b, const struct balance_policy *policy, u64 self, u64 seed)
{
    *b = (struct balancer){
        .policy = *policy, .self = self, .told = BALANCE_UNTOLD, .seed = seed};
    b->policy.tries = MIN(b->policy.tries, (u32)BALANCE_TRIES);
}

void balance_peers(struct balancer *b, const u64 *machines, u32 count)
{
    b->peer_count = 0;
    for (u32 i = 0; i < count && b->peer_count < BALANCE_PEERS_MAX; i++)
        if (machines[i] != b->self)
            b->peers[b->peer_count++] = machines[i];
}

/* With so much to do, a new process goes elsewhere; it is not taken from others either. */
static bool busy(const struct balancer *b, u64 load)
{
    switch (b->policy.transfer) {
    case BALANCE_STATIC: return load >= b->policy.limit;
    case BALANCE_ADAPTIVE: return load && 16 * load > b->heard;
    default: return false;
    }
}

static void hear(struct balancer *b, u64 load)
{
    b->heard = (3 * b->heard + 16 * load) / 4;
}

static struct balance_action place(u64 machine)
{
    return (struct balance_action){.deed = BALANCE_PLACE, .machine = machine};
}

static struct balance_action question(const struct balancer *b, enum balance_message message,
                                      u64 machine)
{
    return (struct balance_action){BALANCE_ASK, (u8)message, machine, b->load + b->promised};
}

static bool tried(const struct balance_job *job, u64 machine)
{
    for (u32 i = 0; i < job->count; i++)
        if (job->tried[i] == machine)
            return true;
    return false;
}

/* A peer that has not been asked for this yet, each as likely; 0: enough have been. */
static u64 next_peer(struct balancer *b, struct balance_job *job)
{
    u32 at;

    if (job->count >= b->policy.tries || job->count >= b->peer_count)
        return 0;
    at = (u32)keyed_below(b->seed, b->self, b->drawn++, b->peer_count);
    while (tried(job, b->peers[at]))
        at = (at + 1) % b->peer_count;
    job->tried[job->count++] = b->peers[at];
    return b->peers[at];
}

struct balance_action balance_arrival(struct balancer *b, struct balance_job *job)
{
    u64 peer;

    job->count = 0;
    if (!(b->policy.initiative & BALANCE_PUSH) || !busy(b, b->load + b->promised))
        return place(b->self);
    if (b->policy.location == BALANCE_LOADS)
        return question(b, BALANCE_IDLEST, 0);
    peer = next_peer(b, job);
    return peer ? question(b, BALANCE_PROBE, peer) : place(b->self);
}

struct balance_action balance_answered(struct balancer *b, struct balance_job *job, u64 value,
                                       bool failed)
{
    u64 peer;

    if (b->policy.location == BALANCE_LOADS)
        return place(failed || !value ? b->self : value);
    if (!failed)
        hear(b, value / 2);
    if (!failed && value & 1)
        return place(job->tried[job->count - 1]);
    peer = next_peer(b, job);
    return peer ? question(b, BALANCE_PROBE, peer) : place(b->self);
}

u64 balance_question(struct balancer *b, u32 message, u64 from, u64 value,
                     struct balance_action *also)
{
    u64 load = b->load + b->promised;

    *also = nothing;
    hear(b, value);
    if (message == BALANCE_PROBE) {
        bool take = b->policy.transfer == BALANCE_STAY ? load < value : !busy(b, load);

        b->promised += take;
        return 2 * load + take;
    }
    if (message != BALANCE_WANT || b->load < value + 2)
        return 0;
    *also = (struct balance_action){.deed = BALANCE_GIVE, .machine = from};
    return 1;
}

void balance_received(struct balancer *b)
{
    b->promised -= b->promised > 0;
}

struct balance_action balance_loaded(struct balancer *b, u64 load)
{
    b->load = load;
    b->in_vain = load ? 0 : b->in_vain;
    if (b->policy.location != BALANCE_LOADS || load == b->told)
        return nothing;
    b->told = load;
    return (struct balance_action){BALANCE_TELL, BALANCE_REPORT, 0, load};
}

struct balance_action balance_idle(struct balancer *b, struct balance_job *job)
{
    u64 peer;

    job->count = 0;
    b->promised = 0; /* what has not come by now does not */
    if (b->load || !(b->policy.initiative & BALANCE_PULL))
        return nothing;
    b->in_vain++;
    if (b->policy.location == BALANCE_LOADS)
        return question(b, BALANCE_BUSIEST, 0);
    peer = next_peer(b, job);
    return peer ? question(b, BALANCE_WANT, peer) : nothing;
}

struct balance_action balance_pulled(struct balancer *b, struct balance_job *job, u64 value,
                                     bool failed)
{
    u64 peer = 0;

    if (b->policy.location == BALANCE_LOADS && !job->count && !failed && value) {
        job->tried[job->count++] = value; /* the manager's answer: ask that one */
        peer = value;
    } else if (b->policy.location == BALANCE_PEERS && !b->load && (failed || !value)) {
        peer = next_peer(b, job);
    }
    return peer ? question(b, BALANCE_WANT, peer) : nothing;
}

u32 balance_patience(const struct balancer *b)
{
    return b->in_vain < 7 ? 1u << (b->in_vain - (b->in_vain > 0)) : (u32)BALANCE_RARELY;
}

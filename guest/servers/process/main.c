/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `manager [peers|LOADS] [stay|adaptive|fixed N] [push] [pull] [over NAME]...`: a machine's process manager,
 * one policy of balance.h at work. It makes processes here by the link "kernel", elsewhere by
 * asking that machine's manager; LOADS is the name of a manager of loads. It announces itself
 * as "manager.MACHINE".
 *
 * It waits for nobody but its own kernel and the switchboard: processes that wait for a
 * fellow's answer are kept, and one that is silent for too long has said no.
 */
#include "guest/lib/switchboard.h"
#include "guest/servers/process/manager.h"

enum { JOBS_MAX = 32, PLACE_WORD = 8 };
#define MS          1000000ull
#define SILENCE_NS  (2000 * MS)
#define INTERVAL_NS (20 * MS)

/* A process that is to be made. */
struct job {
    u64 code; /* 0: free; of what is asked about it, not used twice */
    s64 reply, watch;
    u64 asked; /* who was asked last */
    u64 asked_ns;
    bool only;   /* where it is wanted, or nowhere */
    bool making; /* that one makes it: however long it takes */
    struct balance_job tries;
    struct words words;
};

static struct balancer balancer;
static s64 service; /* the link to us */
static bool announced;
static struct job jobs[JOBS_MAX];
static struct balance_job search; /* for a process to pull */
static u64 search_code, search_asked;
static u64 last_code, now_ns, pull_ns;
static u64 made, sent_away, taken_in, given_away, questions;

/* `about`: the machine whose load `value` is, usually this one. */
static bool ask_about(u64 about, u64 machine, u32 message, u64 value, u32 channel, u64 code)
{
    struct words w;
    s64 link = fellow(machine);

    if (link <= 0)
        return false;
    words_start(&w, MANAGER_ASK);
    words_put(&w, message);
    words_put(&w, about);
    words_put(&w, value);
    questions++;
    return demos_request(link, w.bytes, 8 * w.count, ANSWER_ROOM, channel, code) >= 0;
}

static bool ask(u64 machine, u32 message, u64 value, u32 channel, u64 code)
{
    return ask_about(balancer.self, machine, message, value, channel, code);
}

static void tell(struct balance_action a)
{
    if (a.deed == BALANCE_TELL && !ask(a.machine, a.message, a.value, CHANNEL_REPORT, 0))
        balancer.told = BALANCE_UNTOLD;
}

static void load_now(void)
{
    tell(balance_loaded(&balancer, made_load()));
}

static void answer(s64 reply, s64 result, s64 link)
{
    struct words w;

    words_start(&w, (u64)result);
    if (demos_reply_links(reply, w.bytes, 8, &link, link > 0) < 0)
        demos_link_drop(reply);
    if (link > 0)
        demos_link_drop(link); /* a copy went */
}

static void finish(struct job *j, s64 result, s64 control)
{
    answer(j->reply, result, control);
    if (j->watch > 0)
        demos_link_drop(j->watch);
    j->code = 0;
}

static void make_here(struct job *j)
{
    s64 control, result = made_here(&j->words, j->watch, &control);

    if (result != DEMOS_E_DEAD)
        j->watch = 0; /* given */
    made += result >= 0;
    load_now(); /* who hears of it asks with this known */
    finish(j, result, control);
}

/* Nobody else is to be sent to a machine whose manager is not there. */
static void gone(u64 machine)
{
    fellow_lost(machine);
    if (balancer.policy.location == BALANCE_LOADS)
        ask_about(machine, 0, BALANCE_REPORT, MANAGER_GONE, CHANNEL_REPORT, 0);
}

/* False: it cannot be made there, and is still ours. */
static bool make_at(struct job *j, u64 machine)
{
    struct demos_info info = {.code = j->code, .count = j->watch > 0, .links = {j->watch}};
    s64 link = fellow(machine);

    if (link <= 0) {
        gone(machine);
        return false;
    }
    be64_put(j->words.bytes, MANAGER_MAKE);
    if (call_request(link, j->words.bytes, 8 * j->words.count, &info, DEMOS_FOREVER,
                     ANSWER_ROOM, CHANNEL_MADE) < 0)
        return false;
    j->watch = 0;
    j->making = true;
    j->asked = machine;
    return true;
}

static void carry_out(struct job *j, struct balance_action a)
{
    while (a.deed == BALANCE_ASK) {
        j->asked = a.machine;
        j->asked_ns = now_ns;
        j->code = ++last_code;
        if (ask(a.machine, a.message, a.value, CHANNEL_ANSWER, j->code))
            return;
        a = balance_answered(&balancer, &j->tries, 0, true);
    }
    if (a.machine != balancer.self && make_at(j, a.machine)) {
        sent_away++;
    } else if (a.machine == balancer.self || !j->only) {
        make_here(j);
    } else {
        finish(j, DEMOS_E_DEAD, 0);
    }
}

/* Where whoever asks wants it: there, or anywhere but there. */
static struct balance_action wanted(struct job *j, u64 place)
{
    struct balance_action there = {.deed = BALANCE_PLACE, .machine = place};

    j->only = !(place & MANAGER_NOT);
    if (j->only)
        return there;
    if ((place & ~MANAGER_NOT) != balancer.self) {
        there.machine = balancer.self;
        return there;
    }
    there.machine = balancer.peer_count ? balancer.peers[j->code % balancer.peer_count]
                                        : balancer.self;
    return there;
}

static struct job *job_of(u64 code)
{
    for (u32 i = 0; i < JOBS_MAX; i++)
        if (jobs[i].code == code)
            return &jobs[i];
    return NULL;
}

/* A process is to be made: true if `link` is kept. */
static bool arrival(const struct demos_info *info, const struct words *w, s64 link)
{
    struct job *j = job_of(0);
    struct words words = *w;
    u64 place;

    if (!j || w->count < PLACE_WORD) {
        answer(info->reply, j ? DEMOS_E_ARGUMENT : DEMOS_E_FULL, 0);
        return false;
    }
    place = words.count > PLACE_WORD ? be64_get(words.bytes + 8 * PLACE_WORD) : 0;
    now_ns = demos_time_ns();
    *j = (struct job){.code = ++last_code, .reply = info->reply, .watch = link, .words = words};
    load_now();
    fellows_look(now_ns);
    carry_out(j, place ? wanted(j, place) : balance_arrival(&balancer, &j->tries));
    return true;
}

static void answered(const struct demos_info *info, struct words *w)
{
    struct job *j = job_of(info->code);
    bool failed = info->kind != DEMOS_MSG_REPLY || words_get(w) != 0;

    if (failed && j)
        fellow_lost(j->asked);
    if (j && !j->making)
        carry_out(j, balance_answered(&balancer, &j->tries, words_get(w), failed));
}

static void made_there(const struct demos_info *info, struct words *w, s64 link)
{
    struct job *j = job_of(info->code);
    s64 result = info->kind == DEMOS_MSG_REPLY ? (s64)words_get(w) : (s64)DEMOS_E_DEAD;

    if (j && info->kind != DEMOS_MSG_REPLY)
        gone(j->asked);
    if (j)
        finish(j, result, link);
    else if (link > 0)
        demos_link_drop(link);
}

/* Looks for a process elsewhere. */
static void pull(struct balance_action a)
{
    while (a.deed == BALANCE_ASK) {
        search_code = ++last_code;
        search_asked = a.machine;
        if (ask(a.machine, a.message, a.value, CHANNEL_PULLED, search_code))
            return;
        a = balance_pulled(&balancer, &search, 0, true);
    }
    search_code = 0;
}

static void pulled(const struct demos_info *info, struct words *w)
{
    bool failed = info->kind != DEMOS_MSG_REPLY || words_get(w) != 0;

    if (info->code != search_code)
        return;
    if (failed)
        fellow_lost(search_asked);
    search_code = 0;
    pull(balance_pulled(&balancer, &search, words_get(w), failed));
}

static void fellow_asks(const struct demos_info *info, struct words *w)
{
    struct balance_action also;
    u64 message = words_get(w), from = words_get(w), value = words_get(w), said;
    struct words a;

    load_now();
    said = balance_question(&balancer, (u32)message, from, value, &also);
    if (also.deed == BALANCE_GIVE) {
        said = made_give(also.machine);
        given_away += said;
    }
    words_start(&a, 0);
    words_put(&a, said);
    demos_reply(info->reply, a.bytes, 8 * a.count);
}

static void make_for_fellow(const struct demos_info *info, struct words *w, s64 link)
{
    s64 control, result;

    balance_received(&balancer);
    result = made_here(w, link, &control);
    taken_in += result >= 0;
    answer(info->reply, result, control);
    load_now();
}

static void state(s64 reply)
{
    struct words w;

    load_now();
    words_start(&w, 0);
    words_put(&w, balancer.self);
    words_put(&w, balancer.load);
    words_put(&w, made);
    words_put(&w, sent_away);
    words_put(&w, taken_in);
    words_put(&w, given_away);
    words_put(&w, questions);
    demos_reply(reply, w.bytes, 8 * w.count);
}

/* True if the first link of the request is kept or given. */
static bool serve(const struct demos_info *info, struct words *w, s64 link)
{
    switch (words_get(w)) {
    case KERNEL_OP_CREATE: return arrival(info, w, link);
    case MANAGER_MAKE: make_for_fellow(info, w, link); return true;
    case MANAGER_ASK: fellow_asks(info, w); return false;
    case MANAGER_STATE: state(info->reply); return false;
    default: answer(info->reply, DEMOS_E_CALL, 0); return false;
    }
}

static void message(const struct demos_info *info, struct words *w)
{
    s64 link = info->count ? info->links[0] : 0;
    bool kept = false;

    if (info->channel == CHANNEL_SERVICE && info->reply > 0) {
        kept = serve(info, w, link);
    } else if (info->channel == CHANNEL_ANSWER) {
        answered(info, w);
    } else if (info->channel == CHANNEL_PULLED) {
        pulled(info, w);
    } else if (info->channel == CHANNEL_MADE) {
        made_there(info, w, link);
        kept = true;
    } else if (info->channel == CHANNEL_REPORT && info->kind != DEMOS_MSG_REPLY) {
        fellow_lost(0); /* another one is told all of it */
        balancer.told = BALANCE_UNTOLD;
    } else if (info->channel == CHANNEL_MEMBERS) {
        fellows_known(&balancer, info, w);
    }
    for (u32 i = kept; i < info->count; i++)
        demos_link_drop(info->links[i]);
}

/* Until when nothing but messages matters. */
static u64 patience(void)
{
    bool waits = !announced || balancer.policy.initiative & BALANCE_PULL || balancer.promised ||
                 (balancer.policy.location == BALANCE_LOADS && balancer.told);

    for (u32 i = 0; i < JOBS_MAX; i++)
        waits |= jobs[i].code && !jobs[i].making;
    return waits ? INTERVAL_NS : DEMOS_FOREVER;
}

/* The name may still be that of this machine's last boot, until that is declared dead. */
static void announce(void)
{
    char name[DEMOS_NAME_MAX];

    format(name, sizeof name, "manager.%llu", (unsigned long long)balancer.self);
    announced = demos_announce(name, service, SWITCHBOARD_GLOBAL) > 0;
}

/* Those who were asked and are silent have said no. */
static void look_around(void)
{
    now_ns = demos_time_ns();
    if (!announced)
        announce();
    for (u32 i = 0; i < JOBS_MAX; i++) {
        struct job *j = &jobs[i];

        if (j->code && !j->making && now_ns - j->asked_ns > SILENCE_NS)
            carry_out(j, balance_answered(&balancer, &j->tries, 0, true));
    }
    if (now_ns < pull_ns)
        return;
    load_now();
    if (balancer.policy.initiative & BALANCE_PULL && !balancer.load)
        fellows_look(now_ns);
    pull(balance_idle(&balancer, &search));
    pull_ns = now_ns + INTERVAL_NS * balance_patience(&balancer);
}

static u64 number(const char *digits)
{
    u64 value = 0;

    for (; *digits >= '0' && *digits <= '9'; digits++)
        value = value * 10 + (u64)(*digits - '0');
    return value;
}

static struct balance_policy policy_of(int argc, char **argv)
{
    struct balance_policy p = {.transfer = BALANCE_ADAPTIVE, .tries = 3};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "peers") == 0) {
            p.location = BALANCE_PEERS;
        } else if (strcmp(argv[i], "stay") == 0) {
            p.transfer = BALANCE_STAY;
        } else if (strcmp(argv[i], "adaptive") == 0) {
            p.transfer = BALANCE_ADAPTIVE;
        } else if (strcmp(argv[i], "fixed") == 0 && i + 1 < argc) {
            p.transfer = BALANCE_STATIC;
            p.limit = (u32)number(argv[++i]);
        } else if (strcmp(argv[i], "push") == 0) {
            p.initiative |= BALANCE_PUSH;
        } else if (strcmp(argv[i], "over") == 0 && i + 1 < argc) {
            if (!fellows_over(argv[++i]))
                demos_die("manager: too many memory managers");
        } else if (strcmp(argv[i], "pull") == 0) {
            p.initiative |= BALANCE_PULL;
        } else {
            p.location = BALANCE_LOADS;
            fellows_loads(argv[i]);
        }
    }
    p.initiative = p.initiative ? p.initiative : (u8)BALANCE_PUSH;
    return p;
}

static void begin(const struct balance_policy *policy)
{
    struct words w;
    u64 self;

    words_start(&w, KERNEL_OP_NODE);
    if (words_call(demos_link("kernel"), &w, NULL, 0, NULL) < 0)
        demos_die("manager: no link to the kernel (started with +kernel?)");
    self = words_get(&w);
    balance_init(&balancer, policy, self, words_get(&w));
    service = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL_SERVICE, 0);
    if (demos_link("boss") > 0)
        demos_offer(service);
    announce();
    now_ns = demos_time_ns();
    fellows_look(now_ns);
    load_now();
}

int main(int argc, char **argv)
{
    struct balance_policy policy = policy_of(argc, argv);

    begin(&policy);
    for (;;) {
        struct demos_info info = {0};
        struct words w;
        u64 within = patience();
        s64 len = demos_receive_within(within, DEMOS_ANY_CHANNEL, w.bytes, sizeof w.bytes,
                                       &info);

        if (len >= 0) {
            words_read(&w, w.bytes, (size_t)len);
            message(&info, &w);
        }
        if (within != DEMOS_FOREVER)
            look_around();
    }
}

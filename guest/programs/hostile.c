/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `hostile [PROCESSES [CALLS [SEED]]]`: children make random kernel calls with numbers that
 * are often nearly right, over links to each other, to their creator's echo and to the
 * kernel. They may get errors, fill queues and die; the node and this process must not
 * notice. Prints the same on every machine.
 */
#include "base/keyed.h"
#include "guest/lib/process.h"
#include "guest/programs/number.h"

enum { CHANNEL_ENDS = 5, LINKS = 32, MOST = 16, PAGE = 4096 };

static u8 memory[16 * PAGE] __attribute__((aligned(PAGE)));
static s64 links[LINKS];
static u64 seed, drawn;

static u64 draw(u64 limit)
{
    return keyed_below(seed, 7, drawn++, limit);
}

static u64 some_link(void)
{
    switch (draw(8)) {
    case 0: return keyed_random(seed, 8, drawn++);
    case 1: return draw(1 << 26);
    default: return (u64)links[draw(LINKS)];
    }
}

static u64 some_address(void)
{
    static const u64 edges[] = {0,
                                0x1000,
                                0x400000,
                                0xffffffff80000000,
                                0xffff800000000000,
                                0x7fffffffffff,
                                DEMOS_STACK_TOP - 8,
                                DEMOS_START_PAGE,
                                DEMOS_ENTRY_PAGE,
                                DEMOS_PRIVATE_END - 1,
                                ~0ull};

    if (draw(4) == 0)
        return edges[draw(ARRAY_SIZE(edges))] + draw(16) - 8;
    return (u64)memory + draw(sizeof memory);
}

static u64 some_length(void)
{
    static const u64 edges[] = {
        0, 1, 4096, DEMOS_BODY_MAX, DEMOS_BODY_MAX + 1, 1ull << 32, 1ull << 63, ~0ull};

    return draw(3) ? draw(2000) : edges[draw(ARRAY_SIZE(edges))];
}

/* Something of the right kind for the argument more often than not; never a long wait. */
static u64 some_word(u32 index)
{
    switch (draw(6)) {
    case 0: return some_link();
    case 1: return some_address();
    case 2: return some_length();
    case 3: return draw(5);
    case 4: return index == 0 ? some_link() : some_address();
    default: return index >= 4 ? draw(20000) : draw(1 << 16);
    }
}

static void keep(s64 link)
{
    if (link > 0)
        links[draw(LINKS)] = link;
}

/* Something is in my queue, so that a call without a time limit comes back. */
static bool something_waits(void)
{
    static s64 self;

    if (self <= 0)
        self = demos_link_make(DEMOS_GENERAL, 0, 1, 0);
    if (call_send(self, NULL, 0, NULL, DEMOS_NOW) == 0)
        return true;
    self = 0; /* destroyed by chance, or my queue is full */
    return false;
}

static void random_call(void)
{
    u64 number = draw(DEMOS_CALLS + 2), a[6];
    s64 result;

    for (u32 i = 0; i < 6; i++)
        a[i] = some_word(i);
    if (number == DEMOS_EXIT)
        return;
    if (number == DEMOS_RECEIVE || number == DEMOS_SEND || number == DEMOS_REQUEST ||
        number == DEMOS_REPLY)
        a[4] = draw(20000);
    if (number == DEMOS_CALL)
        a[5] = draw(20000);
    if (number == DEMOS_ANSWER) {
        a[5] = DEMOS_ANY_CHANNEL;
        if (!something_waits())
            return;
    }
    result = demos_kernel(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (number == DEMOS_CREATELINK || number == DEMOS_DUPLINK)
        keep(result);
}

/* A call that means something, so that there is state for the others to hit. */
static void sensible_call(void)
{
    struct demos_info info = {0};
    u32 attr = (u32)draw(128);

    keep(call_createlink(demos_spec((u32)draw(3), attr, (u32)draw(4)), draw(100), memory,
                         attr & (DEMOS_AREA_READ | DEMOS_AREA_WRITE) ? sizeof memory : 0));
    info.count = (u8)draw(3);
    for (u32 i = 0; i < info.count; i++)
        info.links[i] = (s64)some_link();
    call_send((s64)some_link(), memory, draw(3000), &info, draw(20000));
    if (call_receive(draw(16), memory, sizeof memory, &info, draw(20000)) < 0)
        return;
    keep(info.reply);
    for (u32 i = 0; i < info.count; i++)
        keep(info.links[i]);
}

static int misbehave(u64 calls)
{
    static const char *const names[] = {"echo", "kernel", "clock", "boss"};

    for (u32 i = 0; i < LINKS; i++)
        links[i] = demos_link(names[i % ARRAY_SIZE(names)]);
    for (u64 i = 0; i < calls; i++) {
        if (draw(4))
            random_call();
        else
            sensible_call();
    }
    return 0;
}

static NORETURN void echo(void)
{
    struct demos_info info;
    static u8 body[DEMOS_BODY_MAX];

    demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, 1, 0));
    for (;;) {
        s64 len = demos_receive(DEMOS_CHANNEL(1), body, sizeof body, &info);

        if (len < 0) /* links that find no room in my table: take the message without */
            continue;
        for (u32 i = 0; i < info.count; i++)
            demos_link_drop(info.links[i]);
        if (info.reply > 0)
            demos_reply(info.reply, body, (size_t)len);
    }
}

static s64 start(const char *role, const char *calls, const char *digits,
                 const struct demos_gift *gifts, u32 count, s64 *service)
{
    const char *args[] = {role, calls, digits};
    struct demos_spawn s = {.program = "hostile",
                            .args = args,
                            .arg_count = 3,
                            .gifts = gifts,
                            .gift_count = count,
                            .flags = DEMOS_CREATE_WITH_PARENT,
                            .watch = process_watch(CHANNEL_ENDS, 0)};
    s64 control = service ? demos_spawn_server(&s, service) : demos_spawn(&s);

    if (control < 0)
        demos_die("hostile: cannot start: %s", demos_error(control));
    return control;
}

static void check_service(s64 service)
{
    u8 out[64], in[64];

    memset(out, 0x5a, sizeof out);
    if (demos_call(service, out, sizeof out, in, sizeof in) != sizeof in ||
        memcmp(out, in, sizeof in) != 0)
        demos_die("hostile: the echo is hurt");
}

int main(int argc, char **argv)
{
    u64 count = MIN(argc > 1 ? number(argv[1]) : 4, (u64)MOST);
    const char *calls = argc > 2 ? argv[2] : "3000";
    u64 base = argc > 3 ? number(argv[3]) : 1;
    struct process_end end;
    s64 service, other;

    seed = base;
    if (argc > 3 && strcmp(argv[1], "misbehave") == 0)
        return misbehave(number(calls));
    if (argc > 1 && strcmp(argv[1], "echo") == 0)
        echo();
    start("echo", "0", "0", NULL, 0, &service);
    start("echo", "0", "0", NULL, 0, &other);
    for (u64 i = 0; i < count; i++) {
        struct demos_gift gifts[] = {{"echo", service}, {"clock", demos_link("clock")}};
        char digits[24];

        format(digits, sizeof digits, "%llu", (unsigned long long)(base * 100 + i));
        start("misbehave", calls, digits, gifts, ARRAY_SIZE(gifts), NULL);
    }
    for (u64 i = 0; i < count; i++) {
        if (process_wait(CHANNEL_ENDS, &end) < 0)
            demos_die("hostile: lost count of the children");
        check_service(other);
    }
    demos_print("hostile: %llu processes made %s calls each; nobody else was hurt\n",
                (unsigned long long)count, calls);
    return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel-bench OPERATION COUNT: the kernel alone, without traps or address spaces, so that
 * callgrind can count what the core itself costs (P7-P11, P16). A process's memory is a flat
 * array, a copy one bounds check and a memcpy: the least that any machine does.
 *
 * Run it with COUNT and 3 COUNT under valgrind and divide the difference by 2 COUNT. `sizes`
 * prints instead what memory the kernel takes for each of COUNT processes, links and messages.
 */
#include "guest/kernel/core.h"
#include "guest/kernel/machine.h"
#include "net/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 4 << 20, HEAP = 64 << 20 };
#define BASE 0x100000ull

u64 machine_now(struct node *n)
{
    (void)n;
    return 0;
}

u32 machine_page_size(struct node *n)
{
    (void)n;
    return 4096;
}

static inline u8 *at(const struct task *t, u64 address, size_t len)
{
    return address >= BASE && len <= MEMORY && address - BASE <= MEMORY - len
               ? (u8 *)t->machine + (address - BASE)
               : NULL;
}

enum machine_result machine_copy_in(struct node *n, struct task *t, void *to, u64 from,
                                    size_t len)
{
    const u8 *p = at(t, from, len);

    (void)n;
    if (!p)
        return MACHINE_FAULT;
    memcpy(to, p, len);
    return MACHINE_OK;
}

enum machine_result machine_copy_out(struct node *n, struct task *t, u64 to, const void *from,
                                     size_t len)
{
    u8 *p = at(t, to, len);

    (void)n;
    if (!p)
        return MACHINE_FAULT;
    memcpy(p, from, len);
    return MACHINE_OK;
}

enum machine_result machine_copy(struct node *n, struct task *to, u64 to_address,
                                 struct task *from, u64 from_address, size_t len)
{
    u8 *target = at(to, to_address, len);
    const u8 *source = at(from, from_address, len);

    (void)n;
    if (!target || !source)
        return MACHINE_FAULT;
    memmove(target, source, len);
    return MACHINE_OK;
}

void *machine_reach(struct node *n, struct task *t, u64 address, size_t len)
{
    (void)n;
    return at(t, address, len);
}

bool machine_hand(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, size_t len)
{
    return machine_copy(n, to, to_address, from, from_address, len) == MACHINE_OK;
}

u64 machine_share(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, u64 len)
{
    (void)n;
    (void)to;
    (void)to_address;
    (void)from;
    (void)from_address;
    (void)len;
    return 0; /* flat memory maps nothing */
}

enum machine_result machine_space_create(struct node *n, struct task *t)
{
    (void)n;
    t->machine = calloc(1, MEMORY);
    return t->machine ? MACHINE_OK : MACHINE_MEMORY;
}

void machine_space_destroy(struct node *n, struct task *t)
{
    (void)n;
    free(t->machine);
}

enum machine_result machine_map(struct node *n, struct task *t, const struct region *r)
{
    (void)n;
    (void)t;
    (void)r;
    return MACHINE_OK;
}

void machine_unmap(struct node *n, struct task *t, const struct region *r)
{
    (void)n;
    (void)t;
    (void)r;
}

void machine_protect(struct node *n, struct task *t, const struct region *r)
{
    (void)n;
    (void)t;
    (void)r;
}

enum machine_result machine_load(struct node *n, struct task *t, u64 to, const void *from,
                                 size_t len)
{
    (void)n;
    (void)t;
    (void)to;
    (void)from;
    (void)len;
    return MACHINE_OK;
}

enum machine_result machine_thread_create(struct node *n, struct thread *th)
{
    (void)n;
    (void)th;
    return MACHINE_OK;
}

void machine_thread_destroy(struct node *n, struct thread *th)
{
    (void)n;
    (void)th;
}

void machine_thread_start(struct node *n, struct thread *th, u64 entry, u64 stack, u64 argument)
{
    (void)n;
    (void)th;
    (void)entry;
    (void)stack;
    (void)argument;
}

size_t machine_thread_export(struct node *n, struct thread *th, void *image, size_t room)
{
    (void)n;
    (void)th;
    (void)image;
    (void)room;
    return 0;
}

bool machine_thread_import(struct node *n, struct thread *th, const void *image, size_t len)
{
    (void)n;
    (void)th;
    (void)image;
    (void)len;
    return true;
}

void machine_trace(struct node *n, u16 type, u32 who, u64 a, u64 b)
{
    (void)n;
    (void)type;
    (void)who;
    (void)a;
    (void)b;
}

size_t machine_message(struct node *n, u32 channel, struct message *m, u8 *answer, size_t room)
{
    (void)n;
    (void)channel;
    (void)m;
    (void)answer;
    (void)room;
    return 0;
}

NORETURN void machine_stop(struct node *n, const char *why)
{
    (void)n;
    fprintf(stderr, "%s\n", why);
    abort();
}

void net_up_announce(struct net *n, machine_t from, const void *bytes, size_t len)
{
    (void)n;
    (void)from;
    (void)bytes;
    (void)len;
}

void net_up_trace(struct net *n, u16 type, u32 who, u64 a, u64 b)
{
    (void)n;
    (void)type;
    (void)who;
    (void)a;
    (void)b;
}

static struct node *node;
static struct thread *running;

/* What a machine does around a kernel call, without the trap. */
static s64 kcall(u32 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    const u64 args[6] = {a, b, c, d, e, f};
    s64 result = 0;
    enum outcome o;

    memcpy(running->args, args, sizeof args);
    o = node_call(node, running, &result, number);

    while (o != NODE_DONE && o != NODE_RUN) {
        running = o == NODE_SWITCH || o == NODE_HANDOVER ? node_switch_target(node)
                                                         : node_next(node);
        if (!running)
            return DEMOS_E_STATE;
        o = node_resume(node, running, &result);
    }
    return result;
}

static struct thread *process(void)
{
    struct task *t = node_process(node, "bench", NULL);
    u32 rw = REGION_READ | REGION_WRITE;

    if (!t || node_map(node, t, BASE, MEMORY, rw, rw) || node_start(node, t, 0, 0, 0, NULL, 0))
        exit(1);
    return task_thread(t);
}

static s64 link_to(struct thread *of, const struct thread *to, u32 kind, u32 attr)
{
    struct link l = {.to = to->task->id,
                     .hint = 1,
                     .base = BASE,
                     .len = MEMORY,
                     .attr = (u16)attr,
                     .kind = (u8)kind};

    return link_insert(node, &of->task->links, &l);
}

static void op_null(u64 count)
{
    while (count--)
        kcall(DEMOS_NULL, 0, 0, 0, 0, 0, 0);
}

static void op_link(u64 count)
{
    while (count--) {
        s64 l = kcall(DEMOS_CREATELINK, demos_spec(DEMOS_GENERAL, DEMOS_DUP, 1), 1, 0, 0, 0, 0);

        kcall(DEMOS_DESTROYLINK, (u64)l, 0, 0, 0, 0, 0);
    }
}

static void self(u64 count, u32 len)
{
    u64 l = (u64)link_to(running, running, DEMOS_GENERAL, 0);

    while (count--) {
        kcall(DEMOS_SEND, l, BASE, len, 0, DEMOS_NOW, 0);
        kcall(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, BASE + 8192, 4096, BASE + 16384, DEMOS_NOW, 0);
    }
}

static void op_self(u64 count)
{
    self(count, 0);
}

static void op_self_1k(u64 count)
{
    self(count, 1024);
}

static struct demos_info *info_of(struct thread *of)
{
    return (struct demos_info *)(void *)((u8 *)of->task->machine + 16384);
}

static void receive_next(void)
{
    kcall(DEMOS_RECEIVE, DEMOS_ANY_CHANNEL, BASE, 4096, BASE + 16384, DEMOS_FOREVER, 0);
}

/* Of two that run here in turn, as outcomes say: the server waits, the client is next. */
struct pair {
    struct thread *client;
    u64 link;                      /* the client's, to the server */
    const struct demos_info *info; /* of what the server received */
};

static struct pair pair_up(u32 kind)
{
    struct thread *client = running, *server = process();
    struct pair p = {client, (u64)link_to(client, server, kind, 0), info_of(server)};

    node_preempt(node, client);
    while ((running = node_next(node)) != server)
        node_preempt(node, running);
    receive_next();
    return p;
}

/* A client CALLs, the server RECEIVEs and REPLYs. */
static void rtt(u64 count, u32 len)
{
    struct pair p = pair_up(DEMOS_REQUEST_LINK);

    while (count--) {
        kcall(DEMOS_CALL, p.link, BASE, demos_lens(len, 4096), BASE + 8192, 0, DEMOS_FOREVER);
        kcall(DEMOS_REPLY, (u64)p.info->reply, BASE, len, 0, DEMOS_FOREVER, 0);
        receive_next();
    }
    if (running != p.client)
        exit(2);
}

static void op_rtt(u64 count)
{
    rtt(count, 0);
}

static void op_rtt_1k(u64 count)
{
    rtt(count, 1024);
}

/* The same exchange by three calls of the client's: a link to answer over, the request, the wait. */
static void op_apart(u64 count)
{
    struct pair p = pair_up(DEMOS_GENERAL);
    struct demos_info *give = info_of(p.client);

    while (count--) {
        give->count = 1;
        give->links[0] = kcall(DEMOS_CREATELINK,
                               demos_spec(DEMOS_GENERAL, DEMOS_GIVE | DEMOS_ONCE, 1), 1, 0, 0,
                               0, 0);
        kcall(DEMOS_SEND, p.link, BASE, 0, BASE + 16384, DEMOS_FOREVER, 0);
        kcall(DEMOS_RECEIVE, DEMOS_CHANNEL(1), BASE + 8192, 4096, 0, DEMOS_FOREVER, 0);
        kcall(DEMOS_SEND, (u64)p.info->links[0], BASE, 0, 0, DEMOS_FOREVER, 0);
        receive_next();
    }
    if (running != p.client || p.client->task->count.received < 1)
        exit(2);
}

static void op_move(u64 count)
{
    struct thread *client = running, *server = process();
    u64 l = (u64)link_to(client, server, DEMOS_GENERAL, DEMOS_AREA_READ);

    running = client;
    while (count--)
        kcall(DEMOS_MOVEDATA, l, DEMOS_MOVE_READ, 0, BASE, 1 << 20, 0);
}

/* As much, without a kernel: what a move is compared with. */
static void op_memmove(u64 count)
{
    struct thread *server = process();

    while (count--) {
        memmove(running->task->machine, server->task->machine, 1 << 20);
        __asm__ volatile("" ::: "memory");
    }
}

static void print_size(const char *name, u64 bytes)
{
    printf("{\"row\": \"size\", \"name\": \"%s\", \"value\": %llu, \"unit\": \"bytes\"}\n",
           name, (unsigned long long)bytes);
}

/* In the kernel's heap, each of `count` made one after the other. */
static void print_grown(const char *name, u64 before, u64 count)
{
    print_size(name, (node_heap(node)->in_use - before) / count);
}

static void queued(const char *name, u64 count, u32 len)
{
    u64 l = (u64)link_to(running, running, DEMOS_GENERAL, 0), before = node_heap(node)->in_use;

    for (u64 i = 0; i < count; i++)
        if (kcall(DEMOS_SEND, l, BASE, len, 0, DEMOS_NOW, 0) < 0)
            exit(3);
    print_grown(name, before, count);
}

static void op_sizes(u64 count)
{
    u64 before = node_heap(node)->in_use;

    for (u64 i = 0; i < count; i++)
        process();
    print_grown("a process with a thread and a region", before, count);
    print_size("of these the thread", sizeof(struct thread));
    before = node_heap(node)->in_use;
    for (u64 i = 0; i < count; i++)
        kcall(DEMOS_CREATELINK, demos_spec(DEMOS_GENERAL, 0, 1), 1, 0, 0, 0, 0);
    print_grown("a link", before, count);
    queued("a queued message, 0 bytes", count, 0);
    queued("a queued message, 1024 bytes", count, 1024);
}

static const struct {
    const char *name;
    void (*run)(u64 count);
} operations[] = {
    {"null", op_null},       {"link", op_link},    {"self", op_self},   {"self1k", op_self_1k},
    {"rtt", op_rtt},         {"rtt1k", op_rtt_1k}, {"apart", op_apart}, {"move", op_move},
    {"memmove", op_memmove}, {"sizes", op_sizes},
};

int main(int argc, char **argv)
{
    static struct heap heap;
    struct node_config config = {.machine = 1, .epoch = 1};
    void *memory = malloc(HEAP);

    if (argc != 3 || !memory) {
        fprintf(stderr, "kernel-bench OPERATION COUNT\n");
        return 2;
    }
    if (getenv("GENERAL"))
        config.flags = NODE_NO_FAST;
    heap_init(&heap, memory, HEAP);
    node = node_create(&heap, &config, NULL, NULL);
    process();
    running = node_next(node);
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        if (strcmp(argv[1], operations[i].name) != 0)
            continue;
        operations[i].run(strtoull(argv[2], NULL, 0));
        return 0;
    }
    fprintf(stderr, "no such operation: %s\n", argv[1]);
    return 2;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bench's nodes. See rig.h. The user processor starts as its boot ROM would leave it:
 * status area and system stack in physical segment 1, a process in segment 2 about to run.
 */
#include <stdlib.h>
#include <string.h>
#include "z8000/bench/rig.h"

enum {
    STUB_AT = 0x010000,
    USER_AT = 0x020000,
    STOPPED_AT = 0x2000, /* words of kernel.s */
    EVICTIONS_AT = 0x2002,
    SELF_AT = 0x2004,
    RESENT_AT = 0x2006,
    SENT_AT = USER_AT + 0x4000, /* what user.s sends, and where it receives */
    RECEIVED_AT = USER_AT + 0x5000,
    CLOCKS_MOST = 400 * NODE_HZ,
};

static bool load(struct image *image, const char *directory, const char *name)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "z8000-node: no %s: harness/z8k-binutils builds its assembler\n", path);
        return false;
    }
    image->length = fread(image->bytes, 1, sizeof image->bytes, f);
    fclose(f);
    return image->length > 0;
}

bool rig_open(struct rig *r, const char *directory)
{
    r->machine = (struct rig_machine){.hz = NODE_HZ, .bytes_per_second = 5000};
    if (!load(&r->kernel, directory, "kernel.bin") || !load(&r->stub, directory, "stub.bin") ||
        !load(&r->single, directory, "single.bin") || !load(&r->user, directory, "user.bin") ||
        !load(&r->load, directory, "load.bin"))
        return false;
    r->table = z8000_table_init(malloc(z8000_table_size()));
    r->blocks = calloc(RIG_BLOCKS, NODE_BLOCK);
    for (unsigned i = 0; i < RIG_NODES; i++)
        r->node[i].memory = calloc(1, RIG_MEMORY);
    return true;
}

void rig_close(struct rig *r)
{
    for (unsigned i = 0; i < RIG_NODES; i++)
        free(r->node[i].memory);
    free(r->blocks);
    free(r->table);
}

static void on_signal(void *owner, u64 clock, enum node_signal which, bool value)
{
    static const char codes[] = "wfrkuhim";
    struct rig *r = owner;

    _Static_assert(sizeof codes == NODE_S_COUNT + 1, "a code for every signal");
    if (r->vcd)
        fprintf(r->vcd, "#%llu\n%d%c\n", (unsigned long long)clock * 500, value, codes[which]);
}

static void boot_user(struct node *n, enum rig_program program, u16 times, u16 argument,
                      u16 other)
{
    struct z8000 *c = &n->user;

    c->psapseg = 0x8100;
    c->psapoff = 0x0100;
    c->r[14] = 0x8100;
    c->r[15] = 0x2000;
    z8000_set_fcw(c, Z8000_SEG | Z8000_NVIE);
    c->r[14] = 0x8200;
    c->r[15] = 0x8000;
    c->r[13] = times;
    c->r[12] = argument;
    c->r[10] = other;
    c->segment = USER_AT >> 16;
    c->pc = (u16)program;
}

static void boot(struct rig *r, struct node *n, u8 number)
{
    const struct image *stub = r->machine.one_processor ? &r->single : &r->stub;
    u8 *memory = n->memory;

    memset(memory, 0, RIG_MEMORY);
    node_init(n, r->table, memory, RIG_MEMORY, 9);
    memcpy(memory, r->kernel.bytes, r->kernel.length);
    memory[SELF_AT + 1] = number;
    memcpy(memory + STUB_AT, stub->bytes, stub->length);
    memcpy(memory + USER_AT, r->user.bytes, r->user.length);
    for (u32 i = 0; i < RIG_MESSAGE_MOST; i++)
        memory[SENT_AT + i] = (u8)(i * 7 + number);
    n->disk.blocks = r->blocks;
    n->disk.block_count = RIG_BLOCKS;
    n->disk.latency = r->machine.hz / 120;
    n->port[PORT_NETWORK].clocks_per_byte = r->machine.hz / r->machine.bytes_per_second;
    n->port[PORT_DISK].clocks_per_byte = r->machine.hz / r->machine.bytes_per_second;
    n->port[PORT_NETWORK].wrong_every = r->machine.wrong_every;
    n->owner = r;
    z8000_reset(&n->kernel);
}

static u16 word(const struct node *n, u32 at)
{
    return (u16)(n->memory[at] << 8 | n->memory[at + 1]);
}

/* A node's time is that of its processor that is behind. */
static u64 now(const struct node *n)
{
    u64 kernel = node_kernel_clock(n);

    return n->waiting ? kernel : MIN(kernel, node_user_clock(n));
}

static bool step(struct rig *r, struct rig_time *time)
{
    struct node *n = &r->node[0];
    u64 before;
    bool halted;

    if (r->nodes == 2 && now(&r->node[1]) < now(n))
        n = &r->node[1];
    before = n->kernel.clocks;
    if (!node_step(n)) {
        fprintf(stderr, "z8000-node: %s (%06x)\n", n->crash, n->crash_address);
        return false;
    }
    halted = n->kernel.halted;
    if (!halted)
        time->kernel_busy += n->kernel.clocks - before;
    return true;
}

bool rig_run(struct rig *r, enum rig_program program, u16 times, u16 argument, unsigned nodes,
             struct rig_time *time)
{
    struct node *n = &r->node[0];

    *time = (struct rig_time){0};
    r->nodes = nodes;
    for (unsigned i = 0; i < nodes; i++) {
        boot(r, &r->node[i], (u8)(i + 1));
        r->node[i].peer = nodes == 2 ? &r->node[1 - i] : NULL;
        boot_user(&r->node[i], i ? RIG_ECHO : program, times, i ? r->answer : argument,
                  (u16)(2 - i));
    }
    n->signal = r->vcd ? on_signal : NULL;
    while (!word(n, STOPPED_AT)) {
        if (!step(r, time))
            return false;
        if (node_kernel_clock(n) > CLOCKS_MOST) {
            fprintf(stderr, "z8000-node: program %04x has not ended\n", program);
            return false;
        }
    }
    time->user = node_user_clock(n);
    for (unsigned i = 0; i < nodes; i++)
        time->line_bytes += r->node[i].port[PORT_NETWORK].bytes_out +
                            r->node[i].port[PORT_DISK].bytes_out +
                            r->node[i].port[PORT_DISK].bytes_in;
    for (unsigned i = 0; i < nodes; i++) {
        time->interrupts += r->node[i].interrupts;
        time->resent += word(&r->node[i], RESENT_AT);
    }
    time->intact = nodes == 2 &&
                   memcmp(n->memory + SENT_AT, r->node[1].memory + RECEIVED_AT, argument) ==
                       0 &&
                   memcmp(r->node[1].memory + SENT_AT, n->memory + RECEIVED_AT, r->answer) == 0;
    time->faults = n->faults;
    time->map_loads = n->map_loads;
    time->evictions = word(n, EVICTIONS_AT);
    return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The node's hardware without its programs: what the maps translate and refuse, who may set
 * them (DV07), all 128 segments (DV02), physical memory and the crash of a wrong kernel
 * reference (DV03, DV05), a hold that is released and one that is given up (DV04).
 */
#include "tests/check.h"
#include "z8000/node/node.h"

enum { MEMORY = 1 << 24 };

static struct node node;
static struct z8000_table *table;

static void open_node(void)
{
    table = z8000_table_init(malloc(z8000_table_size()));
    node_init(&node, table, calloc(1, MEMORY), MEMORY, 9);
}

static void close_node(void)
{
    free(node.memory);
    free(table);
}

static void put(u32 at, u16 word)
{
    node.memory[at] = (u8)(word >> 8);
    node.memory[at + 1] = (u8)word;
}

static u16 get(u32 at)
{
    return (u16)(node.memory[at] << 8 | node.memory[at + 1]);
}

static void map(unsigned process, unsigned segment, unsigned slot, unsigned page, u16 frame)
{
    node_map_write(&node, NODE_R_SEGMENT, (u16)(process * NODE_SEGMENTS + segment));
    node_map_write(&node, NODE_R_SEGMENT_ENTRY, (u16)(0xc000 | slot));
    node_map_write(&node, NODE_R_PAGE, (u16)(slot * NODE_PAGES_MOST + page));
    node_map_write(&node, NODE_R_FRAME, frame);
    node_map_write(&node, NODE_R_PAGE_ENTRY, 0xc000);
}

static void test_translation(void)
{
    u32 at = 0;

    open_node();
    CHECK_EQ(node_translate(&node, 0, 0, false, &at), NODE_FAULT_SEGMENT);
    map(0, 127, 15, 127, 32767);
    CHECK_EQ(node_translate(&node, 127, 0xffff, true, &at), 0);
    CHECK_EQ(at, MEMORY - 1);
    CHECK_EQ(node_translate(&node, 127, 0xfdff, false, &at), NODE_FAULT_PAGE);
    node_map_write(&node, NODE_R_PROCESS, 1);
    CHECK_EQ(node_translate(&node, 127, 0xffff, false, &at), NODE_FAULT_SEGMENT);
    node_map_write(&node, NODE_R_PROCESS, 0);
    node_map_write(&node, NODE_R_PAGE_ENTRY, 0x8000);
    CHECK_EQ(node_translate(&node, 127, 0xffff, false, &at), 0);
    CHECK_EQ(node_translate(&node, 127, 0xffff, true, &at), NODE_FAULT_WRITE);
    close_node();
}

/* The user processor at 02:0000 in normal mode, status area in physical segment 1. */
static void start_user(const u16 *words, unsigned count)
{
    open_node();
    node.kernel.halted = true;
    node.user.psapseg = 0x8100;
    node.user.r[14] = 0x8100;
    node.user.r[15] = 0x2000;
    z8000_set_fcw(&node.user, Z8000_SEG);
    node.user.segment = 2;
    map(0, 2, 0, 0, 0x100);
    for (unsigned i = 0; i < count; i++)
        put(0x20000 + 2 * i, words[i]);
    for (u32 entry = 0x08; entry < 0x38; entry += 8) {
        put(0x010002 + entry, 0xc000);
        put(0x010004 + entry, 0x8100);
        put(0x010006 + entry, (u16)(0x0400 + entry));
        put(0x010400 + entry, 0x7a00);
    }
}

static void run(unsigned steps)
{
    while (steps--)
        node_step(&node);
}

static void kernel_out(u16 port, u16 value)
{
    struct z8000_cycle cycle = {
        .status = Z8000_ST_IO, .offset = port, .data = value, .write = true};

    node.kernel.bus(&node, &cycle);
}

static void test_hold_and_release(void)
{
    static const u16 code[] = {0x2f20, 0xa911, 0xe8ff}; /* LD @RR2,R0; INC R1,#2; JR . */

    start_user(code, 3);
    node.user.r[0] = 0xbeef;
    node.user.r[2] = 0x8300;
    node.user.r[3] = 0x0400;
    run(40);
    CHECK(node.waiting);
    CHECK_EQ(node.fault.segment, 3);
    CHECK_EQ(node.fault.offset, 0x0400);
    CHECK(node.fault.write && node.fault.normal);
    CHECK_EQ(node.user.r[1], 0);
    map(0, 3, 1, 2, 0x200);
    kernel_out(NODE_R_RELEASE, 1);
    run(400);
    CHECK(!node.waiting);
    CHECK_EQ(get(0x40000), 0xbeef);
    CHECK_EQ(node.user.r[1], 2);
    CHECK(node.waited > 0);
    CHECK(node_user_clock(&node) >= node.waited);
    close_node();
}

static void test_giving_up_writes_nothing_and_traps(void)
{
    static const u16 code[] = {0x5c09, 0x0003, 0x8300, 0x0000, 0x8d07}; /* LDM 03:0000,R0,#4 */

    start_user(code, 5);
    node.user.r[0] = 0x1111;
    run(40);
    CHECK(node.waiting);
    map(0, 3, 1, 0, 0x200); /* even now that it could be served */
    kernel_out(NODE_R_RELEASE, 2);
    run(200);
    CHECK_EQ(get(0x40000), 0);
    CHECK(node.user.halted);
    CHECK_EQ(node.user.segment, 1);
    CHECK_EQ(node.user.pc, 0x0422);
    CHECK_EQ(get(0x011ffe), 0x0008);
    close_node();
}

/* The fetch before an interrupt's frame is not used: giving it up neither spoils the frame nor traps. */
static void test_giving_up_before_an_interrupt(void)
{
    start_user(NULL, 0);
    z8000_set_fcw(&node.user, Z8000_SEG | Z8000_NVIE);
    node.user.pc = 0x0200;
    kernel_out(NODE_R_TO_USER, 1);
    run(40);
    CHECK(node.waiting && !node.fault.write);
    CHECK_EQ(node.fault.offset, 0x0200);
    kernel_out(NODE_R_RELEASE, 2);
    run(200);
    CHECK(!node.waiting && node.user.halted);
    CHECK_EQ(node.user.segment, 1);
    CHECK_EQ(node.user.pc, 0x0432);
    CHECK_EQ(node.user.r[15], 0x2000 - 8);
    CHECK_EQ(get(0x011ffe), 0x0200);
    CHECK_EQ(get(0x011ffa), Z8000_SEG | Z8000_NVIE);
    close_node();
}

static void test_user_cannot_set_maps(void)
{
    static const u16 code[] = {0x3b06, NODE_R_SEGMENT}; /* OUT: privileged */
    struct z8000_cycle cycle = {
        .status = Z8000_ST_IO, .offset = NODE_R_PROCESS, .data = 5, .write = true};

    start_user(code, 2);
    run(60);
    CHECK(node.user.halted);
    CHECK_EQ(node.user.pc, 0x0412);
    node.user.bus(&node, &cycle); /* even its system mode has no such port */
    CHECK_EQ(node.process, 0);
    close_node();
}

static void test_wrong_kernel_reference_stops_the_node(void)
{
    struct z8000_cycle cycle = {.status = Z8000_ST_DATA, .segment = 0x10};

    open_node();
    node.memory_bytes = 1 << 20;
    node.kernel.bus(&node, &cycle);
    CHECK(node.crash != NULL);
    CHECK_EQ(node.crash_address, 1 << 20);
    CHECK(!node_step(&node));
    close_node();
}

static void test_kernel_reaches_all_memory(void)
{
    struct z8000_cycle cycle = {.status = Z8000_ST_DATA, .segment = 127, .offset = 0xfffe};

    open_node();
    put(MEMORY - 2, 0x1234);
    kernel_out(NODE_R_BANK, 1);
    node.kernel.bus(&node, &cycle);
    CHECK_EQ(cycle.data, 0x1234);
    CHECK(!node.crash);
    close_node();
}

static void test_line_pace(void)
{
    struct node *n = &node;

    open_node();
    n->peer = n;
    node_port_write(n, NODE_R_NETWORK, 0x5a, 1000);
    node_port_write(n, NODE_R_NETWORK, 0x11, 1001); /* lost: one is leaving */
    node_ports_run(n, 1399);
    CHECK(!n->port[PORT_NETWORK].full);
    node_ports_run(n, 1400);
    CHECK_EQ(node_port_read(n, NODE_R_NETWORK_STATUS), 0xc0);
    CHECK_EQ(node_port_read(n, NODE_R_NETWORK), 0x5a);
    CHECK_EQ(node_port_read(n, NODE_R_NETWORK_STATUS), 0x40);
    CHECK_EQ(n->port[PORT_SERIAL].clocks_per_byte, 1041);
    close_node();
}

TESTS(CASE(test_translation), CASE(test_hold_and_release),
      CASE(test_giving_up_writes_nothing_and_traps), CASE(test_giving_up_before_an_interrupt),
      CASE(test_user_cannot_set_maps), CASE(test_wrong_kernel_reference_stops_the_node),
      CASE(test_kernel_reaches_all_memory), CASE(test_line_pace))

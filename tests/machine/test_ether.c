/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hosted nodes' ether: two and three networks over one directory of sockets exchange
 * messages of all sizes in order, find each other without configuration, and pass over a
 * name that a killed node left behind.
 *
 * Row DN08 (the device behind its four functions) on the host.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "guest/machine/hosted/ether.h"
#include "tests/check.h"

enum { NODES = 3, HEAP = 8 << 20, MESSAGES = 40 };

static struct node_of_test {
    struct ether ether;
    struct net *net;
    struct heap heap;
    void *memory;
    u32 got, from;
    bool wrong;
} nodes[NODES];
static char directory[64];
static u64 now;

void net_up_message(struct net *n, machine_t from, u32 epoch, enum net_class class,
                    const void *message, size_t len)
{
    struct node_of_test *t = net_owner(n);
    const u8 *bytes = message;

    (void)epoch, (void)class;
    t->from = from;
    for (size_t i = 0; i < len; i++)
        t->wrong |= bytes[i] != (u8)(t->got + i);
    t->got++;
}

static void open_all(void)
{
    strcpy(directory, "/tmp/demos-ether-XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    for (u32 i = 0; i < NODES; i++) {
        struct node_of_test *t = &nodes[i];
        struct net_config c = {.self = i + 1, .epoch = 1, .seed = i};

        *t = (struct node_of_test){.memory = malloc(HEAP)};
        heap_init(&t->heap, t->memory, HEAP);
        CHECK(ether_open(&t->ether, directory, i + 1));
        t->net = net_create(&t->heap, &c);
        CHECK(t->net && net_attach(t->net, &t->ether.device) == NET_OK);
        net_set_owner(t->net, t);
    }
}

static void close_all(void)
{
    for (u32 i = 0; i < NODES; i++) {
        net_destroy(nodes[i].net);
        ether_close(&nodes[i].ether);
        free(nodes[i].memory);
    }
    CHECK(rmdir(directory) == 0); /* no name is left */
}

/* Time here is counted, not waited for. */
static void turn(void)
{
    now += 1000000;
    for (u32 i = 0; i < NODES; i++)
        net_poll(nodes[i].net, now);
}

static void say(u32 from, machine_t to, u32 number)
{
    static u8 body[3000];
    u32 len = number * 71 % sizeof body;

    for (u32 i = 0; i < len; i++)
        body[i] = (u8)(number + i);
    CHECK_EQ(net_send(nodes[from].net, to, NET_GUARANTEED, body, len / 2, body + len / 2,
                      len - len / 2),
             NET_OK);
}

static void test_messages_arrive_in_order(void)
{
    open_all();
    for (u32 n = 0; n < MESSAGES; n++) {
        say(0, 2, n);
        turn();
    }
    for (u32 n = 0; n < 2000 && nodes[1].got < MESSAGES; n++)
        turn();
    CHECK_EQ(nodes[1].got, MESSAGES);
    CHECK_EQ(nodes[1].from, 1);
    CHECK(!nodes[1].wrong);
    CHECK_EQ(nodes[2].got, 0);
    close_all();
}

static void test_a_dead_name_is_removed(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);

    open_all();
    snprintf(a.sun_path, sizeof a.sun_path, "%s/02-00-00-00-00-63", directory);
    CHECK(bind(s, (struct sockaddr *)&a, sizeof a) == 0);
    close(s);
    say(0, 3, 0);
    for (u32 n = 0; n < 2000 && nodes[2].got < 1; n++)
        turn();
    CHECK_EQ(nodes[2].got, 1);
    CHECK(access(a.sun_path, F_OK) != 0);
    close_all();
}

TESTS(CASE(test_messages_arrive_in_order), CASE(test_a_dead_name_is_removed))

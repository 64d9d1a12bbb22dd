/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demos-node: a DEMOS node as a Linux process. Takes a bundle, or makes one from program
 * files and commands on its command line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "guest/machine/hosted/hosted.h"
#include "guest/machine/hosted/pack.h"
#include "guest/machine/place.h"

struct options {
    struct node_config config;
    u64 memory_mib;
    const char *bundle, *programs, *trace, *list, *pack, *net;
    const char *ethers[HOSTED_PACKETS];
    u32 ether_count;
    const char *runs[PACK_RUNS];
    u32 run_count;
    const char *disks[HOSTED_DISKS];
    u32 disk_count;
};

static const char usage[] =
    "usage: demos-node [option]... (--run 'PROGRAM ARGUMENT...'... | --list FILE | --bundle "
    "FILE)\n"
    "  --id N          this node's number (1)\n"
    "  --memory MIB    memory for processes (64)\n"
    "  --bundle FILE   programs and boot list, a newc cpio archive\n"
    "  --programs DIR  where --run finds program files (programs beside demos-node)\n"
    "  --run COMMAND   start it; words like +kernel before the name grant links\n"
    "  --list FILE     a boot list, as many lines of --run\n"
    "  --pack FILE     write the bundle there and run nothing\n"
    "  --net DIR       join the network of the nodes that share this directory\n"
    "  --ether NAME    join the network on this interface of the host; again for more\n"
    "  --disk FILE     a disk, a raw image; again for more\n"
    "  --seed N        keys of links\n"
    "  --trace FILE    the kernel's message trace, as text\n"
    "  --no-share      MOVEDATA always copies\n"
    "  --no-fast       every kernel call takes the general path\n"
    "The status is the programs' worst; 2 when the node itself failed.\n";

static NORETURN void fail(const char *what, const char *why)
{
    fprintf(stderr, "demos-node: %s: %s\n", what, why);
    exit(2);
}

static u64 number(const char *name, const char *text, u64 least, u64 most)
{
    char *end;
    u64 value = strtoull(text, &end, 0);

    if (*end || end == text || value < least || value > most) {
        char why[96];

        snprintf(why, sizeof why, "must be a number from %llu to %llu",
                 (unsigned long long)least, (unsigned long long)most);
        fail(name, why);
    }
    return value;
}

static void parse(struct options *o, int argc, char **argv)
{
    enum {
        ID,
        MEMORY,
        BUNDLE,
        PROGRAMS,
        RUN,
        LIST,
        PACK,
        SEED,
        TRACE,
        NO_SHARE,
        NO_FAST,
        NET,
        ETHER,
        DISK,
        HELP
    };
    static const struct option names[] = {
        {"id", 1, NULL, ID},
        {"memory", 1, NULL, MEMORY},
        {"bundle", 1, NULL, BUNDLE},
        {"programs", 1, NULL, PROGRAMS},
        {"run", 1, NULL, RUN},
        {"list", 1, NULL, LIST},
        {"pack", 1, NULL, PACK},
        {"net", 1, NULL, NET},
        {"ether", 1, NULL, ETHER},
        {"disk", 1, NULL, DISK},
        {"seed", 1, NULL, SEED},
        {"trace", 1, NULL, TRACE},
        {"no-share", 0, NULL, NO_SHARE},
        {"no-fast", 0, NULL, NO_FAST},
        {"help", 0, NULL, HELP},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case ID: o->config.machine = (u32)number("--id", optarg, 1, 0xfffffffe); break;
        case MEMORY: o->memory_mib = number("--memory", optarg, 1, 1 << 20); break;
        case BUNDLE: o->bundle = optarg; break;
        case PROGRAMS: o->programs = optarg; break;
        case RUN:
            if (o->run_count == PACK_RUNS)
                fail("--run", "too many");
            o->runs[o->run_count++] = optarg;
            break;
        case LIST: o->list = optarg; break;
        case NET: o->net = optarg; break;
        case ETHER:
            if (o->ether_count == HOSTED_PACKETS)
                fail("--ether", "too many");
            o->ethers[o->ether_count++] = optarg;
            break;
        case DISK:
            if (o->disk_count == HOSTED_DISKS)
                fail("--disk", "too many");
            o->disks[o->disk_count++] = optarg;
            break;
        case PACK: o->pack = optarg; break;
        case SEED: o->config.seed = number("--seed", optarg, 0, ~0ull); break;
        case TRACE: o->trace = optarg; break;
        case NO_SHARE: o->config.flags |= NODE_NO_SHARE; break;
        case NO_FAST: o->config.flags |= NODE_NO_FAST; break;
        case HELP: fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(2);
        }
    }
    if (optind < argc || (o->bundle != NULL) + (o->list != NULL) + (o->run_count > 0) != 1) {
        fputs(usage, stderr);
        exit(2);
    }
}

/* Node and children on one processor: a hand-over between two costs several times as much,
 * and only one of them runs at a time anyway. */
static void stay_on_one_cpu(u32 id)
{
    cpu_set_t set;
    u32 want;

    if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) == 0)
        return;
    want = id % (u32)CPU_COUNT(&set);
    for (u32 cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &set) || want-- > 0)
            continue;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        sched_setaffinity(0, sizeof set, &set);
        return;
    }
}

/* The boot list, from --list or of the commands of --run. */
static bool load_list(const struct options *o, struct pack *list)
{
    if (o->list)
        return pack_read(list, o->list);
    for (u32 i = 0; i < o->run_count; i++)
        if (!pack_line(list, o->runs[i]))
            return false;
    return true;
}

static void load(const struct options *o, struct pack *p)
{
    char self[4096], *slash;
    struct pack list = {0};
    ssize_t len;

    if (o->bundle) {
        if (!pack_read(p, o->bundle))
            fail(o->bundle, strerror(errno));
        return;
    }
    if (!load_list(o, &list))
        fail(o->list ? o->list : "--run", strerror(errno));
    len = readlink("/proc/self/exe", self, sizeof self - 16);
    self[len > 0 ? len : 0] = '\0';
    slash = strrchr(self, '/');
    strcpy(slash ? slash + 1 : self, "programs");
    if (!pack_programs(p, o->programs ? o->programs : self, &list))
        fail(p->error, strerror(errno));
    pack_free(&list);
}

static void attach(struct hosted *h, struct net_device *d)
{
    if (net_attach(h->net, d) != NET_OK)
        fail("memory", "not enough for the network");
}

static void join(struct hosted *h, const struct options *o, struct heap *heap)
{
    struct net_config c = {.self = o->config.machine,
                           .epoch = o->config.epoch,
                           .seed = o->config.seed,
                           .has_crc32c = __builtin_cpu_supports("sse4.2") != 0};

    h->net = net_create(heap, &c);
    if (!h->net)
        fail("memory", "not enough for the network");
    if (o->net) {
        if (!ether_open(&h->ether, o->net, o->config.machine))
            fail(o->net, strerror(errno));
        attach(h, &h->ether.device);
    }
    for (; h->packets < o->ether_count; h->packets++) {
        if (!packet_open(&h->packet[h->packets], o->ethers[h->packets]))
            fail(o->ethers[h->packets], strerror(errno));
        attach(h, &h->packet[h->packets].device);
    }
}

static void start(struct hosted *h, const struct options *o, const struct pack *p)
{
    static struct heap heap;
    u64 bytes = o->memory_mib << 20, kernel = bytes / 4 + (4 << 20);
    void *memory = malloc(kernel);
    const char *why;

    if (!memory || !hosted_memory(h, bytes))
        fail("memory", strerror(errno));
    heap_init(&heap, memory, kernel);
    h->started_ns = hosted_clock_ns();
    if (o->trace && !(h->trace = fopen(o->trace, "w")))
        fail(o->trace, strerror(errno));
    if (o->net || o->ether_count)
        join(h, o, &heap);
    for (u32 i = 0; i < o->disk_count; i++)
        if (!hosted_disk_add(&h->disks, o->disks[i]))
            fail(o->disks[i], strerror(errno));
    h->node = node_create(&heap, &o->config, h->net, h);
    if (!h->node)
        fail("memory", "not enough for a node");
    why = boot_first(h->node, p->bytes, p->len);
    if (why)
        fail("start", why);
}

int main(int argc, char **argv)
{
    static struct hosted h = {.ether.socket = -1};
    static struct options o = {.config = {.machine = 1}, .memory_mib = 64};
    struct pack p = {0};
    int status;

    parse(&o, argc, argv);
    if (o.trace)
        o.config.flags |= NODE_TRACE;
    o.config.epoch = ether_boot();
    stay_on_one_cpu(o.config.machine);
    signal(SIGPIPE, SIG_IGN);
    load(&o, &p);
    if (o.pack) {
        if (!pack_write(&p, o.pack))
            fail(o.pack, strerror(errno));
        return 0;
    }
    start(&h, &o, &p);
    status = hosted_loop(&h);
    fflush(stdout);
    node_destroy(h.node);
    hosted_disks_close(&h.disks);
    ether_close(&h.ether);
    while (h.packets)
        packet_close(&h.packet[--h.packets]);
    if (h.trace)
        fclose(h.trace);
    pack_free(&p);
    return status & 0x7f;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demos-z8000: a DEMOS node with a Z8001 as its user processor, as a Linux process. Takes
 * programs and links from its command line; joins the ether of other hosted nodes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/bytes.h"
#include "guest/kernel/core.h"
#include "guest/machine/z8000/hosted.h"

enum { RUNS = 32, WORDS = 32, GRANTS = 12, IMAGE_MOST = 0x10000, TURN = BOARD_HZ / 100 };

struct options {
    struct node_config config;
    u32 memory_kib, disk_kib;
    unsigned page_bits;
    const char *programs, *net, *trace;
    const char *runs[RUNS];
    u32 run_count;
    bool report, serve, apart;
};

static const char usage[] =
    "usage: demos-z8000 [option]... --run 'PROGRAM ARGUMENT...'...\n"
    "  --id N          this node's number (1)\n"
    "  --memory KIB    the board's memory, a power of two to 16384 (1024)\n"
    "  --page BYTES    512, 1024 or 2048 (512)\n"
    "  --disk KIB      a disk of the board's own, to page to (none; at most 32768)\n"
    "  --programs DIR  program images (programs beside the directory's trap.bin: z8000/demos)\n"
    "  --run COMMAND   start it; words before the name grant links: +kernel, +machine,\n"
    "                  +disk, +kernel@N (the kernel of node N). After a COMMAND `wait` nothing "
    "starts\n"
    "                  until no process is left\n"
    "  --net DIR       join the network of the nodes that share this directory\n"
    "  --serve         stay when there are no processes (others may make some)\n"
    "  --apart         the user processor is a thread of its own\n"
    "  --seed N        keys of links\n"
    "  --trace FILE    the kernel's message trace, as text\n"
    "  --report        clocks, holds and maps at the end, on standard error\n"
    "The status is that of the last process that ended with another one than 0; 2 when the\n"
    "node itself failed.\n";

static NORETURN void fail(const char *what, const char *why)
{
    fprintf(stderr, "demos-z8000: %s: %s\n", what, why);
    exit(2);
}

static u64 number(const char *name, const char *text, u64 least, u64 most)
{
    char *end;
    u64 value = strtoull(text, &end, 0);

    if (*end || end == text || value < least || value > most)
        fail(name, "out of range");
    return value;
}

static unsigned page_bits(const char *text)
{
    u64 bytes = number("--page", text, 512, 2048);

    if (bytes & (bytes - 1))
        fail("--page", "must be 512, 1024 or 2048");
    return (unsigned)__builtin_ctzll(bytes);
}

static void parse(struct options *o, int argc, char **argv)
{
    enum {
        ID,
        MEMORY,
        PAGE,
        DISK,
        PROGRAMS,
        RUN,
        NET,
        SERVE,
        APART,
        SEED,
        TRACE,
        REPORT,
        HELP
    };
    static const struct option names[] = {
        {"apart", 0, NULL, APART},
        {"disk", 1, NULL, DISK},
        {"id", 1, NULL, ID},
        {"memory", 1, NULL, MEMORY},
        {"page", 1, NULL, PAGE},
        {"run", 1, NULL, RUN},
        {"programs", 1, NULL, PROGRAMS},
        {"net", 1, NULL, NET},
        {"serve", 0, NULL, SERVE},
        {"seed", 1, NULL, SEED},
        {"trace", 1, NULL, TRACE},
        {"help", 0, NULL, HELP},
        {"report", 0, NULL, REPORT},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case ID: o->config.machine = (u32)number("--id", optarg, 1, 0xfffffffe); break;
        case MEMORY: o->memory_kib = (u32)number("--memory", optarg, 64, 16384); break;
        case DISK: o->disk_kib = (u32)number("--disk", optarg, 2, BOARD_BLOCKS_MOST / 2); break;
        case PAGE: o->page_bits = page_bits(optarg); break;
        case PROGRAMS: o->programs = optarg; break;
        case RUN:
            if (o->run_count == RUNS)
                fail("--run", "too many");
            o->runs[o->run_count++] = optarg;
            break;
        case NET: o->net = optarg; break;
        case SERVE: o->serve = true; break;
        case APART: o->apart = true; break;
        case SEED: o->config.seed = number("--seed", optarg, 0, ~0ull); break;
        case TRACE: o->trace = optarg; break;
        case REPORT: o->report = true; break;
        case HELP: fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(2);
        }
    }
    if (optind < argc || (o->run_count == 0 && !o->serve)) {
        fputs(usage, stderr);
        exit(2);
    }
    if (o->memory_kib & (o->memory_kib - 1))
        fail("--memory", "must be a power of two");
}

/* A whole file of at most IMAGE_MOST bytes. */
static size_t read_image(const char *directory, const char *name, u8 bytes[IMAGE_MOST])
{
    char path[4096];
    size_t len;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.bin", directory, name);
    f = fopen(path, "rb");
    if (!f)
        fail(path, strerror(errno));
    len = fread(bytes, 1, IMAGE_MOST, f);
    fclose(f);
    return len;
}

static const char *beside(void)
{
    static char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 32);
    char *slash;

    self[len > 0 ? len : 0] = '\0';
    slash = strrchr(self, '/');
    strcpy(slash ? slash + 1 : self, "z8000/demos");
    return self;
}

static void add_grant(struct z_grant *grants, u32 *count, const char *word)
{
    if (!z_grant_word(grants, count, GRANTS, word))
        fail(word, "no such link, or too many");
}

static void run_command(struct z_hosted *h, const struct options *o, const char *command)
{
    static u8 image[IMAGE_MOST];
    struct z_grant grants[GRANTS] = {{.name = "self"}};
    char *text = strdup(command), *words[WORDS], *rest = text, *word;
    u32 count = 0, first = 0, granted = 1;
    const char *why;
    size_t len;

    add_grant(grants, &granted, "console");
    add_grant(grants, &granted, "clock");
    while (count < WORDS && (word = strsep(&rest, " ")) != NULL)
        if (*word)
            words[count++] = word;
    for (; first < count && words[first][0] == '+'; first++)
        add_grant(grants, &granted, words[first] + 1);
    if (first == count)
        fail(command, "no program");
    len = 0; /* the arguments follow each other in place, each with its NUL */
    for (u32 i = first; i < count; i++) {
        size_t piece = strlen(words[i]) + 1;

        memmove(text + len, words[i], piece);
        len += piece;
    }
    why = z_start(&h->machine, text, image, read_image(o->programs, text, image), count - first,
                  text, len, grants, granted);
    if (why)
        fail(command, why);
    free(text);
}

static void join(struct z_hosted *h, const struct options *o, struct heap *heap)
{
    struct net_config c = {.self = o->config.machine,
                           .epoch = o->config.epoch,
                           .seed = o->config.seed,
                           .has_crc32c = __builtin_cpu_supports("sse4.2") != 0};

    if (!ether_open(&h->ether, o->net, o->config.machine))
        fail(o->net, strerror(errno));
    h->net = net_create(heap, &c);
    if (!h->net || net_attach(h->net, &h->ether.device) != NET_OK)
        fail("memory", "not enough for the network");
}

static void add_disk(struct z_hosted *h, struct heap *heap, u32 blocks)
{
    u8 *bytes = calloc(blocks, BOARD_BLOCK);

    if (!bytes || !z_disk_init(&h->machine, heap, bytes, blocks))
        fail("memory", "not enough for the disk");
}

static void start(struct z_hosted *h, const struct options *o)
{
    static u8 trap[IMAGE_MOST];
    static struct heap heap;
    u32 ram = o->memory_kib << 10;
    size_t kernel = 16u << 20, len = read_image(o->programs, "trap", trap);
    void *memory = malloc(kernel);
    u8 *board = calloc(1, ram);

    if (!memory || !board)
        fail("memory", strerror(errno));
    heap_init(&heap, memory, kernel);
    if (!z_machine_init(&h->machine, &heap, board, ram, o->page_bits, trap, len))
        fail("memory", "not enough for the board");
    if (o->apart && !z_hosted_apart(h))
        fail("--apart", strerror(errno));
    if (o->disk_kib)
        add_disk(h, &heap, o->disk_kib * (1024 / BOARD_BLOCK));
    h->started_ns = z_host_ns();
    if (o->trace && !(h->trace = fopen(o->trace, "w")))
        fail(o->trace, strerror(errno));
    if (o->net)
        join(h, o, &heap);
    h->machine.node = node_create(&heap, &o->config, h->net, &h->machine);
    if (!h->machine.node)
        fail("memory", "not enough for a node");
}

/* The commands from *next to a `wait`; false: there are none. */
static bool run_commands(struct z_hosted *h, const struct options *o, u32 *next)
{
    bool any = *next < o->run_count;

    while (*next < o->run_count) {
        const char *command = o->runs[(*next)++];

        if (strcmp(command, "wait") == 0)
            break;
        run_command(h, o, command);
    }
    return any;
}

static void loop(struct z_hosted *h, const struct options *o)
{
    struct z_machine *m = &h->machine;
    u32 next = 0;

    while (!m->halted) {
        z_poll(h);
        if (node_counters(m->node)->processes == 0 && !run_commands(h, o, &next) && !o->serve)
            break;
        if (!z_run(m, TURN))
            z_attend(m, ~0ull);
    }
}

static void report(const struct z_machine *m)
{
    struct board_times t = board_times(m->board);

    fprintf(stderr,
            "clocks %llu held %llu holds %llu page-map-loads %llu evictions %llu calls %llu "
            "pages-asked %llu pages-written %llu disk-reads %llu disk-writes %llu\n",
            (unsigned long long)t.clocks, (unsigned long long)t.waited,
            (unsigned long long)t.faults, (unsigned long long)m->maps.loads,
            (unsigned long long)m->maps.evictions,
            (unsigned long long)node_counters(m->node)->entries,
            (unsigned long long)m->node->paging.count.requests,
            (unsigned long long)m->node->paging.count.writes, (unsigned long long)m->disk.reads,
            (unsigned long long)m->disk.writes);
}

int main(int argc, char **argv)
{
    static struct z_hosted h;
    static struct options o = {.config = {.machine = 1}, .memory_kib = 1024, .page_bits = 9};
    s64 status;

    parse(&o, argc, argv);
    if (!o.programs)
        o.programs = beside();
    if (o.trace)
        o.config.flags |= NODE_TRACE;
    o.config.epoch = ether_boot();
    start(&h, &o);
    loop(&h, &o);
    status = h.machine.halted ? h.machine.status : h.machine.worst;
    fflush(stdout);
    if (o.report)
        report(&h.machine);
    node_destroy(h.machine.node);
    if (h.net)
        ether_close(&h.ether);
    if (h.trace)
        fclose(h.trace);
    return (int)(status & 0x7f);
}

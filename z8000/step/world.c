/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory, ports and bus record of z8000-step. See world.h.
 */
#include <stdlib.h>
#include <string.h>
#include "z8000/step/world.h"

void world_clear(struct world *w)
{
    for (size_t page = 0; page < ARRAY_SIZE(w->used); page++)
        if (w->used[page]) {
            memset(w->memory + page * WORLD_PAGE, 0, WORLD_PAGE);
            memset(w->written + page * WORLD_PAGE / 16, 0, WORLD_PAGE / 16);
            w->used[page] = 0;
        }
    memset(w->absent, 0, sizeof w->absent);
    memset(w->identifier, 0xff, sizeof w->identifier);
    w->port_count = w->event_count = w->io_count = 0;
    w->odd = 0;
}

void world_put(struct world *w, u32 address, u8 byte)
{
    address &= WORLD_BYTES - 1;
    w->memory[address] = byte;
    w->used[address / WORLD_PAGE] = 1;
}

static struct port *find_port(struct world *w, bool special, u16 number)
{
    for (size_t i = 0; i < w->port_count; i++)
        if (w->ports[i].number == number && w->ports[i].special == special)
            return &w->ports[i];
    return NULL;
}

bool world_port(struct world *w, bool special, u16 number, u16 word)
{
    struct port *p = find_port(w, special, number);

    if (!p) {
        if (w->port_count == WORLD_PORTS)
            return false;
        p = &w->ports[w->port_count++];
        *p = (struct port){.number = number, .special = special};
    }
    if (p->count == WORLD_PORT_WORDS)
        return false;
    p->words[p->count++] = word;
    return true;
}

static u16 port_read(struct world *w, bool special, u16 number)
{
    struct port *p = find_port(w, special, number);
    u16 word;

    if (!p || !p->count)
        return 0xffff;
    word = p->words[p->next];
    if (p->next + 1 < p->count)
        p->next++;
    return word;
}

/* An even byte travels on the upper half of the bus, an odd one on the lower. */
static u16 byte_of(u16 word, u16 address)
{
    return address & 1 ? word & 0xff : word >> 8;
}

static void log_port(struct world *w, struct io_record record)
{
    if (w->io_count == w->io_room) {
        w->io_room = w->io_room ? 2 * w->io_room : 1024;
        w->io = realloc(w->io, w->io_room * sizeof *w->io);
        if (!w->io) {
            fprintf(stderr, "z8000-step: out of memory\n");
            exit(1);
        }
    }
    w->io[w->io_count++] = record;
}

static void port_cycle(struct world *w, struct z8000_cycle *c)
{
    bool special = c->status == Z8000_ST_SPECIAL_IO;

    if (!c->write) {
        u16 word = port_read(w, special, c->offset);

        c->data = c->byte ? byte_of(word, c->offset) : word;
    }
    log_port(w, (struct io_record){.write = c->write,
                                   .special = special,
                                   .byte = c->byte,
                                   .port = c->offset,
                                   .data = c->data});
}

static void memory_cycle(struct world *w, struct z8000_cycle *c)
{
    u32 at = (u32)c->segment << 16 | c->offset;

    if (!c->byte) {
        w->odd += at & 1;
        at &= ~1u;
    }
    if (!c->write) {
        c->data = c->byte ? w->memory[at] : (u16)(w->memory[at] << 8 | w->memory[at + 1]);
        return;
    }
    if (c->byte) {
        world_put(w, at, (u8)c->data);
    } else {
        world_put(w, at, (u8)(c->data >> 8));
        world_put(w, at + 1, (u8)c->data);
    }
    w->written[at / 16] |= (u8)(1 << (at / 2 & 7));
}

static void print_cycle(const struct world *w, const struct z8000_cycle *c)
{
    fprintf(w->out, "B st=%X %c%c %02X:%04X %0*X\n", c->status, c->write ? 'W' : 'R',
            c->byte ? 'B' : 'W', c->segment, c->offset, c->byte ? 2 : 4, c->data);
}

bool world_bus(void *owner, struct z8000_cycle *c)
{
    struct world *w = owner;

    switch (c->status) {
    case Z8000_ST_IO:
    case Z8000_ST_SPECIAL_IO: port_cycle(w, c); break;
    case Z8000_ST_SEGMENT_ACK:
    case Z8000_ST_NMI_ACK:
    case Z8000_ST_NVI_ACK:
    case Z8000_ST_VI_ACK: c->data = w->identifier[c->status & 7]; break;
    case Z8000_ST_EPU_TRANSFER: c->data = c->write ? c->data : 0xffff; break;
    default:
        w->missing = ((u32)c->segment << 16 | c->offset) / WORLD_PAGE;
        if (w->absent[w->missing])
            return false;
        memory_cycle(w, c);
        break;
    }
    if (w->trace_bus)
        print_cycle(w, c);
    return true;
}

void world_supply(struct world *w)
{
    w->absent[w->missing] = 0;
}

static void report_page(const struct world *w, u32 page)
{
    for (u32 at = page * WORLD_PAGE; at < (page + 1) * WORLD_PAGE; at += 2)
        if (w->written[at / 16] >> (at / 2 & 7) & 1)
            fprintf(w->out, "W %02X:%04X %02X%02X\n", at >> 16, at & 0xffff, w->memory[at],
                    w->memory[at + 1]);
}

static void report_memory(const struct world *w)
{
    for (u32 page = 0; page < ARRAY_SIZE(w->used); page++)
        if (w->used[page])
            report_page(w, page);
}

void world_report(const struct world *w)
{
    report_memory(w);
    for (size_t i = 0; i < w->io_count; i++) {
        const struct io_record *r = &w->io[i];

        fprintf(w->out, "IO %c %c %c %04X %0*X\n", r->write ? 'w' : 'r', r->special ? 's' : 'n',
                r->byte ? 'B' : 'W', r->port, r->byte ? 2 : 4, r->data);
    }
}

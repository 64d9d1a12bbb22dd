/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The specification's rules. Every function reads like the sentence in the README it stands for.
 */
#include "tests/kernel/model.h"
#include "guest/kernel/message.h"
#include <string.h>

static struct model_process *alive(struct model *m, u32 target)
{
    struct model_process *p = &m->p[target % MODEL_PROCESSES];

    return p->life == target / MODEL_PROCESSES ? p : NULL;
}

static struct model_link *find(struct model_process *p, s64 number)
{
    for (u32 i = 0; number && i < MODEL_LINKS; i++) {
        if (p->links[i].number == number)
            return &p->links[i];
    }
    return NULL;
}

static u32 links_held(const struct model_process *p)
{
    u32 count = 0;

    for (u32 i = 0; i < MODEL_LINKS; i++)
        count += p->links[i].number != 0;
    return count;
}

s64 model_add(struct model *m, u32 who, const struct model_link *l, s64 number)
{
    struct model_process *p = &m->p[who];

    if (number <= 0 || find(p, number))
        m->broken = true; /* the caller sees that numbers differ */
    for (u32 i = 0; i < MODEL_LINKS; i++) {
        if (!p->links[i].number) {
            p->links[i] = *l;
            p->links[i].number = number;
            return number;
        }
    }
    return DEMOS_E_LINKS;
}

static bool in_memory(u64 address, u64 len)
{
    return address >= 0x100000 && len <= MODEL_MEMORY &&
           address - 0x100000 <= MODEL_MEMORY - len;
}

static u8 *at(struct model_process *p, u64 address)
{
    return p->memory + (address - 0x100000);
}

static u64 cost(const struct model_message *m)
{
    return message_cost(m->length, m->count);
}

static bool room(const struct model_process *p, u64 bytes)
{
    return !p->queued || p->queued_bytes + p->reserved + bytes <= MODEL_LIMIT;
}

static void drop(struct model *m, const struct model_link *l);

static void drop_links(struct model *m, const struct model_message *x)
{
    if (x->has_reply)
        drop(m, &x->reply);
    for (u32 i = 0; i < x->count; i++)
        drop(m, &x->links[i]);
}

/* A message arrives: at a caller that waits for just this, in a queue, or nowhere. */
static void arrive(struct model *m, const struct model_link *l, const struct model_message *x)
{
    struct model_process *p = alive(m, l->target);

    if (!p) {
        struct model_message notice = {.kind = DEMOS_MSG_NOTICE,
                                       .notice = DEMOS_NOTICE_DEAD,
                                       .channel = x->reply.channel,
                                       .code = x->reply.code,
                                       .reserved = x->reply.reserve};

        if (x->has_reply)
            arrive(m, &x->reply, &notice);
        for (u32 i = 0; i < x->count; i++)
            drop(m, &x->links[i]);
        return;
    }
    if (l->call) {
        if (p->in_call && !p->answered && l->code == p->calls) {
            p->answered = true;
            p->answer = *x;
        } else {
            drop_links(m, x);
        }
        return;
    }
    if (p->queued == MODEL_QUEUE) {
        m->broken = true;
        return;
    }
    p->reserved -= x->reserved;
    p->queue[p->queued++] = *x;
    p->queued_bytes += cost(x);
}

static void notice(struct model *m, const struct model_link *l, u32 what)
{
    struct model_message x = {.kind = DEMOS_MSG_NOTICE,
                              .notice = what,
                              .channel = l->channel,
                              .code = l->code,
                              .reserved = l->reserve};

    arrive(m, l, &x);
}

/* A copy of a link ceases to be. */
static void drop(struct model *m, const struct model_link *l)
{
    if (l->kind == DEMOS_REPLY_LINK)
        notice(m, l, DEMOS_NOTICE_DROPPED);
    else if (l->attr & DEMOS_TELLDEST)
        notice(m, l, DEMOS_NOTICE_DESTROYED);
}

static s64 createlink(struct model *m, u32 who, const struct model_call *c)
{
    u32 kind = c->args[0] & 0xff, attr = (u32)(c->args[0] >> 8) & 0xffffff;
    struct model_link l = {.target = who + MODEL_PROCESSES * m->p[who].life,
                           .kind = kind,
                           .attr = attr,
                           .channel = (u32)(c->args[0] >> 32),
                           .code = c->args[1],
                           .base = c->args[2],
                           .len = c->args[3]};

    if (kind == DEMOS_REPLY_LINK)
        return DEMOS_E_KIND;
    if (kind > DEMOS_REPLY_LINK || attr & ~(u32)DEMOS_ATTR_USER || l.channel >= DEMOS_CHANNELS)
        return DEMOS_E_ARGUMENT;
    if (attr & DEMOS_TIMELY && kind != DEMOS_GENERAL)
        return DEMOS_E_KIND;
    if (l.len > DEMOS_GLOBAL_END || l.base > DEMOS_GLOBAL_END - l.len)
        return DEMOS_E_AREA;
    if (l.len && !(attr & (DEMOS_AREA_READ | DEMOS_AREA_WRITE)))
        return DEMOS_E_AREA;
    if (links_held(&m->p[who]) == MODEL_LINKS)
        return DEMOS_E_LINKS;
    return model_add(m, who, &l, c->told);
}

static s64 duplink(struct model *m, u32 who, const struct model_call *c)
{
    struct model_link *l = find(&m->p[who], (s64)c->args[0]), copy;

    if (!l)
        return DEMOS_E_LINK;
    if (!(l->attr & DEMOS_DUP))
        return DEMOS_E_ALLOWED;
    if (links_held(&m->p[who]) == MODEL_LINKS)
        return DEMOS_E_LINKS;
    copy = *l;
    return model_add(m, who, &copy, c->told);
}

static s64 destroylink(struct model *m, u32 who, const struct model_call *c)
{
    struct model_link *l = find(&m->p[who], (s64)c->args[0]), gone;

    if (!l)
        return DEMOS_E_LINK;
    gone = *l;
    l->number = 0;
    drop(m, &gone);
    return 0;
}

struct wish { /* the four ways to send, decoded */
    u64 body, len, room, info_at, timeout;
    u32 channel;
    bool call, request, reply;
};

static struct wish decode(const struct model_call *c)
{
    const u64 *a = c->args;
    struct wish w = {.body = a[1], .len = a[2], .info_at = a[3], .timeout = a[4]};

    w.call = c->number == DEMOS_CALL;
    w.request = c->number == DEMOS_REQUEST;
    w.reply = c->number == DEMOS_REPLY;
    if (w.call) {
        w.len = (u32)a[2];
        w.room = a[2] >> 32;
        w.info_at = a[4];
        w.timeout = a[5];
    }
    if (w.request) {
        w.room = (u32)a[5];
        w.channel = (u32)(a[5] >> 32);
    }
    if (w.room > DEMOS_BODY_MAX)
        w.room = DEMOS_BODY_MAX;
    return w;
}

static bool right_kind(const struct wish *w, u32 kind)
{
    if (w->reply)
        return kind == DEMOS_REPLY_LINK;
    if (w->call || w->request)
        return kind == DEMOS_REQUEST_LINK || kind == DEMOS_RESOURCE;
    return kind == DEMOS_GENERAL || kind == DEMOS_RESOURCE;
}

static s64 check_given(struct model_process *p, const struct model_link *over,
                       const struct demos_info *info)
{
    if (info->count > DEMOS_LINKS_MAX)
        return DEMOS_E_ARGUMENT;
    for (u32 i = 0; i < info->count; i++) {
        const struct model_link *l = find(p, info->links[i]);

        if (!l)
            return DEMOS_E_LINK;
        if (!(l->attr & DEMOS_GIVE) || over->attr & DEMOS_TIMELY)
            return DEMOS_E_ALLOWED;
        if (l == over && over->attr & DEMOS_ONCE)
            return DEMOS_E_LINK;
        if (l->attr & DEMOS_DUP)
            continue;
        for (u32 j = 0; j < i; j++) {
            if (info->links[j] == info->links[i])
                return DEMOS_E_LINK;
        }
    }
    return 0;
}

static void give(struct model *m, struct model_process *p, const struct demos_info *info,
                 struct model_message *x)
{
    x->count = info->count;
    for (u32 i = 0; i < info->count; i++) {
        struct model_link *l = find(p, info->links[i]);

        x->links[i] = *l;
        if (!(l->attr & DEMOS_DUP))
            l->number = 0;
        if (x->links[i].attr & DEMOS_TELLGIVE)
            notice(m, &x->links[i], DEMOS_NOTICE_GIVEN);
    }
}

enum { ENDS, GOES_ON };

static int send(struct model *m, u32 who, const struct model_call *c, s64 *result)
{
    struct model_process *p = &m->p[who], *target;
    struct wish w = decode(c);
    struct demos_info info = {0};
    struct model_link *l, over;
    struct model_message x = {0};
    u64 reserve = w.request ? message_cost((u32)w.room, DEMOS_LINKS_MAX) : 0;

    if (w.request && w.channel >= DEMOS_CHANNELS)
        return *result = DEMOS_E_ARGUMENT, ENDS;
    if (w.len > DEMOS_BODY_MAX)
        return *result = DEMOS_E_LONG, ENDS;
    l = find(p, (s64)c->args[0]);
    if (!l)
        return *result = DEMOS_E_LINK, ENDS;
    if (!right_kind(&w, l->kind))
        return *result = DEMOS_E_KIND, ENDS;
    x.whole = (u32)w.len;
    if (w.reply && w.len > l->len)
        w.len = l->len;
    if (w.info_at && !in_memory(w.info_at, sizeof(info)))
        return *result = DEMOS_E_ADDRESS, ENDS;
    if (w.info_at)
        memcpy(&info, at(p, w.info_at), sizeof(info));
    *result = check_given(p, l, &info);
    if (*result)
        return ENDS;
    if (reserve && p->queued_bytes + p->reserved + reserve > MODEL_LIMIT)
        return *result = DEMOS_E_MEMORY, ENDS;
    target = alive(m, l->target);
    if (target && !w.reply && !room(target, message_cost((u32)w.len, info.count))) {
        if (l->attr & DEMOS_TIMELY)
            return *result = 0, ENDS;
        if (w.timeout == DEMOS_NOW)
            return *result = DEMOS_E_FULL, ENDS;
        return GOES_ON;
    }
    if (w.len && !in_memory(w.body, w.len))
        return *result = DEMOS_E_ADDRESS, ENDS;
    over = *l;
    x.kind = w.reply               ? DEMOS_MSG_REPLY
             : w.call || w.request ? DEMOS_MSG_REQUEST
                                   : DEMOS_MSG_GENERAL;
    x.channel = over.channel;
    x.code = over.code;
    x.length = (u32)w.len;
    x.reserved = over.reserve;
    if (w.len)
        memcpy(x.body, at(p, w.body), w.len);
    if (w.call || w.request) {
        x.has_reply = true;
        x.reply = (struct model_link){.target = who + MODEL_PROCESSES * p->life,
                                      .kind = DEMOS_REPLY_LINK,
                                      .attr = DEMOS_GIVE | DEMOS_ONCE,
                                      .channel = w.channel,
                                      .code = w.call ? ++p->calls : info.code,
                                      .len = w.room,
                                      .reserve = reserve,
                                      .call = w.call};
        p->reserved += reserve;
    }
    if (over.attr & DEMOS_ONCE && !m->sabotage)
        l->number = 0;
    give(m, p, &info, &x);
    if (w.call) {
        p->in_call = true;
        p->answered = false;
    }
    arrive(m, &over, &x);
    *result = 0;
    return w.call ? GOES_ON : ENDS;
}

static void write_info(struct model *m, u32 who, u64 info_at, const struct model_message *x,
                       u32 len, bool lost, const struct model_call *c)
{
    struct demos_info info = {.code = x->call ? 0 : x->code,
                              .channel = x->call ? 0 : x->channel,
                              .kind = (u8)x->kind,
                              .notice = (u8)x->notice,
                              .length = x->whole,
                              .count = (u8)x->count};

    info.flags = (u8)((x->whole > len ? DEMOS_TRUNCATED : 0) | (lost ? DEMOS_LINKS_LOST : 0));
    if (x->has_reply)
        info.reply = model_add(m, who, &x->reply, c->told_info.reply);
    for (u32 i = 0; i < x->count; i++)
        info.links[i] = model_add(m, who, &x->links[i], c->told_info.links[i]);
    memcpy(at(&m->p[who], info_at), &info, sizeof(info));
}

/* The message goes to the process, or the reason why not. */
static s64 hand_over(struct model *m, u32 who, const struct model_message *x, u64 buffer,
                     u64 space, u64 info_at, bool lost, const struct model_call *c)
{
    struct model_process *p = &m->p[who];
    u32 len = (u32)(x->length < space ? x->length : space);

    if (x->count + x->has_reply > MODEL_LINKS - links_held(p) && x->count + x->has_reply)
        return DEMOS_E_LINKS;
    if (len && !in_memory(buffer, len))
        return DEMOS_E_ADDRESS;
    if (len)
        memcpy(at(p, buffer), x->body, len);
    if (info_at && !in_memory(info_at, sizeof(struct demos_info)))
        return DEMOS_E_ADDRESS;
    write_info(m, who, info_at, x, len, lost, c);
    return len;
}

static int receive(struct model *m, u32 who, const struct model_call *c, s64 *result)
{
    struct model_process *p = &m->p[who];

    for (u32 i = 0; i < p->queued; i++) {
        struct model_message x = p->queue[i];

        if (!(c->args[0] & DEMOS_CHANNEL(x.channel)))
            continue;
        *result = hand_over(m, who, &x, c->args[1], c->args[2], c->args[3], false, c);
        if (*result >= 0) {
            p->queued--;
            p->queued_bytes -= cost(&x);
            memmove(&p->queue[i], &p->queue[i + 1], (p->queued - i) * sizeof(x));
        }
        return ENDS;
    }
    *result = DEMOS_E_TIMEOUT;
    return c->args[4] == DEMOS_NOW ? ENDS : GOES_ON;
}

static int finish_call(struct model *m, u32 who, const struct model_call *c, s64 *result)
{
    struct model_process *p = &m->p[who];
    struct model_message x = p->answer;

    if (!p->answered)
        return GOES_ON;
    p->in_call = p->answered = false;
    if (x.kind == DEMOS_MSG_NOTICE) {
        *result = x.notice == DEMOS_NOTICE_DEAD ? DEMOS_E_DEAD : DEMOS_E_DROPPED;
        return ENDS;
    }
    x.call = true;
    *result = hand_over(m, who, &x, c->args[3], c->args[2] >> 32, c->args[4], false, c);
    if (*result == DEMOS_E_LINKS) {
        drop_links(m, &x);
        x.count = 0;
        x.has_reply = false;
        *result = hand_over(m, who, &x, c->args[3], c->args[2] >> 32, c->args[4], true, c);
    }
    if (*result < 0)
        drop_links(m, &x);
    return ENDS;
}

static s64 movedata(struct model *m, u32 who, const struct model_call *c)
{
    struct model_process *p = &m->p[who], *owner;
    struct model_link *l = find(p, (s64)c->args[0]);
    u64 way = c->args[1], offset = c->args[2], mine = c->args[3], len = c->args[4];
    u32 need = way == DEMOS_MOVE_READ ? DEMOS_AREA_READ : DEMOS_AREA_WRITE;

    if (!l)
        return DEMOS_E_LINK;
    if (way > DEMOS_MOVE_WRITE)
        return DEMOS_E_ARGUMENT;
    if (!(l->attr & (DEMOS_AREA_READ | DEMOS_AREA_WRITE)))
        return DEMOS_E_AREA;
    if (!(l->attr & need))
        return DEMOS_E_ALLOWED;
    if (offset > l->len || len > l->len - offset)
        return DEMOS_E_AREA;
    if (!len)
        return 0;
    owner = alive(m, l->target);
    if (!owner)
        return DEMOS_E_DEAD;
    if (!in_memory(mine, len) || !in_memory(l->base + offset, len))
        return DEMOS_E_ADDRESS;
    m->moved += len;
    if (way == DEMOS_MOVE_READ)
        memmove(at(p, mine), at(owner, l->base + offset), len);
    else
        memmove(at(owner, l->base + offset), at(p, mine), len);
    return (s64)len;
}

/* REPLY, then RECEIVE. */
static int answer(struct model *m, u32 who, const struct model_call *c, s64 *result)
{
    const u64 *a = c->args;
    struct model_call reply = *c, next = *c;

    reply.number = DEMOS_REPLY;
    memcpy(reply.args, (u64[6]){a[0], a[1], (u32)a[2], 0, DEMOS_FOREVER}, sizeof(reply.args));
    next.number = DEMOS_RECEIVE;
    memcpy(next.args, (u64[6]){a[5], a[3], a[2] >> 32, a[4], DEMOS_FOREVER}, sizeof(next.args));
    if (!m->p[who].replied) {
        send(m, who, &reply, result);
        if (*result < 0)
            return ENDS;
        m->p[who].replied = true;
    }
    return receive(m, who, &next, result);
}

static u64 timeout_of(const struct model_call *c)
{
    return c->args[c->number == DEMOS_CALL ? 5 : 4];
}

static bool may_wait(u32 number)
{
    return number == DEMOS_SEND || number == DEMOS_REQUEST || number == DEMOS_REPLY ||
           number == DEMOS_CALL || number == DEMOS_RECEIVE;
}

bool model_try(struct model *m, u32 who, const struct model_call *c, s64 *result)
{
    int said = ENDS;

    if (c->first) {
        u64 timeout = may_wait(c->number) ? timeout_of(c) : DEMOS_FOREVER;

        m->deadline[who] = timeout < ~m->now ? m->now + timeout : ~(u64)0;
        m->p[who].in_call = m->p[who].replied = false;
    }
    *result = 0;
    switch (c->number) {
    case DEMOS_NULL:
    case DEMOS_YIELD: break;
    case DEMOS_CREATELINK: *result = createlink(m, who, c); break;
    case DEMOS_DUPLINK: *result = duplink(m, who, c); break;
    case DEMOS_DESTROYLINK: *result = destroylink(m, who, c); break;
    case DEMOS_MOVEDATA: *result = movedata(m, who, c); break;
    case DEMOS_RECEIVE: said = receive(m, who, c, result); break;
    case DEMOS_ANSWER: said = answer(m, who, c, result); break;
    case DEMOS_SEND:
    case DEMOS_REQUEST:
    case DEMOS_REPLY:
    case DEMOS_CALL:
        if (!m->p[who].in_call)
            said = send(m, who, c, result);
        if (m->p[who].in_call)
            said = finish_call(m, who, c, result);
        break;
    default: *result = DEMOS_E_CALL;
    }
    if (said == GOES_ON && !c->first && m->now >= m->deadline[who]) {
        *result = DEMOS_E_TIMEOUT;
        m->p[who].in_call = false;
        said = ENDS;
    }
    return said == ENDS;
}

void model_end(struct model *m, u32 who)
{
    struct model_process *p = &m->p[who];
    static struct model_process gone;

    gone = *p;
    p->life++; /* from now on links to it lead nowhere */
    memset(p->links, 0, sizeof(p->links));
    p->queued = 0;
    p->in_call = p->answered = false;
    for (s64 slot = 1; slot <= MODEL_LINKS; slot++) { /* in the order of the table */
        for (u32 i = 0; i < MODEL_LINKS; i++) {
            if ((gone.links[i].number & 0xffffff) == slot)
                drop(m, &gone.links[i]);
        }
    }
    for (u32 i = 0; i < gone.queued + gone.answered; i++) {
        /* The answer it had not seen yet goes first. */
        const struct model_message *x = gone.answered ? i ? &gone.queue[i - 1] : &gone.answer
                                                      : &gone.queue[i];
        struct model_link nowhere = {.target = who + MODEL_PROCESSES * gone.life};

        arrive(m, &nowhere, x);
    }
}

void model_begin(struct model *m, u32 who)
{
    struct model_process *p = &m->p[who];
    u32 life = p->life;

    memset(p, 0, sizeof(*p));
    p->life = life;
}

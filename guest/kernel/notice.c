/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kernels tell processes unasked, so that nobody waits for ever: the request reached
 * nobody, the reply link was thrown away, a link was destroyed or given, a process ended.
 * Notices are short messages over the link they are about, from the kernel itself.
 */
#include "base/bytes.h"
#include "guest/kernel/core.h"

void notice(struct node *n, const struct link *l, enum demos_notice what, const u64 *words,
            u32 count)
{
    struct message *m = message_alloc(n, count * 8, 0, true);

    if (!m)
        machine_stop(n, "no memory for a notice: the node's heap is too small for its limits");
    message_to_link(m, l);
    message_from(n, NULL, m);
    m->kind = DEMOS_MSG_NOTICE;
    m->notice = (u8)what;
    if (what == DEMOS_NOTICE_DESTROYED)
        m->reserved = 1; /* until its maker's kernel has taken note */
    for (u32 i = 0; i < count; i++)
        be64_put(m->body + 8 * i, words[i]);
    trace(n, KERNEL_T_notice, l->to.serial, what, l->code);
    route(n, m, l->hint);
}

void link_drop(struct node *n, const struct link *l)
{
    if (l->kind == DEMOS_REPLY_LINK)
        notice(n, l, DEMOS_NOTICE_DROPPED, NULL, 0);
    else if (l->attr & DEMOS_TELLDEST)
        notice(n, l, DEMOS_NOTICE_DESTROYED, NULL, 0);
}

void message_drop_links(struct node *n, struct message *m)
{
    if (m->flags & MESSAGE_HAS_REPLY)
        link_drop(n, &m->reply);
    for (u32 i = 0; i < m->link_count; i++)
        link_drop(n, &m->links[i]);
}

void message_dead(struct node *n, struct message *m)
{
    n->count.dropped++;
    trace(n, KERNEL_T_drop, m->target.serial,
          (u64)m->sender.machine << 32 | (u32)m->sender.serial, m->sequence);
    if (m->flags & MESSAGE_HAS_REPLY) {
        notice(n, &m->reply, DEMOS_NOTICE_DEAD, NULL, 0);
        m->flags &= (u8)~MESSAGE_HAS_REPLY;
    }
    message_drop_links(n, m);
    message_free(n, m);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names kernel process: the first link between two machines. Processes of this node
 * post links under names; whoever holds a link to this kernel process, here or elsewhere,
 * gets copies of them. It holds no request back: who finds nothing asks again. Anything more
 * (who may see what, where a service is) is a server's, whose own link is posted here.
 */
#include "guest/kernel/core.h"

enum { NAMES_MOST = 64 };

struct name {
    struct list all;
    char name[DEMOS_NAME_MAX];
    struct link link;
};

static struct name *find(const struct node *n, const char *name)
{
    list_for_each(node, &n->names)
    {
        struct name *at = list_entry(node, struct name, all);

        if (memcmp(at->name, name, DEMOS_NAME_MAX) == 0)
            return at;
    }
    return NULL;
}

static void forget(struct node *n, struct name *name)
{
    list_remove(&name->all);
    n->name_count--;
    link_drop(n, &name->link);
    node_free(n, name, sizeof(*name));
}

/* The link posted last under a name is the one that counts. */
static s64 post(struct node *n, struct message *m)
{
    struct name *old, *fresh;
    char name[DEMOS_NAME_MAX];

    if (m->sender_machine != n->config.machine)
        return DEMOS_E_REFUSED;
    request_name(m, 1, name);
    old = find(n, name);
    if (m->link_count && !(m->links[0].attr & DEMOS_DUP))
        return DEMOS_E_KIND; /* copies of it are to be had by anybody */
    if (m->link_count) {
        fresh = !old && n->name_count == NAMES_MOST ? NULL
                                                    : node_alloc(n, sizeof(*fresh), false);
        if (!fresh)
            return DEMOS_E_MEMORY;
        memcpy(fresh->name, name, sizeof(name));
        fresh->link = request_take_link(m, 0);
        list_push_back(&n->names, &fresh->all);
        n->name_count++;
    }
    if (old)
        forget(n, old);
    return 0;
}

static s64 look(struct node *n, struct message *m, struct link *l)
{
    const struct name *found;
    char name[DEMOS_NAME_MAX];

    request_name(m, 1, name);
    found = find(n, name);
    if (!found)
        return DEMOS_E_REFUSED;
    *l = found->link;
    return 1;
}

/* The kernel of that machine which runs when the message comes: epoch 0. */
static s64 other(struct node *n, struct message *m, struct link *l)
{
    u64 machine = request_word(m, 1);

    if (m->sender_machine != n->config.machine)
        return DEMOS_E_REFUSED;
    if (!machine || machine > 0xffffffff)
        return DEMOS_E_ARGUMENT;
    node_kernel_link(n, KERNEL_NAMES, l);
    if (machine != n->config.machine) {
        l->to.machine = l->hint = (u32)machine;
        l->to.epoch = 0;
    }
    return 1;
}

void names_message(struct node *n, struct message *m)
{
    struct link l;
    u64 op = request_word(m, 0);
    s64 result = op == NAMES_POST    ? post(n, m)
                 : op == NAMES_FIND  ? look(n, m, &l)
                 : op == NAMES_OTHER ? other(n, m, &l)
                                     : (s64)DEMOS_E_CALL;
    u64 word = (u64)MIN(result, (s64)0);

    answer_words(n, m, &word, 1, result > 0 ? &l : NULL);
}

void names_update(struct node *n, const struct process_id *id, u32 machine)
{
    list_for_each(node, &n->names)
    {
        struct link *l = &list_entry(node, struct name, all)->link;

        if (process_id_equal(&l->to, id))
            l->hint = machine;
    }
}

void names_free(struct node *n)
{
    while (!list_empty(&n->names)) {
        struct name *name = list_entry(n->names.next, struct name, all);

        list_remove(&name->all);
        node_free(n, name, sizeof(*name));
    }
    n->name_count = 0;
}

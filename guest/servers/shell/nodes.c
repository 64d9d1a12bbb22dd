/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shell's commands about machines: by the memory manager's owner's link ("memory"), or,
 * without one, about this machine alone by the link "kernel". A process is MACHINE:ROW, as
 * `ps` shows it, until it ends or moves.
 */
#include "guest/lib/manager.h"
#include "guest/lib/members.h"
#include "guest/servers/shell/shell.h"

static s64 usage(const char *text)
{
    demos_print("usage: %s\n", text);
    return DEMOS_E_ARGUMENT;
}

s64 node_list(char **words, u32 count)
{
    struct member_row rows[MEMBERS_ROWS];
    s64 total = 1;
    u32 got = 1;

    (void)words, (void)count;
    demos_print("machine boot state  ready processes free KiB\n");
    for (u64 first = 0; got && first < (u64)total; first += got) {
        total = members_list(demos_link("memory"), first, rows, &got);
        if (total < 0)
            return complain("nodes", total);
        for (u32 i = 0; i < got; i++)
            demos_print("%7llu %4llu %-6s %5llu %9llu %8llu\n",
                        (unsigned long long)rows[i].machine, (unsigned long long)rows[i].epoch,
                        rows[i].alive ? "alive" : "dead", (unsigned long long)rows[i].ready,
                        (unsigned long long)rows[i].processes,
                        (unsigned long long)(rows[i].free / 1024));
    }
    return 0;
}

/* A link to a machine's kernel, the caller's to drop. */
static s64 kernel_of(u64 machine)
{
    if (demos_link("memory") <= 0)
        return machine ? (s64)DEMOS_E_LINK : demos_link_dup(demos_link("kernel"));
    return members_kernel(demos_link("memory"), &machine);
}

static void line(u64 machine, const struct demos_listing *l)
{
    static const char *const states[] = {"new", "ready", "waiting", "stopped", "moving"};
    char who[32];

    format(who, sizeof who, "%llu:%llu", (unsigned long long)machine,
           (unsigned long long)l->row);
    demos_print("%8s %-8s %8llu %6llu %6llu %.24s\n", who,
                l->state < ARRAY_SIZE(states) ? states[l->state] : "?",
                (unsigned long long)(l->memory_bytes / 1024), (unsigned long long)l->links_used,
                (unsigned long long)l->queued, l->name);
}

/* Calls `each` for the processes of a machine until it answers something but 0. */
static s64 for_each(u64 machine, s64 kernel, u64 first,
                    s64 (*each)(u64 machine, const struct demos_listing *l))
{
    u64 before;

    do {
        struct words w;
        s64 said;

        words_start(&w, KERNEL_OP_LIST);
        words_put(&w, first);
        said = words_call(kernel, &w, NULL, 0, NULL);
        if (said < 0)
            return said;
        words_get(&w); /* how many there are in all */
        before = first;
        while (w.at + DEMOS_LISTING_WORDS <= w.count) {
            struct demos_listing l;

            process_listing_read(&w, &l);
            said = each(machine, &l);
            if (said)
                return said;
            first = l.row + 1;
        }
    } while (first > before);
    return 0;
}

static s64 print_line(u64 machine, const struct demos_listing *l)
{
    line(machine, l);
    return 0;
}

static s64 ps_of(u64 machine)
{
    s64 kernel = kernel_of(machine), result;

    if (kernel < 0)
        return complain("ps", kernel);
    result = for_each(machine, kernel, 0, print_line);
    demos_link_drop(kernel);
    return complain("ps", result);
}

s64 node_ps(char **words, u32 count)
{
    struct member_row rows[MEMBERS_ROWS];
    s64 total = 1, result = 0;
    u32 got = 1;

    demos_print("   where state         KiB  links queued name\n");
    if (count > 1)
        return ps_of(number_in(words[1]));
    if (demos_link("memory") <= 0)
        return ps_of(0);
    for (u64 first = 0; got && first < (u64)total; first += got) {
        total = members_list(demos_link("memory"), first, rows, &got);
        if (total < 0)
            return complain("ps", total);
        for (u32 i = 0; i < got; i++)
            if (rows[i].alive && ps_of(rows[i].machine) < 0)
                result = DEMOS_E_REFUSED; /* has been said */
    }
    return result;
}

/* any, any@MACHINE, any@!MACHINE: a process manager's to say, or to be told. */
static bool anywhere(const char *word, u64 *place)
{
    bool not_there = strncmp(word, "any@!", 5) == 0;
    u64 machine = 0;

    *place = 0;
    if (strcmp(word, "any") == 0)
        return true;
    if (strncmp(word, "any@", 4) == 0)
        machine = number_in(word + (not_there ? 5 : 4));
    *place = machine | (not_there ? MANAGER_NOT : 0);
    return machine && machine != ~(u64)0;
}

s64 node_where(const char *word, u64 *place)
{
    return anywhere(word, place) ? demos_link_dup(demos_link("manager"))
                                 : kernel_of(number_in(word));
}

s64 node_run(char **words, u32 count, bool behind)
{
    s64 kernel, result;
    u64 place;

    if (count < 3)
        return usage("on MACHINE|any|any@MACHINE|any@!MACHINE PROGRAM [ARGUMENT ...]");
    kernel = node_where(words[1], &place);
    if (kernel < 0)
        return complain(words[1], kernel);
    result = job_run_on(kernel, place, words + 2, count - 2, behind);
    demos_link_drop(kernel);
    return result;
}

static struct demos_listing wanted; /* the process a word means */

static s64 take(u64 machine, const struct demos_listing *l)
{
    (void)machine;
    wanted = *l;
    return 1;
}

/* The control link of MACHINE:ROW. */
static s64 control_of(char *word)
{
    char *colon = strchr(word, ':');
    s64 kernel, result, control = 0;
    struct words w;
    u64 row;

    if (!colon)
        return DEMOS_E_ARGUMENT;
    *colon = '\0';
    row = number_in(colon + 1);
    kernel = kernel_of(number_in(word));
    if (kernel < 0)
        return kernel;
    result = for_each(0, kernel, row, take);
    words_start(&w, KERNEL_OP_CONTROL);
    words_put(&w, row);
    words_put_name(&w, wanted.name);
    if (result == 1)
        result = wanted.row == row ? words_call(kernel, &w, NULL, 0, &control)
                                   : (s64)DEMOS_E_DEAD;
    else if (!result)
        result = DEMOS_E_DEAD;
    demos_link_drop(kernel);
    return result < 0 ? result : control;
}

s64 node_move(char **words, u32 count)
{
    s64 control, result;

    if (count != 3 || number_in(words[2]) == ~(u64)0)
        return usage("move MACHINE:ROW MACHINE");
    control = control_of(words[1]);
    if (control < 0)
        return complain(words[0], control);
    result = process_control(control, CONTROL_MIGRATE, number_in(words[2]), 0, 0);
    demos_link_drop(control);
    return complain(words[0], result);
}

s64 node_kill(char **words, u32 count)
{
    s64 control = count == 2 ? control_of(words[1]) : (s64)DEMOS_E_ARGUMENT, result;

    if (control < 0)
        return complain(words[0], control);
    result = process_kill(control);
    demos_link_drop(control);
    return complain(words[0], result);
}

s64 node_dead(char **words, u32 count)
{
    struct words w;

    if (count != 2)
        return usage("dead MACHINE");
    words_start(&w, MEMBERS_DEAD);
    words_put(&w, number_in(words[1]));
    return complain(words[0], words_call(demos_link("memory"), &w, NULL, 0, NULL));
}

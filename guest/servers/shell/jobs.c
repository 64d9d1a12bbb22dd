/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs the shell has started and holds the control links of.
 */
#include "guest/lib/input.h"
#include "guest/servers/shell/shell.h"

enum { JOBS = 32 };

static u64 codes;
static s64 output; /* where new ones print; 0: to our console */

static struct job {
    s64 control; /* 0: free */
    u64 code;    /* of its exit notice: not used twice */
    char name[DEMOS_NAME_MAX + 1];
} jobs[JOBS + 1]; /* by number, from 1 */

/* The next exit notice; the number of the job it is about, 0 if there is none. */
static u32 next_end(u64 within, struct process_end *end)
{
    struct demos_info info = {0};
    u8 body[64];
    s64 len = demos_receive_within(within, DEMOS_CHANNEL(CHANNEL_ENDS), body, sizeof body,
                                   &info);
    u32 number = JOBS;

    while (number && !(jobs[number].control && jobs[number].code == info.code))
        number--;
    if (len < 0 || !number || !process_end_read(&info, body, (size_t)len, end))
        return 0;
    demos_link_drop(jobs[number].control);
    jobs[number].control = 0;
    return number;
}

static s64 tell(u32 number, const struct process_end *end, bool always)
{
    if (end->how == DEMOS_END_EXCEPTION)
        demos_print("%s: exception %lld at 0x%llx\n", jobs[number].name, (long long)end->status,
                    (unsigned long long)end->address);
    else if (end->how == DEMOS_END_NODE)
        demos_print("%s: its machine is dead\n", jobs[number].name);
    else if (end->how != DEMOS_END_EXIT)
        demos_print("%s: killed\n", jobs[number].name);
    else if (always || end->status)
        demos_print("%s: status %lld\n", jobs[number].name, (long long)end->status);
    return end->how == DEMOS_END_EXIT ? end->status : DEMOS_E_DEAD;
}

static s64 await(u32 wanted)
{
    struct process_end end = {.how = DEMOS_END_EXIT};

    while (jobs[wanted].control) {
        u32 number = next_end(DEMOS_FOREVER, &end);

        if (number && number != wanted)
            tell(number, &end, true);
    }
    return tell(wanted, &end, false);
}

static s64 gift(const char *name, s64 kernel)
{
    if (kernel && strcmp(name, "kernel") == 0)
        return kernel; /* of where it will be */
    return output && strcmp(name, "console") == 0 ? output : demos_link(name);
}

/* With `input`, one that reads what others print. */
static s64 spawn(s64 kernel, u64 place, char **words, u32 count, u32 number, s64 *input)
{
    static const char *const ours[] = {"console",     "clock", "programs",
                                       "switchboard", "files", "kernel"};
    struct demos_gift gifts[ARRAY_SIZE(ours)];
    struct demos_spawn s = {.program = words[0],
                            .args = (const char *const *)words + 1,
                            .arg_count = count - 1,
                            .gifts = gifts,
                            .kernel = kernel,
                            .place = place,
                            .own = demos_link("kernel") > 0, /* then it has more than that */
                            .flags = DEMOS_CREATE_WITH_PARENT};

    for (u32 i = 0; i < ARRAY_SIZE(ours); i++)
        if (demos_link(ours[i]) > 0)
            gifts[s.gift_count++] = (struct demos_gift){ours[i], gift(ours[i], kernel)};
    jobs[number].code = ++codes;
    s.watch = process_watch(CHANNEL_ENDS, codes);
    return input ? demos_spawn_server(&s, input) : demos_spawn(&s);
}

/* The number of a new job, or an error. */
static s64 begin(s64 kernel, u64 place, char **words, u32 count, s64 *input)
{
    u32 number = 1;

    while (number <= JOBS && jobs[number].control)
        number++;
    if (number > JOBS)
        return complain("too many programs", DEMOS_E_MEMORY);
    demos_flush();
    jobs[number].control = spawn(kernel, place, words, count, number, input);
    if (jobs[number].control < 0) {
        s64 error = jobs[number].control;

        jobs[number].control = 0;
        if (error != DEMOS_E_REFUSED)
            return complain(words[0], error);
        demos_print("%s: no such command or program; try help\n", words[0]);
        return error;
    }
    memset(jobs[number].name, 0, sizeof jobs[number].name);
    memcpy(jobs[number].name, words[0], strnlen(words[0], DEMOS_NAME_MAX));
    return number;
}

s64 job_run_on(s64 kernel, u64 place, char **words, u32 count, bool behind)
{
    s64 number = begin(kernel, place, words, count, NULL);

    if (number < 0)
        return number;
    if (!behind)
        return await((u32)number);
    demos_print("[%lld] %s\n", (long long)number, jobs[number].name);
    return 0;
}

s64 job_filter(s64 kernel, u64 place, char **words, u32 count, s64 *input)
{
    s64 number = begin(kernel, place, words, count, input);

    if (number < 0 || *input > 0)
        return number;
    await((u32)number);
    demos_print("%s: reads no input\n", words[0]);
    return DEMOS_E_REFUSED;
}

s64 job_end_input(s64 number, s64 input)
{
    input_end(input);
    demos_link_drop(input);
    return await((u32)number);
}

void job_output(s64 link)
{
    output = link;
}

s64 job_run(char **words, u32 count, bool behind)
{
    return job_run_on(0, 0, words, count, behind);
}

u64 number_in(const char *word)
{
    u64 number = 0;

    if (!*word)
        return ~(u64)0;
    for (; *word; word++) {
        if (*word < '0' || *word > '9' || number > 1000000000)
            return ~(u64)0;
        number = number * 10 + (u64)(*word - '0');
    }
    return number;
}

static u32 number_of(const char *word)
{
    u64 number = number_in(word);

    return number && number <= JOBS && jobs[number].control ? (u32)number : 0;
}

s64 job_kill(char **words, u32 count)
{
    u32 number = count > 1 ? number_of(words[1]) : 0;

    if (!number)
        return complain("kill: no such program", DEMOS_E_ARGUMENT);
    complain("kill", process_kill(jobs[number].control));
    await(number);
    return 0;
}

s64 job_list(char **words, u32 count)
{
    struct process_end end;
    u32 number;

    (void)words, (void)count;
    while ((number = next_end(DEMOS_NOW, &end)) != 0)
        tell(number, &end, true);
    for (u32 i = 1; i <= JOBS; i++)
        if (jobs[i].control)
            demos_print("[%u] %s\n", i, jobs[i].name);
    return 0;
}

s64 job_wait(char **words, u32 count)
{
    (void)words, (void)count;
    for (u32 i = 1; i <= JOBS; i++)
        if (jobs[i].control)
            await(i);
    return 0;
}

/* Those on other machines would go on without us. */
void job_end_all(void)
{
    for (u32 i = 1; i <= JOBS; i++)
        if (jobs[i].control)
            process_kill(jobs[i].control);
}

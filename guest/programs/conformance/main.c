/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The suite's frame: chapters, checks, children in roles, verdict.
 */
#include "guest/programs/conformance/conformance.h"

static u32 checks, failures;

void expect(const char *what, s64 got, s64 wanted)
{
    checks++;
    if (got == wanted) {
        demos_print("  ok      %s\n", what);
        return;
    }
    failures++;
    demos_print("  FAILED  %s: %lld (%s), not %lld (%s)\n", what, (long long)got,
                demos_error(got), (long long)wanted, demos_error(wanted));
}

void expect_true(const char *what, bool holds)
{
    expect(what, holds, true);
}

void chapter(const char *name)
{
    demos_print("%s\n", name);
}

static s64 spawn(const char *role, const char *argument, s64 *service)
{
    const char *args[] = {role, argument};
    bool creates = strcmp(role, "twin") == 0; /* the others have no right to */
    struct demos_gift gifts[] = {{"console", demos_link("console")},
                                 {"kernel", demos_link("kernel")}};
    struct demos_spawn s = {.program = "conformance",
                            .args = args,
                            .arg_count = argument ? 2 : 1,
                            .gifts = gifts,
                            .gift_count = creates ? 2 : 1,
                            .own = creates,
                            .watch = process_watch(CHANNEL_ENDS, 7)};

    return service ? demos_spawn_server(&s, service) : demos_spawn(&s);
}

s64 start_role(const char *role, const char *argument, s64 *service)
{
    s64 control = spawn(role, argument, service);

    if (control < 0 || (service && *service <= 0))
        demos_die("conformance: role %s does not start: %s", role, demos_error(control));
    return control;
}

struct process_end await_end(void)
{
    struct process_end end = {.how = ~(u64)0};

    process_wait(CHANNEL_ENDS, &end);
    return end;
}

struct process_end run_role(const char *role, const char *argument)
{
    s64 control = start_role(role, argument, NULL);
    struct process_end end = await_end();

    demos_link_drop(control);
    return end;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return play_role(argv[1], argc > 2 ? argv[2] : "");
    check_links();
    check_messages();
    check_calls();
    check_moves();
    check_processes();
    check_faults();
    check_floats();
    check_twins();
    check_growth();
    check_exceptions();
    demos_print("%u checks, %u failed\n", checks, failures);
    demos_print("Test result: %s\n", failures ? "FAILURE" : "SUCCESS");
    return failures != 0;
}

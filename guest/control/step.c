/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "guest/control/step.h"

/* TYPE COUNT A, numbers all; A may be `any`. */
static bool read_record(struct record_wanted *r, const char *const *word)
{
    u64 type;

    *r = (struct record_wanted){.any_a = strcmp(word[2], "any") == 0};
    if (!words_number(word[0], &type) || !words_number(word[1], &r->left) || type >> 16 ||
        !r->left)
        return false;
    r->type = (u16)type;
    return r->any_a || words_number(word[2], &r->a);
}

/* `when` exit NAME | output NAME TEXT | store PATH VALUE | trace NAME TYPE COUNT A. */
static bool read_when(struct step *s, const struct words *w, const char **why)
{
    static const struct {
        const char *name;
        u8 kind, words;
    } kinds[] = {{"exit", STEP_EXIT, 1},
                 {"output", STEP_OUTPUT, 2},
                 {"store", STEP_STORE, 2},
                 {"trace", STEP_TRACE, 4}};

    for (u32 i = 0; i < ARRAY_SIZE(kinds) && s->first < w->count; i++) {
        if (strcmp(w->word[s->first], kinds[i].name) != 0)
            continue;
        *why = "the condition is not complete";
        if (s->first + kinds[i].words >= w->count)
            return false;
        s->kind = kinds[i].kind;
        s->object = w->word[s->first + 1];
        s->value = kinds[i].words > 1 ? w->word[s->first + 2] : NULL;
        *why = "a record is TYPE COUNT A: numbers, the last one may be `any`";
        if (s->kind == STEP_TRACE && !read_record(&s->record, w->word + s->first + 2))
            return false;
        s->first += 1u + kinds[i].words;
        *why = "a domain's name is letters, digits, - _ and .";
        return s->kind == STEP_STORE || words_name(s->object);
    }
    *why = "a condition is: when exit NAME, when output NAME TEXT, when store PATH VALUE, "
           "when trace NAME TYPE COUNT A";
    return false;
}

bool step_waits(const struct words *w, u32 first)
{
    return first < w->count &&
           (strcmp(w->word[first], "at") == 0 || strcmp(w->word[first], "when") == 0);
}

static bool read_condition(struct step *s, const struct words *w, const char **why)
{
    if (strcmp(w->word[s->first++], "when") == 0)
        return read_when(s, w, why);
    *why = "a time is a number and ns, us, ms, s or m";
    if (s->first >= w->count || !words_time(w->word[s->first++], &s->at_ns))
        return false;
    s->kind = STEP_AT;
    return true;
}

bool step_read(struct step *s, const struct words *w, const char **why)
{
    struct step next;

    *s = (struct step){0};
    if (w->count && w->word[0][0] == '@') {
        s->tag = w->word[0] + 1;
        s->first = 1;
    }
    if (step_waits(w, s->first) && !read_condition(s, w, why))
        return false;
    /* Whoever waits for this one learns now what is wrong with those behind it. */
    next = *s;
    while (step_waits(w, next.first))
        if (!read_condition(&next, w, why))
            return false;
    *why = "there is no command";
    return next.first < w->count || (!next.first && !w->count);
}

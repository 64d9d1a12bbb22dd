/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `files`: the request interpreter, the side of the file system that users see
 * (guest/lib/file.h). It says who asks, by the code of the link that was used, lets nobody ask
 * for what is the owner's, and hands the request with its reply link on to the directory
 * manager behind the link "directories". It waits for nobody and remembers nothing.
 */
#include "guest/lib/file.h"
#include "guest/lib/process.h"
#include "guest/servers/fs/format.h"

enum { CHANNEL_SERVICE = 1, CHANNEL_OWNER = 2, FRONT = 8, BODY_MAX = 24 + 2 * FILE_PATH_MAX };
enum { PASSED = 1 }; /* a result: others answer */

struct request {
    struct demos_info info;
    u8 body[FRONT + BODY_MAX]; /* in front: whose request it is */
    size_t len;                /* of the request itself */
    s64 link;                  /* the answer's, 0: none */
};

static u64 word(const struct request *r, u32 index)
{
    return 8 * (index + 1) <= r->len ? be64_get(r->body + FRONT + 8 * index) : 0;
}

static bool owners(const struct request *r)
{
    return r->info.channel == CHANNEL_OWNER;
}

static s64 pass(struct request *r)
{
    s64 result;

    be64_put(r->body, owners(r) ? 0 : r->info.code);
    result = demos_send_links(demos_link("directories"), r->body, FRONT + r->len,
                              &r->info.reply, 1);
    return result < 0 ? result : PASSED;
}

static s64 op_open(struct request *r)
{
    u64 flags = word(r, 1);

    if (!(flags & (FILE_READS | FILE_WRITES)) ||
        (flags & (FILE_CREATES | FILE_CUTS) && !(flags & FILE_WRITES)))
        return DEMOS_E_ARGUMENT;
    return pass(r);
}

/* Of oneself, unless it is the owner of all who asks. */
static s64 op_used(struct request *r)
{
    if (!owners(r)) {
        be64_put(r->body + FRONT + 8, r->info.code);
        r->len = 16;
    }
    return pass(r);
}

static s64 op_quota(struct request *r)
{
    return owners(r) ? pass(r) : (s64)DEMOS_E_ALLOWED;
}

static s64 op_owner(struct request *r)
{
    u64 owner = word(r, 1);

    if (!owners(r))
        return DEMOS_E_ALLOWED;
    if (owner > UINT32_MAX)
        return DEMOS_E_ARGUMENT;
    r->link = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL_SERVICE,
                              owner);
    return MIN(r->link, (s64)0);
}

static s64 perform(struct request *r)
{
    static s64 (*const ops[])(struct request *) = {
        [FILE_OPEN] = op_open, [FILE_REMOVE] = pass,    [FILE_FOLDER] = pass,
        [FILE_RENAME] = pass,  [FILE_LIST] = pass,      [FILE_SYNC] = pass,
        [FILE_USED] = op_used, [FILE_QUOTA] = op_quota, [FILE_OWNER] = op_owner};
    u64 op = word(r, 0);

    if (op >= ARRAY_SIZE(ops) || !ops[op])
        return DEMOS_E_CALL;
    return r->info.length > BODY_MAX ? FILE_ERROR(FS_E_NAME) : ops[op](r);
}

static void answer(struct request *r, s64 result)
{
    u8 body[8];

    be64_put(body, (u64)result);
    if (demos_reply_links(r->info.reply, body, sizeof body, &r->link, r->link > 0) < 0)
        demos_link_drop(r->info.reply);
    if (r->link > 0)
        demos_link_drop(r->link); /* it has a copy */
}

static void serve(struct request *r)
{
    s64 result;

    if (r->info.reply > 0) {
        result = perform(r);
        if (result != PASSED)
            answer(r, result);
    }
    for (u32 i = 0; i < r->info.count; i++)
        demos_link_drop(r->info.links[i]);
}

int main(int argc, char **argv)
{
    static struct request r;

    (void)argc, (void)argv;
    demos_offer_owner(
        demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL_SERVICE, 0),
        demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL_OWNER, 0));
    for (;;) {
        s64 len;

        r.info = (struct demos_info){0};
        r.link = 0;
        len = demos_receive(DEMOS_CHANNEL(CHANNEL_SERVICE) | DEMOS_CHANNEL(CHANNEL_OWNER),
                            r.body + FRONT, BODY_MAX, &r.info);
        if (len < 0)
            return 1;
        r.len = (size_t)len;
        serve(&r);
    }
}

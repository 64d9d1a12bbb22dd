/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `member [PARTITION]`: enters its machine with the memory manager of that partition, by
 * posting a link to itself at the cluster's switchboard, and stays to answer. When that link
 * is destroyed, with the manager or the switchboard that had it, it posts another one.
 * As a server of a boot list (`=member member`) it offers a link that answers MEMBER_WHO only.
 */
#include "guest/kernel/control.h"
#include "guest/lib/members.h"
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"

#define AGAIN_NS 20000000ull

static u64 machine, epoch;
static s64 entry; /* at the switchboard */

static void know_ourselves(void)
{
    struct words w;

    words_start(&w, KERNEL_OP_NODE);
    if (words_call(demos_link("kernel"), &w, NULL, 0, NULL) < 0)
        demos_die("member: no link to the kernel (started with +kernel?)");
    machine = words_get(&w);
    epoch = words_get(&w);
}

/* Posts a link; its code tells its notice from those of the ones before. */
static u64 enter(const char *name, u64 code)
{
    if (entry > 0)
        demos_link_drop(entry);
    for (;; demos_sleep_ns(AGAIN_NS)) {
        s64 link = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE | DEMOS_TELLDEST, 0, ++code);

        entry = demos_post(name, link, SWITCHBOARD_GLOBAL | SWITCHBOARD_PRIVATE);
        if (entry > 0)
            return code;
        demos_link_drop(link);
    }
}

static void answer(s64 reply, u64 op, bool posted)
{
    bool hello = op == MEMBER_HELLO && posted, known = hello || op == MEMBER_WHO;
    s64 kernel = demos_link("kernel");
    struct words w;

    words_start(&w, known ? 0 : (u64)(s64)DEMOS_E_CALL);
    words_put(&w, machine);
    words_put(&w, epoch);
    demos_reply_links(reply, w.bytes, 8 * w.count, &kernel, hello);
}

int main(int argc, char **argv)
{
    char name[DEMOS_NAME_MAX] = "machine";
    u64 posted;

    if (argc > 1)
        format(name, sizeof name, "machine.%s", argv[1]);
    know_ourselves();
    if (demos_link("boss") > 0)
        demos_offer(demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE | DEMOS_DUP, 0, 0));
    posted = enter(name, 0);
    for (;;) {
        struct demos_info info = {0};
        struct words w;
        s64 len = demos_receive(DEMOS_CHANNEL(0), w.bytes, sizeof w.bytes, &info);

        for (u32 i = 0; len >= 0 && i < info.count; i++)
            demos_link_drop(info.links[i]);
        if (len >= 0 && info.reply > 0) {
            words_read(&w, w.bytes, (size_t)len);
            answer(info.reply, words_get(&w), info.code == posted);
        } else if (len >= 0 && info.kind == DEMOS_MSG_NOTICE && info.code == posted) {
            posted = enter(name, posted);
        }
    }
}

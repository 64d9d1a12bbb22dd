/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `announce [here] NAME [GIFT]`: announces the link it was given as GIFT (usually NAME itself) at
 * the cluster's switchboard, or at its node's own, for as long as it lives.
 */
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"

int main(int argc, char **argv)
{
    int name = argc > 2 && strcmp(argv[1], "here") == 0 ? 2 : 1;
    s64 entry;

    if (argc <= name)
        demos_die("usage: announce [here] NAME [GIFT]");
    entry = demos_announce(argv[name], demos_link(argv[argc > name + 1 ? name + 1 : name]),
                           name == 2 ? 0 : SWITCHBOARD_GLOBAL);
    if (entry < 0)
        demos_die("announce: %s: %s", argv[name], demos_error(entry));
    demos_receive(DEMOS_CHANNEL(0), NULL, 0, NULL); /* nobody has a link to us: for ever */
    return 0;
}

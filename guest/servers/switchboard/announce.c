/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `announce NAME [GIFT]`: announces the link it was given as GIFT (usually NAME itself) at the
 * cluster's switchboard, for as long as it lives.
 */
#include "guest/lib/process.h"
#include "guest/lib/switchboard.h"

int main(int argc, char **argv)
{
    s64 entry;

    if (argc < 2)
        demos_die("usage: announce NAME [GIFT]");
    entry = demos_announce(argv[1], demos_link(argv[argc > 2 ? 2 : 1]), SWITCHBOARD_GLOBAL);
    if (entry < 0)
        demos_die("announce: %s: %s", argv[1], demos_error(entry));
    demos_receive(DEMOS_CHANNEL(0), NULL, 0, NULL); /* nobody has a link to us: for ever */
    return 0;
}

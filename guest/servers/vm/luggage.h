/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `luggage` is asked over its link, in words. MOVE and READY come with a control link of a
 * process on its node that may be duplicated.
 */
#ifndef GUEST_SERVERS_VM_LUGGAGE_H
#define GUEST_SERVERS_VM_LUGGAGE_H

enum luggage_op {
    /* machine; [control link]: moves it there without its memory, which follows page by page
     * when it is touched */
    LUGGAGE_MOVE = 1,
    /* [control link]: what of that takes longer the more memory it has, while it still runs */
    LUGGAGE_READY = 2,
    /* -> processes whose memory is here, pages sent after them, taken back */
    LUGGAGE_STATE = 3,
};

#endif

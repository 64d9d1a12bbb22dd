/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `meter` is asked, in words.
 */
#ifndef GUEST_PROGRAMS_KEEPERS_METER_H
#define GUEST_PROGRAMS_KEEPERS_METER_H

enum meter_op {
    METER_OBJECT = 1, /* -> ; link to an object that starts as zeros */
    METER_STATE = 2,  /* -> INITs, REQUESTs, WRITEs and ENDs heard, of all objects */
    METER_SILENT =
        3, /* 1: requests are kept and not answered any more; 0: they are, as before */
};
enum { METER_PAGES = 64 };

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading x87 state, where QEMU's emulator may be below. Whichever of its CPUs loads a status
 * word without the error summary clears a flag of the FIRST CPU, for IGNNE#: an unlocked change
 * of the word where that CPU keeps, besides, whether its pages are nested (QEMU's
 * target/i386/tcg/sysemu/fpu_helper.c: cpu_clear_ignne). What the first CPU's VMRUN or #VMEXIT
 * writes there at that instant is undone, and a guest runs without its nested tables, or the
 * hypervisor with them.
 *
 * A word with the summary leaves the flag alone, and FNCLEX then clears the summary. Exceptions
 * that the word records would go with it: such a word is loaded as it is.
 */
#pragma once

#include "base/types.h"

enum { X87_STATUS_AT = 2 /* in FXSAVE's and XSAVE's image */ };
enum { X87_EXCEPTIONS = 0x7f, X87_SUMMARY = 0x80 };

/* Before the image is loaded. True: x87_loaded is due. */
static inline bool x87_shield(void *image)
{
    u8 *status = (u8 *)image + X87_STATUS_AT;

    if (*status & (X87_EXCEPTIONS | X87_SUMMARY))
        return false;
    *status |= X87_SUMMARY;
    return true;
}

static inline void x87_loaded(void *image)
{
    ((u8 *)image)[X87_STATUS_AT] &= (u8)~X87_SUMMARY;
    __asm__ volatile("fnclex");
}

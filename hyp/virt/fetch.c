/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of the instruction a guest stands at, for the decoder (decode.h): read through
 * the guest's own translation, which may change between two reads.
 */
#include "hyp/dom/access.h"
#include "hyp/mm/frame.h"
#include "hyp/virt/decode.h"
#include "hyp/virt/virt.h"

u32 insn_fetch(struct vcpu *v, u8 *code, u32 most)
{
    u64 at = virt_code_base(v) + v->regs.rip;
    u32 here = (u32)MIN((u64)most, PAGE_SIZE - (at & (PAGE_SIZE - 1)));

    if (virt_code_bits(v) != 64)
        at = (u32)at;
    if (guest_read(v, code, at, here))
        return 0;
    if (here < most && !guest_read(v, code + here, at + here, most - here))
        return most;
    return here;
}

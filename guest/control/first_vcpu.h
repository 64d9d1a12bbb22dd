/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The context in which a domain's first virtual CPU begins, as XEN_DOMCTL_sethvmcontext takes
 * it: 32 bits, flat, paging off (the PVH entry point's, xen/arch-x86/hvm/start_info.h).
 */
#ifndef GUEST_CONTROL_FIRST_VCPU_H
#define GUEST_CONTROL_FIRST_VCPU_H

#include "base/types.h"
#include "hyp/abi/xen.h"
#include <xen/hvm/save.h>

/* What HVM_SAVE_TYPE names with a macro that drags in Xen's own. */
struct PACKED first_vcpu {
    struct hvm_save_descriptor header_is;
    struct hvm_save_header header;
    struct hvm_save_descriptor cpu_is;
    struct hvm_hw_cpu cpu;
    struct hvm_save_descriptor end_is;
};

/* `info`: where hvm_start_info is, in the domain's memory. */
static inline void first_vcpu(struct first_vcpu *r, u64 entry, u64 info)
{
    *r = (struct first_vcpu){.header_is = {HVM_SAVE_CODE(HEADER), 0, sizeof(r->header)},
                             .header = {.magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION},
                             .cpu_is = {HVM_SAVE_CODE(CPU), 0, sizeof(r->cpu)},
                             .cpu = {.rip = entry,
                                     .rbx = info,
                                     .rflags = 2,
                                     .cr0 = 0x11, /* PE and ET */
                                     .dr6 = 0xffff0ff0,
                                     .dr7 = 0x400,
                                     .cs_limit = 0xffffffff,
                                     .ds_limit = 0xffffffff,
                                     .es_limit = 0xffffffff,
                                     .ss_limit = 0xffffffff,
                                     .tr_limit = 0x67,
                                     .cs_arbytes = 0xc9b,
                                     .ds_arbytes = 0xc93,
                                     .es_arbytes = 0xc93,
                                     .ss_arbytes = 0xc93,
                                     .tr_arbytes = 0x8b},
                             .end_is = {HVM_SAVE_CODE(END), 0, 0}};
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a vCPU straight in long mode (hvm/hvm_vcpu.h).
 */
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"
#include "guest/rt/vcpu.h"
#include "guest/rt/x86.h"

extern u8 rt_vcpu_entry[];

long rt_vcpu_start(u32 id, void (*fn)(void *arg), void *arg)
{
    u32 frames = RT_STACK / 4096;
    u8 *stack = rt_frames(frames);
    u64 *top;
    struct vcpu_hvm_context context = {.mode = VCPU_HVM_MODE_64B};
    long error;

    if (!stack)
        return -XEN_ENOMEM;
    top = (u64 *)(stack + RT_STACK) - 2;
    top[0] = (u64)fn;
    top[1] = (u64)arg;
    context.cpu_regs.x86_64 = (struct vcpu_hvm_x86_64){.rsp = (u64)top,
                                                       .rip = (u64)rt_vcpu_entry,
                                                       .rflags = 2,
                                                       .cr3 = cr3_read(),
                                                       .efer = msr_read(0xc0000080)};
    asm volatile("mov %%cr0, %0" : "=r"(context.cpu_regs.x86_64.cr0));
    asm volatile("mov %%cr4, %0" : "=r"(context.cpu_regs.x86_64.cr4));
    error = hypercall_vcpu_op(VCPUOP_initialise, id, &context);
    if (!error)
        error = hypercall_vcpu_op(VCPUOP_up, id, NULL);
    if (error)
        rt_frames_free(stack, frames);
    return error;
}

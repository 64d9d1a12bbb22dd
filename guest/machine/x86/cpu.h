/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor's own state: control registers and MSRs at start, address spaces by CR3
 * (with process-context ids where there are any), floating-point state.
 */
#ifndef GUEST_MACHINE_X86_CPU_H
#define GUEST_MACHINE_X86_CPU_H

#include "guest/machine/x86/context.h"

/* What an address space is to the processor. */
struct cpu_space {
    u64 root;   /* physical */
    u32 pcid;   /* 0: none yet */
    u32 round;  /* of the numbering in which pcid is this space's */
    bool stale; /* entries were taken away while another space was current */
};

/* Switches on what there is: SYSCALL, NX, SMEP, SMAP, UMIP, PCID, XSAVE; RDTSC is refused
 * to ring 3. */
void cpu_init(void);
/* The floating-point half of it (float.c). */
void cpu_float_init(void);
/* What of it is on, as control registers say now: bits by enum machine_feature. */
u64 cpu_features(void);
/* Makes the space current. NULL: the runtime's own tables. */
void cpu_space_load(struct cpu_space *s);
extern const struct cpu_space *cpu_space_current;
static inline bool cpu_space_is_current(const struct cpu_space *s)
{
    return s == cpu_space_current;
}

/* SMAP is on: only between STAC and CLAC may the kernel reach a process's pages. */
extern bool cpu_smap;
/* An entry of the space for `va` has become less, or another. */
void cpu_space_flush(struct cpu_space *s, u64 va);
/* The space is about to go away. */
void cpu_space_forget(struct cpu_space *s);

/* Bytes of a context's floating-point area, which is 64-byte aligned. */
u32 cpu_float_size(void);
/* Programs have AVX here: the upper halves of YMM0-15 are kept. */
bool cpu_float_has_upper(void);
/* Brings the context's floating-point state and segment bases into the processor, and
 * what was there to where it belongs. */
void cpu_float_load(struct context *c);
/* Writes the processor's state of `c` to its area, if it is there. */
void cpu_float_sync(struct context *c);
/* `c` goes away, or its area has been written anew. */
void cpu_float_forget(const struct context *c);
/* Before the processor may become another one, and after: what is in it is put away, and what was
 * switched on is so again. */
void cpu_float_put_away(void);
void cpu_float_begin_again(void);
/* Between an area and the image of guest/machine/registers.h. */
void cpu_float_export(const struct context *c, u8 fp[FLOAT_BYTES]);
void cpu_float_import(struct context *c, const u8 fp[FLOAT_BYTES]);

#endif

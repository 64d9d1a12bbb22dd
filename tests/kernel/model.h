/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The executable specification: what kernel calls of a few processes of one node mean, in
 * the plainest C. Arrays of fixed size, everything copied, nothing fast, no waiting lists:
 * a call in progress is simply asked "can you end now?" whenever its process runs again.
 */
#ifndef TESTS_KERNEL_MODEL_H
#define TESTS_KERNEL_MODEL_H

#include "guest/kernel/abi.h"

enum {
    MODEL_PROCESSES = 5,
    MODEL_LINKS = 24,
    MODEL_MEMORY = 8 * 4096,
    MODEL_QUEUE = 160,
    MODEL_BODY = 2048,
    MODEL_LIMIT = 8192 /* queue bytes */
};

struct model_link {
    s64 number; /* 0: none */
    u32 target; /* process, by life: index + MODEL_PROCESSES * life */
    u32 kind, attr, channel;
    u64 code, base, len;
    u64 reserve; /* reply links: set aside at the target */
    bool call;   /* reply link of a CALL: code is its serial */
};

struct model_message {
    u32 kind, notice, channel;
    u64 code;
    u32 length, whole;
    u32 count;
    bool has_reply, call, in_call;
    struct model_link reply, links[DEMOS_LINKS_MAX];
    u64 reserved;
    u8 body[MODEL_BODY];
};

struct model_process {
    u32 life;
    struct model_link links[MODEL_LINKS];
    struct model_message queue[MODEL_QUEUE];
    u32 queued;
    u64 queued_bytes, reserved;
    u64 calls;
    bool in_call; /* committed to CALL `calls`, waiting for its reply */
    bool answered;
    struct model_message answer;
    bool replied; /* the first half of its ANSWER is done */
    u8 memory[MODEL_MEMORY];
};

struct model {
    struct model_process p[MODEL_PROCESSES];
    u64 now;
    u64 deadline[MODEL_PROCESSES]; /* of the call in progress */
    bool broken;                   /* an array here was too small: the run says nothing */
    u64 moved;
    bool sabotage; /* a wrong specification: to see that the comparison notices */
};

/* A call begins (first) or is tried again; true: it ends now, with *result. When the
 * kernel gave a link a number the model cannot know it: `numbers` are those the kernel
 * wrote (info) or returned, taken over after checking that they are new. */
struct model_call {
    u32 number;
    u64 args[6];
    bool first;
    s64 told;                    /* the kernel's result */
    struct demos_info told_info; /* what the kernel wrote, if anything */
};
bool model_try(struct model *m, u32 who, const struct model_call *c, s64 *result);
/* The process ends. */
void model_end(struct model *m, u32 who);
void model_begin(struct model *m, u32 who);
s64 model_add(struct model *m, u32 who, const struct model_link *l, s64 number);

#endif

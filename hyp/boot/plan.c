/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/boot/plan.h"
#include "base/memory.h"
#include "hyp/boot/info.h"
#include "hyp/boot/layout.h"
#include "hyp/boot/option.h"
#include "hyp/cpu/panic.h"
#include "hyp/mm/memory.h"

#define ROOM_DEFAULT (1ull << 20)

static bool found;
static struct boot_module module;
static void *memory;
static u64 size;

void plan_find(void)
{
    for (u32 i = 1; i < boot_info.modules; i++) {
        char name[64];

        boot_module_name(i, name, sizeof(name));
        if (strcmp(name, "plan") != 0)
            continue;
        found = true;
        module = boot_info.module[i];
        boot_info.modules--;
        memmove(&boot_info.module[i], &boot_info.module[i + 1],
                (boot_info.modules - i) * sizeof(module));
        return;
    }
}

void plan_place(void)
{
    u64 at;

    size = ALIGN_UP(MAX(boot_size("plan", ROOM_DEFAULT), module.size), PAGE_SIZE);
    memory = memory_early_alloc(size);
    at = (u64)memory - DIRECT_BASE;
    if (found && at < module.start + module.size && module.start < at + size)
        panic("too little memory for the plan");
    if (found)
        memcpy(memory, (const void *)(DIRECT_BASE + module.start), module.size);
}

bool plan_buffer(void **buffer, u64 *room, u64 *len)
{
    *buffer = memory;
    *room = size;
    *len = module.size;
    return found;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot modules for the control domain: read-only windows onto their frames, from 3 GiB on,
 * where no RAM of its own is.
 */
#include "hyp/abi/osmosis.h"
#include "hyp/abi/xen.h"
#include "hyp/boot/info.h"
#include "hyp/boot/option.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/dom/domain.h"
#include "hyp/dom/platform.h"
#include "hyp/mm/memory.h"
#include "hyp/mm/p2m.h"

#define WINDOW_FIRST (0xc0000000ull >> PAGE_SHIFT)
#define WINDOW_LAST  (0xfe000000ull >> PAGE_SHIFT) /* the special pages come behind */
#define WINDOW_HIGH  (0x100000000ull >> PAGE_SHIFT)

static u64 placed[BOOT_MODULES]; /* 0: not yet */
static u64 next = WINDOW_FIRST;
static struct spinlock lock;

static int place(struct domain *d, u32 i)
{
    u64 first, count;
    int error = 0;

    memory_module_frames(i, &first, &count);
    if (next < WINDOW_HIGH && count > WINDOW_LAST - MIN(next, WINDOW_LAST))
        next = WINDOW_HIGH;
    for (u64 k = 0; k < count && !error; k++) {
        frame_get(MFN(first + k));
        error = p2m_map(d, GFN(next + k), MFN(first + k), 0, P2M_FOREIGN, P2M_R);
        if (error)
            frame_put(MFN(first + k));
    }
    if (!error) {
        placed[i] = next;
        next += count;
    }
    return error;
}

int module_map(struct domain *d, struct osm_module *m)
{
    int error = 0;

    m->count = boot_info.modules;
    if (m->index >= boot_info.modules)
        return -XEN_ENOENT;
    spin_lock(&lock);
    if (!placed[m->index])
        error = place(d, m->index);
    m->gfn = placed[m->index];
    spin_unlock(&lock);
    m->size = boot_info.module[m->index].size;
    boot_module_name(m->index, m->name, sizeof(m->name));
    return error;
}

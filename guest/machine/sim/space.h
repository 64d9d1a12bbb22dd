/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of a simulated process.
 */
#ifndef GUEST_MACHINE_SIM_SPACE_H
#define GUEST_MACHINE_SIM_SPACE_H

#include "guest/machine/sim/sim.h"

struct sim_frame {
    u32 references;
    u8 bytes[SIM_PAGE];
};

struct sim_slot {
    u64 page;
    struct sim_frame *frame; /* NULL: zeros */
    u32 protection;
};

struct sim_space {
    struct sim *sim;
    struct sim_slot *slots;
    u32 count;
};

struct sim_space *sim_space_new(struct sim *sim);
void sim_space_free(struct sim_space *s);
void sim_space_map(struct sim_space *s, u64 base, u64 len, u32 protection);
void sim_space_unmap(struct sim_space *s, u64 base, u64 len);
void sim_space_protect(struct sim_space *s, u64 base, u64 len, u32 protection);
/* All or nothing; `right` 0 ignores protection. */
bool sim_space_access(struct sim_space *s, u64 address, void *bytes, size_t len, u32 right,
                      bool write);
u64 sim_space_share(struct sim_space *to, u64 to_address, struct sim_space *from,
                    u64 from_address, u64 len);

#endif

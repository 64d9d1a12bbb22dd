/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of a simulated process.
 */
#ifndef GUEST_MACHINE_SIM_SPACE_H
#define GUEST_MACHINE_SIM_SPACE_H

#include "guest/machine/sim/sim.h"

struct sim_frame {
    u32 references;
    u32 held; /* of these, the core's */
    u8 bytes[SIM_PAGE];
};

struct sim_slot {
    u64 page;
    struct sim_frame *frame; /* NULL: zeros, or nothing where kept */
    u32 protection;
    bool kept; /* the core's: it holds the frame, and says what may be done */
    bool write;
};

struct sim_space {
    struct sim *sim;
    struct sim_slot *slots;
    u32 count;
    u32 recent; /* slot that was found last */
};

struct sim_space *sim_space_new(struct sim *sim);
void sim_space_free(struct sim_space *s);
void sim_space_map(struct sim_space *s, u64 base, u64 len, u32 protection, bool kept);
void sim_space_unmap(struct sim_space *s, u64 base, u64 len);
void sim_space_protect(struct sim_space *s, u64 base, u64 len, u32 protection);
/* Where the bytes lie, if all is in order without further ado, as it nearly always is: within one page,
 * which is there, allows it, and is nobody else's when it is written. NULL: ask in full. */
u8 *sim_space_at(struct sim_space *s, u64 address, size_t len, u32 right, bool write);
/* All or nothing; `right` 0 ignores protection. */
bool sim_space_access(struct sim_space *s, u64 address, void *bytes, size_t len, u32 right,
                      bool write);
/* The first page of the range that the core has to serve before such an access; 0: none. */
u64 sim_space_missing(struct sim_space *s, u64 address, size_t len, u32 right, bool write,
                      bool grows);
/* Shows a frame of the core's (NULL: nothing). */
void sim_space_show(struct sim_space *s, u64 address, struct sim_frame *frame, bool write);
/* The frame there, with one more holder; NULL: zeros. */
struct sim_frame *sim_space_lend(struct sim_space *s, u64 address);
bool sim_space_there(struct sim_space *s, u64 address);
struct sim_frame *sim_frame_new(struct sim *sim);
void sim_frame_drop(struct sim *sim, struct sim_frame *f);
/* The bytes themselves, if they lie in one page that is there, unshared, and may be written. */
void *sim_space_reach(struct sim_space *s, u64 address, size_t len);
u64 sim_space_share(struct sim_space *to, u64 to_address, struct sim_space *from,
                    u64 from_address, u64 len);

#endif

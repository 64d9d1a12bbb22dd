/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control domain of tests, and how it makes other domains and ends them, by the calls that a
 * toolstack makes. What fails here ends the test: it is about something else.
 */
#ifndef TESTS_HYP_BUILDER_H
#define TESTS_HYP_BUILDER_H

#include "tests/hyp/world.h"

extern struct domain *control;

/* The world with two CPUs and a control domain, which world_end ends. */
void builder_begin(void);
/* A domctl without more than its domain. */
s64 builder_command(u32 cmd, domid_t id);
/* An empty domain for so many vCPUs. */
domid_t builder_create(u32 vcpus);
/* One with 32 pages of the 64 it may have, its vCPUs made and the first one up; paused. */
domid_t builder_build(u32 vcpus);
/* The registers that its first vCPU starts with. */
struct vcpu_hvm_context builder_context(void);
/* Each CPU takes its turns. */
void builder_everybody_picks(void);
/* Whatever state it is in. */
void builder_destroy(domid_t id);

#endif

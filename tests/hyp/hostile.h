/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile domains on the host stand-in, driven by bytes: shared by a test and a fuzzer.
 */
#ifndef TESTS_HYP_HOSTILE_H
#define TESTS_HYP_HOSTILE_H

#include "base/types.h"

/* Lets hostile domains do what the bytes say; aborts when they got somewhere. */
void hostile_run(const u8 *data, size_t size);

#endif

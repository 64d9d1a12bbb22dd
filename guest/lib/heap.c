/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap of programs that do not say DEMOS_HEAP_SIZE: its own object of the library, so
 * that the linker takes it only then.
 */
#include "guest/lib/demos.h"

DEMOS_HEAP_SIZE(DEMOS_HEAP_BYTES);

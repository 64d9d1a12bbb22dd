/* SPDX-License-Identifier: BSD-2-Clause */
/* Table 1 measured on a machine, as a JSON member `name`; `model` also prints what each row
 * would cost the paper's kernel. */
#ifndef Z8000_BENCH_TABLE_H
#define Z8000_BENCH_TABLE_H

#include "z8000/bench/rig.h"

bool table_print(struct rig *r, const char *name, struct rig_machine machine, bool model);

#endif

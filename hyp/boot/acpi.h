/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The little the hypervisor reads of ACPI: which processors there are, and a timer port;
 * or the same from the MP table, where there is no ACPI.
 */
#ifndef HYP_BOOT_ACPI_H
#define HYP_BOOT_ACPI_H

#include "base/types.h"

void acpi_init(void);
u64 acpi_root(void);     /* machine address of the root pointer; 0: there is none */
u16 acpi_pm_timer(void); /* port; 0: there is none */
/* APIC ids of the usable processors, the boot processor's among them, into ids[]. */
u32 processors_find(u32 *ids, u32 most);
/* From the MP table: how many, 0 without one. MP Specification 1.4, chapter 4. */
u32 mptable_find(u32 *ids, u32 most);

#endif

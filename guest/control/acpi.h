/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI tables of a PVH guest: RSDP, XSDT, FADT, FACS, DSDT, MADT (ACPI 6.3 chapter 5).
 * One local APIC per vCPU and nothing else; no legacy devices.
 */
#ifndef GUEST_CONTROL_ACPI_H
#define GUEST_CONTROL_ACPI_H

#include "base/types.h"

enum { ACPI_VCPUS = 128, ACPI_TABLES_ROOM = 4096, ACPI_RSDP_LEN = 36 };

/* Writes the tables that will stand at `base` (4 GiB at most) into `to`, of
 * ACPI_TABLES_ROOM bytes, and the RSDP into `rsdp`. Returns the length of the former. */
size_t acpi_build(u8 *to, u8 *rsdp, u32 base, u32 vcpus);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiled for 32 bits, never linked: the sizes and places of the structures that 32-bit
 * callers pass are what hyp/dom/ reads for them. Xen's headers decide.
 */
#define __XEN_TOOLS__ 1
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>

#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)
#define AT(type, field, at) \
    _Static_assert(offsetof(struct type, field) == (at), #type "." #field)

SIZE(sched_poll, 16); /* sched_op.c: read_poll */
AT(sched_poll, nr_ports, 4);
AT(sched_poll, timeout, 8);
SIZE(vcpu_set_singleshot_timer, 12); /* vcpu_op.c */
SIZE(vcpu_runstate_info, 44);        /* time.c: write_area */
AT(vcpu_runstate_info, state_entry_time, 4);
SIZE(vcpu_register_vcpu_info, 16);
SIZE(vcpu_register_runstate_memory_area, 8);
SIZE(vcpu_hvm_context, 128);      /* as for 64 bits */
SIZE(xen_memory_reservation, 20); /* memory_op.c */
AT(xen_memory_reservation, extent_order, 8);
AT(xen_memory_reservation, domid, 16);
SIZE(xen_add_to_physmap, 16);
AT(xen_add_to_physmap, gpfn, 12);
SIZE(xen_add_to_physmap_batch, 20);
AT(xen_add_to_physmap_batch, errs, 16);
SIZE(xen_remove_from_physmap, 8);
SIZE(xen_memory_map, 8);
AT(xen_foreign_memory_map, map, 4);
SIZE(gnttab_map_grant_ref, 32); /* grant_op.c */
SIZE(gnttab_unmap_grant_ref, 24);
SIZE(gnttab_setup_table, 16);
AT(gnttab_setup_table, frame_list, 12);
SIZE(gnttab_copy, 24);
AT(gnttab_copy, dest, 8);
AT(gnttab_copy, len, 16);
AT(gnttab_copy, status, 20);
SIZE(gnttab_query_size, 16);
SIZE(gnttab_unmap_and_replace, 24);
SIZE(gnttab_get_status_frames, 12);
SIZE(gnttab_cache_flush, 16);
SIZE(physdev_map_pirq, 36); /* physdev_op.c */
SIZE(xen_hvm_param, 16);
SIZE(xen_hvm_evtchn_upcall_vector, 8);

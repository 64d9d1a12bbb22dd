/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the stub lies in a child: above everything the user layout names.
 */
#ifndef GUEST_MACHINE_HOSTED_STUB_H
#define GUEST_MACHINE_HOSTED_STUB_H

#define CHILD_STUB     0x700000000000
#define CHILD_STUB_OPS 0x700000001000
#define CHILD_STUB_END 0x700000002000
#define CHILD_TOP      0x7ffffffff000 /* of what the host lets a process map */
#define CHILD_OP_SIZE  64

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io/xs_wire.h with Xen's errno numbers for its table of error names, and the look-up in
 * both directions. Shared by the client here and the server in guest/control.
 */
#ifndef GUEST_RT_STORE_WIRE_H
#define GUEST_RT_STORE_WIRE_H

#include <xen/errno.h>
#include "base/memory.h"
#include "base/types.h"

/* The table in xs_wire.h is only defined where EINVAL is; its names are text to it. */
#ifndef EINVAL
#define EINVAL    XEN_EINVAL
#define EACCES    XEN_EACCES
#define EEXIST    XEN_EEXIST
#define EISDIR    XEN_EISDIR
#define ENOENT    XEN_ENOENT
#define ENOMEM    XEN_ENOMEM
#define ENOSPC    XEN_ENOSPC
#define EIO       XEN_EIO
#define ENOTEMPTY XEN_ENOTEMPTY
#define ENOSYS    XEN_ENOSYS
#define EROFS     XEN_EROFS
#define EBUSY     XEN_EBUSY
#define EAGAIN    XEN_EAGAIN
#define EISCONN   XEN_EISCONN
#define E2BIG     XEN_E2BIG
#define EPERM     XEN_EPERM
#endif
#include <xen/io/xs_wire.h>

/* The number of an error's name; EIO when the name is unknown. */
static inline int store_errno(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(xsd_errors); i++)
        if (strcmp(name, xsd_errors[i].errstring) == 0)
            return xsd_errors[i].errnum;
    return XEN_EIO;
}

/* The name of an error; "EIO" for one that the wire has no name for. */
static inline const char *store_error_name(int error)
{
    for (size_t i = 0; i < ARRAY_SIZE(xsd_errors); i++)
        if (xsd_errors[i].errnum == error)
            return xsd_errors[i].errstring;
    return "EIO";
}

#endif

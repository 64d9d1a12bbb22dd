/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_version (xen/version.h). We answer as the Xen whose headers we were built with, so
 * that guests choose the interfaces that are there; the vendor's CPUID leaves tell us apart.
 */
#include "base/memory.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/privilege.h"

enum { MAJOR = 4, MINOR = 17 };

static s64 put_text(struct call *c, const char *text, size_t size)
{
    char buffer[1024] = {0};

    memcpy(buffer, text, MIN(strlen(text), size - 1));
    return call_write(c, c->arg[1], buffer, size);
}

static s64 version(struct call *c)
{
    (void)c;
    return MAJOR << 16 | MINOR;
}

static s64 extraversion(struct call *c)
{
    return put_text(c, ".0-osmosis", sizeof(xen_extraversion_t));
}

static s64 compile_info(struct call *c)
{
    static const struct xen_compile_info info = {.compiler = __VERSION__,
                                                 .compile_by = "osmosis",
                                                 .compile_domain = "",
                                                 .compile_date = ""};

    return call_write(c, c->arg[1], &info, sizeof(info));
}

static s64 capabilities(struct call *c)
{
    return put_text(c, "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ",
                    sizeof(xen_capabilities_info_t));
}

static s64 changeset(struct call *c)
{
    return put_text(c, "unavailable", sizeof(xen_changeset_info_t));
}

/* Where a PV guest would find the hypervisor; means nothing here, so as Xen says it. */
static s64 platform_parameters(struct call *c)
{
    u64 start = c->compat ? 0xf5800000 : 0xffff800000000000;

    return call_write(c, c->arg[1], &start, c->compat ? 4 : 8);
}

static s64 get_features(struct call *c)
{
    struct xen_feature_info info;

    if (call_read(c, &info, c->arg[1], sizeof(info)))
        return fail(-XEN_EFAULT);
    if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
        return fail(-XEN_EINVAL);
    info.submap = 1u << XENFEAT_writable_page_tables | 1u << XENFEAT_auto_translated_physmap |
                  1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_hvm_safe_pvclock |
                  1u << XENFEAT_memory_op_vnode_supported | 1u << XENFEAT_not_direct_mapped;
    if (may(c->v->domain, MAY_SEE_MACHINE))
        info.submap |= 1u << XENFEAT_dom0;
    return call_write(c, c->arg[1], &info, sizeof(info));
}

static s64 page_size(struct call *c)
{
    return c->arg[1] ? fail(-XEN_EINVAL) : (s64)PAGE_SIZE;
}

static s64 guest_handle(struct call *c)
{
    return call_write(c, c->arg[1], c->v->domain->handle, sizeof(xen_domain_handle_t));
}

static s64 command_line(struct call *c)
{
    return put_text(c,
                    may(c->v->domain, MAY_SEE_MACHINE) ? platform_command_line() : "<denied>",
                    sizeof(xen_commandline_t));
}

/* Only the control domain may ask (as on Xen), and we carry none. */
static s64 build_id(struct call *c)
{
    return fail(may(c->v->domain, MAY_SEE_MACHINE) ? -XEN_ENODATA : -XEN_EPERM);
}

s64 call_xen_version(struct call *c)
{
    static call_fn *const ops[] = {
        [XENVER_version] = version,
        [XENVER_extraversion] = extraversion,
        [XENVER_compile_info] = compile_info,
        [XENVER_capabilities] = capabilities,
        [XENVER_changeset] = changeset,
        [XENVER_platform_parameters] = platform_parameters,
        [XENVER_get_features] = get_features,
        [XENVER_pagesize] = page_size,
        [XENVER_guest_handle] = guest_handle,
        [XENVER_commandline] = command_line,
        [XENVER_build_id] = build_id,
    };

    return c->arg[0] < ARRAY_SIZE(ops) ? ops[c->arg[0]](c) : fail(-XEN_ENOSYS);
}

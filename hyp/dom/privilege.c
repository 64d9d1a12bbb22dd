/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/dom/hypercall.h"
#include "hyp/dom/privilege.h"

bool may_control(const struct domain *d)
{
    return d->privileged;
}

bool may_act_for(const struct domain *d, const struct domain *other)
{
    return d == other || d->privileged || d->target == other->id + 1u;
}

struct domain *domain_for(const struct domain *asks, domid_t id, s64 *error)
{
    struct domain *d = id == DOMID_SELF ? domain_find(asks->id) : domain_find(id);

    *error = 0;
    if (!d) {
        *error = fail(-XEN_ESRCH);
        return NULL;
    }
    if (!may_act_for(asks, d)) {
        domain_put(d);
        *error = fail(-XEN_EPERM);
        return NULL;
    }
    return d;
}

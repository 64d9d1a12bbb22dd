/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/cpu/panic.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/privilege.h"

/* There is one domain that has them all; what each is for is the list's. */
bool may(const struct domain *d, enum privilege what)
{
    BUG_ON(what > MAY_END_RUN);
    return d->privileged;
}

bool may_act_for(const struct domain *d, const struct domain *other)
{
    return d == other || may(d, MAY_ACT_FOR_ALL) || d->target == other->id + 1u;
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

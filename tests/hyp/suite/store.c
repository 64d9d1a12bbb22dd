/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of xenstore that has nothing else: requests on the store's page (xen/io/xs_wire.h),
 * answers waited for by SCHEDOP_poll.
 */
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"
#include <xen/io/xs_wire.h>

static volatile struct xenstore_domain_interface *page;
static u32 port;

static void wait(void)
{
    evtchn_port_t p = port;
    struct sched_poll poll = {.nr_ports = 1};

    set_xen_guest_handle(poll.ports, &p);
    CALL2(event_channel_op, EVTCHNOP_send, &(struct evtchn_send){.port = port});
    CALL2(sched_op, SCHEDOP_poll, &poll);
}

static void put(const void *from, u32 len)
{
    for (u32 i = 0; i < len; i++) {
        while (page->req_prod - page->req_cons == XENSTORE_RING_SIZE)
            wait();
        page->req[MASK_XENSTORE_IDX(page->req_prod)] = ((const char *)from)[i];
        __asm__ volatile("" ::: "memory");
        page->req_prod++;
    }
}

/* The port stays pending once it was (there is no handler), so a poll that finds nothing new
 * returns at once and the loop looks again. */
static void take(void *to, u32 len)
{
    for (u32 i = 0; i < len; i++) {
        while (page->rsp_prod == page->rsp_cons) {
            wait();
            CALL2(sched_op, SCHEDOP_yield, 0);
        }
        ((char *)to)[i] = page->rsp[MASK_XENSTORE_IDX(page->rsp_cons)];
        __asm__ volatile("" ::: "memory");
        page->rsp_cons++;
    }
}

/* One request and its answer, a text of at most 255 bytes; the answer's type. */
static u32 ask(u32 type, const char *body, u32 len, char answer[256])
{
    struct xsd_sockmsg head = {.type = type, .req_id = 7, .len = len};

    put(&head, sizeof(head));
    put(body, len);
    wait();
    take(&head, sizeof(head));
    CHECK_EQ("store: answers name their request", head.req_id, 7);
    for (u32 i = 0; i < head.len; i++)
        take(&answer[i < 255 ? i : 255], 1);
    answer[MIN(head.len, 255u)] = 0;
    return head.type;
}

void check_store(void)
{
    static char answer[256], long_value[64];
    u64 pfn = 0, at = 0;

    get_param(HVM_PARAM_STORE_PFN, &pfn);
    get_param(HVM_PARAM_STORE_EVTCHN, &at);
    page = (volatile struct xenstore_domain_interface *)(word)(pfn << 12);
    port = (u32)at;
    CHECK_EQ("store: its own number", ask(XS_READ, "domid", 6, answer), XS_READ);
    CHECK("store: is a number", answer[0] >= '1' && answer[0] <= '9');
    CHECK_EQ("store: what is not there", ask(XS_READ, "nothing/here", 13, answer), XS_ERROR);
    CHECK("store: by name", !strcmp(answer, "ENOENT"));
    memcpy(long_value, "data/suite\0some text", 20);
    CHECK_EQ("store: written", ask(XS_WRITE, long_value, 20, answer), XS_WRITE);
    CHECK_EQ("store: read again", ask(XS_READ, "data/suite", 11, answer), XS_READ);
    CHECK("store: the same", !strcmp(answer, "some text"));
    CHECK_EQ("store: another's may not be written",
             ask(XS_WRITE, "/local/domain/0/x\0y", 19, answer), XS_ERROR);
    CHECK("store: for want of rights", !strcmp(answer, "EACCES"));
    CHECK_EQ("store: removed", ask(XS_RM, "data/suite", 11, answer), XS_RM);
    CHECK_EQ("store: a request that is none", ask(99, "x", 2, answer), XS_ERROR);
}

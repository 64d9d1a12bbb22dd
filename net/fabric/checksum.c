/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071) over pseudo header and payload (RFC 793, 768, 8200).
 */
#include "base/bytes.h"
#include "net/fabric/checksum.h"

enum { ETHER = 14, VLAN = 0x8100, IPV4 = 0x0800, IPV6 = 0x86dd, TCP = 6, UDP = 17 };

static u32 sum(u32 so_far, const u8 *p, size_t len)
{
    for (; len >= 2; p += 2, len -= 2)
        so_far += be16_get(p);
    if (len)
        so_far += (u32)p[0] << 8;
    return (so_far & 0xffff) + (so_far >> 16);
}

/* Where the checksum of a transport header lies, or 0. */
static size_t field(u8 protocol, size_t len)
{
    if (protocol == TCP && len >= 20)
        return 16;
    return protocol == UDP && len >= 8 ? 6 : 0;
}

static bool fill(u8 *transport, size_t len, u8 protocol, const u8 *addresses,
                 size_t addresses_len)
{
    size_t at = field(protocol, len);
    u32 s;

    if (!at)
        return false;
    be16_put(transport + at, 0);
    s = sum((u32)len + protocol, addresses, addresses_len);
    s = sum(s, transport, len);
    s = (s & 0xffff) + (s >> 16);
    s = ~((s & 0xffff) + (s >> 16)) & 0xffff;
    be16_put(transport + at, (u16)(s ? s : (protocol == UDP ? 0xffff : 0)));
    return true;
}

static bool fill4(u8 *ip, size_t len)
{
    size_t header, total;

    if (len < 20 || ip[0] >> 4 != 4)
        return false;
    header = (size_t)(ip[0] & 15) * 4;
    total = be16_get(ip + 2);
    if (header < 20 || total < header || total > len || be16_get(ip + 6) & 0x3fff)
        return false; /* fragments have no whole transport payload */
    return fill(ip + header, total - header, ip[9], ip + 12, 8);
}

static bool fill6(u8 *ip, size_t len)
{
    size_t payload;

    if (len < 40 || ip[0] >> 4 != 6)
        return false;
    payload = be16_get(ip + 4);
    return payload <= len - 40 && fill(ip + 40, payload, ip[6], ip + 8, 32);
}

bool checksum_fill(u8 *frame, size_t len)
{
    size_t at = ETHER;
    u16 type;

    if (len < ETHER)
        return false;
    type = be16_get(frame + 12);
    if (type == VLAN && len >= ETHER + 4) {
        type = be16_get(frame + 16);
        at += 4;
    }
    if (type == IPV4)
        return fill4(frame + at, len - at);
    return type == IPV6 && fill6(frame + at, len - at);
}

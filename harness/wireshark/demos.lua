-- SPDX-License-Identifier: BSD-2-Clause
-- The DEMOS network for Wireshark and tshark: every field of net/frame.h, by kind.
--   tshark -X lua_script:harness/wireshark/demos.lua -r capture.pcapng

local demos = Proto("demos", "DEMOS network")

local kinds = {
    [1] = "DATA", [2] = "ACKS", [3] = "DATAGRAM", [4] = "ROUTE", [5] = "REPLY",
    [6] = "REPLY_ACK", [7] = "ERROR", [8] = "BULK", [9] = "BULK_ASK", [10] = "BULK_DONE",
    [11] = "WHERE", [12] = "THERE",
}

local f = demos.fields
f.version = ProtoField.uint8("demos.version", "Version")
f.kind = ProtoField.uint8("demos.kind", "Kind", base.DEC, kinds)
f.flags = ProtoField.uint8("demos.flags", "Flags", base.HEX)
f.flag_end = ProtoField.bool("demos.flags.end", "End of an attempt", 8, nil, 0x01)
f.flag_wide = ProtoField.bool("demos.flags.wide", "Pass on by the same medium too", 8, nil, 0x02)
f.flag_more = ProtoField.bool("demos.flags.more", "Announcers shall reply", 8, nil, 0x04)
f.hops = ProtoField.uint8("demos.hops", "Hops")
f.src = ProtoField.uint32("demos.src", "Source machine")
f.dst = ProtoField.uint32("demos.dst", "Destination machine")
f.src_epoch = ProtoField.uint32("demos.src_epoch", "Source's boot")
f.dst_epoch = ProtoField.uint32("demos.dst_epoch", "Destination's boot")
f.body_length = ProtoField.uint16("demos.body_length", "Body length")
f.section = ProtoField.uint16("demos.section", "First section")
f.seq = ProtoField.uint32("demos.seq", "Sequence")
f.length = ProtoField.uint32("demos.length", "Message length")
f.ack = ProtoField.uint32("demos.ack", "Acknowledged before")
f.bits = ProtoField.uint32("demos.bits", "Later ones arrived", base.HEX)
f.attempt = ProtoField.uint16("demos.attempt", "Attempt")
f.spare = ProtoField.uint32("demos.spare", "Spare", base.HEX)
f.crc = ProtoField.uint32("demos.crc", "CRC-32C", base.HEX)
f.crc_good = ProtoField.bool("demos.crc_good", "CRC is right")
f.cost = ProtoField.uint32("demos.cost", "Cost so far (us per KiB)")
f.rate = ProtoField.uint32("demos.rate", "Slowest medium (bytes/s, 0 fast)")
f.block = ProtoField.uint32("demos.block", "Smallest block")
f.lost = ProtoField.uint32("demos.unreachable", "Machine not reached")
f.asker = ProtoField.uint32("demos.asker", "Machine that the reply is for")
f.wanted = ProtoField.uint32("demos.wanted", "Machine in question")
f.address = ProtoField.ether("demos.address", "Its address")
f.transfer = ProtoField.uint64("demos.transfer", "Transfer", base.HEX)
f.offset = ProtoField.uint64("demos.offset", "Offset")
f.announce = ProtoField.bytes("demos.announce", "Announcement")
f.payload = ProtoField.bytes("demos.payload", "Payload")
f.item_seq = ProtoField.uint32("demos.item.seq", "Unfinished message")
f.item_attempt = ProtoField.uint16("demos.item.attempt", "Attempt seen to its end")
f.item_have = ProtoField.uint64("demos.item.have", "Sections 0-63 here", base.HEX)
f.item_last = ProtoField.uint64("demos.item.last", "Sections 64- here", base.HEX)
f.range_from = ProtoField.uint64("demos.range.from", "Missing from")
f.range_to = ProtoField.uint64("demos.range.to", "Missing to")

-- CRC-32C over the whole frame, Ethernet header included, its own field taken as zero.
local bits = bit32 or bit
local crc_table = {}
for i = 0, 255 do
    local c = i
    for _ = 1, 8 do
        local low = bits.band(c, 1) == 1
        c = bits.rshift(c, 1)
        if low then c = bits.bxor(c, 0x82f63b78) end
    end
    crc_table[i] = c
end

local function crc_more(c, bytes, from, to)
    for i = from, to do
        c = bits.bxor(bits.rshift(c, 8), crc_table[bits.band(bits.bxor(c, bytes:get_index(i)), 0xff)])
    end
    return c
end

local eth_dst, eth_src = Field.new("eth.dst"), Field.new("eth.src")
local tail = ByteArray.new("88b5")
local zeros = ByteArray.new("00000000")

local function crc_of(b, length)
    local dst, src = eth_dst(), eth_src()
    if not dst or not src then return nil end
    local c = crc_more(bits.bnot(0), dst.range:bytes(), 0, 5)
    c = crc_more(c, src.range:bytes(), 0, 5)
    c = crc_more(c, tail, 0, 1)
    local bytes = b(0, length):bytes()
    c = crc_more(c, bytes, 0, 45)
    c = crc_more(c, zeros, 0, 3)
    if length > 50 then c = crc_more(c, bytes, 50, length - 1) end
    c = bits.bnot(c)
    return c < 0 and c + 4294967296 or c
end

local function data(t, b)
    t:add(f.section, b(22, 2))
    t:add(f.seq, b(24, 4))
    t:add(f.length, b(28, 4))
    t:add(f.ack, b(32, 4))
    t:add(f.bits, b(36, 4))
    t:add(f.attempt, b(40, 2))
end

local function acks(t, b, body)
    t:add(f.ack, b(32, 4))
    t:add(f.bits, b(36, 4))
    for at = 50, 50 + body - 24, 24 do
        t:add(f.item_seq, b(at, 4))
        t:add(f.item_attempt, b(at + 4, 2))
        t:add(f.item_have, b(at + 8, 8))
        t:add(f.item_last, b(at + 16, 8))
    end
end

local function route(t, b, body)
    t:add(f.seq, b(24, 4))
    t:add(f.cost, b(28, 4))
    t:add(f.rate, b(32, 4))
    t:add(f.block, b(36, 4))
    if body > 0 then t:add(f.announce, b(50, body)) end
end

local function bulk(t, b)
    t:add(f.transfer, b(24, 8))
    t:add(f.offset, b(32, 8))
end

local function ask(t, b, body)
    t:add(f.transfer, b(24, 8))
    for at = 50, 50 + body - 16, 16 do
        t:add(f.range_from, b(at, 8))
        t:add(f.range_to, b(at + 8, 8))
    end
end

local by_kind = {
    [1] = data, [2] = acks, [3] = function(t, b) t:add(f.seq, b(24, 4)) end,
    [4] = route, [5] = route, [6] = function(t, b)
        t:add(f.seq, b(24, 4))
        t:add(f.asker, b(32, 4))
    end,
    [7] = function(t, b) t:add(f.lost, b(32, 4)) end,
    [8] = bulk, [9] = ask, [10] = function(t, b) t:add(f.transfer, b(24, 8)) end,
    [11] = function(t, b) t:add(f.wanted, b(32, 4)) end,
    [12] = function(t, b, body)
        t:add(f.wanted, b(32, 4))
        if body >= 6 then t:add(f.address, b(50, 6)) end
    end,
}
local has_payload = { [1] = true, [3] = true, [8] = true }

local function machine(n)
    return n == 0xffffffff and "everybody" or tostring(n)
end

-- `b` is the frame without its Ethernet header.
function demos.dissector(b, pinfo, tree)
    if b:len() < 50 then return 0 end
    local kind = b(1, 1):uint()
    local body = math.min(b(20, 2):uint(), b:len() - 50)
    local t = tree:add(demos, b(0, 50 + body))
    t:add(f.version, b(0, 1))
    t:add(f.kind, b(1, 1))
    local flags = t:add(f.flags, b(2, 1))
    flags:add(f.flag_end, b(2, 1))
    flags:add(f.flag_wide, b(2, 1))
    flags:add(f.flag_more, b(2, 1))
    t:add(f.hops, b(3, 1))
    t:add(f.src, b(4, 4))
    t:add(f.dst, b(8, 4))
    t:add(f.src_epoch, b(12, 4))
    t:add(f.dst_epoch, b(16, 4))
    t:add(f.body_length, b(20, 2))
    if by_kind[kind] then by_kind[kind](t, b, body) end
    t:add(f.spare, b(42, 4))
    t:add(f.crc, b(46, 4))
    if has_payload[kind] and body > 0 then t:add(f.payload, b(50, body)) end

    local crc = crc_of(b, 50 + body)
    if crc then t:add(f.crc_good, b(46, 4), crc == b(46, 4):uint()):set_generated() end

    pinfo.cols.protocol = "DEMOS"
    local info = string.format("%s %s > %s", kinds[kind] or "?", machine(b(4, 4):uint()),
                               machine(b(8, 4):uint()))
    if kind == 1 then
        info = string.format("%s seq=%u sec=%u len=%u/%u ack=%u", info, b(24, 4):uint(),
                             b(22, 2):uint(), body, b(28, 4):uint(), b(32, 4):uint())
    elseif kind == 8 then
        info = string.format("%s offset=%s len=%u", info, tostring(b(32, 8):uint64()), body)
    end
    pinfo.cols.info = info
    return 50 + body
end

DissectorTable.get("ethertype"):add(0x88b5, demos)

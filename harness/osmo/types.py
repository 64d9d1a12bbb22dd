# SPDX-License-Identifier: BSD-2-Clause
"""Record types of domains: guest/kernel/trace.h and net/trace.h, held against them by a test."""

import enum


class Kernel(enum.IntEnum):
    SEND = 0x8000
    RECEIVE = 0x8001
    DELIVER = 0x8002
    RECEIVECALL = 0x8003
    CREATELINK = 0x8004
    DUPLINK = 0x8005
    DESTROYLINK = 0x8006
    LINKIN = 0x8007
    CREATE = 0x8008
    END = 0x8009
    MOVE = 0x800A
    FORWARD = 0x800B
    UPDATE = 0x800C
    BOUNCE = 0x800D
    FENCE = 0x800E
    DROP = 0x800F
    NOTICE = 0x8010
    STATE = 0x8011
    FAULT = 0x8012
    MIGRATE = 0x8013
    INPUT = 0x8014
    PAGE = 0x8015
    LOCATE = 0x8016
    MEMORY = 0x8017


class Net(enum.IntEnum):
    SEND = 0x9000
    DELIVER = 0x9001
    RESEND = 0x9002
    DROP = 0x9003
    ROUTE = 0x9004
    REBIND = 0x9005
    LOST = 0x9006
    REBOOT = 0x9007
    BULK = 0x9008
    FORWARD = 0x9009
    MEDIUM_SEND = 0x9100
    MEDIUM_DROP = 0x9101
    MEDIUM_FAULT = 0x9102
    MEDIUM_DELIVER = 0x9103


# What a condition can wait for: records of nodes, by the name that people give them.
EVENTS = {f"{group}.{e.name.lower()}": int(e) for group, kinds in (("kernel", Kernel), ("net", Net))
          for e in kinds if e < Net.MEDIUM_SEND}


STRANGER = 1 << 31  # KERNEL_T_STRANGER: `who` of a process that was made on another machine


def acts_as(process: tuple[int, int], machine: int) -> int:
    """By which `who` a process is known in records of that machine's node."""
    home, serial = process
    return serial if home == machine else STRANGER | (home & 0x7FFF) << 16 | serial & 0xFFFF


def process_words(who: int) -> str:
    """A record's process for people: its serial, of a stranger behind the machine that made it."""
    return f"{who >> 16 & 0x7FFF}.{who & 0xFFFF}" if who & STRANGER else str(who)


def watch_bit(record: int) -> int:
    """OSM_WATCH of hyp/abi/osmosis.h: a type's place among those at which a node stands still."""
    return 1 << ((record >> 12 & 1) * 32 + (record & 31))


WHY = ("ok", "queue", "loss", "burst", "nth", "cut", "partition", "recorder", "memory", "too-long",
       "duplicate", "corrupt", "truncate", "pad", "reorder", "stall", "flap", "biterror", "delay", "jitter",
       "rate")

DISK_STRUCK = 0x9200  # splitdrv/disks/disk.h
DISK_WHY = ("disk-error", "disk-torn", "disk-lost", "disk-full", "disk-misdirected",
            "disk-stale", "disk-powercut", "disk-delay")


def cause(word: int) -> str:
    """What befell a frame, from the low half of a medium's record; the high half says on the
    way to which port."""
    why = word & 0xFFFFFFFF
    return WHY[why] if why < len(WHY) else str(why)

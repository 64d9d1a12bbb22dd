# SPDX-License-Identifier: BSD-2-Clause
"""Wires between machines, as words for sockets of QEMU's."""

import os
import socket


def wires(count: int) -> list[tuple[str, str]]:
    """The two ends of each. All of 127/8 is this host: at an address that is this process's alone nobody else
    takes a port between here, where it is found free, and its use."""
    pid = os.getpid()
    home = f"127.{1 + (pid >> 16 & 63)}.{pid >> 8 & 255}.{pid & 255}"
    sockets = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(2 * count)]
    for one in sockets:
        one.bind((home, 0))
    places = [f"{home}:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return [(f"udp={b},localaddr={a}", f"udp={a},localaddr={b}") for a, b in zip(places[::2], places[1::2])]

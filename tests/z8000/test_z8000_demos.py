# SPDX-License-Identifier: BSD-2-Clause
"""The DEMOS kernel with a Z8001 as its user processor: processes, faults and maps on one
hosted node, and messages both ways between Z8000 and x86 nodes (H22, the hosted place)."""

import contextlib
import pathlib
import re
import subprocess
from collections.abc import Iterator

import pytest

from z8000_step import TOP

Z8000 = TOP / "build" / "demos-z8000"
X86 = TOP / "build" / "demos-node"
HELLO = TOP / "build" / "z8000" / "demos" / "hello.bin"
PAIR = "pair: 200 round trips, 1000 bytes there and back\n"


@pytest.fixture(autouse=True)
def programs() -> None:
    if not HELLO.exists():
        pytest.skip("no Z8000 programs (harness/z8k-binutils builds their assembler)")


def command(program: pathlib.Path, *lines: str, options: tuple[str, ...] = ()) -> list[str]:
    return [str(program), *options, *(o for line in lines for o in ("--run", line))]


def node(*lines: str, options: tuple[str, ...] = ()) -> tuple[int, str, dict[str, int]]:
    done = subprocess.run(command(Z8000, *lines, options=("--report", *options)), timeout=100, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    words = done.stderr.split()
    report = {key: int(value) for key, value in zip(words[::2], words[1::2])} if done.returncode != 2 else {}
    return done.returncode, done.stdout, report


@pytest.mark.parametrize("page", ["512", "1024", "2048"])
def test_processes_of_one_node(page: str) -> None:
    """Control messages, CALL, MOVEDATA and EXIT from Z8000 code; every page came by a hold."""
    status, text, report = node("hello", "+kernel pair", options=("--page", page))
    assert (status, text) == (0, "hello from a Z8001\n" + PAIR)
    assert report["holds"] >= report["page-map-loads"] >= 12


def test_more_processes_than_maps() -> None:
    """Thirty-two processes of four segments each over 8 segment maps and 16 page maps."""
    status, text, report = node(*["+kernel pair"] * 16)
    assert (status, text) == (0, PAIR * 16)
    assert report["evictions"] > 100


def test_wrong_references_end_the_process_and_no_other() -> None:
    """Write into code, a push where there is no memory, a privileged instruction."""
    status, text, _ = node("wild", "wild x", "wild x x", "+kernel pair")
    assert status == 1
    lines = sorted(re.sub(", code .*", "", line) for line in text.splitlines())
    assert lines == [PAIR.rstrip(), "wild: ended by exception 1 at 0x51232",
                     "wild: ended by exception 2 at 0x10000", "wild: ended by exception 3 at 0x0"]


def test_out_of_memory_ends_who_asked() -> None:
    """64 KB of board memory hold few processes; the others are told, and the node lives."""
    status, text, _ = node(*["+kernel pair"] * 8, options=("--memory", "64"))
    assert status == 1
    assert text.count("\n") >= 8 and set(text.splitlines()) - {PAIR.rstrip()}


def test_not_an_image(tmp_path: pathlib.Path) -> None:
    (tmp_path / "trap.bin").write_bytes((HELLO.parent / "trap.bin").read_bytes())
    for image in (b"", b"DZ8K", HELLO.read_bytes()[:8] + b"\x00\x00\x00\x00" + HELLO.read_bytes()[12:],
                  HELLO.read_bytes()[:6] + b"\xff\xff" + HELLO.read_bytes()[8:]):
        (tmp_path / "bad.bin").write_bytes(image)
        status, _, _ = node("bad", options=("--programs", str(tmp_path)))
        assert status == 2


@contextlib.contextmanager
def running(*commands: list[str]) -> Iterator[None]:
    nodes = [subprocess.Popen(c, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for c in commands]
    try:
        yield
    finally:
        for process in nodes:
            process.kill()
            process.wait()


def finish(arguments: list[str]) -> tuple[int, str]:
    done = subprocess.run(arguments, timeout=100, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          check=False)
    return done.returncode, done.stdout


def net(folder: pathlib.Path, number: int) -> tuple[str, ...]:
    return ("--net", str(folder), "--id", str(number))


def test_x86_and_z8000_clients_of_a_z8000_server(tmp_path: pathlib.Path) -> None:
    """H22: two Z8000 and two x86 nodes on one network; names from an x86 node's switchboard."""
    with running(command(X86, "+kernel switchboard global", options=net(tmp_path, 1)),
                 command(Z8000, "server", options=net(tmp_path, 2))):
        assert finish(command(X86, "+kernel with counter counter-client", options=net(tmp_path, 3))) == \
            (0, "counter: first 10, second 55\n")
        assert finish(command(Z8000, "client", options=net(tmp_path, 4))) == (0, "client: counted to 10\n")


def test_a_z8000_client_of_an_x86_server(tmp_path: pathlib.Path) -> None:
    """H22: the other way."""
    with running(command(X86, "+kernel switchboard global", options=net(tmp_path, 1)),
                 command(X86, "=counter counter-server", "announce counter", options=net(tmp_path, 2))):
        assert finish(command(Z8000, "client", "client", options=net(tmp_path, 3))) == \
            (0, "client: counted to 10\n" * 2)


@pytest.mark.parametrize("pages", [("512", "512"), ("2048", "512")])
def test_a_process_moves_to_another_z8000_node(tmp_path: pathlib.Path, pages: tuple[str, str]) -> None:
    """L19: CONTROL_MIGRATE with registers, memory and links, also to a node with smaller
    pages; the calls go on, then a bulk move there and back."""
    with running(command(Z8000, options=("--serve", "--page", pages[1], *net(tmp_path, 2)))):
        pair = command(Z8000, "+kernel pair 2", options=("--page", pages[0], *net(tmp_path, 1)))
        assert finish(pair) == (0, PAIR)


@pytest.mark.parametrize("other", [command(Z8000, options=("--serve", "--page", "2048")),
                                   command(X86, "+kernel switchboard global")], ids=["larger pages", "x86"])
def test_a_process_that_cannot_move_hears_so(tmp_path: pathlib.Path, other: list[str]) -> None:
    """L19: regions that are no whole pages there, registers that mean nothing there: refused."""
    with running([*other, *net(tmp_path, 2)]):
        assert finish(command(Z8000, "+kernel pair 2", options=net(tmp_path, 1))) == (1, "pair: went wrong\n")


def test_an_x86_process_cannot_move_here(tmp_path: pathlib.Path) -> None:
    """L19: the other way. It hears so, has lost nothing, and goes on where it was; here nothing is left of it, so
    that the next one, of the right kind, is let in."""
    with running(command(Z8000, options=("--serve", *net(tmp_path, 2)))):
        assert finish(command(X86, "+self nomad 3 2 1", options=net(tmp_path, 1))) == (
            0, "nomad: not to machine 2: E_REFUSED\nnomad: on machine 1\n" * 3 +
            "nomad: 3 visits, 6 of 6 steps counted\n")
        assert finish(command(Z8000, "+kernel pair 2", options=net(tmp_path, 3))) == (0, PAIR)


def test_domain_image_on_the_bare_machine(tmp_path: pathlib.Path) -> None:
    """The same machine on the domain runtime, with a bundle of Z8000 programs."""
    bundle, boot, serial = tmp_path / "bundle", tmp_path / "boot", tmp_path / "serial"
    boot.write_text("hello\n+kernel pair\n")
    subprocess.run([X86, "--programs", HELLO.parent, "--list", boot, "--pack", bundle], check=True)
    subprocess.run(["qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-cpu", "qemu64", "-m", "64", "-nodefaults",
                    "-display", "none", "-no-reboot", "-serial", f"file:{serial}", "-kernel",
                    TOP / "build" / "images" / "z8000", "-initrd", bundle],
                   timeout=100, check=True, stdin=subprocess.DEVNULL)
    assert serial.read_text().replace("\r\n", "\n") == "hello from a Z8001\n" + PAIR

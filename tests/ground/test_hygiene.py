# SPDX-License-Identifier: BSD-2-Clause
"""Who may include whom, and what may not stand anywhere: the house rules as tests.

A pure core sees its own folder, `base/` and the compiler's freestanding headers; it keeps no
state of its own. The hypervisor knows domains, not DEMOS.
"""

import pathlib
import re
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "harness"))

from osmo import lint

FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "limits.h", "stdnoreturn.h"}
# What base/ uses in host builds only: the C library's own memory functions, and poisoning.
HOST_ONLY = {"string.h", "sanitizer/asan_interface.h"}
# Folder of sources, and the include prefixes it may use. A folder's own subfolders that
# are shells around the core (a domain's main, a hosted tool) are named as exceptions.
PURE = {
    "base/": ("base/", *HOST_ONLY),
    "net/": ("base/", "net/"),
    "guest/kernel/": ("base/", "net/net.h", "guest/kernel/", "guest/lib/"),
    "z8000/core/": ("base/", "z8000/core/"),
}
SHELLS = ("net/fabric/", "net/tools/", "net/domain/")
HYP = ("base/", "hyp/", "xen/")
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def includes(source: str) -> list[str]:
    return INCLUDE.findall((TOP / source).read_text(errors="replace"))


def sources(folder: str) -> list[str]:
    return [f for f in lint.tracked("*.c", "*.h", "*.S")
            if f.startswith(folder) and not f.startswith(SHELLS)]


def strangers(source: str, allowed: tuple[str, ...]) -> list[str]:
    own = str(pathlib.PurePath(source).parent) + "/"
    return [f"{source}: {name}" for name in includes(source)
            if name not in FREESTANDING and not name.startswith(allowed)
            and not (TOP / own / name).is_file()]


@pytest.mark.parametrize("folder", PURE)
def test_a_pure_core_includes_no_platform_header(folder: str) -> None:
    assert [s for f in sources(folder) for s in strangers(f, PURE[folder])] == []


def test_the_hypervisor_includes_only_its_own_and_xens_headers() -> None:
    assert [s for f in sources("hyp/") for s in strangers(f, HYP)] == []


def test_the_hypervisor_does_not_know_demos() -> None:
    code = {f: COMMENT.sub("", (TOP / f).read_text(errors="replace")) for f in sources("hyp/")}
    assert [f for f, text in code.items() if re.search("demos", text, re.I)] == []


# Who calls what in net/ (`.c` left out): down kernel, peer, NFSM, device; up from the scan to NFSM, peer, kernel.
# What an object is asked for in turn or told by an interrupt is the NFSM's alone to call, and its device too.
CALLS = {
    r"ops->\w+": {"nfsm"},
    r"nfsm_(scan|due)": {"net"},
    r"nfsm_write": {"peer_out", "bulk"},
    r"nfsm_can_write": {"bulk"},
    r"nfsm_pass": {"route", "where", "through", "bulk"},
    r"nfsm_(ready|bind)": {"peer", "peer_in", "peer_out", "bulk"},
    r"(peer|bulk)_give": {"nfsm"},
    r"(peer_(data|acks)|bulk_(data|ask|done)|route_(heard|reply|reply_ack|error)|through_(forward|datagram))":
        {"nfsm", "through"},
    r"where_(asked|told)": {"nfsm"},
    r"(peer|bulk|route_hello|route_reply)_due": {"net", "route"},
    r"(peer|through)_send": {"net"},
    r"net_up_message": {"peer_in", "through"},
    r"net_up_room": {"net"},
    r"net_up_reachable": {"peer"},
    r"net_up_announce": {"route"},
    r"net_up_bulk_\w+": {"bulk"},
}


def test_who_calls_whom_in_the_network() -> None:
    """DN07, DN13: devices, NFSMs and remote processors are three things with one way between them."""
    found: dict[str, set[str]] = {name: set() for name in CALLS}
    for path in (TOP / "net").glob("*.c"):
        text = COMMENT.sub("", path.read_text())
        body = re.sub(r"^(?:static |enum |struct |void|bool|u32|u64|size_t)[^;{}]*\{", "", text, flags=re.M)
        for name, files in found.items():
            if path.stem != "deaf" and re.search(rf"\b{name}\b(?!:)", body):
                files.add(path.stem)
    home = {r"nfsm_(scan|due)", r"nfsm_write", r"nfsm_pass", r"nfsm_(ready|bind)"}
    for name, files in found.items():
        assert files - ({"nfsm"} if name in home else set()) == CALLS[name], name


def test_privilege_is_listed_and_looked_at_in_one_place() -> None:
    """Only dom/privilege.c looks at `privileged` (boot/dom0.c sets it), and each right on its list is
    asked for, by its name, by somebody else."""
    code = {f: COMMENT.sub("", (TOP / f).read_text(errors="replace")) for f in sources("hyp/")}
    assert sorted(f for f, text in code.items() if re.search(r"(->|\.)privileged\b", text)) == \
        ["hyp/boot/dom0.c", "hyp/dom/privilege.c"]
    rights = re.findall(r"\bMAY_[A-Z_]+\b", code.pop("hyp/dom/privilege.h"))
    assert len(rights) > 10
    assert [r for r in rights if not any(re.search(rf"\b{r}\)", text) for text in code.values())] == []


@pytest.mark.parametrize("name", ["base", "net", "kernel", "z8000"])
def test_a_pure_core_keeps_no_state(name: str) -> None:
    """No symbol of a pure library lies in .data or .bss."""
    library = TOP / "build" / "host" / f"lib{name}.a"
    if not library.exists():
        pytest.skip(f"{library.name} is not built")
    said = subprocess.run(["nm", "-A", "-f", "sysv", str(library)], check=True, capture_output=True, text=True)
    kept = [line for line in said.stdout.splitlines()
            if re.search(r"\| +[BbDdCGSgs] +\|", line) and ".data.rel.ro" not in line]
    assert kept == []


@pytest.mark.slow
def test_each_header_stands_alone() -> None:
    """Every header compiles as the only one, with the flags of its folder."""
    flags = lint.make_flags()
    failed = []
    for header in lint.tracked("*.h"):
        done = subprocess.run(
            ["gcc", *flags[lint.variant_of(header)], "-Wno-unused", "-fsyntax-only", "-include",
             header, "-x", "c", "/dev/null"],
            cwd=TOP, capture_output=True, text=True, check=False)
        if done.returncode:
            failed.append(f"{header}:\n{done.stderr[:600]}")
    assert not failed, "\n".join(failed)


# Written in pieces, so that this file does not find itself.
FORBIDDEN = re.compile("|".join([r"(?<![\w.])/wo" + "rk/", r"\.\./sha" + "red", r"(?<![\w.$])/ho" + r"me/\w",
                                 "/ro" + r"ot/\w"]))


def test_no_path_of_one_machine_is_committed() -> None:
    found = []
    for name in lint.tracked():
        path = TOP / name
        if path.stat().st_size > 1 << 20:
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        if FORBIDDEN.search(text):
            found.append(name)
    assert found == []


def test_every_c_file_says_its_licence_and_purpose_first() -> None:
    """The purpose stands in the file, or in the header of the same name."""
    bad = []
    for name in lint.tracked("*.c", "*.h"):
        lines = (TOP / name).read_text(errors="replace").splitlines()[:2]
        if not lines or "SPDX-License-Identifier: BSD-2-Clause" not in lines[0]:
            bad.append(name)
        elif not (len(lines) > 1 and lines[1].startswith("/*")) and not (
                name.endswith(".c") and (TOP / (name[:-1] + "h")).is_file()):
            bad.append(name + " (no header comment)")
    assert bad == []


def test_nothing_is_left_for_later_in_the_code() -> None:
    marks = re.compile(r"\b(TO" + "DO|FIX" + "ME|XX" + r"X|HA" + r"CK)\b")
    found = [name for name in lint.tracked("*.c", "*.h", "*.S", "*.py", "*.mk")
             if marks.search((TOP / name).read_text(errors="replace"))]
    assert found == []


def test_files_stay_small() -> None:
    """One noun per file: what grows beyond 850 lines has become two things."""
    long = {name: count for name in lint.tracked("*.c", "*.h", "*.S", "*.py")
            if not name.startswith("tests/data/")
            and (count := len((TOP / name).read_text(errors="replace").splitlines())) > 850}
    assert long == {}

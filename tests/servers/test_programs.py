# SPDX-License-Identifier: BSD-2-Clause
"""The servers as processes of a hosted node."""

import pathlib
import re
import subprocess
from collections.abc import Sequence

import pytest

from nodes import NODE, Cluster, Shell


def node(*lines: str, seconds: float = 60, options: Sequence[str] = ()) -> tuple[int, str]:
    """Status and output of a hosted node that starts these lines of a boot list."""
    runs = [o for line in lines for o in ("--run", line)]
    done = subprocess.run([NODE, *options, *runs], timeout=seconds, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
    return done.returncode, done.stdout


BOARD = "=switchboard switchboard"


def test_switchboard() -> None:
    """DS01, DS02, DS03, DS04, DS08, L05, DP02: announce, post, find, wait, remove, death, two levels."""
    status, text = node(BOARD, "+kernel switchboard-check")
    assert status == 0 and text.endswith("Test result: SUCCESS\n"), text


def test_listing_is_the_owners() -> None:
    """L05, DP01: who holds the owner's link lists and finds private names."""
    status, text = node(BOARD, "+switchboard switchboard-check owner")
    assert status == 0 and text.endswith("Test result: SUCCESS\n"), text
    status, text = node(BOARD, "switchboard-check owner")
    assert status == 1 and "FAILED  a listing" in text


def test_servers_of_the_boot_list() -> None:
    """DS04: what a server offers is given to those started after it, and to nobody before."""
    assert node("=counter counter-server", "counter-client") == (0, "counter: first 10, second 55\n")
    status, text = node("counter-client", "=counter counter-server")
    assert status == 1 and "no server" in text
    status, text = node("=x hello")
    assert status == 1 and "nothing was offered" in text


def test_switchboards_of_node_and_cluster() -> None:
    """DS07, DS08: registered with the kernel, over the link everybody is given."""
    for boards in (["+kernel =board switchboard global"],
                   ["+kernel =board switchboard global", "+kernel =switchboard switchboard local"]):
        status, text = node(*boards, "+kernel switchboard-check")
        assert status == 0 and text.endswith("Test result: SUCCESS\n"), text
    status, text = node("+kernel =board switchboard global", "+kernel switchboard global")
    assert status == 1 and "cannot be global: E_STATE" in text
    assert node("+kernel =board switchboard global", "+kernel =board switchboard global replace", "hello")[0] == 0


def test_links_a_process_is_born_with() -> None:
    """DS04, L05: everybody gets the switchboard's, what was offered before, and what its boot line says."""
    usual = "console clock programs switchboard"
    assert node("links", "=counter counter-server", "links", "wait", "+kernel +counter links") == (
        0, f"{usual}\n{usual} counter\n{usual} counter kernel\n")
    assert node("+self links") == (0, f"{usual} self\n")
    assert shell("links") == f"{usual} files kernel self\n"


def test_local_names_stay_on_their_node(tmp_path: pathlib.Path) -> None:
    """DS06, DS08: a node's own switchboard is found by nobody else and knows the cluster's names besides its own,
    which last when the cluster's switchboard has gone."""
    local = ("+kernel =board switchboard local", "=counter counter-server")
    with Cluster(tmp_path) as cluster:
        cluster.start(1, "+kernel switchboard global")
        near = cluster.shell(2, *local, "announce here counter",
                             "=far counter-server", "announce far")
        away = cluster.shell(3)
        assert "first 10" in near.say("with counter counter-client")
        assert "first 10" not in away.say("with counter hello &")
        away.until("with far hello", "hello, world")
        assert away.say("jobs") == "[1] with\n"  # still looks for a name that is not for it
        cluster.kill(1)
        assert "first 10" in near.say("with counter counter-client")


def test_a_second_switchboard(tmp_path: pathlib.Path) -> None:
    """DS17: with a copy of a name at a switchboard of its own, a node finds the service, which is elsewhere, after
    the cluster's switchboard has died with its node; one without does not."""
    with Cluster(tmp_path) as cluster:
        cluster.start(1, "+kernel switchboard global")
        cluster.start(3, "=counter counter-server", "announce counter")
        careful = cluster.shell(2, "+kernel =board switchboard local",
                                "+kernel with counter announce here counter")
        other = cluster.shell(4)
        for shell in (careful, other):
            assert "first 10" in shell.say("with counter counter-client")
        careful.until("ps", " announce$")  # it has found the link, and only has its own switchboard to tell
        cluster.kill(1)
        assert "first 10" in careful.say("with counter counter-client")
        assert "first 10" not in other.say("with counter counter-client &")
        assert "first 10" in careful.say("with counter counter-client")
        assert other.say("jobs") == "[1] with\n"


def test_names_across_nodes(tmp_path: pathlib.Path) -> None:
    """DS05, DN21, DS03: three nodes, no configuration; the one with the switchboard comes last."""
    with Cluster(tmp_path) as cluster:
        client = cluster.start(3, "+kernel with counter counter-client")
        cluster.start(2, "=counter counter-server", "announce counter")
        cluster.start(1, "+kernel switchboard global")
        text, _ = client.communicate(timeout=30)
        assert (client.returncode, text) == (0, "counter: first 10, second 55\n")


FILES = ["=disk ramdisk 16", "=buffers buffers make", "=directories directories", "=files files"]


def test_files() -> None:
    """DS16's protocol, DP02, DP04: open files are links, bytes move between areas, death closes."""
    status, text = node(*FILES, "+kernel files-check")
    assert status == 0 and text.endswith("Test result: SUCCESS\n"), text


def test_short_messages_are_calls() -> None:
    """DL09: of what the file system and its user say to each other, as the node's meter has it."""
    status, text = node(*FILES, "filebench open 50", "wait", "+kernel ps -k")
    sent, share = map(int, re.findall(r"\d+", text.splitlines()[-1]))
    assert status == 0 and sent > 500 and 80 <= share < 100, text


def test_no_file_system_on_the_disk() -> None:
    status, text = node("=disk ramdisk 1", "=buffers buffers", "hello")
    assert status == 1 and "cannot mount" in text and "hello, world" in text


def test_quotas() -> None:
    """DS16, L02: what an owner holds has a limit, that who has the owner's link sets."""
    status, text = node(*FILES, "+kernel +files files-check quotas")
    assert status == 0 and "  ok      not more\n" in text and text.endswith("Test result: SUCCESS\n"), text


def test_files_across_nodes(tmp_path: pathlib.Path) -> None:
    """DS16, DP04: each of the four on a node of its own, their user on a fifth."""
    with Cluster(tmp_path) as cluster:
        user = cluster.start(5, "+kernel with files files-check")
        cluster.start(4, "+kernel =files with directories files", "announce files")
        cluster.start(3, "+kernel =directories with buffers directories", "announce directories")
        cluster.start(2, "+kernel =buffers with disk buffers make", "announce buffers")
        cluster.start(1, "+kernel switchboard global", FILES[0], "announce disk")
        text, _ = user.communicate(timeout=60)
        assert user.returncode == 0 and text.endswith("Test result: SUCCESS\n"), text


SEND, MOVE = "8000", "800a"  # guest/kernel/trace.h


@pytest.mark.parametrize(("work", "sends", "moves"), [
    ("read", 2, 1), ("write", 2, 1), ("open", 6, 1), ("name", 5, 0),
])
def test_messages_of_an_operation(tmp_path: pathlib.Path, work: str, sends: int, moves: int) -> None:
    """DL23: reading and writing 64 KiB are a request, a MOVEDATA and an answer; opening is four
    messages, by way of names to the one that has the bytes, and a read."""
    counts = []
    for turns in (10, 30):
        trace = tmp_path / f"{turns}"
        assert node(*FILES, f"filebench {work} {turns}", options=["--trace", str(trace)]) == (0, "")
        kinds = [line.split()[1] for line in trace.read_text().splitlines()]
        counts.append((kinds.count(SEND), kinds.count(MOVE)))
    (few, few_moves), (many, many_moves) = counts
    assert many_moves - few_moves == 20 * moves
    assert 20 * sends <= many - few <= 20 * sends + 2  # the buffer manager asks for the time now and then


def shell(*lines: str, boards: tuple[str, ...] = ()) -> str:
    """What the shell says to these lines on its console, without its prompts."""
    options = [o for line in (*boards, *FILES, "+kernel shell") for o in ("--run", line)]
    done = subprocess.run([NODE, *options], timeout=60, input="".join(f"{line}\n" for line in [*lines, "exit"]),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, text=True)
    return done.stdout.replace("demos> ", "")


def test_shell_files() -> None:
    """L02, DS01: the shell is a process with links to the others."""
    said = shell("put a some words", "cp a b", "mkdir d", "mv b d/c", "ls", "cat d/c", "rm a", "ls d", "cat a")
    assert said == (
        "        11 a\n       128 d\nsome words\n        11 c\na: file error -4, no such file\n")


UNKNOWN = ": no such command or program; try help\n"


def test_shell_carries_files() -> None:
    """DS01: bytes by their digits, with a CRC; what is no digit ends it. What did not come whole, or is not what
    the CRC says, is not there, nor gone what was."""
    said = shell("take box 5 a1c57b71", "00 ff", "give box", "take box 5 a1c57b71", "00ff0a", "0d41",
                 "take box 5 a1c57b71", "00ff0a0d42", "take box 1 a1c57b7", "00", "give box", "give box~",
                 "take x 1", "take no/x 1 a1c57b71", "give no")
    assert said == ("taking\nnot taken\nff" + UNKNOWN + "box: file error -4, no such file\n"
                    "taking\ntaken a1c57b71\ntaking\nnot taken\ntaking\nnot taken\n"
                    "giving\n00ff0a0d41\ngiven a1c57b71\n"
                    "box~: file error -4, no such file\ntake FILE BYTES CRC: E_ARGUMENT\n"
                    "no/x: file error -4, no such file\nno: file error -4, no such file\n")


def test_shell_programs() -> None:
    said = shell("hello you", "nosuch", "with never hello &", "jobs", "kill 1", "kill 1", "jobs", "x" * 300,
                 boards=("+kernel =board switchboard global",))
    assert said == ("hello, world you\nnosuch" + UNKNOWN + "[1] with\n[1] with\nwith: killed\n"
                    "kill: no such program: E_ARGUMENT\n" + "x" * 300 + UNKNOWN)


def test_shell_names(tmp_path: pathlib.Path) -> None:
    """DS01, DS02, L05: what is announced, posted and waited for, to who has the switchboard's owner's link; and to
    nobody else. What has ended is gone from it."""
    with Cluster(tmp_path) as cluster:
        said = Shell(cluster.start(1, "+kernel =switchboard switchboard", "=counter counter-server",
                                   "announce here first counter", "announce here second counter", "+kernel member",
                                   "+kernel +switchboard shell"))
        assert said.say("with never hello &") == "[1] with\n"
        listed = said.until("names", r"(?s)(?=.*first)(?=.*second)(?=.*machine).*never")
        assert sorted(listed.splitlines()) == ["announced first", "announced second", "posted    machine",
                                               "wanted    never"]
        [named] = re.findall(r"^ *(0:\d+) .* announce$", said.say("ps"), re.M)[:1]
        assert said.say(f"kill {named}") == ""
        assert len(said.say("names").splitlines()) == 3
        other = Shell(cluster.start(2, "+kernel =switchboard switchboard", "+kernel shell"))
        assert other.say("names") == "names, which its owner may ask the switchboard for: E_ALLOWED\n"


def test_shell_pipes() -> None:
    """DS01: what one prints goes to the next in messages; commands of the shell's own begin a pipe, too."""
    said = shell("put a one two", "cat a | lines", "hello pipes | match pipe | lines", "hello | match nothing",
                 "hello | hello", "| lines", "hello | lines &", "hello | nosuch", "ls | match a")
    assert said == ("1 lines, 8 bytes\n1 lines, 19 bytes\nmatch: status 1\nhello, world\nhello: reads no input\n"
                    "COMMAND | PROGRAM ...: E_ARGUMENT\na pipe behind: E_ARGUMENT\nnosuch" + UNKNOWN +
                    "         8 a\n")


def test_shell_edits_lines() -> None:
    """DS01: for a terminal that asks for it the line is edited and shown as it is typed."""
    said = shell("\x1ehelo\x1b[Dl\x05 you", "\x1b[A again", "\x1fhello plain")
    assert [line for line in said.split("\n") if line.startswith("hello, world")] == [
        "hello, world you", "hello, world you again", "hello, world plain"]
    assert "hello\x1b[K\x1b[1D" in said  # the letter put in, and the cursor back

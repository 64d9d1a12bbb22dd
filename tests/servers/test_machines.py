# SPDX-License-Identifier: BSD-2-Clause
"""Memory managers, and the shell's commands about machines, on several hosted nodes."""

import pathlib
import re
import subprocess
from collections.abc import Callable

from nodes import NODE, Cluster, Shell
from test_programs import FILES

BOARD = "+kernel =board switchboard global"
MANAGER = (BOARD, "+board =memory memory", "+kernel =member member")
MEMBER = "+kernel =member member"
STAYS = "+kernel member"  # not as a server: the node lasts until it ends


def machines(said: str) -> dict[int, str]:
    """State of each machine that `nodes` shows."""
    return {int(m): state for m, state in re.findall(r"^ *(\d+) +\d+ (\w+)", said, re.M)}


def entered(shell: Shell, *numbers: int) -> None:
    lines = "".join(rf"(?=.*^ *{n} +\d+ alive)" for n in numbers)
    shell.until("nodes", f"(?s){lines}.*")


def where(shell: Shell, name: str) -> list[str]:
    """MACHINE:ROW of every process of that name, anywhere."""
    return re.findall(rf"^ *(\d+:\d+) .* {name}$", shell.say("ps"), re.M)


def test_shell_over_machines(tmp_path: pathlib.Path) -> None:
    """DS01, DS10, DS11, DS14, DS03, L31, DL16: programs started, listed, moved and ended anywhere, from one shell.

    Their files are the bundle of the shell's node; what they print comes to its console."""
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, *MANAGER)
        for number in (2, 3):
            cluster.start(number, STAYS, "with never hello")
        entered(shell, 1, 2, 3)
        assert shell.say("on 2 hello you") == "hello, world you\n"
        assert shell.say("on 3 with never2 hello &") == "[1] with\n"
        before = [w for w in where(shell, "with") if w.startswith("3:")]
        assert len(before) == 2  # one is the node's own
        theirs = max(before, key=lambda w: int(w.split(":")[1]))
        assert shell.say(f"move {theirs} 2") == ""
        assert sorted(w[0] for w in where(shell, "with")) == ["2", "2", "3"]
        assert shell.say("kill 1") == "with: killed\n"  # the control link follows it
        assert sorted(w[0] for w in where(shell, "with")) == ["2", "3"]
        assert shell.say(f"kill {where(shell, 'with')[0]}") == ""
        assert len(where(shell, "with")) == 1
        assert "E_DEAD" in shell.say("on 9 hello") and "E_DEAD" in shell.say("kill 2:77")


def test_machines_that_die_and_return(tmp_path: pathlib.Path) -> None:
    """DS11, DL24: a call to a machine declared dead ends at once; its next boot enters with a new epoch."""
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, *MANAGER)
        cluster.start(2, MEMBER, "=counter counter-server", "announce counter")
        entered(shell, 1, 2)
        assert "first 10" in shell.say("with counter counter-client")
        cluster.kill(2)
        assert machines(shell.say("nodes")) == {1: "alive", 2: "alive"}  # silence declares nothing
        assert shell.say("with counter counter-client &") == "[1] with\n"  # asks one that is gone
        assert "machine 2, boot" in shell.until("dead 2", "is dead") + shell.say("help")
        shell.until("nodes", r"^ *2 +\d+ dead")
        shell.until("jobs", r"(?s)^(?!.*\[1\])")
        assert "E_DEAD" in shell.say("on 2 hello")
        cluster.start(2, STAYS)
        entered(shell, 1, 2)
        assert "hello, world again\n" in shell.say("on 2 hello again")


def test_a_machine_that_returns_at_once(tmp_path: pathlib.Path) -> None:
    """DL24, F11: killed in the midst of a conversation and up again within milliseconds, it is another boot."""
    with Cluster(tmp_path) as cluster:
        cluster.start(2, BOARD, "=counter counter-server", "announce counter")
        for _ in range(6):
            killed = cluster.start(3, "+kernel with counter counter-client 1000 1")
            assert killed.stdout and "10 steps" in killed.stdout.readline()
            cluster.kill(3)
            again = cluster.start(3, "+kernel with counter counter-client")
            assert "first 10" in again.communicate(timeout=100)[0]


def test_watching_manager(tmp_path: pathlib.Path) -> None:
    """DS10: a manager that watches declares a machine dead by itself when it does not answer three questions. They
    are so far apart that a busy host's nodes answer."""
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, BOARD, "+board =memory memory watch 400", MEMBER)
        cluster.start(2, STAYS)
        entered(shell, 1, 2)
        cluster.kill(2)
        shell.until("nodes", r"^ *2 +\d+ dead")
        assert machines(shell.say("nodes"))[1] == "alive"


def test_programs_that_die_with_their_machine(tmp_path: pathlib.Path) -> None:
    """DL24, DS10: who started a program hears when the machine it is on by then is declared dead, and is done."""
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, BOARD, "+board =memory memory watch 400", MEMBER)
        cluster.start(2, STAYS)
        cluster.start(3, STAYS)
        entered(shell, 1, 2, 3)
        shell.say("on 2 with never hello &")
        [moves] = where(shell, "with")
        assert shell.say(f"move {moves} 3") == ""
        shell.say("on 2 with never hello &")
        cluster.kill(2)
        said = shell.until("jobs", r"its machine is dead")  # the one that was still there
        assert said.count("with: its machine is dead") == 1
        assert shell.say("jobs") == "[1] with\n"
        assert shell.say("on 3 with never hello &") == "[2] with\n"
        assert shell.process.stdin
        shell.process.stdin.write("wait\n")  # now the shell does nothing but wait for both
        shell.process.stdin.flush()
        cluster.kill(3)
        assert shell.say(None).count("with: its machine is dead") == 2 and shell.say("jobs") == ""


def outlasted(shell: Shell, program: str, rounds: int, steps: Callable[[], bool]) -> str:
    """What was said from the program's start to its end, when it was still there after these steps. On a host
    where it is not, they are taken again beside one that has more to do."""
    while True:
        begun = len(shell.said)
        shell.say(program.format(rounds) + " &")
        there = steps()
        shell.say("wait")
        if there:
            return shell.said[begun:]
        rounds *= 4


def test_a_process_that_moves_keeps_its_files(tmp_path: pathlib.Path) -> None:
    """L19: one that reads a file goes to another machine and back; every read is good, and it closes the file."""
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, *MANAGER, *FILES)
        cluster.start(2, STAYS)
        entered(shell, 1, 2)

        def there_and_back() -> bool:
            for place in (2, 1, 2, 1):
                for reader in where(shell, "filebench"):
                    assert shell.say(f"move {reader} {place}") in ("", "move: E_DEAD\n")
                if [w[0] for w in where(shell, "filebench")] != [str(place)]:
                    return False
            return True

        said = outlasted(shell, "filebench byte {}", 5000, there_and_back)
        assert "[1] filebench" in said and "status" not in said, said  # it was 0
        assert shell.say("jobs") == ""


def test_a_program_moves_itself(tmp_path: pathlib.Path) -> None:
    """L19, DL16: by its own control link, with its memory. It is where it says, and hears why it may not go."""
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, *MANAGER)
        for number in (2, 3):
            cluster.start(number, STAYS)
        entered(shell, 1, 2, 3)
        assert shell.say("nomad 2 2 3 1") == "".join(f"nomad: on machine {m}\n" for m in (2, 3, 1) * 2) + \
            "nomad: 6 visits, 6 of 6 steps counted\n"
        shell.say("on 3 nomad 1000000 2 3 1 &")
        for number in (1, 2, 3):
            shell.until("ps", rf"^ *{number}:\d+ .* nomad$")
        assert "nomad: killed" in shell.say("kill 1")
        cluster.kill(3)
        shell.until("dead 3", "is dead")
        said = shell.say("nomad 1 0 1 3 2 1")
        assert said == ("nomad: not to machine 0: E_ARGUMENT\nnomad: on machine 1\n"
                        "nomad: not to machine 3: E_DEAD\nnomad: on machine 2\n"
                        "nomad: on machine 1\nnomad: 3 visits, 5 of 5 steps counted\n")
        bare = cluster.start(4, "+self nomad 1 2", "wait", "nomad 1 2")  # the second was not given its own
        assert bare.communicate(timeout=100)[0] == (
            "nomad: on machine 2\nnomad: 1 visits, 1 of 1 steps counted\n"
            "nomad: not to machine 2: E_LINK\nnomad: 0 visits, 1 of 1 steps counted\n")


def test_no_frames_for_a_move(tmp_path: pathlib.Path) -> None:
    """DL24, L19: a machine that has too little memory refuses in the middle of a move; the only copy goes on, and
    can go elsewhere. So with one whose frames are taken by others, until these end."""
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, *MANAGER)
        cluster.start(2, STAYS, options=("--memory", "2"))
        cluster.start(3, STAYS)
        entered(shell, 1, 2, 3)

        def refused_and_gone() -> bool:
            told = shell.said.rindex("[1] large")
            while "large: written" not in shell.said[told:]:  # else it would fit
                shell.say("jobs")
            for at in where(shell, "large"):
                refused = shell.say(f"move {at} 2")
                assert refused in ("move: E_MEMORY\n", "move: E_DEAD\n")
                if where(shell, "large") == [at]:
                    assert "E_MEMORY" in refused and shell.say(f"move {at} 3") in ("", "move: E_DEAD\n")
            return [w[0] for w in where(shell, "large")] == ["3"]

        said = outlasted(shell, "large 3 {} written", 1000, refused_and_gone)
        assert re.search(r"large: 3 MiB, \d+ rounds, 0 words wrong\n", said), said
        jobs = 0
        while "E_MEMORY" not in shell.say("nomad 1 2 1"):
            shell.say("on 2 with never hello &")
            jobs += 1
            assert jobs < 32
        said = shell.say("nomad 1 2 3 1")
        assert said == ("nomad: not to machine 2: E_MEMORY\nnomad: on machine 3\nnomad: on machine 1\n"
                        "nomad: 2 visits, 3 of 3 steps counted\n")
        for job in range(1, jobs):
            shell.say(f"kill {job}")
        assert "nomad: on machine 2\n" in shell.say("nomad 1 2 1")


def turn(shell: Shell, names: tuple[str, ...], step: int) -> int:
    """Moves each of these servers on to another machine, from wherever it is; how many it found at one place."""
    listed = shell.say("ps")
    at = [re.search(rf"^ *(([123]):\d+) .* {name}$", listed, re.M) for name in names]
    for place in filter(None, at):
        said = shell.say(f"move {place[1]} {(int(place[2]) + step) % 3 + 1}")
        assert "move:" not in said, said
    return sum(place is not None for place in at)


MOVES = 40  # at least: a host that is done with its work earlier gets more of it
FOUR = ("disk", "buffers", "directories", "files")


def on_disk(*words: object) -> bytes:
    done = subprocess.run([NODE.with_name("demos-fs"), *map(str, words)], stdout=subprocess.PIPE, check=True)
    return done.stdout


def test_servers_of_files_move_under_load(tmp_path: pathlib.Path) -> None:
    """L19, DP04, DS16: each of the file system's four goes from machine to machine, the disk interface away from
    its disk too, while three users write and sync. No call fails; every file is right, byte for byte."""
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(16 << 20))
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, *MANAGER)
        cluster.start(2, "+disks =disk disk", *FILES[1:], "announce files", STAYS,
                      options=("--disk", str(disk)))
        cluster.start(3, STAYS)
        entered(shell, 1, 2, 3)
        rounds = moves = step = 0
        while moves <= MOVES:
            rounds += 1
            for node in (1, 2, 3):
                shell.say(f"on {node} with files files-keep 60 user{node}.{rounds} &")
            while True:
                moves, step = moves + turn(shell, FOUR, step), step + 1
                if "files-keep" not in shell.say("ps"):
                    break
            shell.say("wait")
        said = shell.said + shell.say("jobs")
        assert not re.search("cannot|status [^0]", said), said
        cluster.kill(2)
    assert b": clean" in on_disk("check", disk)
    for user in (f"user{node}.{k + 1}" for node in (1, 2, 3) for k in range(rounds)):
        for k in range(1, 61):  # as files-keep has it
            wanted = bytes((k * 7 + i * 3 + i // 256) & 255 for i in range(1 + k * 1237 % 6000))
            assert on_disk("get", disk, f"{user}/f{k}") == wanted


def test_managing_servers_move_under_load(tmp_path: pathlib.Path) -> None:
    """L19, DS01: switchboard, memory manager, process manager, clock, and a pager with its disk. The shell that
    moves them needs three of them for that, a node pages to the pager, and time does not jump."""
    names = ("switchboard", "memory", "manager", "calendar", "pager", "ramdisk")
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, *MANAGER, "=calendar calendar source 1000",
                              "+kernel =manager manager peers stay push")
        cluster.start(2, "=disk ramdisk 16", "=pager pager", "announce pager", "=counter counter-server",
                      "announce counter", STAYS)
        cluster.start(3, STAYS)
        entered(shell, 1, 2, 3)
        pages = cluster.start(4, "+kernel with pager paging 4096", "wait", "large 5 2", options=("--memory", "4"))
        dates = cluster.start(5, "=calendar calendar", "date check 200")
        moves = step = 0
        while pages.poll() is None or dates.poll() is None or moves <= MOVES:
            moves, step = moves + turn(shell, names, step), step + 1
            assert shell.say("with counter counter-client") == "counter: first 10, second 55\n"
            assert shell.say("on any hello") == "hello, world\n"
            assert set(machines(shell.say("nodes"))) >= {1, 2, 3}
        assert pages.communicate()[0] == "large: 5 MiB, 2 rounds, 0 words wrong\n"
        assert "date: 200 times" in dates.communicate()[0]


def test_who_may_start_programs(tmp_path: pathlib.Path) -> None:
    """L06, DL03: making processes takes a link that gives that right, here as elsewhere; the memory manager's
    plain link only lists, and without the kernel's nothing starts here."""
    with Cluster(tmp_path) as cluster:
        owner = cluster.shell(1, *MANAGER, "announce memory memory")
        guest = Shell(cluster.start(2, MEMBER, "=counter counter-server", "+kernel with memory shell"))
        entered(owner, 1, 2)
        assert machines(guest.say("nodes")) == {1: "alive", 2: "alive"}
        [server] = where(owner, "counter-server")
        for line in ("on 1 hello", "on 2 hello", f"kill {server}", f"move {server} 1", "dead 1", "ps"):
            assert "E_ALLOWED" in guest.say(line), line
        assert guest.say("hello") == "hello, world\n"  # it has its own kernel's link
        bare = Shell(cluster.start(3, MEMBER, "shell"))
        assert "E_LINK" in bare.say("hello")
        assert where(owner, "counter-server") == [server] and machines(owner.say("nodes"))[1] == "alive"


def test_partitions(tmp_path: pathlib.Path) -> None:
    """DS12: two managers share out the machines; neither sees or steers the other's."""
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, BOARD, "+board =memory memory a", "+board =other memory b",
                              "+kernel =member member a")
        cluster.start(2, f"{STAYS} a")
        cluster.start(3, f"{STAYS} b")
        entered(shell, 1, 2)
        assert machines(shell.say("nodes")) == {1: "alive", 2: "alive"}
        assert "E_DEAD" in shell.say("on 3 hello")


def test_a_server_is_replaced(tmp_path: pathlib.Path) -> None:
    """L42: a service ends and another takes its name, on another machine; nothing else starts anew, and who asks
    by name is served by the new one."""
    with Cluster(tmp_path) as cluster:
        shell = cluster.shell(1, *MANAGER)
        cluster.start(2, MEMBER, "=counter counter-server", "announce counter", "with never hello")
        entered(shell, 1, 2)
        assert "first 10" in shell.say("with counter counter-client")
        [name], [old] = where(shell, "announce"), where(shell, "counter-server")
        assert shell.say(f"kill {name}") == ""  # its entry goes with it, before the shell hears
        assert shell.say("with counter counter-client &") == "[1] with\n"  # asks, and waits
        cluster.start(3, MEMBER, "=counter counter-server", "announce counter", "with never hello")
        assert "first 10, second 55" in shell.say("wait")
        assert shell.say(f"kill {old}") == ""
        assert "first 10, second 55" in shell.say("with counter counter-client")
        assert [w[0] for w in where(shell, "counter-server")] == ["3"]

# SPDX-License-Identifier: BSD-2-Clause
"""harness/deps and the doctor: quick when nothing is missing, honest when something is; a first run waits
for little.
"""

import json
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
DEPS = TOP / "harness" / "deps"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(DEPS), *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, **environment}, timeout=60)


def fake_dpkg(tmp_path: pathlib.Path, absent: set[str]) -> str:
    """A PATH whose dpkg-query knows every package of the list but the absent ones."""
    names = [p for p in run("--list").stdout.split() if p not in absent]
    lines = "".join(f"echo '{name} installed'\n" for name in names)
    tool = tmp_path / "dpkg-query"
    tool.write_text("#!/bin/sh\n" + lines)
    tool.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def test_all_there_says_nothing(tmp_path: pathlib.Path) -> None:
    done = run("--check", PATH=fake_dpkg(tmp_path, set()))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_wanted_package_is_named_but_no_failure(tmp_path: pathlib.Path) -> None:
    done = run("--check", PATH=fake_dpkg(tmp_path, {"tshark"}), OSMOSIS_CACHE=str(tmp_path))
    assert done.returncode == 0 and "skipped: tshark" in done.stderr


def test_a_needed_package_is_a_failure_with_the_command(tmp_path: pathlib.Path) -> None:
    done = run("--check", PATH=fake_dpkg(tmp_path, {"libxen-dev"}), OSMOSIS_CACHE=str(tmp_path))
    assert done.returncode == 1 and "apt-get install libxen-dev" in done.stderr


def test_a_first_run_waits_for_what_it_needs_only(tmp_path: pathlib.Path) -> None:
    path = fake_dpkg(tmp_path, {"libxen-dev", "tshark"})
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    apt.chmod(0o755)
    for tool in ("sudo", "id"):
        (tmp_path / tool).write_text('#!/bin/sh\n[ "$1" = -u ] && echo 0 || exec "$@"\n')
        (tmp_path / tool).chmod(0o755)
    done = run("--needed", PATH=path, OSMOSIS_CACHE=str(tmp_path / "cache"))
    asked = (tmp_path / "asked").read_text()
    assert done.returncode == 1 and "libxen-dev" in asked and "tshark" not in asked + done.stderr


def path_without(tmp_path: pathlib.Path, *absent: str) -> str:
    """A PATH with every program of /usr/bin but these."""
    for program in pathlib.Path("/usr/bin").iterdir():
        if program.name not in absent and not (tmp_path / program.name).exists():
            (tmp_path / program.name).symlink_to(program)
    return str(tmp_path)


def script(path: pathlib.Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_sudo_comes_after_the_words(tmp_path: pathlib.Path) -> None:
    """Whoever is not root reads what is going to be installed before he is asked for a password."""
    fake_dpkg(tmp_path, {"libxen-dev"})
    script(tmp_path / "id", "echo 1000")
    script(tmp_path / "sudo", f'cat "{tmp_path}/said" >> "{tmp_path}/before"; echo "$@" >> "{tmp_path}/asked"')
    path = path_without(tmp_path, "dpkg-query", "sudo", "id")
    with open(tmp_path / "said", "w", encoding="utf-8") as said:
        done = subprocess.run([str(DEPS), "--needed"], stderr=said, check=False, timeout=60,
                              env={**os.environ, "PATH": path, "OSMOSIS_CACHE": str(tmp_path / "cache")})
    asked = (tmp_path / "asked").read_text().splitlines()
    assert "apt-get -qq update" in asked and asked[-1].endswith("--no-install-recommends libxen-dev"), asked
    assert (tmp_path / "before").read_text().startswith("deps: installing: libxen-dev\n")
    assert done.returncode == 1 and "NEEDED and missing: libxen-dev" in (tmp_path / "said").read_text()


def test_without_root_or_sudo_the_command_is_told(tmp_path: pathlib.Path) -> None:
    fake_dpkg(tmp_path, {"libxen-dev"})
    script(tmp_path / "id", "echo 1000")
    path = path_without(tmp_path, "dpkg-query", "sudo", "id")
    done = run("--needed", PATH=path, OSMOSIS_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 1 and "apt-get install libxen-dev" in done.stderr


def test_the_doctor_names_what_is_taken_away(tmp_path: pathlib.Path) -> None:
    """Needed tools make it fail, others do not; each comes with what would bring it."""
    def doctor(path: str) -> tuple[int, dict[str, dict[str, str]]]:
        command = ["/usr/bin/python3", str(TOP / "harness" / "osmosis"), "doctor", "--json"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "PATH": path})
        return done.returncode, {f["name"]: f for f in json.loads(done.stdout)["findings"]}

    whole, few, none = (tmp_path / name for name in ("whole", "few", "none"))
    for place in (whole, few, none):
        place.mkdir()
    status, found = doctor(path_without(whole))
    assert found["qemu-system-x86_64"]["state"] == "ok"
    assert status == any(f["state"] == "missing" for f in found.values())
    status_without, found = doctor(path_without(few, "shellcheck"))
    assert status_without == status and found["shellcheck"]["state"] == "absent"
    assert "apt-get install shellcheck" in found["shellcheck"]["remedy"]
    status, found = doctor(path_without(none, "qemu-system-x86_64", "ld.bfd"))
    assert status == 1 and {found[n]["state"] for n in ("qemu-system-x86_64", "ld.bfd")} == {"missing"}
    assert "apt-get install qemu-system-x86" in found["qemu-system-x86_64"]["remedy"]
    assert "apt-get install binutils" in found["ld.bfd"]["remedy"]


def test_what_the_harness_calls_is_in_the_list() -> None:
    packages = run("--list").stdout.split()
    assert len(packages) == len(set(packages))
    sys.path.insert(0, str(TOP / "harness"))
    from osmo import doctor
    assert {tool.package for tool in doctor.TOOLS} <= set(packages)

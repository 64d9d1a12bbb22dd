# SPDX-License-Identifier: BSD-2-Clause
"""Reports and exports of a run that was made by hand: whole, true to the trace, well-formed.

The picture is taken by headless Chromium at the width of a phone.
"""

import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from osmo import (campaign_report, cli, cluster, experiment, export, judge, pictures, report, result, stats,
                  survival, svg)
from osmo.abi import Record
from osmo.errors import Problem
from osmo.history import Life
from osmo.ledger import Ledger
from osmo.types import WHY, Kernel, Net
from synthetic import MS, World

CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium"))), None)


def broken_world() -> World:
    world = World()
    world.traffic(40)
    world.send(20 * MS, 1, 2)
    number = world.message(21 * MS, 2, 3, 4 * MS)
    world.at(26 * MS, 3, Kernel.RECEIVE, 5, 2 << 32 | 5, number)
    for i in range(5):
        world.records.append(Record(20 * MS + i, Net.MEDIUM_SEND, 11, 2, i, 100))
    world.records.append(Record(20 * MS, Net.MEDIUM_DROP, 11, 2, 3, WHY.index("loss")))
    for i, (node, kind, other, b) in enumerate((
            (1, Net.SEND, 2, 1000), (1, Net.SEND, 2, 500), (2, Net.DELIVER, 1, 1000), (1, Net.RESEND, 2, 1),
            (2, Net.SEND, 1, 64), (3, Net.BULK, 1, 0), (3, Net.DROP, 1, 2))):
        world.at(30 * MS + i, node, kind, other, i, b)
    return world


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> pathlib.Path:
    """What `run --out` leaves behind, without a run."""
    world = broken_world()
    (tmp_path / "trace").write_bytes(world.trace())
    events = [{"ns": 0, "event": "start", "name": f"n{i}", "domid": 10 + i} for i in (1, 2, 3)]
    events.append({"ns": 35 * MS, "event": "exit", "name": "n3", "domid": 13, "reason": "crash"})
    events.append({"ns": 37 * MS, "event": "start", "name": "n3", "domid": 14})
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "n1.log").write_text("<script>alert('x')</script>\n")
    nodes = [{"name": f"n{i}", "number": i, "machine": "z8000" if i == 3 else "x86", "memory": 8 << 20,
              "media": ["net"], "ended": "crash" if i == 3 else "running", "ended_ns": None, "starts": 1,
              "sent": 13, "received": 14, "console_bytes": 28} for i in (1, 2, 3)]
    faults = [{"id": "F01", "do": "loss 0.25", "target": "medium", "name": "net", "at_ns": 10 * MS,
               "for_ns": 20 * MS, "after": "", "struck": 1, "first_ns": 20 * MS}]
    invariants = {"loss": {"checked": 41, "broken": 1, "first": ["message 15 never arrived"]},
                  "duplicate": {"checked": 42, "broken": 1, "first": ["received again"]},
                  "order": {"checked": 41, "broken": 0, "first": []}}
    result.Result(name="synthetic <&>", seed=7, virtual_ns=50 * MS, nodes=nodes, faults=faults,
                  media=[{"name": "line", "kind": "line8", "number": 1},
                         {"name": "net", "kind": "ether", "number": 2}],
                  used=[{"name": "n1", "lives": 1, "run_ns": 5 * MS, "exits": 1234, "hypercalls": 77, "upcalls": 8,
                         "sends": 9, "grants": 10, "faults": 11, "copied_bytes": 4242, "frames": 512,
                         "overhead": 65536}],
                  invariants=invariants, git="0123456789abcdef",
                  error="invariant loss broken 1 times", digests={"trace": "00" * 32},
                  qemu={"version": "QEMU 7.2", "argv": ["qemu", "-x"]}).write(tmp_path)
    return tmp_path


def test_the_report_is_one_whole_file(directory: pathlib.Path) -> None:
    text = report.write(directory).read_text()
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "") and "https://" not in text
    assert "<script" not in text and "&lt;script&gt;" in text
    for words in ("osmosis replay", "synthetic &lt;&amp;&gt;", "viewport", "loss 0.25", "first broken",
                  "message 15 never arrived", "TWICE", "never arrived", "p99.9"):
        assert words in text, words


@pytest.mark.parametrize("file,content", [
    ("result.json", "[]"), ("result.json", "x"), ("events.jsonl", "{\n"), ("events.jsonl", "[1]\n"),
    ("events.jsonl", "\x00\n")])
def test_what_is_damaged_is_said(directory: pathlib.Path, file: str, content: str,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    """Of a directory that was cut or edited: which, and what to do."""
    (directory / file).write_text(content)
    for command in ("report", "export"):
        assert cli.main([command, str(directory)]) == 2
        said = capsys.readouterr().err
        assert str(directory) in said and ("have the run again" in said or "name a directory" in said), said


def test_no_line_goes_through_the_name_of_another() -> None:
    """Of the histogram's quantiles, wherever they lie."""
    for values in ([10**3] * 50 + [10**8], [10**8] * 100, [10**3, 10**4, 10**5], list(range(1, 10**6, 997))):
        picture = xml.fromstring(pictures.latency(values))
        lines = [(float(e.get("x1", 0)), float(e.get("y1", 0))) for e in picture.iter()
                 if e.tag.endswith("line") and e.get("stroke-dasharray")]
        names = [e for e in picture.iter() if e.tag.endswith("text") and (e.text or "").startswith("p")]
        assert len(lines) == len(names) == 3
        for name in names:
            x, y, long = float(name.get("x", 0)), float(name.get("y", 0)), 6.5 * len(name.text or "")
            first, last = (x - long, x) if name.get("text-anchor") == "end" else (x, x + long)
            assert not [at for at in lines if first < at[0] < last and at[1] < y - 8], (values[:3], name.text)
            assert all(y < float(e.get("y", 0)) for e in picture.iter() if e.tag.endswith("rect")), "red on blue"


def test_no_figure_begins_outside_its_picture() -> None:
    """What stands at the left of an axis has the room that its digits take."""
    world = World()
    for i in range(1000):
        world.message(i * MS // 250, 1, 2)
    for drawn in (pictures.recovery(world.history(), 8 * MS, []), pictures.latency([1000] * 123_456)):
        ends = [e for e in xml.fromstring(drawn).iter() if e.get("text-anchor") == "end"]
        assert any(len(e.text or "") >= 7 for e in ends)
        assert all(float(e.get("x", "0")) >= 6.2 * len(e.text or "") for e in ends), [e.text for e in ends]


def test_what_is_broken_is_seen_first(directory: pathlib.Path) -> None:
    """On a phone a table's end is out of sight: of invariants the broken ones stand first, with what broke, and of
    a campaign's columns those that did not always hold."""
    names = [row[0] for row in cells(directory, "What had to hold")]
    assert names == ["loss", "duplicate", "order"]
    assert "✗ broken, 1 of 41" in report.page(directory) and "held, 41" in report.page(directory)
    drawn = campaign_report.survival_table({"any": {"loss": [2, 2], "leak": [1, 2]},
                                            "cut": {"loss": [1, 1], "leak": [1, 1]}})
    assert re.findall("<th[^>]*>([^<]*)", drawn) == ["fault", "leak", "loss"]
    assert ">0–79&nbsp;%" in campaign_report.cell(0, 1).html
    assert "72–100&nbsp;%" in campaign_report.cell(10, 10).html
    assert "9–91&nbsp;%" in drawn and "34–100&nbsp;%" in drawn
    assert campaign_report.cell(3000, 3000).html.endswith("99.9–100&nbsp;%</span>")


def test_a_medium_has_its_own_figures(directory: pathlib.Path) -> None:
    assert cells(directory, "Media") == [["net", "5", "0", "500", "loss 1"]]


def cells(directory: pathlib.Path, title: str) -> list[list[str]]:
    """What a section's table says, row by row."""
    rows = report.page(directory).split(f"<h2>{title}</h2>")[1].split("</table>")[0].split("</tr>")[1:-1]
    return [[cell.split(">")[-1].strip() for cell in row.split("</td>")[:-1]] for row in rows]


def test_who_sent_how_much_to_whom(directory: pathlib.Path) -> None:
    """Each direction by itself; what is received counts for the link it came over."""
    assert cells(directory, "Links") == [["n1", "n2", "2", "1,500", "1", "1", "0"],
                                         ["n2", "n1", "1", "64", "0", "0", "0"],
                                         ["n3", "n1", "0", "0", "0", "0", "1"]]


def test_what_each_domain_has_cost(directory: pathlib.Path) -> None:
    assert cells(directory, "Resources") == [["n1", "10.0%", "5 ms", "1,234", "77", "8", "10", "4,242", "2M",
                                              "64K"]]


def test_a_crash_is_in_space_and_time(directory: pathlib.Path) -> None:
    """Where the node's column is, at its time; and where the node begins anew."""
    drawn = report.page(directory).split("<h2>Messages in space and time</h2>")[1].split("</svg>")[0] + "</svg>"
    groups = {g.findtext("{*}title"): g for g in xml.fromstring(drawn).iter() if g.tag.endswith("}g")}
    crash, anew = groups["n3 ended at 35 ms: crash"], groups["n3 began anew at 37 ms"]
    column = next(float(t.get("x", "0")) for t in xml.fromstring(drawn).iter() if t.text == "n3")
    signs = {t.text: t for g in (crash, anew) for t in g if t.tag.endswith("}text")}
    assert float(signs["✗"].get("x", "0")) == column and {"✗", "crash", "↻"} == set(signs)
    assert float(signs["✗"].get("y", "0")) < float(signs["↻"].get("y", "0"))


def test_every_picture_is_well_formed(directory: pathlib.Path) -> None:
    text = report.page(directory)
    pieces = text.split("<svg ")[1:]
    assert len(pieces) == 6
    for piece in pieces:
        xml.fromstring("<svg " + piece.split("</svg>")[0] + "</svg>")


def written(directory: pathlib.Path, what: str) -> pathlib.Path:
    """The page of a run, or that of a campaign."""
    if what == "campaign":
        (directory / "campaign.json").write_text(json.dumps(campaign(40)))
    return report.write(directory)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize("what,width", [("run", 390), ("run", 1200), ("campaign", 390)])
def test_a_browser_draws_it(directory: pathlib.Path, what: str, width: int) -> None:
    page = written(directory, what)
    shot = directory / "shot.png"
    subprocess.run([str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                    f"--screenshot={shot}", f"--window-size={width},2400", page.as_uri()],
                   check=True, timeout=500, capture_output=True)
    image = pytest.importorskip("matplotlib.image").imread(shot)
    assert image.shape[1] >= width and image.shape[0] >= 2000
    colours = {tuple(int(255 * c) for c in pixel[:3]) for pixel in image[::7, ::7].reshape(-1, image.shape[2])}
    assert (193, 39, 45) in colours, "the red verdict is not in the picture"
    assert len(colours) > 20, "the picture is nearly empty"


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize("what", ["run", "campaign"])
def test_nothing_is_wider_than_a_phone(directory: pathlib.Path, what: str) -> None:
    """Tables scroll in their own box: the page itself never does."""
    page = written(directory, what)
    probe = ("<script>const first=document.querySelector('.wide');document.title="
             "document.documentElement.scrollWidth+'/'+innerWidth+'/'+first.scrollWidth+'/'+first.clientWidth"
             "</script></body>")
    (directory / "probe.html").write_text(page.read_text().replace("</body>", probe))
    said = subprocess.run([str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
                           "--window-size=390,800", (directory / "probe.html").as_uri()],
                          check=True, timeout=500, capture_output=True, text=True).stdout
    width, inner, table, room = map(int, said.split("<title>")[1].split("</title>")[0].split("/"))
    assert width <= inner
    assert what == "campaign" or table <= room, "what had to hold is seen without moving anything"


def ledger_of(directory: pathlib.Path) -> tuple[object, Ledger]:
    told = report.history_of(directory, result.read(directory))
    return told, Ledger(told)


def test_chrome_trace_is_sound(directory: pathlib.Path) -> None:
    assert cli.main(["export", str(directory), "--json"]) == 0
    events = json.loads((directory / "trace.json").read_text())["traceEvents"]
    starts, ends = ({e["id"] for e in events if e["ph"] == p} for p in "sf")
    assert starts == ends and len(starts) == 41
    assert {e["args"]["name"] for e in events if e["ph"] == "M"} == {"n1", "n2", "n3"}
    for e in events:  # what Perfetto's importer asks of each kind; nothing begins that does not end
        wanted = {"M": {"args"}, "X": {"ts", "dur"}, "i": {"ts", "s"}}.get(e["ph"], {"ts", "id", "cat"})
        assert wanted <= set(e) and e["ph"] in "MXisf" and e["name"], e
        assert isinstance(e["pid"], int) and isinstance(e["tid"], int), e
    slices = {(e["pid"], e["tid"], e["ts"]) for e in events if e["ph"] == "X"}
    assert all((e["pid"], e["tid"], e["ts"]) in slices for e in events if e["ph"] in "sf")


def test_shiviz_clocks_respect_causality(directory: pathlib.Path) -> None:
    cli.main(["export", str(directory), "shiviz"])
    text = (directory / "shiviz.log").read_text()
    regex, _, log = text.partition("\n\n")
    found = re.findall(regex.replace("(?<", "(?P<"), log)  # ShiViz takes the log apart by its first line
    lines = log.splitlines()
    assert [[event, f"{host} {clock}"] for event, host, clock in found] == [
        [event, stamp] for event, stamp in zip(lines[::2], lines[1::2])] and found
    last: dict[str, dict[str, int]] = {}
    for event, stamp in zip(lines[::2], lines[1::2]):
        host, clock = stamp.split(" ", 1)
        now = json.loads(clock)
        assert now[host] == last.get(host, {}).get(host, 0) + 1
        assert all(now.get(h, 0) >= v for h, v in last.get(host, {}).items())
        if "receive" in event:
            assert len(now) > 1
        last[host] = now


def test_csv_has_a_line_for_each_message(directory: pathlib.Path) -> None:
    cli.main(["export", str(directory), "messages", "trace"])
    lines = (directory / "messages.csv").read_text().splitlines()
    assert len(lines) == 1 + 42 and sum(line.split(",")[6] == "" for line in lines[1:]) == 1
    assert len((directory / "trace.csv").read_text().splitlines()) == 1 + len(broken_world().records)


def campaign(more: int = 0) -> dict[str, object]:
    """Three runs, and so many that hold with ever more faults."""
    def row(seed: int, ok: bool, broken: list[str], timeout: bool = False) -> dict[str, object]:
        return {"seed": seed, "ok": ok, "error": "" if ok else "invariant \x01 loss broken", "kinds": ["loss"],
                "broken": broken, "digests": {}, "virtual_ns": 10 * MS, "wall_ms": 40, "timeout": timeout,
                "faults": seed, "broken_ns": 4 * MS if "loss" in broken else None}
    rows = [row(1, True, []), row(2, False, ["loss"]), row(3, False, ["ending"], True)]
    rows += [row(seed, True, []) for seed in range(4, 4 + more)]
    table = experiment.survival([experiment.Row(**r) for r in rows], ["loss", "ending"])  # type: ignore[arg-type]
    return {"format": 1, "name": "c", "cluster": "c.toml", "runs": 3 + more, "failed": [2, 3], "timeouts": [3],
            "see": "osmosis run 'c d.toml' --clock count --seed", "wall_s": 1.5, "per_minute": 120, "git": "",
            "command": "osmosis experiment c.toml", "survival": table,
            "shrunk": {"2": {"faults": ["at 1s: medium net: loss 0.2"], "from": 9, "nodes": ["a", "b"],
                             "from_nodes": 5, "probes": 31, "for_ns": 5, "broken": ["loss"]}}, "rows": rows}


def test_survival_goes_down_where_runs_break() -> None:
    """And ends where the table does: a run that ended before, unbroken, is one that holds."""
    rows = [{"ok": ok, "virtual_ns": end, "broken_ns": at, "faults": n} for ok, end, at, n in (
        (True, 100, None, 0), (True, 30, None, 0), (False, 100, 20, 2), (False, 100, 50, 2), (False, 80, None, 3))]
    expected = [(0, 1.0), (20, 0.8), (50, 0.6), (80, 0.4), (100, 0.4)]
    assert [ns for ns, _ in survival.over_time(rows)] == [ns for ns, _ in expected]
    assert all(abs(a - b) < 1e-12 for (_, a), (_, b) in zip(survival.over_time(rows), expected))
    assert survival.by_faults(rows) == [(0, 2, 2), (2, 0, 2), (3, 0, 1)]
    assert survival.fault_curve(rows[:2]) == "" and survival.over_time([]) == [(0, 1.0), (0, 1.0)]


def test_a_campaign_draws_its_survival(tmp_path: pathlib.Path) -> None:
    (tmp_path / "campaign.json").write_text(json.dumps(campaign()))
    text = campaign_report.page(tmp_path)
    by_time, by_number = ("<svg " + piece.split("</svg>")[0] + "</svg>" for piece in text.split("<svg ")[1:])
    said = [t.text for t in xml.fromstring(by_time).iter() if t.tag.endswith("}title")]
    assert said == ["66.7% hold after 4 ms", "33.3% hold after 10 ms"]
    assert [t.text for t in xml.fromstring(by_number).iter() if t.tag.endswith("}title")] == [
        "1 fault: 1 of 1 held", "2 faults: 0 of 1 held", "3 faults: 0 of 1 held"]


def test_junit_is_what_ci_reads() -> None:
    suite = xml.fromstring(export.junit(campaign()))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert suite[1][0].tag == "failure" and suite[2][0].tag == "error"


def test_a_campaign_says_how_to_have_it_again() -> None:
    """With all that decides it, and as a shell takes it."""
    given = cli.build_parser("experiment").parse_args(
        ["experiment", "a b.toml", "--seeds", "1..9", "--for", "2s", "--count", "n=4", "--where", "simulator",
         "--jobs", "3"])
    assert experiment.again(given) == ("osmosis experiment 'a b.toml' --seeds 1..9 --where simulator --for 2s "
                                       "--count=n=4")


def test_one_run_of_a_campaign_is_had_as_it_was() -> None:
    """By the clock that it had, which may not be the file's, its length and nodes; in the simulator if it was."""
    def seen(*words: str, clock: str = "real") -> str:
        given = cli.build_parser("experiment").parse_args(["experiment", "a b.toml", *words])
        return experiment.see(given, cluster.parse(f'clock = "{clock}"\n[nodes.a]\n', "a b.toml"))
    assert seen() == "osmosis run 'a b.toml' --clock count --seed"
    assert seen(clock="event") == "osmosis run 'a b.toml' --seed"
    assert seen("--clock", "count", clock="event") == seen()
    assert seen("--for", "2s", "--count", "n=4", "--cpus", "1", clock="count") == (
        "osmosis run 'a b.toml' --for 2s --cpus 1 --count=n=4 --seed")
    assert seen("--where", "simulator", "--for", "2s") == (
        "osmosis experiment 'a b.toml' --where simulator --for 2s --seeds")


def test_a_campaign_in_which_all_held(tmp_path: pathlib.Path) -> None:
    given = campaign()
    rows = [row for row in given["rows"] if row["ok"]]  # type: ignore[attr-defined]
    (tmp_path / "campaign.json").write_text(json.dumps({**given, "rows": rows, "runs": 1, "failed": [],
                                                        "timeouts": [], "shrunk": {}}))
    text = report.write(tmp_path).read_text()
    cut = {**given, "asked": 1000}
    (tmp_path / "campaign.json").write_text(json.dumps(cut))
    assert "<h1>c: 3 of 1000 seeds</h1>" in report.write(tmp_path).read_text()
    assert "<h1>c: 1 seed</h1>" in text and "all held" in text and "out of time" not in text


def test_a_campaigns_names_are_text(tmp_path: pathlib.Path) -> None:
    given = {**campaign(), "name": "<script>x", "command": "osmosis experiment '<b>.toml'"}
    (tmp_path / "campaign.json").write_text(json.dumps(given))
    text = report.write(tmp_path).read_text()
    assert "<script" not in text and "<b>" not in text and "&lt;script&gt;x: 3 seeds" in text


def test_a_campaigns_report(tmp_path: pathlib.Path) -> None:
    (tmp_path / "campaign.json").write_text(json.dumps(campaign()))
    text = report.write(tmp_path).read_text()
    assert "2/3" in text and "seed" in text
    assert "osmosis run 'c d.toml' --clock count --seed 2" in html.unescape(text)
    assert campaign_report.cell(0, 0) == report.Raw("·")
    (tmp_path / "campaign.json").write_text(json.dumps({**campaign(), "format": 2}))
    with pytest.raises(Problem, match="has format 2, this command reads 1"):
        report.write(tmp_path)


def test_wilson_is_the_textbooks() -> None:
    low, high = stats.wilson(3000, 3000)
    assert 0.998 < low < 0.999 and high == 1.0
    low, high = stats.wilson(8, 10)
    assert abs(low - 0.4902) < 1e-3 and abs(high - 0.9433) < 1e-3
    assert stats.wilson(0, 0) == (0.0, 1.0)


def test_ticks_are_round_and_few() -> None:
    for high in (3, 7, 1000, 123456789, 10**12):
        marks = svg.ticks(0, high)
        assert 2 <= len(marks) <= 9 and marks[0] == 0


def test_a_window_without_messages() -> None:
    assert pictures.window(Ledger(World().history()), None, 9) == (0, 9)


def test_a_death_is_what_a_diagram_shows_where_nothing_is_broken() -> None:
    """Of a run too long to draw, the messages around it; a node that only ends is none."""
    world = World()
    world.traffic(1000)
    world.lives += [Life("n1", 1, 0, 5 * MS, "poweroff"), Life("n2", 2, 0, 700 * MS, "crash")]
    history = world.history()
    assert pictures.first_death(history) == 700 * MS
    start, end = pictures.window(Ledger(history), pictures.first_death(history), 10**9)
    assert 400 * MS < start < 700 * MS < end < 800 * MS
    drawn = pictures.space_time(history, Ledger(history), start, end)
    assert "n2 ended at 700 ms: crash" in drawn and "n1 ended" not in drawn


def test_what_is_not_drawn_is_counted() -> None:
    """The time line has room for some nodes; it begins at 0, which has no sign."""
    lives = [Life(f"n{i}", i, 0, None) for i in range(1, pictures.LANES + 4)]
    drawn = "".join(xml.fromstring(pictures.fault_timeline([], lives, 10**9)).itertext())
    assert "3 further nodes are not drawn" in drawn and f"n{pictures.LANES}" in drawn and "n41" not in drawn
    assert "0 ns" in drawn and "-0 ns" not in drawn
    assert "further" not in "".join(xml.fromstring(pictures.fault_timeline([], lives[:3], 10**9)).itertext())


def test_what_a_kernel_takes_is_not_lost() -> None:
    """No record says that it arrived: it is no cross in the diagram, nor what was first broken."""
    world = World()
    world.at(5 * MS, 1, Kernel.SEND, 5, 1 << 32, 1)
    world.at(9 * MS, 1, Kernel.SEND, 5, 2 << 32 | 5, 2)
    history = world.history()
    drawn = pictures.space_time(history, Ledger(history), 0, 20 * MS)
    assert drawn.count("never arrived") == 1 and drawn.count("for the kernel") == 1
    assert judge.first_breach(Ledger(history), 1) == 9 * MS and judge.first_breach(Ledger(history), 0) is None


def test_names_stand_where_no_line_goes() -> None:
    """A node above the medium is named above itself, one below it below."""
    nodes = [{"name": n, "media": ["net"], "machine": "x86", "ended": "running", "sent": 0, "received": 0}
             for n in ("up", "down")]
    at = {"".join(e.itertext()): float(e.get("y", "0")) for e in
          xml.fromstring(pictures.topology(nodes, [{"name": "net"}])).iter() if e.tag.endswith("text")}
    assert at["up"] < 40 and at["down"] > 340, at


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_no_line_goes_behind_a_medium_that_it_is_not_to(count: int) -> None:
    """Two media above each other made a node on both one that reaches the second by way of the first."""
    node = {"media": ["m0", "m1"], "machine": "x86", "ended": "running", "sent": 0, "received": 0}
    nodes = [{"name": f"n{i}", **node} for i in range(count)]
    drawn = list(xml.fromstring(pictures.topology(nodes, [{"name": "m0"}, {"name": "m1"}])).iter())
    boxes = [(float(e.get("x", "0")) + 34, float(e.get("y", "0")) + 12) for e in drawn if e.get("rx") == "5"]
    lines = [[float(e.get(k, "0")) for k in ("x1", "y1", "x2", "y2")] for e in drawn if e.tag.endswith("}line")]
    assert len(boxes) == 2 and len(lines) == 2 * count
    for x1, y1, x2, y2 in lines:
        for x, y in (box for box in boxes if abs(box[0] - x2) + abs(box[1] - y2) > 1):
            way = [(x1 + (x2 - x1) * i / 99, y1 + (y2 - y1) * i / 99) for i in range(100)]
            assert not [at for at in way if abs(at[0] - x) < 34 and abs(at[1] - y) < 12], (count, x, y)


@pytest.mark.parametrize("nodes,media", [(0, 1), (1, 1), (2, 1), (3, 1), (3, 4), (5, 2), (30, 1)])
def test_no_blank_below_the_topology(nodes: int, media: int) -> None:
    """The picture ends with the lowest that is drawn; at a phone's width there was a hand's breadth of nothing."""
    given = [{"name": f"n{i}", "media": ["m0"], "machine": "x86", "ended": "running", "sent": 0, "received": 0}
             for i in range(nodes)]
    drawn = xml.fromstring(pictures.topology(given, [{"name": f"m{i}"} for i in range(media)]))
    lowest = max(float(e.get("y", e.get("cy", "0"))) + float(e.get("height", e.get("r", "0")))
                 for e in drawn.iter() if not e.tag.endswith("svg"))
    height = float(drawn.get("viewBox", "").split()[3])
    assert 5 <= height - lowest <= 40, (height, lowest)

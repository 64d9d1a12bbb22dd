#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Instructions of the network for one message each way, by callgrind, split by object.

Prints JSON: for each size, instructions per round trip, and shares by source file. The
copies of the bench's own device are counted apart (file count.c).
"""

import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 2000


def count(size: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                        "--toggle-collect=round_trip", TOP / "build/net-count", str(ROUNDS), str(size)],
                       check=True, capture_output=True, timeout=300)
        text = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", out], check=True,
                              capture_output=True, text=True).stdout
    shares: collections.Counter[str] = collections.Counter()
    for line in text.splitlines():
        found = re.match(r"\s*([\d,]+) \(.*?\)\s+(\S+?):(\S+)", line)
        if found:
            where = pathlib.PurePath(found[2]).name
            shares[where] += int(found[1].replace(",", ""))
    total = sum(shares.values())
    return {"size": size, "instructions_per_round_trip": round(total / ROUNDS, 1),
            "shares": {name: round(n / ROUNDS, 1) for name, n in shares.most_common() if n > ROUNDS}}


if __name__ == "__main__":
    json.dump([count(int(size)) for size in sys.argv[1:] or ("0", "1024")], sys.stdout, indent=1)
    print()

"""GETs a second: this package against the official client, on one server, in turns.

`cargo xtask bench client` runs it; the server's quickstart values are in GUESTLIST_QUICKSTART.
It prints the table as Markdown.
"""

from __future__ import annotations

import json
import os
import pathlib
import platform
import statistics
import sys
import threading
import time
from typing import Any

# A proxy of the machine must not see requests to this one.
os.environ["NO_PROXY"] = "*"

import losant_rest

import guestlist

ROUNDS = 9
SECONDS = 1.0
THREADS = (1, 8)
WANTED = 5.0


def gets_a_second(client: Any, ids: dict[str, str], threads: int) -> float:
    """How many GETs of one user come back right in a second."""
    counts = [0] * threads
    failures: list[BaseException] = []
    barrier = threading.Barrier(threads + 1)
    end = [0.0]

    def work(index: int) -> None:
        try:
            barrier.wait()
            while time.perf_counter() < end[0]:
                # Both clients raise for any status that is not a good one.
                user = client.experience_user.get(**ids)
                if user["id"] != ids["experienceUserId"]:
                    raise AssertionError(user)
                counts[index] += 1
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    begun = time.perf_counter()
    end[0] = begun + SECONDS
    barrier.wait()
    for worker in workers:
        worker.join()
    took = time.perf_counter() - begun
    if failures:
        raise failures[0]
    return sum(counts) / took


def processor() -> str:
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def main() -> int:
    server = json.loads(os.environ["GUESTLIST_QUICKSTART"])
    url = server["url"].rstrip("/")
    ids = {
        "applicationId": server["applicationId"],
        "experienceUserId": server["experienceUserIds"][0],
    }
    official = losant_rest.Client(auth_token=server["token"], url=url)
    ours = guestlist.Client(auth_token=server["token"], url=url)
    assert ours.experience_user.get(**ids) == official.experience_user.get(**ids)

    load = os.getloadavg()[0]
    results: dict[tuple[str, int], list[float]] = {}
    for round_number in range(ROUNDS + 1):
        for threads in THREADS:
            for name, client in (("official", official), ("ours", ours)):
                rate = gets_a_second(client, ids, threads)
                # The first round warms everything up.
                if round_number:
                    results.setdefault((name, threads), []).append(rate)
        print(f"round {round_number} of {ROUNDS}", file=sys.stderr, flush=True)

    def cell(rates: list[float]) -> str:
        middle = statistics.median(rates)
        return f"{middle:,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"

    print("| Threads | `losant-rest` 2.3.0 | `guestlist` | Times as many |")
    print("|---|---|---|---|")
    good = True
    for threads in THREADS:
        theirs, mine = results["official", threads], results["ours", threads]
        ratios = [ours / theirs for ours, theirs in zip(mine, theirs, strict=True)]
        middle = statistics.median(ratios)
        good &= middle >= WANTED
        spread = f"{middle:.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        print(f"| {threads} | {cell(theirs)} | {cell(mine)} | {spread} |")
    print()
    print(
        f"GETs of one user a second: the median of {ROUNDS} rounds of {SECONDS:.0f} s each, and in"
        " brackets the least and the most. The clients take turns in each round, after a round"
        " that is not counted, and every answer is checked."
    )
    print()
    print(
        f"Machine: {processor()}, {os.cpu_count()} logical processors, {platform.system()},"
        f" Python {platform.python_version()}. The server, which logs warnings only, and both clients"
        f" share it. The load average was {load:.1f} when it began: what else runs makes the answers"
        " of the server late, which costs the faster client the most."
    )
    if not good:
        print(f"the median is below {WANTED:.0f} times", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""Reads the same recorded answers of an EVM node with ethereum-etl and with Tracehound, in the same run.

    cargo build --release
    python3 -m venv bench/ethereum/.venv
    bench/ethereum/.venv/bin/pip install -r bench/ethereum/requirements.txt
    bench/ethereum/.venv/bin/python bench/ethereum/race.py 20000 200000

Each number makes a chain-hopping exercise of about as many transactions; its first chain is read. ethereum-etl parses blocks,
receipts, logs and traces and writes CSV files; Tracehound parses them, checks each answer against its block, nets nothing, and fills
a book with balances and look-ups. Neither asks a node. Both take a process of their own; time is that of the whole process.
"""

import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HOME = pathlib.Path(__file__).resolve().parent
ROOT = HOME.parent.parent
RUNS = 5


def timed(command):
    """Wall and processor seconds, and peak memory in MB, of a process."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    core = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, core, done.stdout


def main(sizes):
    tracehound = os.environ.get("TRACEHOUND_EXE", ROOT / "target/release/tracehound")
    print("| transactions | logs, of them transfers | calls | ethereum-etl, core s | Tracehound, core s | ratio | transfers per core second |")
    print("|---|---|---|---|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            subprocess.run([tracehound, "exercise", folder / "made", "--hopping", str(size)], check=True, capture_output=True)
            answers = folder / "made/alder"
            theirs, ours = [], []
            for turn in range(RUNS):
                _, core, out = timed([sys.executable, HOME / "etl.py", answers / "answers.ndjson", folder / "csv"])
                theirs.append(core)
                count = json.loads(out)
                book = folder / f"book-{turn}"
                _, core, _ = timed([tracehound, "--book", book, "ingest", "ethereum", "--replay", answers, "--native", "ALD"])
                ours.append(core)
                shutil.rmtree(book)
            one, other = statistics.median(theirs), statistics.median(ours)
            # What moves value: transfers of tokens, and calls.
            moves = count["transfers"] + count["traces"]
            print(
                f"| {count['transactions']:,} | {count['logs']:,}, {count['transfers']:,} | {count['traces']:,} "
                f"| {one:.2f} [{min(theirs):.2f}–{max(theirs):.2f}] | {other:.3f} [{min(ours):.3f}–{max(ours):.3f}] "
                f"| {one / other:.1f} × | {moves / one:,.0f} and {moves / other:,.0f} |"
            )


main([int(size) for size in sys.argv[1:]] or [20_000, 200_000])

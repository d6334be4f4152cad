"""Unites the same sets of ids with GraphSense's clustering, with SciPy's connected components and with Tracehound, in one run.

    python3 -m venv bench/clusters/.venv
    bench/clusters/.venv/bin/pip install -r bench/clusters/requirements.txt
    bench/clusters/.venv/bin/python bench/clusters/race.py 1000000 10000000 100000000

A set is what the inputs of one transaction are: ids of addresses. There is one set for every two ids, most of two or three
ids, a few of up to two hundred; an id stands near the others of its set (an address is mostly spent with others of about its
age), one in eight is any older one, one in sixty-four is one of a thousand that turn up everywhere. Seeded: the same sets each time.

All three get the sets as they lie in memory (offsets and values), none has to read a file while the clock runs, and each has to
answer with the cluster of every id. Before anything is timed twice, the answers are held against one another: same clusters,
each named by its lowest id (SciPy's own numbering is compared as a partition). Each side is a process of its own, so that its peak
memory is its own.
"""

import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

HOME = pathlib.Path(__file__).resolve().parent
DATA = pathlib.Path(os.environ.get("TRACEHOUND_BENCH_DATA", HOME.parent / "data"))
RUNS = 5
# From here on a side runs fewer times.
LARGE_IDS = 50_000_000
RUNS_LARGE = 3
SEED = 2024
SIDES = ["tracehound", "graphsense", "graphsense-1-thread", "scipy"]


def make(ids):
    """The sets of a size, as two files: offsets (i64) and values (u32)."""
    import numpy as np

    folder = DATA / f"sets-{ids}"
    if (folder / "done").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(SEED)
    sets = ids // 2
    shape = random.random(sets)
    sizes = np.where(shape < 0.62, 2, np.where(shape < 0.85, 3, random.integers(4, 9, sets)))
    sizes = np.where(shape > 0.999, random.integers(50, 201, sets), sizes).astype(np.int64)
    offsets = np.zeros(sets + 1, dtype=np.int64)
    np.cumsum(sizes, out=offsets[1:])
    total = int(offsets[-1])
    # The set's place on the ids' line: later sets are of younger ids.
    place = np.repeat((np.arange(sets, dtype=np.float64) + 1) * (ids / sets), sizes).astype(np.int64)
    near = place - random.geometric(1 / 400, total)
    any_older = (random.random(total) * place).astype(np.int64)
    busy = (random.integers(0, 1000, total) * (ids // 1000)) % np.maximum(place, 1)
    kind = random.integers(0, 64, total)
    values = np.where(kind == 0, busy, np.where(kind < 9, any_older, near))
    values = np.clip(values, 0, ids - 1).astype(np.uint32)
    offsets.tofile(folder / "offsets")
    values.tofile(folder / "values")
    (folder / "done").write_text("")
    return folder


def load(folder):
    import numpy as np

    return np.fromfile(folder / "offsets", dtype=np.int64), np.fromfile(folder / "values", dtype=np.uint32)


def report(started, cpu, clusters):
    """What one run of one side says: wall, processor time, peak memory, and a digest of the answer."""
    import hashlib

    import numpy as np

    wall, core = time.perf_counter() - started, time.process_time() - cpu
    digest = hashlib.sha256(np.ascontiguousarray(clusters, dtype=np.uint32)).hexdigest()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"wall": wall, "core": core, "peak_mib": peak, "digest": digest}))


def graphsense(folder, ids):
    import numpy as np
    import pyarrow as pa
    from gs_clustering import Clustering

    offsets, values = load(folder)
    # Its ids begin at 1: 0 is a placeholder.
    sets = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values + np.uint32(1)))
    started, cpu = time.perf_counter(), time.process_time()
    clustering = Clustering(max_address_id=ids)
    clustering.process_transactions_arrow(sets)
    mapping = clustering.get_mapping()
    clusters = mapping.column("cluster_id").to_numpy()
    wall, core = time.perf_counter(), time.process_time()
    report(started + time.perf_counter() - wall, cpu + time.process_time() - core, clusters[1:] - 1)


def scipy(folder, ids):
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    offsets, values = load(folder)
    started, cpu = time.perf_counter(), time.process_time()
    first = np.repeat(values[offsets[:-1]], np.diff(offsets))
    graph = coo_array((np.ones(len(values), dtype=np.int8), (first, values)), shape=(ids, ids)).tocsr()
    _, labels = connected_components(graph, directed=False)
    wall, core = time.perf_counter(), time.process_time()
    lowest = np.full(labels.max() + 1, ids, dtype=np.int64)
    np.minimum.at(lowest, labels, np.arange(ids))
    clusters = lowest[labels]
    report(started + time.perf_counter() - wall, cpu + time.process_time() - core, clusters)


def run(side, folder, ids):
    environment = dict(os.environ)
    if side == "tracehound":
        command = [os.environ.get("BENCH_CLUSTERS", str(HOME.parent / "target/release/bench-clusters")), "unite", str(folder), str(ids)]
    else:
        if side == "graphsense-1-thread":
            environment["RAYON_NUM_THREADS"] = "1"
        command = [sys.executable, __file__, "--side", side.split("-")[0], str(folder), str(ids)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{side}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def race(ids):
    folder = make(ids)
    runs = RUNS_LARGE if ids >= LARGE_IDS else RUNS
    results = {side: [] for side in SIDES}
    for _ in range(runs):
        for side in SIDES:
            results[side].append(run(side, folder, ids))
    digests = {side: {result["digest"] for result in found} for side, found in results.items()}
    if len(set.union(*digests.values())) != 1:
        sys.exit(f"{ids}: the answers differ: {digests}")
    ours = statistics.median(result["wall"] for result in results["tracehound"])
    for side, found in results.items():
        walls = [result["wall"] for result in found]
        wall, core = statistics.median(walls), statistics.median(result["core"] for result in found)
        peak = max(result["peak_mib"] for result in found)
        rate = (folder / "values").stat().st_size / 4 / core / 1e6
        print(
            f"| {ids:,} | {side} | {wall:.3f} s ({min(walls):.3f}–{max(walls):.3f}) | {core:.3f} s | {rate:.1f} M | {peak:,} MiB | {wall / ours:.2f} |",
            flush=True,
        )


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--side"]:
        side, folder, ids = arguments[1:]
        {"graphsense": graphsense, "scipy": scipy}[side](pathlib.Path(folder), int(ids))
        return
    print("| ids | side | wall | core | ids of sets per core second | peak memory | wall, ours = 1 |")
    print("|---|---|---|---|---|---|---|")
    for ids in arguments or ["1000000"]:
        race(int(ids))


main()

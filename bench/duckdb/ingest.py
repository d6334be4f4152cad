"""Loads the files of an ingest race into DuckDB tables with an index on the transaction id, after Tracehound's own run.

    bench/duckdb/.venv/bin/python bench/duckdb/ingest.py blocks 100000 1000000 table 100000 1000000

DuckDB does less: it checks no sums, spends nothing, knows no balances, and links no leg to the next. It is what a user
would do to have the same rows in a database file.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import duckdb

from race import HOME, RUNS, seconds

DATA = pathlib.Path(os.environ.get("TRACEHOUND_BENCH_DATA", HOME.parent / "data"))

TABLE = """
CREATE TABLE legs AS FROM read_csv('{folder}/tokens.csv', header = true, all_varchar = true);
CREATE INDEX legs_by_tx ON legs (tx);
"""

# Amounts stay text, as in the table: floating point would change them.
BLOCKS = """
CREATE TEMP TABLE transactions AS
    SELECT height, unnest(tx) AS tx FROM read_json('{folder}/chain.ndjson', format = 'newline_delimited',
        maximum_object_size = 1000000000, columns = {{'height': 'BIGINT', 'tx':
        'STRUCT(txid VARCHAR, vin STRUCT(txid VARCHAR, vout INTEGER)[],
         vout STRUCT(n INTEGER, value VARCHAR, "scriptPubKey" STRUCT(address VARCHAR, hex VARCHAR))[])[]'}});
CREATE TABLE outputs AS
    SELECT height, txid, out.n, out.value, out."scriptPubKey".address AS address
    FROM (SELECT height, tx.txid, unnest(tx.vout) AS out FROM transactions);
CREATE TABLE inputs AS
    SELECT txid, spent.txid AS spent_txid, spent.vout AS spent_vout
    FROM (SELECT tx.txid, unnest(tx.vin) AS spent FROM transactions);
CREATE INDEX outputs_by_txid ON outputs (txid);
CREATE INDEX inputs_by_spent ON inputs (spent_txid);
"""


def load(statements, folder):
    """Into a new database file: wall seconds, processor seconds, and its size."""
    path = folder / "rival.duckdb"
    path.unlink(missing_ok=True)
    start, core = time.perf_counter(), time.process_time()
    with duckdb.connect(path) as connection:
        connection.execute(statements.format(folder=folder))
        connection.execute("CHECKPOINT")
    took = time.perf_counter() - start, time.process_time() - core
    size = path.stat().st_size
    path.unlink()
    return took, size


def race(kind, size):
    command = ["cargo", "run", "--release", "--quiet", "--manifest-path", str(HOME.parent / "Cargo.toml")]
    subprocess.run([*command, "-p", "bench-ingest", "--", kind, str(size)], check=True)
    folder = DATA / f"ingest-{kind}-{size}"
    ours = json.loads((folder / "ours.json").read_text())["wall_s"]
    runs = [load(TABLE if kind == "table" else BLOCKS, folder) for _ in range(RUNS)]
    walls, cores = [took[0] for took, _ in runs], [took[1] for took, _ in runs]
    bytes_on_disk = runs[0][1]
    print(f"\nDuckDB on the same file: {seconds(walls)}, {statistics.median(cores):.3g} s of the cores, "
          f"{bytes_on_disk / 1e6:,.1f} MB on disk; {statistics.median(walls) / ours:.2f} times our wall", flush=True)


if __name__ == "__main__":
    print(f"DuckDB {duckdb.__version__}, Python {sys.version.split()[0]}", flush=True)
    kind = None
    for word in sys.argv[1:]:
        if word in ("blocks", "table"):
            kind = word
        elif kind and word.replace("_", "").isdigit():
            race(kind, int(word))
        else:
            sys.exit("usage: ingest.py (blocks | table) TRANSACTIONS...")

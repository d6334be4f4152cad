"""Traces a heist with DuckDB's recursive queries and with Tracehound, on the same data, in the same run.

    python3 -m venv bench/duckdb/.venv
    bench/duckdb/.venv/bin/pip install -r bench/duckdb/requirements.txt
    bench/duckdb/.venv/bin/python bench/duckdb/race.py cone 10000 100000 1000000 peel 10000

Three queries, each what a user of SQL would write:

* which transactions: those that loot can have reached at all. A recursive query with UNION, so each is visited once. It
  says nothing of amounts.
* haircut: each hop carries on every coin's stolen share, summed by coin within a hop; since haircut is linear, what
  reaches a coin on ways of different length may be followed apart and summed in the end. The answer is ours up to
  rounding (it is in floating point), at the cost of visiting a coin once for each length of a way to it.
* haircut, in order: the same amounts with each coin visited once: a loop that settles all transactions whose stolen inputs
  are settled. This is what a user who knows that money needs an order would write; it is a program, not a query.

Loading and indexing are not counted, for either side. DuckDB has all cores, Tracehound uses one.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time

import duckdb

HOME = pathlib.Path(__file__).resolve().parent
LIMIT_SECONDS = 300
RUNS = 3
# A query that takes longer than this is run once.
LONG_SECONDS = 20

LOAD = """
CREATE TABLE coins AS
    SELECT row_number() OVER () AS id, output, tx, tx_total, value, spent_by
    FROM read_csv('{folder}/outputs.csv', header = true, columns = {{
        'output': 'BIGINT', 'tx': 'BIGINT', 'tx_total': 'BIGINT', 'value': 'BIGINT', 'spent_by': 'BIGINT'}});
CREATE INDEX coins_by_tx ON coins (tx);
CREATE TABLE seeds AS
    SELECT id, spent_by, amount::DOUBLE AS stolen
    FROM read_csv('{folder}/seeds.csv', header = true, columns = {{'output': 'BIGINT', 'amount': 'BIGINT'}})
    JOIN coins USING (output);
ANALYZE;
"""

CONE = """
WITH RECURSIVE cone(tx) AS (
    SELECT spent_by FROM seeds WHERE spent_by IS NOT NULL
    UNION
    SELECT coins.spent_by FROM cone JOIN coins USING (tx) WHERE coins.spent_by IS NOT NULL
)
SELECT count(*), NULL FROM cone
"""

HAIRCUT = """
CREATE OR REPLACE TEMP TABLE theirs AS
WITH RECURSIVE flow(id, spent_by, stolen) AS (
    SELECT id, spent_by, stolen FROM seeds
    UNION ALL
    SELECT coins.id, coins.spent_by, sum(flow.stolen * coins.value / coins.tx_total)
    FROM flow JOIN coins ON coins.tx = flow.spent_by
    GROUP BY coins.id, coins.spent_by
)
SELECT id, sum(stolen) AS stolen FROM flow WHERE spent_by IS NULL GROUP BY id
"""

# How many stolen coins each transaction of the cone waits for, and the loop's state.
ORDER_START = """
CREATE OR REPLACE TEMP TABLE cone AS
WITH RECURSIVE cone(tx) AS (
    SELECT spent_by FROM seeds WHERE spent_by IS NOT NULL
    UNION
    SELECT coins.spent_by FROM cone JOIN coins USING (tx) WHERE coins.spent_by IS NOT NULL
)
SELECT tx FROM cone;
CREATE OR REPLACE TEMP TABLE waits AS
    SELECT spent_by AS tx, count(*) AS coins, 0::DOUBLE AS stolen FROM (
        SELECT id, coins.spent_by FROM cone JOIN coins USING (tx) WHERE coins.spent_by IS NOT NULL
        UNION SELECT id, spent_by FROM seeds WHERE spent_by IS NOT NULL
    ) GROUP BY spent_by;
CREATE OR REPLACE TEMP TABLE settled AS SELECT id, spent_by, stolen FROM seeds;
CREATE OR REPLACE TEMP TABLE theirs (id BIGINT, stolen DOUBLE);
"""

ORDER_STEP = """
INSERT INTO theirs SELECT id, stolen FROM settled WHERE spent_by IS NULL;
UPDATE waits SET coins = waits.coins - came.coins, stolen = waits.stolen + came.stolen
    FROM (SELECT spent_by AS tx, count(*) AS coins, sum(stolen) AS stolen
          FROM settled WHERE spent_by IS NOT NULL GROUP BY spent_by) AS came
    WHERE came.tx = waits.tx;
CREATE OR REPLACE TEMP TABLE ready AS SELECT tx, stolen FROM waits WHERE coins = 0;
DELETE FROM waits WHERE coins = 0;
CREATE OR REPLACE TEMP TABLE settled AS
    SELECT coins.id, coins.spent_by, ready.stolen * coins.value / coins.tx_total AS stolen
    FROM ready JOIN coins USING (tx);
"""


def cone(connection):
    return f"{connection.execute(CONE).fetchone()[0]:,} transactions"


def haircut(connection):
    connection.execute(HAIRCUT)
    return compared(connection)


def in_order(connection):
    connection.execute(ORDER_START)
    steps = 0
    while connection.execute("SELECT count(*) FROM settled").fetchone()[0]:
        connection.execute(ORDER_STEP)
        steps += 1
    return f"{steps:,} rounds; {compared(connection)}"


def compared(connection):
    """The largest difference to our answer over all coins, and that of all fees together, in base units."""
    coins, difference, fees = connection.execute("""
        SELECT count(*) FILTER (place >= 0), max(apart) FILTER (place >= 0), max(apart) FILTER (place < 0) FROM (
            SELECT place, abs(coalesce(theirs.stolen, 0) - coalesce(ours.amount, 0)) AS apart
            FROM (SELECT coalesce(output, -1) AS place, sum(stolen) AS stolen
                  FROM theirs JOIN coins USING (id) GROUP BY place) AS theirs
            FULL JOIN (SELECT coalesce(output, -1) AS place, amount FROM ours) AS ours USING (place))
    """).fetchone()
    return f"{coins:,} coins, at most {difference:,.1f} base units from ours; fees {fees:,.1f}"


def timed(connection, query):
    """Runs a query several times under the limit: wall seconds, processor seconds, and what it found."""
    walls, cores, found = [], [], ""
    while len(walls) < RUNS:
        stop = threading.Timer(LIMIT_SECONDS, connection.interrupt)
        stop.start()
        start, core = time.perf_counter(), time.process_time()
        try:
            found = query(connection)
        except duckdb.InterruptException:
            return None, None, f"stopped after {LIMIT_SECONDS} s"
        except duckdb.Error as error:
            return None, None, f"failed: {str(error).splitlines()[0]}"
        finally:
            stop.cancel()
        walls.append(time.perf_counter() - start)
        cores.append(time.process_time() - core)
        if walls[0] > LONG_SECONDS:
            break
    return walls, cores, found


def seconds(values):
    """`1.23 s (1.20–1.31)`."""
    spread = f" ({min(values):.3g}–{max(values):.3g})" if len(values) > 1 else ""
    return f"{statistics.median(values):.3g} s{spread}"


def times(ratio):
    """`0.26`, `3.1`, `1,234`."""
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def race(kind, size):
    command = ["cargo", "run", "--release", "--quiet", "--manifest-path", str(HOME.parent / "Cargo.toml")]
    command += ["-p", "bench-trace", "--", "rival", kind, str(size)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    machine, folder = said[0], pathlib.Path(said[1])
    ours = json.loads((folder / "ours.json").read_text())
    print(f"\n{machine}\n\n**{kind} {size:,}**\n")
    print("| who | wall | core | times our wall | times our core | what it found |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    wall = f"{ours['median_s']:.3g} s ({ours['least_s']:.3g}–{ours['most_s']:.3g})"
    print(f"| Tracehound, haircut, exact | {wall} | {ours['core_s']:.3g} s | 1 | 1 | {ours['events']:,} events |", flush=True)
    connection = duckdb.connect()
    connection.execute(LOAD.format(folder=folder))
    connection.execute(f"CREATE TABLE ours AS FROM read_csv('{folder}/ours.csv', header = true, "
                       "columns = {'output': 'BIGINT', 'amount': 'BIGINT'})")
    for name, query in [("which transactions", cone), ("haircut", haircut), ("haircut, in order", in_order)]:
        walls, cores, found = timed(connection, query)
        if walls is None:
            more = f"more than {LIMIT_SECONDS / ours['median_s']:,.0f}"
            print(f"| DuckDB, {name} | – | – | {more} | – | {found} |", flush=True)
            continue
        core = statistics.median(cores)
        ratios = f"{times(statistics.median(walls) / ours['median_s'])} | {times(core / ours['core_s'])}"
        print(f"| DuckDB, {name} | {seconds(walls)} | {core:.3g} s | {ratios} | {found} |", flush=True)


def main(words):
    kind = None
    for word in words:
        if word in ("cone", "peel"):
            kind = word
        elif kind and word.replace("_", "").isdigit():
            race(kind, int(word))
        else:
            sys.exit("usage: race.py (cone | peel) SIZE... [(cone | peel) SIZE...]")


if __name__ == "__main__":
    print(f"DuckDB {duckdb.__version__}, Python {sys.version.split()[0]}")
    main(sys.argv[1:])
